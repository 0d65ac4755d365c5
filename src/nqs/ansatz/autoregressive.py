"""Autoregressive wave functions, which are sampled without a Markov chain [Sharir et al. 2020; Kufel 2024].

    |psi(s)|^2 = prod_i p(s_i | s_1 ... s_(i-1)),   p(up) = sigmoid(b_i + V_i.h_i),   h_i = tanh(c + W_(<i) s_(<i))

The conditional probabilities share W [Larochelle and Murray 2011]. psi is positive and normalised. With a number of up
spins, conditionals that would miss it are set to zero; other constraints, such as translations, cannot be kept, because
the order of the sites breaks them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit

from nqs.ansatz.complex_protocol import ComplexWave, spins_of
from nqs.runtime.errors import InputError


@dataclass(frozen=True)
class Autoregressive:
    """The family; ups: number of up spins of all states, None for any.

    Parameters: W (H, N), c (H,), V (N, H), b (N,), real.
    """

    n_sites: int
    n_hidden: int
    ups: int | None = None
    holomorphic: bool = False

    def __post_init__(self) -> None:
        if self.n_hidden < 1:
            raise InputError(f"n_hidden: {self.n_hidden}; a network needs at least one hidden unit")
        if self.ups is not None and not 0 <= self.ups <= self.n_sites:
            raise InputError(f"ups: {self.ups}; {self.n_sites} sites have between 0 and {self.n_sites} up spins")

    @property
    def n_parameters(self) -> int:
        return self.n_hidden * (2 * self.n_sites + 1) + self.n_sites

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Variance 1 / N of W, 1 / H of V; small biases."""
        return np.concatenate(
            [
                rng.normal(0, self.n_sites**-0.5, self.n_hidden * self.n_sites),
                rng.normal(0, 0.1, self.n_hidden),
                rng.normal(0, self.n_hidden**-0.5, self.n_sites * self.n_hidden),
                rng.normal(0, 0.1, self.n_sites),
            ]
        )

    def at(self, theta: np.ndarray) -> AutoregressiveWave:
        if np.shape(theta) != (self.n_parameters,):
            raise InputError(f"theta: this network has {self.n_parameters} parameters, not {np.shape(theta)}")
        n, h = self.n_sites, self.n_hidden
        weights, biases, output, shifts = np.split(np.asarray(theta, float), [h * n, h * n + h, 2 * h * n + h])
        return AutoregressiveWave(self, weights.reshape(h, n), biases, output.reshape(n, h), shifts)


@dataclass(frozen=True, eq=False)
class AutoregressiveWave(ComplexWave):
    """One network: weights (H, N), biases (H,), output (N, H), shifts (N,)."""

    family: Autoregressive
    weights: np.ndarray
    biases: np.ndarray
    output: np.ndarray
    shifts: np.ndarray

    @property
    def n_sites(self) -> int:
        return self.family.n_sites

    def hidden(self, spins: np.ndarray, site: int) -> np.ndarray:
        """h_i from the spins before it (U, N): (U, H)."""
        return np.tanh(self.biases + spins[:, :site] @ self.weights[:, :site].T)

    def free(self, ups: np.ndarray, site: int) -> tuple[np.ndarray, np.ndarray]:
        """Whether the next spin may be up, and down, after so many up spins (U,): bool."""
        if self.family.ups is None:
            return np.ones(len(ups), bool), np.ones(len(ups), bool)
        return ups < self.family.ups, self.n_sites - site > self.family.ups - ups

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        spins = spins_of(states, self.n_sites)
        logs, ups = np.zeros(len(states)), np.zeros(len(states), int)
        for site in range(self.n_sites):
            field, turned = self.hidden(spins, site) @ self.output[site] + self.shifts[site], spins[:, site]
            may_up, may_down = self.free(ups, site)
            log_p = np.where(may_up & may_down, log_expit(turned * field), 0.0)
            logs += np.where(np.where(turned > 0, may_up, may_down), log_p, -np.inf)
            ups += turned > 0
        return (0.5 * logs).astype(complex)

    def jacobian(self, states: np.ndarray) -> np.ndarray:
        """Half the slopes of ln p; a spin without choice has none."""
        spins, ups = spins_of(states, self.n_sites), np.zeros(len(states), int)
        of_weights = np.zeros((len(states), *self.weights.shape))
        of_biases = np.zeros((len(states), len(self.biases)))
        of_output = np.zeros((len(states), *self.output.shape))
        of_shifts = np.zeros((len(states), self.n_sites))
        for site in range(self.n_sites):
            hidden, turned = self.hidden(spins, site), spins[:, site]
            field = hidden @ self.output[site] + self.shifts[site]
            choice = np.logical_and(*self.free(ups, site))
            slope = 0.5 * choice * turned * expit(-turned * field)
            back = slope[:, None] * self.output[site] * (1 - hidden**2)
            of_output[:, site], of_shifts[:, site] = slope[:, None] * hidden, slope
            of_biases += back
            of_weights[:, :, :site] += back[:, :, None] * spins[:, None, :site]
            ups += turned > 0
        parts = (of_weights, of_biases, of_output, of_shifts)
        return np.concatenate([part.reshape(len(states), -1) for part in parts], axis=1).astype(complex)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n independent states, drawn spin by spin: (n,) uint64."""
        spins, ups = np.zeros((n, self.n_sites)), np.zeros(n, int)
        for site in range(self.n_sites):
            chance = expit(self.hidden(spins, site) @ self.output[site] + self.shifts[site])
            may_up, may_down = self.free(ups, site)
            up = np.where(may_up & may_down, rng.random(n) < chance, may_up)
            spins[:, site], ups = np.where(up, 1.0, -1.0), ups + up
        return ((spins > 0).astype(np.uint64) << np.arange(self.n_sites, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
