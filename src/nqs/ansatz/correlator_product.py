"""Correlator product states of windows of a ring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.window_table import MotifTable, check_ring, check_table
from nqs.model.motifs import Classes, motif_classes
from nqs.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class Cps:
    """Correlator product state: lambda_m = ln phi_m free.  [Ju 2025, eqs. 4 and 5]

    classes: of the 2^K motifs; motifs of a class share one parameter, which is their common lambda. None: every motif
    has its own. initial_std: standard deviation of the initial parameters.
    """

    n_sites: int
    width: int
    classes: Classes | None = None
    initial_std: float = 0.01

    def __post_init__(self) -> None:
        check_ring(self.n_sites, self.width)
        check_table(self.width)
        if self.classes is not None and len(self.classes.labels) != 1 << self.width:
            raise InputError(f"classes: need those of 2^{self.width} motifs, not of {len(self.classes.labels)}")

    @classmethod
    def symmetric(cls, n_sites: int, width: int) -> Cps:
        """One parameter per class of motifs under reflection and the exchange of up and down."""
        return cls(n_sites, width, motif_classes(width))

    @property
    def n_parameters(self) -> int:
        return 1 << self.width if self.classes is None else len(self.classes)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.0, self.initial_std, self.n_parameters)

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """Nothing to correct."""
        return theta

    def grand_sum(self, theta: np.ndarray) -> float:
        """Not defined."""
        return float("nan")

    def coefficients(self, theta: np.ndarray) -> np.ndarray:
        """lambda of each motif: (P,) to (2^K,)."""
        return theta if self.classes is None else self.classes.spread(theta)

    def pull_back(self, theta: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives with respect to lambda (..., 2^K) as derivatives with respect to the parameters (..., P)."""
        return slopes if self.classes is None else self.classes.sums(slopes)

    def at(self, theta: np.ndarray) -> MotifTable:
        return MotifTable(self.n_sites, self.coefficients(theta), lambda slopes: self.pull_back(theta, slopes))
