"""What a sample says about the energy at fixed parameters: one row of a trace.

SectorEstimates   of weighted samples of distinct states, total S.S, with the sampled weights of |Sz|
RingEstimates     of chains on a ring, total of H = sum P, with the grand sum and whether psi is constant
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nqs.ansatz.ring_protocol import RingAnsatz, RingWave
from nqs.vmc import chain_statistics
from nqs.vmc.sampler import Sample

ENERGY_COLUMNS = (
    "energy", "energy_error", "variance", "acceptance", "n_distinct", "split_rhat", "autocorrelation_time",
)  # fmt: skip
RING_COLUMNS = (
    "energy", "energy_error", "variance", "autocorrelation_time", "acceptance", "grand_sum", "stuck", "effective",
)  # fmt: skip
MANY_CHAINS = 30  # from here on the spread of the chains' means gives the error
CONSTANT = 1e-9  # spread of ln psi, relative to its size, below which psi counts as constant
LOOKED_AT = 512  # states on which that is tested


@dataclass(frozen=True)
class Estimate:
    """Energy of one iteration, and the row of the trace that says how well it is known."""

    energy: float
    variance: float
    acceptance: float
    row: list[float]

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.energy) and np.isfinite(self.variance))


class Estimates(Protocol):
    """How rows of a trace are made."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the row's numbers."""

    def of(self, wave: Any, theta: np.ndarray, sample: Sample, energies: np.ndarray) -> Estimate:
        """Of a sample and its local energies (U,), at parameters theta (P,)."""

    def diagnosed(self, estimate: Estimate, sample: Sample, energies: np.ndarray) -> Estimate:
        """The same with what is too costly, or not needed, at every iteration."""


@dataclass(frozen=True)
class SectorEstimates:
    """sz_abs_m is the sampled weight of |Sz| = m; errors, R-hat and autocorrelation only where diagnosed."""

    n_sites: int

    @property
    def columns(self) -> tuple[str, ...]:
        return ENERGY_COLUMNS + tuple(f"sz_abs_{m}" for m in range(self.n_sites // 2 + 1))

    def of(self, wave: Any, theta: np.ndarray, sample: Sample, energies: np.ndarray) -> Estimate:
        mean = float((sample.weights @ energies).real)
        variance = float(sample.weights @ np.abs(energies - mean) ** 2)
        magnetisation = np.abs(np.bitwise_count(sample.states).astype(int) - self.n_sites // 2)
        sectors = np.bincount(magnetisation, sample.weights, self.n_sites // 2 + 1)
        known = [mean, np.nan, variance, float(sample.acceptance), float(len(sample.states)), np.nan, np.nan]
        return Estimate(mean, variance, sample.acceptance, known + sectors.tolist())

    def diagnosed(self, estimate: Estimate, sample: Sample, energies: np.ndarray) -> Estimate:
        rhat, tau = 1.0, 1.0
        along = sample.along_chains(energies.real)
        if along is not None:
            rhat, tau = chain_statistics.split_rhat(along), chain_statistics.autocorrelation_time(along)
        found = dict(zip(self.columns, estimate.row, strict=True))
        if along is not None and len(along) < chain_statistics.FEWEST:
            error = chain_statistics.error_between_chains(along)
        else:
            error = chain_statistics.error_of_mean(estimate.variance, sample.n, tau)
        found |= {"energy_error": error, "split_rhat": rhat, "autocorrelation_time": tau}
        return replace(estimate, row=list(found.values()))


@dataclass(frozen=True)
class RingEstimates:
    """`effective` is the smallest share of the sample's states that still count after the steps taken from it."""

    ansatz: RingAnsatz

    @property
    def columns(self) -> tuple[str, ...]:
        return RING_COLUMNS

    def of(self, wave: RingWave, theta: np.ndarray, sample: Sample, energies: np.ndarray) -> Estimate:
        along = sample.along_chains(energies)
        assert along is not None
        return self.of_chains(along, sample.acceptance, theta, is_constant(wave, sample.states))

    def of_chains(self, energies: np.ndarray, acceptance: float, theta: np.ndarray, stuck: bool) -> Estimate:
        """Of local energies (draw, chain), and of what is known about the sample."""
        energy, error, variance, time_between = energy_of(energies)
        row = [energy, error, variance, time_between, acceptance, self.ansatz.grand_sum(theta), float(stuck), 1.0]
        return Estimate(energy, variance, acceptance, row)

    def diagnosed(self, estimate: Estimate, sample: Sample, energies: np.ndarray) -> Estimate:
        """Nothing is left to say."""
        return estimate


def energy_of(energies: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, its standard error, variance and autocorrelation time in kept states, of energies (draw, chain).

    Many chains are independent, so the spread of their means gives the error whatever the autocorrelation, and the time
    follows from it; for few the time is estimated along them (`nqs.vmc.chain_statistics`) and gives the error. Chains
    too short for that leave the spread of their means.
    """
    mean, variance = float(energies.mean()), float(energies.var())
    if energies.shape[1] >= MANY_CHAINS or len(energies) < chain_statistics.FEWEST:
        error = chain_statistics.error_between_chains(energies)
        return mean, error, variance, error**2 * energies.size / variance if variance > 0 else 1.0
    time_between = chain_statistics.autocorrelation_time(energies) if np.isfinite(variance) else 1.0
    return mean, chain_statistics.error_of_mean(variance, energies.size, time_between), variance, time_between


def is_constant(wave: RingWave, states: np.ndarray) -> bool:
    """True if psi is the same for all sampled states: the run has nowhere to go, or has not left such a point yet."""
    logs = wave.log_psi(states[:: max(1, len(states) // LOOKED_AT)])
    return bool(spread_vanishes(logs))


def spread_vanishes(logs: np.ndarray) -> np.ndarray:
    """True where ln psi (..., states) is the same for all states, to rounding: (...)."""
    return np.asarray(np.ptp(logs, axis=-1) <= CONSTANT * (1 + np.abs(logs).max(axis=-1)))
