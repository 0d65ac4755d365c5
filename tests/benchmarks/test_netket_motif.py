"""The benchmark of the convolutional network against NetKet: real continuations, and both programs compute the same."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import pack_spins

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
SETTINGS = {"n_sites": 8, "width": 3, "samples": 400, "chains": 100, "learning_rate": 1e-2, "settling": 20}


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import netket_motif  # type: ignore[import-not-found]

        yield netket_motif


@pytest.fixture(scope="module")
def worker(benchmark, tmp_path_factory):
    script, log = BENCHMARKS / "workers/motif_with_nqs.py", tmp_path_factory.mktemp("worker") / "log"
    with benchmark.Worker(Path(sys.executable), script, log, json.dumps(SETTINGS)) as worker:
        yield worker


def test_worker_goes_on_from_a_trained_network(worker, tmp_path):
    start = worker("export", path=str(tmp_path / "before.npz"))
    assert worker("time", iterations=3)["cpu_s"] > 0
    assert worker("time", iterations=2, stride=8)["cpu_s"] > 0
    worker("export", path=str(tmp_path / "after.npz"))
    before, after = np.load(tmp_path / "before.npz"), np.load(tmp_path / "after.npz")
    assert (before["iteration"], after["iteration"]) == (21, 26)
    assert 0 < np.abs(after["theta"] - before["theta"]).max() < 0.1
    assert after["spins"].shape == (100, 8)
    assert (after["spins"].sum(axis=1) == 0).all()
    assert start["energy"] < 0
    assert worker("memory")["memory_mb"] > 20


def test_worker_compares_energy_and_gradient_on_the_same_sample(worker, tmp_path):
    worker("export", path=str(tmp_path / "now.npz"))
    now = np.load(tmp_path / "now.npz")
    family, states = ShallowCnn(8, 3), pack_spins(now["spins"])
    energies = family.at(now["theta"]).ring_energies(states)
    slopes = np.array([family.at(now["theta"]).derivatives(states[[i]]).backward(np.ones(1)) for i in range(100)])
    gradient = 2 * (slopes * (energies - energies.mean())[:, None]).mean(axis=0)
    np.savez(tmp_path / "same.npz", samples=now["spins"], energy=energies.mean(), gradient=gradient)
    np.savez(tmp_path / "other.npz", samples=now["spins"], energy=1.1 * energies.mean(), gradient=2 * gradient)
    same, other = (worker("compare", path=str(tmp_path / f"{name}.npz")) for name in ("same", "other"))
    assert max(same.values()) < 1e-12
    assert other == {"energy": pytest.approx(0.1), "gradient": pytest.approx(1.0)}


def agreement(pull: float = 1.0, gradient: float = 1e-12) -> dict[str, Any]:
    energy = {"energy": -55.12345, "error": 0.0123}
    return {
        "energy_pull": pull, "same_energy": 1e-15, "same_gradient": gradient,
        "ours_energy": energy, "netket_energy": energy,
    }  # fmt: skip


def test_programs_that_differ_are_told(benchmark):
    assert benchmark.agrees(agreement())
    assert not benchmark.agrees(agreement(pull=5.0))
    assert not benchmark.agrees(agreement(gradient=1e-3))
    assert not benchmark.agrees(agreement(gradient=float("nan")))


def test_table_takes_medians_of_rounds_and_the_fastest_way(benchmark):
    row = {
        "n_sites": 240, "width": 6, "ours_s": [0.01, 0.02, 0.5], "ours_full_s": [0.04],
        "ours_mb": 160, "netket_mb": 1200,
        "netket_s": {"convolution-jax": [2.0, 2.0, 9.0], "rolls-jax": [1.0, 1.2, 0.1]},
        "convolution-jax": agreement(), "rolls-jax": agreement(gradient=3e-13),
    }  # fmt: skip
    entries = [entry.strip() for entry in benchmark.table([row]).splitlines()[-1].split("|")[1:-1]]
    assert entries[:8] == ["240", "6", "20.0", "2.00", "1.00", "50", "40.0", "25"]
    assert entries[8:] == ["160", "1200", "-55.123 ± 0.012", "-55.123 ± 0.012", "3e-13"]


def test_both_workers_get_the_same_settings(benchmark):
    given = benchmark.arguments().parse_args([])
    assert isinstance(given, Namespace)
    settings = benchmark.settings_of(240, 6, given)
    assert settings.keys() == SETTINGS.keys()
    assert (settings["samples"], settings["chains"]) == (20_000, 500)


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv-bench/bin/python").exists(), reason="needs NetKet's environment")
def test_netket_finds_the_same_energies_and_gradients():
    command = [sys.executable, str(BENCHMARKS / "netket_motif.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ok\n") == 3
