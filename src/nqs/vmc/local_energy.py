"""Local energies of any Hamiltonian, in its unit.

    E_loc(s) = sum_s' <s|H|s'> psi(s') / psi(s)      [Mummaneni and Sajjan 2026, eq. 5; Kufel 2024, eq. 3]

Its mean over |psi|^2 is the energy, and for an eigenstate it is the same at every state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nqs.model.hamiltonians import Hamiltonian


@dataclass(frozen=True)
class RingExchanges:
    """H = sum_n P_{n,n+1} on a ring in the Marshall gauge, of rings of any length; their waves compile it."""


def local_energies(hamiltonian: Hamiltonian | RingExchanges, wave: Any, states: np.ndarray) -> np.ndarray:
    """E_loc of each state: (U,) float64, complex128 for a complex wave function.

    wave: `nqs.ansatz.protocol.Wave`, with states (U,); for a ring `RingWave`, with states (U, W).
    """
    if isinstance(hamiltonian, RingExchanges):
        energies: np.ndarray = wave.ring_energies(states)
        return energies
    ratios = wave.ratios(states, hamiltonian.moves)  # (state, move), 0 where the move does not apply
    return hamiltonian.diagonal(states) + ratios @ hamiltonian.amplitudes
