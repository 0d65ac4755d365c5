"""Parameter updates: what happens to a natural gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Adam:
    """Adam on the given direction [Kingma and Ba 2015]."""

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def start(self, n_parameters: int) -> np.ndarray:
        """Initial moments (2, P)."""
        return np.zeros((2, n_parameters))

    def step(self, direction: np.ndarray, moments: np.ndarray, iteration: int) -> tuple[np.ndarray, np.ndarray]:
        """Change of the parameters (P,) in iteration 0, 1, ... and the new moments."""
        mean = self.beta1 * moments[0] + (1 - self.beta1) * direction
        square = self.beta2 * moments[1] + (1 - self.beta2) * direction**2
        unbiased = mean / (1 - self.beta1 ** (iteration + 1))
        scale = np.sqrt(square / (1 - self.beta2 ** (iteration + 1))) + self.epsilon
        return -self.learning_rate * unbiased / scale, np.stack([mean, square])


@dataclass(frozen=True)
class Sgd:
    """Plain steps along the given direction."""

    learning_rate: float

    def start(self, n_parameters: int) -> np.ndarray:
        """No moments: (0, P)."""
        return np.zeros((0, n_parameters))

    def step(self, direction: np.ndarray, moments: np.ndarray, iteration: int) -> tuple[np.ndarray, np.ndarray]:
        """Change of the parameters (P,)."""
        return -self.learning_rate * direction, moments


OPTIMISERS = {"adam": Adam, "sgd": Sgd}
