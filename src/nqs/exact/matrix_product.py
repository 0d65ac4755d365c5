"""Matrix product states by exact singular value decomposition, and entanglement entropies of any state.

psi lists all 2^N states, bit i = site i; a cut after l sites separates sites 0 ... l - 1 from the rest. Entropies are
in nats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.runtime.errors import InputError


def schmidt(psi: np.ndarray, length: int) -> np.ndarray:
    """Singular values, descending, of the cut after `length` sites, 1 <= length < N; psi (2^N,) normalised."""
    n_sites = sites_of(psi)
    if not 1 <= length < n_sites:
        raise InputError(f"a block of {length} sites of {n_sites}: choose between 1 and {n_sites - 1}")
    values: np.ndarray = np.linalg.svd(psi.reshape(-1, 1 << length), compute_uv=False)
    return values


def entropy_of(psi: np.ndarray, length: int) -> float:
    """Von Neumann entropy of the first `length` sites."""
    weights = schmidt(psi, length) ** 2
    weights = weights[weights > 1e-300]
    return float(-(weights * np.log(weights)).sum())


def sites_of(psi: np.ndarray) -> int:
    """N of 2^N amplitudes; InputError for another number."""
    n_sites = len(psi).bit_length() - 1
    if len(psi) != 1 << n_sites:
        raise InputError(f"psi: {len(psi)} amplitudes are not those of all states of N spins")
    return n_sites


@dataclass(frozen=True, eq=False)
class MatrixProduct:
    """tensors of sites N-1 ... 0: (left, 2, right) each; discarded: weight cut off at each bond, first to last."""

    tensors: list[np.ndarray]
    discarded: np.ndarray

    @property
    def n_parameters(self) -> int:
        """Number of tensor elements."""
        return sum(tensor.size for tensor in self.tensors)

    def amplitudes(self) -> np.ndarray:
        """psi (2^N,), normalised."""
        psi = self.tensors[0].reshape(2, -1)
        for tensor in self.tensors[1:]:
            psi = np.tensordot(psi, tensor, axes=1).reshape(-1, tensor.shape[2])
        unit: np.ndarray = psi.ravel() / np.linalg.norm(psi)
        return unit


def matrix_product(psi: np.ndarray, bond: int) -> MatrixProduct:
    """The state by successive decompositions, at most `bond` singular values kept at each cut [Vidal 2003]."""
    if bond < 1:
        raise InputError(f"bond: {bond}; a matrix product state needs a bond dimension of at least 1")
    n_sites, rest, left = sites_of(psi), psi, 1
    tensors, discarded = [], []
    for _ in range(n_sites - 1):
        first, values, second = np.linalg.svd(rest.reshape(2 * left, -1), full_matrices=False)
        kept = min(bond, int((values > 1e-14 * values[0]).sum()))
        tensors.append(first[:, :kept].reshape(left, 2, kept))
        discarded.append(float((values[kept:] ** 2).sum()))
        rest, left = values[:kept, None] * second[:kept], kept
    tensors.append(rest.reshape(left, 2, 1))
    return MatrixProduct(tensors, np.array(discarded))


def smallest_bond(psi: np.ndarray, error: float) -> int:
    """Smallest bond dimension at which no cut discards more than `error` of the weight."""
    kept = []
    for length in range(1, sites_of(psi)):
        weights = schmidt(psi, length) ** 2
        tail = np.append(np.cumsum(weights[::-1])[::-1], 0.0)  # tail[k]: weight beyond the first k
        kept.append(int(np.argmax(tail <= error)))
    return max(kept)
