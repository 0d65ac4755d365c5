"""Compiled arithmetic of `nqs.ansatz.dense`: outputs and tangent kernel, in blocks of states that stay in the cache.

A state is cut into parts of at most 12 sites; the first layer adds one row per part from tables of all their patterns.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nqs.networks.dense_layout import layer_starts, matrix

BLOCK = 256  # rows per block: 64 units of two layers are 128 kB


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def first_layer(states, tables, shift, out):
    """Activations of the first hidden layer: out (state, unit).  tables (part, pattern, unit), biases in part 0."""
    low = (np.uint64(1) << np.uint64(shift)) - np.uint64(1)
    for row in range(len(states)):
        word = states[row]
        for unit in range(out.shape[1]):
            out[row, unit] = tables[0, word & low, unit]
        for part in range(1, len(tables)):
            word >>= np.uint64(shift)
            for unit in range(out.shape[1]):
                out[row, unit] += tables[part, word & low, unit]
        for unit in range(out.shape[1]):
            out[row, unit] = max(out[row, unit], 0)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def outputs(states, tables, shift, theta, widths, weight, bias):
    """Output of every state (U,), in the precision of theta; weight, bias: where each layer starts in theta."""
    top = len(widths) - 2  # the last hidden layer
    starts = layer_starts(widths, BLOCK)
    buffer, out = np.empty(starts[-1], theta.dtype), np.empty(len(states), theta.dtype)
    last = theta[weight[top] : weight[top] + widths[top]]
    for begin in range(0, len(states), BLOCK):
        rows = min(BLOCK, len(states) - begin)
        h = matrix(buffer, starts[1], rows, widths[1])
        first_layer(states[begin : begin + rows], tables, shift, h)
        for layer in range(1, top):
            n_in, n_out = widths[layer], widths[layer + 1]
            above = matrix(buffer, starts[layer + 1], rows, n_out)
            np.dot(h, matrix(theta, weight[layer], n_in, n_out), above)
            h, shifts = above, theta[bias[layer] : bias[layer] + n_out]
            for row in range(rows):
                for unit in range(n_out):
                    h[row, unit] = max(h[row, unit] + shifts[unit], 0)
        for row in range(rows):
            total = theta[0] * 0
            for unit in range(len(last)):
                total += h[row, unit] * last[unit]
            out[begin + row] = total
    return out


# Not fastmath: the bits of its loops would depend on where the arrays lie in memory (tests/test_reproducibility.py).
@njit(cache=True, nogil=True, error_model="numpy")
def tangent_kernel(inputs, signals, top, mean_overlap, centre, root_weight, shift):
    """Weighted, centred tangent kernel plus shift (U, U) float32, lower triangle; other entries are not set.

    O.O' = sum_l (a.a')(d.d') + h.h' with the inputs a (U, n) and signals d (U, m) of each layer and top h (U, m).
    mean_overlap (U,): product of each O with the mean; centre: square of the mean; root_weight (U,).
    """
    n_states = len(top)
    kernel = np.empty((n_states, n_states), np.float32)
    buffers = np.empty((3, BLOCK * BLOCK), np.float32)
    for low in range(0, n_states, BLOCK):
        for left in range(0, low + 1, BLOCK):
            height, width = min(BLOCK, n_states - low), min(BLOCK, n_states - left)
            total = matrix(buffers[0], 0, height, width)
            one, other = matrix(buffers[1], 0, height, width), matrix(buffers[2], 0, height, width)
            np.dot(top[low : low + height], top[left : left + width].T, total)
            for layer in range(len(inputs)):
                a, d = inputs[layer], signals[layer]
                np.dot(a[low : low + height], a[left : left + width].T, one)
                np.dot(d[low : low + height], d[left : left + width].T, other)
                for u in range(height):
                    for v in range(width):
                        total[u, v] += one[u, v] * other[u, v]
            for u in range(height):
                at, root = centre - mean_overlap[low + u], root_weight[low + u]
                for v in range(width):
                    value = total[u, v] + at - mean_overlap[left + v]
                    kernel[low + u, left + v] = value * root * root_weight[left + v]
    for u in range(n_states):
        kernel[u, u] += shift
    return kernel
