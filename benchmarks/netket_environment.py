"""The environment of NetKet, `.venv-bench`, which this project itself does not need, and the core to measure on."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = Path(__file__).resolve().parent / "workers"
VENV = ROOT / ".venv-bench"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements-bench.lock"


def install() -> None:
    """Make the environment of NetKet from its lock file."""
    venv.create(VENV, clear=True, with_pip=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "-r", LOCK], check=True)


def pin(core: int | None) -> None:
    """Keep this process, and those it starts, on one core; None: the last that it may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if core is None else core})
