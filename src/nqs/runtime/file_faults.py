"""Why a file cannot be read or written, by the cause that the system gives, and what to do about it.

Only damage asks for a file to be deleted: one that is locked, unreadable or out of reach may be sound, and its work may
have taken hours.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

from nqs.runtime.errors import BrokenFileError

SOUND = "the file itself may be sound: keep it"
NO_LOCKS = f"its file system has no locks; set HDF5_USE_FILE_LOCKING=FALSE and call again; {SOUND}"
READING = {
    errno.EACCES: f"may not be read by this user; change its or its folder's permissions; {SOUND}",
    errno.EPERM: f"may not be read by this user; change its or its folder's permissions; {SOUND}",
    errno.EAGAIN: f"locked by another program that has it open; end that one or wait, then call again; {SOUND}",
    errno.ENOLCK: NO_LOCKS,
    errno.ENOSYS: NO_LOCKS,
    errno.EOPNOTSUPP: NO_LOCKS,
    errno.EMFILE: f"too many open files; raise the limit (ulimit -n) and call again; {SOUND}",
    errno.ENOMEM: f"no memory left to read it; free some and call again; {SOUND}",
    errno.EIO: f"the disk or network behind it reports an error; check it and call again; {SOUND}",
    errno.ESTALE: f"its network file system has lost it for now; call again; {SOUND}",
    errno.ELOOP: "a symbolic link that leads in a circle; delete the link",
    errno.EISDIR: "a folder stands in the place of the file; move it away",
}
FULL = "the disk is full; free space there and call again: what is finished is kept"
FORBIDDEN = "this user may not write there; change the folder's permissions or work in a copy"
WRITING = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "the quota of this user is used up; free space there and call again: what is finished is kept",
    errno.EFBIG: "larger than the system lets this process write (ulimit -f); raise the limit and call again",
    errno.EROFS: "the file system is read-only; mount it writable or work in a copy of the folder",
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.ENAMETOOLONG: "the name is too long for this file system; choose shorter names",
    errno.ENOTDIR: "a file stands in the place of one of its folders; move it away",
    errno.EIO: "the disk or network behind it reports an error; check it and call again",
}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # what may befall any file, logs among them


def cause(error: BaseException) -> int:
    """The system's error number behind an error of any library, 0 if there is none."""
    number = getattr(error, "errno", None)
    if not number:  # HDF5 and safetensors name it in their text alone
        found = re.search(r"errno = (\d+)|os error (\d+)", str(error))
        number = int(found[1] or found[2]) if found else 0
    return int(number)


def command_for(path: Path) -> str:
    """The command that builds a result, with the scale that its path names."""
    parts = Path(path).parts
    scale = parts[parts.index("results") + 1] if "results" in parts[:-1] else "laptop"
    return f"./nqs run {path}" + ("" if scale == "laptop" else f" --config scale={scale}")


def published(path: Path) -> bool:
    """Whether a file comes with the project, and not from a run."""
    return "results" not in path.parts and bool({"archive", "reference"} & {*path.parts})


def mending(path: Path, way: str) -> str:
    """What to do about a file: restore what comes with the project, build a result; way: how that begins."""
    if published(path):
        return f"restore it, e.g. with git checkout -- {path}"
    return f"{way} with {command_for(path)}"


def missing(path: Path) -> BrokenFileError:
    """A file that is not there."""
    return BrokenFileError(f"{path}: missing; {mending(path, 'build it')}")


def damaged(path: Path, why: object, state: str = "damaged") -> BrokenFileError:
    """A file whose content is wrong: it is to be deleted and built again."""
    reason = " ".join(str(why).split())  # one line, whatever a library says
    return BrokenFileError(f"{path}: {state} ({reason}); {mending(path, 'delete it and build it again')}")


def unreadable(path: Path, error: BaseException) -> BrokenFileError:
    """A file that cannot be read, by its cause; one without a cause of the system's is damaged."""
    number = cause(error)
    if isinstance(error, FileNotFoundError) or number in (errno.ENOENT, errno.ENOTDIR):
        return missing(path)
    return BrokenFileError(f"{path}: {READING[number]}") if number in READING else damaged(path, error)


def unwritable(path: Path, error: BaseException) -> BrokenFileError:
    """A file that cannot be written, by its cause."""
    reason = WRITING.get(cause(error)) or getattr(error, "strerror", None) or " ".join(str(error).split())
    return BrokenFileError(f"{path}: cannot be written: {reason}")
