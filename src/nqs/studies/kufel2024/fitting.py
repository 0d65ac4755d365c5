"""Fits of a given state by a network: Levenberg and Marquardt's method on -ln fidelity, by sums over all states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.runtime.errors import InputError
from nqs.vmc.natural_gradient import shifted
from nqs.vmc.tangent_space import Problem, TangentSpace, infidelity

GOOD_ENOUGH = 1e-12
LARGEST_SHIFT = 1e8
LONGEST_STEP = 3.0  # of one parameter


@dataclass(frozen=True, eq=False)
class Projector:
    """-|target><target|, whose lowest state is the target."""

    target: np.ndarray

    def __matmul__(self, psi: np.ndarray) -> np.ndarray:
        return -self.target * np.vdot(self.target, psi)


def fit(
    problem: Problem, ansatz: ComplexAnsatz, target: np.ndarray, theta: np.ndarray, iterations: int
) -> tuple[np.ndarray, float]:
    """Parameters (P,) and infidelity of the network closest to target (K,), from theta on.

    A step is taken if it comes closer, and the shift is halved; otherwise the shift grows fourfold.
    """
    aim = Problem(problem.hamiltonian, problem.states, Projector(target))
    space, best = _at(aim, ansatz, theta)
    shift = 1e-2
    for _ in range(iterations):
        if best < GOOD_ENOUGH or shift > LARGEST_SHIFT:
            break
        step = _step(space, best, shift)
        if step is not None:
            there, reached = _at(aim, ansatz, theta + step)
            if reached < best:
                theta, best, space, shift = theta + step, reached, there, max(shift / 2, 1e-9)
                continue
        shift *= 4
    return theta, best


def _step(space: TangentSpace, reached: float, shift: float) -> np.ndarray | None:
    """The step (P,) with this shift, relative to the infidelity reached; None where it is too long or undefined."""
    tangents, right = space.system()
    try:
        step = shifted(shift * max(reached, 1e-6))(tangents, right / max(1 - reached, 1e-12))
    except InputError:  # singular but for a shift that rounding swallows
        return None
    return step if np.isfinite(step).all() and np.abs(step).max() < LONGEST_STEP else None


def _at(aim: Problem, ansatz: ComplexAnsatz, theta: np.ndarray) -> tuple[TangentSpace, float]:
    """Tangent space and infidelity at theta."""
    psi = aim.amplitudes(ansatz.at(theta))
    assert isinstance(aim.h, Projector)
    return aim.tangent_space(ansatz, theta), infidelity(psi, aim.h.target)
