"""Convolutional arithmetic circuits on a square torus, with overlapping filters or without [Levine et al. 2019].

Every layer multiplies, over the K x K sites of its filter, linear combinations of the channels below:

    h'(x, c) = prod_k sum_c' W_k,cc' h(x + k, c'),     psi(s) = sum_c v_c prod_x h(x, c),

with h(x, .) = (1, 0) or (0, 1) at the bottom. Filters overlap at stride 1; at stride K they make a tree. Weights are
random integers modulo a prime, so that the rank of a block is exact: it is that of almost all real weights, or smaller.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from nqs.exact.modular_rank import PRIME
from nqs.runtime.errors import InputError


@dataclass(frozen=True)
class ArithmeticCircuit:
    """A circuit on side x side sites; its first layer sees single sites only and entangles nothing."""

    side: int
    layers: int
    kernel: int
    channels: int
    stride: int

    def __post_init__(self) -> None:
        if self.side % 2 or self.side > 4:
            raise InputError(f"side: {self.side}; all states are listed for 2 or 4 sites a side")

    @property
    def n_parameters(self) -> int:
        """Weights of all layers and of the sum at the top."""
        return self.kernel**2 * self.channels * (2 + (self.layers - 1) * self.channels) + self.channels

    def amplitudes(self, rng: np.random.Generator) -> np.ndarray:
        """psi modulo PRIME of all states with random weights: (2^N,) int64; sites are numbered by 2 x 2 blocks."""
        values = self.inputs()
        for _ in range(self.layers):
            values = self.layer(values, rng)
        product = np.ones_like(values[0, 0])  # (state, channel)
        for place in np.ndindex(values.shape[:2]):
            product = product * values[place] % PRIME
        return _combined(product, rng.integers(1, PRIME, (self.channels, 1)))[:, 0]

    def inputs(self) -> np.ndarray:
        """The two indicators of every site in all states: (side, side, 2^N, 2)."""
        states = np.arange(1 << self.side**2)
        found = np.empty((self.side, self.side, len(states), 2), np.int64)
        corners = itertools.product(range(0, self.side, 2), repeat=2)
        sites = [(x + i, y + j) for x, y in corners for i in (0, 1) for j in (0, 1)]
        for site, place in enumerate(sites):
            bits = states >> site & 1
            found[place] = np.stack([bits, 1 - bits], axis=1)
        return found

    def layer(self, below: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """h' of h (x, y, state, channel)."""
        found = np.ones(1, np.int64)
        for step in np.ndindex(self.kernel, self.kernel):
            weights = rng.integers(1, PRIME, (below.shape[3], self.channels))
            seen = np.roll(below, (-step[0], -step[1]), (0, 1))[:: self.stride, :: self.stride]
            found = found * _combined(seen, weights) % PRIME
        return found


def _combined(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """values (..., c) times weights (c, C) modulo PRIME, whose products fit into 64 bits one by one."""
    terms = (values[..., place, None] * row % PRIME for place, row in enumerate(weights))
    return sum(terms, np.zeros(1, np.int64)) % PRIME
