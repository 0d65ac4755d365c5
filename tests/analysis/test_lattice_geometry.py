"""Drawings of clusters: every bond once, all of one length, none across the whole torus."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.analysis.lattice_geometry import COLUMNS, STUB, lattice_geometry
from nqs.model.lattices import bond_cluster, cluster

NAMES = ("square16", "square24", "triangle16", "triangle24", "kagome18", "kagome24")
LENGTH = {"square": {"j1": 1.0, "j2": np.sqrt(2)}}  # elsewhere all bonds are nearest neighbours


def lengths(table, kind):
    rows = table[table.kind == kind]
    return np.hypot(rows.x1 - rows.x0, rows.y1 - rows.y0)


@pytest.mark.parametrize("name", NAMES)
def test_every_site_and_bond_is_drawn_once(name):
    made = cluster(name)
    table = lattice_geometry([made])
    count = table.kind.value_counts()
    assert count["site"] == made.n_sites
    assert count["j1"] + count["j1_stub"] / 2 == len(made.j1)
    assert count["j2"] + count["j2_stub"] / 2 == len(made.j2)


@pytest.mark.parametrize("name", NAMES)
def test_bonds_and_stubs_have_the_length_of_a_neighbour(name):
    made = cluster(name)
    table = lattice_geometry([made])
    for kind in ("j1", "j2"):
        length = LENGTH.get(made.lattice, {}).get(kind, 1.0)
        assert_allclose(lengths(table, kind), length)
        assert_allclose(lengths(table, f"{kind}_stub"), STUB * length)


def test_rings_close_without_stubs():
    for name, n_sites in (("ring4", 4), ("ring8", 8)):
        table = lattice_geometry([cluster(name)])
        assert table.kind.value_counts().to_dict() == {"site": n_sites, "j1": n_sites}
        assert_allclose(lengths(table, "j1"), 1)


def test_the_bonds_that_wrap_are_those_of_the_boundary():
    table = lattice_geometry([cluster("square24")])  # 6 x 4
    count = table.kind.value_counts()
    assert count["j1_stub"] == 2 * (6 + 4)
    assert count["j2_stub"] == 2 * (2 * (6 + 4) - 2)  # two corner bonds cross both boundaries


@pytest.mark.parametrize("name", NAMES)
def test_stubs_point_out_of_the_cluster(name):
    table = lattice_geometry([cluster(name)])
    sites = table[table.kind == "site"][["x0", "y0"]].to_numpy()
    stubs = table[table.kind.str.endswith("stub")]
    bond = (stubs[["x1", "y1"]].to_numpy() - stubs[["x0", "y0"]].to_numpy()) / STUB
    ends = stubs[["x0", "y0"]].to_numpy() + bond
    distance = np.linalg.norm(ends[:, None] - sites[None], axis=-1)
    assert distance.min() > 0.4  # the neighbour in that direction is a copy, not a drawn site


def test_several_clusters_make_one_table():
    table = lattice_geometry(map(cluster, ("square16", "kagome18")))
    assert tuple(table.columns) == COLUMNS
    assert table.groupby("cluster").lattice.first().to_dict() == {
        "square16": "square",
        "kagome18": "kagome",
    }


def test_bonds_of_a_cluster_given_by_them_are_drawn_between_its_positions():
    made = bond_cluster("mine", {"j1": [[0, 1], [1, 2], [2, 3]], "j2": [[0, 3]]}, [[0, 0], [1, 0], [2, 0], [5, 5]])
    table = lattice_geometry([made])
    assert table.kind.value_counts().to_dict() == {"site": 4, "j1": 3, "j2": 1}
    assert table[table.kind == "j2"][["x0", "y0", "x1", "y1"]].to_numpy().tolist() == [[0, 0, 5, 5]]
