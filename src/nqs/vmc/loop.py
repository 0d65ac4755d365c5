"""Variational Monte Carlo: the one loop, for any ansatz, sampler, Hamiltonian, preconditioner and optimiser.

`iterate` is one iteration: sample, local energies, direction, step. `train` repeats it until a criterion is met, the
iterations run out, or something breaks; then the last good parameters stay and the status says why. A run's course
depends on its seed only, and its `Run` holds all of its state, so it can stop and go on anywhere.

Several steps can be taken from one sample. The later ones follow the importance sampling of Yang et al. [Phys. Rev.
Research 2, 012039 (2020)] as their public code does it: the sample of psi_0 stays, O and E_loc are taken at the current
parameters, and each drawn state weighs

    w(s) = |psi(s) / psi_0(s)|^2 / sum over the sample of the same,

without clipping or a test of how many states still count; `effective` in the trace tells. The optimiser's moments run
on through the samples, and a projection corrects the parameters after every step, not only every sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nqs.model.hamiltonians import Hamiltonian
from nqs.runtime.errors import InputError
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.convergence import AllIterations, Criterion, Status
from nqs.vmc.estimates import Estimate, Estimates
from nqs.vmc.local_energy import RingExchanges, local_energies
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.preconditioners import Schedule
from nqs.vmc.sampler import NotFiniteError, Sample

DIAGNOSE_EVERY = 50  # iterations between two estimates of errors, R-hat and autocorrelation


def unchanged(theta: np.ndarray) -> np.ndarray:
    """No projection."""
    return theta


@dataclass(frozen=True, eq=False)
class Task:
    """What is minimised and how.

    hamiltonian: of moves, or `RingExchanges`; ansatz: `nqs.ansatz.protocol.Ansatz` or a `RingAnsatz`; sampler:
    `nqs.vmc.sampler.Sampler` or a `RingSampler`;  steps: of the optimiser for each sample;  projection: what parameters
    are corrected to after each step;  snapshots: iterations whose parameters are kept;  rewinds: a run whose energies
    are no longer finite goes back to its parameters one update ago.
    """

    hamiltonian: Hamiltonian | RingExchanges
    ansatz: Any
    sampler: Any
    estimates: Estimates
    preconditioner: Schedule
    optimiser: Adam | Sgd
    max_iterations: int
    steps: int = 1
    projection: Callable[[np.ndarray], np.ndarray] = unchanged
    criterion: Criterion = field(default_factory=AllIterations)
    snapshots: Collection[int] = ()
    rewinds: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"steps: {self.steps}; at least one step of the optimiser for each sample")


@dataclass
class Run:
    """State of one run after `iteration` samples and `updates` steps.

    before: parameters one update ago;  trace: one row of `columns` per evaluated iteration, the first at the initial
    parameters.
    """

    theta: np.ndarray
    moments: np.ndarray
    chains: np.ndarray
    rng: np.random.Generator
    before: np.ndarray
    columns: tuple[str, ...]
    memory: stochastic_reconfiguration.Memory = field(default_factory=stochastic_reconfiguration.Memory)
    iteration: int = 0
    updates: int = 0
    status: Status = "running"
    message: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    trace: list[list[float]] = field(default_factory=list)
    snapshots: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def start(cls, task: Task, seed: int) -> Run:
        """Random parameters and chains from the run's seed."""
        rng = np.random.default_rng(seed)
        theta = task.ansatz.initial(rng)
        chains = task.sampler.start(rng, task.ansatz.at(theta))
        return cls(theta, task.optimiser.start(len(theta)), chains, rng, theta.copy(), task.estimates.columns)

    def end(self, status: Status, message: str = "") -> None:
        """Finish with a status; a message names the iteration."""
        self.status, self.message = status, f"iteration {self.iteration}: {message}" if message else ""

    def column(self, name: str) -> np.ndarray:
        """One column of the trace: (iteration,)."""
        return np.array(self.trace, dtype=float).reshape(-1, len(self.columns))[:, self.columns.index(name)]


def iterate(run: Run, task: Task) -> None:
    """Evaluate the energy at the current parameters and update them, or end the run."""
    wave = task.ansatz.at(run.theta)
    try:
        sample = task.sampler.draw(wave, run.chains, run.rng)
    except NotFiniteError as error:
        return break_off(run, task, str(error))
    energies = local_energies(task.hamiltonian, wave, sample.states)
    record(run, task, estimate(run, task, wave, sample, energies))
    if run.status == "running":
        update(run, task, wave, sample, energies)
    return None


def estimate(run: Run, task: Task, wave: Any, sample: Sample, energies: np.ndarray) -> Estimate:
    """The energy at the current parameters; diagnosed now and then and at the end."""
    found = task.estimates.of(wave, run.theta, sample, energies)
    last = run.iteration >= task.max_iterations or task.criterion.met(found.energy)
    if found.finite and (last or run.iteration % DIAGNOSE_EVERY == 0):
        return task.estimates.diagnosed(found, sample, energies)
    return found


def record(run: Run, task: Task, found: Estimate) -> None:
    """Write the evaluated iteration into the run, and end it if there is a reason to."""
    if not found.finite:
        return break_off(run, task, "the local energies are no longer finite")
    run.trace.append(found.row)
    if run.iteration in task.snapshots:
        run.snapshots[run.iteration] = run.theta.copy()
    if reason := task.criterion.end(found):
        run.end(*reason)
    elif run.iteration >= task.max_iterations:
        run.end("cap")
    return None


def break_off(run: Run, task: Task, message: str) -> None:
    """End a run whose sample or energies are no longer finite."""
    if task.rewinds:
        run.theta, message = run.before, f"{message}; kept the parameters before"
    run.end("diverged", message)


def update(run: Run, task: Task, wave: Any, sample: Sample, energies: np.ndarray) -> None:
    """The optimiser's steps from one sample."""
    states, weights = sample.states, sample.weights
    drawn_at = wave.log_psi(states) if task.steps > 1 else None
    preconditioner = task.preconditioner.at(run.iteration)
    for number in range(task.steps):
        if number > 0:
            wave = task.ansatz.at(run.theta)
            weights = importance(wave.log_psi(states), drawn_at, sample.weights)
            energies = local_energies(task.hamiltonian, wave, states)
            note_effective(run, effective_share(weights, sample))
        try:
            direction = preconditioner.direction(wave.derivatives(states), weights, energies, run.memory)
        except stochastic_reconfiguration.SingularError as error:
            return run.end("singular", str(error))
        step(run, task, direction)
        if run.status != "running":
            return None
    run.iteration += 1
    return None


def step(run: Run, task: Task, direction: np.ndarray) -> None:
    """One step of the optimiser along a direction (P,), or the end of the run."""
    change, moments = task.optimiser.step(direction, run.moments, run.updates)
    if not np.isfinite(change).all():
        return run.end("diverged", "the step is no longer finite; kept the parameters before")
    run.before, run.theta, run.moments = run.theta, task.projection(run.theta + change), moments
    run.updates += 1
    return None


def importance(log_psi: np.ndarray, drawn_at: np.ndarray | None, weights: np.ndarray) -> np.ndarray:
    """Weights of a sample of psi_0, there `weights`, times |psi / psi_0|^2, that add up to 1: (U,)."""
    change = 2 * (log_psi - drawn_at).real
    changed = weights / weights.max() * np.exp(change - change.max())
    return changed / changed.sum()


def effective_share(weights: np.ndarray, sample: Sample) -> float:
    """Share of the draws that importance weights (U,) still count: 1 where they are those of the sample."""
    times_drawn = np.rint(sample.n * sample.weights)
    return 1 / (sample.n * float(weights @ (weights / times_drawn)))


def note_effective(run: Run, share: float) -> None:
    """Keep the smallest effective share of an iteration, if its trace has one."""
    if "effective" in run.columns:
        place, row = run.columns.index("effective"), run.trace[-1]
        row[place] = min(row[place], share)


def train(run: Run, task: Task, after: Callable[[Run], bool] = lambda run: True) -> Run:
    """Iterate until the run ends; `after` is called after every iteration and stops the loop by returning False."""
    advance([run], lambda _: iterate(run, task), lambda _, run: after(run))
    return run


def advance(
    runs: Sequence[Run], iterate_all: Callable[[Sequence[int]], None], after: Callable[[int, Run], bool]
) -> None:
    """Iterate runs together until all have ended; those that have leave the others.

    iterate_all: takes the numbers of those still running.  after: called after every iteration for each run that took
    part in it; stops all by returning False. They share the time.
    """
    running = [number for number, run in enumerate(runs) if run.status == "running"]
    while running:
        cpu, wall = time.thread_time(), time.monotonic()
        iterate_all(running)
        cpu, wall = time.thread_time() - cpu, time.monotonic() - wall
        for number in running:
            runs[number].cpu_s += cpu / len(running)
            runs[number].wall_s += wall / len(running)
        if not all([after(number, runs[number]) for number in running]):
            return
        running = [number for number in running if runs[number].status == "running"]
