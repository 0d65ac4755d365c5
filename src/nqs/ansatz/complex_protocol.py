"""Complex wave functions small enough to be summed over a whole basis.

An ansatz is holomorphic if its parameters are complex and ln psi is an analytic function of them; otherwise they are
real. `jacobian` holds d ln psi / d theta in both cases. Everything else (ratios, Markov chains) comes from `log_psi`.

Shapes: U states, P parameters. States are uint64, bit i = site i, 1 = up; spins are +-1.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import numpy as np

from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.ansatz.tangents import Tangents, centred


def spins_of(states: np.ndarray, n_sites: int) -> np.ndarray:
    """Spins +-1 of states (U,): (U, N) float64."""
    bits = states[:, None] >> np.arange(n_sites, dtype=np.uint64) & np.uint64(1)
    return 2.0 * bits - 1.0


class ComplexWave(EvaluatedWave):
    """A wave function with fixed parameters."""

    @abstractmethod
    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,) complex128; its real part is -inf where psi is zero."""

    @abstractmethod
    def jacobian(self, states: np.ndarray) -> np.ndarray:
        """d ln psi / d theta: (U, P) complex128."""

    def tangents(self, states: np.ndarray, root: np.ndarray) -> Tangents:
        """sqrt(w) (d ln psi / d theta - <...>) for sqrt(w) (U,): (U, P)."""
        return centred(self.jacobian(states), root)


class ComplexAnsatz(Protocol):
    """A family of wave functions."""

    @property
    def n_sites(self) -> int: ...

    @property
    def n_parameters(self) -> int: ...

    @property
    def holomorphic(self) -> bool:
        """Whether the parameters are complex."""

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Random parameters: (P,) complex128 if holomorphic, else float64."""

    def at(self, theta: np.ndarray) -> ComplexWave:
        """The wave function with these parameters."""
