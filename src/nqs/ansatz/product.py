"""Products of two wave functions: ln psi = ln psi_1 + ln psi_2.

A symmetric factor times a small one without symmetry is approximately symmetric [after Kufel et al. 2024].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz, ComplexWave
from nqs.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class Product:
    """Two families on the same sites; parameters: those of the first, then those of the second."""

    first: ComplexAnsatz
    second: ComplexAnsatz

    def __post_init__(self) -> None:
        if (self.first.n_sites, self.first.holomorphic) != (self.second.n_sites, self.second.holomorphic):
            raise InputError("a product needs two factors on the same sites, with parameters of the same kind")

    @property
    def n_sites(self) -> int:
        return self.first.n_sites

    @property
    def n_parameters(self) -> int:
        return self.first.n_parameters + self.second.n_parameters

    @property
    def holomorphic(self) -> bool:
        return self.first.holomorphic

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return np.concatenate([self.first.initial(rng), self.second.initial(rng)])

    def at(self, theta: np.ndarray) -> ProductWave:
        one, two = np.split(theta, [self.first.n_parameters])
        return ProductWave(self.first.at(one), self.second.at(two))


@dataclass(frozen=True, eq=False)
class ProductWave(ComplexWave):
    """One of them."""

    first: ComplexWave
    second: ComplexWave

    @property
    def n_sites(self) -> int:
        return self.first.n_sites

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        return self.first.log_psi(states) + self.second.log_psi(states)

    def jacobian(self, states: np.ndarray) -> np.ndarray:
        return np.concatenate([self.first.jacobian(states), self.second.jacobian(states)], axis=1)
