"""Restricted Boltzmann machines of one shape optimised together as one PyTorch program, on a GPU or the CPU.

The algorithm is that of `nqs.vmc.loop`, with a leading axis for the model: sample, local energies, natural gradient,
step. Every model keeps its own `Run`, which is up to date after every iteration, and its own random numbers, so
batching does not change it beyond rounding, and any model can be stopped, resumed or continued elsewhere. A model
that ends, well or not, leaves the stack; the others go on.

It has only run on a CPU yet.

Shapes: m models, U distinct states (padded with weight 0), P parameters.
"""

from __future__ import annotations

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
from nqs.vmc.loop import Run, Task, advance, estimate, record, step
from nqs.vmc.preconditioners import StochasticReconfiguration


def train(
    runs: Sequence[Run], task: Task, device: str, after: Callable[[int, Run], bool] = lambda number, run: True
) -> None:
    """Iterate until every run has ended.

    device: `cpu` or `cuda`. `after` is called after every iteration for each run that took part in it, and stops the
    loop by returning False.
    """
    assert isinstance(task.ansatz, Rbm)
    sampler: dict[int, StackSampler] = {}  # by number of runs; one at a time

    def iterate_all(numbers: Sequence[int]) -> None:
        if len(numbers) not in sampler:
            sampler.clear()
            sampler[len(numbers)] = stack_sampler(task.sampler, len(numbers), device)
        iterate([runs[number] for number in numbers], task, sampler[len(numbers)], device)

    advance(runs, iterate_all, after)


def iterate(runs: Sequence[Run], task: Task, sampler: StackSampler, device: str) -> None:
    """Evaluate the energies at the current parameters and update them, or end runs."""
    assert isinstance(task.ansatz, Rbm)
    assert isinstance(task.preconditioner, StochasticReconfiguration)
    assert isinstance(task.hamiltonian, Hamiltonian)
    machines = Machines.of(task.ansatz, np.stack([run.theta for run in runs]), device)
    seeds = [int(run.rng.integers(1 << 63)) for run in runs]
    draws = sampler.draw(machines, np.stack([run.chains for run in runs]), seeds)
    energies = local_energies(task.hamiltonian, machines, draws.states)
    on_host = energies.cpu().numpy()
    for run, sample, chains, row in zip(runs, draws.samples(), draws.chains, on_host, strict=True):
        run.chains = chains.copy()
        record(run, task, estimate(run, task, None, sample, row[: len(sample.states)]))
    if all(run.status != "running" for run in runs):
        return
    diagonal_shift = task.preconditioner.diagonal_shift
    directions, failed = natural_gradients(machines.derivatives(draws.states), draws.weights, energies, diagonal_shift)
    for run, direction, singular in zip(runs, directions, failed, strict=True):
        if run.status == "running" and singular:
            run.end("singular", stochastic_reconfiguration.SINGULAR)
        elif run.status == "running":
            step(run, task, direction)
            run.iteration += run.status == "running"


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
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, diagonal_shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Solutions (m, P) of stochastic reconfiguration, float64, and whether a model's matrix was singular (m,).

    weights (m, U) add up to 1; energies (m, U). Both ways of `nqs.vmc.stochastic_reconfiguration` are exact up to
    rounding, so the smaller matrix is factorised. A padded state only adds an uncoupled row to the tangent kernel.
    """
    energies = energies - (weights * energies).sum(-1, keepdim=True)
    smaller = in_sample_space if weights.shape[1] <= derivatives.n_parameters else in_parameter_space
    solutions, failed = smaller(derivatives, weights.float(), energies.float(), diagonal_shift)
    return solutions.double().cpu().numpy(), failed.cpu().numpy()


def in_sample_space(
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, diagonal_shift: float
) -> tuple[Tensor, Tensor]:
    """By the U x U tangent kernel: solutions (m, P) and failures (m,). energies (m, U) have mean 0; float32."""
    root = weights.sqrt()
    kernel = derivatives.tangent_kernel(weights)
    solution, failed = cholesky_solve(kernel, 2 * root * energies, diagonal_shift)
    solution = root * solution
    solution -= weights * solution.sum(-1, keepdim=True)  # the centring of X^T
    return derivatives.backward(solution), failed


def in_parameter_space(
    derivatives: StackedDerivatives, weights: Tensor, energies: Tensor, diagonal_shift: float
) -> tuple[Tensor, Tensor]:
    """By the P x P matrix S, as `in_sample_space`."""
    matrix = derivatives.jacobian()
    matrix -= weights[:, None] @ matrix
    matrix *= weights.sqrt()[..., None]
    return cholesky_solve(matrix.mT @ matrix, 2 * derivatives.backward(weights * energies), diagonal_shift)


def cholesky_solve(matrix: Tensor, right: Tensor, diagonal_shift: float) -> tuple[Tensor, Tensor]:
    """x (m, n) with (matrix + shift 1) x = right, and where this failed (m,)."""
    matrix.diagonal(dim1=1, dim2=2).add_(diagonal_shift)
    factor, info = torch.linalg.cholesky_ex(matrix)
    return torch.cholesky_solve(right[..., None], factor).squeeze(-1), info != 0
