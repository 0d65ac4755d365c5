"""Symmetry sectors of a Hamiltonian file at given couplings: Lanczos runs and H times a vector."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import h5py
import numba as nb
import numpy as np

from nqs.exact.kernel.sectors import KernelSectors
from nqs.exact.lanczos import Apply, Lanczos, Run
from nqs.exact.soundness import check_elements, check_root_orbits, check_rows


class Sectors(Protocol):
    """Symmetry sectors at given couplings: their Lanczos runs and H in each."""

    @property
    def names(self) -> Sequence[str]:
        """Sectors that are not empty."""

    @property
    def dtype(self) -> type:
        """Precision of the runs' vectors."""

    @property
    def large(self) -> bool:
        """Whether a coarser gap will do, to save time."""

    def dimension(self, name: str) -> int:
        """Dimension of a sector."""

    def run(self, name: str, seed: int, excluded: np.ndarray | None = None) -> Run:
        """A run from a random vector, orthogonal to `excluded`."""

    def alone(self, name: str, seed: int) -> Run:
        """The same without a look at the other sectors."""

    def apply(self, name: str, dtype: type | None = None) -> Apply:
        """y = H x for vectors of the given precision, if not that of the runs."""


@dataclass(frozen=True, eq=False)
class QuspinSectors:
    """Sectors of a file with one matrix per sector (nqs.exact.blocks)."""

    file: h5py.File
    couplings: Mapping[str, float]
    dtype: type = np.float64
    large: bool = False

    @property
    def names(self) -> list[str]:
        """Sectors that are not empty."""
        return [key for key in self.file if key.startswith("sector_") and self.dimension(key)]

    def dimension(self, name: str) -> int:
        """Number of orbits in the sector."""
        return len(self.file[name]["root_orbit"])

    def run(self, name: str, seed: int, excluded: np.ndarray | None = None) -> Lanczos:
        """Lanczos run of one sector from a random vector."""
        return Lanczos(np.random.default_rng(seed).standard_normal(self.dimension(name)), excluded)

    def alone(self, name: str, seed: int) -> Lanczos:
        """The same: sectors are searched one by one."""
        return self.run(name, seed)

    def apply(self, name: str, dtype: type | None = None) -> Apply:
        """y = H x in one sector."""
        return block(self.file[name], self.couplings)


@contextmanager
def open_sectors(
    file: h5py.File, couplings: Mapping[str, float], folder: Path | None = None, identity: str = "", threads: int = 1
) -> Iterator[Sectors]:
    """The sectors of a Hamiltonian file; those of the kernel keep unfinished runs in `folder`."""
    if file.attrs.get("backend") != "kernel":
        yield QuspinSectors(file, couplings)
        return
    with TemporaryDirectory() as temporary:
        yield KernelSectors(file, couplings, Path(folder or temporary), identity, threads)


def block(sector: h5py.Group, couplings: Mapping[str, float]) -> Apply:
    """y = H x in one sector."""
    root_orbit = sector["root_orbit"][...]
    check_root_orbits(root_orbit, len(sector.file["permutations"]))
    terms = []
    for key, coupling in couplings.items():
        # Unsigned indices spare numba its check for negative ones: twice as fast.
        indptr, indices, counts = (sector[key][part][...] for part in ("indptr", "indices", "counts"))
        check_rows(indptr, indices, counts, len(root_orbit))
        check_elements(indptr, counts, sector[key]["diagonal"][...], len(sector.file["bonds"][key]))
        terms.append((coupling, indptr.view(np.uint64), indices.view(np.uint32), counts))
    diagonal = sum(0.25 * c * sector[key]["diagonal"][...] for key, c in couplings.items())

    def apply(x: np.ndarray) -> np.ndarray:
        scaled = x / root_orbit
        y = np.zeros_like(x)
        for coupling, indptr, indices, counts in terms:
            _add_exchange(indptr, indices, counts, 0.5 * coupling, scaled, y)
        return y * root_orbit + diagonal * x

    return apply


@nb.njit(cache=True)
def _add_exchange(
    indptr: np.ndarray,
    indices: np.ndarray,
    counts: np.ndarray,
    coupling: float,
    x: np.ndarray,
    y: np.ndarray,
) -> None:
    for row in range(len(y)):
        total = 0.0
        for n in range(indptr[row], indptr[row + 1]):
            total += counts[n] * x[indices[n]]
        y[row] += coupling * total
