"""What any Hamiltonian or ground-state file must meet, checked before compiled code takes its indices as they are.

A position outside its array would end the process without a word, and a matrix element that no exchange has would give
a state that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb

import numpy as np

from nqs.runtime.errors import Unsound

SMALLEST_BOND, LARGEST_BOND = -0.75, 0.25  # of S.S: singlet and triplet
NORM = 1e-6  # error of sum |psi|^2 that rounding may leave


def require(condition: bool | np.bool_, why: str) -> None:
    """Unsound unless the condition holds."""
    if not condition:
        raise Unsound(why)


def within(positions: np.ndarray, length: int, name: str) -> None:
    """Unsound for positions outside an array of this length."""
    if len(positions):
        inside = int(positions.min()) >= 0 and int(positions.max()) < length
        require(inside, f"{name} point outside the {length} states")


def check_rows(indptr: np.ndarray, indices: np.ndarray, counts: np.ndarray, dimension: int) -> None:
    """Rows of a sparse matrix: indptr (dimension + 1,), indices and counts (nnz,)."""
    require(len(indptr) == dimension + 1 and len(counts) == len(indices), "lists of different lengths")
    rising = indptr[0] == 0 and indptr[-1] == len(indices) and (np.diff(indptr) >= 0).all()
    require(rising, "rows that do not follow one another")
    within(indices, dimension, "matrix elements")


def check_elements(indptr: np.ndarray, counts: np.ndarray, diagonal: np.ndarray, bonds: int) -> None:
    """Matrix elements of one set of bonds: a state has as many exchanges as there are bonds at most."""
    total = np.concatenate([[0], np.cumsum(np.abs(counts.astype(np.int64)))])
    exchanges = total[indptr[1:]] - total[indptr[:-1]]
    require(len(diagonal) == len(exchanges), "lists of different lengths")
    possible = exchanges.max(initial=0) <= bonds and np.abs(diagonal.astype(np.int64)).max(initial=0) <= bonds
    require(possible, f"a state with more exchanges than the {bonds} bonds have")


def check_root_orbits(root_orbit: np.ndarray, order: int) -> None:
    """Roots of orbit sizes, whole numbers from 1 to the order of the group."""
    sizes = root_orbit**2
    whole = np.abs(sizes - np.rint(sizes)) < 1e-6  # False for NaN
    require((whole & (sizes > 0.5) & (sizes < order + 0.5)).all(), f"orbits of other sizes than 1 to {order}")


def check_orbits(representatives: np.ndarray, sizes: np.ndarray, n_sites: int) -> None:
    """Orbits of the Sz = 0 states: the smallest state of each, ascending, and how many states it has."""
    require(len(representatives) == len(sizes), "lists of different lengths")
    require((representatives[1:] > representatives[:-1]).all(), "states that do not ascend")
    balanced = (np.bitwise_count(representatives) == n_sites // 2).all() and int(representatives[-1]) < 1 << n_sites
    require(balanced, f"states that are not of {n_sites} spins with Sz = 0")
    require((sizes > 0).all() and int(sizes.sum()) == comb(n_sites, n_sites // 2), "orbits that do not fill the space")


def check_permutations(permutations: np.ndarray) -> None:
    """Permutations (G, n_sites) of the sites."""
    sites = np.arange(permutations.shape[1])
    require((np.sort(permutations, axis=1) == sites).all(), "symmetries that are no permutations")


def energy_bounds(bonds: Mapping[str, np.ndarray], couplings: Mapping[str, float]) -> tuple[float, float]:
    """Between which energies every state lies, as S.S of a bond is between -3/4 and 1/4 (total, S.S units)."""
    ends = [
        [coupling * len(bonds[name]) * one for one in (SMALLEST_BOND, LARGEST_BOND)]
        for name, coupling in couplings.items()
        if name in bonds
    ]
    return sum(min(pair) for pair in ends), sum(max(pair) for pair in ends)


def check_energy(energy: float, bonds: Mapping[str, np.ndarray], couplings: Mapping[str, float]) -> None:
    """Unsound for an energy that no state has."""
    low, high = energy_bounds(bonds, couplings)
    slack = 1e-6 * (high - low)
    possible = low - slack <= energy <= high + slack  # not so for NaN either
    require(possible, f"E = {energy:.6g} lies outside what any state has, {low:.6g} to {high:.6g}")
