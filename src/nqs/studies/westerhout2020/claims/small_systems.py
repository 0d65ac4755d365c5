"""Small clusters summed exactly, S.S units: matrices of one magnetisation, ground states, signs."""

from __future__ import annotations

from functools import cache, reduce

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import eigsh

from nqs.model.hamiltonians import j1j2
from nqs.model.lattices import Cluster


def states(n_sites: int, n_up: int) -> np.ndarray:
    """All states with so many spins up, ascending: uint64."""
    words = np.arange(1 << n_sites, dtype=np.uint64)
    return words[np.bitwise_count(words) == n_up]


def matrix(here: Cluster, j2: float, n_up: int | None = None) -> csr_matrix:
    """H of one magnetisation, of Sz = 0 by default: (K, K)."""
    model = j1j2(here.n_sites, {"j1": here.j1, "j2": here.j2}, j2)
    basis = states(here.n_sites, here.n_sites // 2 if n_up is None else n_up)
    moves = np.arange(len(model.amplitudes))
    rows, used = np.nonzero(model.moves.applies(basis[:, None], moves))
    columns = np.searchsorted(basis, basis[rows] ^ model.moves.masks[used])
    exchanges = csr_matrix((model.amplitudes[used], (rows, columns)), shape=(len(basis), len(basis)))
    return csr_matrix(exchanges + diags(model.diagonal(basis)))


def ground_state(here: Cluster, j2: float, n_up: int | None = None) -> tuple[float, np.ndarray]:
    """Lowest energy and its vector (K,)."""
    hamiltonian = matrix(here, j2, n_up)
    start = np.random.default_rng(0).standard_normal(hamiltonian.shape[0])
    if len(start) < 20:
        energies, vectors = np.linalg.eigh(hamiltonian.toarray())
    else:
        energies, vectors = eigsh(hamiltonian, k=1, which="SA", v0=start, tol=1e-11)
    return float(energies[0]), vectors[:, 0]


def average_sign(psi: np.ndarray) -> float:
    """|sum psi| / sum |psi|."""
    return float(np.abs(psi.sum()) / np.abs(psi).sum())


@cache
def _spin() -> tuple[np.ndarray, ...]:
    """sigma / 2."""
    return tuple(np.array(rows, complex) / 2 for rows in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]))


def pauli_matrix(here: Cluster) -> np.ndarray:
    """sum over J1 bonds of S_i.S_k on all states, from complex Pauli matrices: (2^N, 2^N)."""

    def term(component: np.ndarray, bond: list[int]) -> np.ndarray:
        factors = [component if site in bond else np.eye(2) for site in range(here.n_sites)]
        return reduce(np.kron, factors)

    return sum((term(part, bond) for bond in here.j1.tolist() for part in _spin()), np.zeros((), complex))
