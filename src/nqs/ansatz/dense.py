"""Fully connected ReLU networks as wave functions: psi = exp(output) [Westerhout 2020, Supp. I a, b].

The derivative of the output by a layer's weights is the outer product of the layer's input a and the signal d that
comes back to it, so O is never formed: its products are small matrix products, and its tangent kernel is the sum over
layers of (a.a')(d.d').

Shapes: U states, P parameters, as in `nqs.ansatz.protocol`; parameters in the order of the network `Dense` without last
bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nqs.ansatz import dense_kernel as kernel
from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.networks.architectures.dense import Dense
from nqs.networks.dense_layout import parameter_offsets, unpack
from nqs.networks.protocol import Geometry, count_parameters, initial_parameters
from nqs.runtime.errors import InputError

SINGLE = np.float32
PART = 12  # sites of which all patterns are tabulated


@dataclass(frozen=True)
class DenseAnsatz:
    """Networks with hidden layers of the given widths and one output.

    precision: of parameters and activations; derivatives are float32. Raises InputError without a hidden layer.
    """

    n_sites: int
    hidden: tuple[int, ...] = (64, 64)
    precision: type = SINGLE

    def __post_init__(self) -> None:
        if not self.hidden:
            raise InputError("hidden: a network needs a hidden layer; give its width")

    @property
    def network(self) -> Dense:
        """The same network for supervised training."""
        return Dense(Geometry(self.n_sites, (self.n_sites, 1)), "amplitude", self.hidden)

    @property
    def n_parameters(self) -> int:
        return count_parameters(self.network)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """PyTorch's default initialisation: (P,) float64."""
        return np.concatenate([value.ravel() for value in initial_parameters(self.network, rng).values()]).astype(float)

    def at(self, theta: np.ndarray) -> DenseWave:
        return DenseWave(np.array(self.network.widths), np.ascontiguousarray(theta, self.precision))


@dataclass(frozen=True, eq=False)
class DenseWave(EvaluatedWave):
    """A network with layers of widths (N, ..., 1) and parameters (P,)."""

    widths: np.ndarray
    theta: np.ndarray

    @property
    def n_sites(self) -> int:
        return int(self.widths[0])

    @cached_property
    def _starts(self) -> tuple[np.ndarray, np.ndarray]:
        return parameter_offsets(self.widths, False)

    def _weight(self, layer: int) -> np.ndarray:
        n_in, n_out = self.widths[layer : layer + 2]
        start = self._starts[0][layer]
        return self.theta[start : start + n_in * n_out].reshape(n_in, n_out)

    def _bias(self, layer: int) -> np.ndarray:
        start = self._starts[1][layer]
        return self.theta[start : start + self.widths[layer + 1]]

    @cached_property
    def _tables(self) -> np.ndarray:
        """What every pattern of each part of the sites adds to the first layer: (part, pattern, unit)."""
        n_parts = -(-self.n_sites // PART)
        per_part = -(-self.n_sites // n_parts)
        weights = np.zeros((n_parts * per_part, self.widths[1]), self.theta.dtype)
        weights[: self.n_sites] = self._weight(0)
        spins = patterns(per_part).astype(self.theta.dtype)
        tables = spins @ weights.reshape(n_parts, per_part, -1)
        tables[0] += self._bias(0)
        return tables

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        shift = self._tables.shape[1].bit_length() - 1
        out = kernel.outputs(states.astype(np.uint64), self._tables, shift, self.theta, self.widths, *self._starts)
        return out.astype(np.float64)

    def derivatives(self, states: np.ndarray) -> LayerDerivatives:
        spins: np.ndarray = np.empty((len(states), self.n_sites), SINGLE)
        unpack(states.astype(np.uint64), np.arange(len(states)), spins)
        activations = [spins.astype(self.theta.dtype)]
        top = len(self.widths) - 2
        for layer in range(top):
            activations.append(np.maximum(activations[-1] @ self._weight(layer) + self._bias(layer), 0))
        signals = [(activations[top] > 0) * self._weight(top)[:, 0]]
        for layer in range(top - 1, 0, -1):
            signals.insert(0, (activations[layer] > 0) * (signals[0] @ self._weight(layer).T))
        ones = np.ones((len(states), 1), SINGLE)
        return LayerDerivatives(
            tuple(np.concatenate([values, ones], axis=1, dtype=SINGLE) for values in activations[:-1]),
            tuple(values.astype(SINGLE) for values in signals),
            activations[top].astype(SINGLE),
        )


@dataclass(frozen=True, eq=False)
class LayerDerivatives:
    """Derivatives as outer products, layer by layer, float32, never formed as a matrix unless asked for.

    inputs: of each layer but the last, with a last column of ones for the bias, (U, n + 1); signals: derivatives of the
    output by what the layer makes before its ReLU, (U, m); top (U, m): input of the last layer.
    """

    inputs: tuple[np.ndarray, ...]
    signals: tuple[np.ndarray, ...]
    top: np.ndarray

    @property
    def n_states(self) -> int:
        return len(self.top)

    @property
    def n_parameters(self) -> int:
        return sum(self._sizes) + self.top.shape[1]

    @property
    def _sizes(self) -> list[int]:
        return [a.shape[1] * d.shape[1] for a, d in zip(self.inputs, self.signals, strict=True)]

    def forward(self, vector: np.ndarray) -> np.ndarray:
        *parts, last = np.split(vector, np.cumsum(self._sizes))
        total: np.ndarray = self.top @ last
        for a, d, part in zip(self.inputs, self.signals, parts, strict=True):
            total += np.einsum("um,um->u", a @ part.reshape(a.shape[1], -1), d)
        return total

    def backward(self, vector: np.ndarray) -> np.ndarray:
        parts = [(a.T @ (d * vector[:, None])).ravel() for a, d in zip(self.inputs, self.signals, strict=True)]
        return np.concatenate([*parts, vector @ self.top])

    def jacobian(self) -> np.ndarray:
        parts = [a[:, :, None] * d[:, None, :] for a, d in zip(self.inputs, self.signals, strict=True)]
        return np.concatenate([*(part.reshape(self.n_states, -1) for part in parts), self.top], axis=1)

    def centred(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(SINGLE)
        centred = self.jacobian()
        centred -= self.backward(weights)
        centred *= np.sqrt(weights)[:, None]
        return centred

    def tangent_kernel(self, weights: np.ndarray, diagonal_shift: float) -> np.ndarray:
        weights = weights.astype(SINGLE)
        mean = self.backward(weights)
        root, centre = np.sqrt(weights), SINGLE(mean @ mean)
        lower = kernel.tangent_kernel(
            self.inputs, self.signals, self.top, self.forward(mean), centre, root, SINGLE(diagonal_shift)
        )
        return lower.T  # the upper triangle in Fortran order


@lru_cache(maxsize=4)
def patterns(n_sites: int) -> np.ndarray:
    """Spins (2^n, n) of all patterns of some sites, int8."""
    words = np.arange(1 << n_sites)[:, None]
    return (2 * (words >> np.arange(n_sites) & 1) - 1).astype(np.int8)
