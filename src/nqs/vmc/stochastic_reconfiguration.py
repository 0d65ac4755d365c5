"""Stochastic reconfiguration: the natural gradient from a weighted sample of states.

    direction = (S + shift 1)^-1 F,   S = <O O^T> - <O><O>^T,   F = 2 (<O E_loc> - <O><E_loc>)

[Sorella 1998; Carleo and Troyer 2017]. S is P x P, but U states span at most U directions, so with X = sqrt(w)(O - <O>)
the same direction is X^T (X X^T + shift 1)^-1 2 sqrt(w)(E_loc - <E_loc>), a U x U system. Equal states are merged and
carry weights w. A complex psi = exp(a + i phi) with real parameters of its own for a and phi has two such problems,
with the real part of E_loc and its imaginary part (`nqs.ansatz.amplitude_phase`). Three solvers, exact up to rounding
or tolerance:

    kernel      Cholesky of the U x U tangent kernel
    parameters  Cholesky of the P x P matrix S
    cg          conjugate gradients on S, whose products never form it; where they would be long, an approximate
                eigenspace of S from an earlier iteration (`Memory`) takes out its largest eigenvalues
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import blas, lapack

from nqs.ansatz.protocol import ComplexDerivatives, Derivatives
from nqs.runtime.errors import NqsError

TOLERANCE = 2e-5  # of the residual, relative to the force; the direction is then right to better than 1e-3
MAX_STEPS = 1000
EIGENVECTORS = 200
LONG = 60  # steps of conjugate gradients that make an eigenspace worth its cost


SINGULAR = "the matrix of stochastic reconfiguration is singular or too ill-conditioned; raise `shift`"


class SingularError(NqsError):
    """S + shift 1 is not positive definite in working precision."""


@dataclass
class Memory:
    """What the solver keeps from one iteration to the next: approximate leading eigenvectors of S.

    basis (k, P) with orthonormal rows and eigenvalues (k,), ascending; steps: those of the last solution; best: fewest
    since the basis was made; age: solutions since then.
    """

    basis: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    eigenvalues: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    steps: int = 0
    best: int = MAX_STEPS
    age: int = 0

    def stale(self) -> bool:
        """True if a new basis would pay: solutions take long, and longer than just after the last one."""
        if not len(self.basis):
            return self.steps > LONG
        return self.steps > LONG / 2 and (self.age >= 50 or (self.age >= 15 and self.steps > 1.3 * self.best))

    def renew(self, derivatives: Derivatives, weights: np.ndarray) -> None:
        """One step of subspace iteration with S, from the last basis or from random vectors."""
        size = min(EIGENVECTORS, derivatives.n_parameters // 4)
        if len(self.basis) != size:
            start = np.random.default_rng(size).normal(size=(size, derivatives.n_parameters))
            self.basis = start.astype(np.float32)
        matrix = derivatives.centred(weights)
        self.basis = np.linalg.qr(matrix.T @ (matrix @ self.basis.T))[0].T
        image = matrix @ self.basis.T
        values, vectors = np.linalg.eigh((image.T @ image).astype(np.float64))
        self.basis = np.ascontiguousarray(vectors.T.astype(np.float32) @ self.basis)
        self.eigenvalues, self.best, self.age = values.astype(np.float32), MAX_STEPS, 0

    def note(self, steps: int) -> None:
        """Take note of how long a solution took."""
        self.steps, self.best, self.age = steps, min(self.best, steps), self.age + 1

    def preconditioner(self, diagonal_shift: float) -> Callable[[np.ndarray], np.ndarray]:
        """Inverse of S + shift on the basis, scaled to 1 on its complement."""
        if not len(self.basis):
            return np.copy
        gain = (self.eigenvalues[0] + diagonal_shift) / (self.eigenvalues + diagonal_shift) - 1
        return lambda vector: vector + (gain.astype(np.float32) * (self.basis @ vector)) @ self.basis


def force(derivatives: Derivatives | ComplexDerivatives, weights: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """F = 2 Re cov(O, E_loc), the gradient of the energy: (P,).  weights (U,) add up to 1; energies (U,)."""
    if isinstance(derivatives, ComplexDerivatives):
        parts = (derivatives.amplitude, energies.real), (derivatives.phase, energies.imag)
        return np.concatenate([force(part, weights, values) for part, values in parts])
    return 2 * derivatives.backward((weights * (energies - weights @ energies)).astype(np.float32))


def direction(
    derivatives: Derivatives | ComplexDerivatives, weights: np.ndarray, energies: np.ndarray, diagonal_shift: float,
    method: str = "auto", memory: Memory | None = None,
) -> np.ndarray:  # fmt: skip
    """Natural gradient (P,), float64.

    weights (U,) add up to 1; energies (U,) local energies; method: auto, kernel, parameters or cg; memory: of the run,
    changed by cg, unused for complex wave functions. Raises SingularError if the matrix cannot be factorised.
    """
    if isinstance(derivatives, ComplexDerivatives):
        parts = (derivatives.amplitude, energies.real), (derivatives.phase, energies.imag)
        return np.concatenate([direction(part, weights, values, diagonal_shift, method) for part, values in parts])
    if method == "auto":
        method = cheapest(derivatives.n_states, derivatives.n_parameters)
    if method == "kernel":
        solution = in_sample_space(derivatives, weights, energies, diagonal_shift)
    elif method == "parameters":
        solution = in_parameter_space(derivatives, weights, energies, diagonal_shift)
    else:
        solution = by_conjugate_gradients(derivatives, weights, energies, diagonal_shift, memory or Memory())
    return solution.astype(np.float64)


def cheapest(n_states: int, n_parameters: int) -> str:
    """The solver that costs least for U states and P parameters, by operation counts times measured speeds."""
    microseconds = {
        "kernel": 6.5e-6 * n_states**3,
        "parameters": 1.5e-5 * n_states * n_parameters**2 + 6.5e-6 * n_parameters**3,
        "cg": 7.5e-3 * n_states * n_parameters,  # about 50 steps, each linear in U P
    }
    return min(microseconds, key=lambda name: microseconds[name])


def in_sample_space(
    derivatives: Derivatives, weights: np.ndarray, energies: np.ndarray, diagonal_shift: float
) -> np.ndarray:
    """By the U x U tangent kernel."""
    root = np.sqrt(weights)
    kernel = derivatives.tangent_kernel(weights, diagonal_shift)
    right = (2 * root * (energies - weights @ energies)).astype(np.float32)
    solution = root * cholesky_solve(kernel, right)
    solution -= weights * solution.sum()  # the centring of X^T
    return derivatives.backward(solution.astype(np.float32))


def in_parameter_space(
    derivatives: Derivatives, weights: np.ndarray, energies: np.ndarray, diagonal_shift: float
) -> np.ndarray:
    """By the P x P matrix S."""
    metric = blas.ssyrk(1.0, derivatives.centred(weights).T)
    metric[np.diag_indices(len(metric))] += np.float32(diagonal_shift)
    return cholesky_solve(metric, force(derivatives, weights, energies))


def cholesky_solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve with a symmetric positive matrix whose upper triangle is given, float32, overwritten."""
    factor, info = lapack.spotrf(matrix, lower=0, clean=0, overwrite_a=1)
    solution = lapack.spotrs(factor, right, lower=0)[0]
    if info or not np.isfinite(solution).all():
        raise SingularError(SINGULAR)
    return solution


def by_conjugate_gradients(
    derivatives: Derivatives, weights: np.ndarray, energies: np.ndarray, diagonal_shift: float, memory: Memory
) -> np.ndarray:
    """By preconditioned conjugate gradients; products with S cost two small matrix products."""
    single = weights.astype(np.float32)

    def metric(vector: np.ndarray) -> np.ndarray:
        values = derivatives.forward(vector)
        values -= single @ values
        return derivatives.backward(single * values) + np.float32(diagonal_shift) * vector

    if memory.stale():
        memory.renew(derivatives, weights)
    right = force(derivatives, weights, energies)
    try:
        solution, steps = conjugate_gradients(metric, right, memory.preconditioner(diagonal_shift))
    except SingularError:  # or only ill-conditioned: a factor tells
        smaller = derivatives.n_states <= derivatives.n_parameters
        return (in_sample_space if smaller else in_parameter_space)(derivatives, weights, energies, diagonal_shift)
    memory.note(steps)
    return solution


def conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray],
    right: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray] = np.copy,
    tolerance: float = TOLERANCE,
) -> tuple[np.ndarray, int]:
    """Solve product(x) = right, symmetric and positive; returns x and the number of steps.

    Raises SingularError if the product is not positive or the steps run out.
    """
    solution, residual = np.zeros_like(right), right.copy()
    search = precondition(residual)
    overlap = float(residual @ search)
    goal = tolerance * float(np.linalg.norm(right))
    for step in range(MAX_STEPS):
        if np.linalg.norm(residual) <= goal:
            return solution, step
        image = product(search)
        curvature = float(search @ image)
        if not curvature > 0:
            break
        solution += (overlap / curvature) * search
        residual -= (overlap / curvature) * image
        conditioned = precondition(residual)
        overlap, before = float(residual @ conditioned), overlap
        search = conditioned + (overlap / before) * search
    raise SingularError(SINGULAR)
