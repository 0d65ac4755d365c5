"""Smoke runs of the whole workflow as processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from nqs.workflow import compare_files
from support.smoke_runs import call, environment

TIMED = {Path("analysis/kufel2024/fig8.csv"), Path("claims/kufel2024.csv")}


def command(folder: Path, targets: Sequence[str], *settings: str) -> list[str]:
    """Snakemake's call for targets at smoke scale, with results in a folder; settings: KEY=VALUE over that scale."""
    return [*call(folder), "--config", "scale=smoke", *settings, "--", *targets]


def start(folder: Path, targets: Sequence[str], *settings: str) -> subprocess.Popen[bytes]:
    """A run in a session of its own; what it prints is added to the file `log` of the folder."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command(folder, targets, *settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env=environment(),
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


def differing(one: Path, two: Path) -> list[str]:
    """What two trees of results differ in, to the last bit; tables that hold measured seconds are left out."""
    first, second = (compare_files.files(tree) - TIMED for tree in (one, two))
    lines = [f"{path}: in one tree only" for path in sorted(first ^ second)]
    for path in sorted(first & second):
        lines += [f"{path} {line}" for line in compare_files.differences(one / path, two / path)]
    return lines
