"""Thick-restart Lanczos for the lowest level of a symmetric matrix, in memory or with its vectors on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nqs.runtime.checkpoints import Checkpoints

Apply = Callable[[np.ndarray], np.ndarray]
CHANCE = 1e-4  # that a bound does not hold: how often a random start vector has so small a part in a level
STORED = (
    "vectors", "values", "couplings", "energy", "residual", "extensions", "zeros", "poles", "scale", "below",
)  # fmt: skip
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
        """Level below which there is nothing (lower_bound); the Ritz value once its residual is within tolerance."""

    def extend(self, apply: Apply) -> None:
        """Take some more products with the matrix."""


class Lanczos:
    """Thick-restart Lanczos for the lowest level of a symmetric matrix  [Wu & Simon 2000].

    The start vector must be random, or `bound` means nothing.
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
        self.below = -np.inf
        # The next vector's part in a level x: the start vector's times prod(x - zeros) / prod(x - poles) / exp(scale)
        self.zeros, self.poles, self.scale = np.zeros(0), np.zeros(0), 0.0

    def bound(self, tolerance: float) -> float:
        """Level below which this run holds nothing; the Ritz value itself once converged."""
        return self.energy if self.residual <= tolerance else self.below

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
        lengths = [*np.diagonal(projected, -1)[len(self.values) :], length]
        self.vectors = np.vstack([combined(krylov[:used], rotation[:, :keep]), following])
        self.zeros, self.poles = np.append(self.zeros, values), np.append(self.poles, self.values)
        self.values = values[:keep]
        self.couplings = length * rotation[-1, :keep]
        self.energy = self.below = float(values[0])
        self.residual = abs(length * float(rotation[-1, 0]))
        if length:
            self.scale += float(np.log(lengths).sum())
            dimension = self.available
            self.below = lower_bound(values, length * rotation[-1], self.zeros, self.poles, self.scale, dimension)

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
        self.file, self.checkpoints = file, Checkpoints(file.parent, identity)
        self.extensions = 0
        stored = self._read()
        if stored is None:
            super().__init__(start(), **options)
            self._write()
        else:
            super().__init__(stored["vectors"][0], **options)
            vars(self).update(stored)
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
        self.checkpoints.save(self.file.stem, **{name: getattr(self, name) for name in STORED})

    def _read(self) -> dict[str, Any] | None:
        return self.checkpoints.load(self.file.stem)


def lower_bound(
    values: np.ndarray, couplings: np.ndarray, zeros: np.ndarray, poles: np.ndarray, scale: float, dimension: int
) -> float:
    """Level below which the space of so many dimensions holds nothing, each time with a chance of CHANCE to be wrong.

    values, couplings (n,): all Ritz values, from the lowest, and couplings of their vectors to the next vector.
    zeros, poles, scale: growth of the next vector's part in a level, see Lanczos.
    A residual only proves a level near the Ritz value; the lowest level may be hidden below if the start vector has
    a small part in it. But of an eigenvector at x, the next vector has the part p(x) and a Ritz vector the part
    p(x) coupling / (x - value), both times that of the start vector. Their squares add up to at most 1, which limits
    the start vector's part in a hidden level; a random one has less than (pi/2) CHANCE^2 / dimension of its weight
    there with probability CHANCE.
    """
    needed = np.log(dimension / (0.5 * np.pi * CHANCE**2))

    def excluded(distance: float) -> bool:
        growth = np.log(np.abs(zeros - values[0] + distance)).sum() - scale
        growth -= np.log(np.abs(poles - values[0] + distance)).sum()
        return 2 * growth + np.log1p(((couplings / (values - values[0] + distance)) ** 2).sum()) >= needed

    near, far = 0.0, 1e-9
    while not excluded(far):
        near, far = far, 2 * far
    for _ in range(20):
        middle = 0.5 * (near + far)
        near, far = (near, middle) if middle and excluded(middle) else (middle, far)
    return float(values[0]) - far


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
