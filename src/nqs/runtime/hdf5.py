"""HDF5 files: written whole with checksums, read with errors that say what to do."""

from __future__ import annotations

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


@contextmanager
def create_hdf5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file, whole or not at all."""
    with atomic(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        yield file


def store(group: h5py.Group, name: str, values: Any, **options: Any) -> None:
    """A data set with checksums, by which HDF5 refuses to read damaged ones; options of h5py's create_dataset."""
    array = np.asarray(values)
    group.create_dataset(name, data=array, fletcher32=bool(array.ndim and array.size), **options)
