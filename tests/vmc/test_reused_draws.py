"""Draws from a table that serves several iterations: weights, renewal, and runs that end like those of exact draws."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.ansatz.amplitude_phase import AmplitudePhase
from nqs.ansatz.dense import DenseAnsatz
from nqs.model.hamiltonians import heisenberg
from nqs.runtime.errors import InputError
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.loop import Run, Task, train
from nqs.vmc.optimisers import Sgd
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.reused_draws import EFFECTIVE, LONGEST, ReusedDraws, parameters
from nqs.vmc.sampler import Exact, NotFiniteError

N = 10
DENSE = DenseAnsatz(N, (8, 8))
FAMILY = AmplitudePhase(DENSE, DENSE)
SAMPLES = 4000
STATES = ReusedDraws(DENSE, 1).sector


def wave(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    theta = FAMILY.initial(rng)
    return FAMILY.at(theta + scale * np.random.default_rng(1).normal(size=len(theta)))


def exact_mean(at, values):
    weights = np.exp(2 * at.log_modulus(STATES))
    return weights @ values / weights.sum()


def test_a_later_wave_is_sampled_with_weights_from_the_earlier_table():
    sampler, rng = ReusedDraws(DENSE, SAMPLES), np.random.default_rng(2)
    first, later = wave(0.3), wave(0.33)
    chains = sampler.start(rng, first)
    sampler.draw(first, chains, rng)
    before = chains[1:].copy()
    values = later.log_modulus(STATES) - first.log_modulus(STATES)  # what the weights change most
    means = []
    for _ in range(8):
        sample = sampler.draw(later, chains, rng)
        means.append(sample.weights @ values[np.searchsorted(STATES, sample.states)])
        assert_allclose(sample.weights.sum(), 1)
    assert (chains[1:] == before).all()
    assert chains[0] == 9  # one table for all of them
    expected = exact_mean(later, values)
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(exact_mean(first, values) - expected) > 4 * error  # so that weights of 1 would be seen
    assert abs(np.mean(means) - expected) < 4 * error


def test_the_table_is_made_anew_when_weights_spread_or_it_has_served_long():
    sampler, rng = ReusedDraws(DENSE, SAMPLES), np.random.default_rng(2)
    first, far = wave(0.1), wave(1.0)
    chains = sampler.start(rng, first)
    for _ in range(LONGEST):
        sampler.draw(first, chains, rng)
    assert chains[0] == LONGEST
    sampler.draw(first, chains, rng)
    assert chains[0] == 1
    sample = sampler.draw(far, chains, rng)
    assert chains[0] == 1
    assert (chains[1:] == parameters(far)).all()
    counts = sample.weights * SAMPLES
    assert_allclose(counts, np.rint(counts), atol=1e-6)  # plain draws again
    assert EFFECTIVE < 1


def test_runs_end_like_those_of_exact_draws_and_go_on_after_a_stop():
    bonds = np.array([[i, (i + 1) % N] for i in range(N)])
    task = partial(
        Task, hamiltonian=heisenberg(N, bonds, marshall=True), ansatz=FAMILY, estimates=SectorEstimates(N),
        preconditioner=StochasticReconfiguration(0.03), optimiser=Sgd(0.05), max_iterations=60,
    )  # fmt: skip
    plain, reused = (task(sampler=sampler) for sampler in (Exact(N, 1000, True), ReusedDraws(DENSE, 1000)))
    energies = [train(Run.start(task, 5), task).column("energy")[-10:].mean() for task in (plain, reused)]
    assert_allclose(energies[1], energies[0], rtol=0.02)
    whole = train(Run.start(reused, 5), reused)
    half = train(Run.start(reused, 5), reused, lambda run: run.iteration < 30)
    again = task(sampler=ReusedDraws(DENSE, 1000))  # as another process has it, without tables
    assert_allclose(train(half, again).theta, whole.theta, rtol=0, atol=0)


def test_bad_waves_and_sizes():
    sampler, rng = ReusedDraws(DENSE, 10), np.random.default_rng(0)
    broken = FAMILY.at(np.full(FAMILY.n_parameters, np.nan))
    with pytest.raises(NotFiniteError):
        sampler.draw(broken, sampler.start(rng, broken), rng)
    with pytest.raises(InputError, match="26 sites"):
        ReusedDraws(DenseAnsatz(26, (4,)), 10)
