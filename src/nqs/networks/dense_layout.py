"""How the parameters of a dense network lie in one flat vector, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def unpack(states, index, spins):
    """Write the spins (+-1) of states[index] into the rows of `spins`; bit i is site i."""
    for row in range(len(index)):
        word = states[index[row]]
        for site in range(spins.shape[1]):
            spins[row, site] = np.float32(1) if (word >> np.uint64(site)) & np.uint64(1) else np.float32(-1)


@njit(cache=True, nogil=True, error_model="numpy")
def parameter_offsets(widths, last_bias):
    """Start of each layer's weight and bias in the flat vector; a missing bias has start -1."""
    n_layers = len(widths) - 1
    weight, bias = np.empty(n_layers, np.int64), np.full(n_layers, -1, np.int64)
    position = 0
    for layer in range(n_layers):
        weight[layer] = position
        position += widths[layer] * widths[layer + 1]
        if layer < n_layers - 1 or last_bias:
            bias[layer] = position
            position += widths[layer + 1]
    return weight, bias


@njit(cache=True, nogil=True, error_model="numpy")
def matrix(buffer, start, rows, columns):
    """View of a stretch of a flat buffer as a C-contiguous matrix."""
    return buffer[start : start + rows * columns].reshape((rows, columns))


@njit(cache=True, nogil=True, error_model="numpy")
def layer_starts(widths, batch):
    """Start of each layer in the flat activation buffer, and the buffer's length."""
    starts = np.zeros(len(widths) + 1, np.int64)
    for layer in range(len(widths)):
        starts[layer + 1] = starts[layer] + batch * widths[layer]
    return starts
