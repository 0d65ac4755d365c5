"""Restricted Boltzmann machines of one shape optimised together as one PyTorch program, on a GPU or the CPU.

The algorithm is that of `nqs.vmc.loop`, with a leading axis for the model: sample, local energies, natural gradient,
step. Every model keeps its own `Course`, which is up to date after every iteration, and its own random numbers, so
batching does not change a course beyond rounding, and any model can be stopped, resumed or continued elsewhere. A model
that ends, well or not, leaves the stack; the others go on.

Shapes: m models, U distinct states (padded with weight 0), P parameters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.rbm_torch import Machines, StackedDerivatives
from nqs.model.hamiltonians import Hamiltonian
from nqs.supervised.stacked import spins_of
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.gpu.moves import Moves
from nqs.vmc.gpu.rbm_sampler import StackSampler, stack_sampler
from nqs.vmc.loop import Course, Problem, estimate_energy, note, update


def train(
    courses: Sequence[Course],
    problem: Problem,
    device: str,
    after: Callable[[Sequence[Course]], bool] = lambda courses: True,
) -> None:
    """Iterate until every run has ended.

    device: `cpu` or `cuda`. `after` is called after every iteration with the runs that took part in it, and stops the
    loop by returning False.
    """
    assert isinstance(problem.ansatz, Rbm)
    running = [course for course in courses if course.status == "running"]
    sampler: StackSampler | None = None
    while running:
        sampler = sampler or stack_sampler(problem.sampler, len(running), device)
        cpu, wall = time.thread_time(), time.monotonic()
        iterate(running, problem, sampler, device)
        for course in running:  # they share the time
            course.cpu_s += (time.thread_time() - cpu) / len(running)
            course.wall_s += (time.monotonic() - wall) / len(running)
        if not after(running):
            break
        left = [course for course in running if course.status == "running"]
        if len(left) < len(running):
            running, sampler = left, None


def iterate(courses: Sequence[Course], problem: Problem, sampler: StackSampler, device: str) -> None:
    """Evaluate the energies at the current parameters and update them, or end runs."""
    assert isinstance(problem.ansatz, Rbm)
    machines = Machines.of(problem.ansatz, np.stack([course.theta for course in courses]), device)
    seeds = [int(course.rng.integers(1 << 63)) for course in courses]
    draws = sampler.draw(machines, np.stack([course.chains for course in courses]), seeds)
    energies = local_energies(problem.hamiltonian, machines, draws.states)
    on_host = energies.cpu().numpy()
    for course, sample, chains, row in zip(courses, draws.samples(), draws.chains, on_host, strict=True):
        course.chains = chains.copy()
        estimate = estimate_energy(sample, row[: len(sample.states)], problem, course.iteration)
        note(course, estimate, problem)
    if all(course.status != "running" for course in courses):
        return
    derivatives = machines.derivatives(draws.states)
    directions, failed = natural_gradients(derivatives, draws.weights, energies, problem.shift)
    for course, direction, singular in zip(courses, directions, failed, strict=True):
        if course.status == "running" and singular:
            course.end("singular", stochastic_reconfiguration.SINGULAR)
        elif course.status == "running":
            update(course, direction, problem)


def local_energies(hamiltonian: Hamiltonian, machines: Machines, states: Tensor) -> Tensor:
    """E_loc (m, U) of states (m, U), as `nqs.vmc.local_energy.local_energies`; moves must be of one kind."""
    moves = Moves.of(hamiltonian.moves, states.device)
    amplitudes = torch.as_tensor(hamiltonian.amplitudes, device=states.device)
    return diagonal(hamiltonian, states) + machines.ratios(states, moves.first, moves.second) @ amplitudes


def diagonal(hamiltonian: Hamiltonian, states: Tensor) -> Tensor:
    """<s|H|s> (m, U) of states (m, U)."""
    strings = torch.as_tensor(hamiltonian.strings.astype(np.int64), device=states.device)
    down = (spins_of(states, hamiltonian.n_sites) < 0).double()
    odd = (down @ (spins_of(strings, hamiltonian.n_sites) > 0).double().T) % 2  # (m, U, string)
    return (1 - 2 * odd) @ torch.as_tensor(hamiltonian.values, device=states.device)


def natural_gradients(
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Solutions (m, P) of stochastic reconfiguration, float64, and whether a model's matrix was singular (m,).

    weights (m, U) add up to 1; energies (m, U). Both ways of `nqs.vmc.stochastic_reconfiguration` are exact up to
    rounding, so the smaller matrix is factorised. A padded state only adds an uncoupled row to the tangent kernel.
    """
    energies = energies - (weights * energies).sum(-1, keepdim=True)
    smaller = in_sample_space if weights.shape[1] <= derivatives.n_parameters else in_parameter_space
    solutions, failed = smaller(derivatives, weights.float(), energies.float(), shift)
    return solutions.double().cpu().numpy(), failed.cpu().numpy()


def in_sample_space(
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, shift: float
) -> tuple[Tensor, Tensor]:
    """By the U x U tangent kernel: solutions (m, P) and failures (m,). energies (m, U) have mean 0; float32."""
    root = weights.sqrt()
    kernel = derivatives.tangent_kernel(weights)
    solution, failed = cholesky_solve(kernel, 2 * root * energies, shift)
    solution = root * solution
    solution -= weights * solution.sum(-1, keepdim=True)  # the centring of X^T
    return derivatives.backward(solution), failed


def in_parameter_space(
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, shift: float
) -> tuple[Tensor, Tensor]:
    """By the P x P matrix S, as `in_sample_space`."""
    matrix = derivatives.jacobian()
    matrix -= weights[:, None] @ matrix
    matrix *= weights.sqrt()[..., None]
    return cholesky_solve(matrix.mT @ matrix, 2 * derivatives.backward(weights * energies), shift)


def cholesky_solve(matrix: Tensor, right: Tensor, shift: float) -> tuple[Tensor, Tensor]:
    """x (m, n) with (matrix + shift 1) x = right, and where this failed (m,)."""
    matrix.diagonal(dim1=1, dim2=2).add_(shift)
    factor, info = torch.linalg.cholesky_ex(matrix)
    return torch.cholesky_solve(right[..., None], factor).squeeze(-1), info != 0
