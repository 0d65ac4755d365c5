"""What jobs ask of a cluster's queue, and which of them share one of its jobs.

Most cells take seconds, a job of a cluster costs ten by itself. So cells of one kind share a job until they make up
some minutes of work, several of them running side by side; what is longer has a job of its own. Figures, tables,
verdicts and rows that only sum up are made where Snakemake runs.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import Any

from nqs.studies.protocol import Study
from nqs.workflow.order import Job, Order
from nqs.workflow.work import Work

WORK = 300.0  # CPU seconds of a bundle, by the cost model
MOST = 50  # cells of a bundle: a failed one is repeated as a whole
SLACK = 10.0  # run time asked for, in that expected; machines and estimates differ
LEAST = 5  # minutes, for a slow start from a shared file system


def raised(amount: int, attempt: int) -> int:
    """Memory or minutes of the first, second, ... attempt: twice as much each time."""
    return int(amount) << (attempt - 1)


def minutes(seconds: float, most: int, attempt: int = 1) -> int:
    """Run time to ask for a cell of so many expected CPU seconds; `most` holds for the first attempt."""
    return raised(min(most, max(LEAST, math.ceil(SLACK * seconds / 60))), attempt)


def computes(work: Work, study: Study) -> bool:
    """Whether the rows of a study are its computation: it has no cells of its own."""
    return not any(True for _ in study.cells(work.config.of(study)))


def jobs_given(arguments: Sequence[str]) -> int:
    """Number of jobs in the command line of a Snakemake that a cluster's job runs."""
    following = arguments[[*arguments, "--target-jobs"].index("--target-jobs") + 1 :]
    return sum(1 for _ in takewhile(lambda argument: not argument.startswith("--"), following))


def local_jobs(dag: Any) -> int:
    """Number of jobs of a run, a Snakemake DAG, that this machine will do."""
    return sum(1 for job in dag.needrun_jobs() if job.is_local and not job.rule.norun)


def cores_given() -> int:
    """Cores that Slurm gave to this job; 0 outside of one."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or 0)


def bundled(slots: int | None, in_a_job: bool) -> bool:
    """Whether cells share jobs: where a profile has slots, which a cluster's jobs learn from their environment."""
    if not in_a_job:
        os.environ["NQS_SLOTS"] = str(slots or "")
    return bool(os.environ.get("NQS_SLOTS"))


class Bundles:
    """Which cells share a job of a cluster."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.level = cache(self._level)
        self.submitted = [job for job in order.rank if self._is_submitted(*job)]
        self.names: Mapping[Job, str] = dict(self._packed())

    def name(self, stage: str, path: str) -> str | None:
        """The bundle of a cell, or None if it has a job of its own."""
        return self.names.get((stage, path))

    def seconds(self, stage: str, path: str) -> float:
        """Expected CPU seconds of a cell."""
        return self.order.costs.seconds(stage, path)

    def jobs(self) -> list[list[Job]]:
        """The jobs that a cluster gets for everything: the cells of each."""
        shared = defaultdict(list)
        for job in self.submitted:
            shared[self.names.get(job, job)].append(job)
        return list(shared.values())

    def _is_submitted(self, stage: str, path: str) -> bool:
        studies = self.order.work.studies
        return stage != "rows" or computes(self.order.work, studies[path.partition("_")[0]])

    def _level(self, stage: str, path: str) -> int:
        """Length of the longest chain of jobs before one: jobs of equal level do not wait for each other."""
        return 1 + max((self.level(*job) for job in self.order.needs(stage, path)), default=0)

    def _packed(self) -> Iterator[tuple[Job, str]]:
        """Cells with their bundle: cells of one stage and level, those of the first targets first."""
        alike: dict[tuple[str, int], list[Job]] = defaultdict(list)
        for job in self.submitted:
            if self.seconds(*job) < WORK:
                alike[job[0], self.level(*job)].append(job)
        for (stage, level), jobs in alike.items():
            for number, bundle in enumerate(self._filled(jobs), 1):
                yield from ((job, f"{stage}_{level}_{number}") for job in bundle)

    def _filled(self, jobs: list[Job]) -> list[list[Job]]:
        """Jobs in bundles of at most WORK seconds and MOST jobs."""
        bundles: list[list[Job]] = []
        room = 0.0
        for job in sorted(jobs, key=lambda job: (self.order.rank[job], job)):
            seconds = self.seconds(*job)
            if seconds > room or len(bundles[-1]) == MOST:
                bundles.append([])
                room = WORK
            bundles[-1].append(job)
            room -= seconds
        return bundles
