"""Screening of sectors against their exact lowest levels, against the search without it, and after an interruption."""

import h5py
import numpy as np
import pytest

from nqs.exact.blocks import SYMMETRIES, build
from nqs.exact.ground_state import find_levels, gap_tolerance
from nqs.exact.kernel import screening
from nqs.exact.kernel.screening import Group, Level, ScreenedRun, contenders
from nqs.exact.lanczos import Lanczos
from nqs.exact.sectors import open_sectors
from nqs.model.hamiltonians import j1j2_couplings
from nqs.model.lattices import cluster


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """Hamiltonian file of a cluster by the kernel, built once per module."""
    folder = tmp_path_factory.mktemp("hamiltonian")

    def path_of(name, symmetries=2):
        path = folder / f"{name}_{symmetries}.h5"
        if not path.exists():
            build(cluster(name), path, SYMMETRIES[:symmetries], "kernel")
        return path

    return path_of


@pytest.fixture
def opened(blocks, tmp_path):
    """Function that opens the sectors of a cluster at one coupling."""
    stack = []

    def open_at(name, j2, symmetries=2, threads=1, folder=tmp_path):
        file = h5py.File(blocks(name, symmetries))
        context = open_sectors(file, j1j2_couplings(j2), folder, "same", threads)
        stack.append((file, context))
        return context.__enter__()

    yield open_at
    for file, context in stack:
        context.__exit__(None, None, None)
        file.close()


def lowest_levels_of_sectors(sectors):
    """Exact lowest level of each sector, from the dense matrix."""
    found = {}
    for name in sectors.names:
        apply = sectors.apply(name)
        present = np.setdiff1d(np.arange(len(sectors.orbits.sizes)), sectors.absent(name))
        identity = np.eye(len(sectors.orbits.sizes))[present]
        found[name] = np.linalg.eigvalsh(np.array([apply(row)[present] for row in identity]))[0]
    return found


@pytest.mark.parametrize(("name", "symmetries"), [("square16", 3), ("kagome18", 2), ("triangle16", 3)])
def test_products_of_all_sectors_at_once_equal_single_ones(name, symmetries, opened):
    sectors = opened(name, 0.6, symmetries)
    lanes, beta = sectors.lanes(sectors.names), np.linspace(0.5, 2, len(sectors.names))
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((len(sectors.orbits.sizes), len(beta))).astype(np.float32) for _ in range(2))
    for lane, name_ in enumerate(sectors.names):
        x[sectors.absent(name_), lane] = y[sectors.absent(name_), lane] = 0
    before, own = y.copy(), x.copy()
    lanes.recur(x, y, beta)
    np.testing.assert_array_equal(x, own)
    for lane, name_ in enumerate(sectors.names):
        expected = sectors.apply(name_, np.float64)(x[:, lane].astype(np.float64)) - beta[lane] * before[:, lane]
        np.testing.assert_allclose(y[:, lane], expected, atol=3e-5)


def test_lanes_and_threads_do_not_change_a_bit(opened):
    sectors = opened("kagome18", 0.6)
    one, two = sectors.lanes(sectors.names[:3]), opened("kagome18", 0.6, threads=2).lanes(sectors.names[:3])
    rng = np.random.default_rng(0)
    x, a = (rng.standard_normal((len(sectors.orbits.sizes), 3)).astype(np.float32) for _ in range(2))
    b = a.copy()
    one.recur(x, a, np.ones(3))
    two.recur(x, b, np.ones(3))
    np.testing.assert_array_equal(a, b)


BOUNDED = [
    *[("kagome12", j2, n) for j2 in (0.0, 0.4, 0.8, 1.0, 1.5) for n in (2, 3)],
    *[("square16", j2, 3) for j2 in (0.0, 0.5, 0.6, 1.0)],
    *[("triangle16", j2, 3) for j2 in (0.5, 1.0, 1.2)],
    ("triangle16", 1.0, 2),
    *[("ring14", j2, 2) for j2 in (0.0, 0.3, 0.5)],
]


@pytest.mark.parametrize(("name", "j2", "symmetries"), BOUNDED)
def test_screening_bounds_the_level_of_every_sector(name, j2, symmetries, opened):
    """Ritz values lie above and bounds below; sectors smaller than the number of steps are exact."""
    sectors = opened(name, j2, symmetries)
    exact = lowest_levels_of_sectors(sectors)
    assert set(exact) == set(sectors.screened)
    for key, level in sectors.screened.items():
        assert level.bound <= exact[key] <= level.energy + 1e-4, key
        if sectors.dimension(key) <= screening.STEPS // 2:
            assert level.energy == pytest.approx(exact[key], abs=1e-4)
    lowest = min(exact, key=lambda key: exact[key])
    found = find_levels(sectors, 1e-9)
    assert found.energy == pytest.approx(exact[lowest], abs=1e-9)
    assert found.gap < 1e-6 or found.sector == lowest


def test_bounds_hold_while_a_recurrence_rests_on_the_second_level(opened, tmp_path):
    """triangle16, J2 = 1: the start vector has little of the lowest level, 0.058 below the second one."""
    sectors = opened("triangle16", 1.0)
    exact = lowest_levels_of_sectors(sectors)["sector_00"]
    assert exact == pytest.approx(-8.55551, abs=1e-5)
    start = sectors.start("sector_00", 0).astype(np.float32)
    group = Group(["sector_00"], tmp_path / "group.npz", "")
    start = start / np.linalg.norm(start), np.zeros_like(start)
    group.begin({"sector_00": start}, group.alphas, group.betas)
    group.extend(sectors.lanes(["sector_00"]), 60)
    levels = [group.levels(steps, len(sectors.orbits.sizes))["sector_00"] for steps in range(5, 61)]
    assert all(level.bound <= exact for level in levels)
    assert any(level.energy - exact > 1.5 * level.residual**0.5 for level in levels)  # what looks converged is not
    assert levels[-1].energy == pytest.approx(exact, abs=1e-5)
    assert levels[-1].bound > exact - 0.1


@pytest.mark.parametrize(("name", "j2"), [("kagome18", 0.8), ("square16", 0.6), ("triangle16", 1.2)])
def test_groups_of_few_lanes_find_the_same_two_levels(name, j2, opened, tmp_path, monkeypatch):
    whole = opened(name, j2, folder=tmp_path / "whole").screened
    monkeypatch.setattr(screening, "MOST_LANES", 3)
    parts = opened(name, j2, folder=tmp_path / "parts").screened
    assert whole.keys() == parts.keys()
    for key in sorted(whole, key=lambda key: whole[key].energy)[:2]:
        assert parts[key].energy == pytest.approx(whole[key].energy, abs=5e-4)  # residuals of up to RESIDUAL


@pytest.mark.parametrize("symmetries", [2, 3])
@pytest.mark.parametrize(("name", "j2"), [("square16", 0.6), ("triangle16", 1.2), ("kagome18", 0.4), ("kagome18", 0.8)])
def test_screening_changes_no_ground_state(name, j2, symmetries, opened, tmp_path):
    assert_screening_changes_nothing(name, j2, symmetries, opened, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("symmetries", [2, 3])
@pytest.mark.parametrize(
    ("name", "j2"),
    [
        *[("square24", j2) for j2 in (0.0, 0.5, 0.55, 0.6, 1.0)],
        *[("triangle24", j2) for j2 in (0.0, 0.8, 1.0, 1.3)],
        *[("kagome24", j2) for j2 in (0.0, 0.4, 0.5, 0.52, 0.525, 0.7, 0.8, 1.0)],
    ],
)
def test_screening_changes_no_ground_state_at_24_sites(name, j2, symmetries, opened, tmp_path):
    assert_screening_changes_nothing(name, j2, symmetries, opened, tmp_path)


def assert_screening_changes_nothing(name, j2, symmetries, opened, tmp_path):
    """Same sector, energy and gap as by the search among sectors of which nothing is known."""
    screened = find_levels(opened(name, j2, symmetries, folder=tmp_path / "screened"), 1e-10)
    sectors = opened(name, j2, symmetries, folder=tmp_path / "full")
    sectors.__dict__["screened"] = {}
    full = find_levels(sectors, 1e-10)
    assert screened.sector == full.sector
    assert screened.energy == pytest.approx(full.energy, abs=1e-9)
    assert screened.gap == pytest.approx(full.gap, abs=1e-6)


class Killed(Exception):
    """What ends the screening in the test below."""


@pytest.mark.parametrize("most_lanes", [2, 16])
def test_an_interrupted_screening_goes_on(most_lanes, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(screening, "MOST_LANES", most_lanes)
    extend, calls = Group.extend, []

    def counted(group, lanes, steps):
        calls.append(group.file.name)
        if len(calls) == last:
            raise Killed
        extend(group, lanes, steps)

    monkeypatch.setattr(Group, "extend", counted)
    last = -1
    whole = opened("kagome18", 0.8, folder=tmp_path / "whole").screened
    total = len(calls)
    for last in (2, total - 1, total):
        calls.clear()
        folder = tmp_path / f"killed{last}"
        with pytest.raises(Killed):
            _ = opened("kagome18", 0.8, folder=folder).screened
        calls.clear()
        again = last
        last = -1
        assert opened("kagome18", 0.8, folder=folder).screened == whole
        assert len(calls) == total - (again - 1)  # what was done before is not done again


def test_files_of_another_search_are_not_used(tmp_path):
    def group(identity):
        return Group(["a"], tmp_path / "group.npz", identity)

    class Diagonal:
        """H = diag(0, 1, 2) in one lane."""

        threads = 1

        def recur(self, x, y, beta):
            y[:] = np.arange(3.0)[:, None] * x - beta * y

    first = group("one")
    start = np.full(3, 3**-0.5), np.zeros(3)
    first.begin({"a": start}, first.alphas, first.betas)
    first.extend(Diagonal(), 5)
    assert first.levels(5, 3)["a"].energy == pytest.approx(0, abs=1e-12)  # the space ends after three steps
    assert group("one").steps == 5
    assert group("other").steps == 0


def test_contenders_are_those_that_may_hold_the_lowest_two_levels():
    known = {"best": Level(-10, 1e-3, -10.5), "second": Level(-9.5, 1e-3, -9.7), "far": Level(-5, 0.5, -9)}
    assert contenders(known) == []
    assert contenders({**known, "open": Level(-9, 0.5, -9.6)}) == ["open"]
    assert contenders({**known, "near": Level(-9.99, 5e-3, -10.01)}) == ["near"]  # lowest or not?
    assert contenders({**known, "second": Level(-9.5, 1e-3, -9.8)}) == ["second"]  # may be a closer level
    assert contenders({"best": Level(-10, 0.5, -11), "other": Level(-5, 0.5, -11)}) == ["best", "other"]
    assert contenders({"only": Level(-10, 0.5, -11)}) == ["only"]


def diagonal_run(levels):
    return Lanczos(np.random.default_rng(3).standard_normal(len(levels))), lambda x: np.asarray(levels) * x


def test_a_converged_run_replaces_the_screening():
    """Whose energy has errors of rounding, here downwards."""
    levels = np.linspace(-2, 2, 40)
    run, apply = diagonal_run(levels)
    screened = ScreenedRun(Level(-2 - 1e-7, 1e-3, -2.1), lambda: run, begun=False)
    assert (screened.energy, screened.bound(1e-2), screened.bound(1e-4)) == (-2 - 1e-7, -2 - 1e-7, -2.1)
    for _ in range(20):
        screened.extend(apply)
    assert screened.residual == run.residual < 1e-9
    assert screened.energy == pytest.approx(-2, abs=1e-12)


def test_residuals_that_a_gap_needs():
    def of(energy, below, dtype=np.float64, large=True):
        run, _ = diagonal_run([0, 1])
        run.energy, run.below, run.residual = energy, below, 1e-3
        return gap_tolerance(run, -10, dtype, large)

    assert of(-9, -9.4) == 1e-2
    assert of(-9, -9.6) == 1e-4  # a level in the lower half of the gap is not excluded
    assert of(-9.99, -9.99) == 1e-4
    assert of(-10 + 3e-8, -10) == 1e-6
    assert of(-10 + 3e-8, -10, np.float32) == 1e-4  # all that float32 allows; such a gap counts as none
    assert of(-9, -9.4, large=False) == 1e-4
    assert of(-9, -9.6, large=False) == 1e-6
