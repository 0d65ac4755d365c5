"""Descent to a local minimum of the exact energy of motif wave functions on a ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from nqs.exact.transfer_matrix import OutOfRange, energy_and_gradient


class Family(Protocol):
    """Wave functions of motifs on a ring with P parameters: `nqs.ansatz.shallow_cnn.ShallowCnn`, `Cps`."""

    @property
    def n_sites(self) -> int:
        """N."""

    def coefficients(self, theta: np.ndarray) -> np.ndarray:
        """lambda of each motif: (P,) to (2^K,)."""

    def pull_back(self, theta: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives with respect to the parameters (P,) from those with respect to lambda (2^K,)."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """A local minimum of <H>: energy, parameters (P,), coefficients (2^K,), and the largest slope left."""

    energy: float
    parameters: np.ndarray
    coefficients: np.ndarray
    slope: float


def lowest_energy(family: Family, start: np.ndarray, steps: int = 1000, slope: float = 1e-6) -> Optimum:
    """Descend from parameters `start` (P,) to a local minimum of the exact <H>; OutOfRange if these are too large."""
    energy_and_gradient(family.n_sites, family.coefficients(start))

    def energy(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            value, gradient = energy_and_gradient(family.n_sites, family.coefficients(parameters))
        except OutOfRange:  # a trial step much too long: no state has more energy than N, so the search turns back
            return float(family.n_sites), np.zeros_like(parameters)
        return value, family.pull_back(parameters, gradient)

    found = minimize(energy, start, jac=True, method="BFGS", options={"maxiter": steps, "gtol": slope})
    return Optimum(float(found.fun), found.x, family.coefficients(found.x), float(np.abs(found.jac).max()))
