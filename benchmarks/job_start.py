"""What a run of short jobs costs with and without a fork server: `./nqs exec python benchmarks/job_start.py`.

Builds the same targets at smoke scale in new folders, in turn with and without, and prints wall and CPU seconds and
their ratio. The first pair, which may compile, is left out.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nqs.workflow.fork_client import ADDRESS

ROOT = Path(__file__).parents[1]
TARGETS = ("mummaneni2026_fig1", "mummaneni2026_fig2", "ju2025_fig2")  # 16 jobs


def run(forks: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one run."""
    environment = {name: value for name, value in os.environ.items() if name != ADDRESS} | (
        {} if forks else {ADDRESS: ""}
    )
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", folder]
        how = ["--cores", "2", "--quiet", "all", "--config", "scale=smoke", "--"]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([sys.executable, "-m", "snakemake", *where, *how, *TARGETS], check=True, env=environment)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begin
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the medians over some pairs of runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs")
    rounds = parser.parse_args().rounds
    pairs = np.array([[run(False), run(True)] for _ in range(rounds + 1)])[1:]
    for column, name in enumerate(("wall", "CPU")):
        without, within = np.median(pairs[:, :, column], axis=0)
        ratio = np.median(pairs[:, 0, column] / pairs[:, 1, column])
        print(f"{name} seconds: without {without:.1f}, with a fork server {within:.1f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
