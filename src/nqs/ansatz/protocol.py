"""What variational Monte Carlo asks of a wave function.

An `Ansatz` is a family psi(s; theta) of wave functions with real parameters; `at(theta)` is one member of it, a `Wave`,
which may keep what its evaluations share. Most are real; `nqs.ansatz.amplitude_phase` joins two real ones to a complex
one. Sampler, local energy and stochastic reconfiguration know nothing else, so a new wave function needs `log_psi` and
`jacobian` (wrapped in `DenseDerivatives`; ratios and chains come from `nqs.ansatz.by_evaluation`), and may bring faster
ratios, chains and derivative products of its own, as the restricted Boltzmann machine does (`nqs.ansatz.rbm`).

Shapes: U states, P parameters, m moves, C chains. States are uint64, bit i = site i, 1 = up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nqs.model.moves import Moves


class Derivatives(Protocol):
    """O_up = d ln psi(s_u) / d theta_p at given states, as the operations that stochastic reconfiguration needs."""

    @property
    def n_states(self) -> int: ...

    @property
    def n_parameters(self) -> int: ...

    def forward(self, vector: np.ndarray) -> np.ndarray:
        """O v: (U,)."""

    def backward(self, vector: np.ndarray) -> np.ndarray:
        """O^T r: (P,)."""

    def jacobian(self) -> np.ndarray:
        """O itself: (U, P), float32."""

    def centred(self, weights: np.ndarray) -> np.ndarray:
        """X = sqrt(w_u) (O_u - O_mean): (U, P), float32."""

    def tangent_kernel(self, weights: np.ndarray, diagonal_shift: float) -> np.ndarray:
        """sqrt(w_u w_v) (O_u - O_mean).(O_v - O_mean) + the shift: (U, U), float32, Fortran order, upper triangle."""


@dataclass(frozen=True)
class ComplexDerivatives:
    """Derivatives of ln|psi| and of the phase of a complex psi, whose parameters are those of both in turn."""

    amplitude: Derivatives
    phase: Derivatives


class Wave(Protocol):
    """A wave function with fixed parameters."""

    @property
    def n_sites(self) -> int: ...

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,) float64, or complex128."""

    def log_psi_all(self) -> np.ndarray:
        """ln psi of all 2^N states, in order: float64, or complex128."""

    def ratios(self, states: np.ndarray, moves: Moves) -> np.ndarray:
        """psi(s') / psi(s) after each move: (U, m); 0 where it does not apply."""

    def derivatives(self, states: np.ndarray) -> Derivatives | ComplexDerivatives:
        """Derivatives of ln psi at the states."""

    def sweeps(self, states: np.ndarray, moves: Moves, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """Advance chains (C,) in place by N random moves a sweep: states after each (sweeps, C), and acceptances."""


class Ansatz(Protocol):
    """A family of wave functions with P real parameters."""

    @property
    def n_sites(self) -> int: ...

    @property
    def n_parameters(self) -> int: ...

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Random initial parameters: (P,) float64."""

    def at(self, theta: np.ndarray) -> Wave:
        """The wave function with these parameters."""


@dataclass(frozen=True)
class DenseDerivatives:
    """Derivatives held as a matrix (U, P), for an ansatz without structure of its own."""

    matrix: np.ndarray

    @property
    def n_states(self) -> int:
        return self.matrix.shape[0]

    @property
    def n_parameters(self) -> int:
        return self.matrix.shape[1]

    def forward(self, vector: np.ndarray) -> np.ndarray:
        return self.matrix @ vector

    def backward(self, vector: np.ndarray) -> np.ndarray:
        return vector @ self.matrix

    def jacobian(self) -> np.ndarray:
        return self.matrix

    def centred(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(np.float32)
        return (self.matrix - weights @ self.matrix) * np.sqrt(weights)[:, None]

    def tangent_kernel(self, weights: np.ndarray, diagonal_shift: float) -> np.ndarray:
        centred = self.centred(weights)
        kernel = np.asfortranarray(centred @ centred.T)
        kernel[np.diag_indices(len(kernel))] += diagonal_shift
        return kernel
