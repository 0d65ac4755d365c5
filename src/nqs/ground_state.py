"""Ground state of one coupling from the Hamiltonian blocks of all sectors.

Sectors are searched best first: the Lanczos run whose lower bound (Ritz value - residual) is the
lowest is extended until that run is converged; every other sector is then known to lie above.
The next level is found in the same way, with the ground state projected out of its own sector, so
that a degenerate partner inside the sector is seen as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numba as nb
import numpy as np

from nqs.errors import GroundStateError
from nqs.io import open_hdf5
from nqs.models import j1j2_couplings
from nqs.symmetry import Group, characters
from nqs.wavefunction import Wavefunction

DEGENERATE = 1e-8  # gap, S.S units, below which two levels count as one
# Absolute residuals of the next level, which is then good to residual^2 / spacing: enough to state
# the gap, and enough to tell a gap below CLOSE from a degeneracy.
GAP_RESIDUAL = 1e-4
CLOSE, CLOSE_RESIDUAL = 1e-3, 1e-6
MAX_EXTENSIONS = 500

Apply = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Levels:
    """Lowest level of all sectors: sector name, vector (d,), energy and gap (total, S.S units)."""

    sector: str
    vector: np.ndarray
    energy: float
    gap: float
    residual: float


class Lanczos:
    """Thick-restart Lanczos for the lowest level of a symmetric matrix  [Wu & Simon 2000].

    Keeps `kept` Ritz vectors between extensions and `size` Krylov vectors during one; vectors are
    orthogonalised against all others and, if given, against the unit vector `excluded` (d,).
    """

    def __init__(self, start: np.ndarray, excluded: np.ndarray | None = None, size: int = 28, kept: int = 10) -> None:
        self.excluded = excluded
        start = self._project(start)
        self.available = len(start) - (excluded is not None)
        self.size = min(size, self.available)
        self.kept = min(kept, self.size)
        self.vectors = (start / np.linalg.norm(start))[None]  # Ritz vectors, then the next vector
        self.values = np.zeros(0)
        self.couplings = np.zeros(0)  # of the Ritz vectors to the next vector
        self.energy, self.residual = 0.0, np.inf

    def bound(self, tolerance: float) -> float:
        """Level below which this run holds nothing; the Ritz value itself once converged.

        The residual r only proves a level within r of the Ritz value. A start vector with a small
        part e in the lowest level, d below, can rest above it with r about e d, so sqrt(r) is
        taken while r is small: it covers d < e.
        """
        if self.residual <= tolerance:
            return self.energy
        return self.energy - max(self.residual, np.sqrt(self.residual))

    @property
    def vector(self) -> np.ndarray:
        """Ritz vector of the lowest level."""
        return self.vectors[0]

    def extend(self, apply: Apply) -> None:
        """Fill the Krylov space up to `size` vectors and restart from the lowest Ritz vectors."""
        first = len(self.values)
        krylov = np.empty((self.size + 1, self.vectors.shape[1]))
        krylov[: first + 1] = self.vectors
        projected = np.zeros((self.size, self.size))
        projected[:first, :first] = np.diag(self.values)
        projected[first, :first] = projected[:first, first] = self.couplings
        for n in range(first, self.size):
            vector = apply(krylov[n])
            lower = slice(0, n) if n == first else slice(n - 1, n)
            vector -= projected[n, lower] @ krylov[lower]
            projected[n, n] = krylov[n] @ vector
            vector -= projected[n, n] * krylov[n]
            vector -= (krylov[: n + 1] @ vector) @ krylov[: n + 1]
            vector = self._project(vector)
            norm = float(np.linalg.norm(vector))
            used = n + 1
            if norm < 1e-11 or used == self.available:  # the Krylov space is invariant
                norm = 0.0
                break
            krylov[used] = vector / norm
            if used < self.size:
                projected[used, n] = projected[n, used] = norm
        self._restart(krylov, projected[:used, :used], norm)

    def _restart(self, krylov: np.ndarray, projected: np.ndarray, norm: float) -> None:
        values, rotation = np.linalg.eigh(projected)
        used = len(values)
        keep = min(self.kept, used - 1) if norm else 1
        following = krylov[used : used + 1] if norm else krylov[:0]
        self.vectors = np.vstack([rotation[:, :keep].T @ krylov[:used], following])
        self.values = values[:keep]
        self.couplings = norm * rotation[-1, :keep]
        self.energy = float(values[0])
        self.residual = abs(norm * float(rotation[-1, 0]))

    def _project(self, vector: np.ndarray) -> np.ndarray:
        if self.excluded is None:
            return vector
        return vector - (self.excluded @ vector) * self.excluded


def solve(
    hamiltonian_file: Path,
    j2: float,
    out: Path,
    tolerance: float = 1e-9,
    allow_degenerate: bool = False,
) -> None:
    """Write the ground state over all sectors of `hamiltonian_file` at coupling j2.

    tolerance: relative residual |H psi - E psi| / |E|.  GroundStateError if the ground state is
    degenerate, unless allowed; then the member of the first sector found is taken.
    """
    with open_hdf5(hamiltonian_file) as file:
        levels = lowest_levels(file, j1j2_couplings(j2), tolerance)
        degenerate = levels.gap < DEGENERATE
        if degenerate and not allow_degenerate:
            raise GroundStateError(
                f"{file.attrs['cluster']} at J2 = {j2}: the ground state is degenerate (next level "
                f"{levels.gap:.1e} above); it has no unique wavefunction"
            )
        wavefunction = _wavefunction(file, j2, levels, degenerate)
        bonds = {name: pairs[...] for name, pairs in file["bonds"].items()}
    wavefunction.write(Path(out), bonds)
    print(
        f"{wavefunction.cluster} J2 = {j2:g}: E = {levels.energy:.10f} (S.S, total), gap {levels.gap:.6f}, "
        f"momentum {wavefunction.momentum}, spin flip {wavefunction.spin_flip:+d}, residual {levels.residual:.1e}"
        + (", near a level crossing" if wavefunction.near_crossing else "")
    )


def lowest_levels(file: h5py.File, couplings: Mapping[str, float], tolerance: float) -> Levels:
    """Lowest level of all sectors and the distance to the next one."""

    @lru_cache(maxsize=8)
    def block(sector: str) -> Apply:
        return _block(file[sector], couplings)

    def start(sector: str, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal(len(file[sector]["root_orbit"]))

    names = [key for key in file if key.startswith("sector_") and len(file[key]["root_orbit"])]
    runs = {(name, 0): Lanczos(start(name, 0)) for name in names}
    winner = _lowest(runs, block, lambda run: tolerance * abs(run.energy))
    best = runs.pop(winner)
    name = winner[0]
    vector = best.vector / np.linalg.norm(best.vector)
    residual = float(np.linalg.norm(block(name)(vector) - best.energy * vector) / abs(best.energy))
    if residual > 2 * tolerance:
        raise GroundStateError(f"{name}: residual {residual:.1e} stays above {tolerance:.1e}")
    if len(vector) > 1:
        runs[name, 1] = Lanczos(start(name, 1), excluded=vector)
    gap = _gap(runs, block, best.energy)
    return Levels(name, vector, best.energy, gap, residual)


def _gap(runs: Mapping[tuple[str, int], Lanczos], block: Callable[[str], Apply], energy: float) -> float:
    """Distance from `energy` to the lowest level of the remaining runs."""

    def tolerance(run: Lanczos) -> float:
        return CLOSE_RESIDUAL if run.energy - energy < CLOSE else GAP_RESIDUAL

    if not runs:
        return np.inf
    gap = runs[_lowest(runs, block, tolerance)].energy - energy
    if gap < -DEGENERATE:
        raise GroundStateError(f"a level {-gap:.1e} below the converged one was missed")
    return max(gap, 0.0)


def _lowest(
    runs: Mapping[tuple[str, int], Lanczos],
    block: Callable[[str], Apply],
    tolerance: Callable[[Lanczos], float],
) -> tuple[str, int]:
    """Key of the run with the lowest level, extended until its residual is within tolerance."""
    for _ in range(MAX_EXTENSIONS * len(runs)):
        key = min(runs, key=lambda k: runs[k].bound(tolerance(runs[k])))
        if runs[key].residual <= tolerance(runs[key]):
            return key
        runs[key].extend(block(key[0]))
    raise GroundStateError(f"{key[0]}: no convergence, residual {runs[key].residual:.1e}")


def _block(sector: h5py.Group, couplings: Mapping[str, float]) -> Apply:
    """y = H x in one sector."""
    root_orbit = sector["root_orbit"][...]
    terms = []
    for key, coupling in couplings.items():
        # Unsigned indices spare numba its check for negative ones: twice as fast.
        indptr = sector[key]["indptr"][...].view(np.uint64)
        indices = sector[key]["indices"][...].view(np.uint32)
        terms.append((coupling, indptr, indices, sector[key]["counts"][...]))
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


def _wavefunction(file: h5py.File, j2: float, levels: Levels, degenerate: bool) -> Wavefunction:
    """The level as amplitudes on all orbits, smallest member of each as representative."""
    group = Group(file["permutations"][...], file["flips"][...])
    sector = file[levels.sector]
    signs = [int(sign) for sign in sector.attrs["signs"]]
    values = characters(file["exponents"][...], signs)
    smallest, element = group.canonical(sector["representatives"][...])
    representatives = group.representatives()
    amplitudes = np.zeros(len(representatives))
    # A normalised basis vector has the value 1 / sqrt(orbit size) at QuSpin's representative.
    component = levels.vector / sector["root_orbit"][...] * values[element]
    amplitudes[np.searchsorted(representatives, smallest)] = component
    by_name = dict(zip(file.attrs["generators"], signs, strict=True))
    width, height = (int(x) for x in file.attrs["shape"])
    return Wavefunction(
        cluster=file.attrs["cluster"],
        lattice=file.attrs["lattice"],
        shape=(width, height),
        n_sites=int(file.attrs["n_sites"]),
        j2=float(j2),
        energy=levels.energy,
        residual=levels.residual,
        gap=levels.gap,
        momentum=(
            _momentum(by_name.get("tx", 1), width),
            _momentum(by_name.get("ty", 1), height),
        ),
        spin_flip=by_name["spin_flip"],
        representatives=representatives,
        amplitudes=_fix_sign(amplitudes),
        orbit_sizes=group.orbit_sizes(representatives),
        permutations=group.permutations,
        flips=group.flips,
        characters=values,
        degenerate=degenerate,
    )


def _momentum(sign: int, length: int) -> int:
    return 0 if sign == 1 else length // 2


def _fix_sign(amplitudes: np.ndarray) -> np.ndarray:
    """Make the component of largest magnitude positive; of equal ones the smallest state counts.

    The smallest state of an orbit is its representative; equal means equal up to rounding.
    """
    magnitude = np.abs(amplitudes)
    first = int(np.argmax(magnitude > magnitude.max() * (1 - 1e-7)))
    return amplitudes * np.sign(amplitudes[first])
