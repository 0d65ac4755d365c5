"""Transfer matrix of motif wave functions against sums over all states, and its variational optima."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.exact_diagonalization import full_hamiltonian

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.exact.transfer_matrix import OutOfRange, energy_and_gradient, energy_variance, measure
from nqs.model.lattices import make_cluster
from nqs.model.motifs import bits, like_pairs, motif_classes, motif_counts
from nqs.runtime.errors import InputError
from nqs.vmc.exact_descent import lowest_energy

CASES = [(8, 2), (8, 4), (10, 5), (12, 2), (12, 3), (12, 4), (12, 5), (12, 6), (14, 3), (14, 6), (14, 7)]
SIZES = [0.3, 1.0, 3.0]  # of the coefficients: beyond 1 some of these states are nearly ferromagnetic


def random_coefficients(length, size, seed=0):
    return np.random.default_rng([length, seed]).normal(0, size, 1 << length)


def all_states(n_sites, coefficients):
    """Counts (state, motif), psi (state,) over its maximum, ln of that, and H psi in the Marshall gauge."""
    cluster = make_cluster("ring", "ring", (n_sites, 1))
    states, heisenberg = full_hamiltonian(cluster, 0.0)
    counts = motif_counts(states, n_sites, len(coefficients).bit_length() - 1)
    logs = counts @ coefficients
    psi = np.exp(logs - logs.max())
    # Turning the spins of every second site about z reverses the sign of each exchange.
    gauge = np.where(np.bitwise_count(states & np.uint64(0x5555)) % 2, -1.0, 1.0)
    return counts, psi, logs.max(), gauge * (2 * (heisenberg @ (gauge * psi)) + n_sites / 2 * gauge * psi)


@pytest.mark.parametrize(("n_sites", "length"), CASES)
@pytest.mark.parametrize("size", SIZES)
def test_norm_energy_and_motifs_are_sums_over_states(n_sites, length, size):
    coefficients = random_coefficients(length, size)
    counts, psi, highest, image = all_states(n_sites, coefficients)
    found = measure(n_sites, coefficients)
    assert_allclose(found.log_norm, np.log(psi @ psi) + 2 * highest, rtol=1e-12)
    assert_allclose(found.energy, psi @ image / (psi @ psi), rtol=1e-12, atol=1e-13)
    assert_allclose(found.motif_expectations, psi**2 @ counts / (psi @ psi), rtol=1e-11, atol=1e-13)
    assert_allclose(found.motif_expectations.sum(), n_sites, rtol=1e-13)


@pytest.mark.parametrize(("n_sites", "length"), CASES)
@pytest.mark.parametrize("size", SIZES)
def test_gradient_is_the_covariance_of_local_energy_and_counts(n_sites, length, size):
    coefficients = random_coefficients(length, size)
    counts, psi, _, image = all_states(n_sites, coefficients)
    weight = psi**2 / (psi @ psi)
    energy, gradient = energy_and_gradient(n_sites, coefficients)
    assert energy == measure(n_sites, coefficients).energy
    covariance = (psi * image / (psi @ psi)) @ counts - (psi @ image / (psi @ psi)) * (weight @ counts)
    assert_allclose(gradient, 2 * covariance, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("n_sites", "length"), [(8, 2), (10, 3), (12, 2), (12, 3), (12, 4)])
@pytest.mark.parametrize("size", SIZES)
def test_variance_is_a_sum_over_states(n_sites, length, size):
    coefficients = random_coefficients(length, size)
    _, psi, _, image = all_states(n_sites, coefficients)
    energy = psi @ image / (psi @ psi)
    expected = ((image - energy * psi) ** 2).sum() / (psi @ psi)
    assert_allclose(energy_variance(n_sites, coefficients), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("n_sites", "length"), [(4, 2), (8, 3), (60, 4), (240, 6)])
def test_uniform_state(n_sites, length):
    """Neighbours are unlike with probability N/2 / (N - 1); motifs of unlike magnetisation differ in frequency."""
    found = measure(n_sites, np.full(1 << length, 0.7))
    assert_allclose(found.energy, -n_sites / (n_sites - 1), rtol=1e-11)
    ups = bits(np.arange(1 << length), length).sum(axis=1)
    first = found.motif_expectations[ups == ups.max()]
    assert_allclose(first, n_sites * np.prod([(n_sites / 2 - k) / (n_sites - k) for k in range(length)]), rtol=1e-11)


def test_four_sites_are_solved_exactly():
    """Two classes of states, which pairs tell apart."""
    found = lowest_energy(Cps.symmetric(4, 2), np.zeros(2))
    assert_allclose(found.energy, permutation_energy(-2, 4), atol=1e-11)


@pytest.mark.parametrize("length", [3, 6])
def test_gradient_of_a_long_ring_is_finite_differences(length):
    coefficients = random_coefficients(length, 0.2) - 0.3 * like_pairs(length)
    _, gradient = energy_and_gradient(60, coefficients)
    direction = np.random.default_rng(1).normal(size=len(coefficients))
    step = 1e-4
    ends = [measure(60, coefficients + sign * step * direction).energy for sign in (1, -1)]
    assert_allclose(gradient @ direction, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("family", [Cps.symmetric(12, 4), ShallowCnn(12, 4)])
def test_gradient_by_the_parameters_of_a_family(family):
    rng = np.random.default_rng(3)
    n_parameters = family.n_parameters
    parameters, direction, gradient = rng.normal(size=n_parameters), rng.normal(size=n_parameters), rng.normal(size=16)
    step = 1e-6
    ends = [family.coefficients(parameters + sign * step * direction) @ gradient for sign in (1, -1)]
    assert_allclose(family.pull_back(parameters, gradient) @ direction, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


def test_convolution_is_the_network_of_equation_one():
    rng = np.random.default_rng(0)
    v, w, b = 0.7, rng.normal(size=(3, 2)), 0.2
    coefficients = ShallowCnn(8, 3).coefficients(np.concatenate([[v], w.ravel(), [b]]))
    state = 0b0110_1001
    spins = [state >> i & 1 for i in range(8)]
    expected = sum(v * max(0, sum(w[k, spins[(i + k) % 8]] for k in range(3)) + b) for i in range(8))
    assert_allclose(motif_counts(np.array([state]), 8, 3)[0] @ coefficients, expected, rtol=1e-13)


def test_a_field_and_a_constant_change_the_norm_alone():
    """sum_k g_k s_k of a motif sums to zero around an unmagnetised ring, a constant c to N c."""
    coefficients = random_coefficients(5, 0.3)
    field = (2.0 * bits(np.arange(32), 5) - 1) @ np.array([30.0, -4, 2, 11, 5])
    plain, shifted = measure(60, coefficients), measure(60, coefficients + field + 3)
    assert_allclose(shifted.log_norm, plain.log_norm + 2 * 60 * 3, rtol=1e-11)
    assert_allclose(shifted.energy, plain.energy, rtol=1e-10)
    assert_allclose(shifted.motif_expectations, plain.motif_expectations, rtol=1e-9, atol=1e-12)


def test_class_symmetric_coefficients_have_class_symmetric_expectations():
    classes = motif_classes(6)
    coefficients = classes.spread(np.random.default_rng(0).normal(0, 0.3, len(classes)))
    found = measure(60, coefficients).motif_expectations
    assert_allclose(found, classes.spread(classes.means(found)), rtol=1e-10)


def test_extreme_wave_functions_of_long_rings_neither_under_nor_overflow():
    """Neel states alone, and two domains alone."""
    neel, domains = (measure(240, sign * 20.0 * like_pairs(4)) for sign in (-1, 1))
    assert_allclose(neel.energy, 0, atol=1e-6)
    assert_allclose(neel.log_norm, np.log(2), atol=1e-6)
    assert_allclose(domains.log_norm, np.log(240) + 2 * 20.0 * (240 * 3 - 6), rtol=1e-12)
    assert_allclose(domains.energy, 238, rtol=1e-6)


@pytest.mark.parametrize("seed", [0, 3, 6, 8])
def test_long_rings_with_a_strong_leaning_to_one_label(seed):
    """Exchanging the labels exchanges the motifs and leaves the energy alone."""
    coefficients = np.random.default_rng(seed).normal(0, 3, 16)
    found, flipped = measure(240, coefficients), measure(240, coefficients[::-1])
    assert_allclose(found.energy, flipped.energy, rtol=1e-10, atol=1e-10)
    assert_allclose(found.motif_expectations, flipped.motif_expectations[::-1], rtol=1e-8, atol=1e-10)
    ups = bits(np.arange(16), 4)[:, 0]
    assert_allclose(found.motif_expectations @ ups, 120, rtol=1e-11)


def excess(n_sites, found):
    return found.energy - permutation_energy(heisenberg_energies(n_sites).ground, n_sites)


@pytest.mark.parametrize(("length", "expected"), [(3, 1.9708), (4, 0.9166), (6, 0.3663)])
def test_optimal_plaquettes_of_sixty_sites(length, expected):
    found = lowest_energy(Cps.symmetric(60, length), np.zeros(len(motif_classes(length))))
    assert found.slope < 1e-5
    assert_allclose(excess(60, found), expected, atol=5e-5)
    assert energy_variance(60, found.coefficients) > 0


@pytest.mark.parametrize(
    ("kernel", "expected"), [([4, -2.5, -1.2], 1.9708), ([6.52, -3.7, -2.09, -1.27, -0.64, -0.24], 0.3840)]
)
def test_optimal_convolutions_of_sixty_sites(kernel, expected):
    """With K = 3 the network reaches the plaquettes' optimum, with K = 6 it does not."""
    w = np.column_stack([np.negative(kernel), kernel])  # for a spin down and up: w.s' is the kernel times spins +-1
    found = lowest_energy(ShallowCnn(60, len(kernel)), np.concatenate([[0.4], w.ravel(), [0.0]]))
    assert_allclose(excess(60, found), expected, atol=5e-5)


@pytest.mark.parametrize(
    ("n_sites", "coefficients", "message"),
    [
        (8, np.zeros(6), r"shape \(6,\): give one for each of the 2\^K motifs"),
        (8, np.zeros(2), "K = 2 to 10"),
        (9, np.zeros(8), "N = 9: motifs of K = 3 need an even ring"),
        (10, np.zeros(64), "N = 10: motifs of K = 6 need an even ring of 2K sites or more; sum over the states"),
        (8, np.array([0, np.nan, 0, 0]), "infinite or not a number"),
    ],
)
def test_wrong_input_is_named_with_the_way_out(n_sites, coefficients, message):
    with pytest.raises(InputError, match=message):
        measure(n_sites, coefficients)


def test_variance_of_a_ring_below_three_motifs_is_refused():
    with pytest.raises(InputError, match="K = 4 needs a ring of 3K sites, not 10"):
        energy_variance(10, np.zeros(16))


def test_coefficients_beyond_floating_point_are_refused():
    unlike = np.array([0.0, -900, -900, 0])  # both kinds of domain wall have no weight left
    with pytest.raises(OutOfRange, match="use smaller"):
        measure(8, unlike)
