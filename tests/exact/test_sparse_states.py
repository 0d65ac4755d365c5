"""Lowest states on a plain basis, against dense matrices, free fermions and the Bethe ansatz."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.pauli import ising_matrix, xxz_matrix
from support.vmc_problems import ring_bonds as ring

from nqs.exact.bethe import heisenberg_energies
from nqs.exact.sparse_states import lowest_states
from nqs.model.hamiltonians import heisenberg, transverse_field_ising, xxz
from nqs.runtime.errors import InputError


def free_fermions(n_sites, field, parity):
    """Lowest energy of the Ising ring of even length in one parity sector, Pauli units [Pfeuty 1970].

    Even parity: momenta (2n + 1) pi / N; odd: 2n pi / N, with the one at k = 0 counted with its sign.
    """
    momenta = np.pi * (2 * np.arange(n_sites) + (parity == 1)) / n_sites
    levels = np.sqrt(1 + field**2 - 2 * field * np.cos(momenta))
    if parity == -1:
        levels[0] = 1 - field
    return -levels.sum()


@pytest.mark.parametrize("parity", [1, -1])
@pytest.mark.parametrize("field", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("n_sites", [8, 12])
def test_ising_ring_is_free_fermions(n_sites, field, parity):
    states = lowest_states(transverse_field_ising(n_sites, ring(n_sites), field), parity=parity)
    assert_allclose(states.energies[0], free_fermions(n_sites, field, parity), rtol=1e-11)


def test_xxz_at_delta_one_is_the_heisenberg_ring():
    for n_sites in (8, 12):
        exact = heisenberg_energies(n_sites)
        found = lowest_states(xxz(n_sites, ring(n_sites), 1.0), magnetisation=0)
        assert_allclose(found.energies[0], exact.ground, rtol=1e-11)
        assert_allclose(lowest_states(heisenberg(n_sites, ring(n_sites)), magnetisation=2).energies[0], exact.triplet)


SECTORS = [{}, {"magnetisation": 0}, {"parity": 1}, {"parity": -1}, {"magnetisation": 0, "parity": -1}]


@pytest.mark.parametrize("sector", SECTORS)
@pytest.mark.parametrize("n_sites", [6, 9])
def test_states_are_eigenvectors_of_the_pauli_matrices(sector, n_sites):
    if n_sites % 2 and "magnetisation" in sector:
        sector = {"magnetisation": 1}
    models = [(xxz(n_sites, ring(n_sites), 0.6), xxz_matrix(n_sites, ring(n_sites), 0.6))]
    if "magnetisation" not in sector:
        models.append((transverse_field_ising(n_sites, ring(n_sites), 0.9), ising_matrix(n_sites, ring(n_sites), 0.9)))
    everything = np.arange(1 << n_sites, dtype=np.uint64)
    for model, matrix in models:
        states = lowest_states(model, 3, **sector)
        for level, energy in enumerate(states.energies):
            psi = states.lookup(everything, level)
            assert_allclose(np.linalg.norm(psi), 1)
            assert_allclose(matrix @ psi, energy * psi, atol=1e-9)
            if "parity" in sector:
                assert_allclose(psi[::-1], sector["parity"] * psi, atol=1e-9)
        if not sector:
            assert_allclose(states.energies, np.linalg.eigvalsh(matrix)[:3], atol=1e-10)


def test_results_repeat_to_the_last_bit():
    model = transverse_field_ising(10, ring(10), 1.0)
    one, other = lowest_states(model), lowest_states(model)
    assert np.array_equal(one.psi, other.psi)
    assert (one.psi > 0).all()
    assert one.unit == "p"


@pytest.mark.parametrize(
    ("model", "sector", "message"),
    [
        (heisenberg(22, ring(22)), {}, "22 sites: the plain basis ends at 20"),
        (transverse_field_ising(8, ring(8), 1.0), {"magnetisation": 0}, "does not conserve"),
        (heisenberg(8, ring(8)), {"parity": 2}, r"\+1 or -1"),
        (heisenberg(8, ring(8)), {"magnetisation": 2, "parity": 1}, "magnetisation 0 or none"),
        (heisenberg(4, ring(4)), {"magnetisation": 4, "k": 2}, "has 1 states only"),
    ],
)
def test_impossible_sectors_say_what_to_change(model, sector, message):
    with pytest.raises(InputError, match=message):
        lowest_states(model, **sector)
