"""Basis states as words: bit i is site i, set for a spin up."""

import numba as nb
import numpy as np

from nqs.model.clusters import dimension
from nqs.runtime.errors import InputError


def zero_magnetisation_states(n_sites: int) -> np.ndarray:
    """All states with as many spins up as down, ascending: uint64; InputError if there are none."""
    if n_sites % 2:
        raise InputError(f"{n_sites} sites: an odd number of spins has no Sz = 0 states")
    return _half_filled(n_sites, dimension(n_sites))


@nb.njit(cache=True)
def _half_filled(n_sites: int, dimension: int) -> np.ndarray:
    states = np.empty(dimension, dtype=np.uint64)
    state = (np.uint64(1) << np.uint64(n_sites // 2)) - np.uint64(1)
    for n in range(dimension):
        states[n] = state
        state = next_state(state)
    return states


@nb.njit(cache=True)
def next_state(state: np.uint64) -> np.uint64:
    """The next larger integer with as many bits set (Gosper's rule)."""
    lowest = state & (~state + np.uint64(1))
    ripple = state + lowest
    return ripple | (((state ^ ripple) >> np.uint64(2)) // lowest)
