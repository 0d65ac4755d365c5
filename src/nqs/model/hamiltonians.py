"""Hamiltonians of spins 1/2 as moves of basis states:

    H = sum_d c_d Z_d + sum_i a_i M_i

Z_d is the product of the spins +-1 at the sites of a mask, M_i turns a state into the one that move i leads to, where
it applies. Everything that follows asks for these numbers only: local energies, samplers, exact states. A Hamiltonian
is a function that returns them, and an entry of HAMILTONIANS.

Heisenberg and XXZ are in S.S units (S = sigma / 2), Ising in Pauli units; `unit` says which, and names columns:
`energy_ss`, `energy_p`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nqs.model.lattices import Cluster
from nqs.model.moves import Moves, exchanges, flips
from nqs.runtime.registry import Registry

Terms = dict[str, tuple[np.ndarray, float]]
BondSets = Mapping[str, np.ndarray]  # name -> bonds (B, 2)
Unit = Literal["ss", "p"]


@dataclass(frozen=True, eq=False)
class Hamiltonian:
    """strings (d,) uint64 and values (d,): Z_d and c_d;  moves and amplitudes (m,): M_i and a_i, real."""

    n_sites: int
    strings: np.ndarray
    values: np.ndarray
    moves: Moves
    amplitudes: np.ndarray
    unit: Unit

    def diagonal(self, states: np.ndarray) -> np.ndarray:
        """<s|H|s> of each state: (U,)."""
        odd = np.bitwise_count(~states[:, None] & self.strings) & 1  # (state, string): spins down
        return (1.0 - 2.0 * odd) @ self.values

    @property
    def conserves(self) -> frozenset[str]:
        """`magnetisation`: the number of up spins;  `parity`: the sign under reversal of all spins."""
        even = not (np.bitwise_count(self.strings) % 2).any()
        kept = {"magnetisation": self.moves.conserve_magnetisation, "parity": even}
        return frozenset(name for name, holds in kept.items() if holds)

    def commutes_with(self, permutation: np.ndarray) -> bool:
        """Whether moving the spin of each site i to permutation[i], as a translation does, leaves H as it is."""
        exchange = self.moves.exchange
        parts = [(self.strings, self.values)]
        parts += [(self.moves.masks[kind], self.amplitudes[kind]) for kind in (exchange, ~exchange)]
        return all(_equal(_totals(*part), _totals(permuted(part[0], permutation), part[1])) for part in parts)

    @property
    def energy_column(self) -> str:
        """Name of a column of energies."""
        return f"energy_{self.unit}"


def permuted(masks: np.ndarray, permutation: np.ndarray) -> np.ndarray:
    """Masks (or states) after the bit of each site i has moved to permutation[i]: uint64."""
    sites, targets = np.arange(len(permutation), dtype=np.uint64), np.asarray(permutation, np.uint64)
    return ((masks[:, None] >> sites & np.uint64(1)) << targets).sum(axis=1, dtype=np.uint64)


def _totals(masks: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each mask once, ascending, and the sum of its values."""
    distinct, place = np.unique(masks, return_inverse=True)
    return distinct, np.bincount(place, values, len(distinct))


def _equal(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> bool:
    return np.array_equal(one[0], other[0]) and np.allclose(one[1], other[1])


def xxz(
    n_sites: int, bonds: np.ndarray, delta: float, couplings: np.ndarray | float = 1.0, marshall: bool = False
) -> Hamiltonian:
    """H = sum_b J_b (Sx_i Sx_k + Sy_i Sy_k + delta Sz_i Sz_k) over bonds (B, 2), S.S units.

    With `marshall` set, the spins of one sublattice are turned about z, which makes every exchange element -J/2: on a
    bipartite antiferromagnet the ground state is then positive [Marshall 1955].
    """
    couplings = np.broadcast_to(np.asarray(couplings, float), len(bonds))
    moves = exchanges(bonds)
    return Hamiltonian(
        n_sites, moves.masks, 0.25 * delta * couplings, moves, (-0.5 if marshall else 0.5) * couplings, "ss"
    )


def heisenberg(
    n_sites: int, bonds: np.ndarray, couplings: np.ndarray | float = 1.0, marshall: bool = False
) -> Hamiltonian:
    """H = sum_b J_b S_i.S_k over bonds (B, 2), S.S units; `marshall` as in `xxz`."""
    return xxz(n_sites, bonds, 1.0, couplings, marshall)


def j1j2(n_sites: int, bonds: BondSets, j2: float, marshall: bool = False) -> Hamiltonian:
    """J1-J2 model over two sets of bonds, S.S units, J1 = 1: a quarter of Westerhout 2020, eq. 1."""
    used = [(bonds[name], coupling) for name, coupling in j1j2_couplings(j2).items() if coupling]
    couplings = np.concatenate([np.full(len(pairs), coupling) for pairs, coupling in used])
    return heisenberg(n_sites, np.concatenate([pairs for pairs, _ in used]), couplings, marshall)


def transverse_field_ising(
    n_sites: int, bonds: np.ndarray, field: float, couplings: np.ndarray | float = 1.0
) -> Hamiltonian:
    """H = -sum_b J_b sigma^z_i sigma^z_k - field sum_i sigma^x_i, Pauli units; its ground state is positive."""
    couplings = np.broadcast_to(np.asarray(couplings, float), len(bonds))
    return Hamiltonian(
        n_sites, exchanges(bonds).masks, -couplings, flips(n_sites), np.full(n_sites, -float(field)), "p"
    )


def _on_j1(build: Callable[..., Hamiltonian]) -> Callable[..., Hamiltonian]:
    """For a model on the J1 bonds alone."""
    return lambda n_sites, bonds, **parameters: build(n_sites, bonds["j1"], **parameters)


# name -> function of n_sites, sets of bonds by name, and the model's parameters
HAMILTONIANS: Registry[str, Callable[..., Hamiltonian]] = {
    "j1j2": j1j2,
    "xxz": _on_j1(xxz),
    "transverse_field_ising": _on_j1(transverse_field_ising),
}


def j1j2_couplings(j2: float) -> dict[str, float]:
    """Coupling of each bond set of the J1-J2 model."""
    return {"j1": 1.0, "j2": float(j2)}


def heisenberg_j1j2(cluster: Cluster, j2: float) -> Terms:
    """J1-J2 model as name -> (bonds, coupling): a quarter of Westerhout 2020, eq. 1."""
    bonds = {"j1": cluster.j1, "j2": cluster.j2}
    return {key: (bonds[key], coupling) for key, coupling in j1j2_couplings(j2).items()}
