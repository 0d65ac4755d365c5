"""Stage `vmc`: train all models of one cell by variational Monte Carlo.

settings   the cell (cells.vmc_settings)
makes      weights.safetensors   visible_bias (model, N), hidden_bias (model, M), weights (model, M, N): the state whose
                                 energy met the criterion, or the last good one; snapshot_{iteration}.* along the way,
                                 NaN where a model had ended before
           models.csv            one row per model: its criterion, how it ended and its last sampled energy
           trace.parquet         one row per model and iteration

Models are independent. On the CPU they run side by side in threads (`nqs.vmc.runs`), on a GPU as one stack
(`nqs.vmc.gpu.rbm`). An interrupted cell goes on from its checkpoints with the same result. A model that breaks ends
alone; its row says why and at which iteration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.rbm import Rbm
from nqs.exact.eigenstate import Wavefunction
from nqs.model.hamiltonians import Hamiltonian, heisenberg
from nqs.model.moves import flips
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import choose
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.estimates import ENERGY_COLUMNS, SectorEstimates
from nqs.vmc.loop import Run, Task
from nqs.vmc.optimisers import OPTIMISERS
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.runs import After, repeat_seeds, trace_table, train_all
from nqs.vmc.sampler import Chains, Exact, Sampler


def task_of(settings: Mapping[str, Any], ground_state: Wavefunction) -> Task:
    """The cell's Hamiltonian, ansatz, sampler and stopping rule."""
    n_sites = ground_state.n_sites
    hamiltonian = heisenberg(n_sites, ground_state.bonds["j1"], marshall=True)
    ansatz, optimiser = dict(settings["ansatz"]), dict(settings["optimiser"])
    return Task(
        hamiltonian=hamiltonian,
        ansatz=Rbm(n_sites, ansatz["alpha"] * n_sites, ansatz["initial_std"]),
        sampler=sampler_of(settings["sampler"], hamiltonian),
        estimates=SectorEstimates(n_sites),
        preconditioner=StochasticReconfiguration(settings["shift"]),
        optimiser=OPTIMISERS[optimiser.pop("name")](**optimiser),
        max_iterations=settings["max_iterations"],
        criterion=EnergyCriterion(ground_state.energy, settings["tolerance"]),
        snapshots=frozenset(settings["snapshots"]),
    )


def sampler_of(settings: Mapping[str, Any], hamiltonian: Hamiltonian) -> Sampler:
    """Exact draws, single-spin flips, or the Hamiltonian's own moves, exchanges."""
    n_sites, samples = hamiltonian.n_sites, settings["samples"]
    if settings["rule"] == "exact":
        return Exact(n_sites, samples, settings["space"] == "zero")
    moves = hamiltonian.moves if settings["rule"] == "exchange" else flips(n_sites)
    return Chains(n_sites, samples, settings["chains"], settings["discard"], settings["sweeps"], moves)


def run(
    settings: Mapping[str, Any], ground_state: Path, out: Path, models: Path, trace: Path,
    checkpoints: Path | None = None, device: str = "cpu", threads: int = 1, code: str = "", save_every: float = 20.0,
) -> None:  # fmt: skip
    """Train the cell and write its three files; `code` (a hash) keeps checkpoints of other code from being used.

    device: auto, cpu or cuda; threads: models side by side on the CPU.
    """
    device = choose(device)
    task = task_of(settings, Wavefunction.read(ground_state))
    files = Checkpoints(checkpoints, json.dumps([settings, code], sort_keys=True), save_every)
    seeds = repeat_seeds("vmc", settings, settings["repeats"])
    stack = partial(train_stack, device=device) if device == "cuda" else None
    runs = train_all([task] * len(seeds), seeds, files, threads, "vmc", "model", stack)
    write_weights(out, settings, task, runs)
    with atomic(trace) as temporary:
        trace_table(runs, "repeat", np.float32).to_parquet(temporary, index=False)
    table = model_table(settings, task, seeds, runs, device)
    with atomic(models) as temporary:
        table.to_csv(temporary, index=False)
    files.clear()
    print(table.drop(columns=["study", "cluster", "mode", "run"]).to_string(index=False))


def train_stack(
    tasks: Sequence[Task], seeds: Sequence[int], stored: Sequence[Run | None], after: After, device: str
) -> Sequence[Run]:
    """Restricted Boltzmann machines as one PyTorch program."""
    from nqs.vmc.gpu import rbm as gpu_rbm

    runs = [old or Run.start(task, seed) for old, task, seed in zip(stored, tasks, seeds, strict=True)]
    gpu_rbm.train(runs, tasks[0], device, after)
    return runs


def write_weights(out: Path, settings: Mapping[str, Any], task: Task, runs: Sequence[Run]) -> None:
    """Final parameters and snapshots of all models."""
    tensors = named(task.ansatz, np.stack([run.theta for run in runs]))
    for iteration in sorted({iteration for run in runs for iteration in run.snapshots}):
        absent = np.full(task.ansatz.n_parameters, np.nan)
        theta = np.stack([run.snapshots.get(iteration, absent) for run in runs])
        tensors |= {f"snapshot_{iteration:05d}.{name}": value for name, value in named(task.ansatz, theta).items()}
    with atomic(out) as temporary:
        save_file(tensors, temporary, {"settings": json.dumps(settings, sort_keys=True)})


def named(ansatz: Any, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters (model, P) of the machine by name, weights as (model, unit, site)."""
    visible, hidden, weights = ansatz.split(theta)
    tensors = {"visible_bias": visible, "hidden_bias": hidden, "weights": weights.transpose(0, 2, 1)}
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}


def model_table(
    settings: Mapping[str, Any], task: Task, seeds: Sequence[int], runs: Sequence[Run], device: str
) -> pd.DataFrame:
    """One row per model."""
    key, criterion = settings["key"], task.criterion
    assert isinstance(criterion, EnergyCriterion)
    shared = {
        "study": key["study"], "cluster": key["cluster"], "n_sites": task.ansatz.n_sites, "alpha": key["alpha"],
        "n_hidden": key["alpha"] * task.ansatz.n_sites, "mode": key["mode"], "run": key["run"],
        "tolerance": criterion.tolerance,
    }  # fmt: skip
    rows = []
    for repeat, (seed, run) in enumerate(zip(seeds, runs, strict=True)):
        end = summary(run)
        error = abs(end["energy"] / criterion.exact_energy - 1) if run.trace else np.nan
        rows.append(
            shared | {"repeat": repeat, "seed": seed} | end
            | {"exact_energy": criterion.exact_energy, "relative_error": error, "device": device}
        )  # fmt: skip
    return pd.DataFrame(rows)


def summary(run: Run) -> dict[str, Any]:
    """What the table of models says about how a run ended."""
    last = dict(zip(ENERGY_COLUMNS, run.trace[-1], strict=False)) if run.trace else dict.fromkeys(ENERGY_COLUMNS)
    ended = {"status": run.status, "message": run.message, "stopped_at": run.iteration}
    return ended | last | {"cpu_s": round(run.cpu_s, 3), "wall_s": round(run.wall_s, 3)}


def stage(job: Job) -> None:
    """Optimise all networks of one cell by variational Monte Carlo."""
    run(
        job.settings, job.file("ground_state"), job.out("weights"), job.out("models"), job.out("trace"),
        checkpoints=job.checkpoints, device=job.device, threads=job.threads, code=job.code, save_every=job.save_every,
    )  # fmt: skip
