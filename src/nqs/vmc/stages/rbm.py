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
from nqs.runtime.device import choose
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.seeds import seed_of
from nqs.vmc import runs
from nqs.vmc.loop import TRACE_COLUMNS, Course, Problem, summary
from nqs.vmc.optimisers import OPTIMISERS
from nqs.vmc.runs import After, Checkpoints
from nqs.vmc.sampler import Chains, Exact, Sampler


def problem_of(settings: Mapping[str, Any], ground_state: Wavefunction) -> Problem:
    """The cell's Hamiltonian, ansatz, sampler and stopping rule."""
    n_sites = ground_state.n_sites
    hamiltonian = heisenberg(n_sites, ground_state.bonds["j1"], marshall=True)
    ansatz, optimiser = dict(settings["ansatz"]), dict(settings["optimiser"])
    return Problem(
        hamiltonian=hamiltonian,
        ansatz=Rbm(n_sites, ansatz["alpha"] * n_sites, ansatz["initial_std"]),
        sampler=sampler_of(settings["sampler"], hamiltonian),
        optimiser=OPTIMISERS[optimiser.pop("name")](**optimiser),
        shift=settings["shift"],
        exact_energy=ground_state.energy,
        tolerance=settings["tolerance"],
        max_iterations=settings["max_iterations"],
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
    problem = problem_of(settings, Wavefunction.read(ground_state))
    files = Checkpoints(checkpoints, json.dumps([settings, code], sort_keys=True), save_every)
    courses = train_all(settings, problem, files, device, threads)
    write_weights(out, settings, problem, courses)
    with atomic(trace) as temporary:
        trace_table(courses).to_parquet(temporary, index=False)
    table = model_table(settings, problem, courses, device)
    with atomic(models) as temporary:
        table.to_csv(temporary, index=False)
    files.clear()
    print(table.drop(columns=["study", "cluster", "mode", "run"]).to_string(index=False))


def train_all(
    settings: Mapping[str, Any], problem: Problem, checkpoints: Checkpoints, device: str, threads: int
) -> list[Course]:
    """All models to their end: `threads` side by side on the CPU, all at once on a GPU."""
    stack = partial(train_stack, device=device) if device == "cuda" else None
    return runs.train_all(settings, problem, checkpoints, threads, "vmc", stack)


def train_stack(courses: Sequence[Course], problem: Problem, after: After, device: str) -> None:
    """Restricted Boltzmann machines as one PyTorch program."""
    from nqs.vmc.gpu import rbm as gpu_rbm

    gpu_rbm.train(courses, problem, device, after)


def write_weights(out: Path, settings: Mapping[str, Any], problem: Problem, courses: Sequence[Course]) -> None:
    """Final parameters and snapshots of all models."""
    tensors = named(problem.ansatz, np.stack([course.theta for course in courses]))
    for iteration in sorted({iteration for course in courses for iteration in course.snapshots}):
        absent = np.full(problem.ansatz.n_parameters, np.nan)
        theta = np.stack([course.snapshots.get(iteration, absent) for course in courses])
        tensors |= {f"snapshot_{iteration:05d}.{name}": value for name, value in named(problem.ansatz, theta).items()}
    with atomic(out) as temporary:
        save_file(tensors, temporary, {"settings": json.dumps(settings, sort_keys=True)})


def named(ansatz: Any, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters (model, P) of the machine by name, weights as (model, unit, site)."""
    visible, hidden, weights = ansatz.split(theta)
    tensors = {"visible_bias": visible, "hidden_bias": hidden, "weights": weights.transpose(0, 2, 1)}
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}


def model_table(settings: Mapping[str, Any], problem: Problem, courses: Sequence[Course], device: str) -> pd.DataFrame:
    """One row per model."""
    key = settings["key"]
    shared = {
        "study": key["study"], "cluster": key["cluster"], "n_sites": problem.ansatz.n_sites, "alpha": key["alpha"],
        "n_hidden": key["alpha"] * problem.ansatz.n_sites, "mode": key["mode"], "run": key["run"],
        "tolerance": problem.tolerance,
    }  # fmt: skip
    rows = []
    for repeat, course in enumerate(courses):
        end = summary(course)
        error = abs(end["energy"] / problem.exact_energy - 1) if course.trace else np.nan
        seed = seed_of("vmc", key, repeat, settings["seed"])
        rows.append(
            shared | {"repeat": repeat, "seed": seed} | end
            | {"exact_energy": problem.exact_energy, "relative_error": error, "device": device}
        )  # fmt: skip
    return pd.DataFrame(rows)


def trace_table(courses: Sequence[Course]) -> pd.DataFrame:
    """One row per model and iteration; sz_abs_m is the sampled weight of |Sz| = m."""
    parts = []
    for repeat, course in enumerate(courses):
        rows = np.array(course.trace, dtype=np.float32)
        if not len(rows):
            continue
        names = [*TRACE_COLUMNS, *(f"sz_abs_{m}" for m in range(rows.shape[1] - len(TRACE_COLUMNS)))]
        table = pd.DataFrame(rows, columns=names)
        table.insert(0, "iteration", np.arange(len(rows), dtype=np.int32))
        table.insert(0, "repeat", np.int32(repeat))
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["repeat", "iteration"])


def stage(job: Job) -> None:
    """Optimise all networks of one cell by variational Monte Carlo."""
    run(
        job.settings, job.file("ground_state"), job.out("weights"), job.out("models"), job.out("trace"),
        checkpoints=job.checkpoints, device=job.device, threads=job.threads, code=job.code, save_every=job.save_every,
    )  # fmt: skip
