"""Ranks of integer matrices modulo a prime: exact, and for random entries those of almost all real ones."""

from __future__ import annotations

import numpy as np

PRIME = (1 << 31) - 1  # products of two remainders fit into 63 bits


def rank(matrix: np.ndarray) -> int:
    """Rank of (m, n) int64 by Gaussian elimination modulo PRIME."""
    rows = (matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T) % PRIME
    found = 0
    for column in range(rows.shape[1]):
        below = found + np.flatnonzero(rows[found:, column])
        if not len(below):
            continue
        rows[[found, below[0]]] = rows[[below[0], found]]
        rows[found] = rows[found] * pow(int(rows[found, column]), -1, PRIME) % PRIME
        others = found + 1 + np.flatnonzero(rows[found + 1 :, column])
        rows[others] = (rows[others] - rows[others, column][:, None] * rows[found] % PRIME) % PRIME
        found += 1
        if found == len(rows):
            break
    return found
