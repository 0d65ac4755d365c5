"""Named Hamiltonians: bond sets and their couplings, S.S units, J1 = 1."""

import numpy as np

from nqs.model.lattices import Cluster

Terms = dict[str, tuple[np.ndarray, float]]


def j1j2_couplings(j2: float) -> dict[str, float]:
    """Coupling of each bond set of the J1-J2 model."""
    return {"j1": 1.0, "j2": float(j2)}


def heisenberg_j1j2(cluster: Cluster, j2: float) -> Terms:
    """J1-J2 model as name -> (bonds, coupling): a quarter of Westerhout 2020, eq. 1."""
    bonds = {"j1": cluster.j1, "j2": cluster.j2}
    return {key: (bonds[key], coupling) for key, coupling in j1j2_couplings(j2).items()}
