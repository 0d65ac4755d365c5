"""Families of wave functions that are products over windows of a ring: what makes the motif coefficients lambda.

    ShallowCnn   lambda_m = v relu(w.m + b), 2K + 2 parameters                 [Ju et al. 2025, eq. 1]
    Cps          lambda_m free, one per motif or one per class of motifs       [Ju et al. 2025, eqs. 4 and 5]

With grandsum(w) + 2b = 0 the network has the symmetry under exchange of up and down (theorem 1). `forcing` says when
that is imposed: never ("original"), on the initial parameters ("init"), or after every update ("traj"; SYMFORCE).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, Protocol

import numpy as np

from nqs.errors import InputError
from nqs.motif_convolution import ConvolutionWave
from nqs.motif_table import TABLE_SITES, MotifTable, check_ring, check_table

Forcing = Literal["original", "init", "traj"]
FORCINGS: tuple[Forcing, ...] = ("original", "init", "traj")


class Slopes(Protocol):
    """Derivatives of ln psi, as the energy gradient needs them."""

    def backward(self, vector: np.ndarray) -> np.ndarray:
        """O^T r: (P,)."""


class RingWave(Protocol):
    """A wave function on a ring with fixed parameters; states are words (U, W), see `nqs.motif_table`."""

    n_sites: int

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,) float64."""

    def ring_energies(self, states: np.ndarray) -> np.ndarray:
        """Local energies of H = sum P_{n,n+1} in the Marshall gauge: (U,) float64."""

    def derivatives(self, states: np.ndarray) -> Slopes:
        """Derivatives of ln psi at the states."""

    def neighbour_moves(
        self, words: np.ndarray, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Advance chains (C, W) in place by exchanges of random neighbours.

        Returns the states after every `stride` proposals (kept, C, W) and the number of accepted ones.
        """

    def pair_moves(
        self, words: np.ndarray, pairs: np.ndarray | None, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """As `neighbour_moves`, exchanging the spins of random pairs (B, 2), or of any two sites if None."""


class RingAnsatz(Protocol):
    """A family of wave functions on a ring with P real parameters."""

    @property
    def n_sites(self) -> int:
        """N."""

    @property
    def n_parameters(self) -> int:
        """P."""

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Random initial parameters: (P,) float64."""

    def at(self, theta: np.ndarray) -> RingWave:
        """The wave function with these parameters."""

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """What an update is corrected to: (P,)."""

    def grand_sum(self, theta: np.ndarray) -> float:
        """grandsum(w) + 2b, or NaN where there is no such thing."""


@dataclass(frozen=True)
class ShallowCnn:
    """One convolution with one filter, ReLU, a sum over sites and one output weight.

    Parameters (v, w, b): v the output weight, w (K, 2) the kernel on one-hot spins, columns down and up, b the bias.
    Up to K = 16 its waves are tables of motifs; beyond, they are evaluated window by window.
    """

    n_sites: int
    width: int
    forcing: Forcing = "original"

    def __post_init__(self) -> None:
        check_ring(self.n_sites, self.width)
        if self.forcing not in FORCINGS:
            raise InputError(f"forcing: {self.forcing!r} is none of {', '.join(FORCINGS)}")

    @property
    def n_parameters(self) -> int:
        return 2 * self.width + 2

    @property
    def tabulated(self) -> bool:
        """True if its waves are tables of 2^K motifs."""
        return self.width <= TABLE_SITES

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Glorot uniform, bias zero: w in +-sqrt(2/K) and v in +-sqrt(3) for one filter on two channels."""
        kernel = rng.uniform(-1, 1, 2 * self.width) * np.sqrt(2 / self.width)
        theta = np.concatenate([rng.uniform(-1, 1, 1) * np.sqrt(3), kernel, [0.0]])
        return theta if self.forcing == "original" else self.symmetrised(theta)

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views v (...), w (..., K, 2), b (...) of parameters (..., P)."""
        return theta[..., 0], theta[..., 1:-1].reshape(*theta.shape[:-1], self.width, 2), theta[..., -1]

    def grand_sum(self, theta: np.ndarray) -> float:
        """grandsum(w) + 2b."""
        return float(theta[1:-1].sum() + 2 * theta[-1])

    def symmetrised(self, theta: np.ndarray) -> np.ndarray:
        """w <- w - (grandsum(w) + 2b) / 2K, which makes the grand sum zero."""
        forced = theta.copy()
        forced[1:-1] -= self.grand_sum(theta) / (2 * self.width)
        return forced

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """SYMFORCE-TRAJ, or nothing."""
        return self.symmetrised(theta) if self.forcing == "traj" else theta

    def at(self, theta: np.ndarray) -> MotifTable | ConvolutionWave:
        scale, kernel, bias = self.split(theta)
        if not self.tabulated:
            return ConvolutionWave(self.n_sites, float(scale), kernel, float(bias))
        inputs = self.inputs(theta)
        return MotifTable(self.n_sites, scale * np.maximum(inputs, 0.0), partial(self._pullback, inputs, scale))

    def inputs(self, theta: np.ndarray) -> np.ndarray:
        """w.m + b of every motif: (2^K,)."""
        check_table(self.width)
        _, kernel, bias = self.split(theta)
        out = np.array([bias])
        for down, up in kernel:  # the next site is the next higher bit
            out = np.concatenate([out + down, out + up])
        return out

    def _pullback(self, inputs: np.ndarray, scale: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives with respect to lambda (..., 2^K) as derivatives with respect to (v, w, b) (..., P)."""
        output = slopes @ np.maximum(inputs, 0.0)
        active = slopes * (inputs > 0)
        ups, total = active @ self._bits, active.sum(axis=-1)
        kernel = np.stack([total[..., None] - ups, ups], axis=-1)  # (..., K, 2)
        flat = kernel.reshape(*slopes.shape[:-1], 2 * self.width)
        return np.concatenate([output[..., None], scale * flat, scale * total[..., None]], axis=-1)

    @cached_property
    def _bits(self) -> np.ndarray:
        """Spins of the motifs as 0 and 1: (2^K, K)."""
        return ((np.arange(1 << self.width)[:, None] >> np.arange(self.width)) & 1).astype(float)

    def why_constant(self, theta: np.ndarray) -> str:
        """Why psi is constant on the zero-magnetisation states whatever they are, or "" if it need not be.

        "dead": no motif activates the filter; "linear": every motif does, and a sum over windows of something linear
        knows the magnetisation only; "silent": v = 0. The first two have no gradient, so a run stays there.
        """
        scale, kernel, bias = self.split(theta)
        if kernel.max(axis=1).sum() + bias <= 0:
            return "dead"
        if kernel.min(axis=1).sum() + bias >= 0:
            return "linear"
        return "silent" if scale == 0 else ""


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
