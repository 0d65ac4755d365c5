"""Energy descent: gradients, training, importance sampling, convergence, resumption."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import MotifTable
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.errors import InputError
from nqs.vmc.convergence import convergence
from nqs.vmc.estimates import energy_of
from nqs.vmc.loop import Run, importance, iterate, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import energy_gradient
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task
from nqs.vmc.runs import train_all


def exact(family, theta):
    """Energy and its gradient by summing over all states."""
    states, wave = zero_magnetisation_states(family.n_sites)[:, None], family.at(theta)
    logs, energies = wave.log_psi(states), wave.ring_energies(states)
    weights = np.exp(2 * (logs - logs.max()))
    weights /= weights.sum()
    return weights @ energies, energy_gradient(wave.derivatives(states), weights, energies)


def problem(family=None, n_sites=8, samples=2000, rate=3e-2, iterations=30, **changes):
    family = family or ShallowCnn(n_sites, 3, "traj")
    return ring_task(family, RingSampler(n_sites, samples, 100), Adam(rate), max_iterations=iterations, **changes)


def optimum(n_sites):
    """Lowest energy of any product over windows of three sites."""
    family = Cps(n_sites, 3)
    return minimize(lambda theta: exact(family, theta), np.linspace(-0.1, 0.1, 8), jac=True).fun


@pytest.mark.parametrize("family", [ShallowCnn(8, 3), ShallowCnn(8, 5), Cps(8, 4)], ids=repr)
def test_the_gradient_is_the_slope_of_the_energy(family):
    theta = family.initial(np.random.default_rng(4)) + 0.05
    numerical = [(exact(family, theta + d)[0] - exact(family, theta - d)[0]) / 2e-5 for d in 1e-5 * np.eye(len(theta))]
    assert_allclose(exact(family, theta)[1], numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("n_sites", [8, 10, 12])
@pytest.mark.parametrize("make", [Cps, lambda n_sites, width: ShallowCnn(n_sites, width, "traj")], ids=["CPS", "CNN"])
def test_training_reaches_the_optimum(make, n_sites):
    task = problem(make(n_sites, 3), n_sites, samples=1000, iterations=150)
    course = train(Run.start(task, 2), task)
    energy, best = exact(task.ansatz, course.theta)[0], optimum(n_sites)
    assert best - 1e-9 < energy < best + 2e-3 * abs(best)
    assert course.status == "cap"
    assert (course.iteration, course.updates, len(course.trace)) == (150, 150, 151)


def test_sampled_energies_scatter_about_the_exact_one_by_their_errors():
    family = ShallowCnn(10, 4)
    theta = family.initial(np.random.default_rng(0))
    for chains, stride in ((100, None), (2, 1)):
        sampler, rng = RingSampler(10, 2000, chains, stride=stride), np.random.default_rng(1)
        words, pulls = sampler.start(rng, family.at(theta)), []
        for _ in range(60):
            sample = sampler.draw(family.at(theta), words, rng)
            energies = sample.along_chains(family.at(theta).ring_energies(sample.states))
            mean, error, _, _ = energy_of(energies)
            pulls.append((mean - exact(family, theta)[0]) / error)
        assert 0.7 < np.std(pulls) < 1.35
        assert abs(np.mean(pulls)) < 0.6


def test_importance_weights_move_a_sample_to_other_parameters():
    task = replace(problem(), sampler=RingSampler(8, 40_000, 200, stride=16))
    course = Run.start(task, 2)
    there = course.theta + np.linspace(-0.1, 0.1, 8)
    wave, target = task.ansatz.at(course.theta), task.ansatz.at(there)
    sample = task.sampler.draw(wave, course.chains, course.rng)
    states = sample.states
    weights = importance(target.log_psi(states), wave.log_psi(states), sample.weights)
    energies = target.ring_energies(states)
    energy, gradient = exact(task.ansatz, there)
    assert abs(exact(task.ansatz, course.theta)[0] - energy) > 0.4
    assert_allclose(weights @ energies, energy, atol=0.05)
    assert_allclose(energy_gradient(target.derivatives(states), weights, energies), gradient, atol=0.1)
    assert np.linalg.norm(gradient) > 1


def test_ten_steps_per_sample_go_further_than_one():
    one, ten = problem(rate=5e-3, iterations=12), problem(rate=5e-3, iterations=12, steps=10)
    courses = [train(Run.start(task, 2), task) for task in (one, ten)]
    energies = [exact(one.ansatz, course.theta)[0] for course in courses]
    assert energies[1] < energies[0] - 0.3
    assert [course.updates for course in courses] == [12, 120]
    assert (courses[0].column("effective") == 1).all()
    assert 0.2 < courses[1].column("effective").min() < 1
    assert np.abs(courses[1].column("grand_sum")).max() < 1e-13


def test_runs_without_a_gradient_stay_and_are_flagged():
    task = problem(ShallowCnn(8, 3), iterations=5)
    course = Run.start(task, 0)
    course.theta = np.array([1.0, 0.5, -0.1, -0.2, 0.4, 0.3, -0.3, -3.0])  # no motif activates the filter
    before = course.theta.copy()
    train(course, task)
    assert_array_equal(course.theta, before)
    assert (course.column("stuck") == 1).all()
    assert course.status == "cap"
    assert (train(Run.start(problem(), 2), problem()).column("stuck") == 0).all()


def test_side_by_side_is_one_by_one():
    tasks = [problem(iterations=5), problem(rate=1e-3, iterations=4), problem(ShallowCnn(8, 4), iterations=5, steps=3)]
    together = train_all(tasks, range(3), Checkpoints(None, ""), 2, "test")
    for seed, (task, course) in enumerate(zip(tasks, together, strict=True)):
        alone = train(Run.start(task, seed), task)
        assert_array_equal(course.theta, alone.theta)
        assert course.trace == alone.trace


def test_a_run_that_stops_goes_on_as_if_it_had_not():
    task = problem(iterations=8, steps=2, snapshots=(3,))
    whole = train(Run.start(task, 1), task)
    part = train(Run.start(task, 1), task, lambda course: course.iteration < 4)
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(json.dumps(part.rng.bit_generator.state))
    state = {name: value for name, value in vars(part).items() if name != "rng"}
    again = train(Run(rng=rng, **state), task)
    assert_array_equal(again.theta, whole.theta)
    assert_array_equal(again.snapshots[3], whole.snapshots[3])
    assert again.trace == whole.trace
    assert len(whole.trace) == 9


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_step_that_is_no_number_ends_the_run_with_the_parameters_before():
    task = problem(rate=np.inf)
    course = Run.start(task, 2)
    before = course.theta.copy()
    iterate(course, task)
    assert course.status == "diverged"
    assert "iteration 0" in course.message
    assert_array_equal(course.theta, before)


def test_the_single_chain_of_the_reference_code():
    sampler, family = RingSampler(8, 500, 1, "pair", stride=1, burn_in=0), ShallowCnn(8, 3)
    task = ring_task(family, sampler, Adam(1e-2), max_iterations=3)
    course = train(Run.start(task, 2), task)
    assert course.column("autocorrelation_time").min() > 2
    assert course.status == "cap"


def test_convergence_is_the_rule_of_the_paper():
    energies = -20 + 2 * np.exp(-np.arange(200) / 10)
    found = convergence(energies, np.full(200, 0.01), window=10)
    averages = [energies[t - 9 : t + 1].mean() for t in range(9, 200)]
    met = [t for t in range(5, 191) if abs(averages[t] / averages[t - 5] - 1) < 1e-4]
    assert found.iteration == met[0] + 9
    assert found.reached
    assert convergence(energies, np.zeros(200), window=5).iteration < found.iteration
    never = convergence(energies[:40], np.zeros(40), window=10)
    assert (never.iteration, never.reached) == (39, False)
    with pytest.raises(InputError, match="too few"):
        convergence(energies[:14], np.zeros(14), window=10)


@pytest.mark.parametrize("window", [5, 10, 3])
def test_the_noise_of_the_rule_is_that_of_noisy_energies(window):
    rng = np.random.default_rng(0)
    energies = -20 + rng.normal(0, 0.05, 40_000)
    averages = np.convolve(energies, np.full(window, 1 / window), "valid")
    changes = averages[5:] / averages[:-5] - 1
    noise = convergence(energies, np.full(40_000, 0.05), window, tolerance=0).noise
    assert_allclose(noise, changes.std(), rtol=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 501}, "multiple"),
        ({"n_sites": 7}, "odd"),
        ({"proposals": "loop"}, "neighbour, pair"),
    ],
)
def test_impossible_samplers_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        RingSampler(**({"n_sites": 8, "samples": 500, "chains": 100} | change))


def test_problems_need_a_step():
    with pytest.raises(InputError, match="at least one step"):
        problem(steps=0)


@pytest.mark.parametrize("proposals", ["neighbour", "pair"])
def test_long_rings_agree_with_the_transfer_matrix(proposals):
    transfer_matrix = pytest.importorskip("nqs.exact.transfer_matrix")
    family = ShallowCnn(240, 4, "init")
    theta = family.initial(np.random.default_rng(7))
    wave = family.at(theta)
    sampler, rng = RingSampler(240, 4000, 200, proposals), np.random.default_rng(8)
    sample = sampler.draw(wave, sampler.start(rng, wave), rng)
    mean, error, _, _ = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
    assert isinstance(wave, MotifTable)
    assert abs(mean - transfer_matrix.measure(240, wave.motifs).energy) < 4 * error < 4
