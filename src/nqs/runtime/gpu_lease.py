"""Which GPU of this machine a job takes: the one that the fewest jobs of this user hold, until the process ends.

A lease is a locked file, `<GPU>.<number>`; the system drops the lock however the process ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: every job takes the first GPU
    fcntl = None  # type: ignore[assignment]

HELD: list[IO[str]] = []  # for the life of the process
taken: dict[tuple[str, ...], int] = {}


def folder() -> Path:
    """Where leases lie: one folder per user and machine."""
    return Path(tempfile.gettempdir()) / f"nqs-gpus-{os.getuid()}"


def take(gpus: Sequence[str]) -> int:
    """Place in the list of the GPU to use; gpus: names that no two GPUs share. The same for every call of a process."""
    key = tuple(gpus)
    if key not in taken:
        taken[key] = lease(gpus) if fcntl and len(gpus) > 1 else 0
    return taken[key]


def lease(gpus: Sequence[str]) -> int:
    """Hold the first free lease of the GPU with the fewest; 0 without one where no folder can be written to."""
    with suppress(OSError):
        folder().mkdir(mode=0o700, exist_ok=True)
        with (folder() / "lock").open("w") as choosing:  # one process chooses at a time
            fcntl.flock(choosing, fcntl.LOCK_EX)
            jobs = [sum(map(is_held, folder().glob(f"{gpu}.*"))) for gpu in gpus]
            place = jobs.index(min(jobs))
            HELD.append(next(file for number in count() if (file := hold(folder() / f"{gpus[place]}.{number}"))))
            return place
    return 0


def hold(path: Path) -> IO[str] | None:
    """The locked file, None if another process holds it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_held(path: Path) -> bool:
    """Whether a process holds this lease."""
    if file := hold(path):
        file.close()
    return file is None
