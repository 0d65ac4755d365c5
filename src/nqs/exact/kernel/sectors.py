"""Sectors of a Hamiltonian file of the fast kernel (nqs.exact.kernel.file): their Lanczos runs and H in each.

Long lists of neighbours are memory-mapped from the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import h5py
import numpy as np

from nqs.exact.kernel.file import MAPPED, odd_parity
from nqs.exact.kernel.many_sectors import Lanes
from nqs.exact.kernel.neighbours import PIECE, Layout, Neighbours
from nqs.exact.kernel.orbits import Orbits
from nqs.exact.kernel.screening import Level, ScreenedRun, Screening
from nqs.exact.lanczos import Apply, Run, StoredLanczos, norm
from nqs.exact.soundness import check_orbits, require, within
from nqs.runtime.errors import BrokenFileError

LARGE = 1 << 20  # orbits above which the gap is coarser
SINGLE = 1 << 23  # orbits above which vectors are float32
# Krylov vectors of an extension, Ritz vectors kept, and Krylov vectors of the first extension: at 24 sites the error of
# the Ritz value exceeds its residual before 16 steps, so that sectors dropped earlier may hold the lowest level.
SIZE, KEPT, OPENING = 24, 6, 20


@dataclass(frozen=True, eq=False)
class KernelSectors:
    """All sectors of a Hamiltonian file of the kernel at given couplings; vectors (d,) have all orbits.

    An entry is psi x sqrt(orbit size), 0 where the sector has no such orbit.  Unfinished runs are kept in `folder`.
    """

    file: h5py.File
    couplings: Mapping[str, float]
    folder: Path
    identity: str
    threads: int = 1

    @cached_property
    def names(self) -> list[str]:
        """Sectors that are not empty."""
        return [key for key in self.file if key.startswith("sector_") and self.file[key].attrs["dimension"]]

    @cached_property
    def orbits(self) -> Orbits:
        """Orbits of the whole Sz = 0 space."""
        group = self.file["orbits"]
        sizes = group["sizes"][...].astype(np.int64)
        orbits = Orbits(group["representatives"][...], sizes, group["fixed"][...], group["parities"][...])
        check_orbits(orbits.representatives, sizes, int(self.file.attrs["n_sites"]))
        require(len(orbits.fixed) == len(orbits.parities), "lists of different lengths")
        within(orbits.fixed, len(sizes), "fixed orbits")
        return orbits

    @cached_property
    def layout(self) -> Layout:
        """Format of the words; BrokenFileError for pieces of another length."""
        if self.file.attrs["piece"] != PIECE:
            raise BrokenFileError(f"{self.file.filename}: made by another version; delete it and build it again")
        return Layout(*(int(self.file.attrs[name]) for name in ("parity_bits", "count_bits", "tile_bits")))

    @cached_property
    def neighbours(self) -> dict[str, Neighbours]:
        """Lists of the bond sets whose coupling is not zero."""
        parts = ("words", "counts", "starts", "aligned")
        used = [key for key, coupling in self.couplings.items() if coupling]
        found = {key: Neighbours(self.layout, *(_mapped(self.file[key][part]) for part in parts)) for key in used}
        for lists in found.values():
            lists.check(len(self.orbits.sizes))
        return found

    @property
    def dtype(self) -> type:
        """Precision of the search."""
        return np.float32 if len(self.orbits.sizes) > SINGLE else np.float64

    @property
    def large(self) -> bool:
        """Whether a coarser gap will do, to save time."""
        return len(self.orbits.sizes) > LARGE

    def dimension(self, name: str) -> int:
        """Number of orbits in the sector."""
        return int(self.file[name].attrs["dimension"])

    def absent(self, name: str) -> np.ndarray:
        """Orbits that vanish in the sector."""
        return self.orbits.absent(self._odd(name))

    def _odd(self, name: str) -> int:
        return odd_parity(self.file.attrs["orders"], self.file[name].attrs["signs"])

    def run(self, name: str, seed: int, excluded: np.ndarray | None = None) -> Run:
        """Lanczos run of one sector from a random vector; what the screening found counts until it is extended."""
        if excluded is None and name in self.screened:
            return ScreenedRun(self.screened[name], partial(self._run, name, seed), self._path(name, seed).exists())
        return self._run(name, seed, excluded)

    def alone(self, name: str, seed: int) -> Run:
        """The same without screening all sectors."""
        return self._run(name, seed)

    def _path(self, name: str, seed: int) -> Path:
        return self.folder / f"{name}_{seed}.npz"

    def _run(self, name: str, seed: int, excluded: np.ndarray | None = None) -> StoredLanczos:
        excluded = None if excluded is None else excluded.astype(self.dtype)
        return StoredLanczos(
            partial(self.start, name, seed), self._path(name, seed), self.identity,
            excluded=excluded, available=self.dimension(name), size=SIZE, kept=KEPT, opening=OPENING,
        )  # fmt: skip

    def start(self, name: str, seed: int) -> np.ndarray:
        """A random vector of the sector."""
        vector: np.ndarray = np.random.default_rng(seed).standard_normal(len(self.orbits.sizes)).astype(self.dtype)
        vector[self.absent(name)] = 0
        return vector

    @cached_property
    def screened(self) -> dict[str, Level]:
        """Lowest level of each sector as far as the screening needs it; empty if there is one sector."""
        if len(self.names) == 1:
            return {}

        def start(name: str) -> np.ndarray:
            vector = self.start(name, 0).astype(np.float32)
            return vector / np.float32(norm(vector))

        dimension = len(self.orbits.sizes)
        return Screening(self.names, dimension, self.lanes, start, self.folder, self.identity).run()

    def lanes(self, names: Sequence[str]) -> Lanes:
        """H in several sectors at once."""
        fixed, sizes = self.orbits.fixed, self.orbits.sizes
        tables = [self.layout.coefficients(self._odd(name), np.float32) for name in names]
        diagonal = np.zeros(len(sizes), dtype=np.float32)
        terms = []
        for key, lists in self.neighbours.items():
            diagonal += np.float32(0.25 * self.couplings[key]) * lists.aligned
            terms.append((lists, np.float32(0.5 * self.couplings[key]) * np.column_stack(tables)))
        return Lanes(
            terms,
            diagonal,
            fixed,
            self._lengths.astype(np.float32),
            [self.absent(name) for name in names],
            self.threads,
        )

    @property
    def _lengths(self) -> np.ndarray:
        """Of the orbits smaller than the group: root of their size over that of the group (m,)."""
        return np.sqrt(self.orbits.sizes[self.orbits.fixed] / self.orbits.sizes.max())

    def apply(self, name: str, dtype: type | None = None) -> Apply:
        """y = H x in one sector."""
        kind = np.dtype(dtype or self.dtype).type
        odd, absent, fixed = self._odd(name), self.absent(name), self.orbits.fixed
        length = self._lengths.astype(kind)
        table = self.layout.coefficients(odd, kind)
        terms = [(self.couplings[key], lists) for key, lists in self.neighbours.items()]

        def apply(x: np.ndarray) -> np.ndarray:
            x = x.copy()
            x[fixed] /= length
            y = np.zeros_like(x)
            for coupling, lists in terms:
                lists.add_diagonal(coupling, x, y)
                lists.add(table, coupling, x, y, self.threads)
            y[fixed] *= length
            y[absent] = 0
            return y

        return apply


def _mapped(dataset: h5py.Dataset) -> np.ndarray:
    """The array, from the file's pages if it is long; private pages, so that it can be written to in vain."""
    if dataset.nbytes < MAPPED:
        return dataset[...]
    offset = dataset.id.get_offset()
    return np.asarray(np.memmap(dataset.file.filename, dataset.dtype, "c", offset, dataset.shape))
