"""The shallow convolutional network of Ju et al. 2025."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from nqs.ansatz.ring_protocol import FORCINGS, Forcing
from nqs.ansatz.window_convolution import ConvolutionWave
from nqs.ansatz.window_table import TABLE_SITES, MotifTable, check_ring, check_table
from nqs.model.motifs import bits
from nqs.runtime.errors import InputError


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

    def coefficients(self, theta: np.ndarray) -> np.ndarray:
        """lambda of each motif, for descents of the exact energy: (P,) to (2^K,).

        As the product with a matrix, which adds in another order than `inputs`: in double precision the last digit may
        differ, and minima are told apart by more, but each kind of result keeps its bits.
        """
        return theta[0] * np.maximum(self._one_hot @ theta[1:], 0)

    def pull_back(self, theta: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives with respect to `coefficients` (2^K,) as derivatives with respect to (v, w, b) (P,)."""
        before = self._one_hot @ theta[1:]
        through = theta[0] * ((before > 0) * slopes) @ self._one_hot
        return np.concatenate([[slopes @ np.maximum(before, 0)], through])

    @cached_property
    def _one_hot(self) -> np.ndarray:
        """One-hot spins of each motif and 1 for the bias: (2^K, 2K + 1)."""
        check_table(self.width)
        spins = bits(np.arange(1 << self.width), self.width)
        one_hot = np.stack([1 - spins, spins], axis=-1).reshape(len(spins), -1)
        return np.column_stack([one_hot, np.ones(len(spins))])

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
