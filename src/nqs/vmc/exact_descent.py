"""Descent to a local minimum of the exact energy of motif wave functions on a ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from nqs.exact.transfer_matrix import OutOfRange, energy_and_gradient
from nqs.model.motifs import Classes, bits, motif_classes


class Family(Protocol):
    """Wave functions of motifs with P parameters."""

    def coefficients(self, parameters: np.ndarray) -> np.ndarray:
        """C of each motif: (P,) to (2^K,)."""

    def pull_back(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Gradient by the parameters (P,) from that by the coefficients (2^K,)."""


@dataclass(frozen=True)
class Plaquettes:
    """Correlator product state with one free coefficient ln phi per class of motifs.  [Ju 2025, eqs. 4 and 5]"""

    length: int

    @property
    def classes(self) -> Classes:
        return motif_classes(self.length)

    def coefficients(self, parameters: np.ndarray) -> np.ndarray:
        return self.classes.spread(parameters)

    def pull_back(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return self.classes.sums(gradient)


@dataclass(frozen=True)
class Convolution:
    """C_s' = v relu(w.s' + b), parameters (v, w (K, 2) for a spin down or up at each place, b).  [Ju 2025, eq. 3]"""

    length: int

    def coefficients(self, parameters: np.ndarray) -> np.ndarray:
        return parameters[0] * np.maximum(self._inputs @ parameters[1:], 0)

    def pull_back(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        before = self._inputs @ parameters[1:]
        through = parameters[0] * ((before > 0) * gradient) @ self._inputs
        return np.concatenate([[gradient @ np.maximum(before, 0)], through])

    @property
    def _inputs(self) -> np.ndarray:
        """One-hot spins of each motif and 1 for the bias: (2^K, 2K + 1)."""
        spins = bits(np.arange(1 << self.length), self.length)
        one_hot = np.stack([1 - spins, spins], axis=-1).reshape(len(spins), -1)
        return np.column_stack([one_hot, np.ones(len(spins))])


@dataclass(frozen=True, eq=False)
class Optimum:
    """A local minimum of <H>: energy, parameters (P,), coefficients (2^K,), and the largest slope left."""

    energy: float
    parameters: np.ndarray
    coefficients: np.ndarray
    slope: float


def lowest_energy(n_sites: int, family: Family, start: np.ndarray, steps: int = 1000, slope: float = 1e-6) -> Optimum:
    """Descend from parameters `start` (P,) to a local minimum of the exact <H>; OutOfRange if these are too large."""
    energy_and_gradient(n_sites, family.coefficients(start))

    def energy(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            value, gradient = energy_and_gradient(n_sites, family.coefficients(parameters))
        except OutOfRange:  # a trial step much too long: no state has more energy than N, so the search turns back
            return float(n_sites), np.zeros_like(parameters)
        return value, family.pull_back(parameters, gradient)

    found = minimize(energy, start, jac=True, method="BFGS", options={"maxiter": steps, "gtol": slope})
    return Optimum(float(found.fun), found.x, family.coefficients(found.x), float(np.abs(found.jac).max()))
