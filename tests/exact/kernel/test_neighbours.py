"""Neighbour lists of the compiled kernel against H of the full space, one basis state at a time."""

from itertools import product

import numpy as np
import pytest
from exact.kernel.test_orbits import generators_of
from support.exact_diagonalization import full_hamiltonian

from nqs.exact.kernel.file import odd_parity
from nqs.exact.kernel.neighbours import Layout, Neighbours, aligned_sum, block_starts, find_neighbours, make_layout
from nqs.exact.kernel.orbits import find_orbits, make_walk
from nqs.model.lattices import cluster
from nqs.model.symmetry import characters, is_representation, make_group
from nqs.runtime.errors import InputError


def lists(name, layout=None):
    """Orbits and J1 neighbour lists of a cluster."""
    generators = generators_of(name)
    made, walk = cluster(name), make_walk(generators, cluster(name).n_sites)
    orbits = find_orbits(walk)
    layout = layout or make_layout(len(orbits.sizes), walk.parity_bits)
    found = list(find_neighbours(walk, orbits.representatives, made.j1, layout))
    counts = np.concatenate([part for _, part in found], axis=1)
    words = np.concatenate([part for part, _ in found])
    aligned = aligned_sum(orbits.representatives, made.j1)
    return generators, orbits, Neighbours(layout, words, counts, block_starts(counts), aligned)


def h_times(neighbours, odd, x, threads=1):
    """H x at J1 = 1 for the sector with these odd generators."""
    y = np.zeros_like(x)
    neighbours.add_diagonal(1.0, x, y)
    neighbours.add(neighbours.layout.coefficients(odd, x.dtype.type), 1.0, x, y, threads)
    return y


def representations(generators, group, exponents):
    """All choices of signs that are characters of the group."""
    choices = product(*[(1, -1) if g.order % 2 == 0 else (1,) for g in generators])
    return [signs for signs in choices if is_representation(group, characters(exponents, signs), generators)]


@pytest.mark.parametrize("name", ["square16", "kagome12", "triangle16", "kagome18"])
def test_product_equals_that_of_the_full_space(name):
    """psi(g r) = chi(g) c_r on all states, H applied there, read off at the smallest members."""
    generators, orbits, neighbours = lists(name)
    group, exponents = make_group(generators, cluster(name).n_sites)
    states, matrix = full_hamiltonian(cluster(name), 0.0)
    images = np.searchsorted(states, group.orbits(orbits.representatives))
    sectors = representations(generators, group, exponents)
    assert len(sectors) >= 8
    for signs in sectors:
        odd = odd_parity([g.order for g in generators], signs)
        c = np.random.default_rng(0).standard_normal(len(orbits.sizes))
        c[orbits.absent(odd)] = 0
        psi = np.zeros(len(states))
        psi[images] = c[:, None] * characters(exponents, signs)
        expected = (matrix @ psi)[np.searchsorted(states, orbits.representatives)]
        present = np.setdiff1d(np.arange(len(c)), orbits.absent(odd))
        np.testing.assert_allclose(h_times(neighbours, odd, c)[present], expected[present], atol=1e-12)


@pytest.mark.parametrize("count_bits", [0, 1, 3])
@pytest.mark.parametrize("tile_bits", [8, 10, 22])
def test_product_does_not_depend_on_the_layout_of_the_words(tile_bits, count_bits):
    _, orbits, usual = lists("kagome18")
    _, _, other = lists("kagome18", Layout(usual.layout.parity_bits, count_bits, tile_bits))
    assert len(other.counts) == -(-len(orbits.sizes) // (1 << tile_bits))
    x = np.random.default_rng(0).standard_normal(len(orbits.sizes))
    for odd in (0, 5):
        np.testing.assert_allclose(h_times(other, odd, x), h_times(usual, odd, x), atol=1e-12)


def test_threads_change_no_bit_and_single_precision_only_the_last():
    _, orbits, neighbours = lists("kagome24")
    x = np.random.default_rng(0).standard_normal(len(orbits.sizes))
    one = h_times(neighbours, 1, x)
    np.testing.assert_array_equal(one, h_times(neighbours, 1, x, threads=3))
    np.testing.assert_allclose(one, h_times(neighbours, 1, x.astype(np.float32)), atol=1e-4)


def test_equal_exchanges_share_a_word():
    _, _, merged = lists("square16")
    _, _, single = lists("square16", Layout(merged.layout.parity_bits, 0))
    assert len(merged.words) < len(single.words)
    assert len(single.words) == (32 - single.aligned).sum() // 2  # one word for each pair of opposite spins


def test_too_many_orbits_are_refused():
    assert make_layout(15_804_956, 6) == Layout(6, 2)
    with pytest.raises(InputError, match="add 'point'"):
        make_layout(1 << 30, 3)
