"""The benchmark against NetKet: what it times is a real continuation, and both programs compute the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
SETTINGS = {
    "n_sites": 4, "ansatz": {"name": "rbm", "alpha": 2, "initial_std": 0.01}, "shift": 1e-3,
    "sampler": {"rule": "flip", "space": "all", "chains": 16, "sweeps": 1, "discard": 5, "samples": 128},
    "optimiser": {"name": "adam", "learning_rate": 1e-3}, "tolerance": 1e-9, "max_iterations": 700, "snapshots": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import netket_rbm  # type: ignore[import-not-found]

        yield netket_rbm


@pytest.fixture(scope="module")
def state(benchmark, tmp_path_factory) -> Path:
    return benchmark.ground_state({**SETTINGS, "key": {"cluster": "ring4"}}, tmp_path_factory.mktemp("state"))


@pytest.fixture
def worker(benchmark, state, tmp_path):
    script = BENCHMARKS / "workers/with_nqs.py"
    log = tmp_path / "log"
    with benchmark.Worker(Path(sys.executable), script, log, json.dumps(SETTINGS), str(state)) as worker:
        yield worker


def test_worker_resumes_a_checkpoint(worker, tmp_path):
    course = worker("train", seed=3, folder=str(tmp_path))
    assert course["status"] == "cap"
    assert course["iterations"] == 700
    assert course["exact_energy"] == pytest.approx(-2)
    assert sorted(map(int, course["checkpoints"])) == list(range(20, 701, 20))  # 70 would be too many

    assert worker("load", checkpoint=course["checkpoints"]["100"], seed=0) == {"iteration": 100}
    worker("export", path=str(tmp_path / "before.npz"))
    assert worker("time", iterations=7)["cpu_s"] > 0
    worker("export", path=str(tmp_path / "after.npz"))
    before, after = np.load(tmp_path / "before.npz"), np.load(tmp_path / "after.npz")
    assert (before["iteration"], after["iteration"]) == (100, 107)
    moved = np.abs(after["theta.weights"] - before["theta.weights"]).max()
    assert 0 < moved < 0.02  # seven steps of at most about the learning rate
    assert set(np.unique(after["spins"])) <= {-1, 1}
    assert worker("memory")["memory_mb"] > 20


def test_worker_that_dies_says_why(worker):
    from workers.pipe import WorkerError  # type: ignore[import-not-found]

    with pytest.raises(WorkerError, match="FileNotFoundError"):
        worker("load", checkpoint="nowhere", seed=0)


def test_checkpoints_lie_in_the_middles_of_equal_parts(benchmark):
    files = {str(i): f"{i}.pickle" for i in range(10, 601, 10)}
    found = benchmark.evenly_spaced(files, 600)
    assert found == [f"{i}.pickle" for i in range(50, 600, 100)]


def cell(n_sites: int) -> dict[str, Any]:
    return {
        "n_sites": n_sites, "alpha": 2, "stop": "measured", "ours_iterations": [5, 7], "netket_iterations": [6],
        "ours_stop_s": 1.0, "netket_stop_s": 50.0, "ours_mb": 100.0, "netket_mb": 300.0,
    }  # fmt: skip


def test_table_takes_medians_of_rounds_and_means_of_cells(benchmark):
    cells = []
    for n_sites, netket, ours, cholesky in ((8, 40, 2, 60), (12, 80, 1, 20)):
        timings = [{"netket": [netket, netket, 9 * netket], "ours": [ours, 0, ours]}] * 2
        cells.append(cell(n_sites) | benchmark.per_iteration(timings, {"netket": [cholesky]}))
    *_, first, second, average, lowest = (
        [entry.strip() for entry in row.split("|")[1:-1]] for row in benchmark.table(cells).splitlines()
    )
    assert first[:9] == ["8", "2", "6 (2)", "6 (1)", "2.00", "40", "20.0", "40", "20.0"]
    assert second[4:9] == ["1.00", "80", "80.0", "20", "20.0"]
    assert (average[6], average[8], lowest[6]) == ("40.0", "20.0", "20.0")
    assert (average[11], average[14]) == ("50.0", "3.0")


def test_iterations_are_those_of_converged_networks(benchmark, tmp_path):
    (tmp_path / "ring8").mkdir()
    table = tmp_path / "ring8/rbm2-paper-sweep_models.csv"
    table.write_text("repeat,status,stopped_at\n0,converged,1800\n1,cap,6000\n2,converged,1900\n")
    assert benchmark.stored_iterations(tmp_path, cell(8)) == [1800, 1900]
    assert benchmark.stored_iterations(tmp_path, cell(12)) == benchmark.stored_iterations(None, cell(8)) == []


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv-bench/bin/python").exists(), reason="needs NetKet's environment")
def test_netket_finds_the_same_energies_and_gradients():
    command = [sys.executable, str(BENCHMARKS / "netket_rbm.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ok\n") == 6
