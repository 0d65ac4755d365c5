"""Feed-forward networks with one hidden layer and a complex output [Kufel 2024, key idea 1].

    h = tanh(c + W s),      ln psi(s) = u.h + i v.h

Parameters are real: W (H, N), c (H,), u (H,) of ln|psi| and v (H,) of the phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.complex_protocol import ComplexWave, spins_of
from nqs.runtime.errors import InputError


@dataclass(frozen=True)
class FeedForward:
    """The family of such networks; without `phase`, psi is positive and v is left out."""

    n_sites: int
    n_hidden: int
    phase: bool = True
    holomorphic: bool = False

    def __post_init__(self) -> None:
        if self.n_hidden < 1:
            raise InputError(f"n_hidden: {self.n_hidden}; a network needs at least one hidden unit")

    @property
    def n_parameters(self) -> int:
        return self.n_hidden * (self.n_sites + 2 + self.phase)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Weights of variance 1 / N and 1 / H, biases of variance 1 / N."""
        first = rng.normal(0, self.n_sites**-0.5, self.n_hidden * (self.n_sites + 1))
        return np.concatenate([first, rng.normal(0, self.n_hidden**-0.5, self.n_hidden * (1 + self.phase))])

    def at(self, theta: np.ndarray) -> FeedForwardWave:
        if np.shape(theta) != (self.n_parameters,):
            raise InputError(f"theta: this network has {self.n_parameters} parameters, not {np.shape(theta)}")
        size = self.n_hidden * self.n_sites
        rest = np.asarray(theta[size:], float).reshape(-1, self.n_hidden)
        output = rest[1] + 1j * rest[2] if self.phase else rest[1].astype(complex)
        return FeedForwardWave(self, np.reshape(theta[:size], (self.n_hidden, self.n_sites)), rest[0], output)


@dataclass(frozen=True, eq=False)
class FeedForwardWave(ComplexWave):
    """One network: weights (H, N), biases (H,), output u + i v (H,)."""

    family: FeedForward
    weights: np.ndarray
    biases: np.ndarray
    output: np.ndarray

    @property
    def n_sites(self) -> int:
        return self.family.n_sites

    def hidden(self, states: np.ndarray) -> np.ndarray:
        """Activations: (U, H)."""
        return np.tanh(self.biases + spins_of(states, self.n_sites) @ self.weights.T)

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        return self.hidden(states) @ self.output

    def jacobian(self, states: np.ndarray) -> np.ndarray:
        hidden, spins = self.hidden(states), spins_of(states, self.n_sites)
        slopes = (1 - hidden**2) * self.output
        of_weights = (slopes[:, :, None] * spins[:, None]).reshape(len(states), -1)
        of_output = [hidden, 1j * hidden] if self.family.phase else [hidden]
        return np.concatenate([of_weights, slopes, *of_output], axis=1)
