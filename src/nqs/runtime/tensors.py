"""Trained parameters in safetensors files: read with errors that say what to do, and refused if no network has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nqs.runtime.checksums import compare
from nqs.runtime.file_faults import cause, damaged, unreadable

LARGEST = 1e18  # the squares of larger numbers do not fit into float32


def read_tensors(path: Path, names: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """All tensors of a file; BrokenFileError if it is out of reach, damaged, or lacks promised names."""
    return read_with_header(path, names)[0]


def read_with_header(
    path: Path, names: Iterable[str] = (), keys: Iterable[str] = ()
) -> tuple[dict[str, np.ndarray], Mapping[str, str]]:
    """All tensors of a file and the texts of its header; BrokenFileError as in `read_tensors`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    compare([path])
    try:
        with open(path, "rb"), safe_open(path, framework="numpy") as file:  # Python's own errors tell the cause
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dictionary)
    except OSError as error:
        raise unreadable(path, error) from None
    except (SafetensorError, ValueError, TypeError, MemoryError) as error:
        raise (unreadable(path, error) if cause(error) else damaged(path, error)) from None
    if lacking := [*(name for name in names if name not in tensors), *(key for key in keys if key not in header)]:
        raise damaged(path, f"without {', '.join(lacking)}")
    return tensors, header


def refuse_absurd(path: Path, parameters: np.ndarray, broken: Iterable[bool] | np.ndarray = ()) -> None:
    """BrokenFileError for numbers that no network has; parameters (model, ...), broken (model,): marked as such."""
    flat = np.abs(parameters.reshape(len(parameters), -1))
    absurd = ~(flat <= LARGEST).all(axis=1)  # NaN as well
    marked = np.array([*broken], dtype=bool)
    if marked.size:
        absurd &= ~marked
    if absurd.any():
        first = int(np.argmax(absurd))
        raise damaged(path, f"model {first} is not marked as diverged, but has parameters that are no finite numbers "
                      f"below {LARGEST:.0e}")  # fmt: skip
