"""Restricted Boltzmann machines with complex parameters [Carleo and Troyer 2017; Kufel 2024, sec. on ansätze].

    ln psi(s) = sum_i a_i s_i + sum_h ln cosh(b_h + sum_i W_hi s_i)

The hidden units may be given the sites that they see; units that see few neighbours make a local machine, whose states
obey an area law of entanglement [Deng, Li and Das Sarma 2017].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nqs.ansatz.complex_protocol import ComplexWave, spins_of
from nqs.ansatz.complex_rbm_kernel import factors_of_all, fill_slopes, log_factors, tables
from nqs.ansatz.tangents import ProductTangents, Tangents
from nqs.runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class ComplexRbm:
    """seen (H, N) bool: the sites that each hidden unit is connected to; spread: of the initial parameters.

    Parameters: a (N,), b (H,), then W where `seen`, row by row.
    """

    seen: np.ndarray
    spread: float = 0.05
    holomorphic: bool = True

    def __post_init__(self) -> None:
        if self.seen.ndim != 2 or not self.seen.any(axis=1).all():
            raise InputError(f"seen: one row per hidden unit, each with a site; has shape {self.seen.shape}")

    @classmethod
    def full(cls, n_sites: int, n_hidden: int, spread: float = 0.05) -> ComplexRbm:
        """Every unit sees every site."""
        return cls(np.ones((n_hidden, n_sites), bool), spread)

    @classmethod
    def local(cls, n_sites: int, width: int, spread: float = 0.05) -> ComplexRbm:
        """On a ring, one unit per site that sees `width` adjacent sites; InputError unless 1 <= width <= N."""
        if not 1 <= width <= n_sites:
            raise InputError(f"width: {width}; a unit sees between 1 and {n_sites} sites")
        distance = (np.arange(n_sites) - np.arange(n_sites)[:, None]) % n_sites
        return cls(distance < width, spread)

    @property
    def n_sites(self) -> int:
        return self.seen.shape[1]

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.seen.shape[0]

    @cached_property
    def n_parameters(self) -> int:
        return self.n_sites + self.n_hidden + int(self.seen.sum())

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        real, imaginary = rng.normal(0, self.spread, (2, self.n_parameters))
        return real + 1j * imaginary

    def at(self, theta: np.ndarray) -> ComplexRbmWave:
        if np.shape(theta) != (self.n_parameters,):
            raise InputError(f"theta: this machine has {self.n_parameters} parameters, not {np.shape(theta)}")
        visible, hidden, couplings = np.split(np.asarray(theta, complex), [self.n_sites, self.n_sites + self.n_hidden])
        weights = np.zeros(self.seen.shape, complex)
        weights[self.seen] = couplings
        return ComplexRbmWave(self, visible, hidden, weights)

    def parameters(self, visible: np.ndarray, hidden: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """theta (P,) of a (N,), b (H,), W (H, N)."""
        return np.concatenate([visible, hidden, weights[self.seen]]).astype(complex)


@dataclass(frozen=True, eq=False)
class ComplexRbmWave(ComplexWave):
    """One machine: visible (N,), hidden (H,), weights (H, N), complex."""

    family: ComplexRbm
    visible: np.ndarray
    hidden: np.ndarray
    weights: np.ndarray

    @property
    def n_sites(self) -> int:
        return self.family.n_sites

    @cached_property
    def table(self) -> np.ndarray:
        """exp(-2 theta_h) by bytes of states."""
        return tables(self.weights, self.hidden)

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        """Sum over the angles theta: cosh theta = exp(theta) (1 + exp(-2 theta)) / 2."""
        linear = self.visible + self.weights.sum(axis=0)
        found: np.ndarray = spins_of(states, self.n_sites) @ linear + self.hidden.sum()
        log_factors(self.table, states, found)
        return found

    def log_psi_all(self) -> np.ndarray:
        found = factors_of_all(self.weights, self.hidden) + self.hidden.sum()
        linear = self.visible + self.weights.sum(axis=0)
        of_sites = -linear.sum()[None]
        for site in linear:
            of_sites = np.concatenate([of_sites, of_sites + 2 * site])
        found += of_sites
        return found

    def slopes(self, states: np.ndarray) -> np.ndarray:
        """tanh of the angles b + W s: (U, H)."""
        found = np.empty((len(states), self.family.n_hidden), complex)
        fill_slopes(self.table, states, found)
        return found

    def jacobian(self, states: np.ndarray) -> np.ndarray:
        spins, slopes = spins_of(states, self.n_sites), self.slopes(states)
        unit, site = np.nonzero(self.family.seen)
        return np.concatenate([spins, slopes, slopes[:, unit] * spins[:, site]], axis=1)

    def tangents(self, states: np.ndarray, root: np.ndarray) -> Tangents:
        if not self.family.seen.all():
            return super().tangents(states, root)
        return ProductTangents(root, spins_of(states, self.n_sites), self.slopes(states))


def volume_law_pairs(n_sites: int) -> tuple[ComplexRbm, np.ndarray]:
    """Machine and parameters of a volume-law state: each site of one half is maximally entangled with one of the other.

    N / 2 hidden units, unit i on sites i and i + N / 2: cosh(w (s + s')) is proportional to exp(i pi/4 s s') for
    cosh(2 w) = i, so psi is a graph state of modulus 1 and S(l) = l ln 2 for blocks up to half of the chain
    [after Deng, Li and Das Sarma 2017, sec. on maximal entanglement]. InputError for an odd number of sites.
    """
    if n_sites % 2 or n_sites < 2:
        raise InputError(f"{n_sites} sites: pairs need an even number")
    half = n_sites // 2
    seen = np.zeros((half, n_sites), bool)
    seen[np.arange(half), np.arange(half)] = seen[np.arange(half), np.arange(half) + half] = True
    family = ComplexRbm(seen)
    weights = np.where(seen, np.arccosh(1j) / 2, 0)
    return family, family.parameters(np.zeros(n_sites), np.zeros(half), weights)
