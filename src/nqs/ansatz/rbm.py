"""Restricted Boltzmann machine with real parameters [Carleo and Troyer 2017; Mummaneni and Sajjan 2026, eq. 3].

    ln psi(s) = sum_i a_i s_i + sum_j ln 2cosh theta_j,   theta_j = b_j + sum_i W_ij s_i

N visible and M = alpha N hidden units; parameters are one vector (a, b, W) with W (site, unit). The derivatives are
s_i, t_j and s_i t_j with t_j = tanh theta_j, which is what makes its tangent kernel a product of two small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import blas

from nqs.ansatz import by_evaluation, rbm_kernel
from nqs.model.moves import Moves

SINGLE = np.float32
Tables = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Rbm:
    """The family of machines with n_sites visible and n_hidden hidden units, initialised normal(0, initial_std)."""

    n_sites: int
    n_hidden: int
    initial_std: float = 0.01

    @property
    def n_parameters(self) -> int:
        return self.n_sites + self.n_hidden + self.n_sites * self.n_hidden

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(0.0, self.initial_std, self.n_parameters)

    def at(self, theta: np.ndarray) -> RbmWave:
        visible, hidden, weights = self.split(theta)
        return RbmWave(visible, hidden, weights)

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views a (..., N), b (..., M), W (..., N, M) of parameters (..., P)."""
        visible, hidden, weights = np.split(theta, [self.n_sites, self.n_sites + self.n_hidden], axis=-1)
        return visible, hidden, weights.reshape(*theta.shape[:-1], self.n_sites, self.n_hidden)


class RbmWave:
    """One machine: a (N,), b (M,), W (N, M), float64."""

    def __init__(self, visible: np.ndarray, hidden: np.ndarray, weights: np.ndarray) -> None:
        self.visible, self.hidden, self.weights = visible, hidden, weights
        self.n_sites = len(visible)

    def spins(self, states: np.ndarray, kind: type = np.float64) -> np.ndarray:
        """Spins +-1 (U, N)."""
        spins: np.ndarray = np.empty((len(states), self.n_sites), kind)
        rbm_kernel.spins_of(states, spins)
        return spins

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        spins = self.spins(states)
        return spins @ self.visible + np.logaddexp(*self._angles(spins)).sum(axis=1)

    def _angles(self, spins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        theta = spins @ self.weights + self.hidden
        return theta, -theta

    def log_psi_all(self) -> np.ndarray:
        """ln psi of all 2^N states, in order, float64: one product per state and unit."""
        n_low = self.n_sites // 2
        low = self._half(slice(0, n_low), np.zeros_like(self.hidden))
        high = self._half(slice(n_low, self.n_sites), self.hidden)
        out = np.empty((1 << (self.n_sites - n_low), 1 << n_low))
        rbm_kernel.log_psi_of_halves(*low, *high, out)
        return out.ravel()

    def _half(self, sites: slice, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """e^(theta-|theta|), e^(-theta-|theta|) (2^n, M) and a.s + sum |theta| (2^n,) for all states of some sites."""
        weights = self.weights[sites]
        spins = np.empty((1 << len(weights), len(weights)))
        rbm_kernel.spins_of(np.arange(len(spins), dtype=np.uint64), spins)
        theta = spins @ weights + bias
        size = np.abs(theta)
        return np.exp(theta - size), np.exp(-theta - size), spins @ self.visible[sites] + size.sum(axis=1)

    def _flips(self, sites: np.ndarray) -> Tables:
        """exp 2a, cosh 2W and sinh 2W of each site."""
        visible, weights = 2 * self.visible[sites], 2 * self.weights[sites]
        with np.errstate(over="ignore"):
            return np.exp(visible), np.cosh(weights), np.sinh(weights)

    def _exchanges(self, bonds: np.ndarray) -> Tables:
        """exp 2(a_i - a_k), cosh and sinh of 2(W_i - W_k) for each bond."""
        first, second = bonds.T
        change = 2 * (self.weights[first] - self.weights[second])
        with np.errstate(over="ignore"):  # a run that overflows ends as diverged
            return np.exp(2 * (self.visible[first] - self.visible[second])), np.cosh(change), np.sinh(change)

    @cached_property
    def _single(self) -> tuple[np.ndarray, np.ndarray]:
        return self.weights.astype(SINGLE), self.hidden.astype(SINGLE)

    def ratios(self, states: np.ndarray, moves: Moves) -> np.ndarray:
        if moves.kind == "other":
            return by_evaluation.ratios(self.log_psi, states, moves)
        tanh = np.tanh(self.spins(states) @ self.weights + self.hidden)
        ratios = np.empty((len(states), len(moves)))
        if moves.kind == "exchanges":
            rbm_kernel.swap_ratios(states, tanh, moves.sites, *self._exchanges(moves.sites), ratios)
        else:
            sites = moves.sites[:, 0]
            rbm_kernel.flip_ratios(states, tanh, sites, *self._flips(sites), ratios)
        return ratios

    def sweeps(self, states: np.ndarray, moves: Moves, sweeps: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        out = np.empty((sweeps, len(states)), np.uint64)
        if moves.kind == "exchanges":
            tables = _single(self._exchanges(moves.sites))
            return out, rbm_kernel.exchange_sweeps(states, moves.sites, *tables, *self._single, rng, out)
        if moves.are_all_flips(self.n_sites):
            tables = _single(self._flips(moves.sites[:, 0]))
            return out, rbm_kernel.flip_sweeps(states, *tables, *self._single, rng, out)
        return by_evaluation.metropolis(self.log_psi, self.n_sites, states, moves, sweeps, rng)

    def derivatives(self, states: np.ndarray) -> RbmDerivatives:
        spins = self.spins(states, SINGLE)
        weights, hidden = self._single
        return RbmDerivatives(spins, np.tanh(spins @ weights + hidden))


def _single(tables: Tables) -> Tables:
    """In single precision."""
    with np.errstate(over="ignore"):  # a run that overflows ends as diverged
        visible, cosh, sinh = (table.astype(SINGLE) for table in tables)
        return visible, cosh, sinh


@dataclass(frozen=True)
class RbmDerivatives:
    """Derivatives s (U, N), t (U, M) and s t, float32, never formed as a matrix unless asked for."""

    spins: np.ndarray
    tanh: np.ndarray

    @property
    def n_states(self) -> int:
        return len(self.spins)

    @property
    def n_parameters(self) -> int:
        n_sites, n_hidden = self.spins.shape[1], self.tanh.shape[1]
        return n_sites + n_hidden + n_sites * n_hidden

    @cached_property
    def _inputs(self) -> np.ndarray:
        """1 and the spins (1 + N, U): the hidden biases are the weights of a spin that is always up."""
        return np.concatenate([np.ones((1, self.n_states), SINGLE), self.spins.T])

    def forward(self, vector: np.ndarray) -> np.ndarray:
        n_sites = self.spins.shape[1]
        of_units = self._inputs.T @ vector[n_sites:].reshape(n_sites + 1, -1)  # (state, unit)
        return self.spins @ vector[:n_sites] + np.einsum("uj,uj->u", of_units, self.tanh)

    def backward(self, vector: np.ndarray) -> np.ndarray:
        return np.concatenate([vector @ self.spins, ((self._inputs * vector) @ self.tanh).ravel()])

    def jacobian(self) -> np.ndarray:
        products = self.spins[:, :, None] * self.tanh[:, None, :]
        return np.concatenate([self.spins, self.tanh, products.reshape(self.n_states, -1)], axis=1)

    def centred(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(SINGLE)
        out = np.empty((self.n_states, self.n_parameters), SINGLE)
        rbm_kernel.centred_derivatives(self.spins, self.tanh, self.backward(weights), np.sqrt(weights), out)
        return out

    def tangent_kernel(self, weights: np.ndarray, diagonal_shift: float) -> np.ndarray:
        weights = weights.astype(SINGLE)
        mean = self.backward(weights)
        gram = blas.ssyrk(1.0, self.tanh.T, trans=1)  # upper triangle in Fortran order
        spin_gram = blas.ssyrk(1.0, self.spins.T, trans=1)
        centre, root = SINGLE(mean @ mean), np.sqrt(weights)
        rbm_kernel.tangent_kernel(spin_gram.T, gram.T, self.forward(mean), centre, root, SINGLE(diagonal_shift))
        return gram
