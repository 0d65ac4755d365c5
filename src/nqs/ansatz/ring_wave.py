"""What wave functions on a ring with compiled kernels share: words in, arrays out, chains that advance in place."""

from __future__ import annotations

import numpy as np

from nqs.runtime.errors import InputError


class KernelWave:
    """A wave function on a ring; the methods below with an underscore are its kernels, on words (U, W) or (C, W)."""

    n_sites: int

    def _log_psi(self, words: np.ndarray, out: np.ndarray) -> None:
        """ln psi: out (U,)."""
        raise NotImplementedError

    def _ring_energies(self, words: np.ndarray, out: np.ndarray) -> None:
        """Local energies: out (U,)."""
        raise NotImplementedError

    def _neighbour_moves(self, words: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray) -> int:
        """Chains by exchanges of random neighbours: out (kept, C, W); returns the number of accepted ones."""
        raise NotImplementedError

    def _pair_moves(
        self, words: np.ndarray, pairs: np.ndarray, stride: int, rng: np.random.Generator, out: np.ndarray
    ) -> int:
        """The same by exchanges of random pairs (B, 2), of any two sites if there are none."""
        raise NotImplementedError

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,) float64."""
        out = np.empty(len(states))
        self._log_psi(as_words(states, self.n_sites), out)
        return out

    def ring_energies(self, states: np.ndarray) -> np.ndarray:
        """Local energies of H = sum P_{n,n+1}: (U,) float64."""
        out = np.empty(len(states))
        self._ring_energies(as_words(states, self.n_sites), out)
        return out

    def neighbour_moves(
        self, words: np.ndarray, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Advance chains (C, W) in place by exchanges of random neighbours.

        Returns the states after every `stride` proposals (kept, C, W) and the number of accepted ones.
        """
        out = np.empty((kept, *words.shape), np.uint64)
        return out, self._neighbour_moves(words, stride, rng, out)

    def pair_moves(
        self, words: np.ndarray, pairs: np.ndarray | None, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """As `neighbour_moves`, exchanging the spins of random pairs (B, 2), or of any two sites if None."""
        out = np.empty((kept, *words.shape), np.uint64)
        return out, self._pair_moves(words, as_pairs(pairs), stride, rng, out)


def as_words(states: np.ndarray, n_sites: int) -> np.ndarray:
    """States (U,) or words (U, W) as words (U, W)."""
    words = states[:, None] if states.ndim == 1 else states
    if words.shape[1] != n_words(n_sites):
        raise InputError(f"{n_sites} sites need {n_words(n_sites)} words per state, not {words.shape[1]}")
    return words


def as_pairs(pairs: np.ndarray | None) -> np.ndarray:
    """Pairs (B, 2) as the kernels take them; none stands for any two sites."""
    return np.empty((0, 2), np.int32) if pairs is None else np.asarray(pairs, np.int32)


def n_words(n_sites: int) -> int:
    """W, the words that hold one state."""
    return -(-n_sites // 64)
