"""The lowest level of all sectors as a search leaves it, and the ground state it stands for."""

from __future__ import annotations

from dataclasses import dataclass

import h5py
import numpy as np

from nqs.exact.eigenstate import Wavefunction
from nqs.exact.known_levels import sector_of
from nqs.model.symmetry import Group, characters


@dataclass(frozen=True, eq=False)
class Levels:
    """Lowest level of all sectors: sector name, vector (d,), energy and gap (total, S.S units).

    next_sector: where the next level is, a sector's name or a description; momenta_checked: "all" if it is the next of
    the whole Sz = 0 space, else the reason.

    The gap is good to residual^2 / spacing of the next level, see GAP_RESIDUAL and LARGE_GAP_RESIDUAL. Below
    `resolution` it cannot be told from a degeneracy.
    """

    sector: str
    vector: np.ndarray
    energy: float
    gap: float
    residual: float
    resolution: float
    next_sector: str = ""
    momenta_checked: str = ""

    @property
    def degenerate(self) -> bool:
        """Whether the next level may be at the same energy."""
        return self.gap < self.resolution


def described(file: h5py.File, sector: str) -> str:
    """Momentum and spin flip of a sector of the file; other descriptions as they are."""
    if sector not in file:
        return sector
    by_name = dict(zip(file.attrs["generators"], file[sector].attrs["signs"], strict=True))
    momentum = [
        _momentum(by_name.get(name, 1), int(n)) for name, n in zip(("tx", "ty"), file.attrs["shape"], strict=True)
    ]
    return f"momentum ({momentum[0]}, {momentum[1]}), spin flip {by_name.get('spin_flip', 1):+d}"


def _amplitudes(file: h5py.File, sector: str, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest members of all orbits, orbit sizes and psi at the smallest members, each (n,)."""
    if file.attrs.get("backend") == "kernel":
        sizes = file["orbits/sizes"][...].astype(np.int64)
        return file["orbits/representatives"][...], sizes, vector / np.sqrt(sizes)
    group = Group(file["permutations"][...], file["flips"][...])
    values = characters(file["exponents"][...], file[sector].attrs["signs"])
    smallest, element = group.canonical(file[sector]["representatives"][...])
    representatives = group.representatives()
    amplitudes = np.zeros(len(representatives))
    # A normalised basis vector has the value 1 / sqrt(orbit size) at QuSpin's representative.
    component = vector / file[sector]["root_orbit"][...] * values[element]
    amplitudes[np.searchsorted(representatives, smallest)] = component
    return representatives, group.orbit_sizes(representatives), amplitudes


def wavefunction(file: h5py.File, j2: float, levels: Levels) -> Wavefunction:
    """The level as amplitudes on all orbits, smallest member of each as representative."""
    signs = [int(sign) for sign in file[levels.sector].attrs["signs"]]
    representatives, orbit_sizes, amplitudes = _amplitudes(file, levels.sector, levels.vector)
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
        orbit_sizes=orbit_sizes,
        permutations=file["permutations"][...],
        flips=file["flips"][...],
        characters=characters(file["exponents"][...], signs),
        degenerate=levels.degenerate,
        gap_sector=described(file, levels.next_sector),
        momenta_checked=levels.momenta_checked,
        sector=sector_of(file, levels.sector),
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
