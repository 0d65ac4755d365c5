"""Invented cells of variational Monte Carlo, in the files that the stage `vmc` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.analysis.rbm_ablation import Machine


@dataclass(frozen=True)
class Cell:
    """A cell and the names of its files in `folder`."""

    folder: Path
    n_sites: int
    alpha: int = 2
    mode: str = "paper"
    run: str = "sweep"

    def file(self, ending: str) -> Path:
        return self.folder / f"ring{self.n_sites}-rbm{self.alpha}-{self.mode}-{self.run}{ending}"


def random_machine(n_sites: int, n_hidden: int, seed: int = 0, scale: float = 0.4) -> Machine:
    """A machine with normal parameters."""
    rng = np.random.default_rng([n_sites, n_hidden, seed])
    return Machine(*(rng.normal(0, scale, shape) for shape in (n_sites, n_hidden, (n_hidden, n_sites))))


def tensors(machines: list[Machine], prefix: str = "") -> dict[str, np.ndarray]:
    """Parameters of several machines, as the weights file names them."""
    return {
        f"{prefix}visible_bias": np.stack([machine.visible for machine in machines]),
        f"{prefix}hidden_bias": np.stack([machine.hidden for machine in machines]),
        f"{prefix}weights": np.stack([machine.weights for machine in machines]),
    }


def model_rows(cell: Cell, statuses: list[str], exact_energy: float) -> pd.DataFrame:
    """The table of models; sampled errors grow with the repeat."""
    repeat = np.arange(len(statuses))
    return pd.DataFrame({
        "study": "mummaneni2026", "cluster": f"ring{cell.n_sites}", "n_sites": cell.n_sites, "alpha": cell.alpha,
        "n_hidden": cell.alpha * cell.n_sites, "mode": cell.mode, "run": cell.run, "repeat": repeat, "seed": repeat + 7,
        "status": statuses, "stopped_at": 30, "energy": exact_energy * (0.999 - 0.001 * repeat), "energy_error": 1e-3,
        "variance": 0.01 * cell.n_sites, "exact_energy": exact_energy, "relative_error": 0.001 * (1 + repeat),
        "acceptance": 0.3, "split_rhat": 1.0, "autocorrelation_time": 1.0, "n_distinct": 10, "cpu_s": 1.0,
        "wall_s": 1.0, "device": "cpu", "tolerance": 5e-4,
    })  # fmt: skip


def trace_rows(cell: Cell, repeats: int, iterations: int, exact_energy: float) -> pd.DataFrame:
    """Sampled energies that approach the exact one, with all weight at Sz = 0."""
    rows = []
    for repeat in range(repeats):
        for iteration in range(iterations):
            energy = exact_energy * (1 - np.exp(-iteration / 10) - 0.01 * repeat)
            weights = {f"sz_abs_{m}": np.float32(m == 0) for m in range(cell.n_sites // 2 + 1)}
            rows.append({"repeat": repeat, "iteration": iteration, "energy": energy, "variance": 0.1} | weights)
    return pd.DataFrame(rows)


def write_cell(
    cell: Cell,
    statuses: list[str],
    exact_energy: float,
    machines: list[Machine] | None = None,
    snapshots: dict[int, list[Machine]] | None = None,
) -> list[Machine]:
    """Write weights, models and trace of a cell; random machines unless given. Returns the machines."""
    machines = machines or [
        random_machine(cell.n_sites, cell.alpha * cell.n_sites, seed) for seed in range(len(statuses))
    ]
    content = tensors(machines)
    for iteration, kept in (snapshots or {}).items():
        content |= tensors(kept, f"snapshot_{iteration:05d}.")
    cell.folder.mkdir(parents=True, exist_ok=True)
    save_file(content, cell.file(".safetensors"), {"settings": json.dumps({"n_sites": cell.n_sites})})
    model_rows(cell, statuses, exact_energy).to_csv(cell.file("_models.csv"), index=False)
    trace_rows(cell, len(statuses), 30, exact_energy).to_parquet(cell.file("_trace.parquet"), index=False)
    return machines
