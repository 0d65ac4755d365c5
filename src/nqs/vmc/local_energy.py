"""Local energies of any Hamiltonian, in its unit.

    E_loc(s) = sum_s' <s|H|s'> psi(s') / psi(s)      [Mummaneni and Sajjan 2026, eq. 5; Kufel 2024, eq. 3]

Its mean over |psi|^2 is the energy, and for an eigenstate it is the same at every state.
"""

from __future__ import annotations

import numpy as np

from nqs.ansatz.protocol import Wave
from nqs.model.hamiltonians import Hamiltonian


def local_energies(hamiltonian: Hamiltonian, wave: Wave, states: np.ndarray) -> np.ndarray:
    """E_loc of each state: (U,) float64, complex128 for a complex wave function."""
    ratios = wave.ratios(states, hamiltonian.moves)  # (state, move), 0 where the move does not apply
    return hamiltonian.diagonal(states) + ratios @ hamiltonian.amplitudes
