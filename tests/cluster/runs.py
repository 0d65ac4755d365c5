"""Runs of the workflow through the profile for Slurm, and what they left behind."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.private_slurm import Slurm, wait_until
from support.interrupts import heed_signals

from nqs.workflow.compare_files import differences, files

ROOT = Path(__file__).parents[2]
SMOKE = ("--config", "scale=smoke")
CHAIN = ("kufel2024", "westerhout2020_fig5")  # a study, and the longest chain of stages
TARGET = "results/smoke/analysis/ju2025/fig2.csv"  # one job of a cluster with two trainings
TRAINING = "motif_vmc"
LONGEST = 900  # seconds that a run may take


def snakemake(*program: str) -> list[str]:
    """Command line of Snakemake on the project's Snakefile."""
    return [*program, "--snakefile", str(ROOT / "Snakefile")]


class Run:
    """A run in a folder of its own."""

    def __init__(self, slurm: Slurm, folder: Path, *arguments: str) -> None:
        self.slurm, self.folder, self.log = slurm, folder, folder / "snakemake.txt"
        self.before, self.start = slurm.last(), time.monotonic()
        command = snakemake(sys.executable, str(Path(__file__).with_name("quick_snakemake.py")))
        command += ["--profile", str(ROOT / "profiles/slurm"), "--slurm-init-seconds-before-status-checks", "1"]
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [*command, *arguments], cwd=folder, env=slurm.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                preexec_fn=heed_signals,
            )  # fmt: skip

    def finish(self) -> float:
        """Wait for the end, which must be good; seconds since the start."""
        assert self.child.wait(LONGEST) == 0, self.log.read_text()[-6000:]
        return time.monotonic() - self.start

    def jobs(self) -> list[dict[str, str]]:
        """Slurm jobs of this run, once accounting knows how all ended."""
        unfinished = {"RUNNING", "PENDING", "COMPLETING"}

        def settled() -> bool:
            states = {job["State"] for job in self.slurm.jobs(since=self.before)}
            return bool(states) and not states & unfinished

        wait_until(settled, "the end of all jobs in accounting")
        return self.slurm.jobs(since=self.before)

    def training(self) -> tuple[str, str]:
        """Number and node of the job whose training has begun."""
        log = self.folder / "results/smoke/logs" / TRAINING
        wait_until(lambda: [*log.rglob("*.log")] or self.child.poll() is not None, "a training", 300)
        assert self.child.poll() is None, self.log.read_text()[-6000:]
        (line,) = self.slurm.output("squeue", "-h", "-t", "running", "-o", "%i %N").splitlines()
        number, _, node = line.partition(" ")
        return number, node


@contextmanager
def run(slurm: Slurm, folder: Path, *arguments: str) -> Iterator[Run]:
    """A run that is ended in any case."""
    one = Run(slurm, folder, *arguments)
    try:
        yield one
    finally:
        if one.child.poll() is None:
            one.child.terminate()
            one.child.wait(60)


def assert_same_numbers(local: Path, folder: Path) -> int:
    """Every file of numbers equals that of the local run to the last bit; returns their number."""
    found = files(folder / "results/smoke")
    lines = [line for path in found
             for line in differences(local / "results/smoke" / path, folder / "results/smoke" / path)]  # fmt: skip
    assert not lines
    return len(found)


def work(folder: Path, *patterns: str) -> float:
    """Wall seconds of the jobs whose benchmark files fit a pattern."""
    paths = [path for pattern in patterns for path in (folder / "results/smoke/benchmarks").glob(pattern)]
    return sum(float(row["s"]) for path in paths for row in csv.DictReader(path.open(), delimiter="\t"))
