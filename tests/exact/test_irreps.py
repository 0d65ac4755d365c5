"""Representations of the space group: products, and that together they hold every level of the full space."""

from math import comb

import numpy as np
import pytest
from support.exact_diagonalization import full_hamiltonian

from nqs.exact.irreps import irreps, space_group
from nqs.exact.kernel.links import link_orbits
from nqs.model.lattices import Cluster, cluster, make_cluster
from nqs.model.symmetry import make_generator

SHAPES = {"square12": ("square", (4, 3)), "triangle12": ("triangle", (4, 3))}


def made(name: str) -> Cluster:
    return make_cluster(name, *SHAPES[name]) if name in SHAPES else cluster(name)


def group_of(cluster: Cluster):
    translations, point = (
        [make_generator(name, move) for name, move in moves.items()]
        for moves in (cluster.translations, cluster.point_group)
    )
    return space_group([g for g in translations if g.order > 1], point, cluster.n_sites)


def spaces(cluster: Cluster, folder):
    """Functions of every representation, in float64."""
    group = group_of(cluster)
    flip = make_generator("spin_flip", np.arange(cluster.n_sites), flip=True)
    generators = [*group.translations, *group.point, flip]
    linked = link_orbits(generators, cluster.n_sites, {"j1": cluster.j1, "j2": cluster.j2}, folder)
    return [linked.space(irrep, np.float64) for irrep in irreps(group)]


@pytest.mark.parametrize("name", ["square12", "square16", "square36", "triangle16", "kagome12", "kagome30", "ring10"])
def test_matrices_multiply_like_the_symmetries(name):
    group = group_of(made(name))
    rng = np.random.default_rng(0)
    for irrep in irreps(group):
        matrices = group.represented(irrep.matrices)
        assert len(matrices) == len(group.places)
        moves = [np.frombuffer(key, dtype=int) for key in matrices]
        for a, b in rng.integers(len(moves), size=(10, 2)):
            product = matrices[moves[a].tobytes()] @ matrices[moves[b].tobytes()]
            np.testing.assert_allclose(matrices[moves[a][moves[b]].tobytes()], product, atol=1e-12)


@pytest.mark.parametrize("name", ["square12", "triangle12", "kagome18", "ring14"])
def test_representations_hold_as_many_states_as_there_are(name, tmp_path):
    """Each level of a representation of dimension n stands for n states."""
    found = spaces(made(name), tmp_path)
    expected = comb(made(name).n_sites, made(name).n_sites // 2)
    assert sum(space.available * space.irrep.dimension for space in found) == expected


def test_square_clusters_have_one_representation_of_two_dimensions_at_momentum_zero():
    """Of C4v: one or two one-dimensional ones from each parity, and E, once per spin flip."""
    found = [irrep for irrep in irreps(group_of(cluster("square16"))) if irrep.momentum == (0, 0)]
    assert sorted((irrep.spin_flip, irrep.parities) for irrep in found) == [
        (flip, parities) for flip in (-1, 1) for parities in ((-1, -1), (1, -1), (1, 1))
    ]


@pytest.mark.parametrize("name", ["square12", "kagome12", "ring10"])
def test_representations_together_have_the_full_spectrum(name, tmp_path):
    small = made(name)
    levels = []
    for space in spaces(small, tmp_path):
        apply = space.apply({"j1": 1.0, "j2": 0.7})
        columns = np.eye(space.shape[0] * space.shape[1])
        allowed = np.column_stack([space.allowed(column) for column in columns])
        weights, basis = np.linalg.eigh(allowed)
        basis = basis[:, weights > 0.5]
        block = basis.T @ np.column_stack([apply(column) for column in basis.T])
        assert block.shape == (space.available, space.available)
        np.testing.assert_allclose(block, block.T, atol=1e-12)
        levels.append(np.repeat(np.linalg.eigvalsh(block), space.irrep.dimension))
    exact = np.linalg.eigvalsh(full_hamiltonian(small, 0.7)[1].toarray())
    np.testing.assert_allclose(np.sort(np.concatenate(levels)), exact, atol=1e-10)


def test_point_operations_that_add_up_to_a_translation_are_left_out():
    """kagome12: inversion about one site and a mirror through another one make a step of the lattice."""
    assert [g.name for g in group_of(cluster("kagome12")).point] == ["inv"]
    assert len(group_of(cluster("square16")).operations) == 8
