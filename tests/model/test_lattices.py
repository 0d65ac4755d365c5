"""Clusters against the reference bond lists and their own symmetries."""

import json
from pathlib import Path

import numpy as np
import pytest

from nqs.model.clusters import CLUSTERS, MISSING_BONDS, sites
from nqs.model.lattices import (
    Cluster,
    bond_cluster,
    check_symmetries,
    cluster,
    cluster_of,
    make_cluster,
    without_bond,
)
from nqs.model.symmetry import make_generator
from nqs.runtime.errors import InputError

REFERENCE = Path(__file__).parents[2] / "reference" / "lattices"
INTACT = sorted(set(CLUSTERS) - set(MISSING_BONDS))
LISTED = sorted(name for name in CLUSTERS if (REFERENCE / f"{name}.json").exists())


def test_reference_covers_the_clusters_of_the_papers():
    assert {"square24", "square36", "triangle16", "triangle30", "kagome18", "kagome24", "kagome30"} <= set(LISTED)


@pytest.mark.parametrize("name", LISTED)
def test_bonds_equal_the_reference_lists(name):
    reference = json.loads((REFERENCE / f"{name}.json").read_text())
    built = cluster(name)
    assert built.n_sites == reference["sites"]
    assert built.j1.tolist() == reference["j1"]
    assert built.j2.tolist() == reference["j2"]


@pytest.mark.parametrize("name", INTACT)
def test_every_site_has_the_coordination_of_its_lattice(name):
    built = cluster(name)
    degree_j1 = np.bincount(built.j1.ravel(), minlength=built.n_sites)
    degree_j2 = np.bincount(built.j2.ravel(), minlength=built.n_sites)
    if name == "kagome30":  # in the order of the published list
        assert sorted(zip(degree_j1, degree_j2, strict=True)) == [(2, 2)] * 20 + [(4, 0)] * 10
    elif built.lattice == "kagome":  # sites 0, 1, 2 of a cell lie on one, two, one J1 chains
        assert degree_j1.tolist() == [2, 4, 2] * (built.n_sites // 3)
        assert degree_j2.tolist() == [2, 0, 2] * (built.n_sites // 3)
    elif built.lattice == "ring":
        assert set(degree_j1) == {2}
        assert len(built.j1) == built.n_sites
        assert len(built.j2) == 0
    else:
        assert set(degree_j1) == {4}
        assert set(degree_j2) == {4 if built.lattice == "square" else 2}


@pytest.mark.parametrize("name", INTACT)
def test_translations_commute_and_reach_every_cell(name):
    built = cluster(name)
    tx, ty = built.translations["tx"], built.translations["ty"]
    assert np.array_equal(tx[ty], ty[tx])
    reached, site = set(), 0
    for _ in range(built.shape[1]):
        for _ in range(built.shape[0]):
            reached.add(site)
            site = int(tx[site])
        site = int(ty[site])
    assert site == 0
    assert len(reached) == built.shape[0] * built.shape[1]


@pytest.mark.parametrize("name", ["square24", "triangle24", "kagome24"])
def test_bonds_inside_the_drawing_have_the_length_of_the_lattice(name):
    built = cluster(name)
    for bonds, diagonal in ((built.j1, False), (built.j2, built.lattice == "square")):
        steps = built.positions[bonds[:, 0]] - built.positions[bonds[:, 1]]
        lengths = np.linalg.norm(steps, axis=1)
        expected = np.sqrt(2) if diagonal else 1
        assert np.isclose(lengths.min(), expected)
        assert np.isclose(lengths, expected).mean() > 0.5


@pytest.mark.parametrize("name", ["ring4", "ring6", "ring22"])
def test_rings_are_drawn_on_a_circle(name):
    built = cluster(name)
    radius = np.linalg.norm(built.positions, axis=1)
    steps = built.positions[built.j1[:, 0]] - built.positions[built.j1[:, 1]]
    assert np.allclose(radius, radius[0])
    assert np.allclose(np.linalg.norm(steps, axis=1), 1)
    assert np.allclose(built.positions[0], [0, radius[0]])  # on top


@pytest.mark.parametrize("shape", [(5, 1), (2, 1), (4, 2), (1, 4)])
def test_odd_short_and_broad_rings_are_refused(shape):
    with pytest.raises(InputError, match=r"a ring has shape \(N, 1\) with N even and at least 4"):
        make_cluster("odd", "ring", shape)


def test_broken_bond_set_is_refused():
    good = cluster("square16")
    broken = Cluster(**{**vars(good), "j1": good.j1[1:]})
    with pytest.raises(ValueError, match="tx does not map"):
        check_symmetries(broken)


def test_bond_in_both_sets_is_refused():
    good = cluster("square16")
    with pytest.raises(ValueError, match="both J1 and J2"):
        check_symmetries(Cluster(**{**vars(good), "j2": good.j1}))


def test_user_cluster_and_unknown_names():
    extra = {"square20": {"lattice": "square", "shape": [5, 4]}}
    assert cluster("square20", extra).n_sites == 20
    with pytest.raises(ValueError, match="square24"):
        cluster("sqare24")
    with pytest.raises(ValueError, match="square20"):
        cluster("square_20", extra)
    with pytest.raises(ValueError, match="unknown lattice 'cubic'"):
        sites("cubic", (4, 4))


def test_settings_make_a_torus_or_a_cluster_of_bonds():
    torus = cluster_of({"name": "square20", "lattice": "square", "shape": [5, 4]})
    assert np.array_equal(torus.j2, make_cluster("square20", "square", (5, 4)).j2)
    bonds = {"j1": [[1, 0], [1, 2], [2, 3]], "j2": [[0, 2]]}
    made = cluster_of({"name": "mine", "lattice": "bonds", "shape": [4, 1], "bonds": bonds})
    assert (made.lattice, made.shape, made.n_sites) == ("bonds", (4, 1), 4)
    assert made.j1.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert made.j2.tolist() == [[0, 2]]


def test_a_cluster_of_bonds_has_the_positions_given_or_a_circle():
    bonds, positions = {"j1": [[0, 1], [1, 2], [2, 3]]}, [[0, 0], [1, 0], [2, 0], [3, 0.5]]
    assert bond_cluster("chain", bonds, positions).positions.tolist() == positions
    assert np.allclose(np.linalg.norm(bond_cluster("chain", bonds).positions, axis=1), np.sqrt(0.5))


def test_symmetries_of_bonds_are_involutions_that_commute_and_others_that_make_the_group_larger():
    built = cluster("square36")
    made = bond_cluster("mine", {"j1": built.j1.tolist(), "j2": built.j2.tolist()})
    assert all(np.array_equal(move[move], np.arange(36)) for move in made.translations.values())
    orders = [make_generator(name, move).order for name, move in made.point_group.items()]
    assert (len(made.translations), sorted(orders)) == (4, [2, 3, 3])


def test_a_cluster_with_rotations_alone_keeps_them_from_the_sectors_always_searched():
    """Three arms that turn into each other, each with a hook: no involution."""
    arms = [[0, 1], [1, 2], [0, 2]] + [[i, 3 + i] for i in range(3)] + [[(i + 1) % 3, 3 + i] for i in range(3)]
    hooks = [[3 + i, 6 + i] for i in range(3)] + [[i, 6 + i] for i in range(3)] + [[6 + i, 9 + i] for i in range(3)]
    made = bond_cluster("mine", {"j1": arms + hooks})
    assert [move.tolist() for move in made.translations.values()] == [list(range(12))]
    assert len(made.point_group) == 1


def test_given_symmetries_are_those_used():
    bonds = {"j1": [[i, (i + 1) % 6] for i in range(6)]}
    made = bond_cluster("ring", bonds, symmetries={"half": [3, 4, 5, 0, 1, 2]})
    assert [move.tolist() for move in made.translations.values()] == [[3, 4, 5, 0, 1, 2]]
    assert (bond_cluster("ring", bonds, symmetries={}).point_group) == {}


def test_torus_with_coinciding_bonds_is_refused():
    with pytest.raises(ValueError, match="too short"):
        make_cluster("ladder", "square", (6, 2))


@pytest.mark.parametrize("name", MISSING_BONDS)
def test_missing_bond_leaves_its_inversion(name):
    lacking, intact = cluster(name), make_cluster("intact", *CLUSTERS[name])
    missing = {tuple(bond) for bond in intact.j1.tolist()} - {tuple(bond) for bond in lacking.j1.tolist()}
    assert missing == {MISSING_BONDS[name]}
    assert np.array_equal(lacking.j2, intact.j2)
    assert not lacking.translations
    (move,) = lacking.point_group.values()
    assert {*move[list(MISSING_BONDS[name])].tolist()} == {*MISSING_BONDS[name]}


def test_bond_that_is_not_there_cannot_be_left_out():
    with pytest.raises(InputError, match="share no J1 bond"):
        without_bond(cluster("triangle16"), (0, 2))
