"""Files: written whole or not at all, and read with errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from nqs.runtime.errors import BrokenFileError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it at the end; removed if anything fails."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BrokenFileError(f"{path.parent}: cannot be written ({error.strerror}); check the folder") from error
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise BrokenFileError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temporary.unlink(missing_ok=True)


def command_for(path: Path) -> str:
    """The command that builds a result, with the scale that its path names."""
    parts = Path(path).parts
    scale = parts[parts.index("results") + 1] if "results" in parts[:-1] else "laptop"
    return f"./nqs run {path}" + ("" if scale == "laptop" else f" --config scale={scale}")


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; a missing or damaged one raises BrokenFileError."""
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise BrokenFileError(f"{path}: missing; build it with {command_for(path)}") from None
    except OSError as error:
        raise BrokenFileError(
            f"{path}: damaged or not HDF5 ({error}); delete it and build it again with {command_for(path)}"
        ) from None
    with file:
        try:
            yield file
        except (KeyError, OSError) as error:
            raise BrokenFileError(
                f"{path}: incomplete ({error}); delete it and build it again with {command_for(path)}"
            ) from None


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays to an .npz file, whole or not at all."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
