"""Energy minimisation of small systems by exact sums or samples: plain gradient, Adam, natural gradient.

Every rule turns a tangent space into a step (P,). On a whole basis the energies are exact, so a curve shows the
optimiser alone [Kufel 2024, key idea 3].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.runtime.errors import InputError
from nqs.vmc.natural_gradient import Solver, in_parameter_space, in_sample_space
from nqs.vmc.tangent_space import Problem, TangentSpace

Rule = Callable[[TangentSpace], np.ndarray]  # step (P,)


def plain(rate: float) -> Rule:
    """-rate F."""
    return lambda space: -rate * space.force()


def natural(rate: float, solver: Solver) -> Rule:
    """rate d, d the solution of min |X d + r|^2."""
    return lambda space: rate * solver(*space.system())


def sr(rate: float, shift: float) -> Rule:
    """Stochastic reconfiguration in the space of parameters."""
    return natural(rate, lambda tangents, right: in_parameter_space(tangents, right, shift))


def min_sr(rate: float, shift: float) -> Rule:
    """The same step in the space of samples."""
    return natural(rate, lambda tangents, right: in_sample_space(tangents, right, shift))


@dataclass
class Adam:
    """Adam [Kingma and Ba 2015] on F; complex parameters by their real and imaginary parts."""

    rate: float
    decay: float = 0.9
    square_decay: float = 0.999
    floor: float = 1e-8
    count: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(1))
    square: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def __call__(self, space: TangentSpace) -> np.ndarray:
        force = space.force()
        parts = np.stack([force.real, force.imag])
        self.count += 1
        self.mean = self.decay * self.mean + (1 - self.decay) * parts
        self.square = self.square_decay * self.square + (1 - self.square_decay) * parts**2
        mean, square = self.mean / (1 - self.decay**self.count), self.square / (1 - self.square_decay**self.count)
        step = -self.rate * mean / (np.sqrt(square) + self.floor)
        return step[0] + 1j * step[1] if space.holomorphic else step[0]


@dataclass(frozen=True, eq=False)
class Descent:
    """energies, variances (I,) before each of I steps; theta (P,) after the last; finite: it did not diverge."""

    energies: np.ndarray
    variances: np.ndarray
    theta: np.ndarray
    finite: bool


def minimise(
    problem: Problem,
    ansatz: ComplexAnsatz,
    theta: np.ndarray,
    rule: Rule,
    steps: int,
    n_samples: int = 0,
    rng: np.random.Generator | None = None,
    watch: Callable[[int, np.ndarray, TangentSpace], None] = lambda step, theta, space: None,
) -> Descent:
    """Steps from theta (P,), by sums over the basis or by n_samples fresh samples each; stops where it diverges.

    watch: called before each step with its number, the parameters and the tangent space.
    """
    energies, variances = [], []
    for step in range(steps):
        if n_samples:
            assert rng is not None
            space = problem.drawn(ansatz, theta, n_samples, rng)
        else:
            space = problem.tangent_space(ansatz, theta)
        watch(step, theta, space)
        energies.append(space.energy)
        variances.append(space.variance)
        new = _moved(problem, ansatz, theta, rule, space)
        if new is None:
            return Descent(np.array(energies), np.array(variances), theta, finite=False)
        theta = new
    return Descent(np.array(energies), np.array(variances), theta, finite=True)


def _moved(
    problem: Problem, ansatz: ComplexAnsatz, theta: np.ndarray, rule: Rule, space: TangentSpace
) -> np.ndarray | None:
    """Parameters after a step; None where it cannot be found or psi is not finite there."""
    try:
        new: np.ndarray = theta + rule(space)
        problem.amplitudes(ansatz.at(new))
    except InputError:
        return None
    return new if np.isfinite(new).all() else None
