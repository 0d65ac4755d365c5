"""Fits of a given state by a network: Levenberg and Marquardt's method on -ln fidelity, by sums over all states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.vmc.natural_gradient import shifted
from nqs.vmc.tangent_space import Problem, TangentSpace, infidelity

GOOD_ENOUGH = 1e-12
LARGEST_SHIFT = 1e8


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
        tangents, right = space.system()
        step = shifted(shift * max(best, 1e-6))(tangents, right / max(1 - best, 1e-12))
        moved = theta + step
        if np.isfinite(moved).all() and np.abs(step).max() < 3:
            there, reached = _at(aim, ansatz, moved)
            if reached < best:
                theta, best, space, shift = moved, reached, there, max(shift / 2, 1e-9)
                continue
        shift *= 4
    return theta, best


def _at(aim: Problem, ansatz: ComplexAnsatz, theta: np.ndarray) -> tuple[TangentSpace, float]:
    """Tangent space and infidelity at theta."""
    psi = aim.amplitudes(ansatz.at(theta))
    assert isinstance(aim.h, Projector)
    return aim.tangent_space(ansatz, theta), infidelity(psi, aim.h.target)
