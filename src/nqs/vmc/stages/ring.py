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
import threading
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
from nqs.runtime.checkpoints import ArrayFiles
from nqs.runtime.device import choose
from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.runtime.threads import in_threads
from nqs.vmc.keys import MotifKey
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_descent import MANY_CHAINS, TRACE_COLUMNS, Course, Problem, RingSampler, descend
from nqs.vmc.ring_evaluation import Run, Setting, runs_table


def run(
    settings: Mapping[str, Any], out: Path, runs: Path, trace: Path, search: Path | None = None,
    checkpoints: Path | None = None, device: str = "cpu", threads: int = 1, code: str = "", save_every: float = 20.0,
) -> None:  # fmt: skip
    """Train the cell and write its three files; `code` (a hash) keeps checkpoints of other code from being used.

    search: runs.csv of the search, for cells without settings of their own;  device: auto, cpu or cuda;  threads: runs
    side by side on the CPU.
    """
    device = choose(device)
    cell = runs_of(settings, search)
    if isinstance(cell[0].problem.ansatz, ShallowCnn) and not cell[0].problem.ansatz.tabulated:
        print(
            f"K = {cell[0].problem.ansatz.width}: too wide for a table of motifs, evaluated window by window",
            file=sys.stderr,
        )
    if device == "cuda" and (reason := why_not_batched(cell[0].problem)):
        print(f"device: cuda: {reason}; the cell trains on the CPU", file=sys.stderr)
        device = "cpu"
    identity = json.dumps([settings, [vars(one.setting) for one in cell], code], sort_keys=True)
    files = Checkpoints(checkpoints, identity, save_every)
    courses = train_all(cell, files, threads, device)
    with atomic(out) as temporary:
        save_file(weights(settings, cell, courses), temporary, metadata(settings))
    with atomic(trace) as temporary:
        trace_table(courses).to_parquet(temporary, index=False)
    table = runs_table(settings, cell, courses, device)
    with atomic(runs) as temporary:
        table.to_csv(temporary, index=False)
    files.clear()
    shown = ["learning_rate", "steps", "status", "iterations", "stuck", "energy", "energy_error", "t_cv_5", "cpu_s"]
    print(table[shown].to_string(index=False))


def runs_of(settings: Mapping[str, Any], search: Path | None) -> list[Run]:
    """The runs of a cell: settings as given or chosen, each with every repeat. InputError if the search is missing."""
    ansatz = ansatz_of(MotifKey(**settings["key"]))
    sampler = RingSampler(ansatz.n_sites, **settings["sampler"])
    if settings["learning_rates"] is not None:
        grid = [Setting(rate, steps) for rate in settings["learning_rates"] for steps in settings["steps"]]
    elif search is None:
        raise InputError("this cell takes its settings from a search; give the table of its runs as --search")
    else:
        grid = [chosen(pd.read_csv(search))]
    return [
        Run(setting, run_seed(settings, repeat), Problem(
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


def why_not_batched(problem: Problem) -> str:
    """Why the runs of a cell cannot train on a GPU all at once, or "" if they can."""
    if not isinstance(problem.ansatz, ShallowCnn):
        return "deep networks have no batched program"
    if not problem.ansatz.tabulated:
        return f"K = {problem.ansatz.width} is above {TABLE_SITES}, too wide for tables of motifs"
    if problem.sampler.chains < MANY_CHAINS:
        return f"{problem.sampler.chains} chains are too few to advance side by side"
    return "" if problem.sampler.proposals == "pair" else "the batched program exchanges pairs, not neighbours"


def run_seed(settings: Mapping[str, Any], repeat: int) -> int:
    """Seed of a repeat: the same for all settings and all symmetry forcings."""
    key = MotifKey(**settings["key"])
    family = key.network if key.deep else "shallow"
    return seed_of("motif_vmc", key.study, key.n_sites, key.width, family, key.run, repeat, settings["seed"])


def chosen(search: pd.DataFrame) -> Setting:
    """The setting of lowest mean energy over its seeds, stuck runs included; one with a failed run comes last.

    Of equal ones the first: settings of a search ascend as the configuration lists them.
    InputError if every run failed.
    """
    rows = search.assign(failed=(search.status == "diverged") | search.energy.isna())
    if rows.failed.all():
        raise InputError("every run of the search diverged; take smaller learning rates in fig3.search.learning_rates")
    means = rows.groupby(["learning_rate", "steps"], sort=False).agg(
        failed=("failed", "any"), energy=("energy", "mean")
    )
    rate, steps = means.sort_values(["failed", "energy"], kind="stable").index[0]
    return Setting(float(rate), int(steps))


def train_all(cell: Sequence[Run], checkpoints: Checkpoints, threads: int, device: str = "cpu") -> list[Course]:
    """All runs to their end: `threads` side by side on the CPU, all at once on a GPU."""
    progress = Progress("motif-vmc", len(cell), cell[0].problem.max_iterations)
    stop = threading.Event()
    courses: list[Course | None] = [None] * len(cell)

    def after(number: int, course: Course) -> bool:
        stopping = stop.is_set()
        progress.update(number, course.iteration)
        if course.status != "running" or stopping or progress.due(number, checkpoints.interval):
            checkpoints.save(number, course)
        return not stopping

    def finish(number: int, course: Course) -> None:
        courses[number] = course
        progress.done(number)
        if course.message:
            print(f"run {number}: {course.status}, {course.message}", file=sys.stderr)

    def train_loop(number: int) -> None:
        one = cell[number]
        course = checkpoints.load(number) or Course.start(one.problem, one.seed)
        finish(number, descend(course, one.problem, partial(after, number)))

    def train_stack() -> None:
        from nqs.vmc.gpu import ring as gpu_ring

        stored = [checkpoints.load(number) for number in range(len(cell))]
        problems, seeds = [one.problem for one in cell], [one.seed for one in cell]
        for number, course in enumerate(gpu_ring.train(problems, seeds, stored, device, after)):
            finish(number, course)

    tasks = [train_stack] if device == "cuda" else [partial(train_loop, number) for number in range(len(cell))]
    in_threads(tasks, threads, stop)
    return [course for course in courses if course is not None]


def weights(settings: Mapping[str, Any], cell: Sequence[Run], courses: Sequence[Course]) -> dict[str, np.ndarray]:
    """Final parameters, and those kept along the way."""
    tensors = {"parameters": np.stack([course.theta for course in courses])}
    if kept := sorted(cell[0].problem.snapshots):
        tensors["snapshots"] = np.stack([[at(course, iteration) for iteration in kept] for course in courses])
        tensors["snapshot_iterations"] = np.array(kept, dtype=np.int64)
    return tensors


def at(course: Course, iteration: int) -> np.ndarray:
    """Parameters kept at an iteration, the last ones if the run had ended before."""
    return course.snapshots.get(iteration, course.theta)


def metadata(settings: Mapping[str, Any]) -> dict[str, str]:
    """Metadata of a file of weights."""
    return {
        name: json.dumps(value, sort_keys=True) for name, value in (("key", settings["key"]), ("settings", settings))
    }


def trace_table(courses: Sequence[Course]) -> pd.DataFrame:
    """One row per run and iteration."""
    parts = []
    for number, course in enumerate(courses):
        table = pd.DataFrame(np.array(course.trace).reshape(-1, len(TRACE_COLUMNS)), columns=list(TRACE_COLUMNS))
        table.insert(0, "iteration", np.arange(len(table), dtype=np.int32))
        table.insert(0, "run", np.int32(number))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


class Checkpoints(ArrayFiles):
    """Courses on disk, one file per run."""

    noun = "run"

    def save(self, number: int, course: Course) -> None:
        """Write one course, whole or not at all."""
        state = {
            "rng": course.rng.bit_generator.state, "iteration": course.iteration, "updates": course.updates,
            "status": course.status, "message": course.message, "cpu_s": course.cpu_s,
        }  # fmt: skip
        self.write(
            number, state=np.array(json.dumps(state)), theta=course.theta, moments=course.moments,
            chains=course.chains, trace=np.array(course.trace), snapshot_at=np.array([*course.snapshots], np.int64),
            snapshots=np.array([*course.snapshots.values()]),
        )  # fmt: skip

    def load(self, number: int) -> Course | None:
        """The stored course, if it is of the same cell and code and can be read."""
        arrays = self.read(number)
        return None if arrays is None else restored(arrays)


def restored(arrays: Mapping[str, np.ndarray]) -> Course:
    """A course from its stored arrays."""
    state = json.loads(str(arrays["state"]))
    rng = np.random.default_rng()
    rng.bit_generator.state = state.pop("rng")
    kept = dict(zip(arrays["snapshot_at"].tolist(), arrays["snapshots"], strict=True))
    return Course(
        theta=arrays["theta"], moments=arrays["moments"], chains=arrays["chains"], rng=rng,
        trace=arrays["trace"].tolist(), snapshots=kept, **state,
    )  # fmt: skip


def stage(job: Job) -> None:
    """Train all runs of one cell by energy descent on a ring; input `search`: the runs to take the setting from."""
    search = job.file("search") if job.inputs.get("search") else None
    run(
        job.settings, job.out("weights"), job.out("runs"), job.out("trace"),
        search=search, checkpoints=job.checkpoints, device=job.device, threads=job.threads, code=job.code,
        save_every=job.save_every,
    )  # fmt: skip
