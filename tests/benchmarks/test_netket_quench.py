"""The benchmark of a quench against NetKet: our worker follows the exact state, its table takes the faster way."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.exact.evolution import evolved
from nqs.studies.kufel2024.systems import ising_ring
from nqs.vmc.tangent_space import Problem, infidelity

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SETTINGS = {"n_sites": 4, "alpha": 4, "field": 0.5, "spread": 0.05, "step": 0.01, "shift": 1e-8, "samples": 200}


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import netket_quench  # type: ignore[import-not-found]

        yield netket_quench


@pytest.fixture(scope="module")
def worker(benchmark, tmp_path_factory):
    script, log = BENCHMARKS / "workers/quench_with_nqs.py", tmp_path_factory.mktemp("worker") / "log"
    with benchmark.Worker(Path(sys.executable), script, log, json.dumps(SETTINGS)) as worker:
        yield worker


def test_worker_compares_its_trajectory_with_another(worker, tmp_path):
    start, other = str(tmp_path / "start.npz"), str(tmp_path / "other.npz")
    assert worker("export", path=start)["parameters"] == 84
    theta = np.load(start)["theta"]
    np.savez(other, thetas=np.repeat(theta[None], 10, axis=0))  # one that stands still
    worker("load", path=start, sums="exact")
    found = worker("course", steps=10, path=other)
    assert found["difference"] == pytest.approx(found["way"])
    assert found["way"] > 1e-3
    worker("load", path=start, sums="independent")
    assert worker("time", steps=3)["cpu_s"] > 0


def test_timed_steps_are_time_evolution(benchmark, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS / "workers")
    import quench_with_nqs  # type: ignore[import-not-found]

    case = quench_with_nqs.Case(json.dumps(SETTINGS))
    case.export(str(tmp_path / "start.npz"))
    case.load(str(tmp_path / "start.npz"), "exact")
    problem, family = Problem.of(ising_ring(4, 0.5)), ComplexRbm.full(4, 16)
    begin = problem.amplitudes(family.at(case.theta))
    case.time(30)
    truth = evolved(problem.h, begin, np.array([0, 0.3]))[-1]
    assert infidelity(problem.amplitudes(family.at(case.theta)), truth) < 1e-4 < infidelity(begin, truth)


def test_table_takes_the_faster_way(benchmark):
    row = {
        "n_sites": 12, "parameters": 324, "sums": "exact", "ours_s": [0.1, 0.3, 0.2], "ours_mb": 200, "netket_mb": 600,
        "netket_s": {"exact, cholesky": [1.0, 3.0, 2.0], "exact, gradients": [5.0, 6.0, 7.0]},
        "difference": 1e-13, "way": 0.3,
    }  # fmt: skip
    *_, line = benchmark.table([row]).splitlines()
    assert line == "| 12 | 324 | exact | 200.0 | 2000 | exact, cholesky | 10.0 | 200 | 600 | 1e-13 of 0.3 |"
