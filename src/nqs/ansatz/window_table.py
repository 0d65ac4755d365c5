"""Wave functions on a ring that are products over windows of K sites, held as a table of all 2^K motifs.

    ln psi(s) = sum_i lambda[s_i ... s_{i+K-1}] = sum_m lambda_m n_m(s)        [Ju et al. 2025, eqs. 2, 3 and 6]

n_m(s) counts the motif m in s, cyclically. Bit k of a motif is its k-th site, 1 = up.

States have any number of sites, so they are words (U, W) uint64, W = ceil(N / 64), site i = bit i % 64 of word i // 64;
up to 64 sites the engine's states (U,) do as well, and a `MotifTable` is then one of its waves
(`nqs.ansatz.protocol.Wave`). A sample of 20,000 states of 240 sites is 640 kB, so samples are kept, while counts are
summed as they are found.

H = sum_n P_{n,n+1} exchanges neighbours; on two levels P = 2 S.S + 1/2. One sublattice is turned (Marshall gauge), so a
bond gives +1 where its spins are parallel and -psi'/psi where they are not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from nqs.ansatz import by_evaluation, window_kernel
from nqs.ansatz.protocol import DenseDerivatives
from nqs.ansatz.ring_wave import KernelWave, as_words, n_words
from nqs.ansatz.window_kernel import Windows
from nqs.model.moves import Moves
from nqs.runtime.errors import InputError

TABLE_SITES = 16  # widest window whose 2^K motifs are tabulated
ELEMENT_SITES = 8  # widest window whose 4^K exchange ratios are
GROUP_SITES = 15  # sites that a sum of consecutive windows may cover, so that its table stays in the cache
ROWS = 512  # states whose counts are held at once


class MotifTable(KernelWave):
    """One wave function: motifs lambda (2^K,), float64.

    pullback: from derivatives with respect to lambda (..., 2^K) to those with respect to the parameters (..., P); by
    default lambda are the parameters.
    """

    def __init__(
        self, n_sites: int, motifs: np.ndarray, pullback: Callable[[np.ndarray], np.ndarray] = np.asarray
    ) -> None:
        self.n_sites, self.width = n_sites, len(motifs).bit_length() - 1
        if len(motifs) != 1 << self.width:
            raise InputError(f"{len(motifs)} motifs: not a power of 2")
        check_ring(n_sites, self.width)
        check_table(self.width)
        self.motifs = np.ascontiguousarray(motifs, np.float64)
        self.pullback = pullback

    @cached_property
    def windows(self) -> Windows:
        """The numbers that the kernels need."""
        n_sites, width = self.n_sites, self.width
        group = best_group(width)
        exchange = divmod(min(width + 1, n_sites), group)
        swap, flip = (copies(sites, n_sites, 2 * width) for sites in ([width - 1, width], [width - 1]))
        return Windows(n_sites, width, group, exchange, divmod(width, group), swap, flip)

    @cached_property
    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """lambda, and its sums over groups of windows in a row."""
        return self.motifs, grouped(self.motifs, self.windows.group)

    @cached_property
    def elements(self) -> np.ndarray:
        """Local energy of a bond for each setting of the 2K sites about it (4^K,); empty where K is too large."""
        elements = np.empty(4**self.width if self.width <= ELEMENT_SITES else 0)
        window_kernel.all_elements(self.windows, *self.sums, elements)
        return elements

    def log_psi_all(self) -> np.ndarray:
        """ln psi of all 2^N states, in order: float64."""
        return self.log_psi(np.arange(1 << self.n_sites, dtype=np.uint64))

    def swap_ratios(self, states: np.ndarray, bonds: np.ndarray) -> np.ndarray:
        """psi(s') / psi(s) after exchanging the spins of each bond (B, 2): (U, B); 0 where they are parallel."""
        out = np.empty((len(states), len(bonds)))
        bonds = np.asarray(bonds, np.int64)
        window_kernel.swap_ratios(as_words(states, self.n_sites), self.windows, *self.sums, bonds, out)
        return out

    def derivatives(self, states: np.ndarray) -> MotifDerivatives:
        """Derivatives of ln psi with respect to the parameters."""
        return MotifDerivatives(self, as_words(states, self.n_sites))

    def _log_psi(self, words: np.ndarray, out: np.ndarray) -> None:
        window_kernel.log_psi(words, self.n_sites, self.width, self.motifs, out)

    def _ring_energies(self, words: np.ndarray, out: np.ndarray) -> None:
        window_kernel.ring_energies(words, self.windows, *self.sums, self.elements, out)

    def _neighbour_moves(self, words: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray) -> int:
        return window_kernel.neighbour_moves(words, self.windows, *self.sums, self.elements, stride, rng, out)

    def _pair_moves(
        self, words: np.ndarray, pairs: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray
    ) -> int:
        return window_kernel.pair_moves(words, self.windows, *self.sums, pairs, stride, rng, out)

    def ratios(self, states: np.ndarray, moves: Moves) -> np.ndarray:
        """psi(s') / psi(s) after each of the engine's moves: (U, m); 0 where it does not apply."""
        if moves.kind == "exchanges":
            return self.swap_ratios(states, moves.sites)
        return by_evaluation.ratios(self.log_psi, states, moves)

    def sweeps(self, states: np.ndarray, moves: Moves, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """The engine's chains (C,): states after each sweep (sweeps, C), and acceptances."""
        if moves.kind == "exchanges":
            out, accepted = self.pair_moves(states[:, None], moves.sites, sweeps, self.n_sites, rng)
            return out[..., 0], accepted
        if moves.are_all_flips(self.n_sites):
            out = np.empty((sweeps, len(states), 1), np.uint64)
            accepted = window_kernel.flip_moves(states[:, None], self.windows, *self.sums, self.n_sites, rng, out)
            return out[..., 0], accepted
        return by_evaluation.metropolis(self.log_psi, self.n_sites, states, moves, sweeps, rng)


class MotifDerivatives:
    """d ln psi / d theta at states (U, W): motif counts, pulled back; no matrix unless asked for."""

    def __init__(self, wave: MotifTable, words: np.ndarray) -> None:
        self.wave, self.words = wave, words

    @property
    def n_states(self) -> int:
        return len(self.words)

    @cached_property
    def n_parameters(self) -> int:
        return len(self.wave.pullback(np.zeros(len(self.wave.motifs))))

    def counts(self, weights: np.ndarray) -> np.ndarray:
        """Weighted sum of the motif counts of all states: (2^K,) float64."""
        out = np.zeros(len(self.wave.motifs))
        weights = np.asarray(weights, np.float64)
        window_kernel.add_counts(self.words, self.wave.n_sites, self.wave.width, weights, out)
        return out

    def backward(self, vector: np.ndarray) -> np.ndarray:
        return self.wave.pullback(self.counts(vector))

    def forward(self, vector: np.ndarray) -> np.ndarray:
        return self.dense.forward(vector)

    def jacobian(self) -> np.ndarray:
        return self.dense.matrix

    def centred(self, weights: np.ndarray) -> np.ndarray:
        return self.dense.centred(weights)

    def tangent_kernel(self, weights: np.ndarray, diagonal_shift: float) -> np.ndarray:
        return self.dense.tangent_kernel(weights, diagonal_shift)

    @cached_property
    def dense(self) -> DenseDerivatives:
        """The matrix (U, P), float32."""
        rows = np.split(self.words, range(ROWS, len(self.words), ROWS))
        return DenseDerivatives(
            np.concatenate([self.wave.pullback(self._counts_of(part)) for part in rows], dtype=np.float32)
        )

    def _counts_of(self, words: np.ndarray) -> np.ndarray:
        """n_m(s) of each state: (U, 2^K)."""
        out, one = np.zeros((len(words), len(self.wave.motifs))), np.ones(1)
        for row, counts in enumerate(out):
            window_kernel.add_counts(words[row : row + 1], self.wave.n_sites, self.wave.width, one, counts)
        return out


def best_group(width: int) -> int:
    """Number of windows in a group for which an exchange takes the fewest look-ups."""
    return min(range(1, max(GROUP_SITES - width + 1, 1) + 1), key=lambda group: sum(divmod(width + 1, group)))


def grouped(motifs: np.ndarray, group: int) -> np.ndarray:
    """Sum of lambda over `group` windows in a row, for each setting of their K + group - 1 sites."""
    width = len(motifs).bit_length() - 1
    sites = np.arange(1 << (width + group - 1))
    return sum(motifs[(sites >> shift) & (len(motifs) - 1)] for shift in range(group))


def copies(sites: list[int], n_sites: int, width: int) -> np.uint64:
    """Bits of all copies of some sites in `width` sites in a row; a short ring comes round again within them."""
    return np.uint64(sum(1 << copy for site in sites for copy in range(site % n_sites, width, n_sites)))


def pack_spins(spins: np.ndarray) -> np.ndarray:
    """Words (U, W) of spins (U, N), up where they are positive."""
    padded = np.zeros((len(spins), 64 * n_words(spins.shape[1])), np.uint8)
    padded[:, : spins.shape[1]] = np.asarray(spins) > 0
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def unpack_spins(words: np.ndarray, n_sites: int) -> np.ndarray:
    """Spins +-1 (U, N) int8 of states (U,) or words (U, W)."""
    words = np.ascontiguousarray(as_words(words, n_sites)).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), axis=1, count=n_sites, bitorder="little")
    return 2 * bits.astype(np.int8) - 1


def check_ring(n_sites: int, width: int) -> None:
    """Raise InputError where a ring has no zero magnetisation or is shorter than a window."""
    if n_sites < 4 or n_sites % 2:
        raise InputError(f"n_sites: {n_sites}; zero magnetisation needs an even ring of at least 4 sites")
    if not 1 <= width <= n_sites:
        raise InputError(f"K = {width}: a window must have between 1 and N = {n_sites} sites; take a smaller K")


def check_table(width: int) -> None:
    """Raise InputError where 2^K motifs are too many for a table."""
    if width > TABLE_SITES:
        raise InputError(
            f"K = {width}: a table of 2^{width} motifs is too large; take K <= {TABLE_SITES}, "
            "or the shallow CNN, which is evaluated window by window beyond that"
        )
