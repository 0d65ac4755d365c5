"""Full Sz = 0 Hamiltonian in plain numpy, independent of sectors and of QuSpin."""

import numpy as np
import scipy.sparse as sp

from nqs.lattices import Cluster


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
