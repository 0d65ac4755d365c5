"""Whether two trees of results hold the same numbers, to the last bit: `./nqs compare A B --exact`.

Compared are tables (CSV, Parquet), weights (safetensors) and HDF5 files; not wall times, devices, versions, settings,
logs and pictures. Differences are listed with their largest size relative to the column, one line each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from nqs.runtime.hdf5 import open_hdf5
from nqs.runtime.tables import read_table
from nqs.runtime.tensors import read_tensors
from nqs.workflow.compare_rows import MEASURED

NOT_COMPARED = MEASURED | {"device", "s"}
NOT_NUMBERS = {"versions", "settings"}


def columns(path: Path) -> dict[str, np.ndarray]:
    """The numbers and texts of a file by column, tensor or data set."""
    if path.suffix == ".safetensors":
        return read_tensors(path)
    if path.suffix == ".h5":
        return hdf5(path)
    table = read_table(path)
    return {str(name): table[name].to_numpy() for name in table if name not in NOT_COMPARED}


def hdf5(path: Path) -> dict[str, np.ndarray]:
    """Attributes and data sets of an HDF5 file, by path."""
    found = {}
    with open_hdf5(path) as file:
        found.update({f"@{name}": np.asarray(value) for name, value in file.attrs.items() if name not in NOT_NUMBERS})

        def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
            found.update({f"{name}@{key}": np.asarray(value) for key, value in item.attrs.items()})
            if isinstance(item, h5py.Dataset):
                found[name] = item[...]

        file.visititems(note)
    return found


def same(one: np.ndarray, two: np.ndarray) -> bool:
    """Equal to the last bit, NaN being equal to NaN."""
    if one.shape != two.shape:
        return False
    if one.dtype.kind in "fc" and two.dtype.kind in "fc":
        return bool(np.array_equal(one, two, equal_nan=True))
    return bool(((one == two) | (pd.isna(one) & pd.isna(two))).all())


def size(one: np.ndarray, two: np.ndarray) -> str:
    """How large a difference is."""
    if one.shape != two.shape:
        return f"shapes {one.shape} and {two.shape}"
    if one.dtype.kind not in "fciu" or two.dtype.kind not in "fciu":
        return f"{int((one != two).sum())} of {one.size} entries"
    scale = np.nanmax(np.abs(one)) or 1.0
    return f"{np.nanmax(np.abs(one.astype(complex) - two)) / scale:.1e} of the largest"


def differences(one: Path, two: Path) -> Iterator[str]:
    """One line per column that differs between two files."""
    first, second = columns(one), columns(two)
    for name in sorted(first.keys() ^ second.keys()):
        yield f"{name}: only in the {'first' if name in first else 'second'}"
    for name in sorted(first.keys() & second.keys()):
        if not same(first[name], second[name]):
            yield f"{name}: {size(first[name], second[name])}"


def files(tree: Path) -> set[Path]:
    """What is compared below a tree, relative to it."""
    kinds = {".csv", ".parquet", ".safetensors", ".h5"}
    found = {path.relative_to(tree) for path in tree.rglob("*") if path.suffix in kinds}
    return {path for path in found if path.parts[0] not in ("checkpoints", "benchmarks", "logs")}


def compare_files(one: Path, two: Path) -> int:
    """Print what differs; 0 if all that both trees hold is equal and neither lacks a file, 1 otherwise."""
    first, second = files(one), files(two)
    lines = [f"{path}: only in {one if path in first else two}" for path in sorted(first ^ second)]
    for path in sorted(first & second):
        lines += [f"{path} {line}" for line in differences(one / path, two / path)]
    print("\n".join([*lines, f"{len(first & second)} files compared, {len(lines)} differences"]))
    return int(bool(lines))
