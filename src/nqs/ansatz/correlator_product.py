"""Correlator product states of windows of a ring."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from nqs.ansatz.window_table import MotifTable, check_ring, check_table
from nqs.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class Cps:
    """Correlator product state: lambda_m = ln phi_m free.

    classes (2^K,): the class of each motif, 0, 1, ...; motifs of a class share one parameter, which is their common
    lambda. None: every motif has its own. initial_std: standard deviation of the initial parameters.
    """

    n_sites: int
    width: int
    classes: np.ndarray | None = None
    initial_std: float = 0.01

    def __post_init__(self) -> None:
        check_ring(self.n_sites, self.width)
        check_table(self.width)
        if self.classes is not None and np.shape(self.classes) != (1 << self.width,):
            raise InputError(f"classes: need one for each of the 2^{self.width} motifs, not {np.shape(self.classes)}")

    @property
    def n_parameters(self) -> int:
        return 1 << self.width if self.classes is None else int(self.classes.max()) + 1

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.0, self.initial_std, self.n_parameters)

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """Nothing to correct."""
        return theta

    def grand_sum(self, theta: np.ndarray) -> float:
        """Not defined."""
        return float("nan")

    def at(self, theta: np.ndarray) -> MotifTable:
        if self.classes is None:
            return MotifTable(self.n_sites, theta)
        return MotifTable(self.n_sites, theta[self.classes], partial(self._pullback, self.classes))

    def _pullback(self, classes: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives with respect to lambda (..., 2^K) summed over each class (..., P)."""
        rows = slopes.reshape(-1, 1 << self.width)
        sums = np.array([np.bincount(classes, row, self.n_parameters) for row in rows])
        return sums.reshape(*slopes.shape[:-1], self.n_parameters)
