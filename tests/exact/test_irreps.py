"""Representations of the space group: products, and that together they hold every level of the full space."""

from math import comb

import numpy as np
import pytest
from support.exact_diagonalization import full_hamiltonian

from nqs.exact.irreps import irreps, space_group
from nqs.exact.kernel.links import link_orbits
from nqs.exact.kernel.representations import side_by_side
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


def links(cluster: Cluster, folder):
    """Links of all bonds under all symmetries."""
    group = group_of(cluster)
    flip = make_generator("spin_flip", np.arange(cluster.n_sites), flip=True)
    generators = [*group.translations, *group.point, flip]
    return link_orbits(generators, cluster.n_sites, {"j1": cluster.j1, "j2": cluster.j2}, folder)


def spaces(cluster: Cluster, folder):
    """Functions of every representation, in float64."""
    group, linked = group_of(cluster), links(cluster, folder)
    return [linked.space([irrep], np.float64) for irrep in irreps(group)]


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
    assert sum(int(space.available[0]) * space.irreps[0].dimension for space in found) == expected


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
        allowed = np.column_stack([space.allowed(column[:, None]) for column in columns])
        weights, basis = np.linalg.eigh(allowed)
        basis = basis[:, weights > 0.5]
        block = basis.T @ np.column_stack([apply(column) for column in basis.T])
        assert block.shape == (space.available[0], space.available[0])
        np.testing.assert_allclose(block, block.T, atol=1e-12)
        levels.append(np.repeat(np.linalg.eigvalsh(block), space.irreps[0].dimension))
    exact = np.linalg.eigvalsh(full_hamiltonian(small, 0.7)[1].toarray())
    np.testing.assert_allclose(np.sort(np.concatenate(levels)), exact, atol=1e-10)


def test_point_operations_that_add_up_to_a_translation_are_left_out():
    """kagome12: inversion about one site and a mirror through another one make a step of the lattice."""
    assert [g.name for g in group_of(cluster("kagome12")).point] == ["inv"]
    assert len(group_of(cluster("square16")).operations) == 8


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("square12", np.float32), ("square16", np.float32), ("kagome18", np.float32), ("ring10", np.float64)],
)
def test_side_by_side_is_one_by_one(name, dtype, tmp_path, monkeypatch):
    """Lanes of all widths, blocks of one and two rows, and recurrences that subtract the vector before."""
    monkeypatch.setattr("nqs.exact.kernel.representations.FEWEST_NUMBERS", 0)
    linked, couplings = links(made(name), tmp_path), {"j1": 1.0, "j2": 0.7}
    rng, widths = np.random.default_rng(0), set()
    groups = [*side_by_side(linked, [*irreps(group_of(made(name)))], 1 << 20)]
    assert sum(map(len, groups)) == len([*irreps(group_of(made(name)))])
    for group in groups:
        space = linked.space(group, dtype)
        vectors = space.allowed(rng.standard_normal((space.shape[0] * space.shape[1], len(group))).astype(dtype))
        before, beta = rng.standard_normal(vectors.shape).astype(dtype), rng.standard_normal(len(group))
        result = before.copy()
        space.hamiltonian(couplings).recur(vectors, result, beta)
        for lane, irrep in enumerate(group):
            alone = linked.space([irrep], dtype)
            image, other = alone.apply(couplings)(vectors[:, lane].copy()), alone.allowed(before[:, [lane]])[:, 0]
            expected = image - beta[lane] * other
            np.testing.assert_allclose(result[:, lane], expected, atol=1e-5 if dtype == np.float32 else 1e-12)
        np.testing.assert_array_equal(space.available, [linked.space([irrep], dtype).available[0] for irrep in group])
        widths.add(len(group))
    assert max(widths) > 1


def test_blocks_at_different_places_do_not_share_vectors(tmp_path):
    linked = links(made("square16"), tmp_path)
    by_size = {irrep.dimension: irrep for irrep in irreps(group_of(made("square16")))}
    with pytest.raises(ValueError, match="blocks at different places"):
        linked.space([by_size[min(by_size)], by_size[max(by_size)]], np.float32)
