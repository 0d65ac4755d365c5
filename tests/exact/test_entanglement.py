"""Block density matrices against partial traces of the full state, known states, and the conformal form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm
from support.exact_diagonalization import full_hamiltonian

from nqs.exact import entanglement
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.entanglement import (
    BlockOperator,
    block_density,
    chord,
    conformal_hamiltonian,
    conformal_law,
    entropy,
    fit_entropies,
    fitted_beta,
    relative_entropy,
    thermal,
    trace_distance,
)
from nqs.model.lattices import make_cluster
from nqs.model.motifs import motif_classes, motif_counts
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError


def ring_state(n_sites):
    """Ground state on the states of zero magnetisation by dense diagonalisation: states, psi."""
    states, matrix = full_hamiltonian(make_cluster("ring", "ring", (n_sites, 1)), 0.0)
    return states, np.linalg.eigh(matrix.toarray())[1][:, 0]


def partial_trace(states, psi, n_sites, length):
    """rho of the last K sites from all 2^N amplitudes: (2^K, 2^K)."""
    everything = np.zeros(1 << n_sites)
    everything[states] = psi
    block = everything.reshape(1 << length, -1)
    return block @ block.T


def dense(operator):
    """All 2^K rows and columns of a block operator."""
    matrix = np.zeros((1 << operator.length,) * 2)
    for ups, sector in enumerate(operator.sectors):
        motifs = entanglement.motifs_with(ups, operator.length)
        matrix[np.ix_(motifs, motifs)] = sector
    return matrix


def random_state(n_sites, seed=0):
    states = zero_magnetisation_states(n_sites)
    psi = np.random.default_rng(seed).normal(size=len(states))
    return states, psi / np.linalg.norm(psi)


def permutation_sum(length, strengths):
    """sum_n f(n) P_n,n+1 on all 2^K motifs, P = (1 + sigma.sigma) / 2."""
    pauli = [np.array(rows) for rows in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    total = np.zeros((1 << length,) * 2, complex)
    for bond, strength in enumerate(strengths):
        inner = sum(np.kron(s, s) for s in pauli) / 2 + np.eye(4) / 2
        total += strength * np.kron(np.kron(np.eye(1 << (length - bond - 2)), inner), np.eye(1 << bond))
    return total.real


@pytest.mark.parametrize("length", [1, 2, 3, 5, 6, 7, 9])
@pytest.mark.parametrize("state", [ring_state, random_state])
def test_density_is_the_partial_trace(state, length):
    states, psi = state(10)
    found = block_density(3 * psi, 10, length)
    assert_allclose(dense(found), partial_trace(states, psi, 10, length), atol=1e-14)
    assert_allclose(found.eigenvalues.sum(), 1, rtol=1e-13)


def test_eigenvectors_diagonalise_the_density():
    density = block_density(random_state(12)[1], 12, 5)
    values, vectors = density.eigen
    assert_allclose(values, density.eigenvalues, atol=1e-15)
    assert_allclose((vectors * values) @ vectors.T, dense(density), atol=1e-15)
    assert_allclose(vectors**2 @ values, density.diagonal, atol=1e-15)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_a_block_and_the_rest_are_equally_entangled(length):
    _, psi = random_state(12)
    rotated = psi[np.searchsorted(*_rotated(12, length))]  # the last N - K sites are now those outside the block
    one = entropy(block_density(psi, 12, length).eigenvalues)
    other = entropy(block_density(rotated, 12, 12 - length).eigenvalues)
    assert_allclose(one, other, rtol=1e-12)


def _rotated(n_sites, shift):
    """All states, and those that a shift of the ring's sites makes them."""
    states = zero_magnetisation_states(n_sites)
    mask = np.uint64((1 << n_sites) - 1)
    back = (states >> np.uint64(shift)) | (states << np.uint64(n_sites - shift)) & mask
    return states, back


def test_entropies_of_known_states():
    states = zero_magnetisation_states(8)
    neel = (states == 0b01010101).astype(float)
    for length in range(1, 8):
        assert entropy(block_density(neel, 8, length).eigenvalues) == 0
    # Singlets on the sites (0, 1), (2, 3), ...: a block cuts one, two or none, each worth ln 2.
    singlets = np.zeros(len(states))
    for choice in np.ndindex(2, 2, 2, 2):
        code = sum((1 << (2 * pair)) << up for pair, up in enumerate(choice))
        singlets[states == code] = (-1) ** sum(choice)
    for length in range(1, 8):
        found = entropy(block_density(singlets, 8, length).eigenvalues)
        assert_allclose(found, (length % 2) * np.log(2), atol=1e-14)


def test_entropy_of_equal_weights_and_of_rounding():
    assert_allclose(entropy(np.full(16, 1 / 16)), np.log(16))
    assert entropy(np.array([-1e-17, 0.0, 1.0])) == 0


def test_one_spin_of_a_singlet_is_free():
    density = block_density(ring_state(10)[1], 10, 1)
    assert_allclose(density.eigenvalues, [0.5, 0.5], atol=1e-14)


def test_two_spins_know_the_energy():
    psi = ring_state(10)[1]
    matrix = full_hamiltonian(make_cluster("ring", "ring", (10, 1)), 0.0)[1]
    per_bond = (psi @ (matrix @ psi)) / 10
    weights = block_density(psi, 10, 2).eigenvalues  # a singlet, and a triplet three times
    assert_allclose(weights, [*[1 / 4 + per_bond / 3] * 3, 1 / 4 - per_bond], atol=1e-12)


@pytest.mark.parametrize(("n_sites", "length"), [(8, 3), (10, 4), (12, 6)])
def test_the_diagonal_is_the_probability_of_each_motif(ground_state_file, n_sites, length):
    states, psi = Wavefunction.read(ground_state_file(f"ring{n_sites}", 0.0)).expand()
    expected = psi**2 @ motif_counts(states, n_sites, length) / n_sites
    diagonal = block_density(psi, n_sites, length).diagonal
    assert_allclose(diagonal, expected, atol=1e-13)
    classes = motif_classes(length)
    assert_allclose(diagonal, classes.spread(classes.means(diagonal)), atol=1e-11)


def test_conformal_hamiltonian_is_a_sum_of_exchanges():
    n_sites, length = 14, 5
    bonds = np.arange(1, length)
    strengths = (
        n_sites / np.pi * np.sin(np.pi * bonds / n_sites) * np.sin(np.pi * (length - bonds) / n_sites)
        / np.sin(np.pi * length / n_sites)
    )  # fmt: skip
    found = conformal_hamiltonian(n_sites, length)
    assert_allclose(dense(found), permutation_sum(length, strengths), atol=1e-13)
    # Far from the ring's length it is the parabola n (K - n) / K.
    wide = conformal_hamiltonian(100_000, length)
    assert_allclose(dense(wide), permutation_sum(length, bonds * (length - bonds) / length), atol=1e-6)


def test_thermal_state_is_the_exponential():
    hamiltonian = conformal_hamiltonian(12, 5)
    for beta in (-1.0, 0.0, 2.0):
        matrix = expm(-beta * dense(hamiltonian))
        assert_allclose(dense(thermal(hamiltonian, beta)), matrix / np.trace(matrix), atol=1e-14)


def test_relative_entropy_is_that_of_the_logarithms():
    density, hamiltonian = block_density(random_state(10)[1], 10, 4), conformal_hamiltonian(10, 4)
    for beta in (0.5, 2.0):
        rho, sigma = dense(density), dense(thermal(hamiltonian, beta))
        values, vectors = np.linalg.eigh(sigma)
        log_sigma = (vectors * np.log(values)) @ vectors.T
        levels = np.linalg.eigvalsh(rho)
        expected = levels @ np.log(levels) - np.trace(rho @ log_sigma)
        assert_allclose(relative_entropy(density, hamiltonian, beta), expected, rtol=1e-12)
        assert_allclose(trace_distance(density, thermal(hamiltonian, beta)), _distance(rho, sigma), rtol=1e-12)


def _distance(first, second):
    return np.linalg.svd(first - second, compute_uv=False).sum() / 2


@pytest.mark.parametrize("beta", [0.3, 2.0, 5.0])
def test_the_fit_finds_the_temperature_of_a_thermal_state(beta):
    hamiltonian = conformal_hamiltonian(16, 6)
    state = thermal(hamiltonian, beta)
    assert_allclose(fitted_beta(state, hamiltonian), beta, rtol=1e-9)
    assert_allclose(relative_entropy(state, hamiltonian, beta), 0, atol=1e-12)
    assert relative_entropy(state, hamiltonian, 1.1 * beta) > 0
    assert trace_distance(state, state) == 0


def test_no_temperature_fits_a_ferromagnet():
    hamiltonian = conformal_hamiltonian(12, 4)
    assert np.isnan(fitted_beta(thermal(hamiltonian, -1.0), hamiltonian))


def test_the_ground_state_of_a_ring_is_close_to_the_conformal_form(ground_state_file):
    _, psi = Wavefunction.read(ground_state_file("ring16", 0.0)).expand()
    density, hamiltonian = block_density(psi, 16, 6), conformal_hamiltonian(16, 6)
    assert trace_distance(density, thermal(hamiltonian)) < 0.05
    assert abs(fitted_beta(density, hamiltonian) - 2) < 0.05
    # With the wrong sign, or twice as hot, it is far off.
    assert trace_distance(density, thermal(hamiltonian, -2.0)) > 0.9
    assert trace_distance(density, thermal(hamiltonian, 1.0)) > 0.2


def test_the_chain_is_critical(ground_state_file):
    _, psi = Wavefunction.read(ground_state_file("ring16", 0.0)).expand()
    lengths = np.arange(2, 9)
    entropies = np.array([entropy(block_density(psi, 16, int(k)).eigenvalues) for k in lengths])
    assert (np.diff(entropies) > 0).all()
    law = fit_entropies(chord(16, lengths), entropies)
    assert abs(law.central_charge - 1) < 0.1
    assert_allclose(law.entropy(chord(16, lengths)), entropies, atol=0.01)


def test_fits_recover_what_they_are_given():
    chords = chord(20, np.arange(1, 11))
    law = fit_entropies(chords, 0.7 / 3 * np.log(chords) + 0.4)
    assert_allclose([law.central_charge, law.error, law.constant], [0.7, 0, 0.4], atol=1e-12)
    fixed = conformal_law(chords, np.log(chords) / 3 + 0.2)
    assert_allclose(fixed.entropy(chords), np.log(chords) / 3 + 0.2)
    # Alternating deviations d leave the slope's error near d / (spread of the abscissa).
    rough = fit_entropies(chords, np.log(chords) / 3 + 0.1 * (-1.0) ** np.arange(10))
    assert rough.error > 0.05
    assert_allclose(chord(6, 3), 6 / np.pi)


@pytest.mark.parametrize(("n_sites", "length"), [(9, 3), (8, 0), (8, 8), (10, 3)])
def test_wrong_sizes_are_errors(n_sites, length):
    with pytest.raises(InputError, match=f"K = {length}"):
        block_density(np.ones(70), n_sites, length)


def test_other_wrong_arguments_are_errors():
    with pytest.raises(InputError, match="K = 8"):
        conformal_hamiltonian(8, 8)
    with pytest.raises(InputError, match="three blocks"):
        fit_entropies([1, 2], [0.1, 0.2])


def test_sectors_have_binomial_sizes():
    operator = block_density(random_state(8)[1], 8, 6)
    assert [len(sector) for sector in operator.sectors] == [1, 6, 15, 20, 15, 6, 1]
    assert isinstance(operator, BlockOperator)
    assert operator.length == 6
    # Two sites outside hold at most two up spins: the block has two to four, and at least 2^6 - 4 empty levels.
    assert not np.any(operator.sectors[1])
    assert (operator.eigenvalues > 1e-12).sum() <= 4
