"""The environment of NetKet, `.venv-bench`, which this project itself does not need, and the core to measure on."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.pipe import WorkerError

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


def command(
    parser: ArgumentParser,
    table: Callable[[list[Any]], str],
    check: Callable[[Namespace], int],
    run: Callable[[Namespace], int],
) -> int:
    """What a comparison does for --install, --table, --check or none of them; its exit code.

    table: text of measured rows; check and run: with the parsed arguments, exit codes.
    """
    given = parser.parse_args()
    if given.install:
        install()
        return 0
    if given.table:
        print(table([row for path in given.table for row in json.loads(path.read_text())]))
        return 0
    if not PYTHON.exists():
        parser.error("NetKet is not installed; call with --install first")
    pin(given.core)
    try:
        return check(given) if given.check else run(given)
    except WorkerError as error:
        parser.exit(1, f"{error}\n")
