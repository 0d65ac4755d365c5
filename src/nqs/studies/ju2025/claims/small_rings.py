"""Exact states of short rings for the checks of claims, from the matrix of H = sum P and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from nqs.model.motifs import bits
from nqs.model.states import zero_magnetisation_states

DENSE = 300  # states up to which the whole matrix is diagonalised


@dataclass(frozen=True, eq=False)
class SmallRing:
    """All states (U,) uint64 of zero magnetisation, ascending, and H = sum P in the Marshall gauge (U, U)."""

    n_sites: int
    states: np.ndarray
    matrix: sparse.csr_array

    @property
    def spins(self) -> np.ndarray:
        """1 = up: (U, N)."""
        return bits(self.states, self.n_sites).astype(int)

    @property
    def like_pairs(self) -> np.ndarray:
        """Equal neighbours around the ring: (U,)."""
        return (self.spins == np.roll(self.spins, 1, axis=1)).sum(axis=1)

    @property
    def reached(self) -> int:
        """States that exchanges of neighbours reach from a Neel state."""
        _, labels = connected_components(self.matrix, directed=False)
        return int((labels == labels[self.like_pairs == 0][0]).sum())

    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """The two lowest energies (2,) and the ground state (U,), its sum positive."""
        if len(self.states) <= DENSE:
            energies, vectors = np.linalg.eigh(self.matrix.toarray())
        else:
            energies, vectors = eigsh(
                self.matrix, k=2, which="SA", v0=np.random.default_rng(0).normal(size=len(self.states))
            )
        ground = vectors[:, np.argmin(energies)]
        return np.sort(energies)[:2], ground * np.sign(ground.sum())


@lru_cache(maxsize=8)
def small_ring(n_sites: int) -> SmallRing:
    """A ring of N sites."""
    states = zero_magnetisation_states(n_sites)
    here = np.arange(len(states))
    parts = []
    for site in range(n_sites):
        bond = np.uint64((1 << site) | (1 << (site + 1) % n_sites))
        pair = states & bond
        unlike = (pair != 0) & (pair != bond)
        there = np.searchsorted(states, np.where(unlike, states ^ bond, states))
        parts.append(sparse.coo_array((np.where(unlike, -1.0, 1.0), (there, here)), shape=(len(states),) * 2))
    return SmallRing(n_sites, states, sparse.csr_array(sum(part.tocsr() for part in parts)))


@lru_cache(maxsize=8)
def ground_state(n_sites: int) -> tuple[np.ndarray, np.ndarray]:
    """The two lowest energies (2,) of a ring and its ground state (U,) in the Marshall gauge."""
    return small_ring(n_sites).levels()
