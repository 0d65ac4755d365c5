"""Orbits of the compiled kernel against the group's own look-up tables and against counting."""

from math import comb

import numpy as np
import pytest

from nqs.exact.blocks import covering_generators
from nqs.exact.kernel.file import odd_parity
from nqs.exact.kernel.orbits import find_orbits, make_walk
from nqs.model.lattices import bond_cluster, cluster
from nqs.model.symmetry import characters, is_representation, make_generator, make_group
from nqs.runtime.errors import InputError


def generators_of(name, point=True):
    """Translations, spin flip and, if wanted, the point group."""
    made = cluster(name)
    moves = {**made.translations, **(made.point_group if point else {})}
    generators = [make_generator(key, permutation) for key, permutation in moves.items()]
    flip = make_generator("spin_flip", np.arange(made.n_sites), flip=True)
    return [g for g in generators if g.order > 1] + [flip]


CASES = [("square16", True), ("triangle16", False), ("kagome18", True), ("kagome12", True), ("ring14", True)]


@pytest.mark.parametrize(("name", "point"), CASES)
def test_orbits_equal_those_of_the_tables(name, point):
    generators = generators_of(name, point)
    group, _ = make_group(generators, cluster(name).n_sites)
    orbits = find_orbits(make_walk(generators, group.n_sites))
    np.testing.assert_array_equal(orbits.representatives, group.representatives())
    np.testing.assert_array_equal(orbits.sizes, group.orbit_sizes(orbits.representatives))


@pytest.mark.parametrize(("name", "point"), CASES)
def test_walk_meets_every_element_once(name, point):
    generators = generators_of(name, point)
    group, _ = make_group(generators, cluster(name).n_sites)
    walk = make_walk(generators, group.n_sites)
    assert walk.order == len(group.permutations)
    assert {tuple(p) for p in walk.elements} == {tuple(p) for p in group.permutations}


def test_walk_keeps_the_order_of_generators_that_make_a_group_in_no_other():
    """The two parts of a complete bipartite graph: turns of three of its sites do not commute with the exchanges."""
    made = bond_cluster("parts", {"j1": [[i, j] for i in range(4) for j in range(4, 8)], "j2": [[0, 1], [2, 3]]})
    generators = [make_generator(key, p) for key, p in {**made.translations, **made.point_group}.items()]
    walk = make_walk(generators, 8)
    assert {tuple(p) for p in walk.elements} == {tuple(p) for p in make_group(generators, 8)[0].permutations}
    assert find_orbits(walk).sizes.sum() == comb(8, 4)


@pytest.mark.parametrize(("name", "point"), CASES)
def test_absent_orbits_have_a_stabiliser_of_odd_character(name, point):
    """sum over g with g r = r of chi(g) is zero where the sector has no state."""
    generators = generators_of(name, point)
    group, exponents = make_group(generators, cluster(name).n_sites)
    orbits = find_orbits(make_walk(generators, group.n_sites))
    fixed = group.orbits(orbits.representatives) == orbits.representatives[:, None]
    for flip in (1, -1):
        for first in (1, -1) if generators[0].order % 2 == 0 else (1,):
            signs = [first, *[1] * (len(generators) - 2), flip]
            chi = characters(exponents, signs)
            absent = orbits.absent(odd_parity([g.order for g in generators], signs))
            if is_representation(group, chi, generators):
                np.testing.assert_array_equal(absent, np.flatnonzero(fixed @ chi == 0))


@pytest.mark.parametrize(
    ("name", "orbits"), [("square24", 15_578), ("triangle24", 29_394), ("kagome24", 85_662), ("square30", 652_071)]
)
def test_number_of_orbits_in_the_full_symmetry_sector(name, orbits):
    found = find_orbits(make_walk(generators_of(name), cluster(name).n_sites))
    assert len(found.sizes) == orbits
    assert found.sizes.sum() == comb(cluster(name).n_sites, cluster(name).n_sites // 2)
    assert np.all(np.diff(found.representatives.astype(np.int64)) > 0)


def test_orbits_do_not_depend_on_threads():
    walk = make_walk(generators_of("kagome24"), 24)
    one, two = find_orbits(walk), find_orbits(walk, threads=2)
    np.testing.assert_array_equal(one.representatives, two.representatives)
    np.testing.assert_array_equal(one.parities, two.parities)


def test_orbits_of_groups_without_spin_flip_and_of_involutions():
    square = cluster("square16")
    for generators in ([make_generator("tx", square.translations["tx"])], covering_generators(square)):
        group, _ = make_group(generators, 16)
        orbits = find_orbits(make_walk(generators, 16))
        np.testing.assert_array_equal(orbits.representatives, group.representatives())


def test_a_flip_that_moves_sites_is_refused():
    shift = cluster("square16").translations["tx"]
    with pytest.raises(InputError, match="spin flip must be one generator"):
        make_walk([make_generator("both", shift, flip=True)], 16)
