"""Ratios and Markov chains of a wave function that can only be evaluated: each asks for ln psi of the states reached.

Shapes: U states, m moves, C chains, as in `nqs.ansatz.protocol`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from nqs.model.moves import Moves

LogPsi = Callable[[np.ndarray], np.ndarray]  # states (U,) -> ln psi (U,), real or complex


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

    def ratios(self, states: np.ndarray, moves: Moves) -> np.ndarray:
        return ratios(self.log_psi, states, moves)

    def sweeps(self, states: np.ndarray, moves: Moves, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        return metropolis(self.log_psi, self.n_sites, states, moves, sweeps, rng)


def ratios(log_psi: LogPsi, states: np.ndarray, moves: Moves) -> np.ndarray:
    """psi(s') / psi(s) after each move: (U, m); 0 where it does not apply."""
    state, move = np.nonzero(moves.applies(states[:, None], np.arange(len(moves))))
    reached, place = np.unique(states[state] ^ moves.masks[move], return_inverse=True)  # each once: many coincide
    values = np.exp(log_psi(reached)[place] - log_psi(states)[state])
    out = np.zeros((len(states), len(moves)), values.dtype)
    out[state, move] = values
    return out


def metropolis(
    log_psi: LogPsi, n_sites: int, states: np.ndarray, moves: Moves, sweeps: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Chains (C,) with random moves, in place: states after each sweep (sweeps, C), and the number of acceptances.

    One evaluation per proposal for all chains; a sweep is n_sites proposals.
    """
    shape = sweeps, n_sites, len(states)
    picks, thresholds = rng.integers(len(moves), size=shape), 0.5 * np.log1p(-rng.random(shape))
    logs, accepted = log_psi(states), 0
    visited = np.empty((sweeps, len(states)), np.uint64)
    for sweep in range(sweeps):
        for pick, threshold in zip(picks[sweep], thresholds[sweep], strict=True):
            proposed = states ^ moves.masks[pick]
            there = log_psi(proposed)
            accept = moves.applies(states, pick) & ((there - logs).real > threshold)
            states[accept], logs[accept] = proposed[accept], there[accept]
            accepted += int(accept.sum())
        visited[sweep] = states
    return visited, accepted
