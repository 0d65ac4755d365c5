"""What a run would do and how long it would take: `./nqs plan`.

The jobs come from Snakemake's dry run, the seconds from the benchmark files of earlier jobs,
results/<scale>/benchmarks/<rule>/**/*.{tsv,jsonl}. A job that ran before is expected to take as
long as then. Any other takes its share by what drives the cost (nqs.workflow.cost), measured
against the jobs of its rule that ran; before any did, against the reference timings and a
two-second measurement of this machine.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from nqs.runtime.errors import ConfigError
from nqs.workflow.configuration import given, load
from nqs.workflow.cost import FILE, MACHINE, Costs, read_timings
from nqs.workflow.work import Work

RULE = re.compile(r"(?:local)?(?:rule|checkpoint) (\w+):")
CORES = re.compile(r"(?:--cores|--jobs|-c|-j)=?(\w*)")


class PlanError(Exception):
    """Snakemake could not make a plan; the message is its own."""


@dataclass(frozen=True)
class Job:
    """One job of a dry run that computes something: its rule has a benchmark file."""

    rule: str
    benchmark: Path
    threads: int


Timed = list[tuple[Job, float | None]]  # each job with its expected wall seconds, None: unknown


def plan(targets: Sequence[str], snakemake_args: Sequence[str] = ()) -> int:
    """Print what `snakemake targets` would run, with estimated times; returns an exit code."""
    cores = available_cores([*targets, *snakemake_args])
    try:
        output = dry_run(targets, snakemake_args, cores)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1
    timed = expected_seconds(list(parse_jobs(output)), costs_of([*targets, *snakemake_args]))
    console = Console()
    if not timed:
        console.print("Nothing to do: every output is there and up to date.")
        return 0
    console.print(job_table(timed))
    console.print(summary(timed, cores))
    return 0


def available_cores(arguments: Sequence[str]) -> int:
    """Cores the given Snakemake arguments ask for; all of this machine by default."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for argument, following in pairwise([*arguments, ""]):
        if match := CORES.fullmatch(argument):
            number = match[1] or following
            return int(number) if number.isdigit() else here or 1
    return here or 1


def dry_run(targets: Sequence[str], snakemake_args: Sequence[str], cores: int) -> str:
    """What Snakemake says it would run; raises PlanError, with its words, if it cannot tell."""
    ours = ["--dry-run", "--nocolor", "--quiet", "host", "--cores", str(cores)]
    command = [sys.executable, "-m", "snakemake", *targets, *ours, *snakemake_args]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise PlanError(done.stdout.strip())
    return done.stdout


def parse_jobs(output: str) -> Iterator[Job]:
    """Jobs in the output of a dry run: a line `rule name:`, then indented `key: value` lines.

    Rules without a benchmark, such as `all`, only collect files and are left out.
    """
    rule, values = None, dict[str, str]()
    for line in [*output.splitlines(), ""]:
        match = RULE.fullmatch(line.strip())  # jobs of a group are indented
        if rule and line.startswith("    ") and not match:
            key, _, value = line.strip().partition(": ")
            values[key] = value
            continue
        if rule and "benchmark" in values:
            yield Job(rule, Path(values["benchmark"]), int(values.get("threads", 1)))
        rule, values = match and match[1], {}


def costs_of(arguments: Sequence[str]) -> Costs | None:
    """The cost model of the configuration that Snakemake's arguments name; None outside the project's folder."""
    if not (Path("config.yaml").exists() and Path(FILE).exists()):
        return None
    files = map(Path, values_of(arguments, ("--configfile", "--configfiles")))
    settings = given(values_of(arguments, ("--config", "-C")), files)
    return Costs(Work(load(Path(), settings)), read_timings(Path()))


def values_of(arguments: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """The words after an option that takes several."""
    inside = False
    for argument in arguments:
        if argument.startswith("-"):
            inside = argument in options
        elif inside:
            yield argument


def expected_seconds(jobs: Sequence[Job], costs: Costs | None = None) -> Timed:
    """Each job with the wall seconds it took before, else what its rule's earlier jobs or the cost model say."""
    measured = {rule_folder(job.benchmark): measured_seconds(rule_folder(job.benchmark)) for job in jobs}
    slower = machine_factor(costs) if costs and not all(measured.values()) else 1.0
    return [(job, expected(job, measured[rule_folder(job.benchmark)], costs, slower)) for job in jobs]


def expected(job: Job, measured: Mapping[Path, float], costs: Costs | None, slower: float) -> float | None:
    """Wall seconds of one job; measured: those of the earlier jobs of its rule, by benchmark file."""
    if job.benchmark in measured:
        return measured[job.benchmark]
    model = cost(job.benchmark, costs)
    if not measured:
        return model and slower * model / job.threads
    modelled = [seconds for path in measured if (seconds := cost(path, costs))]
    if model and len(modelled) == len(measured):
        return model * sum(measured.values()) / sum(modelled)
    return mean([*measured.values()])


def cost(benchmark: Path, costs: Costs | None) -> float | None:
    """CPU seconds of a job by the cost model; None if it does not know the job."""
    path = benchmark.relative_to(rule_folder(benchmark)).with_suffix("").as_posix()
    try:
        return costs.seconds(folder_name(benchmark), path) or None if costs else None
    except ConfigError:  # a cell of an earlier configuration
        return None


def folder_name(benchmark: Path) -> str:
    """What kind of job: a stage, rows, figures, tables."""
    return rule_folder(benchmark).name


def machine_factor(costs: Costs) -> float:
    """How much longer this machine takes than the one of the reference timings; 1 if its speed was not noted."""
    from nqs.workflow.machine_speed import rounds_per_second

    reference = costs.timings.get(MACHINE)
    return reference.per_job / rounds_per_second() if reference else 1.0


def mean(seconds: Sequence[float]) -> float | None:
    """Mean, None of nothing."""
    return fmean(seconds) if seconds else None


def rule_folder(benchmark: Path) -> Path:
    """Folder with the benchmarks of one rule at one scale: results/<scale>/benchmarks/<rule>."""
    if "benchmarks" not in benchmark.parts:
        return benchmark.parent
    depth = benchmark.parts.index("benchmarks") + 2
    return Path(*benchmark.parts[:depth])


def measured_seconds(folder: Path) -> dict[Path, float]:
    """Mean wall seconds by benchmark file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".tsv", ".jsonl"))
    return {path: seconds for path in files if (seconds := mean(read_seconds(path))) is not None}


def read_seconds(benchmark: Path) -> list[float]:
    """Wall seconds in a benchmark file, one per repeat; empty if it is absent or unreadable."""
    try:
        with benchmark.open(encoding="utf-8") as lines:
            rows = map(json.loads, lines) if benchmark.suffix == ".jsonl" else csv.DictReader(lines, delimiter="\t")
            return [float(row["s"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):  # cut off, or of another program
        return []


def job_table(timed: Timed) -> Table:
    """One row per rule: number of jobs, seconds per job, seconds of all."""
    table = Table("rule", box=None)
    for column in ("jobs", "per job", "in all"):
        table.add_column(column, justify="right")
    for rule in dict.fromkeys(job.rule for job, _ in timed):
        seconds = [value for job, value in timed if job.rule == rule]
        per_job = mean([value for value in seconds if value is not None])
        times = ["?", "?"] if per_job is None else [duration(per_job), duration(per_job * len(seconds))]
        table.add_row(rule, str(len(seconds)), *times)
    return table


def summary(timed: Timed, cores: int) -> str:
    """Number of jobs and estimated wall time: work / cores, at least the longest job."""
    jobs = f"{len(timed)} job{'s' if len(timed) > 1 else ''}"
    known = [(job, seconds) for job, seconds in timed if seconds is not None]
    if not known:
        return f"{jobs}; no earlier run to estimate the time from."
    work = sum(seconds * min(job.threads, cores) for job, seconds in known)
    wall = max(work / cores, *(seconds for _, seconds in known))
    unknown = len(timed) - len(known)
    rest = f", not counting {unknown} whose rule has not run yet" if unknown else ""
    return f"{jobs}, about {duration(wall)} on {cores} core{'s' if cores > 1 else ''}{rest}."


def duration(seconds: float) -> str:
    """Seconds as people read them: "0.3 s", "42 s", "3 min 20 s", "5 h 10 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
