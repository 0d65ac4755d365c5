"""A shallow convolutional network on a ring, evaluated window by window: for kernels too wide for a table of motifs.

    ln psi(s) = v sum_t relu(x_t),   x_t = b + sum_k w_k[s_{t+k}]              [Ju et al. 2025, eq. 1]

The N numbers x_t travel with a chain. Exchanging neighbours changes the K + 1 of them that see either spin, by amounts
that depend on the weights and on which spin is up, so a ratio costs K + 1 additions. A new state's x_t are looked up
piece by piece, twelve sites at a time. States are words, as in `nqs.ansatz.window_table`; bit k of a window is its k-th
site.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from nqs.ansatz.ring_wave import KernelWave, as_words
from nqs.ansatz.window_kernel import ONE, antiparallel, context, new_ring, pack, random_pair, turn, unpack
from nqs.ansatz.window_table import check_ring
from nqs.runtime.errors import InputError

PIECE = 12  # sites of a window that are looked up at once
PIECE_STEP, PIECE_MASK = np.uint64(PIECE), np.uint64((1 << PIECE) - 1)
WIDEST = 60  # sites of a window, with one more to its right, that a machine word holds


class Filter(NamedTuple):
    """One network of N sites and kernel K, for the kernels.

    scale: v;  pieces (K / 12, 2^12): what each setting of 12 sites adds to x_t, the bias included;  rise: what a spin
    that turns up adds to the x_t from the leftmost that sees it on (K,);  exchange: the same when neighbours (up, down)
    become (down, up) (K + 1,).
    """

    n_sites: int
    width: int
    scale: float
    pieces: np.ndarray
    rise: np.ndarray
    exchange: np.ndarray


class ConvolutionWave(KernelWave):
    """One network: v, kernel w (K, 2) with columns down and up, bias b."""

    def __init__(self, n_sites: int, scale: float, kernel: np.ndarray, bias: float) -> None:
        self.n_sites, self.width = n_sites, len(kernel)
        check_ring(n_sites, self.width)
        if self.width > WIDEST:
            raise InputError(f"K = {self.width}: a window does not fit into a machine word; take K <= {WIDEST}")
        rise = np.ascontiguousarray((kernel[:, 1] - kernel[:, 0])[::-1])
        exchange = np.append(0.0, rise) - np.append(rise, 0.0)
        if self.width == n_sites:  # the first and the last window are the same one
            exchange = np.append(exchange[0] + exchange[-1], exchange[1:-1])
        self.filter = Filter(n_sites, self.width, float(scale), pieces_of(kernel, bias), rise, exchange)

    def derivatives(self, states: np.ndarray) -> ConvolutionDerivatives:
        """Derivatives of ln psi with respect to (v, w, b)."""
        return ConvolutionDerivatives(self, as_words(states, self.n_sites))

    def _log_psi(self, words: np.ndarray, out: np.ndarray) -> None:
        _log_psi(words, self.n_sites, self.width, *self.filter[2:4], out)

    def _ring_energies(self, words: np.ndarray, out: np.ndarray) -> None:
        _ring_energies(words, *self.filter, out)

    def _neighbour_moves(self, words: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray) -> int:
        return _neighbour_moves(words, *self.filter, stride, rng, out)

    def _pair_moves(
        self, words: np.ndarray, pairs: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray
    ) -> int:
        return _pair_moves(words, *self.filter, pairs, stride, rng, out)


class ConvolutionDerivatives:
    """d ln psi / d(v, w, b) at states (U, W), contracted as they are found."""

    def __init__(self, wave: ConvolutionWave, words: np.ndarray) -> None:
        self.wave, self.words = wave, words

    @property
    def n_states(self) -> int:
        return len(self.words)

    @property
    def n_parameters(self) -> int:
        return 2 * self.wave.width + 2

    def backward(self, vector: np.ndarray) -> np.ndarray:
        """O^T r: (P,)."""
        n_sites, width, scale, pieces, *_ = self.wave.filter
        counts = np.zeros_like(pieces)
        output = _add_slopes(self.words, n_sites, width, pieces, np.asarray(vector, np.float64), counts)
        active = counts[0].sum()
        ups = (counts @ _bits_of_pieces()).ravel()[:width]
        return np.concatenate([[output], scale * np.stack([active - ups, ups], axis=1).ravel(), [scale * active]])


def pieces_of(kernel: np.ndarray, bias: float) -> np.ndarray:
    """What each setting of 12 sites in a row adds to x_t: (K / 12, 2^12); the bias goes with the first."""
    padded = np.zeros((-(-len(kernel) // PIECE) * PIECE, 2))
    padded[: len(kernel)] = kernel
    bits = _bits_of_pieces()
    parts = padded.reshape(-1, PIECE, 2)  # (piece, site, down or up)
    pieces = parts[:, :, 0] @ (1 - bits).T + parts[:, :, 1] @ bits.T
    pieces[0] += bias
    return pieces


def _bits_of_pieces() -> np.ndarray:
    """(2^12, 12), 1.0 where a site is up."""
    return ((np.arange(1 << PIECE)[:, None] >> np.arange(PIECE)) & 1).astype(float)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _input(sites, pieces):
    """x_t of the window at the start of some sites."""
    total = 0.0
    for piece in range(len(pieces)):
        total += pieces[piece, sites & PIECE_MASK]
        sites >>= PIECE_STEP
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _inputs(ring, n_sites, width, pieces, inputs):
    """x_t of a ring (N + K,), repeating its first K at the end."""
    for start in range(n_sites):
        inputs[start] = _input(context(ring, start), pieces)
    for start in range(width):
        inputs[n_sites + start] = inputs[start]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)  # inlining would lose the fast sums
def _growth(inputs, start, change, sign):
    """Change of sum relu(x_t) when those from `start` on change."""
    total, seen = 0.0, inputs[start : start + len(change)]
    for place in range(len(change)):
        total += max(seen[place] + sign * change[place], 0.0) - max(seen[place], 0.0)
    return total


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _apply(inputs, start, change, sign, n_sites, width):
    """Change the x_t from `start` on, and their copies."""
    for place in range(len(change)):
        window = start + place
        if window >= n_sites:
            window -= n_sites
        inputs[window] += sign * change[place]
        if window < width:
            inputs[window + n_sites] = inputs[window]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _spin(ring, site):
    """1.0 if a spin is up, else -1.0."""
    return 1.0 if context(ring, site) & ONE else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _neighbour_moves(words, n_sites, width, scale, pieces, rise, exchange, stride, rng, out):
    """As `nqs.ansatz.window_kernel.neighbour_moves`."""
    accepted, end = 0, n_sites + 2 * width
    ring, inputs = new_ring(n_sites, width), np.empty(n_sites + width + 1)
    for chain in range(len(words)):
        unpack(words[chain], n_sites, width, ring)
        _inputs(ring, n_sites, width, pieces, inputs)
        for kept in range(len(out)):
            for _ in range(stride):
                draw = rng.random() * n_sites
                start = int(draw)
                first = start + width - 1
                first -= n_sites if first >= n_sites else 0
                second = first + 1 if first + 1 < n_sites else 0
                sign = _spin(ring, first)
                if sign == _spin(ring, second):
                    continue
                if np.exp(2 * scale * _growth(inputs, start, exchange, sign)) > draw - start:
                    _apply(inputs, start, exchange, sign, n_sites, width)
                    turn(ring, first, n_sites, end)
                    turn(ring, second, n_sites, end)
                    accepted += 1
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _pair_growth(inputs, left, right, rise, sign, n_sites, width):
    """Change of sum relu(x_t) when two spins are exchanged that are first seen from `left` and `right`."""
    growth = _growth(inputs, left, rise, -sign)
    gap = abs(left - right)
    if width <= gap <= n_sites - width:  # no window sees both
        return growth + _growth(inputs, right, rise, sign)
    _apply(inputs, left, rise, -sign, n_sites, width)
    growth += _growth(inputs, right, rise, sign)
    _apply(inputs, left, rise, sign, n_sites, width)
    return growth


@njit(cache=True, nogil=True, error_model="numpy")
def _pair_moves(words, n_sites, width, scale, pieces, rise, exchange, pairs, stride, rng, out):
    """As `nqs.ansatz.window_kernel.pair_moves`."""
    accepted, end = 0, n_sites + 2 * width
    ring, inputs = new_ring(n_sites, width), np.empty(n_sites + width + 1)
    for chain in range(len(words)):
        unpack(words[chain], n_sites, width, ring)
        _inputs(ring, n_sites, width, pieces, inputs)
        for kept in range(len(out)):
            for _ in range(stride):
                first, second, chance = random_pair(pairs, n_sites, rng)
                sign = _spin(ring, first)
                if sign == _spin(ring, second):
                    continue
                left, right = (first - width + 1) % n_sites, (second - width + 1) % n_sites
                growth = _pair_growth(inputs, left, right, rise, sign, n_sites, width)
                if np.exp(2 * scale * growth) > chance:
                    _apply(inputs, left, rise, -sign, n_sites, width)
                    _apply(inputs, right, rise, sign, n_sites, width)
                    turn(ring, first, n_sites, end)
                    turn(ring, second, n_sites, end)
                    accepted += 1
            pack(ring, n_sites, out[kept, chain])
        words[chain] = out[-1, chain]
    return accepted


@njit(cache=True, nogil=True, error_model="numpy")
def _log_psi(words, n_sites, width, scale, pieces, out):
    """ln psi: out (U,)."""
    ring = new_ring(n_sites, width)
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        total = 0.0
        for start in range(n_sites):
            total += max(_input(context(ring, start), pieces), 0.0)
        out[row] = scale * total


@njit(cache=True, nogil=True, error_model="numpy")
def _ring_energies(words, n_sites, width, scale, pieces, rise, exchange, out):
    """Local energies of H = sum P_{n,n+1} in the Marshall gauge: out (U,)."""
    ring, inputs = new_ring(n_sites, width), np.empty(n_sites + width + 1)
    growths = np.empty(n_sites)
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        _inputs(ring, n_sites, width, pieces, inputs)
        unlike = 0
        for start in range(n_sites):
            sites = context(ring, start)
            if antiparallel(sites, width):
                sign = 1.0 if (sites >> np.uint64(width - 1)) & ONE else -1.0
                growths[unlike] = _growth(inputs, start, exchange, sign)
                unlike += 1
        out[row] = n_sites - unlike
        for place in range(unlike):
            out[row] -= np.exp(scale * growths[place])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_slopes(words, n_sites, width, pieces, weights, counts):
    """Weighted sum over states and windows of relu(x_t); adds the active windows' weights by their pieces to counts."""
    ring, output = new_ring(n_sites, width), 0.0
    for row in range(len(words)):
        unpack(words[row], n_sites, width, ring)
        for start in range(n_sites):
            sites = context(ring, start)
            value = _input(sites, pieces)
            if value > 0:
                output += weights[row] * value
                for piece in range(len(pieces)):
                    counts[piece, sites & PIECE_MASK] += weights[row]
                    sites >>= PIECE_STEP
    return output
