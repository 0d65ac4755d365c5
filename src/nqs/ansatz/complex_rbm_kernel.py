"""Compiled sums and products of Boltzmann machines with complex parameters.

exp(-2 theta_h) of any state is a product of one table entry for each byte of the state, so that cosh and tanh of its
angles cost a few multiplications. Infinite or NaN where a real part of an angle exceeds about 350.

Shapes: U states, B bytes, H hidden units.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nqs.runtime.compiled import COMPILED

BITS = 8
LARGEST_LOGARITHM = 300.0  # of a product whose square neither overflows
LARGE = 1e30  # a product of factors beyond is replaced by its logarithm


def tables(weights: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """exp(-2 theta) by bytes: (B, 256, H) for weights (H, N) and hidden biases (H,), which the first byte takes."""
    units, n_sites = weights.shape
    count = -(-n_sites // BITS)
    padded = np.zeros((units, count * BITS), complex)
    padded[:, :n_sites] = weights
    by_byte = padded.T.reshape(count, BITS, units)
    down = 2 * by_byte.sum(axis=1)
    down[0] -= 2 * hidden
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.exp(down)[:, None]
        for bit in range(BITS):
            found = np.concatenate([found, found * np.exp(-4 * by_byte[:, bit])[:, None]], axis=1)
    return found


@njit(**COMPILED)
def log_factors(table, states, out):
    """Add sum_h ln (1 + exp(-2 theta_h)) / 2 of states (U,) to out (U,)."""
    n_bytes, _, units = table.shape
    for place, state in enumerate(states):
        total, product = 0j, 1 + 0j
        for unit in range(units):
            value = table[0, state & 255, unit]
            for byte in range(1, n_bytes):
                value *= table[byte, (state >> np.uint64(8 * byte)) & 255, unit]
            product *= 0.5 * (1 + value)
            size = abs(product.real) + abs(product.imag)
            if not 1 / LARGE < size < LARGE:
                total += np.log(product)
                product = 1 + 0j
        out[place] += total + np.log(product)


def factors_of_all(weights: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """sum_h ln (1 + exp(-2 theta_h)) / 2 of all states: (2^N,)."""
    units, n_sites = weights.shape
    found, table = np.empty(1 << n_sites, complex), tables(weights, hidden)
    width = min(1 << n_sites, 1 << BITS)
    low = np.ascontiguousarray(table[0, :width].T)  # (H, states of the first byte)
    high = np.ones((1, units), complex)
    for byte in range(1, len(table)):
        values = table[byte, : 1 << min(BITS, n_sites - BITS * byte)]
        high = (values[:, None] * high).reshape(-1, units)
    with np.errstate(over="ignore"):
        largest = np.log1p(np.exp(2 * (np.abs(weights.real).sum(axis=1) + np.abs(hidden.real)).max()))
    often = int(np.clip(LARGEST_LOGARITHM / largest, 1, 40))
    fill_logarithms(low.real.copy(), low.imag.copy(), high, often, found.reshape(-1, width))
    return found


@njit(**COMPILED)
def fill_logarithms(low_real, low_imag, high, often, out):
    """The same by blocks: out (K, L) for x of the low states (H, L) and the high ones (K, H).

    The logarithm is taken after every `often` factors, before their product may overflow.
    """
    units, width = low_real.shape
    for block in range(len(high)):
        real, imag = np.ones(width), np.zeros(width)
        out[block] = 0
        for unit in range(units):
            one, two = 0.5 * high[block, unit].real, 0.5 * high[block, unit].imag
            for place in range(width):
                factor = 0.5 + one * low_real[unit, place] - two * low_imag[unit, place]
                turned = one * low_imag[unit, place] + two * low_real[unit, place]
                kept = real[place] * factor - imag[place] * turned
                imag[place] = real[place] * turned + imag[place] * factor
                real[place] = kept
            if (unit + 1) % often == 0 or unit + 1 == units:
                for place in range(width):
                    square = real[place] * real[place] + imag[place] * imag[place]
                    out[block, place] += complex(0.5 * np.log(square), np.arctan2(imag[place], real[place]))
                    real[place], imag[place] = 1.0, 0.0


@njit(**COMPILED)
def fill_slopes(table, states, out):
    """tanh theta = (1 - x) / (1 + x), x = exp(-2 theta): out (U, H)."""
    n_bytes, _, units = table.shape
    for place, state in enumerate(states):
        for unit in range(units):
            value = table[0, state & 255, unit]
            for byte in range(1, n_bytes):
                value *= table[byte, (state >> np.uint64(8 * byte)) & 255, unit]
            real, imag = 1 + value.real, value.imag
            square = real * real + imag * imag
            if square > LARGE * LARGE:
                out[place, unit] = -1
            else:
                out[place, unit] = complex((1 - value.real) * real - imag * imag, -2 * imag) / square


@njit(**COMPILED)
def pair_products(weighted, out):
    """u_h* u_h' for h <= h', row by row: out (U, (H + 1) (H + 2) / 2) for u (U, H + 1)."""
    units = weighted.shape[1]
    for state in range(len(weighted)):
        place = 0
        for unit in range(units):
            left = weighted[state, unit].conjugate()
            for other in range(unit, units):
                out[state, place] = left * weighted[state, other]
                place += 1
