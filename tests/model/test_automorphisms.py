"""Symmetries of graphs: against every permutation of small ones, and the known counts of large ones."""

from collections.abc import Iterator
from itertools import combinations, permutations, product

import numpy as np
import pytest

from nqs.model.automorphisms import (
    MOST_ELEMENTS,
    MOST_EVEN,
    Symmetries,
    after,
    automorphisms,
    find_symmetries,
    order,
    powers,
)
from nqs.model.lattices import cluster


def ring(n_sites):
    return [(i, (i + 1) % n_sites) for i in range(n_sites)]


def petersen():
    pairs = list(combinations(range(5), 2))
    return [(i, j) for i, j in combinations(range(10), 2) if not {*pairs[i]} & {*pairs[j]}]


def cube(dimensions):
    return [(i, i | 1 << k) for i in range(1 << dimensions) for k in range(dimensions) if not i >> k & 1]


def listed(name):
    made = cluster(name)
    return made.n_sites, [made.j1.tolist(), made.j2.tolist()]


def by_trial(n_sites, bonds):
    """All permutations that keep each set of bonds."""
    sets = [{frozenset(pair) for pair in pairs} for pairs in bonds]
    kept = lambda move: all({frozenset(move[i] for i in pair) for pair in pairs} == pairs for pairs in sets)  # noqa: E731
    return {move for move in permutations(range(n_sites)) if kept(move)}


@pytest.mark.parametrize("seed", range(6))
def test_small_random_graphs_have_the_automorphisms_found_by_trial(seed):
    rng = np.random.default_rng(seed)
    tree = [(int(rng.integers(site)), site) for site in range(1, 7)]  # keeps the graph connected
    others = [pair for pair in combinations(range(7), 2) if pair not in tree]
    drawn = rng.permutation(len(others))
    bonds = [tree + [others[k] for k in drawn[:3]], [others[k] for k in drawn[3:6]]]
    found = list(automorphisms(7, bonds))
    assert len(found) == len({*found})
    assert {*found} == by_trial(7, bonds)


@pytest.mark.parametrize("n_sites", [4, 5, 10, 22])
def test_a_ring_has_twice_as_many_as_sites(n_sites):
    assert len(list(automorphisms(n_sites, [ring(n_sites)]))) == 2 * n_sites


@pytest.mark.parametrize(
    ("n_sites", "bonds", "count"),
    [(4, list(combinations(range(4), 2)), 24), (8, cube(3), 48), (16, cube(4), 384), (10, petersen(), 120)],
    ids=["K4", "cube", "tesseract", "Petersen"],
)
def test_known_graphs(n_sites, bonds, count):
    assert len(list(automorphisms(n_sites, [bonds]))) == count


@pytest.mark.parametrize(
    ("name", "count", "without_j2"),
    # the 4 x 4 torus is a tesseract, whose diagonals leave a third of the 384; its triangle a sixth; 36 x 8; the order
    # published for kagome30
    [
        ("square16", 128, 384),
        ("triangle16", 64, 384),
        ("square36", 288, 288),
        ("square24", 96, 96),
        ("kagome30", 20, None),
    ],
)
def test_clusters_as_graphs(name, count, without_j2):
    n_sites, bonds = listed(name)
    assert len(list(automorphisms(n_sites, bonds))) == count
    if without_j2:
        assert len(list(automorphisms(n_sites, bonds[:1]))) == without_j2


def elements(found: Symmetries, n_sites: int) -> Iterator[tuple[int, ...]]:
    """Products of powers of the generators, the first generator's acting first."""
    for factors in product(*(powers(move) for move in (*found.commuting, *found.further))):
        image = tuple(range(n_sites))
        for factor in factors:
            image = after(factor, image)
        yield image


GRAPHS = {
    **{name: listed(name) for name in ("square16", "square36", "triangle16", "kagome18", "kagome30", "ring10")},
    "complete": (12, [list(combinations(range(12), 2))]),
    "star": (10, [[(0, j) for j in range(1, 10)]]),
    "two halves": (12, [[(i, j) for i in range(6) for j in range(6, 12)]]),
    "Petersen": (10, [petersen()]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_chosen_generators_name_every_element_of_a_group_once(name):
    n_sites, bonds = GRAPHS[name]
    found = find_symmetries(n_sites, bonds)
    group = list(elements(found, n_sites))
    assert len({*group}) == len(group) == found.order
    assert all(after(move, element) in {*group} for move in (*found.commuting, *found.further) for element in group)
    sets = [{frozenset(pair) for pair in pairs} for pairs in bonds]
    for move in (*found.commuting, *found.further):
        assert all({frozenset(move[i] for i in pair) for pair in pairs} == pairs for pairs in sets)


@pytest.mark.parametrize("name", GRAPHS)
def test_sectors_of_the_commuting_ones_are_all_real_and_the_group_is_bounded(name):
    n_sites, bonds = GRAPHS[name]
    found = find_symmetries(n_sites, bonds)
    assert all(order(move) == 2 for move in found.commuting)
    assert all(after(a, b) == after(b, a) for a, b in combinations(found.commuting, 2))
    assert found.order <= MOST_ELEMENTS
    assert sum(order(move) % 2 == 0 for move in (*found.commuting, *found.further)) <= MOST_EVEN


def test_the_largest_torus_keeps_all_its_symmetries():
    assert find_symmetries(*GRAPHS["square36"]).order == 288


def test_a_graph_without_symmetry_has_none():
    lopsided = [*ring(6), (0, 2), (5, 6), (6, 7)]
    assert by_trial(8, [lopsided]) == {tuple(range(8))}
    assert find_symmetries(8, [lopsided]) == Symmetries([], [])


def test_given_symmetries_alone_make_the_group():
    turn = tuple((i + 2) % 8 for i in range(8))  # of order four: its square is used, not the reflections of the ring
    half = tuple((i + 4) % 8 for i in range(8))
    assert find_symmetries(8, [ring(8)], [turn]) == Symmetries([half], [])
    assert find_symmetries(8, [ring(8)], []) == Symmetries([], [])
