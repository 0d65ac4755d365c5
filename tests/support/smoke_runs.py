"""Snakemake as a user calls it, at smoke scale."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.job_calls import PROJECT


def call(folder: Path) -> list[str]:
    """Snakemake's call on this project, with results in a folder."""
    project = ["--snakefile", str(PROJECT / "Snakefile"), "--directory", str(folder)]
    return [sys.executable, "-m", "snakemake", *project, "--cores", "2"]


def environment() -> dict[str, str]:
    """That of the tests, with their own Python first on the path."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def snakemake(
    folder: Path, *arguments: str, before: Sequence[str] = (), **how: Any
) -> subprocess.CompletedProcess[str]:
    """Snakemake at smoke scale with results in `folder`, started by the command `before`; all output in `stdout`."""
    how.setdefault("env", environment())
    options = ["--config", "scale=smoke", "--logger", "nqs", "--"]
    return subprocess.run(
        [*before, *call(folder), *options, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **how,
    )  # fmt: skip
