"""Unfinished work on disk: files of named arrays and scalars, read back only by what wrote them.

What is stored brings two functions: one to a dictionary of arrays and scalars, one back. Scalars are written as JSON,
which keeps every number exactly.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from nqs.runtime.files import atomic

IDENTITY, SCALARS = "identity", "scalars"


class Checkpoints:
    """Files <folder>/<key>.npz that carry the hash of what they belong to; a folder of None keeps nothing.

    identity: what the files belong to, in words;  interval: seconds between two checkpoints of one key, for the loop
    that writes them to heed.
    """

    def __init__(self, folder: Path | None, identity: str, interval: float = 20.0) -> None:
        self.folder, self.interval = folder, interval
        self.identity = hashlib.sha256(identity.encode()).hexdigest()

    def path(self, key: str) -> Path:
        """File of one key."""
        assert self.folder is not None
        return self.folder / f"{key}.npz"

    def save(self, key: str, **state: Any) -> None:
        """Write arrays and scalars under a key, whole or not at all."""
        if self.folder is None:
            return
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        scalars = json.dumps({name: plain(value) for name, value in state.items() if name not in arrays})
        identity = {IDENTITY: np.array(self.identity), SCALARS: np.array(scalars)}
        save_arrays(self.path(key), **identity, **arrays)

    def load(self, key: str, *names: str) -> dict[str, Any] | None:
        """What is stored under a key, or some of its arrays alone, if it is of the same work and can be read."""
        if self.folder is None:
            return None
        try:
            with np.load(self.path(key)) as stored:
                if str(stored[IDENTITY]) != self.identity:
                    return None
                wanted = names or [name for name in stored.files if name not in (IDENTITY, SCALARS)]
                return json.loads(str(stored[SCALARS])) | {name: stored[name] for name in wanted}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile):
            return None

    def clear(self) -> None:
        """Remove the files once the result is safe."""
        if self.folder is not None and self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)  # also what a kill left half-written


def plain(value: Any) -> Any:
    """A NumPy number as the number of Python that it is."""
    return value.item() if isinstance(value, np.generic) else value


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays to an .npz file, whole or not at all."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
