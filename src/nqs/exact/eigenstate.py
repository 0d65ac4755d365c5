"""A ground state in symmetry-reduced form: file, expansion, sampling and lookup.

File (HDF5; readable without the code that made it)
    attributes      cluster, lattice, shape (2,), n_sites, j2, energy and gap (total, S.S units),
                    residual (|H psi - E psi| / |E|), momentum (2,) in units of 2 pi / L, spin_flip,
                    degenerate, near_crossing (gap below 0.01), bit_convention, units, versions (JSON),
                    gap_sector (momentum and spin flip of the next level), momenta_checked ("all" if the gap is that
                    of the whole Sz = 0 space, else what was left out), sector (JSON: its character for every
                    generator of the symmetries)
    bonds/j1, j2    (n, 2): the pairs of sites of each coupling
    representatives (n,) uint64, ascending: the smallest state of every orbit of the Sz = 0 states
    amplitudes      (n,) float64: psi at the representative; 0 where symmetry forbids the orbit
    orbit_sizes     (n,) int64: sum(orbit_sizes amplitudes^2) = 1
    permutations    (G, n_sites) int64: element g moves site i to permutations[g, i] ...
    flips           (G,) bool: ... and then reverses all spins
    characters      (G,) int8: psi(g s) = characters[g] psi(s)
The state s of spins +-1 is the integer with bit i set where site i is up (site 0 = lowest bit).
The global sign makes the component of largest magnitude positive.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from importlib.metadata import version
from math import comb
from pathlib import Path

import h5py
import numba as nb
import numpy as np

from nqs.exact.soundness import NORM, check_energy, check_orbits, check_permutations, require
from nqs.model.clusters import dimension
from nqs.model.hamiltonians import j1j2_couplings
from nqs.model.states import zero_magnetisation_states
from nqs.model.symmetry import Group
from nqs.runtime.hdf5 import create_hdf5, open_hdf5, store

ARRAYS = {
    "representatives": np.uint64,
    "amplitudes": np.float64,
    "orbit_sizes": np.int64,
    "permutations": np.int64,
    "flips": np.bool_,
    "characters": np.int8,
}


@dataclass(frozen=True, eq=False)
class Wavefunction:
    """An eigenstate psi(g s) = characters[g] psi(s); fields as in the module docstring."""

    cluster: str
    lattice: str
    shape: tuple[int, int]
    n_sites: int
    j2: float
    energy: float
    residual: float
    gap: float
    momentum: tuple[int, int]
    spin_flip: int
    representatives: np.ndarray
    amplitudes: np.ndarray
    orbit_sizes: np.ndarray
    permutations: np.ndarray
    flips: np.ndarray
    characters: np.ndarray
    degenerate: bool = False
    bonds: Mapping[str, np.ndarray] = field(default_factory=dict)
    gap_sector: str = ""
    momenta_checked: str = ""
    sector: str = ""

    @property
    def dimension(self) -> int:
        """Number of Sz = 0 basis states."""
        return dimension(self.n_sites)

    @cached_property
    def group(self) -> Group:
        """The symmetry group."""
        return Group(self.permutations, self.flips)

    def orbit_weights(self, power: int) -> np.ndarray:
        """|psi|^power summed over each orbit, float64 (n,); power 0 counts states, of amplitude 0 too."""
        return self.orbit_sizes * np.abs(self.amplitudes) ** power

    @cached_property
    def _cumulative(self) -> dict[int, np.ndarray]:
        return {}

    def cumulative_weight(self, power: int = 2) -> np.ndarray:
        """Running sum of the orbits' weights, over its last value."""
        if power not in self._cumulative:
            total = np.cumsum(self.orbit_weights(power))
            total /= total[-1]
            self._cumulative[power] = total
        return self._cumulative[power]

    def expand(self) -> tuple[np.ndarray, np.ndarray]:
        """All basis states, ascending, and psi: uint64 (K,), float64 (K,)."""
        low, high = _rank_tables(self.n_sites)
        states = zero_magnetisation_states(self.n_sites)
        psi = np.zeros(self.dimension)
        for part in self._parts(1 << 20):
            images = self.group.orbits(self.representatives[part])
            values = self.amplitudes[part, None] * self.characters
            _scatter(images, values, low, high, self.n_sites // 2, psi)
        return states, psi

    def sample(self, n: int, rng: np.random.Generator, power: int = 2) -> tuple[np.ndarray, np.ndarray]:
        """n independent states from |psi|^power, with psi: uint64 (n,), float64 (n,); power 0 is the uniform basis.

        Draws an orbit by its weight, then a uniform group element.
        """
        orbit = np.searchsorted(self.cumulative_weight(power), rng.random(n), side="right")
        element = rng.integers(len(self.characters), size=n)
        states = self.group.images(self.representatives[orbit], element)
        return states, self.amplitudes[orbit] * self.characters[element]

    def lookup(self, states: np.ndarray) -> np.ndarray:
        """psi (n,) at the given Sz = 0 states (n,); ValueError for any other state."""
        smallest, element = self.group.canonical(np.asarray(states))
        orbit = np.searchsorted(self.representatives, smallest)
        orbit = np.minimum(orbit, len(self.representatives) - 1)
        if not np.array_equal(self.representatives[orbit], smallest):
            raise ValueError("a state is not in the Sz = 0 sector of this cluster")
        return self.amplitudes[orbit] * self.characters[element]

    def orbits(self, chunk: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The basis in pieces of about `chunk` states: (states, psi, weight), each (m,).

        A state that several group elements reach is listed that often, and its weights add up to 1.
        """
        for part in self._parts(chunk):
            images = self.group.orbits(self.representatives[part])
            psi = self.amplitudes[part, None] * self.characters
            weight = self.orbit_sizes[part, None] / len(self.characters)
            yield images.ravel(), psi.ravel(), np.broadcast_to(weight, psi.shape).ravel()

    def _parts(self, chunk: int) -> Iterator[slice]:
        step = max(1, chunk // len(self.characters))
        for start in range(0, len(self.representatives), step):
            yield slice(start, start + step)

    @property
    def near_crossing(self) -> bool:
        """True if the next level of the sectors searched is closer than 0.01 (S.S)."""
        return self.gap < 0.01

    def write(self, path: Path, bonds: Mapping[str, np.ndarray] | None = None) -> None:
        """Write the file, with the bonds (n, 2) of each set for reference; a reader never sees half of it."""
        with create_hdf5(Path(path)) as file:
            for entry in fields(self):
                value = getattr(self, entry.name)
                if entry.name in ARRAYS:
                    store(file, entry.name, value, compression="lzf", shuffle=True)
                elif entry.name != "bonds":
                    file.attrs[entry.name] = value
            for name, pairs in (bonds or self.bonds).items():
                store(file, f"bonds/{name}", pairs)
            file.attrs["units"] = "S.S, J1 = 1, total energies"
            file.attrs["near_crossing"] = self.near_crossing
            file.attrs["versions"] = json.dumps({name: version(name) for name in ("nqs", "numpy", "scipy", "quspin")})
            file.attrs["bit_convention"] = "site i = bit i, lowest bit first, 1 = up"

    @classmethod
    def read(cls, path: Path) -> "Wavefunction":
        """Read a file; BrokenFileError if it is missing, damaged or incomplete."""
        with open_hdf5(path) as file:
            arrays = {key: file[key][...].astype(kind, copy=False) for key, kind in ARRAYS.items()}
            bonds = {name: pairs[...] for name, pairs in file["bonds"].items()} if "bonds" in file else {}
            found = cls(**arrays, **_attributes(file.attrs), bonds=bonds)
            found.check()
            return found

    def check(self) -> None:
        """Unsound for numbers that no eigenstate has."""
        check_orbits(self.representatives, self.orbit_sizes, self.n_sites)
        check_permutations(self.permutations)
        require(len(self.flips) == len(self.characters) == len(self.permutations), "lists of different lengths")
        require((np.abs(self.characters) == 1).all(), "characters other than 1 and -1")
        require(len(self.amplitudes) == len(self.representatives), "lists of different lengths")
        norm = float((self.orbit_sizes * self.amplitudes**2).sum())
        require(abs(norm - 1) < NORM, f"its norm is {norm:.9g} instead of 1")
        if self.bonds:
            check_energy(self.energy, self.bonds, j1j2_couplings(self.j2))


def _attributes(attrs: h5py.AttributeManager) -> dict:
    return {
        "cluster": str(attrs["cluster"]),
        "lattice": str(attrs["lattice"]),
        "shape": tuple(int(x) for x in attrs["shape"]),
        "n_sites": int(attrs["n_sites"]),
        "j2": float(attrs["j2"]),
        "energy": float(attrs["energy"]),
        "residual": float(attrs["residual"]),
        "gap": float(attrs["gap"]),
        "momentum": tuple(int(x) for x in attrs["momentum"]),
        "spin_flip": int(attrs["spin_flip"]),
        "degenerate": bool(attrs["degenerate"]),
        "gap_sector": str(attrs.get("gap_sector", "")),
        "momenta_checked": str(attrs.get("momenta_checked", "")),
        "sector": str(attrs.get("sector", "")),
    }


def _rank_tables(n_sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Position of a state among all: low[lower half of bits] + high[upper half]  (Lin's tables)."""
    half = n_sites // 2
    ones = np.bitwise_count(np.arange(1 << half))
    low = np.empty(1 << half, dtype=np.int64)
    for count in range(half + 1):
        members = ones == count
        low[members] = np.arange(members.sum())
    # n_sites is even, so both halves have `half` bits and the lower must hold half - ones(upper).
    per_upper = np.array([comb(half, half - int(count)) for count in range(half + 1)])[ones]
    high = np.concatenate([[0], np.cumsum(per_upper)[:-1]])
    return low, high


@nb.njit(cache=True)
def _scatter(
    states: np.ndarray,
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    half: int,
    psi: np.ndarray,
) -> None:
    mask = (np.uint64(1) << np.uint64(half)) - np.uint64(1)
    for n in range(states.shape[0]):
        for g in range(states.shape[1]):
            state = states[n, g]
            psi[low[state & mask] + high[state >> np.uint64(half)]] = values[n, g]
