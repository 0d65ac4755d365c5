"""Checksums of results: noted when a job ends, compared when another one reads them.

The checksum of <folder>/<file> is a line in <folder>/.checksums/<file>.crc32, CRC-32 and bytes. A file without one is
taken as it is: it came from elsewhere, or its job was killed between file and checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nqs.runtime.errors import BrokenFileError
from nqs.runtime.file_faults import command_for, unreadable
from nqs.runtime.files import atomic
from nqs.runtime.job import Job

FOLDER, ENDING, PIECE = ".checksums", ".crc32", 1 << 22


def place(path: Path) -> Path:
    """Where the checksum of a file stands."""
    return path.parent / FOLDER / f"{path.name}{ENDING}"


def checksum(path: Path) -> str:
    """CRC-32 and bytes of a file, as text; BrokenFileError by its cause if it cannot be read."""
    total = size = 0
    try:
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                total, size = zlib.crc32(piece, total), size + len(piece)
    except OSError as error:
        raise unreadable(path, error) from None
    return f"{total:08x} {size}"


def note(paths: Iterable[Path]) -> None:
    """Write the checksums of those files that are there."""
    for path in filter(Path.is_file, map(Path, paths)):
        with atomic(place(path)) as temporary:
            temporary.write_text(checksum(path) + "\n", encoding="ascii")


def forget(paths: Iterable[Path]) -> None:
    """Remove the checksums of files that are about to be written."""
    for path in map(Path, paths):
        place(path).unlink(missing_ok=True)


def compare(paths: Iterable[Path]) -> None:
    """BrokenFileError for the first file that is not what was written; missing ones are left to their readers."""
    for path in map(Path, paths):
        try:
            noted = place(path).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if path.exists() and checksum(path) != noted:
            raise BrokenFileError(
                f"{path}: damaged (not what was written: its checksum differs); delete it and build it again with "
                f"{command_for(path)}, or, if it was changed on purpose, delete {place(path)}"
            )


def check_inputs(job: Job) -> None:
    """BrokenFileError if an input of a job is not what was written."""
    compare(path for paths in job.inputs.values() for path in paths)


@contextmanager
def guarded(job: Job) -> Iterator[Job]:
    """A job whose inputs are what was written, and whose outputs get checksums at its end."""
    check_inputs(job)
    forget(job.outputs.values())
    yield job
    note(job.outputs.values())
