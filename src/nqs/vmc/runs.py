"""All runs of a cell of variational Monte Carlo, for any ansatz: to their end, side by side, and resumed.

Runs are independent. They go on in threads (`nqs.vmc.loop`), or all at once where a stage hands in something that
iterates them as a stack.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from nqs.runtime.checkpoints import ArrayFiles
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.runtime.threads import in_threads
from nqs.vmc.loop import Course, Problem, train
from nqs.vmc.stochastic_reconfiguration import Memory

After = Callable[[Sequence[Course]], bool]  # called with the runs that took part in an iteration; False stops
Stack = Callable[[Sequence[Course], Problem, After], None]


def train_all(
    settings: Mapping[str, Any], problem: Problem, checkpoints: Checkpoints, threads: int, stage: str,
    stack: Stack | None = None,
) -> list[Course]:  # fmt: skip
    """All models of a stage to their end: `threads` side by side on the CPU, or all at once by `stack`.

    settings: key, repeats, seed; with `stage` they make the seeds.
    """
    seeds = [seed_of(stage, settings["key"], repeat, settings["seed"]) for repeat in range(settings["repeats"])]
    courses = [checkpoints.load(number) or Course.start(problem, seed) for number, seed in enumerate(seeds)]
    progress = Progress(stage, len(courses), problem.max_iterations)
    stop = threading.Event()

    def after(numbers: Sequence[int]) -> bool:
        stopping = stop.is_set()
        for number in numbers:
            course = courses[number]
            progress.update(number, course.iteration)
            if course.status != "running":
                finish(number)
            elif stopping or progress.due(number, checkpoints.interval):
                checkpoints.save(number, course)
        return not stopping

    def finish(number: int) -> None:
        checkpoints.save(number, courses[number])
        progress.done(number)
        if courses[number].message:
            print(f"model {number}: {courses[number].status}, {courses[number].message}", file=sys.stderr)

    def run_stack(stack: Stack) -> None:
        place = {id(course): number for number, course in enumerate(courses)}
        stack(courses, problem, lambda some: after([place[id(course)] for course in some]))

    def run_loop(number: int) -> None:
        train(courses[number], problem, lambda course: after([number]))

    for number, course in enumerate(courses):
        if course.status != "running":
            finish(number)
    tasks = [partial(run_stack, stack)] if stack else [partial(run_loop, number) for number in range(len(courses))]
    in_threads(tasks, threads, stop)
    return courses


class Checkpoints(ArrayFiles):
    """Courses on disk, one file per model."""

    noun = "model"

    def save(self, number: int, course: Course) -> None:
        """Write one course, whole or not at all."""
        state = {
            "rng": course.rng.bit_generator.state, "iteration": course.iteration, "status": course.status,
            "message": course.message, "cpu_s": course.cpu_s, "wall_s": course.wall_s,
            "steps": course.memory.steps, "best": course.memory.best, "age": course.memory.age,
        }  # fmt: skip
        self.write(
            number, state=np.array(json.dumps(state)), theta=course.theta, moments=course.moments,
            chains=course.chains, before=course.before, trace=np.array(course.trace),
            snapshot_at=np.array(list(course.snapshots), dtype=np.int64),
            snapshots=np.array([*course.snapshots.values()]),
            basis=course.memory.basis, eigenvalues=course.memory.eigenvalues,
        )  # fmt: skip

    def load(self, number: int) -> Course | None:
        """The stored course, if it is of the same cell and code and can be read."""
        arrays = self.read(number)
        return None if arrays is None else restored(arrays, json.loads(str(arrays["state"])))


def restored(arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Course:
    """A course from its stored arrays and numbers."""
    rng = np.random.default_rng()
    rng.bit_generator.state = state["rng"]
    memory = Memory(arrays["basis"], arrays["eigenvalues"], state["steps"], state["best"], state["age"])
    return Course(
        theta=arrays["theta"], moments=arrays["moments"], chains=arrays["chains"], rng=rng, before=arrays["before"],
        memory=memory, iteration=state["iteration"], status=state["status"], message=state["message"],
        cpu_s=state["cpu_s"], wall_s=state["wall_s"], trace=arrays["trace"].tolist(),
        snapshots=dict(zip(arrays["snapshot_at"].tolist(), arrays["snapshots"], strict=True)),
    )  # fmt: skip
