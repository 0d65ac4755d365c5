"""Smoke runs as processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def command(folder: Path, targets: Sequence[str], *settings: str) -> list[str]:
    """Snakemake's call for targets at smoke scale, with results in a folder; settings: KEY=VALUE over that scale."""
    call = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        str(ROOT / "Snakefile"),
        "--directory",
        str(folder),
        "--cores",
        "2",
    ]
    return [*call, "--config", "scale=smoke", *settings, "--", *targets]


def start(folder: Path, targets: Sequence[str], *settings: str) -> subprocess.Popen[bytes]:
    """A run in a session of its own; what it prints is added to the file `log` of the folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command(folder, targets, *settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env=os.environ | {"PATH": path},
        )  # fmt: skip


def kill_tree(run: subprocess.Popen[bytes]) -> int:
    """kill -9 of a run, its jobs, their shells and the fork server, all at once; how many processes that were."""
    below = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGKILL)
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    run.wait()
    psutil.wait_procs(below, 30)
    return 1 + len(below)


def unlock(folder: Path) -> None:
    """Release the lock of a run that was killed, as `./nqs run` does by itself."""
    with (folder / "log").open("ab") as log:
        subprocess.run([*command(folder, [])[:-1], "--unlock"], stdout=log, stderr=log, check=True)


def finish(folder: Path, targets: Sequence[str]) -> None:
    """A run to its end; AssertionError with the end of its log if it fails."""
    code = start(folder, targets).wait()
    assert code == 0, (folder / "log").read_text()[-5000:]
