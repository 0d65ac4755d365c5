"""What a run has done and has still to do, from Snakemake's events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from nqs.workflow.stages import STAGES
from nqs.workflow.studies import found_studies

ROWS, CLAIMS, FIGURES, TABLES = "rows", "claims", "figures", "tables"
LAST_BYTES = 4096  # of a log that are read for its last lines
Seconds = Callable[[str], float | None]  # rule -> mean wall seconds of its earlier jobs, None: unknown


@dataclass(frozen=True)
class RunningJob:
    """A job: its rule, what it works on, its log files, threads and when it began (monotonic seconds)."""

    rule: str
    label: str
    logs: tuple[Path, ...]
    threads: int
    begin: float

    def last_lines(self, count: int) -> list[str]:
        """The last lines that are not empty of its first log."""
        return last_lines(self.logs[0], count) if self.logs else []


@dataclass
class RunState:
    """Jobs of a run by rule: all of them, finished, running, failed; times in seconds."""

    totals: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    running: dict[int, RunningJob] = field(default_factory=dict)
    failed: dict[int, RunningJob] = field(default_factory=dict)
    durations: dict[str, list[float]] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    cores: int = 1
    begin: float = field(default_factory=time.monotonic)
    stopping: bool = False

    def plan(self, stats: Mapping[str, int]) -> None:
        """Note how many jobs each rule has; rules that only collect files are no work."""
        collecting = {"all", "momenta", "total", *found_studies()}
        self.totals = {rule: count for rule, count in stats.items() if rule not in collecting}

    def start(self, number: int, job: RunningJob) -> None:
        """Note that a job runs."""
        if job.rule in self.totals:
            self.running[number] = job
            self.threads[job.rule] = job.threads

    def finish(self, number: int, now: float) -> RunningJob | None:
        """Note that a job is done; returns it, None if it is no work."""
        job = self.running.pop(number, None)
        if job is not None:
            self.done[job.rule] += 1
            self.durations.setdefault(job.rule, []).append(now - job.begin)
        return job

    def fail(self, number: int, job: RunningJob) -> bool:
        """Note that a job failed; False if that is known already, as Snakemake repeats its errors at the end."""
        self.running.pop(number, None)
        return self.failed.setdefault(number, job) is job

    def count(self, stages: Iterable[str]) -> tuple[int, int]:
        """Jobs of some stages: done, of total."""
        chosen = set(stages)
        rules = [rule for rule in self.totals if stage_of(rule) in chosen]
        return sum(self.done[rule] for rule in rules), sum(self.totals[rule] for rule in rules)

    def stages(self) -> dict[str, tuple[int, int]]:
        """Jobs of each stage, done and total, in the order of the data; unknown rules under their own names."""
        names = dict.fromkeys(stage_of(rule) for rule in self.totals)
        order = [*STAGES, ROWS, FIGURES, TABLES, CLAIMS]
        known = [name for name in order if name in names]
        return {name: self.count([name]) for name in [*known, *(name for name in names if name not in order)]}

    def jobs(self) -> tuple[int, int]:
        """All jobs: done, of total."""
        return sum(self.done.values()), sum(self.totals.values())

    def seconds_left(self, now: float, earlier: Seconds) -> tuple[float, bool]:
        """Expected wall seconds of what is left, and whether all of it could be estimated.

        Work left / cores, at least the longest job.
        """
        work, longest, known = 0.0, 0.0, True
        for rule, total in self.totals.items():
            left = total - self.done[rule] - sum(job.rule == rule for job in self.failed.values())
            each = fmean(self.durations[rule]) if rule in self.durations else earlier(rule)
            if left <= 0:
                continue
            if each is None:
                known = False
                continue
            spent = [min(now - job.begin, each) for job in self.running.values() if job.rule == rule]
            work += max(left * each - sum(spent), 0.0) * self.threads.get(rule, 1)
            longest = max(longest, each - (min(spent) if len(spent) == left else 0.0))
        return max(work / self.cores, longest), known


def stage_of(rule: str) -> str:
    """The stage of a rule, or what it makes: rows, figures, tables or claims; a rule of another kind is its own."""
    if rule in STAGES:
        return rule
    if rule.startswith("rows_"):
        return ROWS
    return _kinds().get(rule, rule)


def _kinds() -> dict[str, str]:
    """Rule -> what it makes, of the rules that are named after studies."""
    studies = found_studies()
    shown = {f"{name}_{target}": one.kind for name, study in studies.items() for target, one in study.targets.items()}
    return shown | {f"{name}_claims": CLAIMS for name in studies}


def job_of(values: Mapping[str, Any], now: float) -> RunningJob:
    """A job from what Snakemake says when it starts or fails."""
    rule = str(values.get("rule_name") or values.get("name") or values.get("rule") or "?")
    path = (values.get("wildcards") or {}).get("path", "")
    logs = tuple(Path(str(log)) for log in values.get("log") or ())
    return RunningJob(rule, f"{rule} {path}".strip(), logs, int(values.get("threads") or 1), now)


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a text file that are not empty; none if it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - LAST_BYTES * max(1, count // 8), 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = [line.strip("\r ") for line in text.replace("\r", "\n").splitlines()]
    return [line for line in lines if line][-count:]
