"""Ground states and gaps against the full Sz = 0 space: complex momenta and two-dimensional representations count."""

import h5py
import numpy as np
import pytest
import scipy.sparse.linalg
from support.exact_diagonalization import full_hamiltonian

from nqs.exact.all_momenta import Notes, unsearched
from nqs.exact.blocks import SYMMETRIES, build
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import solve
from nqs.exact.irreps import read_space_group
from nqs.exact.kernel.screening import Level
from nqs.model.lattices import Cluster, cluster, make_cluster
from nqs.runtime.errors import GroundStateError

SHAPES = {"square12": ("square", (4, 3)), "triangle12": ("triangle", (4, 3))}


def made(name: str) -> Cluster:
    return make_cluster(name, *SHAPES[name]) if name in SHAPES else cluster(name)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """Ground state of a cluster at one coupling; the blocks are built once per module."""
    folder = tmp_path_factory.mktemp("states")

    def state_of(name, j2, symmetries=SYMMETRIES[:2], backend="kernel", **options):
        blocks = folder / f"{name}_{len(symmetries)}_{backend}.h5"
        if not blocks.exists():
            build(made(name), blocks, symmetries, backend)
        (folder / "state.h5").unlink(missing_ok=True)
        solve(blocks, j2, folder / "state.h5", **options)
        return Wavefunction.read(folder / "state.h5")

    return state_of


def lowest_levels(name, j2):
    """Lowest levels of the whole Sz = 0 space, without symmetries."""
    matrix = full_hamiltonian(made(name), j2)[1]
    if matrix.shape[0] < 1000:
        return np.linalg.eigvalsh(matrix.toarray())
    return np.sort(scipy.sparse.linalg.eigsh(matrix, k=4, which="SA", tol=1e-10)[0])


POINTS = [
    ("square12", 0.0), ("square12", 0.5), ("square16", 0.0), ("square16", 0.4), ("square16", 1.0), ("triangle12", 0.6),
    ("triangle16", 0.7), ("kagome12", 0.4), ("ring10", 0.0), ("kagome18", 0.0), ("kagome18", 0.4),
]  # fmt: skip


@pytest.mark.parametrize("symmetries", [SYMMETRIES[:2], SYMMETRIES])
@pytest.mark.parametrize(("name", "j2"), POINTS)
def test_gap_is_that_of_the_whole_space(name, j2, symmetries, solved):
    levels = lowest_levels(name, j2)
    state = solved(name, j2, symmetries)
    assert state.energy == pytest.approx(levels[0], abs=1e-8)
    assert state.gap == pytest.approx(levels[1] - levels[0], abs=1e-6)
    assert state.momenta_checked == "all"
    assert "momentum" in state.gap_sector


def test_gap_at_a_complex_momentum_is_named(solved):
    state = solved("square12", 0.0)
    assert state.gap == pytest.approx(0.891686, abs=1e-6)  # 1.31 among real characters
    assert state.gap_sector == "momentum +-(2, 1), spin flip -1"


@pytest.mark.parametrize("allow_degenerate", [False, True])
@pytest.mark.parametrize("backend", ["kernel", "quspin"])
@pytest.mark.parametrize(("j2", "energy", "real"), [(1.4, "-9.33182", "-9.29656"), (2.0, "-12.11637", "-12.07920")])
def test_ground_states_of_complex_momentum_are_refused(j2, energy, real, backend, allow_degenerate, solved):
    """kagome18: <Tx> = -1 and <Ty> = -1/2, momenta (pi, +-2 pi / 3); no real sector has a member of the pair."""
    message = rf"kagome18 at J2 = {j2}: .* momentum \+-\(1, 1\), spin flip -1 .* E = {energy}.* {real}"
    with pytest.raises(GroundStateError, match=message):
        solved("kagome18", j2, backend=backend, allow_degenerate=allow_degenerate)


@pytest.mark.parametrize("name", ["square12", "kagome18"])
def test_large_clusters_find_the_same_gap(name, solved, monkeypatch):
    """With float32 recurrences, one representation after the other."""
    exact = solved(name, 0.0)
    monkeypatch.setattr("nqs.exact.all_momenta.SMALL", 1)
    state = solved(name, 0.0)
    assert state.gap == pytest.approx(exact.gap, abs=1e-3)
    assert state.gap_sector == exact.gap_sector
    np.testing.assert_array_equal(state.amplitudes, exact.amplitudes)


def test_large_clusters_refuse_complex_momenta(solved, monkeypatch):
    monkeypatch.setattr("nqs.exact.all_momenta.SMALL", 1)
    with pytest.raises(GroundStateError, match=r"momentum \+-\(1, 1\), spin flip -1 .* E = -9\.331"):
        solved("kagome18", 1.4)


def test_what_is_too_large_is_marked(solved, monkeypatch, capsys):
    monkeypatch.setattr("nqs.exact.all_momenta.MOST_ORBITS", 5)
    state = solved("square12", 0.0)
    assert state.momenta_checked.startswith("real characters only: ")
    assert "warning: square12 J2 = 0: real characters only" in capsys.readouterr().out


def test_degeneracy_limit_scales_with_the_energy(solved, monkeypatch):
    """A gap that counts as none at one energy does not at a tenth of it."""
    state = solved("square12", 0.5)
    monkeypatch.setattr("nqs.exact.ground_state.DEGENERATE", 1.01 * state.gap / abs(state.energy))
    with pytest.raises(GroundStateError, match="degenerate"):
        solved("square12", 0.5)
    monkeypatch.setattr("nqs.exact.ground_state.DEGENERATE", 0.99 * state.gap / abs(state.energy))
    assert not solved("square12", 0.5).degenerate


def test_sectors_of_translations_leave_out_complex_momenta_and_the_point_group_more(tmp_path):
    for symmetries in (SYMMETRIES[:2], SYMMETRIES):
        build(cluster("square16"), tmp_path / "blocks.h5", symmetries, "kernel")
        with h5py.File(tmp_path / "blocks.h5") as file:
            left = unsearched(file, read_space_group(file)) or []
        real = {irrep.momentum for irrep in left if not irrep.complex_momentum}
        assert real == (set() if len(symmetries) == 2 else {(0, 0), (0, 2), (2, 2)})
        assert {irrep.momentum for irrep in left if irrep.complex_momentum} == {(0, 1), (1, 1), (1, 2)}


def test_finished_recurrences_are_read_again_by_the_same_search_only(tmp_path):
    Notes(tmp_path / "beyond.json", "a").add({"x": Level(-1.0, 0.1, -2.0)})
    assert Notes(tmp_path / "beyond.json", "a").levels == {"x": [-1.0, 0.1, -2.0]}
    assert Notes(tmp_path / "beyond.json", "b").levels == {}
