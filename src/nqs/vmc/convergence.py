"""When a run ends, and when a finished one had converged.

A criterion ends runs while they train. `convergence` reads T_cv off a whole trace [Ju et al. 2025, sec. VI], `settled`
says whether the last energies still drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from nqs.runtime.errors import InputError
from nqs.vmc.estimates import Estimate

Status = Literal["running", "converged", "cap", "diverged", "frozen", "singular"]
MOST_V_SCORE = 0.05  # frozen runs of 16 spins have 0.07 and more, those that reach an overlap of 0.99 at most 0.03
BROKEN = ("diverged", "frozen", "singular")  # of these a run is no result


class Criterion(Protocol):
    """What ends a run before its iterations run out."""

    def met(self, energy: float) -> bool:
        """True if the energy is as wanted."""

    def end(self, estimate: Estimate) -> tuple[Status, str] | None:
        """Status and message of a run that ends at this estimate, None if it goes on."""


@dataclass(frozen=True)
class EnergyCriterion:
    """Ends a run whose chains are frozen, or whose energy is within `tolerance` (relative; None: never) of the exact.

    exact_energy: total, S.S.
    """

    exact_energy: float
    tolerance: float | None = None

    def met(self, energy: float) -> bool:
        return self.tolerance is not None and abs(energy / self.exact_energy - 1) < self.tolerance

    def end(self, estimate: Estimate) -> tuple[Status, str] | None:
        if estimate.acceptance == 0:
            return "frozen", "no proposed move was accepted"
        return ("converged", "") if self.met(estimate.energy) else None


@dataclass(frozen=True)
class AllIterations:
    """Ends no run."""

    def met(self, energy: float) -> bool:
        return False

    def end(self, estimate: Estimate) -> tuple[Status, str] | None:
        return None


@dataclass(frozen=True)
class Convergence:
    """When a run converged by the paper's rule, and how well that could be told.

    iteration: T_cv;  reached: False if the rule was never met;  noise: standard error of the relative change that the
    rule compares with its tolerance. Where it is the larger of the two, T_cv says when noise happened to be small.
    """

    iteration: int
    reached: bool
    noise: float


def convergence(
    energies: np.ndarray, errors: np.ndarray, window: int, tolerance: float = 1e-4, lag: int = 5
) -> Convergence:
    """T_cv: first iteration at which the rolling average over `window` differs relatively by less than `tolerance` from
    that `lag` iterations before, else the number of iterations [Ju et al. 2025, sec. VI, which states no window].

    energies, errors (iteration,): of a trace whose first row is iteration 0. Raises InputError if it is too short.
    """
    if len(energies) <= window - 1 + lag:
        raise InputError(f"{len(energies)} iterations are too few for a window of {window} and a lag of {lag}")
    averages = np.convolve(energies, np.full(window, 1 / window), "valid")  # the i-th ends at iteration window - 1 + i
    changes = np.abs(averages[lag:] / averages[:-lag] - 1)
    met = np.flatnonzero(changes < tolerance)
    iteration = int(met[0]) + window - 1 + lag if len(met) else len(energies) - 1
    compared = slice(iteration - window - lag + 1, iteration + 1)
    spread = np.sqrt(2 * min(window, lag) * np.mean(errors[compared] ** 2)) / window  # of what the two do not share
    return Convergence(iteration, len(met) > 0, float(spread / np.abs(averages[iteration - window + 1])))


def v_score(energies: np.ndarray, variances: np.ndarray, window: int, n_sites: int) -> float:
    """N Var E_loc / E^2 over the last `window` iterations, 0 for an eigenstate. [Wu et al. 2024, V-score]"""
    return float(n_sites * variances[-window:].mean() / energies[-window:].mean() ** 2)


def settled(energies: np.ndarray, variances: np.ndarray, window: int, n_sites: int) -> bool:
    """True if the means of the last `window` energies and of those before differ by less than two standard errors, and
    the state is near an eigenstate: energies of a frozen run rest as well, but its V-score is above MOST_V_SCORE.
    """
    if len(energies) < 2 * window or v_score(energies, variances, window, n_sites) > MOST_V_SCORE:
        return False
    before, last = energies[-2 * window : -window], energies[-window:]
    error = np.sqrt((before.var() + last.var()) / window)
    return bool(abs(last.mean() - before.mean()) <= 2 * error)
