"""Ratios and Markov chains of a wave function that can only be evaluated: each asks for ln psi of the states reached.

Shapes: U states, B bonds, C chains, as in `nqs.ansatz.protocol`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

Allowed = Callable[[np.ndarray, np.ndarray], np.ndarray]  # states and numbers of moves -> which may be made


class EvaluatedWave(ABC):
    """A `Wave` made from its `log_psi`, real or complex."""

    @property
    @abstractmethod
    def n_sites(self) -> int:
        """Number of spins."""

    @abstractmethod
    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,)."""

    def log_modulus(self, states: np.ndarray) -> np.ndarray:
        """ln |psi|: (U,) float64."""
        return self.log_psi(states).real

    def log_psi_all(self) -> np.ndarray:
        return self.log_psi(np.arange(1 << self.n_sites, dtype=np.uint64))

    def swap_ratios(self, states: np.ndarray, bonds: np.ndarray) -> np.ndarray:
        moves, antiparallel = exchanges(bonds)
        state, bond = np.nonzero(antiparallel(states[:, None], np.arange(len(bonds))))
        reached, place = np.unique(states[state] ^ moves[bond], return_inverse=True)  # each once: many coincide
        values = np.exp(self.log_psi(reached)[place] - self.log_psi(states)[state])
        ratios = np.zeros((len(states), len(bonds)), values.dtype)
        ratios[state, bond] = values
        return ratios

    def flip_sweeps(self, states: np.ndarray, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        moves = np.uint64(1) << np.arange(self.n_sites, dtype=np.uint64)
        return self._sweeps(states, moves, lambda words, picks: np.full(len(words), True), sweeps, rng)

    def exchange_sweeps(
        self, states: np.ndarray, bonds: np.ndarray, sweeps: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        return self._sweeps(states, *exchanges(bonds), sweeps, rng)

    def _sweeps(
        self, states: np.ndarray, moves: np.ndarray, allowed: Allowed, sweeps: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Metropolis chains with random moves (bits that are reversed): one evaluation per proposal for all chains."""
        shape = sweeps, self.n_sites, len(states)
        picks, thresholds = rng.integers(len(moves), size=shape), 0.5 * np.log1p(-rng.random(shape))
        logs, accepted = self.log_psi(states), 0
        visited = np.empty((sweeps, len(states)), np.uint64)
        for sweep in range(sweeps):
            for pick, threshold in zip(picks[sweep], thresholds[sweep], strict=True):
                proposed = states ^ moves[pick]
                there = self.log_psi(proposed)
                accept = allowed(states, pick) & ((there - logs).real > threshold)
                states[accept], logs[accept] = proposed[accept], there[accept]
                accepted += int(accept.sum())
            visited[sweep] = states
        return visited, accepted


def exchanges(bonds: np.ndarray) -> tuple[np.ndarray, Allowed]:
    """The bits that an exchange along each bond (B, 2) reverses, and whether its two spins are antiparallel."""
    first, second = bonds.T.astype(np.uint64)
    one = np.uint64(1)
    return (one << first) | (
        one << second
    ), lambda words, bond: ((words >> first[bond] ^ words >> second[bond]) & one) == 1
