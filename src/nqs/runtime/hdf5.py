"""HDF5 files: written whole with checksums, read with errors that say what to do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nqs.runtime.errors import Unsound
from nqs.runtime.file_faults import damaged, unreadable
from nqs.runtime.files import atomic


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; BrokenFileError by its cause for one that is missing, out of reach or damaged.

    Without locks: files appear whole, so that no reader needs one, and some file systems have none.
    """
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        try:
            yield file
        except (KeyError, OSError) as error:
            raise damaged(path, error, "incomplete") from None
        except Unsound as error:
            raise damaged(path, error) from None


class Patient(io.FileIO):
    """A file that takes note of the first failure and pretends success.

    HDF5 that meets a full disk prints about each of its objects and ends in a segmentation fault as often as not.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of the data, if nothing has failed so far."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.failure is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the length of the file."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0

    def readinto(self, buffer: Any) -> int:
        """What was written; zeros in place of what could not be."""
        view = memoryview(buffer).cast("B")
        found = super().readinto(view)
        view[found:] = bytes(len(view) - found)
        return len(view)


@contextmanager
def create_hdf5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file, whole or not at all; BrokenFileError with the cause, such as a full disk."""
    with atomic(path) as temporary, Patient(temporary, "w+") as disk:
        try:
            with h5py.File(disk, "w") as file:
                yield file
        finally:
            if disk.failure:
                raise disk.failure


def store(group: h5py.Group, name: str, values: Any, **options: Any) -> None:
    """A data set with checksums, by which HDF5 refuses to read damaged ones; options of h5py's create_dataset."""
    array = np.asarray(values)
    group.create_dataset(name, data=array, fletcher32=bool(array.ndim and array.size), **options)
