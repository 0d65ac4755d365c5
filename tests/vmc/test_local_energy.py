"""Local energies against the Hamiltonian as a matrix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.exact_diagonalization import heisenberg_matrix

from nqs.ansatz.rbm import Rbm
from nqs.model.lattices import make_cluster
from nqs.vmc.local_energy import Heisenberg


class Table:
    """A wave that holds psi of every state."""

    def __init__(self, psi):
        self.psi = psi

    def swap_ratios(self, states, bonds):
        masks = (np.uint64(1) << bonds[:, 0].astype(np.uint64)) | (np.uint64(1) << bonds[:, 1].astype(np.uint64))
        common = states[:, None] & masks
        ratios = self.psi[(states[:, None] ^ masks).astype(int)] / self.psi[states.astype(int), None]
        return np.where((common == 0) | (common == masks), 0, ratios)


def ring(n_sites, marshall):
    bonds = make_cluster("ring", "ring", (n_sites, 1)).j1
    return Heisenberg(n_sites, bonds, np.ones(len(bonds)), marshall)


@pytest.mark.parametrize("n_sites", [4, 8])
@pytest.mark.parametrize("marshall", [True, False])
def test_an_exact_state_has_its_energy_at_every_state(n_sites, marshall):
    model = ring(n_sites, marshall)
    matrix = heisenberg_matrix(n_sites, model.bonds)
    values, vectors = np.linalg.eigh(matrix)
    psi = vectors[:, 0]
    if marshall:  # turn one sublattice: the sign of the number of up spins on it
        even = np.uint64(sum(1 << site for site in range(0, n_sites, 2)))
        psi = psi * (-1.0) ** np.bitwise_count(np.arange(1 << n_sites, dtype=np.uint64) & even)
        assert (psi[np.abs(psi) > 1e-9] > 0).all() or (psi[np.abs(psi) > 1e-9] < 0).all()
    states = np.flatnonzero(np.abs(psi) > 1e-9).astype(np.uint64)
    assert_allclose(model.local_energies(Table(psi), states), values[0], rtol=1e-9)


def test_the_mean_local_energy_is_the_rayleigh_quotient():
    family, model = Rbm(8, 16), ring(8, False)
    wave = family.at(np.random.default_rng(0).normal(0, 0.3, family.n_parameters))
    states = np.arange(256, dtype=np.uint64)
    psi = np.exp(wave.log_psi(states))
    weights = psi**2 / (psi @ psi)
    energy = psi @ heisenberg_matrix(8, model.bonds) @ psi / (psi @ psi)
    assert_allclose(weights @ model.local_energies(wave, states), energy, rtol=1e-12)
