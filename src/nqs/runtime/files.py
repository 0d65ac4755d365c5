"""Files: written whole or not at all, and what killed jobs leave of them. Light: loads no library."""

from __future__ import annotations

import glob
import os
import platform
import re
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nqs.runtime.file_faults import cause, unwritable

HOST = f"{zlib.crc32(platform.node().encode()):08x}"  # in the names of unfinished files, for clusters share folders
UNFINISHED = re.compile(rf"\.{HOST}-(\d+)\.part$")
FORGOTTEN = 7 * 86400.0  # seconds after which an unfinished file of another machine belongs to nobody


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it at the end; removed if anything fails.

    BrokenFileError with the cause, such as a full disk. What killed jobs left of the same file is removed as well.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    remove_leftovers(path.parent.glob(f".{glob.escape(path.name)}.*.part"))
    temporary = path.with_name(f".{path.name}.{HOST}-{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    except Exception as error:
        if isinstance(error, OSError) or cause(error):  # safetensors has errors of its own
            raise unwritable(path, error) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """BrokenFileError with the cause if nothing can be written to a folder, or to the one that it would be made in."""
    while not os.path.exists(folder):
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(folder, error) from None


def remove_leftovers(parts: Iterable[Path]) -> None:
    """Remove those unfinished files whose writers are gone."""
    for part in parts:
        with suppress(OSError):
            if left_behind(part):
                part.unlink()


def left_behind(part: Path) -> bool:
    """Whether nobody writes an unfinished file any more: its process has ended, or, elsewhere, it is a week old."""
    found = UNFINISHED.search(part.name)
    if found is None:
        return time.time() - part.stat().st_mtime > FORGOTTEN
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's
        return False
    return False
