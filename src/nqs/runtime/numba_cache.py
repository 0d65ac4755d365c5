"""Where numba keeps compiled kernels if neither the package's folder nor the home can be written to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made."""
    while not os.path.exists(folder):  # also False where this user may not look
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def usual(package: Path) -> Iterable[Path]:
    """Where numba looks by itself: beside the source, then below the home."""
    yield package / "__pycache__"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if cache.is_absolute():  # there may be no home at all
        yield cache / "numba"


def choose(package: Path, results: Path) -> None:
    """Set numba's variable if it has no place of its own: beside the results, else a folder of this user in TMPDIR."""
    if os.environ.get(VARIABLE) or any(map(writable, usual(package))):
        return
    folder = results.absolute() / ".numba"
    if not writable(folder):
        import tempfile  # here, so that the common case stays light

        folder = Path(tempfile.gettempdir()) / f"nqs-numba-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():  # somebody else's code
            folder = Path(tempfile.mkdtemp(prefix="nqs-numba-"))
    os.environ[VARIABLE] = str(folder)
