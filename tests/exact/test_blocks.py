"""Sector blocks: sizes, spectra and symmetry against the full Hamiltonian."""

from math import comb

import h5py
import numpy as np
import pytest
from support.exact_diagonalization import full_hamiltonian

from nqs.exact.blocks import build, build_sectors, covering_generators
from nqs.exact.sectors import block as block_of
from nqs.model.lattices import cluster, make_cluster
from nqs.model.symmetry import make_group


def sector_spectra(path, j2):
    """All levels of all sectors of a file, ascending."""
    levels = []
    with h5py.File(path) as file:
        for name in (key for key in file if key.startswith("sector_")):
            if dimension := len(file[name]["root_orbit"]):
                apply = block_of(file[name], {"j1": 1.0, "j2": j2})
                block = np.column_stack([apply(column) for column in np.eye(dimension)])
                assert np.allclose(block, block.T)
                levels.append(np.linalg.eigvalsh(block))
    return np.sort(np.concatenate(levels))


@pytest.mark.parametrize("name", ["kagome12", "square12", "triangle12"])
def test_covering_sectors_hold_the_whole_spectrum(name, tmp_path):
    lattice = name[:-2]
    small = make_cluster(name, lattice, (2, 2) if lattice == "kagome" else (4, 3))
    build_sectors(small, covering_generators(small), tmp_path / "sectors.h5")
    exact = np.linalg.eigvalsh(full_hamiltonian(small, 0.7)[1].toarray())
    np.testing.assert_allclose(sector_spectra(tmp_path / "sectors.h5", 0.7), exact, atol=1e-10)


def test_levels_of_real_momentum_sectors_are_levels_of_the_full_space(tmp_path):
    small = make_cluster("square12", "square", (4, 3))
    build(small, tmp_path / "sectors.h5")
    exact = np.linalg.eigvalsh(full_hamiltonian(small, 0.3)[1].toarray())
    levels = sector_spectra(tmp_path / "sectors.h5", 0.3)
    distance = np.abs(levels[:, None] - exact).min(axis=1)
    assert len(levels) < len(exact)  # complex momenta are absent
    assert distance.max() < 1e-10


@pytest.mark.parametrize(
    ("name", "symmetries"),
    [
        ("square16", ["translations", "spin_flip"]),
        ("square16", ["translations", "spin_flip", "point"]),
        ("kagome18", ["translations", "spin_flip", "point"]),
    ],
)
def test_sector_sizes_follow_from_the_characters(name, symmetries, tmp_path):
    """d = (1/G) sum_g chi(g) (number of states that g fixes)."""
    build(cluster(name), tmp_path / "sectors.h5", symmetries)
    with h5py.File(tmp_path / "sectors.h5") as file:
        states = np.arange(1 << file.attrs["n_sites"], dtype=np.uint64)
        states = states[np.bitwise_count(states) == file.attrs["n_sites"] // 2]
        assert len(states) == comb(cluster(name).n_sites, cluster(name).n_sites // 2)
        fixed = count_fixed(states, file["permutations"][...], file["flips"][...])
        for sector in (file[key] for key in file if key.startswith("sector_")):
            chi = np.prod(sector.attrs["signs"] ** file["exponents"][...], axis=1)
            assert len(sector["representatives"]) == chi @ fixed / len(chi)


def count_fixed(states, permutations, flips):
    """Number of states each group element leaves alone, by moving single bits."""
    counts = []
    for permutation, flip in zip(permutations, flips, strict=True):
        image = np.zeros_like(states)
        for site, target in enumerate(permutation):
            image |= (states >> np.uint64(site) & np.uint64(1)) << np.uint64(target)
        full = np.uint64((1 << len(permutation)) - 1)
        counts.append(np.count_nonzero((image ^ full if flip else image) == states))
    return np.array(counts)


def test_covering_group_at_24_sites_has_only_involutions():
    for name, order in (("square24", 32), ("triangle24", 16), ("kagome24", 16)):
        generators = covering_generators(cluster(name))
        group, exponents = make_group(generators, 24)
        assert len(group.flips) == order
        assert exponents.max() == 1
        identity = np.arange(24)
        assert all(np.array_equal(p[p], identity) for p in group.permutations)


def test_impossible_requests_are_refused(tmp_path):
    with pytest.raises(ValueError, match="even number of sites"):
        build(make_cluster("square9", "square", (3, 3)), tmp_path / "x.h5")
    with pytest.raises(ValueError, match="unknown symmetry 'rotations'"):
        build(cluster("square16"), tmp_path / "x.h5", ["translations", "spin_flip", "rotations"])
    with pytest.raises(ValueError, match="must include"):
        build(cluster("square16"), tmp_path / "x.h5", ["translations"])
    assert not list(tmp_path.iterdir())
