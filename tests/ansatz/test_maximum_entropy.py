"""Maximum entropy: the multipliers come back from their expectation values, and what is out of reach is named."""

from math import comb, log

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.exact_diagonalization import full_hamiltonian

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.maximum_entropy import (
    canonical,
    maximum_entropy,
    moments_of,
    motif_expectations,
    observable_directions,
)
from nqs.exact.transfer_matrix import measure
from nqs.model.lattices import make_cluster
from nqs.model.motifs import motif_classes, motif_counts
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.vmc.exact_descent import lowest_energy


def brute_force(n_sites, multipliers):
    """P(s) and <m> from all states."""
    length = len(multipliers).bit_length() - 1
    counts = motif_counts(zero_magnetisation_states(n_sites), n_sites, length)
    logs = 2 * counts @ multipliers
    p = np.exp(logs - logs.max())
    return p / p.sum(), p @ counts / p.sum()


def random_multipliers(length, symmetric, scale=0.4):
    values = np.random.default_rng(length).normal(0, scale, 1 << length)
    classes = motif_classes(length)
    return classes.spread(classes.means(values)) if symmetric else values


def uniform_expectations(n_sites, length):
    """Expected counts if all states are equally likely: hypergeometric."""
    ups = np.bitwise_count(np.arange(1 << length, dtype=np.uint64)).astype(int)
    ways = [comb(n_sites - length, n_sites // 2 - up) if up <= n_sites // 2 else 0 for up in ups]
    return n_sites * np.array(ways, float) / comb(n_sites, n_sites // 2)


@pytest.mark.parametrize(("length", "plain", "symmetric"), [(3, 3, 2), (4, 7, 4), (5, 15, 7), (6, 31, 13)])
def test_dimensions_of_what_can_be_observed(length, plain, symmetric):
    for wanted, directions in (
        (plain, observable_directions(60, length)),
        (symmetric, observable_directions(60, length, symmetric=True)),
    ):
        assert directions.shape == (wanted, 1 << length)
        assert_allclose(directions @ directions.T, np.eye(wanted), atol=1e-12)


@pytest.mark.parametrize(("n_sites", "length"), [(8, 3), (10, 4), (8, 4), (8, 6), (12, 6)])
def test_directions_span_the_differences_of_counts(n_sites, length):
    counts = motif_counts(zero_magnetisation_states(n_sites), n_sites, length).astype(float)
    _, singular, rows = np.linalg.svd(counts - counts[0], full_matrices=False)
    rows = rows[singular > 1e-9 * singular[0]]
    directions = observable_directions(n_sites, length)
    assert_allclose(directions.T @ directions, rows.T @ rows, atol=1e-9)


@pytest.mark.parametrize(("n_sites", "length"), [(8, 4), (12, 4), (16, 3)])
def test_expectation_values_are_sums_over_states(n_sites, length):
    multipliers = random_multipliers(length, symmetric=False)
    assert_allclose(motif_expectations(n_sites, multipliers), brute_force(n_sites, multipliers)[1], rtol=1e-11)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("n_sites", "length"), [(8, 3), (8, 6), (12, 4), (20, 4), (60, 3), (240, 2)])
def test_multipliers_come_back_from_their_expectation_values(n_sites, length, symmetric):
    multipliers = random_multipliers(length, symmetric)
    found = maximum_entropy(n_sites, motif_expectations(n_sites, multipliers), symmetric)
    assert_allclose(found.multipliers, canonical(n_sites, multipliers), atol=1e-6)


def test_gauge_changes_neither_psi_nor_the_canonical_multipliers():
    multipliers, states = random_multipliers(4, symmetric=False), zero_magnetisation_states(10)
    counts = motif_counts(states, 10, 4)
    directions = observable_directions(10, 4)
    change = np.random.default_rng(1).normal(size=16)
    change -= change @ directions.T @ directions
    assert np.ptp(counts @ change) < 1e-12
    assert_allclose(canonical(10, multipliers + change), canonical(10, multipliers), atol=1e-12)
    assert np.ptp(counts @ (canonical(10, multipliers) - multipliers)) < 1e-12


@pytest.mark.parametrize("n_sites", [12, 60])
def test_nothing_known_but_the_magnetisation_is_all_states_alike(n_sites):
    found = maximum_entropy(n_sites, uniform_expectations(n_sites, 4))
    assert_allclose(found.multipliers, 0, atol=1e-9)
    assert_allclose(found.entropy, log(comb(n_sites, n_sites // 2)), rtol=1e-11)


def test_ground_state_has_less_entropy_than_the_maximum_at_its_expectation_values():
    states, heisenberg = full_hamiltonian(make_cluster("ring", "ring", (12, 1)), 0.0)
    p = np.linalg.eigh(heisenberg.toarray())[1][:, 0] ** 2
    target = p @ motif_counts(states, 12, 4)
    found = maximum_entropy(12, target, symmetric=True)
    largest, expected = brute_force(12, found.multipliers)
    assert_allclose(expected, target, rtol=1e-8)
    assert_allclose(found.entropy, -largest @ np.log(largest), rtol=1e-11)
    assert found.entropy > -p @ np.log(p) + 1e-3
    assert_allclose(found.multipliers, maximum_entropy(12, target, symmetric=False).multipliers, atol=1e-7)


def test_short_and_long_rings_are_matched_by_different_routes_alike():
    multipliers = random_multipliers(4, symmetric=True)
    summed = moments_of(14, 4)(multipliers)
    transferred = measure(14, multipliers)
    assert_allclose(summed[0], transferred.log_norm, rtol=1e-12)
    assert_allclose(summed[1], transferred.motif_expectations, rtol=1e-11)


def test_the_correlator_product_state_is_the_maximum_entropy_state_of_its_own_expectation_values():
    best = lowest_energy(Cps.symmetric(60, 3), np.zeros(3))
    found = maximum_entropy(60, measure(60, best.coefficients).motif_expectations)
    assert_allclose(found.multipliers, canonical(60, best.coefficients), atol=1e-7)
    assert_allclose(measure(60, found.multipliers).energy - -23.205146331247, 1.9708424917, atol=1e-7)


def test_the_norm_of_the_wave_is_that_of_the_distribution():
    found = maximum_entropy(10, motif_expectations(10, random_multipliers(3, symmetric=True)))
    logs = 2 * found.wave().log_psi(zero_magnetisation_states(10))
    assert_allclose(np.exp(logs - found.log_norm).sum(), 1)


def edited(changes, n_sites=12, length=3):
    target = uniform_expectations(n_sites, length)
    for motif, change in changes.items():
        target[motif] += change
    return target


def domains(share):
    """Mostly uuu and ddd, walls as rarely as one likes: consistent, but two walls at least are on every ring."""
    target = share * uniform_expectations(12, 3)
    target[[0, 7]] += (1 - share) * 6
    return target


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.ones(5), r"shape \(5,\)"),
        (edited({2: np.nan}), "motif dud: not a finite"),
        (edited({3: -9.0}), "motif uud: expected count -.*cannot be negative"),
        (edited({7: -uniform_expectations(12, 3)[7]}), "motif uuu: expected count 0; only an infinite multiplier"),
        (edited({2: 0.5}), "add up to 12.5, not to N = 12"),
        (edited({1: 0.1, 7: -0.1}), "begin a motif"),
        (edited({0: 0.1, 7: -0.1}), "hold 5.9 spins up, not N/2 = 6"),
        (domains(0.01), r"no distribution on the ring of N = 12.*class of motif udd, asked for 0\.065.*occurs 4\.00"),
    ],
)
def test_what_no_distribution_has_is_named(target, message):
    with pytest.raises(InputError, match=message):
        maximum_entropy(12, target)


def test_expectation_values_that_differ_within_a_class_need_one_multiplier_per_motif():
    target = motif_expectations(12, random_multipliers(4, symmetric=False))
    with pytest.raises(InputError, match=r"from the mean of its class, that of .*symmetric=False"):
        maximum_entropy(12, target)
    assert maximum_entropy(12, target, symmetric=False).residual < 1e-8


def test_motifs_that_cannot_occur_are_left_alone():
    multipliers = random_multipliers(6, symmetric=True, scale=0.1)
    target = motif_expectations(8, multipliers)
    assert target[63] == 0
    assert abs(maximum_entropy(8, target).multipliers[63]) < 1e-12
    target[63] = 0.1
    with pytest.raises(InputError, match=r"motif uuuuuu: expected count 0\.1; more than N/2 equal spins"):
        maximum_entropy(8, target)


def test_rings_too_long_for_either_route_are_named():
    with pytest.raises(InputError, match="take another K or a smaller N"):
        moments_of(60, 11)
