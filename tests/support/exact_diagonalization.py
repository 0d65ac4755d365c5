"""Full Sz = 0 Hamiltonian in plain numpy, independent of sectors and of QuSpin."""

import numpy as np
import scipy.sparse as sp

from nqs.model.lattices import Cluster


def full_hamiltonian(cluster: Cluster, j2: float) -> tuple[np.ndarray, sp.csr_matrix]:
    """Basis states, ascending, and H in S.S units: (K,), (K, K)."""
    states = np.arange(1 << cluster.n_sites, dtype=np.uint64)
    states = states[np.bitwise_count(states) == cluster.n_sites // 2]
    matrix = sp.csr_matrix((len(states), len(states)))
    for bonds, coupling in ((cluster.j1, 1.0), (cluster.j2, j2)):
        for i, j in bonds.astype(np.uint64):
            opposite = (states >> i ^ states >> j) & np.uint64(1) == 1
            exchanged = states[opposite] ^ (np.uint64(1) << i | np.uint64(1) << j)
            rows, columns = np.flatnonzero(opposite), np.searchsorted(states, exchanged)
            values = np.full(len(rows), 0.5 * coupling)
            matrix += sp.csr_matrix((values, (rows, columns)), shape=matrix.shape)
            matrix += sp.diags(coupling * np.where(opposite, -0.25, 0.25))
    return states, matrix


def heisenberg_matrix(n_sites: int, bonds: np.ndarray) -> np.ndarray:
    """sum_b S_i.S_k on all 2^N states, S.S units: (2^N, 2^N)."""
    spin = [np.array(rows) / 2 for rows in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[-1, 0], [0, 1]])]

    def at_site(matrix: np.ndarray, site: int) -> np.ndarray:
        # site 0 is the lowest bit, so the last factor
        return np.kron(np.kron(np.eye(1 << (n_sites - 1 - site)), matrix), np.eye(1 << site))

    total = sum(at_site(s, int(i)) @ at_site(s, int(k)) for i, k in bonds for s in spin)
    return np.real(total)
