"""Time-dependent variational Monte Carlo [Carleo et al. 2012; Kufel 2024, challenge of dynamics].

    S d theta / dt = -i F       (real time),      each right-hand side by sums over a basis or by samples

Two integrators: Heun's second-order rule with a fixed step, which noise does not disturb, and Runge-Kutta pairs with
steps chosen by a tolerance (scipy), for exact sums. An integration that leaves its tolerance stops; what it has
computed until then is kept, with the time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.runtime.errors import InputError
from nqs.vmc.natural_gradient import Solver
from nqs.vmc.tangent_space import REAL_TIME, Problem

Velocity = Callable[[np.ndarray], np.ndarray]  # theta (P,) -> d theta / dt (P,)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """times (T,), parameters (T, P); stopped: why it ends before its time, empty if it does not."""

    times: np.ndarray
    parameters: np.ndarray
    stopped: str = ""


def exact_velocity(problem: Problem, ansatz: ComplexAnsatz, solver: Solver, factor: complex = REAL_TIME) -> Velocity:
    """By sums over the whole basis."""
    return lambda theta: solver(*problem.tangent_space(ansatz, theta).system(factor))


def sampled_velocity(
    problem: Problem,
    ansatz: ComplexAnsatz,
    solver: Solver,
    n_samples: int,
    rng: np.random.Generator,
    factor: complex = REAL_TIME,
) -> Velocity:
    """By fresh independent samples at every call."""

    return lambda theta: solver(*problem.drawn(ansatz, theta, n_samples, rng).system(factor))


def heun(velocity: Velocity, theta: np.ndarray, times: np.ndarray, step: float) -> Trajectory:
    """Second order with steps of at most `step` between the times (T,), ascending; stops where it is not finite."""
    check_times(times)
    if not step > 0:
        raise InputError(f"step: {step}; needs a positive time step")
    kept = [theta]
    for begin, end in itertools.pairwise(times):
        count = max(1, int(np.ceil((end - begin) / step - 1e-9)))
        size = (end - begin) / count
        for one in range(count):
            try:
                first = velocity(theta)
                theta = theta + size / 2 * (first + velocity(theta + size * first))
            except InputError as error:
                return _stopped(times, kept, begin + one * size, str(error))
            if not np.isfinite(theta).all():
                return _stopped(times, kept, begin + one * size, "parameters are not finite")
        kept.append(theta)
    return Trajectory(times, np.array(kept))


def adaptive(
    velocity: Velocity, theta: np.ndarray, times: np.ndarray, tolerance: float, smallest: float = 1e-7
) -> Trajectory:
    """Runge-Kutta 5(4) between the times (T,), local error below `tolerance`; steps below `smallest` are given up."""
    check_times(times)
    kept, begin = [theta], float(times[0])
    for end in times[1:]:
        try:
            solution = solve_ivp(
                guarded(velocity, smallest),
                (begin, end),
                kept[-1],
                rtol=tolerance,
                atol=tolerance,
                max_step=end - begin,
            )
        except (StepTooSmall, InputError) as error:
            return _stopped(times, kept, begin, str(error))
        if solution.status != 0 or not np.isfinite(solution.y[:, -1]).all():
            return _stopped(times, kept, float(solution.t[-1]), f"left its tolerance of {tolerance:g}")
        kept.append(solution.y[:, -1])
        begin = float(end)
    return Trajectory(times, np.array(kept))


class StepTooSmall(Exception):
    """The tolerance asks for steps that lead nowhere."""


def guarded(velocity: Velocity, smallest: float, most: int = 50) -> Callable[[float, np.ndarray], np.ndarray]:
    """The velocity by time and theta; StepTooSmall once many calls in a row are closer than `smallest`."""
    last, close = [-np.inf], [0]

    def of_time(time: float, theta: np.ndarray) -> np.ndarray:
        close[0] = close[0] + 1 if abs(time - last[0]) < smallest else 0
        last[0] = time
        if close[0] > most:
            raise StepTooSmall(f"needs steps below {smallest:g} at t = {time:.4g}")
        return velocity(theta)

    return of_time


def check_times(times: np.ndarray) -> None:
    """InputError unless there are two or more, ascending."""
    if len(times) < 2 or not (np.diff(times) > 0).all():
        raise InputError("times: give two or more, ascending")


def _stopped(times: np.ndarray, kept: list[np.ndarray], when: float, why: str) -> Trajectory:
    return Trajectory(times[: len(kept)], np.array(kept), f"stopped at t = {when:.4g}: {why}")
