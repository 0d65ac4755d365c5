"""Unfinished trainings on disk: one file of named arrays per network, read back only by the same training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from nqs.runtime.files import save_arrays


class ArrayFiles:
    """Files <folder>/<noun>_<number>.npz that carry an identity; a folder of None keeps nothing.

    interval: seconds between two checkpoints of one network, for the training loop to heed.
    """

    noun: str

    def __init__(self, folder: Path | None, identity: str, interval: float = 20.0) -> None:
        self.folder, self.identity, self.interval = folder, identity, interval

    def path(self, number: int) -> Path:
        """File of one network."""
        assert self.folder is not None
        return self.folder / f"{self.noun}_{number}.npz"

    def write(self, number: int, **arrays: Any) -> None:
        """Write the state of one network, whole or not at all."""
        if self.folder is not None:
            save_arrays(self.path(number), identity=np.array(self.identity), **arrays)

    def read(self, number: int) -> dict[str, np.ndarray] | None:
        """The stored arrays, if they are of the same training and can be read."""
        if self.folder is None or not self.path(number).exists():
            return None
        try:
            with np.load(self.path(number)) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, BadZipFile):
            return None
        return arrays if str(arrays.pop("identity", "")) == self.identity else None

    def clear(self) -> None:
        """Remove the files once the result is safe."""
        if self.folder is not None and self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)  # also what a kill left half-written
