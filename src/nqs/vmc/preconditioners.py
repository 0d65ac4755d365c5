"""Directions in which a run moves, from a weighted sample of states.

Identity                   the gradient of the energy, dE/dtheta = 2 cov(O, E_loc)
StochasticReconfiguration  the natural gradient (S + shift 1)^-1 dE/dtheta (`nqs.vmc.stochastic_reconfiguration`)

`nqs.vmc.signs_first` has one that changes from iteration to iteration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from nqs.ansatz.ring_protocol import Slopes
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.stochastic_reconfiguration import Memory


class Preconditioner(Protocol):
    """What turns local energies and derivatives into a direction."""

    def direction(self, derivatives: Any, weights: np.ndarray, energies: np.ndarray, memory: Memory) -> np.ndarray:
        """Direction (P,) float64.  weights (U,) add up to 1; energies (U,) local energies; memory: of the run."""


class Schedule(Protocol):
    """Which preconditioner an iteration has; most are always the same."""

    def at(self, iteration: int) -> Preconditioner:
        """The one of this iteration."""


class Fixed:
    """The same in every iteration."""

    def at(self, iteration: int) -> Self:
        """Itself."""
        return self


@dataclass(frozen=True)
class Identity(Fixed):
    """The plain gradient of real wave functions, in double precision."""

    def direction(self, derivatives: Slopes, weights: np.ndarray, energies: np.ndarray, memory: Memory) -> np.ndarray:
        return energy_gradient(derivatives, weights, energies)


@dataclass(frozen=True)
class StochasticReconfiguration(Fixed):
    """diagonal_shift: added to the diagonal of S, which has no units."""

    diagonal_shift: float

    def direction(self, derivatives: Any, weights: np.ndarray, energies: np.ndarray, memory: Memory) -> np.ndarray:
        return stochastic_reconfiguration.direction(derivatives, weights, energies, self.diagonal_shift, memory=memory)


def energy_gradient(derivatives: Slopes, weights: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """2 cov(O, E_loc): (P,).  weights (U,) add up to 1; energies (U,) local energies."""
    return 2 * derivatives.backward(weights * (energies - weights @ energies))
