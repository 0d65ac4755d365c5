"""Transition matrices of Metropolis chains on a whole basis, and how long a chain takes to relax.

T(s -> s') = min(1, |psi(s')|^2 / |psi(s)|^2) / m for each of m moves,   relaxation time 1 / (1 - lambda_2)
"""

from __future__ import annotations

import numpy as np

from nqs.model.moves import Moves

LARGEST = 4096  # states of a dense matrix


def transition_matrix(weights: np.ndarray, states: np.ndarray, moves: Moves) -> np.ndarray:
    """Row-stochastic (K, K) of weights (K,) > 0 on states (K,) ascending; moves that leave the basis are rejected."""
    matrix = np.zeros((len(states), len(states)))
    for move in range(len(moves)):
        reached = states ^ moves.masks[move]
        place = np.minimum(np.searchsorted(states, reached), len(states) - 1)
        start = np.flatnonzero(moves.applies(states, np.array(move)) & (states[place] == reached))
        accept = np.minimum(1.0, weights[place[start]] / weights[start])
        matrix[start, place[start]] += accept / len(moves)
    matrix[np.diag_indices(len(states))] += 1 - matrix.sum(axis=1)
    return matrix


def relaxation_time(matrix: np.ndarray, weights: np.ndarray) -> float:
    """1 / (1 - lambda_2) in moves, lambda_2 the second largest eigenvalue of a reversible chain."""
    root = np.sqrt(weights / weights.sum())
    symmetric = root[:, None] * matrix / root
    second = float(np.linalg.eigvalsh((symmetric + symmetric.T) / 2)[-2])
    return 1 / (1 - second) if second < 1 else float("inf")
