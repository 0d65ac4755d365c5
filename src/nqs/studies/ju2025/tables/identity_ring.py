"""All states of zero magnetisation of one short ring, and exact sums over them, each from its own definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.model.motifs import bits, motif_counts
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.seeds import seed_of

NETWORKS = 20  # random ones per identity


@dataclass(frozen=True, eq=False)
class Ring:
    """All states of one ring, K, and the random numbers of the check."""

    n_sites: int
    width: int
    seed: int

    @cached_property
    def states(self) -> np.ndarray:
        return zero_magnetisation_states(self.n_sites)

    @cached_property
    def spins(self) -> np.ndarray:
        """1 = up: (U, N)."""
        return bits(self.states, self.n_sites).astype(int)

    @cached_property
    def windows(self) -> np.ndarray:
        """Spins of the window that begins at each site: (U, N, K)."""
        sites = (np.arange(self.n_sites)[:, None] + np.arange(self.width)) % self.n_sites
        return self.spins[:, sites]

    @cached_property
    def counts(self) -> np.ndarray:
        """m_w(s): (U, 2^K)."""
        return motif_counts(self.states, self.n_sites, self.width).astype(float)

    @cached_property
    def family(self) -> ShallowCnn:
        return ShallowCnn(self.n_sites, self.width)

    @cached_property
    def gauge(self) -> np.ndarray:
        """Sign that the turned sublattice gives each state: (U,)."""
        return (-1.0) ** self.spins[:, ::2].sum(axis=1)

    @cached_property
    def ground_state(self) -> np.ndarray:
        """psi > 0, normalised: (U,)."""
        _, vectors = np.linalg.eigh(self.hamiltonian)
        return np.abs(vectors[:, 0])

    @cached_property
    def hamiltonian(self) -> np.ndarray:
        """sum P in the Marshall gauge: +1 per pair of like neighbours, -1 to the exchange of an unlike pair: (U, U)."""
        matrix = np.zeros((len(self.states), len(self.states)))
        here = np.arange(len(self.states))
        for site in range(self.n_sites):
            exchanged, bond = self.spins.copy(), [site, (site + 1) % self.n_sites]
            exchanged[:, bond] = exchanged[:, bond[::-1]]
            there = self.places(exchanged)
            np.add.at(matrix, (there, here), np.where(there == here, 1.0, -1.0))
        return matrix

    def places(self, spins: np.ndarray) -> np.ndarray:
        """Where states (U, N), 1 = up, are listed: (U,)."""
        codes = spins.astype(np.uint64) << np.arange(self.n_sites, dtype=np.uint64)
        return np.searchsorted(self.states, codes.sum(axis=1))

    @cached_property
    def flipped(self) -> np.ndarray:
        """Where L s is listed: (U,)."""
        return self.places(1 - self.spins)

    @cached_property
    def reflected(self) -> np.ndarray:
        """Where R s is listed: (U,)."""
        return self.places(self.spins[:, ::-1])

    def network(self, theta: np.ndarray) -> np.ndarray:
        """ln psi of eq. 1, window by window: (U,)."""
        v, w, b = self.family.split(theta)
        inputs = np.where(self.windows == 1, w[:, 1], w[:, 0]).sum(axis=2) + b
        return v * np.maximum(inputs, 0).sum(axis=1)

    def multipliers(self, theta: np.ndarray) -> np.ndarray:
        """lambda of eq. 3: (2^K,)."""
        return self.family.coefficients(theta)

    def product(self, factors: np.ndarray) -> np.ndarray:
        """psi of eq. 5, plaquette by plaquette, from one factor per motif (2^K,): (U,)."""
        return factors[self.windows @ (1 << np.arange(self.width))].prod(axis=1)

    def slope(self, theta: np.ndarray) -> np.ndarray:
        """dE / d theta of the network, exactly: (P,)."""
        logs = self.counts @ self.multipliers(theta)
        psi = np.exp(logs - logs.max())
        psi /= np.linalg.norm(psi)
        image = self.hamiltonian @ psi
        return self.family.pull_back(theta, 2 * (psi * (image - (psi @ image) * psi)) @ self.counts)

    def random(self, what: str) -> np.random.Generator:
        """Random numbers of one check."""
        return np.random.default_rng(seed_of("ju2025", "table1", what, self.n_sites, self.width, self.seed))

    def random_networks(self, what: str, symmetric: bool = False) -> Iterator[np.ndarray]:
        """Random parameters (P,), with a bias; symmetric: of grand sum zero."""
        rng = self.random(what)
        for _ in range(NETWORKS):
            theta = self.family.initial(rng)
            theta[-1] = rng.normal(0, 0.3)
            yield self.family.symmetrised(theta) if symmetric else theta
