"""Deep convolutional networks on a ring: the baselines of the shallow one [Ju et al. 2025, sec. VI].

    a_0[c, t] = 1 if spin t is c (down, up), else 0
    a_l[f, t] = relu(b_l[f] + sum_{g,k} w_l[f, g, k] a_{l-1}[g, t + k]),   l = 1 ... L, cyclic
    ln psi = sum_f v[f] sum_t a_L[f, t]

The output has no bias, which would only change the norm; with L = F = 1 this is the shallow network. Number of layers
and filters are not stated in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nqs.ansatz import deep_cnn_kernel
from nqs.ansatz.deep_cnn_kernel import Network
from nqs.ansatz.ring_wave import KernelWave, as_pairs, as_words
from nqs.ansatz.window_table import check_ring
from nqs.runtime.errors import InputError

CHANNELS = 2  # of one-hot spins: down and up


@dataclass(frozen=True)
class DeepCnn:
    """L cyclic convolutions of width K with F filters each, ReLU after each, a sum over sites, a dense layer to one.

    Parameters: for each layer w (F, C, K), then b (F,), with C = 2 in the first layer and F beyond; then v (F,).
    """

    n_sites: int
    width: int
    layers: int = 2
    filters: int = 4

    def __post_init__(self) -> None:
        check_ring(self.n_sites, self.width)
        if self.layers < 1:
            raise InputError(f"layers: {self.layers}; a network needs at least one")
        if self.filters < 1:
            raise InputError(f"filters: {self.filters}; a layer needs at least one")

    @property
    def n_parameters(self) -> int:
        return sum(int(np.prod(shape)) + self.filters for shape in self.shapes) + self.filters

    @cached_property
    def shapes(self) -> list[tuple[int, int, int]]:
        """Of the layers' kernels: (F, C, K) each."""
        channels = [CHANNELS] + [self.filters] * (self.layers - 1)
        return [(self.filters, count, self.width) for count in channels]

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Glorot uniform, zero biases: kernels in +-sqrt(6 / (C K + F K)), v in +-sqrt(6 / (F + 1))."""
        parts = []
        for filters, channels, width in self.shapes:
            limit = np.sqrt(6 / ((channels + filters) * width))
            parts += [rng.uniform(-limit, limit, filters * channels * width), np.zeros(filters)]
        limit = np.sqrt(6 / (self.filters + 1))
        return np.concatenate([*parts, rng.uniform(-limit, limit, self.filters)])

    def split(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Views of parameters (P,): kernels [(F, C, K)] and biases (L, F) of the layers, and v (F,)."""
        kernels, biases, start = [], [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            kernels.append(theta[start : start + size].reshape(shape))
            biases.append(theta[start + size : start + size + self.filters])
            start += size + self.filters
        return kernels, np.array(biases), theta[start:]

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """Nothing to correct."""
        return theta

    def grand_sum(self, theta: np.ndarray) -> float:
        """Not defined."""
        return float("nan")

    def at(self, theta: np.ndarray) -> DeepWave:
        return DeepWave(self, theta)


class DeepWave(KernelWave):
    """One network with parameters theta (P,)."""

    def __init__(self, family: DeepCnn, theta: np.ndarray) -> None:
        if np.shape(theta) != (family.n_parameters,):
            raise InputError(f"theta: {family} has {family.n_parameters} parameters, not {np.shape(theta)}")
        self.family, self.n_sites = family, family.n_sites
        (first, *others), biases, output = family.split(np.asarray(theta, np.float64))
        down, up = first[:, 0], first[:, 1]
        biases[0] += down.sum(axis=1)
        kernels = np.array([rows_of(kernel) for kernel in others])
        self.network = Network(
            family.n_sites,
            family.width,
            biases,
            rows_of((up - down)[:, None])[0],
            kernels.reshape(family.layers - 1, family.filters, family.width * family.filters),
            np.tile(output, family.n_sites),
        )

    def swap_changes(self, states: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """ln psi(s') - ln psi(s) after exchanging the spins of each pair (B, 2): (U, B)."""
        out = np.empty((len(states), len(pairs)))
        deep_cnn_kernel.swap_changes(as_words(states, self.n_sites), self.network, np.asarray(pairs, np.int64), out)
        return out

    def derivatives(self, states: np.ndarray) -> DeepDerivatives:
        """Derivatives of ln psi with respect to the parameters."""
        return DeepDerivatives(self, as_words(states, self.n_sites))

    def _log_psi(self, words: np.ndarray, out: np.ndarray) -> None:
        deep_cnn_kernel.log_psi(words, self.network, out)

    def _ring_energies(self, words: np.ndarray, out: np.ndarray) -> None:
        deep_cnn_kernel.ring_energies(words, self.network, out)

    def _neighbour_moves(self, words: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray) -> int:
        return deep_cnn_kernel.exchange_moves(words, self.network, True, as_pairs(None), stride, rng, out)

    def _pair_moves(
        self, words: np.ndarray, pairs: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray
    ) -> int:
        return deep_cnn_kernel.exchange_moves(words, self.network, False, pairs, stride, rng, out)


class DeepDerivatives:
    """d ln psi / d theta at states (U, W), contracted as they are found."""

    def __init__(self, wave: DeepWave, words: np.ndarray) -> None:
        self.wave, self.words = wave, words

    @property
    def n_states(self) -> int:
        return len(self.words)

    @property
    def n_parameters(self) -> int:
        return self.wave.family.n_parameters

    def backward(self, vector: np.ndarray) -> np.ndarray:
        """O^T r: (P,)."""
        network, filters = self.wave.network, self.wave.family.filters
        sums = [np.zeros_like(array) for array in (network.biases, network.rise, network.kernels, network.biases[0])]
        deep_cnn_kernel.add_slopes(self.words, network, np.asarray(vector, np.float64), *sums)
        biases, rise, kernels, output = sums
        up = kernel_of(rise[None], filters)[:, 0]
        first = np.stack([biases[0][:, None] - up, up], axis=1)  # a site that is not up is down
        parts = [first, *(kernel_of(rows, filters) for rows in kernels)]
        layers = [np.append(part.ravel(), bias) for part, bias in zip(parts, biases, strict=True)]
        return np.concatenate([*layers, output])


def rows_of(kernel: np.ndarray) -> np.ndarray:
    """A kernel (F, C, K) as what each channel adds to the windows that see its site, leftmost first: (C, K F)."""
    return np.ascontiguousarray(kernel[:, :, ::-1].transpose(1, 2, 0)).reshape(kernel.shape[1], -1)


def kernel_of(rows: np.ndarray, filters: int) -> np.ndarray:
    """The kernel (F, C, K) that makes these rows (C, K F)."""
    return rows.reshape(len(rows), -1, filters).transpose(2, 0, 1)[:, :, ::-1]
