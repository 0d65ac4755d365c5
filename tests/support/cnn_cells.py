"""Small cells of study ju2025, trained here and in the files that the stages `motif-vmc` and `motif-optima` write."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import MotifTable
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.exact.transfer_matrix import measure
from nqs.vmc.convergence import convergence
from nqs.vmc.estimates import energy_of
from nqs.vmc.loop import Run, Task
from nqs.vmc.loop import train as train_run
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task

CHAINS = 100


def ground_energies(n_sites: int) -> dict[str, float]:
    """Energies of the ground state and of the lowest triplet, of sum P."""
    found = heisenberg_energies(n_sites)
    levels = {"ground_energy": found.ground, "triplet_energy": found.triplet}
    return {name: permutation_energy(energy, n_sites) for name, energy in levels.items()}


def train(
    folder: Path, network: ShallowCnn, settings: Sequence[tuple[float, int]], seeds: Sequence[int],
    iterations: int = 40, samples: int = 1000, kept: Sequence[int] = (), kind: str = "trace",
) -> Path:  # fmt: skip
    """Train a cell, one run per setting (learning rate, steps) and seed; returns the stem of its files."""
    n_sites, width = network.n_sites, network.width
    stem = folder / f"n{n_sites}" / f"k{width}-{network.forcing}-{kind}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    rows, traces, finals, snapshots = [], [], [], []
    for run, ((rate, steps), seed) in enumerate(product(settings, seeds)):
        sampler = RingSampler(n_sites, samples, CHAINS)
        problem = ring_task(network, sampler, Adam(rate), steps, iterations, kept)
        course = train_run(Run.start(problem, seed), problem)
        rows.append(identity(network, kind, run, seed, rate, steps) | outcome(course, problem))
        trace = pd.DataFrame(course.trace, columns=list(course.columns))
        traces.append(trace.assign(run=run, iteration=np.arange(len(trace))))
        finals.append(course.theta)
        snapshots.append([course.snapshots[iteration] for iteration in kept])
    pd.DataFrame(rows).to_csv(f"{stem}_runs.csv", index=False)
    pd.concat(traces, ignore_index=True).to_parquet(f"{stem}_trace.parquet")
    arrays = {"parameters": np.array(finals)}
    if kept:
        arrays |= {"snapshots": np.array(snapshots), "snapshot_iterations": np.array(kept)}
    save_file(arrays, f"{stem}.safetensors")
    return stem


def identity(network: ShallowCnn, kind: str, run: int, seed: int, rate: float, steps: int) -> dict[str, object]:
    return {
        "study": "ju2025", "n_sites": network.n_sites, "width": network.width, "network": network.forcing,
        "run_kind": kind, "run": run, "seed": seed, "learning_rate": rate, "steps": steps,
        "n_parameters": network.n_parameters,
    }  # fmt: skip


def outcome(course: Run, problem: Task) -> dict[str, object]:
    """What the table of runs says of one, with the energy of a fresh sample at the final parameters."""
    network, rng = problem.ansatz, np.random.default_rng(1)
    assert isinstance(network, ShallowCnn)
    wave = network.at(course.theta)
    sample = problem.sampler.draw(wave, course.chains, rng)
    energy, error, variance, _ = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
    exact = np.nan
    if isinstance(wave, MotifTable) and 2 * network.width <= network.n_sites and network.width <= 6:
        exact = measure(network.n_sites, wave.motifs).energy
    found = {window: convergence(course.column("energy"), course.column("energy_error"), window) for window in (5, 10)}
    last = dict(zip(course.columns, course.trace[-1], strict=True))
    ended = {"status": course.status, "message": course.message, "iterations": course.iteration}
    spent = {"updates": course.updates, "cpu_s": round(course.cpu_s, 3)}
    return ended | last | spent | ground_energies(network.n_sites) | {
        "energy": energy, "energy_error": error, "variance": variance, "exact_energy": exact,
        "stuck": bool(course.column("stuck")[-1]),
        "samples": problem.sampler.samples, "why_constant": network.why_constant(course.theta),
        **{f"t_cv_{window}": one.iteration for window, one in found.items()},
        **{f"reached_{window}": one.reached for window, one in found.items()},
        **{f"noise_{window}": one.noise for window, one in found.items()},
    }  # fmt: skip


def optima(folder: Path, n_sites: int, width: int, excess: dict[str, Sequence[float]]) -> Path:
    """A table of optima with these energies above the ground state by family."""
    levels = ground_energies(n_sites)
    rows = [
        {
            "n_sites": n_sites,
            "width": width,
            "family": family,
            "start": start,
            "energy": levels["ground_energy"] + above,
            "slope": 1e-7,
            "converged": True,
        }
        for family, values in excess.items()
        for start, above in enumerate(values)
    ]
    path = folder / f"n{n_sites}" / f"k{width}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).assign(**levels).to_csv(path, index=False)
    return path


def invented_runs(folder: Path, cells: Sequence[tuple[int, int, str, str]], seeds: int = 3) -> list[Path]:
    """Tables of runs of invented cells (sites, width, network, kind); every third run of "original" is stuck."""
    paths = []
    for n_sites, width, network, kind in cells:
        rng = np.random.default_rng([n_sites, width, len(network)])
        levels = ground_energies(n_sites)
        layers, filters = (int(network[4]), int(network[6])) if network.startswith("deep") else (1, 1)
        n_parameters = (
            filters * (2 * width + 2) + (layers - 1) * filters * (filters * width + 1) if layers > 1 else 2 * width + 2
        )
        stuck = np.array([network == "original" and seed % 3 == 2 for seed in range(seeds)])
        excess = np.where(stuck, -levels["ground_energy"] - 1, n_sites * 0.2 / width**2 * rng.uniform(1, 1.3, seeds))
        rows = pd.DataFrame({
            "study": "ju2025", "n_sites": n_sites, "width": width, "network": network, "run_kind": kind,
            "run": np.arange(seeds), "seed": 100 * width + np.arange(seeds), "learning_rate": 0.01, "steps": 10,
            "n_parameters": n_parameters, "status": "cap", "iterations": 500, "stuck": stuck,
            "why_constant": np.where(stuck, "linear", ""), "energy": levels["ground_energy"] + excess,
            "energy_error": 0.01, "variance": 3.0, "autocorrelation_time": 1.1, "samples": 2000,
            "exact_energy": levels["ground_energy"] + excess if width <= 6 and layers == 1 else np.nan,
            "t_cv_5": rng.integers(30, 300, seeds), "t_cv_10": rng.integers(60, 400, seeds),
            "reached_5": np.arange(seeds) > 0, "reached_10": True,
            "noise_5": 3e-4 * rng.uniform(1, 2, seeds) / width, "noise_10": 2e-4 / width, **levels,
        })  # fmt: skip
        path = folder / f"n{n_sites}" / f"k{width}-{network}-{kind}_runs.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(path, index=False)
        paths.append(path)
    return paths
