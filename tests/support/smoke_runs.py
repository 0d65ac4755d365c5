"""Snakemake as a user calls it, at smoke scale."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.job_calls import PROJECT


def snakemake(
    folder: Path, *arguments: str, before: Sequence[str] = (), **how: Any
) -> subprocess.CompletedProcess[str]:
    """Snakemake at smoke scale with results in `folder`, started by the command `before`; all output in `stdout`."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile"), "--directory", str(folder)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    how.setdefault("env", {**os.environ, "PATH": path})
    options = ["--cores", "2", "--config", "scale=smoke", "--logger", "nqs", "--"]
    return subprocess.run(
        [*before, *command, *options, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **how,
    )  # fmt: skip
