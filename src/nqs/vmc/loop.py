"""Variational Monte Carlo with stochastic reconfiguration: the loop, for any ansatz and sampler.

`iterate` is one iteration: sample, local energies, natural gradient, step. `train` repeats it until the energy meets
the criterion, the iterations run out, or something breaks; then the last good parameters stay and the status says why.
A run's course depends on its seed only, and its `Course` holds all of its state, so it can stop and go on anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nqs.ansatz.protocol import Ansatz
from nqs.model.hamiltonians import Hamiltonian
from nqs.vmc import chain_statistics, stochastic_reconfiguration
from nqs.vmc.local_energy import local_energies
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.sampler import NotFiniteError, Sample, Sampler

Status = Literal["running", "converged", "cap", "diverged", "frozen", "singular"]
DIAGNOSE_EVERY = 50  # iterations between two estimates of errors, R-hat and autocorrelation


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised and how.

    exact_energy: total, in the Hamiltonian's unit; tolerance: stop at |E / exact_energy - 1| below it, None: never.
    """

    hamiltonian: Hamiltonian
    ansatz: Ansatz
    sampler: Sampler
    optimiser: Adam | Sgd
    shift: float
    exact_energy: float
    tolerance: float | None
    max_iterations: int
    snapshots: Collection[int] = ()


@dataclass(frozen=True)
class Estimate:
    """Energy of one iteration (total) and how well it is known; see the columns of the trace."""

    energy: float
    variance: float
    acceptance: float
    n_distinct: int
    sz_abs: np.ndarray  # sampled weight of |Sz| = 0 .. N/2
    energy_error: float = np.nan
    split_rhat: float = np.nan
    autocorrelation_time: float = np.nan

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.energy) and np.isfinite(self.variance))

    def row(self) -> list[float]:
        """The trace's columns, in the order of TRACE_COLUMNS, then sz_abs."""
        return [float(getattr(self, name)) for name in TRACE_COLUMNS] + self.sz_abs.tolist()


TRACE_COLUMNS = (
    "energy", "energy_error", "variance", "acceptance", "n_distinct", "split_rhat", "autocorrelation_time",
)  # fmt: skip


@dataclass
class Course:
    """State of one run after `iteration` updates. trace: one row per evaluated iteration (`Estimate.row`)."""

    theta: np.ndarray
    moments: np.ndarray
    chains: np.ndarray
    rng: np.random.Generator
    before: np.ndarray  # parameters one update ago
    memory: stochastic_reconfiguration.Memory = field(default_factory=stochastic_reconfiguration.Memory)
    iteration: int = 0
    status: Status = "running"
    message: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    trace: list[list[float]] = field(default_factory=list)
    snapshots: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def start(cls, problem: Problem, seed: int) -> Course:
        """Random parameters and chains from the run's seed."""
        rng = np.random.default_rng(seed)
        theta = problem.ansatz.initial(rng)
        moments = problem.optimiser.start(problem.ansatz.n_parameters)
        return cls(theta, moments, problem.sampler.start(rng), rng, theta.copy())

    def end(self, status: Status, message: str = "") -> None:
        """Finish with a status; a message names the iteration."""
        self.status, self.message = status, f"iteration {self.iteration}: {message}" if message else ""


def iterate(course: Course, problem: Problem) -> None:
    """Evaluate the energy at the current parameters and update them, or end the run."""
    wave = problem.ansatz.at(course.theta)
    try:
        sample = problem.sampler.draw(wave, course.chains, course.rng)
    except NotFiniteError as error:
        course.theta = course.before
        return course.end("diverged", f"{error}; kept the parameters before")
    energies = local_energies(problem.hamiltonian, wave, sample.states)
    note(course, estimate_energy(sample, energies, problem, course.iteration), problem)
    if course.status != "running":
        return
    try:
        derivatives = wave.derivatives(sample.states)
        direction = stochastic_reconfiguration.direction(
            derivatives, sample.weights, energies, problem.shift, memory=course.memory
        )
    except stochastic_reconfiguration.SingularError as error:
        return course.end("singular", str(error))
    update(course, direction, problem)


def note(course: Course, estimate: Estimate, problem: Problem) -> None:
    """Write the evaluated iteration into the course, and end it if there is a reason to."""
    if not estimate.finite:
        course.theta = course.before
        return course.end("diverged", "the local energies are no longer finite; kept the parameters before")
    course.trace.append(estimate.row())
    if course.iteration in problem.snapshots:
        course.snapshots[course.iteration] = course.theta.copy()
    if estimate.acceptance == 0:
        course.end("frozen", "no proposed move was accepted")
    elif is_converged(estimate, problem):
        course.end("converged")
    elif course.iteration >= problem.max_iterations:
        course.end("cap")


def update(course: Course, direction: np.ndarray, problem: Problem) -> None:
    """One step of the optimiser along the natural gradient."""
    step, course.moments = problem.optimiser.step(direction, course.moments, course.iteration)
    if not np.isfinite(step).all():
        return course.end("diverged", "the step is no longer finite; kept the parameters before")
    course.before, course.theta = course.theta, course.theta + step
    course.iteration += 1


def is_converged(estimate: Estimate, problem: Problem) -> bool:
    """True if the sampled energy meets the study's criterion."""
    tolerance = problem.tolerance
    return tolerance is not None and abs(estimate.energy / problem.exact_energy - 1) < tolerance


def estimate_energy(sample: Sample, energies: np.ndarray, problem: Problem, iteration: int) -> Estimate:
    """Mean and variance of the local energies; errors and chain diagnostics now and then and at the end."""
    mean = float((sample.weights @ energies).real)
    variance = float(sample.weights @ np.abs(energies - mean) ** 2)
    n_sites = problem.hamiltonian.n_sites
    magnetisation = np.abs(np.bitwise_count(sample.states).astype(int) - n_sites // 2)
    sectors = np.bincount(magnetisation, sample.weights, n_sites // 2 + 1)
    estimate = Estimate(mean, variance, sample.acceptance, len(sample.states), sectors)
    last = iteration >= problem.max_iterations or is_converged(estimate, problem)
    if not estimate.finite or not (last or iteration % DIAGNOSE_EVERY == 0):
        return estimate
    rhat, tau = 1.0, 1.0
    along = sample.along_chains(energies.real)
    if along is not None:
        rhat, tau = chain_statistics.split_rhat(along), chain_statistics.autocorrelation_time(along)
    error = chain_statistics.error_of_mean(variance, sample.n, tau)
    return Estimate(mean, variance, sample.acceptance, len(sample.states), sectors, error, rhat, tau)


def train(course: Course, problem: Problem, after: Callable[[Course], bool] = lambda course: True) -> Course:
    """Iterate until the run ends; `after` is called after every iteration and stops the loop by returning False."""
    while course.status == "running":
        cpu, wall = time.thread_time(), time.monotonic()
        iterate(course, problem)
        course.cpu_s += time.thread_time() - cpu
        course.wall_s += time.monotonic() - wall
        if not after(course):
            break
    return course


def summary(course: Course) -> dict[str, Any]:
    """What the table of models says about a finished run."""
    last = dict(zip(TRACE_COLUMNS, course.trace[-1], strict=False)) if course.trace else dict.fromkeys(TRACE_COLUMNS)
    return {
        "status": course.status,
        "message": course.message,
        "stopped_at": course.iteration,
        **last,
        "cpu_s": round(course.cpu_s, 3),
        "wall_s": round(course.wall_s, 3),
    }
