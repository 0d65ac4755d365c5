"""Sums over all states of a ring, against dense matrices, closed forms and sums over hidden units."""

from functools import reduce
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.rbm_cells import random_machine

from nqs.analysis.rbm_ablation import Machine, amplitudes, staggered_score, with_each_alone, without_each
from nqs.exact.ring_sums import (
    ALL,
    SECTORS,
    ZERO,
    apply_hamiltonian,
    energy_and_variance,
    magnetisation,
    measure,
    ring,
    state_correlations,
)
from nqs.runtime.errors import InputError

PAULI = {
    "x": np.array([[0, 1], [1, 0]]),
    "y": np.array([[0, -1j], [1j, 0]]),
    "z": np.array([[-1, 0], [0, 1]]),  # bit 0 is down
}


def operator(n_sites, factors):
    """Kronecker product with the given matrix at some sites; site 0 is the lowest bit, hence the last factor."""
    return reduce(np.kron, [factors.get(site, np.eye(2)) for site in reversed(range(n_sites))])


def dense_hamiltonian(n_sites):
    """Marshall-rotated Heisenberg ring: the sublattice of odd sites is turned about z, so x and y change sign."""
    signs = {"x": -1, "y": -1, "z": 1}
    bonds = [(site, (site + 1) % n_sites) for site in range(n_sites)]
    terms = [signs[name] * operator(n_sites, {i: PAULI[name], k: PAULI[name]}) for i, k in bonds for name in "xyz"]
    return sum(terms).real / 4


def spins(n_sites):
    """All states in order, (2^N, N)."""
    return 2.0 * (np.arange(1 << n_sites)[:, None] >> np.arange(n_sites) & 1) - 1


def plain_psi(machine):
    """Amplitudes of all states in order."""
    s = spins(len(machine.visible))
    return np.exp(s @ machine.visible) * np.prod(2 * np.cosh(s @ machine.weights.T + machine.hidden), axis=1)


def plain_sums(n_sites, sector, psi):
    """Energy, variance and C_zz(r) by dense matrices; psi in order of the states."""
    s, matrix = spins(n_sites), dense_hamiltonian(n_sites)
    psi = np.where((sector == ALL) | (s.sum(axis=1) == 0), psi, 0)
    psi = psi / np.linalg.norm(psi)
    energy = psi @ matrix @ psi
    czz = [psi**2 @ (s * np.roll(s, -r, axis=1)).mean(axis=1) / 4 for r in range(n_sites // 2 + 1)]
    return energy, psi @ matrix @ matrix @ psi - energy**2, np.array(czz)


def in_order(size, psi):
    """psi (K, K) as a vector in order of the states."""
    vector = np.empty(psi.size)
    vector[size.states().ravel()] = psi.ravel()
    return vector


def to_matrix(size, vector):
    return vector[size.states()]


@pytest.mark.parametrize("n_sites", [4, 6])
@pytest.mark.parametrize("sector", SECTORS)
def test_all_numbers_agree_with_dense_matrices(n_sites, sector):
    size, machine = ring(n_sites), random_machine(n_sites, 2 * n_sites)
    psi = amplitudes(size, sector, machine)
    energy, variance, czz = plain_sums(n_sites, sector, plain_psi(machine))
    sums = measure(size, sector, psi)
    assert_allclose(sums.energy, energy, rtol=1e-12)
    assert_allclose(sums.czz, czz, atol=1e-13)
    assert_allclose(energy_and_variance(size, sector, psi), (energy, variance), rtol=1e-12)


@pytest.mark.parametrize("n_sites", [4, 6])
@pytest.mark.parametrize("sector", SECTORS)
def test_removed_and_kept_units_agree_with_dense_matrices(n_sites, sector):
    size, machine = ring(n_sites), random_machine(n_sites, n_sites + 1)
    removed = without_each(size, sector, machine, amplitudes(size, sector, machine))
    alone = with_each_alone(size, sector, machine)
    for unit in range(machine.n_units):
        others = machine.only(np.arange(machine.n_units) != unit)
        for sums, kept in ((removed, others), (alone, machine.only(np.array([unit])))):
            energy, _, czz = plain_sums(n_sites, sector, plain_psi(kept))
            assert_allclose(sums.energy[unit], energy, rtol=1e-12)
            assert_allclose(sums.czz[unit], czz, atol=1e-13)


@pytest.mark.parametrize("n_sites", [4, 6, 8])
def test_the_hamiltonian_maps_every_state_as_the_dense_matrix(n_sites):
    size, rng = ring(n_sites), np.random.default_rng(1)
    psi = rng.normal(size=(len(size.words), len(size.words)))
    expected = dense_hamiltonian(n_sites) @ in_order(size, psi)
    assert_allclose(in_order(size, apply_hamiltonian(size, psi)), expected, atol=1e-12)


@pytest.mark.parametrize("n_sites", [4, 6, 8])
def test_the_exact_ground_state_has_its_energy_and_no_variance(n_sites):
    levels, vectors = np.linalg.eigh(dense_hamiltonian(n_sites))
    size, ground = ring(n_sites), vectors[:, 0] * np.sign(vectors[:, 0].sum())
    psi = to_matrix(size, ground)
    for sector in SECTORS:
        energy, variance = energy_and_variance(size, sector, psi)
        assert_allclose(energy, levels[0], rtol=1e-12)
        assert abs(variance) < 1e-12
        assert_allclose(measure(size, sector, psi).energy, levels[0], rtol=1e-12)
    assert (ground[spins(n_sites).sum(axis=1) == 0] > 0).all()  # the Marshall rotation makes it positive
    czz = state_correlations(n_sites, np.arange(1 << n_sites), ground)
    assert_allclose(czz, measure(size, ALL, psi).czz, atol=1e-13)
    assert ((-1.0) ** np.arange(len(czz)) * czz > 0).all()


def test_four_sites_have_energy_minus_two():
    assert_allclose(np.linalg.eigvalsh(dense_hamiltonian(4))[0], -2.0, atol=1e-12)


def test_summing_over_hidden_units_gives_the_product_of_cosh():
    machine = random_machine(4, 8)
    total = np.zeros(16)
    for hidden in product((-1.0, 1.0), repeat=8):
        energy = spins(4) @ machine.visible + (machine.hidden + spins(4) @ machine.weights.T) @ np.array(hidden)
        total += np.exp(energy)
    psi = in_order(ring(4), amplitudes(ring(4), ALL, machine))
    assert_allclose(psi, total / total.max(), rtol=1e-12)


@pytest.mark.parametrize("sector", SECTORS)
def test_turning_a_unit_around_changes_nothing(sector):
    size, machine = ring(8), random_machine(8, 5)
    sign = np.array([1, -1, 1, -1, -1.0])
    turned = Machine(machine.visible, sign * machine.hidden, sign[:, None] * machine.weights)
    one, two = (without_each(size, sector, m, amplitudes(size, sector, m)) for m in (machine, turned))
    assert_allclose(one.energy, two.energy, rtol=1e-12)
    assert_allclose(one.czz, two.czz, atol=1e-13)
    assert_allclose(staggered_score(turned.weights), sign * staggered_score(machine.weights), atol=1e-12)


@pytest.mark.parametrize("sector", SECTORS)
def test_a_unit_without_weights_does_nothing(sector):
    size, machine = ring(8), random_machine(8, 4)
    machine.weights[2] = 0.0
    psi = amplitudes(size, sector, machine)
    full, removed = measure(size, sector, psi), without_each(size, sector, machine, psi)
    assert_allclose(removed.energy[2], full.energy, rtol=1e-12)
    assert_allclose(removed.czz[2], full.czz, atol=1e-13)
    assert abs(removed.energy[1] - full.energy) > 1e-3
    none = measure(size, sector, amplitudes(size, sector, machine.only(np.array([], dtype=int))))
    assert_allclose(with_each_alone(size, sector, machine).energy[2], none.energy, rtol=1e-12)


def test_a_staggered_unit_alone_has_the_correlations_of_the_closed_form():
    n_sites, w = 8, 0.3
    pattern = (-1.0) ** np.arange(1, n_sites + 1)
    machine = Machine(np.zeros(n_sites), np.zeros(1), w * pattern[None, :])
    czz = with_each_alone(ring(n_sites), ALL, machine).czz[0]
    expected = 0.25 * np.sinh(2 * w) ** 2 * np.cosh(2 * w) ** (n_sites - 2) / (1 + np.cosh(2 * w) ** n_sites)
    assert_allclose((-1.0) ** np.arange(1, 5) * czz[1:], expected, rtol=1e-12)


def test_a_product_state_has_its_energy_per_bond():
    """<H> of exp(sum a s): each bond gives tanh tanh / 4 - 1 / (4 cosh cosh), of 2a."""
    a = np.random.default_rng(3).normal(size=10)
    machine = Machine(a, np.empty(0), np.empty((0, 10)))
    t, c = np.tanh(2 * a), np.cosh(2 * a)
    expected = (t * np.roll(t, -1) - 1 / (c * np.roll(c, -1))).sum() / 4
    assert_allclose(measure(ring(10), ALL, amplitudes(ring(10), ALL, machine)).energy, expected, rtol=1e-12)


def test_large_weights_neither_overflow_nor_cancel():
    """Here e^theta of all units is beyond 1e308, and theta = x + y vanishes between large x and y."""
    size, machine = ring(6), random_machine(6, 40, scale=8.0)
    s = 2.0 * (size.states()[..., None] >> np.arange(6, dtype=np.uint64) & np.uint64(1)) - 1
    theta = s @ machine.weights.T + machine.hidden
    log_psi = s @ machine.visible + np.logaddexp(theta, -theta).sum(axis=-1)
    assert log_psi.max() > 710
    for sector in SECTORS:
        inside = np.where(size.mask(sector), log_psi, -np.inf)
        expected = np.exp(inside - inside.max())
        assert_allclose(amplitudes(size, sector, machine), expected, rtol=1e-9, atol=1e-300)


def test_units_of_opposite_large_halves_keep_their_digits():
    n_sites, w = 8, 6.0
    machine = Machine(np.zeros(n_sites), np.zeros(1), w * np.ones((1, n_sites)))
    psi = amplitudes(ring(n_sites), ZERO, machine)
    assert_allclose(psi[ring(n_sites).mask(ZERO)], 1.0, rtol=1e-12)  # theta = 0 in every state


def test_sectors_are_weighted_by_magnetisation():
    size, machine = ring(8), random_machine(8, 6)
    psi = plain_psi(machine)
    sz = np.abs(spins(8).sum(axis=1)) / 2
    expected = [(psi**2)[sz == m].sum() / (psi**2).sum() for m in range(5)]
    assert_allclose(magnetisation(size, amplitudes(size, ALL, machine)), expected, rtol=1e-12)


def test_a_sector_holds_as_many_states_as_there_should_be():
    assert ring(10).mask(ZERO).sum() == 252
    assert ring(10).mask(ALL).sum() == 1024
    assert sorted(ring(6).states().ravel()) == list(range(64))


def test_a_machine_that_is_not_finite_gives_nan():
    machine = random_machine(4, 3)
    machine.weights[0, 0] = np.nan
    psi = amplitudes(ring(4), ALL, machine)
    assert np.isnan(measure(ring(4), ALL, psi).energy)
    assert np.isnan(energy_and_variance(ring(4), ALL, psi)).all()


def test_the_score_is_a_correlation_with_the_staggered_pattern():
    pattern = (-1.0) ** np.arange(1, 9)
    weights = np.vstack([2 * pattern, -0.1 * pattern + 3, np.random.default_rng(0).normal(size=(50, 8))])
    score = staggered_score(weights)
    assert_allclose(score[:2], [1, -1], atol=1e-12)
    assert_allclose(score[2:], [np.corrcoef(row, pattern)[0, 1] for row in weights[2:]], atol=1e-12)
    assert np.isnan(staggered_score(np.ones((1, 8)))).all()


@pytest.mark.parametrize("n_sites", [2, 7, 26])
def test_impossible_rings_are_refused(n_sites):
    with pytest.raises(InputError, match=str(n_sites)):
        ring(n_sites)
