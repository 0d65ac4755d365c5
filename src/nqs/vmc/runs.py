"""All runs of a cell of variational Monte Carlo: to their end, side by side, resumed, and as a table.

Runs are independent. They go on in threads (`nqs.vmc.loop`), or all at once where a stage hands in something that
iterates them as a stack.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import halving
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.runtime.threads import in_threads
from nqs.vmc.loop import Run, Task, train
from nqs.vmc.stochastic_reconfiguration import Memory

After = Callable[[int, Run], bool]  # called with each run that took part in an iteration, and its number; False stops
Stack = Callable[[Sequence[Task], Sequence[int], Sequence[Run | None], After], Sequence[Run]]


def train_all(
    tasks: Sequence[Task], seeds: Sequence[int], checkpoints: Checkpoints, threads: int, stage: str, noun: str = "run",
    stack: Stack | None = None,
) -> list[Run]:  # fmt: skip
    """All runs to their end: `threads` side by side on the CPU, or all at once by `stack`.

    noun: what a run is called in messages and names of checkpoints;  stack: takes tasks, seeds and the stored runs.
    """
    progress = Progress(stage, len(tasks), tasks[0].max_iterations)
    stop = threading.Event()
    runs: list[Run | None] = [None] * len(tasks)

    def after(number: int, run: Run) -> bool:
        stopping = stop.is_set()
        progress.update(number, run.iteration)
        if run.status != "running" or stopping or progress.due(number, checkpoints.interval):
            keep(checkpoints, f"{noun}_{number}", run)
        return not stopping

    def finish(number: int, run: Run) -> None:
        runs[number] = run
        progress.done(number)
        if run.message:
            print(f"{noun} {number}: {run.status}, {run.message}", file=sys.stderr)

    def train_one(number: int) -> None:
        run = kept(checkpoints, f"{noun}_{number}") or Run.start(tasks[number], seeds[number])
        finish(number, train(run, tasks[number], partial(after, number)))

    def train_stack(stack: Stack, numbers: Sequence[int]) -> None:
        stored = [kept(checkpoints, f"{noun}_{number}") for number in numbers]
        of_numbers = [tasks[number] for number in numbers], [seeds[number] for number in numbers]
        trained = stack(*of_numbers, stored, lambda place, run: after(numbers[place], run))
        for number, run in zip(numbers, trained, strict=True):
            finish(number, run)

    numbers = range(len(tasks))
    together = [partial(halving, partial(train_stack, stack), numbers, noun)] if stack else []
    in_threads(together or [partial(train_one, number) for number in numbers], threads, stop)
    return [run for run in runs if run is not None]


def repeat_seeds(stage: str, settings: Mapping[str, Any], repeats: int) -> list[int]:
    """Seeds of the repeats of a cell, from its key and the seed of the configuration."""
    return [seed_of(stage, settings["key"], repeat, settings["seed"]) for repeat in range(repeats)]


def trace_table(runs: Sequence[Run], number: str = "run", kind: type = np.float64) -> pd.DataFrame:
    """One row per run and iteration, numbers as `kind`; number: the column that says which run."""
    parts = []
    for place, run in enumerate(runs):
        rows: np.ndarray = np.array(run.trace, dtype=kind).reshape(-1, len(run.columns))
        table = pd.DataFrame(rows, columns=list(run.columns))
        table.insert(0, "iteration", np.arange(len(rows), dtype=np.int32))
        table.insert(0, number, np.int32(place))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def keep(checkpoints: Checkpoints, key: str, run: Run) -> None:
    """Store a run, whole or not at all."""
    state = {name: value for name, value in vars(run).items() if name not in ("memory", "snapshots")}
    state |= {"rng": run.rng.bit_generator.state, "trace": np.array(run.trace)} | vars(run.memory)
    kept = {"snapshot_at": np.array([*run.snapshots], np.int64), "snapshots": np.array([*run.snapshots.values()])}
    checkpoints.save(key, **state, **kept)


def kept(checkpoints: Checkpoints, key: str) -> Run | None:
    """The stored run, if it is of the same cell and code and can be read."""
    state = checkpoints.load(key)
    if state is None:
        return None
    rng = np.random.default_rng()
    rng.bit_generator.state = state.pop("rng")
    memory = Memory(**{name: state.pop(name) for name in vars(Memory())})
    snapshots = dict(zip(state.pop("snapshot_at").tolist(), state.pop("snapshots"), strict=True))
    trace, columns = state.pop("trace").tolist(), tuple(state.pop("columns"))
    return Run(**state, rng=rng, memory=memory, snapshots=snapshots, trace=trace, columns=columns)
