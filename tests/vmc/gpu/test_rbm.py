"""Machines optimised together give what each gives alone, and what the compiled loop gives."""

import os
from functools import partial

import numpy as np
import pytest
import torch
from support.vmc_problems import ENERGY, courses_of, p_value, ring_bonds, ring_problem, sampler_named

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.rbm_torch import Machines
from nqs.model.moves import exchanges
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.checkpoints import Checkpoints
from nqs.vmc import loop, stochastic_reconfiguration
from nqs.vmc.gpu import rbm as gpu_rbm
from nqs.vmc.gpu import rbm_sampler as gpu_rbm_sampler
from nqs.vmc.gpu.rbm_sampler import StackedChains, StackedExact, stack_sampler
from nqs.vmc.local_energy import local_energies
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.runs import kept, trace_table, train_all
from nqs.vmc.sampler import Chains, Exact
from nqs.vmc.stages import rbm as rbm_stage

SHIFT = 1e-3
SAMPLERS = ["exact", "flip", "exchange"]


@pytest.fixture(params=["table", "ratios"])
def by_table(request, monkeypatch):
    """Chains on a table of all states, and by ratios."""
    monkeypatch.setattr(gpu_rbm_sampler, "TABLE_SITES", 14 if request.param == "table" else 0)
    return request.param == "table"


def random_machines(ansatz, n_models, seed=0):
    """Parameters (m, P), the machines as a stack, and one by one."""
    theta = np.stack([ansatz.initial(np.random.default_rng([seed, model])) for model in range(n_models)])
    return theta, Machines.of(ansatz, theta, "cpu"), [ansatz.at(row) for row in theta]


def test_amplitudes_ratios_and_local_energies_are_those_of_each_machine():
    problem = ring_problem(6, None, ansatz=Rbm(6, 9, 0.4))
    _, machines, waves = random_machines(problem.ansatz, 3)
    states, bonds = np.arange(64, dtype=np.uint64), ring_bonds(6)
    packed = torch.arange(64).repeat(3, 1)
    energies = gpu_rbm.local_energies(problem.hamiltonian, machines, packed)
    for model, wave in enumerate(waves):
        np.testing.assert_allclose(machines.log_psi_all()[model], wave.log_psi_all(), atol=1e-12)
        ratios = machines.ratios(packed, *torch.as_tensor(bonds).unbind(1))[model]
        np.testing.assert_allclose(ratios, wave.ratios(states, exchanges(bonds)), rtol=1e-10)
        np.testing.assert_allclose(energies[model], local_energies(problem.hamiltonian, wave, states), rtol=1e-10)


def test_amplitudes_of_saturated_units():
    """Angles of several tens, whose tanh is 1 to rounding."""
    _, machines, (wave,) = random_machines(Rbm(6, 9, 12.0), 1)
    np.testing.assert_allclose(machines.log_psi_all()[0], wave.log_psi(np.arange(64, dtype=np.uint64)), rtol=1e-12)


@pytest.mark.parametrize("method", ["kernel", "parameters"])
def test_directions_on_equal_states_are_those_of_each_machine(method):
    """A padded sample of another length in the same stack changes nothing. Tolerance: float32, condition about 1e4."""
    problem = ring_problem(6, None, SHIFT, ansatz=Rbm(6, 9, 0.2))
    _, machines, waves = random_machines(problem.ansatz, 2)
    rng = np.random.default_rng(1)
    samples = [np.sort(rng.choice(64, size, replace=False)).astype(np.uint64) for size in (40, 25)]
    weights = [rng.dirichlet(np.ones(len(states))) for states in samples]
    states = np.stack([np.append(s, np.full(40 - len(s), s[0])) for s in samples]).astype(np.int64)
    padded = torch.as_tensor(np.stack([np.append(w, np.zeros(40 - len(w))) for w in weights]))
    packed = torch.as_tensor(states)
    energies = gpu_rbm.local_energies(problem.hamiltonian, machines, packed)
    energies -= (padded * energies).sum(-1, keepdim=True)
    solve = {"kernel": gpu_rbm.in_sample_space, "parameters": gpu_rbm.in_parameter_space}[method]
    directions, failed = solve(machines.derivatives(packed), padded.float(), energies.float(), SHIFT)
    assert not failed.any()
    for model, wave in enumerate(waves):
        local = local_energies(problem.hamiltonian, wave, samples[model])
        expected = stochastic_reconfiguration.direction(wave.derivatives(samples[model]), weights[model], local, SHIFT)
        assert np.linalg.norm(directions[model].numpy() - expected) < 1e-4 * np.linalg.norm(expected)


@pytest.mark.parametrize("zero_magnetisation", [False, True])
def test_exact_draws_follow_psi_squared(zero_magnetisation):
    _, machines, waves = random_machines(Rbm(6, 9, 0.3), 2)
    draws = StackedExact(Exact(6, 4096, zero_magnetisation), 2, "cpu").draw(machines, np.empty((2, 0)), [1, 2])
    sector = zero_magnetisation_states(6) if zero_magnetisation else None
    for sample, wave in zip(draws.samples(), waves, strict=True):
        assert sample.weights.sum() == pytest.approx(1)
        assert p_value(sample, wave.log_psi_all(), sector) > 1e-3


@pytest.mark.parametrize("name", ["flip", "exchange"])
def test_chains_follow_psi_squared(name, by_table):
    """256 chains, every tenth sweep, so that states are as good as independent."""
    moves = exchanges(ring_bonds(4)) if name == "exchange" else None
    chains = Chains(4, 4096, 256, discard=20, thinning=10, moves=moves)
    _, machines, waves = random_machines(Rbm(4, 8, 0.3), 2)
    start = np.stack([chains.start(np.random.default_rng(model)) for model in range(2)])
    draws = StackedChains(chains, 2, "cpu").draw(machines, start, [3, 4])
    sector = zero_magnetisation_states(4) if name == "exchange" else None
    for sample, wave in zip(draws.samples(), waves, strict=True):
        assert 0 < sample.acceptance < 1
        assert p_value(sample, wave.log_psi_all(), sector) > 1e-3


def test_merging_counts_each_state():
    drawn = torch.tensor([[3, 1, 3, 3], [7, 0, 5, 2]])
    states, weights, n_distinct = gpu_rbm_sampler.merged(drawn)
    assert n_distinct.tolist() == [2, 4]
    assert states[0, :3].tolist() == [1, 3, 1]  # padded with the first
    np.testing.assert_allclose(weights[0, :3], [0.25, 0.75, 0])
    assert states[1, :4].tolist() == [0, 2, 5, 7]
    np.testing.assert_allclose(weights.sum(1), 1)


@pytest.mark.parametrize("name", SAMPLERS)
def test_batched_equals_alone(name, by_table):
    problem = ring_problem(6, sampler_named(name, 6, 128, 8), max_iterations=6)
    together = courses_of(problem, range(3))
    gpu_rbm.train(together, problem, "cpu")
    for seed, course in enumerate(together):
        (alone,) = courses_of(problem, [seed])
        gpu_rbm.train([alone], problem, "cpu")
        assert (alone.status, alone.iteration) == (course.status, course.iteration) == ("cap", 6)
        assert np.array_equal(alone.chains, course.chains)
        np.testing.assert_allclose(alone.theta, course.theta, atol=1e-5)
        np.testing.assert_allclose(alone.trace, course.trace, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SAMPLERS)
def test_trained_states_are_as_good_as_those_of_the_loop(name):
    """Seed means of the sampled energy over the last iterations agree; the ring of 4 comes within 2 %."""
    problem = ring_problem(4, sampler_named(name, 4, 256), optimiser=Adam(0.02), max_iterations=100)
    stacked, looped = courses_of(problem, range(4)), courses_of(problem, range(4))
    gpu_rbm.train(stacked, problem, "cpu")
    for course in looped:
        loop.train(course, problem)
    late = [np.array([np.array(course.trace)[-20:, 0].mean() for course in courses]) for courses in (stacked, looped)]
    assert abs(late[0].mean() / ENERGY[4] - 1) < 0.02
    assert abs(late[0].mean() - late[1].mean()) < 3 * np.hypot(late[0].std(), late[1].std()) + 2e-3


def test_same_trace_columns_and_diagnostics_as_the_loop():
    problem = ring_problem(6, sampler_named("flip", 6), max_iterations=1, snapshots=[0, 1])
    (stacked,), (looped,) = courses_of(problem, [0]), courses_of(problem, [0])
    gpu_rbm.train([stacked], problem, "cpu")
    loop.train(looped, problem)
    assert np.shape(stacked.trace) == np.shape(looped.trace)
    assert np.isfinite(stacked.trace[-1]).all()
    np.testing.assert_array_equal(stacked.snapshots[0], looped.snapshots[0])
    assert stacked.wall_s > 0


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_model_that_is_not_a_number_ends_alone(name):
    problem = ring_problem(4, sampler_named(name, 4))
    courses, undisturbed = courses_of(problem, range(4)), courses_of(problem, [0, 3])
    courses[1].theta = courses[1].theta + np.nan
    courses[2].theta = np.inf * courses[2].theta
    gpu_rbm.train(courses, problem, "cpu")
    gpu_rbm.train(undisturbed, problem, "cpu")
    assert [course.status for course in courses] == ["cap", "diverged", "diverged", "cap"]
    assert courses[1].message.startswith("iteration 0: ")
    np.testing.assert_array_equal(courses[2].theta, courses[2].before)
    for course, alone in zip((courses[0], courses[3]), undisturbed, strict=True):
        np.testing.assert_allclose(course.theta, alone.theta, atol=1e-5)


def test_too_long_steps_end_as_diverged_with_finite_parameters():
    problem = ring_problem(4, sampler_named("exact", 4), optimiser=Sgd(np.inf))
    (course,) = courses_of(problem, [0])
    gpu_rbm.train([course], problem, "cpu")
    assert course.status == "diverged"
    assert np.isfinite(course.theta).all()


def test_a_frozen_model_ends_alone(by_table):
    problem = ring_problem(4, sampler_named("flip", 4))
    courses = courses_of(problem, range(2))
    courses[0].theta[:4] = 40.0  # all spins up, for good
    courses[0].chains[:] = 0b1111
    gpu_rbm.train(courses, problem, "cpu")
    assert [course.status for course in courses] == ["frozen", "cap"]


def test_a_singular_matrix_ends_the_run():
    problem = ring_problem(4, sampler_named("exact", 4), shift=-1.0)
    courses = courses_of(problem, range(2))
    gpu_rbm.train(courses, problem, "cpu")
    assert {course.status for course in courses} == {"singular"}
    assert "raise `shift`" in courses[0].message


def test_models_stop_one_by_one_at_the_criterion():
    problem = ring_problem(4, sampler_named("exact", 4), optimiser=Adam(0.02), tolerance=0.02, max_iterations=400)
    courses = courses_of(problem, range(3))
    gpu_rbm.train(courses, problem, "cpu")
    assert {course.status for course in courses} == {"converged"}
    assert len({course.iteration for course in courses}) > 1
    for course in courses:
        assert abs(course.trace[-1][0] / ENERGY[4] - 1) < 0.02


SETTINGS = {"key": {"study": "study", "cluster": "ring4", "alpha": 2, "mode": "paper", "run": "trace"}}
SEEDS = [1, 2]


def stacked(problem, checkpoints):
    """Two models as the stage trains them on a GPU, but on the CPU."""
    stack = partial(rbm_stage.train_stack, device="cpu")
    return train_all([problem] * 2, SEEDS, checkpoints, 1, "vmc", "model", stack)


@pytest.mark.parametrize("name", SAMPLERS)
def test_an_interrupted_cell_goes_on_with_the_same_result(name, tmp_path, monkeypatch):
    problem = ring_problem(4, sampler_named(name, 4))
    straight = stacked(problem, Checkpoints(None, "", 20))

    checkpoints = Checkpoints(tmp_path, "cell", 0)
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", killed_after(7, Checkpoints.save))
        with pytest.raises(KeyboardInterrupt):
            stacked(problem, checkpoints)
    halfway = [kept(checkpoints, f"model_{number}") for number in range(2)]
    assert [course and course.iteration for course in halfway] == [4, 3]  # killed between the two
    resumed = stacked(problem, checkpoints)
    for one, other in zip(straight, resumed, strict=True):
        np.testing.assert_allclose(one.theta, other.theta, atol=1e-5)
        np.testing.assert_allclose(one.trace, other.trace, rtol=1e-4, atol=1e-4)
        assert one.status == other.status == "cap"


def test_a_gpu_too_small_for_all_models_trains_them_in_turn_with_the_same_result(tmp_path, monkeypatch, capsys):
    problem = ring_problem(4, sampler_named("flip", 4))
    straight, iterate = stacked(problem, Checkpoints(None, "", 20)), gpu_rbm.iterate

    def with_room_for_one(runs, *others):
        if len(runs) > 1 and runs[0].iteration > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        iterate(runs, *others)

    monkeypatch.setattr(gpu_rbm, "iterate", with_room_for_one)
    for whole, part in zip(straight, stacked(problem, Checkpoints(tmp_path, "cell", 0)), strict=True):
        np.testing.assert_allclose(whole.theta, part.theta, atol=1e-5)
        np.testing.assert_allclose(whole.trace, part.trace, rtol=1e-4, atol=1e-4)
    assert "the GPU's memory is full: 1 models at once, not 2" in capsys.readouterr().err


def killed_after(count, save):
    """`save`, interrupted before its call number `count` + 1."""
    calls = iter(range(count))

    def save_or_die(self, key, **state):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        save(self, key, **state)

    return save_or_die


def test_the_table_of_models_names_the_device():
    problem = ring_problem(4, sampler_named("exact", 4), max_iterations=2)
    courses = stacked(problem, Checkpoints(None, "", 20))
    table = rbm_stage.model_table(SETTINGS, problem, SEEDS, courses, "cuda")
    assert table.device.tolist() == ["cuda", "cuda"]
    assert table.status.tolist() == ["cap", "cap"]
    assert trace_table(courses, "repeat").iteration.tolist() == [0, 1, 2] * 2


@pytest.mark.skipif(
    "TRITON_INTERPRET" not in os.environ, reason="compiled kernels need a GPU; TRITON_INTERPRET=1 does not"
)
@pytest.mark.parametrize("name", ["flip", "exchange"])
def test_the_kernel_for_gpus_makes_the_same_moves(name, by_table):
    pytest.importorskip("triton")
    chains = Chains(4, 16, 4, discard=2, moves=exchanges(ring_bonds(4)) if name == "exchange" else None)
    _, machines, _ = random_machines(Rbm(4, 5, 0.5), 2)
    start = np.stack([chains.start(np.random.default_rng(model)) for model in range(2)])
    plain, kernel = (
        StackedChains(chains, 2, "cpu", method).draw(machines, start, [1, 2]) for method in ("plain", "kernel")
    )
    np.testing.assert_array_equal(plain.drawn, kernel.drawn)
    np.testing.assert_array_equal(plain.acceptance, kernel.acceptance)


def test_samplers_of_the_loop_have_a_stacked_one():
    assert isinstance(stack_sampler(sampler_named("exact", 4), 1, "cpu"), StackedExact)
    assert isinstance(stack_sampler(sampler_named("flip", 4), 1, "cpu"), StackedChains)
