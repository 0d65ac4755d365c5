"""Families of wave functions that are products over windows of a ring: what makes the motif coefficients lambda.

    ShallowCnn   lambda_m = v relu(w.m + b), 2K + 2 parameters                 [Ju et al. 2025, eq. 1]
    Cps          lambda_m free, one per motif or one per class of motifs       [Ju et al. 2025, eqs. 4 and 5]

With grandsum(w) + 2b = 0 the network has the symmetry under exchange of up and down (theorem 1). `forcing` says when
that is imposed: never ("original"), on the initial parameters ("init"), or after every update ("traj"; SYMFORCE).
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

Forcing = Literal["original", "init", "traj"]


FORCINGS: tuple[Forcing, ...] = ("original", "init", "traj")


class Slopes(Protocol):
    """Derivatives of ln psi, as the energy gradient needs them."""

    def backward(self, vector: np.ndarray) -> np.ndarray:
        """O^T r: (P,)."""


class RingWave(Protocol):
    """A wave function on a ring with fixed parameters; states are words (U, W), see `nqs.ansatz.window_table`."""

    n_sites: int

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """ln psi: (U,) float64."""

    def ring_energies(self, states: np.ndarray) -> np.ndarray:
        """Local energies of H = sum P_{n,n+1} in the Marshall gauge: (U,) float64."""

    def derivatives(self, states: np.ndarray) -> Slopes:
        """Derivatives of ln psi at the states."""

    def neighbour_moves(
        self, words: np.ndarray, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Advance chains (C, W) in place by exchanges of random neighbours.

        Returns the states after every `stride` proposals (kept, C, W) and the number of accepted ones.
        """

    def pair_moves(
        self, words: np.ndarray, pairs: np.ndarray | None, kept: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """As `neighbour_moves`, exchanging the spins of random pairs (B, 2), or of any two sites if None."""


class RingAnsatz(Protocol):
    """A family of wave functions on a ring with P real parameters."""

    @property
    def n_sites(self) -> int:
        """N."""

    @property
    def n_parameters(self) -> int:
        """P."""

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Random initial parameters: (P,) float64."""

    def at(self, theta: np.ndarray) -> RingWave:
        """The wave function with these parameters."""

    def after_update(self, theta: np.ndarray) -> np.ndarray:
        """What an update is corrected to: (P,)."""

    def grand_sum(self, theta: np.ndarray) -> float:
        """grandsum(w) + 2b, or NaN where there is no such thing."""
