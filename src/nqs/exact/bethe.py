"""Bethe ansatz of the antiferromagnetic Heisenberg ring H = sum_n S_n.S_n+1: ground state and lowest triplet.

With M reversed spins the real rapidities x_j solve [Bethe 1931; Karbach, Hu and Mueller 1998, eqs. 7 and 8]

    N arctan(2 x_j) = pi I_j + sum_k arctan(x_j - x_k),      E = N/4 - sum_j (1/2) / (x_j^2 + 1/4),

with the quantum numbers I_j = -(M - 1)/2, ..., (M - 1)/2: M = N/2 for the ground state, M = N/2 - 1 for the triplet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.runtime.errors import GroundStateError, InputError

TOLERANCE = 1e-11  # of the equations, in radians: rounding leaves about N times 1e-16
LAST_STEP = 1e-8  # of the rapidities: Newton squares the error, so what is left after such a step is rounding
STEPS = 60


@dataclass(frozen=True)
class BetheEnergies:
    """Total energies in S.S units, J = 1: of the ground state and of the lowest state with spin 1."""

    ground: float
    triplet: float

    @property
    def gap(self) -> float:
        return self.triplet - self.ground


def heisenberg_energies(n_sites: int) -> BetheEnergies:
    """Exact energies of a ring to about 1e-12 N; InputError unless N is even and at least 4.

    GroundStateError, with N and the residual, if the equations were not solved.
    """
    if n_sites % 2 or n_sites < 4:
        raise InputError(f"the Bethe equations here are those of even rings of 4 sites or more, not {n_sites}")
    return BetheEnergies(*(_energy(n_sites, rapidities(n_sites, n_sites // 2 - spin)) for spin in (0, 1)))


def permutation_energy(energy: float, n_sites: int) -> float:
    """Energy of H = sum_n P_n,n+1 = sum_n (2 S_n.S_n+1 + 1/2) from that of sum_n S_n.S_n+1.  [Ju 2025, sec. II]"""
    return 2 * energy + n_sites / 2


def rapidities(n_sites: int, reversed_spins: int, steps: int = STEPS) -> np.ndarray:
    """The solution x (M,), ascending, by Newton's method, in at most `steps` steps; GroundStateError if that fails."""
    numbers = np.arange(reversed_spins) - (reversed_spins - 1) / 2
    # The roots of an infinite ring have density 1 / (2 cosh pi x); its quantiles are close to those of a finite one.
    roots = np.arcsinh(np.tan(2 * np.pi * numbers / n_sites)) / np.pi
    for _ in range(steps):
        step = np.linalg.solve(_jacobian(n_sites, roots), -_residual(n_sites, numbers, roots))
        roots = _shortened(n_sites, numbers, roots, step)
        if np.abs(step).max() < LAST_STEP:
            break
    size = np.abs(_residual(n_sites, numbers, roots)).max()
    if not size < TOLERANCE:
        raise GroundStateError(
            f"Bethe equations of N = {n_sites} with {reversed_spins} reversed spins: residual {size:.1e} after "
            f"{steps} steps, {TOLERANCE:.0e} asked; allow more steps"
        )
    return roots


def _shortened(n_sites: int, numbers: np.ndarray, roots: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Roots after a step, halved until the residual falls; unmoved if it never does."""
    before = np.abs(_residual(n_sites, numbers, roots)).max()
    for halvings in range(30):
        moved = roots + step / 2**halvings
        if np.abs(_residual(n_sites, numbers, moved)).max() < before:
            return moved
    return roots


def _residual(n_sites: int, numbers: np.ndarray, roots: np.ndarray) -> np.ndarray:
    scattering = np.arctan(roots[:, None] - roots).sum(axis=1)
    return n_sites * np.arctan(2 * roots) - np.pi * numbers - scattering


def _jacobian(n_sites: int, roots: np.ndarray) -> np.ndarray:
    """d residual_j / d x_k: (M, M)."""
    scattering = 1 / (1 + (roots[:, None] - roots) ** 2)
    return scattering + np.diag(2 * n_sites / (1 + 4 * roots**2) - scattering.sum(axis=1))


def _energy(n_sites: int, roots: np.ndarray) -> float:
    return float(n_sites / 4 - (0.5 / (roots**2 + 0.25)).sum())
