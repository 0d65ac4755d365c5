"""Thick-restart Lanczos for the lowest level of a symmetric matrix, in memory or with its vectors on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np

from nqs.io import save_arrays

Apply = Callable[[np.ndarray], np.ndarray]
BLOCK = 1 << 12  # entries of float32 vectors that are summed in single precision; the blocks' sums are float64


class Run(Protocol):
    """Search for the lowest level of a matrix, extended at will."""

    @property
    def energy(self) -> float:
        """Lowest Ritz value."""

    @property
    def residual(self) -> float:
        """Its residual."""

    @property
    def vector(self) -> np.ndarray:
        """Its Ritz vector."""

    def bound(self, tolerance: float) -> float:
        """Level below which there is nothing; the Ritz value itself once its residual is within tolerance."""

    def extend(self, apply: Apply) -> None:
        """Take some more products with the matrix."""


class Lanczos:
    """Thick-restart Lanczos for the lowest level of a symmetric matrix  [Wu & Simon 2000].

    Keeps `kept` Ritz vectors between extensions and `size` Krylov vectors during one; vectors are
    orthogonalised against all others and, if given, against the unit vector `excluded` (d,). They have the
    precision of `start`; scalar products are float64. opening: Krylov vectors of the first extension, if fewer than
    `size`; available: dimension of the space, if less than d.
    """

    def __init__(
        self,
        start: np.ndarray,
        excluded: np.ndarray | None = None,
        size: int = 28,
        kept: int = 10,
        opening: int | None = None,
        available: int | None = None,
    ) -> None:
        self.excluded = excluded
        self.vectors = self._project(start)[None]  # Ritz vectors, then the next vector
        self.vectors /= norm(self.vectors[0])
        self.available = (len(start) if available is None else available) - (excluded is not None)
        self.size = min(size, self.available)
        self.kept = min(kept, self.size)
        self.opening = min(opening or size, self.size)
        self.values = np.zeros(0)
        self.couplings = np.zeros(0)  # of the Ritz vectors to the next vector
        self.energy, self.residual = 0.0, np.inf

    def bound(self, tolerance: float) -> float:
        """Level below which this run holds nothing; the Ritz value itself once converged."""
        return self.energy if self.residual <= tolerance else lower_bound(self.energy, self.residual)

    @property
    def vector(self) -> np.ndarray:
        """Ritz vector of the lowest level."""
        return self.vectors[0]

    def extend(self, apply: Apply) -> None:
        """Fill the Krylov space up to `size` vectors and restart from the lowest Ritz vectors."""
        first = len(self.values)
        size = self.size if first else self.opening
        krylov = np.empty((size + 1, self.vectors.shape[1]), dtype=self.vectors.dtype)
        krylov[: first + 1] = self.vectors
        self.vectors = krylov[:1]
        projected = np.zeros((size, size))
        projected[:first, :first] = np.diag(self.values)
        projected[first, :first] = projected[:first, first] = self.couplings
        for n in range(first, size):
            vector = apply(krylov[n])
            lower = slice(0, n) if n == first else slice(n - 1, n)
            subtract(vector, krylov[lower], projected[n, lower])
            projected[n, n] = overlaps(krylov[n : n + 1], vector)[0]
            subtract(vector, krylov[n : n + 1], projected[n, n : n + 1])
            subtract(vector, krylov[: n + 1], overlaps(krylov[: n + 1], vector))
            vector = self._project(vector)
            length = norm(vector)
            used = n + 1
            if length < 1e-11 or used == self.available:  # the Krylov space is invariant
                length = 0.0
                break
            krylov[used] = vector / vector.dtype.type(length)
            if used < size:
                projected[used, n] = projected[n, used] = length
        self._restart(krylov, projected[:used, :used], length)

    def _restart(self, krylov: np.ndarray, projected: np.ndarray, length: float) -> None:
        values, rotation = np.linalg.eigh(projected)
        used = len(values)
        keep = min(self.kept, used - 1) if length else 1
        following = krylov[used : used + 1] if length else krylov[:0]
        self.vectors = np.vstack([combined(krylov[:used], rotation[:, :keep]), following])
        self.values = values[:keep]
        self.couplings = length * rotation[-1, :keep]
        self.energy = float(values[0])
        self.residual = abs(length * float(rotation[-1, 0]))

    def _project(self, vector: np.ndarray) -> np.ndarray:
        if self.excluded is None:
            return vector
        vector = vector.copy()
        subtract(vector, self.excluded[None], overlaps(self.excluded[None], vector))
        return vector


class StoredLanczos(Lanczos):
    """The same with its vectors in a file between extensions, so that many runs fit into memory.

    A run goes on from its file if that carries the same identity. `start` makes the start vector if it does not.
    """

    def __init__(self, start: Callable[[], np.ndarray], file: Path, identity: str, **options) -> None:
        self.file, self.identity = file, identity
        self.extensions = 0
        stored = self._read()
        if stored is None:
            super().__init__(start(), **options)
            self._write()
        else:
            super().__init__(stored["vectors"][0], **options)
            self.vectors, self.values, self.couplings = stored["vectors"], stored["values"], stored["couplings"]
            self.energy, self.residual = float(stored["energy"]), float(stored["residual"])
            self.extensions = int(stored["extensions"])
        self._release()

    @property
    def vector(self) -> np.ndarray:
        """Ritz vector of the lowest level, from the file."""
        stored = self._read()
        assert stored is not None
        return stored["vectors"][0]

    def extend(self, apply: Apply) -> None:
        """As above; reads the vectors and writes the new ones."""
        stored = self._read()
        assert stored is not None
        self.vectors = stored["vectors"]
        super().extend(apply)
        self.extensions += 1
        self._write()
        self._release()

    def _release(self) -> None:
        self.vectors = self.vectors[:0].copy()

    def _write(self) -> None:
        names = ("vectors", "values", "couplings", "energy", "residual", "extensions", "identity")
        save_arrays(self.file, **{name: np.asarray(getattr(self, name)) for name in names})

    def _read(self) -> dict[str, np.ndarray] | None:
        try:
            with np.load(self.file) as file:
                stored = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, BadZipFile):
            return None
        return stored if str(stored["identity"]) == self.identity else None


def lower_bound(energy: float, residual: float) -> float:
    """Level below which a sector with this Ritz value holds nothing.

    The residual r only proves a level within r of the Ritz value. A start vector with a small
    part e in the lowest level, d below, can rest above it with r about e d, so sqrt(r) is
    taken while r is small: it covers d < e.
    """
    return energy - max(residual, float(np.sqrt(residual)))


def overlaps(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Scalar products of (n, d) with (d,): float64 (n,)."""
    if vector.dtype == np.float64:
        return vectors @ vector
    total = np.zeros(len(vectors))
    for begin in range(0, len(vector), BLOCK):
        block = slice(begin, begin + BLOCK)
        total += vectors[:, block] @ vector[block]
    return total


def subtract(vector: np.ndarray, vectors: np.ndarray, coefficients: np.ndarray) -> None:
    """vector (d,) -= coefficients (n,) @ vectors (n, d), in place."""
    if vector.dtype == np.float64:
        vector -= coefficients @ vectors
        return
    coefficients = coefficients.astype(vector.dtype)
    for begin in range(0, len(vector), BLOCK):
        block = slice(begin, begin + BLOCK)
        vector[block] -= coefficients @ vectors[:, block]


def combined(vectors: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """rotation.T (m, n) @ vectors (n, d), in the precision of the vectors."""
    return rotation.T.astype(vectors.dtype) @ vectors


def norm(vector: np.ndarray) -> float:
    """Euclidean length."""
    if vector.dtype == np.float64:
        return float(np.linalg.norm(vector))
    return float(np.sqrt(overlaps(vector[None], vector)[0]))
