"""Jobs of a run that was killed: they are found by the locks that living jobs hold, and stopped before the next run.

Every job locks a file <host>-<process> in .snakemake/nqs_jobs of its folder; the lock ends with the process, however
that ends. Only light imports: every job is announced.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import signal
import sys
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: no such locks
    fcntl = None  # type: ignore[assignment]

FOLDER = Path(".snakemake/nqs_jobs")
PATIENCE = 60.0  # seconds for the last checkpoints
MINE: list[int] = []  # descriptors that hold the locks of this process


def announce() -> None:
    """Hold a lock that says that this job lives; where that is impossible the job goes on without."""
    if fcntl is None or not FOLDER.parent.is_dir():
        return
    path = FOLDER / f"{platform.node()}-{os.getpid()}"
    with contextlib.suppress(OSError):
        FOLDER.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        MINE.append(descriptor)
        atexit.register(path.unlink, missing_ok=True)


def living(folder: Path = FOLDER) -> list[int]:
    """Processes on this host that hold locks in the folder; files that nobody locks any more are removed."""
    found = []
    for path in sorted(folder.glob(f"{platform.node()}-*")) if fcntl else ():
        with contextlib.suppress(OSError, ValueError):
            process = int(path.name.rpartition("-")[2])
            if is_locked(path):
                found.append(process)
            else:
                path.unlink()
    return found


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def stop(folder: Path = FOLDER, patience: float = PATIENCE) -> list[int]:
    """Let living jobs write their checkpoints and end; returns those that did not within `patience` seconds."""
    left = living(folder)
    if not left:
        return []
    words = f"{len(left)} job{'s' if len(left) > 1 else ''} of a run that was killed"
    print(f"nqs: {words} still at work; stopping at the last checkpoint", file=sys.stderr, flush=True)
    for process in left:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGTERM)
    end = time.monotonic() + patience
    while (left := living(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def refusal(left: list[int]) -> str:
    """What to say about jobs that did not end."""
    numbers = " ".join(map(str, left))
    return f"jobs of a run that was killed are still at work here: processes {numbers}. End them: kill -9 {numbers}"


if __name__ == "__main__":
    if remaining := stop():
        print(f"nqs: {refusal(remaining)}", file=sys.stderr)
        sys.exit(2)
