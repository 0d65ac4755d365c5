"""The small models of the primer: chains and rings whose every state can be listed."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import eigsh

from nqs.model.hamiltonians import Hamiltonian, j1j2, transverse_field_ising
from nqs.vmc.tangent_space import Problem

DENSE = 2048  # states up to which the whole matrix is diagonalised, which tells close levels apart
GAPPED, CRITICAL = 2.0, 1.0  # fields of the Ising ring in units of its coupling


def neighbours(n_sites: int, distance: int = 1) -> np.ndarray:
    """Bonds of a ring between sites this far apart: (N, 2), each once."""
    sites = np.arange(n_sites)
    bonds = np.stack([sites, (sites + distance) % n_sites], axis=1)
    return np.unique(np.sort(bonds, axis=1), axis=0)


def ising_ring(n_sites: int, field: float) -> Hamiltonian:
    """H = -sum sz sz - field sum sx on a ring, Pauli units; critical at field 1."""
    return transverse_field_ising(n_sites, neighbours(n_sites), field)


def heisenberg_ring(n_sites: int, j2: float = 0.0, marshall: bool = False) -> Hamiltonian:
    """J1-J2 ring, S.S units; `marshall` turns the spins of one sublattice, which makes J2 = 0 free of signs."""
    pairs = {"j1": neighbours(n_sites), "j2": neighbours(n_sites, 2)}
    model = j1j2(n_sites, pairs, j2)
    if not marshall:
        return model
    first = model.moves.masks[:, None] >> np.arange(n_sites, dtype=np.uint64) & np.uint64(1)
    odd = (first * (np.arange(n_sites, dtype=np.uint64) % 2)).sum(axis=1) % 2 == 1  # the exchange crosses sublattices
    turned = np.where(odd, -model.amplitudes, model.amplitudes)
    return Hamiltonian(n_sites, model.strings, model.values, model.moves, turned, model.unit)


def ground_state(problem: Problem) -> tuple[float, np.ndarray]:
    """Lowest energy and state (K,) of a problem."""
    if len(problem.states) <= DENSE:
        energies, states = np.linalg.eigh(problem.h.toarray())
    else:
        start = np.random.default_rng(0).normal(size=len(problem.states))  # always the same, so that results repeat
        energies, states = eigsh(problem.h, 1, which="SA", v0=start)
    return float(energies[0]), states[:, 0]


def haar_state(size: int, rng: np.random.Generator) -> np.ndarray:
    """A state drawn uniformly from all normalised states: (size,) complex."""
    psi = rng.normal(size=size) + 1j * rng.normal(size=size)
    return psi / np.linalg.norm(psi)


def flipped(psi: np.ndarray, n_sites: int) -> float:
    """<sx> per site of a state on all 2^N."""
    states = np.arange(len(psi))
    return float(np.mean([np.vdot(psi, psi[states ^ (1 << site)]).real for site in range(n_sites)]))
