"""Variational Monte Carlo by Adam on the sampled energy gradient, on rings [Ju et al. 2025, sec. VI].

    H = sum_n P_{n,n+1},   dE/dtheta = 2 (<O E_loc> - <O><E_loc>),   O = d ln psi / d theta

An iteration draws a sample of |psi|^2, notes its energy, and takes one optimiser step, or several from the same sample.
The later ones follow the importance sampling of Yang et al. [Phys. Rev. Research 2, 012039 (2020)] as their public code
does it: the sample of psi_0 stays, O and E_loc are taken at the current parameters, and each state weighs

    w(s) = |psi(s) / psi_0(s)|^2 / sum over the sample of the same,

without clipping or a test of how many states still count; `effective` in the trace tells. The step is Adam's, whose
moments run on through the samples. SYMFORCE-TRAJ corrects the parameters after every step, not only every sample.

A run's course depends on its seed only, and its `Course` holds all of its state, so it can stop and go on anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nqs.ansatz.ring_protocol import RingAnsatz, RingWave
from nqs.ansatz.window_table import pack_spins
from nqs.runtime.errors import InputError
from nqs.vmc import chain_statistics
from nqs.vmc.optimisers import Adam, Sgd

Status = Literal["running", "cap", "diverged"]
PROPOSALS = ("neighbour", "pair")
MANY_CHAINS = 30  # from here on the spread of the chains' means gives the error
CONSTANT = 1e-9  # spread of ln psi, relative to its size, below which psi counts as constant
LOOKED_AT = 512  # states on which that is tested


@dataclass(frozen=True)
class RingSampler:
    """Metropolis chains at zero magnetisation that persist from one iteration to the next.

    proposals: "neighbour" exchanges random neighbours, "pair" the spins of any two sites, which is less often accepted
    but moves magnetisation as far as it likes;  stride: proposals between two kept states, None: a sweep of N / 2, each
    of which touches two sites;  discard: states passed over at each draw;  burn_in: sweeps before the first, by pairs.
    The chain of Yang et al. is samples=20000, chains=1, proposals="pair", stride=1, burn_in=0.
    """

    n_sites: int
    samples: int = 20_000
    chains: int = 500
    proposals: str = "pair"
    stride: int | None = None
    discard: int = 0
    burn_in: int = 100

    def __post_init__(self) -> None:
        if self.n_sites % 2:
            raise InputError(f"{self.n_sites} sites: an odd number of spins has no zero-magnetisation states")
        if self.samples < 2 or self.samples % self.chains:
            raise InputError(f"samples: {self.samples} is no multiple of the {self.chains} chains; change one of them")
        if self.proposals not in PROPOSALS:
            raise InputError(f"proposals: {self.proposals!r} is none of {', '.join(PROPOSALS)}")

    def start(self, wave: RingWave, rng: np.random.Generator) -> np.ndarray:
        """Chains (C, W) from random states, after the burn-in."""
        neel = np.tile(np.array([1, -1], np.int8), (self.chains, self.n_sites // 2))
        words = pack_spins(rng.permuted(neel, axis=1))
        if self.burn_in:
            wave.pair_moves(words, None, 1, self.burn_in * self.n_sites // 2, rng)
        return words

    def draw(self, wave: RingWave, words: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """States (draw, C, W) and the accepted share of the proposals; the chains (C, W) move on in place."""
        kept, stride = self.discard + self.samples // self.chains, self.stride or self.n_sites // 2
        if self.proposals == "neighbour":
            states, accepted = wave.neighbour_moves(words, kept, stride, rng)
        else:
            states, accepted = wave.pair_moves(words, None, kept, stride, rng)
        return states[self.discard :], accepted / (kept * stride * self.chains)


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised and how.

    steps: of the optimiser for each sample;  snapshots: iterations whose parameters are kept.
    """

    ansatz: RingAnsatz
    sampler: RingSampler
    optimiser: Adam | Sgd
    steps: int = 1
    max_iterations: int = 500
    snapshots: Collection[int] = ()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"steps: {self.steps}; at least one step of the optimiser for each sample")


TRACE_COLUMNS = (
    "energy", "energy_error", "variance", "autocorrelation_time", "acceptance", "grand_sum", "stuck", "effective",
)  # fmt: skip


@dataclass
class Course:
    """State of one run after `iteration` samples and `updates` steps.

    trace: one row of TRACE_COLUMNS per sample, the first at the initial parameters; energies are totals of sum P.
    """

    theta: np.ndarray
    moments: np.ndarray
    chains: np.ndarray
    rng: np.random.Generator
    iteration: int = 0
    updates: int = 0
    status: Status = "running"
    message: str = ""
    cpu_s: float = 0.0
    trace: list[list[float]] = field(default_factory=list)
    snapshots: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def start(cls, problem: Problem, seed: int) -> Course:
        """Random parameters and chains from the run's seed."""
        rng = np.random.default_rng(seed)
        theta = problem.ansatz.initial(rng)
        chains = problem.sampler.start(problem.ansatz.at(theta), rng)
        return cls(theta, problem.optimiser.start(len(theta)), chains, rng)

    def column(self, name: str) -> np.ndarray:
        """One column of the trace: (iteration,)."""
        return np.array(self.trace, dtype=float).reshape(-1, len(TRACE_COLUMNS))[:, TRACE_COLUMNS.index(name)]


def iterate(course: Course, problem: Problem) -> None:
    """Sample, note the energy at the current parameters, and update them."""
    wave = problem.ansatz.at(course.theta)
    states, acceptance = problem.sampler.draw(wave, course.chains, course.rng)
    flat = states.reshape(-1, states.shape[-1])
    energies = wave.ring_energies(flat)
    energy, error, variance, time_between = energy_of(energies.reshape(states.shape[:2]))
    if not np.isfinite(variance):
        return end(course, "diverged", "the local energies are no longer finite")
    if course.iteration in problem.snapshots:
        course.snapshots[course.iteration] = course.theta.copy()
    grand_sum, stuck = problem.ansatz.grand_sum(course.theta), is_constant(wave, flat)
    row = [energy, error, variance, time_between, acceptance, grand_sum, float(stuck), 1.0]
    if course.iteration < problem.max_iterations:
        row[-1] = update(course, problem, wave, flat, energies)
    course.trace.append(row)
    if course.status != "running":
        return None
    if course.iteration == problem.max_iterations:
        return end(course, "cap")
    course.iteration += 1
    return None


def end(course: Course, status: Status, message: str = "") -> None:
    """Finish with a status; a message names the iteration."""
    course.status, course.message = status, f"iteration {course.iteration}: {message}" if message else ""


def update(course: Course, problem: Problem, wave: RingWave, states: np.ndarray, energies: np.ndarray) -> float:
    """The optimiser's steps from one sample; returns the smallest effective share of its states."""
    weights, least = np.full(len(states), 1 / len(states)), 1.0
    drawn_at = wave.log_psi(states) if problem.steps > 1 else None
    for step in range(problem.steps):
        if step > 0:
            wave = problem.ansatz.at(course.theta)
            weights = importance(wave.log_psi(states), drawn_at)
            energies = wave.ring_energies(states)
            least = min(least, 1 / (len(weights) * float(weights @ weights)))
        slope = energy_gradient(wave, states, weights, energies)
        change, moments = problem.optimiser.step(slope, course.moments, course.updates)
        if not np.isfinite(change).all():
            end(course, "diverged", "the step is no longer finite; kept the parameters before")
            break
        course.theta, course.moments = problem.ansatz.after_update(course.theta + change), moments
        course.updates += 1
    return least


def energy_gradient(wave: RingWave, states: np.ndarray, weights: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """2 cov(O, E_loc): (P,).  states (U, W); weights (U,) add up to 1; energies (U,) local energies."""
    return 2 * wave.derivatives(states).backward(weights * (energies - weights @ energies))


def importance(log_psi: np.ndarray, drawn_at: np.ndarray | None) -> np.ndarray:
    """Weights |psi / psi_0|^2 of a sample of psi_0 that add up to 1: (U,)."""
    change = 2 * (log_psi - drawn_at)
    weights = np.exp(change - change.max())
    return weights / weights.sum()


def energy_of(energies: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, its standard error, variance and autocorrelation time in kept states, of energies (draw, chain).

    Many chains are independent, so the spread of their means gives the error whatever the autocorrelation, and the time
    follows from it; for few the time is estimated along them (`nqs.vmc.chain_statistics`) and gives the error.
    """
    mean, variance = float(energies.mean()), float(energies.var())
    if energies.shape[1] >= MANY_CHAINS:
        error = float(energies.mean(axis=0).std(ddof=1) / np.sqrt(energies.shape[1]))
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


def descend(course: Course, problem: Problem, after: Callable[[Course], bool] = lambda course: True) -> Course:
    """Iterate until the run ends; `after` is called after every iteration and stops the loop by returning False."""
    while course.status == "running":
        cpu = time.thread_time()
        iterate(course, problem)
        course.cpu_s += time.thread_time() - cpu
        if not after(course):
            break
    return course


def descend_all(courses: Sequence[Course], problems: Sequence[Problem], threads: int = 1) -> list[Course]:
    """Runs with problems of their own, `threads` side by side: the kernels hold no lock. Results as one by one."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(descend, courses, problems))


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


def summary(course: Course) -> dict[str, Any]:
    """What a table of runs says about one."""
    last = dict(zip(TRACE_COLUMNS, course.trace[-1], strict=True)) if course.trace else dict.fromkeys(TRACE_COLUMNS)
    ended = {"status": course.status, "message": course.message, "iterations": course.iteration}
    return ended | last | {"updates": course.updates, "cpu_s": round(course.cpu_s, 3)}
