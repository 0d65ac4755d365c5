"""Lowest states of any Hamiltonian on a plain basis: all states, one magnetisation, or one sign under reversal.

For small systems, up to 20 sites; `nqs.exact.ground_state` takes Heisenberg clusters further with their symmetries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from nqs.model.hamiltonians import Hamiltonian, Unit
from nqs.runtime.errors import InputError

MAX_SITES = 20
DENSE = 256  # states up to which the matrix is diagonalised as a whole
ROWS = 1 << 16  # of the matrix made at once


@dataclass(frozen=True, eq=False)
class SparseStates:
    """energies (k,), ascending, in `unit`; states (K,) uint64, ascending; psi (K, k), each column normalised.

    The component of largest magnitude is positive; of equally large ones the smallest state counts.
    """

    energies: np.ndarray
    states: np.ndarray
    psi: np.ndarray
    unit: Unit

    def lookup(self, states: np.ndarray, level: int = 0) -> np.ndarray:
        """psi of one level (U,) at the given states; 0 outside of the basis."""
        place = np.minimum(np.searchsorted(self.states, states), len(self.states) - 1)
        return np.where(self.states[place] == states, self.psi[place, level], 0.0)


@dataclass(frozen=True, eq=False)
class Basis:
    """states (K,) ascending; with a parity, of each pair of reversed states the one without the highest spin."""

    n_sites: int
    states: np.ndarray
    parity: int | None = None

    def place(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray | float]:
        """Numbers of the basis vectors that hold these states, and the sign they have there."""
        if self.parity is None:
            return np.searchsorted(self.states, states), 1.0
        turned = states >> np.uint64(self.n_sites - 1) == 1
        return np.searchsorted(self.states, np.where(turned, reverse(states, self.n_sites), states)), np.where(
            turned, float(self.parity), 1.0
        )

    def expand(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States and psi without the parity: (K,), (K, k)."""
        if self.parity is None:
            return self.states, vectors
        states = np.concatenate([self.states, reverse(self.states, self.n_sites)])
        psi = np.concatenate([vectors, self.parity * vectors]) / np.sqrt(2)
        order = np.argsort(states)
        return states[order], psi[order]


def lowest_states(
    hamiltonian: Hamiltonian, k: int = 1, magnetisation: int | None = None, parity: int | None = None
) -> SparseStates:
    """The k lowest levels; magnetisation: number of up spins less that of down spins;  parity: +1 or -1.

    InputError above 20 sites, for a sector that H does not conserve, or for one with fewer than k states.
    """
    basis = make_basis(hamiltonian, magnetisation, parity)
    if k > len(basis.states):
        raise InputError(f"{k} levels: this sector has {len(basis.states)} states only; ask for fewer")
    energies, vectors = _eigenpairs(matrix(hamiltonian, basis), k)
    states, psi = basis.expand(vectors)
    largest = np.abs(psi).max(axis=0)
    first = np.argmax(np.abs(psi) > (1 - 1e-9) * largest, axis=0)
    return SparseStates(energies, states, psi * np.sign(psi[first, np.arange(k)]), hamiltonian.unit)


def make_basis(hamiltonian: Hamiltonian, magnetisation: int | None, parity: int | None) -> Basis:
    """The states of a sector; InputErrors of `lowest_states`."""
    n_sites = hamiltonian.n_sites
    if n_sites > MAX_SITES:
        raise InputError(f"{n_sites} sites: the plain basis ends at {MAX_SITES} sites; take fewer")
    for name, value in (("magnetisation", magnetisation), ("parity", parity)):
        if value is not None and name not in hamiltonian.conserves:
            raise InputError(f"{name}: this Hamiltonian does not conserve it; leave it out")
    if parity not in (None, 1, -1) or (parity and magnetisation):
        raise InputError("parity: +1 or -1, and only together with magnetisation 0 or none")
    states = np.arange(1 << (n_sites - (parity is not None)), dtype=np.uint64)
    if magnetisation is not None:
        states = states[2 * np.bitwise_count(states).astype(int) - n_sites == magnetisation]
    return Basis(n_sites, states, parity)


def reverse(states: np.ndarray, n_sites: int) -> np.ndarray:
    """All spins turned over."""
    return states ^ np.uint64((1 << n_sites) - 1)


def matrix(hamiltonian: Hamiltonian, basis: Basis) -> sp.csr_matrix:
    """H on the basis: (K, K), real and symmetric."""
    return sp.vstack(list(_rows(hamiltonian, basis)), format="csr")


def _rows(hamiltonian: Hamiltonian, basis: Basis) -> Iterator[sp.csr_matrix]:
    size, moves = len(basis.states), hamiltonian.moves
    for start in range(0, size, ROWS):
        states = basis.states[start : start + ROWS]
        row, move = np.nonzero(moves.applies(states[:, None], np.arange(len(moves))))
        column, sign = basis.place(states[row] ^ moves.masks[move])
        shape = len(states), size
        exchanges = sp.csr_matrix((sign * hamiltonian.amplitudes[move], (row, column)), shape)
        yield exchanges + sp.diags(hamiltonian.diagonal(states), start, shape, format="csr")


def _eigenpairs(matrix: sp.csr_matrix, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k lowest: (k,), (K, k)."""
    size = matrix.shape[0]
    if size <= max(DENSE, 2 * k):
        energies, vectors = np.linalg.eigh(matrix.toarray())
        return energies[:k], vectors[:, :k]
    start = np.random.default_rng(0).normal(size=size)  # always the same, so that results repeat
    energies, vectors = eigsh(matrix, k, which="SA", v0=start, ncv=max(2 * k + 1, 40), maxiter=100 * size)
    order = np.argsort(energies)
    return energies[order], vectors[:, order]
