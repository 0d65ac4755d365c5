"""Training of one fully connected ReLU network on the CPU, compiled.

A small network spends most of a PyTorch update outside its matrix products. Here the whole update (gather, forward,
backward, Adam) is one compiled loop over buffers that stay in the cache; the matrix products are BLAS calls. It holds
no global interpreter lock, so members of an ensemble train in threads, and a member's numbers do not depend on which
others train beside it. Parameters are one flat float32 vector in the order of `Network.shapes`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nqs.networks.dense_layout import layer_starts, matrix, parameter_offsets, unpack

BETA1, BETA2, EPSILON = np.float32(0.9), np.float32(0.999), np.float32(1e-8)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # step of a stream of random words


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def forward(theta, widths, weight, bias, activations, starts, batch, dropout, stream):
    """Fill `activations`, flat, layer after layer; layer 0 (the spins) is already there.

    Of the hidden units a share `dropout` is set to zero, the rest scaled up to keep the mean [Srivastava 2014].
    """
    n_layers = len(widths) - 1
    for layer in range(n_layers):
        n_in, n_out = widths[layer], widths[layer + 1]
        h = matrix(activations, starts[layer + 1], batch, n_out)
        np.dot(
            matrix(activations, starts[layer], batch, n_in),
            matrix(theta, weight[layer], n_in, n_out),
            h,
        )
        b = bias[layer]
        last = layer == n_layers - 1
        for row in range(batch):
            for unit in range(n_out):
                value = h[row, unit]
                if b >= 0:
                    value += theta[b + unit]
                h[row, unit] = value if last or value > 0 else np.float32(0)
        if dropout > 0 and not last:
            stream = drop(h, dropout, stream)


@njit(cache=True, nogil=True, error_model="numpy")
def mixed(word):
    """A 64-bit word with its bits mixed [Steele et al. 2014, SplitMix64]."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True, error_model="numpy")
def drop(h, dropout, stream):
    """Leave out a share of the units of each row, in place; returns where the stream of random words has come to."""
    limit, kept = np.uint64(dropout * 2.0**53), np.float32(1 / (1 - dropout))
    for row in range(h.shape[0]):
        for unit in range(h.shape[1]):
            stream += GOLDEN
            h[row, unit] = np.float32(0) if mixed(stream) >> np.uint64(11) < limit else h[row, unit] * kept
    return stream


@njit(cache=True, nogil=True, error_model="numpy")
def softplus(x):
    """log(1 + exp(x)) without overflow."""
    return max(x, np.float32(0)) + np.log1p(np.exp(-abs(x)))


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def backward(theta, gradient, widths, weight, bias, activations, deltas, starts, batch, dropout):
    """Gradient of the loss; `deltas` holds dL/d(output) in its last layer on entry."""
    kept = np.float32(1 / (1 - dropout))
    for layer in range(len(widths) - 2, -1, -1):
        n_in, n_out = widths[layer], widths[layer + 1]
        h = matrix(activations, starts[layer], batch, n_in)
        delta = matrix(deltas, starts[layer + 1], batch, n_out)
        np.dot(h.T, delta, matrix(gradient, weight[layer], n_in, n_out))
        b = bias[layer]
        if b >= 0:
            gradient[b : b + n_out] = 0
            for row in range(batch):
                for unit in range(n_out):
                    gradient[b + unit] += delta[row, unit]
        if layer == 0:
            return
        below = matrix(deltas, starts[layer], batch, n_in)
        np.dot(delta, matrix(theta, weight[layer], n_in, n_out).T, below)
        for row in range(batch):
            for unit in range(n_in):
                below[row, unit] = below[row, unit] * kept if h[row, unit] > 0 else np.float32(0)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def adam(theta, gradient, mean, square, step, rate, l2):
    """One Adam update in place [Kingma & Ba 2014], with PyTorch's defaults and order of operations."""
    scale = np.float32(rate / (1 - 0.9**step))
    root = np.float32(1 / np.sqrt(1 - 0.999**step))
    for i in range(len(theta)):
        g = gradient[i] + l2 * theta[i]
        mean[i] += (np.float32(1) - BETA1) * (g - mean[i])
        square[i] = BETA2 * square[i] + (np.float32(1) - BETA2) * g * g
        theta[i] -= scale * mean[i] / (np.sqrt(square[i]) * root + EPSILON)


@njit(cache=True, nogil=True, error_model="numpy")
def train(theta, mean, square, step, rate, widths, last_bias, states, targets, index, l2, dropout, seed):
    """Run one Adam update per row of `index` in place.

    theta, mean, square (parameter,) float32; step = updates done before; states uint64; index (update, batch).
    targets float32: +-1 for two outputs (cross-entropy), log|psi| for one (mean squared error).
    l2/2 sum(theta^2) is added to the loss; dropout: share of hidden units left out, drawn anew for each state and
    update from `seed` and the number of the update alone.
    """
    batch = index.shape[1]
    starts = layer_starts(widths, batch)
    weight, bias = parameter_offsets(widths, last_bias)
    activations, deltas = np.empty(starts[-1], np.float32), np.empty(starts[-1], np.float32)
    gradient = np.empty_like(theta)
    spins = matrix(activations, 0, batch, widths[0])
    top = starts[len(widths) - 1]
    for update in range(index.shape[0]):
        rows = index[update]
        unpack(states, rows, spins)
        stream = mixed(np.uint64(seed) + np.uint64(step + update) * GOLDEN)
        forward(theta, widths, weight, bias, activations, starts, batch, dropout, stream)
        output_delta(activations[top:], deltas[top:], targets, rows, widths[-1])
        backward(theta, gradient, widths, weight, bias, activations, deltas, starts, batch, dropout)
        adam(theta, gradient, mean, square, step + update + 1, rate, np.float32(l2))


@njit(cache=True, nogil=True, error_model="numpy")
def output_delta(output, delta, targets, rows, n_out):
    """Derivative of the batch-mean loss by the outputs."""
    batch = len(rows)
    for row in range(batch):
        t = targets[rows[row]]
        if n_out == 2:
            margin = t * (output[2 * row] - output[2 * row + 1])
            slope = -t / (np.float32(1) + np.exp(margin)) / np.float32(batch)
            delta[2 * row], delta[2 * row + 1] = slope, -slope
        else:
            delta[row] = np.float32(2) * (output[row] - t) / np.float32(batch)


@njit(cache=True, nogil=True, error_model="numpy")
def loss(theta, widths, last_bias, states, targets, chunk):
    """Mean loss over all states: cross-entropy (two outputs) or mean squared error (one)."""
    output = evaluate(theta, widths, last_bias, states, chunk)
    total = 0.0
    for i in range(len(states)):
        if widths[-1] == 2:
            total += softplus(-targets[i] * output[i])
        else:
            total += (output[i] - targets[i]) ** 2
    return total / len(states)


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate(theta, widths, last_bias, states, chunk):
    """Output (state,) float32: difference of the two outputs, or the single one."""
    starts = layer_starts(widths, chunk)
    weight, bias = parameter_offsets(widths, last_bias)
    activations = np.empty(starts[-1], np.float32)
    spins = matrix(activations, 0, chunk, widths[0])
    top = activations[starts[len(widths) - 1] :]
    result = np.empty(len(states), np.float32)
    for begin in range(0, len(states), chunk):
        # the last chunk is filled up with repeats of the last state
        index = np.minimum(np.arange(begin, begin + chunk), len(states) - 1)
        unpack(states, index, spins)
        forward(theta, widths, weight, bias, activations, starts, chunk, 0.0, np.uint64(0))
        for row in range(min(chunk, len(states) - begin)):
            result[begin + row] = top[2 * row] - top[2 * row + 1] if widths[-1] == 2 else top[row]
    return result
