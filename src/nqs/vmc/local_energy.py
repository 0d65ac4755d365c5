"""Local energies of the Heisenberg model, S.S units.

    E_loc(s) = sum_s' <s|H|s'> psi(s') / psi(s)      [Mummaneni and Sajjan 2026, eq. 5; Kufel 2024, eq. 3]

Its mean over |psi|^2 is the energy, and for an eigenstate it is the same at every state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.protocol import Wave


@dataclass(frozen=True, eq=False)
class Heisenberg:
    """H = sum_b J_b S_i.S_k over bonds (B, 2) with couplings (B,).

    With `marshall` set, the spins of one sublattice are turned about z, which makes every exchange element -J/2: on a
    bipartite antiferromagnet the ground state is then positive [Marshall 1955].
    """

    n_sites: int
    bonds: np.ndarray
    couplings: np.ndarray
    marshall: bool = True

    def local_energies(self, wave: Wave, states: np.ndarray) -> np.ndarray:
        """E_loc of each state: (U,) float64, complex128 for a complex wave function."""
        ratios = wave.swap_ratios(states, self.bonds)  # (state, bond), 0 where the spins are parallel
        exchange = -0.5 if self.marshall else 0.5
        return self.diagonal(states) + exchange * (ratios @ self.couplings)

    def diagonal(self, states: np.ndarray) -> np.ndarray:
        """sum_b J_b s_i s_k / 4 of each state: (U,)."""
        first, second = self.bonds.T.astype(np.uint64)
        antiparallel = ((states[:, None] >> first) ^ (states[:, None] >> second)) & np.uint64(1)
        return (0.25 - 0.5 * antiparallel) @ self.couplings
