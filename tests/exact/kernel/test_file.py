"""Ground states by the compiled kernel against QuSpin, against published energies, and after an interruption."""

import h5py
import numpy as np
import pytest

from nqs.exact import lanczos
from nqs.exact.blocks import SYMMETRIES, build
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import solve
from nqs.model.lattices import cluster
from nqs.runtime.errors import GroundStateError, InputError
from nqs.workflow.configuration import GroundStateBlock


def solved(folder, name, j2, backend="kernel", symmetries=SYMMETRIES[:2], **options):
    """Ground state by one backend; the blocks are built once per folder."""
    blocks = folder / f"{name}_{backend}_{len(symmetries)}.h5"
    if not blocks.exists():
        build(cluster(name), blocks, symmetries, backend)
    solve(blocks, j2, folder / "state.h5", 1e-10, **options)
    return Wavefunction.read(folder / "state.h5")


def assert_equal_states(kernel, quspin):
    """Same level and same amplitudes; gaps to their own tolerance."""
    assert kernel.energy == pytest.approx(quspin.energy, abs=1e-10)
    assert kernel.gap == pytest.approx(quspin.gap, abs=1e-6)
    assert (kernel.momentum, kernel.spin_flip) == (quspin.momentum, quspin.spin_flip)
    for name in ("representatives", "orbit_sizes", "permutations", "flips", "characters"):
        np.testing.assert_array_equal(getattr(kernel, name), getattr(quspin, name))
    np.testing.assert_allclose(kernel.amplitudes, quspin.amplitudes, atol=1e-9)


@pytest.mark.parametrize("symmetries", [SYMMETRIES[:2], SYMMETRIES])
@pytest.mark.parametrize(("name", "j2"), [("square16", 0.6), ("triangle16", 1.2), ("kagome18", 0.8), ("ring14", 0.0)])
def test_kernel_and_quspin_give_one_ground_state(name, j2, symmetries, tmp_path):
    kernel = solved(tmp_path, name, j2, "kernel", symmetries)
    assert_equal_states(kernel, solved(tmp_path, name, j2, "quspin", symmetries))


@pytest.mark.long
@pytest.mark.parametrize("name", ["square24", "triangle24", "kagome24"])
def test_kernel_and_quspin_agree_at_24_sites_on_every_lattice(name, tmp_path):
    for j2 in (0.0, 0.52, 0.6, 0.8, 1.0):
        assert_equal_states(solved(tmp_path, name, j2, "kernel"), solved(tmp_path, name, j2, "quspin"))


@pytest.mark.parametrize(
    ("name", "j2", "energy"),
    [
        ("square24", 0.55, -12.4476171264),
        pytest.param("kagome24", 0.8, -40.63622 / 4, marks=pytest.mark.long),
        pytest.param("kagome24", 0.52, -39.22081 / 4, marks=pytest.mark.slow),
    ],
)
def test_reference_energies_at_24_sites(name, j2, energy, tmp_path):
    state = solved(tmp_path, name, j2, symmetries=SYMMETRIES)
    assert state.energy == pytest.approx(energy, abs=2e-6)
    assert state.momentum == ((0, 2) if (name, j2) == ("kagome24", 0.8) else (0, 0))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "j2", "energy"), [("square30", 0.0, -19.4024), ("triangle30", 1.6, -22.9284), ("kagome30", 0.0, None)]
)
def test_ground_states_at_30_sites(name, j2, energy, tmp_path):
    """Singlets of 30 spins are odd under the spin flip; kagome at J2 = 0 is a ferrimagnet of spin 5, which is even."""
    state = solved(tmp_path, name, j2, symmetries=SYMMETRIES)
    assert state.orbit_sizes.sum() == state.dimension
    assert state.spin_flip == (1 if name == "kagome30" else -1)
    if energy:
        assert state.energy == pytest.approx(energy, abs=1e-4)


@pytest.mark.long
def test_square36_has_the_published_energy(tmp_path):
    """-0.503810 per site at J2 = 0.5, in the sector of all even characters; needs 8 GB and some minutes."""
    state = solved(tmp_path, "square36", 0.5, symmetries=SYMMETRIES, threads=2)
    assert state.energy / 36 == pytest.approx(-0.503810, abs=1e-6)
    assert len(state.amplitudes) == 15_804_956
    assert (state.characters == 1).all()


class Killed(Exception):
    """What ends the search in the test below."""


def test_an_interrupted_search_ends_with_the_same_result(tmp_path, monkeypatch):
    whole = solved(tmp_path, "kagome18", 0.8)
    extend, count = lanczos.StoredLanczos.extend, []

    def extend_until_killed(run, apply):
        count.append(run.file.name)
        if len(count) == 6:
            raise Killed
        extend(run, apply)

    monkeypatch.setattr(lanczos.StoredLanczos, "extend", extend_until_killed)
    with pytest.raises(Killed):
        solved(tmp_path, "kagome18", 0.8, checkpoints=tmp_path / "unfinished", code="x")
    first, count[:] = len(count), [""] * 100
    resumed = solved(tmp_path, "kagome18", 0.8, checkpoints=tmp_path / "unfinished", code="x")
    assert len(count) - 100 > 0
    again = len(count) - 100
    count[:] = [""] * 100
    solved(tmp_path, "kagome18", 0.8, checkpoints=tmp_path / "other", code="x")
    assert again == len(count) - 100 - (first - 1)  # what was done before is not done again
    np.testing.assert_array_equal(resumed.amplitudes, whole.amplitudes)
    assert (resumed.energy, resumed.gap) == (whole.energy, whole.gap)
    assert not (tmp_path / "unfinished").exists()


def test_checkpoints_of_other_code_are_not_used(tmp_path):
    def run(identity):
        return lanczos.StoredLanczos(lambda: np.ones(3), tmp_path / "run.npz", identity)

    run("a").extend(lambda x: x * np.arange(3.0))
    assert run("a").extensions == 1
    assert run("b").extensions == 0


def test_large_clusters_have_a_coarser_gap(tmp_path, monkeypatch):
    exact = solved(tmp_path, "kagome18", 0.4)
    monkeypatch.setattr("nqs.exact.kernel.sectors.LARGE", 100)
    state = solved(tmp_path, "kagome18", 0.4)
    np.testing.assert_allclose(state.amplitudes, exact.amplitudes, atol=1e-9)
    assert state.gap == pytest.approx(exact.gap, abs=1e-3)


def test_single_precision_vectors_give_double_precision_energies(tmp_path, monkeypatch):
    exact = solved(tmp_path, "kagome18", 0.4)
    monkeypatch.setattr("nqs.exact.kernel.sectors.SINGLE", 100)
    monkeypatch.setattr("nqs.exact.kernel.sectors.LARGE", 100)
    state = solved(tmp_path, "kagome18", 0.4)
    assert state.energy == pytest.approx(exact.energy, abs=1e-9)  # quadratic in the residual
    assert state.gap == pytest.approx(exact.gap, abs=1e-3)
    assert 1e-10 < state.residual < 1e-5


def test_a_gap_below_the_resolution_of_single_precision_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.setattr("nqs.exact.kernel.sectors.SINGLE", 100)
    monkeypatch.setattr("nqs.exact.kernel.sectors.LARGE", 100)
    state = solved(tmp_path, "kagome18", 0.4)
    assert not state.degenerate
    monkeypatch.setattr("nqs.exact.ground_state.SINGLE_DEGENERATE", 1.1 * state.gap / abs(state.energy))
    with pytest.raises(GroundStateError, match="degenerate"):
        solved(tmp_path, "kagome18", 0.4)


def test_larger_clusters_use_the_point_group():
    block = GroundStateBlock.model_validate({})
    assert block.symmetries_of(24) == ["translations", "spin_flip"]
    assert block.symmetries_of(36) == ["translations", "spin_flip", "point"]
    assert GroundStateBlock.model_validate({"symmetries": SYMMETRIES}).symmetries_of(36) == list(SYMMETRIES)
    assert GroundStateBlock.model_validate({"point_group_above": 30}).symmetries_of(30) == ["translations", "spin_flip"]


def test_lists_serve_all_couplings_and_sectors(tmp_path):
    build(cluster("kagome18"), tmp_path / "blocks.h5", backend="kernel")
    with h5py.File(tmp_path / "blocks.h5") as file:
        assert {"orbits", "j1", "j2"} <= set(file)
        assert not any("words" in file[key] for key in file if key.startswith("sector_"))
    with pytest.raises(InputError, match="unknown backend 'fast'"):
        build(cluster("kagome18"), tmp_path / "other.h5", backend="fast")
