"""Stage `motif-vmc`: train all runs of one cell of energy descent on a ring.

settings   the cell (cells_ju2025.motif_settings); a final or single-chain cell takes its learning rate and steps per
           sample from the table of runs of its search
makes      weights.safetensors   parameters (run, P) at the end; traces also snapshots (run, kept, P) and
                                 snapshot_iterations (kept,), a run that ended early repeating its last parameters;
                                 metadata: key, settings
           runs.csv              one row per run: its setting, how it ended, energies at its final parameters
           trace.parquet         one row per run and iteration

The runs of a cell are its settings times its repeats. A repeat has one seed, whatever the setting and the symmetry
forcing, so they start from the same parameters, but for what the forcing changes. A run whose psi is constant at the
end is marked as stuck and kept like any other. Runs train side by side in threads, or on a GPU all at once
(`nqs.vmc.gpu.ring`); an interrupted cell goes on from its checkpoints with the same result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.ring_protocol import Forcing, RingAnsatz
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import TABLE_SITES
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import choose
from nqs.runtime.errors import InputError
from nqs.runtime.file_faults import damaged
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.seeds import seed_of
from nqs.runtime.tables import read_table
from nqs.vmc.estimates import MANY_CHAINS
from nqs.vmc.keys import MotifKey
from nqs.vmc.loop import Run, Task
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_choice import SETTING, chosen
from nqs.vmc.ring_evaluation import Setting, Trial, runs_table
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task
from nqs.vmc.runs import After, trace_table, train_all


def run(
    settings: Mapping[str, Any], out: Path, runs: Path, trace: Path, search: Path | None = None,
    checkpoints: Path | None = None, device: str = "cpu", threads: int = 1, code: str = "", save_every: float = 20.0,
) -> None:  # fmt: skip
    """Train the cell and write its three files; `code` (a hash) keeps checkpoints of other code from being used.

    search: runs.csv of the search, for cells without settings of their own;  device: auto, cpu or cuda;  threads: runs
    side by side on the CPU.
    """
    device = choose(device)
    cell = trials_of(settings, search)
    if isinstance(cell[0].task.ansatz, ShallowCnn) and not cell[0].task.ansatz.tabulated:
        print(
            f"K = {cell[0].task.ansatz.width}: too wide for a table of motifs, evaluated window by window",
            file=sys.stderr,
        )
    if device == "cuda" and (reason := why_not_batched(cell[0].task)):
        print(f"device: cuda: {reason}; the cell trains on the CPU", file=sys.stderr)
        device = "cpu"
    identity = json.dumps([settings, [vars(one.setting) for one in cell], code], sort_keys=True)
    files = Checkpoints(checkpoints, identity, save_every)
    tasks, seeds = [one.task for one in cell], [one.seed for one in cell]
    stack = partial(train_stack, device=device) if device == "cuda" else None
    trained = train_all(tasks, seeds, files, threads, "motif-vmc", stack=stack)
    with atomic(out) as temporary:
        save_file(weights(cell[0].task, trained), temporary, metadata(settings))
    with atomic(trace) as temporary:
        trace_table(trained).to_parquet(temporary, index=False)
    table = runs_table(settings, cell, trained, device)
    with atomic(runs) as temporary:
        table.to_csv(temporary, index=False)
    files.clear()
    shown = ["learning_rate", "steps", "status", "iterations", "stuck", "energy", "energy_error", "t_cv_5", "cpu_s"]
    print(table[shown].to_string(index=False))


def trials_of(settings: Mapping[str, Any], search: Path | None) -> list[Trial]:
    """The trials of a cell: settings as given or chosen, each with every repeat; InputError without the search."""
    ansatz = ansatz_of(MotifKey(**settings["key"]))
    sampler = RingSampler(ansatz.n_sites, **settings["sampler"])
    if settings["learning_rates"] is not None:
        grid = [Setting(rate, steps) for rate in settings["learning_rates"] for steps in settings["steps"]]
    elif search is None:
        raise InputError("this cell takes its settings from a search; give the table of its runs as --search")
    else:
        grid = [chosen(read_search(search))]
    return [
        Trial(setting, run_seed(settings, repeat), ring_task(
            ansatz, sampler, Adam(setting.learning_rate), setting.steps, settings["iterations"],
            frozenset(settings["snapshots"]),
        ))
        for setting in grid
        for repeat in range(settings["repeats"])
    ]  # fmt: skip


def ansatz_of(key: MotifKey) -> RingAnsatz:
    """The network of a cell."""
    if key.deep:  # imported by name, so that the code of shallow cells does not depend on it
        return cast(RingAnsatz, import_module("nqs.ansatz.deep_cnn").DeepCnn(key.n_sites, key.width, *key.depth))
    return ShallowCnn(key.n_sites, key.width, cast(Forcing, key.network))


def why_not_batched(task: Task) -> str:
    """Why the runs of a cell cannot train on a GPU all at once, or "" if they can."""
    if not isinstance(task.ansatz, ShallowCnn):
        return "deep networks have no batched program"
    if not task.ansatz.tabulated:
        return f"K = {task.ansatz.width} is above {TABLE_SITES}, too wide for tables of motifs"
    if task.sampler.chains < MANY_CHAINS:
        return f"{task.sampler.chains} chains are too few to advance side by side"
    return "" if task.sampler.proposals == "pair" else "the batched program exchanges pairs, not neighbours"


def run_seed(settings: Mapping[str, Any], repeat: int) -> int:
    """Seed of a repeat: the same for all settings and all symmetry forcings."""
    key = MotifKey(**settings["key"])
    family = key.network if key.deep else "shallow"
    return seed_of("motif_vmc", key.study, key.n_sites, key.width, family, key.run, repeat, settings["seed"])


def read_search(path: Path) -> pd.DataFrame:
    """The runs of a search; BrokenFileError if some are missing: every setting has as many."""
    table = read_table(path, ["run", "n_sites", *SETTING, "status", "stuck", "energy", "energy_error"])
    sizes = table.groupby(SETTING).size()
    if sizes.nunique() != 1 or (table.run != range(len(table))).any():
        raise damaged(path, "lacks runs: its settings have different numbers of them")
    return table


def train_stack(
    tasks: Sequence[Task], seeds: Sequence[int], stored: Sequence[Run | None], after: After, device: str
) -> Sequence[Run]:
    """Shallow networks as one PyTorch program."""
    from nqs.vmc.gpu import ring as gpu_ring

    return gpu_ring.train(tasks, seeds, stored, device, after)


def weights(task: Task, runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Final parameters, and those kept along the way."""
    tensors = {"parameters": np.stack([run.theta for run in runs])}
    if kept := sorted(task.snapshots):
        tensors["snapshots"] = np.stack([[at(run, iteration) for iteration in kept] for run in runs])
        tensors["snapshot_iterations"] = np.array(kept, dtype=np.int64)
    return tensors


def at(run: Run, iteration: int) -> np.ndarray:
    """Parameters kept at an iteration, the last ones if the run had ended before."""
    return run.snapshots.get(iteration, run.theta)


def metadata(settings: Mapping[str, Any]) -> dict[str, str]:
    """Metadata of a file of weights."""
    return {
        name: json.dumps(value, sort_keys=True) for name, value in (("key", settings["key"]), ("settings", settings))
    }


def stage(job: Job) -> None:
    """Train all runs of one cell by energy descent on a ring; input `search`: the runs to take the setting from."""
    search = job.file("search") if job.inputs.get("search") else None
    run(
        job.settings, job.out("weights"), job.out("runs"), job.out("trace"),
        search=search, checkpoints=job.checkpoints, device=job.device, threads=job.threads, code=job.code,
        save_every=job.save_every,
    )  # fmt: skip
