"""The one loop of all stages against steps written by hand, on samples that hold every state with its exact weight."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.vmc_problems import ENERGY, ring_problem

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.model.states import zero_magnetisation_states
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.local_energy import local_energies
from nqs.vmc.loop import Run, Task, train
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.preconditioners import Identity
from nqs.vmc.ring_task import RingExchanges
from nqs.vmc.sampler import Sample

DRAWS = 10**12  # so many that every state is drawn


class Everything:
    """All states of a list, each with its weight."""

    def __init__(self, states):
        self.states = states

    def start(self, rng, wave=None):
        return np.empty(0, np.uint64)

    def draw(self, wave, chains, rng):
        weights = np.exp(2 * wave.log_psi(self.states))
        return Sample(self.states, weights / weights.sum(), DRAWS)


def descent(n_sites, width=3, **changes):
    """Plain gradient descent of sum P with a shallow network, without noise."""
    network = ShallowCnn(n_sites, width, "traj")
    task = Task(
        RingExchanges(), network, Everything(zero_magnetisation_states(n_sites)), SectorEstimates(n_sites), Identity(),
        Sgd(0.02), max_iterations=12, projection=network.after_update,
    )  # fmt: skip
    return replace(task, **changes)


def exchanges(n_sites):
    """H = sum P_{n,n+1} on the states of zero magnetisation, one sublattice turned, as a matrix."""
    states = zero_magnetisation_states(n_sites).astype(int)
    matrix = np.zeros((len(states), len(states)))
    for column, state in enumerate(states):
        for site in range(n_sites):
            bond = (1 << site) | (1 << (site + 1) % n_sites)
            like = state & bond in (0, bond)
            matrix[np.searchsorted(states, state if like else state ^ bond), column] += 1 if like else -1
    return matrix


def slopes(function, theta, step=1e-5):
    """Derivatives by central differences: (P, ...)."""
    return np.array([(function(theta + d) - function(theta - d)) / (2 * step) for d in step * np.eye(len(theta))])


@pytest.mark.parametrize("n_sites", [4, 6])
def test_the_loop_without_preconditioner_is_gradient_descent(n_sites):
    task, matrix = descent(n_sites), exchanges(n_sites)
    states = zero_magnetisation_states(n_sites)

    def energy(theta):
        psi = np.exp(task.ansatz.at(theta).log_psi(states))
        return psi @ matrix @ psi / (psi @ psi)

    run = Run.start(task, 1)
    theta, energies = run.theta, []
    for _ in range(task.max_iterations):
        energies.append(energy(theta))
        theta = task.ansatz.symmetrised(theta - 0.02 * slopes(energy, theta))
    assert train(run, task).status == "cap"
    assert_allclose(run.column("energy")[:-1], energies, atol=1e-8)
    assert_allclose(run.theta, theta, atol=1e-7)
    assert energies[-1] < energies[0] - 0.01


@pytest.mark.parametrize("optimiser", [Sgd(0.02), Adam(0.01)])
def test_steps_from_one_exact_sample_are_as_good_as_samples(optimiser):
    """Importance weights then make up for the sample of other parameters exactly."""
    one, three = descent(6, optimiser=optimiser), descent(6, optimiser=optimiser, steps=3, max_iterations=4)
    often, seldom = (train(Run.start(task, 1), task) for task in (one, three))
    assert (often.iteration, seldom.iteration) == (12, 4)
    assert often.updates == seldom.updates == 12
    assert_allclose(seldom.theta, often.theta, atol=1e-8)  # Adam turns rounding where psi does not change into steps
    assert_allclose(seldom.column("energy"), often.column("energy")[::3], atol=1e-12)


@pytest.mark.parametrize("n_sites", [4, 6])
def test_the_loop_with_reconfiguration_is_a_dense_solution(n_sites):
    shift, rate = 1e-2, 0.05
    states = np.arange(1 << n_sites, dtype=np.uint64)
    task = ring_problem(
        n_sites, Everything(states), shift, ansatz=Rbm(n_sites, n_sites, 0.3), optimiser=Sgd(rate), max_iterations=4
    )
    run = Run.start(task, 0)
    theta = run.theta
    for _ in range(task.max_iterations):
        wave = task.ansatz.at(theta)
        weights = np.exp(2 * wave.log_psi(states))
        weights /= weights.sum()
        jacobian = slopes(lambda theta: task.ansatz.at(theta).log_psi(states), theta).T
        centred = jacobian - weights @ jacobian
        energies = local_energies(task.hamiltonian, wave, states)
        metric = (centred.T * weights) @ centred + shift * np.eye(len(theta))
        theta = theta - rate * np.linalg.solve(metric, 2 * centred.T @ (weights * energies))
    train(run, task)
    moved = np.linalg.norm(theta - Run.start(task, 0).theta)
    assert np.linalg.norm(run.theta - theta) < 1e-3 * moved
    assert ENERGY[n_sites] < run.column("energy")[-1] < run.column("energy")[0]
