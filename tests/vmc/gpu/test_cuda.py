"""The same numbers on a GPU as on the CPU. Run with `./nqs test --gpu` where there is one."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from support.motif_stacks import drawn, problems_of, start_of, stored_copies, waves_of
from support.motif_stacks import p_value as motif_p_value
from support.vmc_problems import ENERGY, courses_of, p_value, ring_bonds, ring_problem, sampler_named

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.rbm_torch import Machines
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.torch_network import TorchAnsatz
from nqs.exact import transfer_matrix
from nqs.model.moves import exchanges
from nqs.model.states import zero_magnetisation_states
from nqs.networks.architectures.cnn import PeriodicCNN
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry, Network
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.device import choose
from nqs.supervised.ensemble import evaluator, train
from nqs.supervised.members import Member, Settings, Trajectory
from nqs.supervised.members import keep as keep_member
from nqs.vmc import loop
from nqs.vmc.estimates import energy_of
from nqs.vmc.gpu import rbm as gpu_rbm
from nqs.vmc.gpu import rbm_sampler as gpu_rbm_sampler
from nqs.vmc.gpu import ring as gpu_ring
from nqs.vmc.gpu.rbm_sampler import StackedChains, StackedExact
from nqs.vmc.gpu.ring import MotifStack
from nqs.vmc.gpu.ring_sampler import spins_of, words_of
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_evaluation import exact_energy
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.runs import keep, train_all
from nqs.vmc.sampler import Chains, Exact

pytestmark = pytest.mark.gpu
GEOMETRY = Geometry(16, (4, 4))
SETTINGS = Settings(learning_rate=1e-3, batch=64, check_every=10, patience=5, max_updates=60)
NETWORKS: dict[str, Network] = {
    "dense sign": Dense(GEOMETRY, "sign", (32, 32)),
    "dense amplitude": Dense(GEOMETRY, "amplitude", (32, 32)),
    "cnn sign": PeriodicCNN(GEOMETRY, "sign", (8, 12), 3),
}


def members(target):
    made = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        states = rng.integers(0, 1 << 16, 500).astype(np.uint64)
        labels = np.where(np.bitwise_count(states & np.uint64(0b111)) > 1, 1, -1).astype(np.float32)
        labels = labels if target == "sign" else labels - 5
        made.append(Member(seed, states[:400], labels[:400], states[400:], labels[400:]))
    return made


def test_auto_takes_the_gpu():
    assert choose("auto") == "cuda"


@pytest.mark.parametrize("name", NETWORKS)
def test_training_equals_the_cpu(name):
    """Tolerance 1e-3 in the losses: 60 updates in float32, sums in another order."""
    network = NETWORKS[name]
    for on_cpu, on_gpu in zip(
        train(network, members(network.target), SETTINGS, "cpu"),
        train(network, members(network.target), SETTINGS, "cuda"),
        strict=True,
    ):
        assert on_cpu.updates == on_gpu.updates
        np.testing.assert_allclose(on_cpu.losses, on_gpu.losses, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_evaluation_equals_the_cpu(name):
    network = NETWORKS[name]
    theta = Trajectory.start(network, 1).theta
    states = np.random.default_rng(0).integers(0, 1 << 16, 1000).astype(np.uint64)
    np.testing.assert_allclose(
        evaluator(network, theta, "cuda")(states), evaluator(network, theta, "cpu")(states), atol=1e-4
    )


def test_a_checkpoint_of_the_gpu_is_resumed_on_the_cpu(tmp_path):
    network, data = NETWORKS["dense sign"], members("sign")
    short = Settings(**{**vars(SETTINGS), "max_updates": 20})
    checkpoints = Checkpoints(tmp_path, "training", interval=0)
    trajectories = train(network, data, short, "cuda", checkpoints=checkpoints)
    for number, trajectory in enumerate(trajectories):
        keep_member(checkpoints, number, trajectory)
    for resumed, straight in zip(
        train(network, data, SETTINGS, "cpu", checkpoints=checkpoints),
        train(network, data, SETTINGS, "cpu"),
        strict=True,
    ):
        np.testing.assert_allclose(resumed.losses, straight.losses, rtol=1e-3, atol=1e-3)


SAMPLERS = ["exact", "flip", "exchange"]


@pytest.fixture(params=["table", "ratios"])
def by_table(request, monkeypatch):
    """Chains on a table of all states, and by ratios."""
    monkeypatch.setattr(gpu_rbm_sampler, "TABLE_SITES", 14 if request.param == "table" else 0)


def machines_on(device, n_sites, n_hidden, n_models=3):
    """Random machines."""
    ansatz = Rbm(n_sites, n_hidden, 0.3)
    theta = np.stack([ansatz.initial(np.random.default_rng(model)) for model in range(n_models)])
    return Machines.of(ansatz, theta, device)


def chains_named(name, n_sites, **numbers):
    """Chains of flips or exchanges, and where those of three models start."""
    chains = Chains(n_sites, **numbers, moves=exchanges(ring_bonds(n_sites)) if name == "exchange" else None)
    return chains, np.stack([chains.start(np.random.default_rng(model)) for model in range(3)])


@pytest.mark.parametrize("method", ["graph", "kernel"])
@pytest.mark.parametrize("name", ["flip", "exchange"])
def test_chains_make_the_moves_of_plain_code(name, method, by_table):
    """Twice with one sampler, since a graph is recorded at the first draw. Products in another order may turn a
    decision, hence not all of the draws."""
    if method == "kernel" and not find_spec("triton"):
        pytest.skip("Triton is not installed")
    chains, start = chains_named(name, 8, samples=256, chains=16)
    samplers = [StackedChains(chains, 3, "cuda", one) for one in ("plain", method)]
    for seeds, machines in (([1, 2, 3], machines_on("cuda", 8, 16)), ([4, 5, 6], machines_on("cuda", 8, 16))):
        plain, other = (sampler.draw(machines, start, seeds) for sampler in samplers)
        assert np.mean(plain.drawn == other.drawn) > 0.98
        np.testing.assert_allclose(plain.acceptance, other.acceptance, atol=0.01)


@pytest.mark.parametrize("name", ["flip", "exchange"])
def test_chains_follow_psi_squared(name, by_table):
    chains, start = chains_named(name, 4, samples=4096, chains=256, discard=20, thinning=10)
    machines = machines_on("cuda", 4, 8)
    logs = machines.log_psi_all().cpu().numpy()
    sector = zero_magnetisation_states(4) if name == "exchange" else None
    for sample, log_psi in zip(
        StackedChains(chains, 3, "cuda").draw(machines, start, [1, 2, 3]).samples(), logs, strict=True
    ):
        assert p_value(sample, log_psi, sector) > 1e-3


def test_exact_draws_follow_psi_squared():
    machines = machines_on("cuda", 6, 9)
    draws = StackedExact(Exact(6, 4096), 3, "cuda").draw(machines, np.empty((3, 0)), [1, 2, 3])
    for sample, log_psi in zip(draws.samples(), machines.log_psi_all().cpu().numpy(), strict=True):
        assert p_value(sample, log_psi) > 1e-3


@pytest.mark.parametrize("n_states", [40, 256])
def test_energies_and_directions_equal_the_cpu(n_states):
    """Few states use the tangent kernel, many the parameters. Tolerance: float32, condition about 1e4."""
    results = []
    for device in ("cpu", "cuda"):
        machines = machines_on(device, 8, 16)
        states = torch.arange(n_states, device=device).repeat(3, 1)
        weights = torch.full(states.shape, 1 / n_states, dtype=torch.float64, device=device)
        energies = gpu_rbm.local_energies(ring_problem(8, None).hamiltonian, machines, states)
        directions, failed = gpu_rbm.natural_gradients(machines.derivatives(states), weights, energies, 1e-3)
        assert not failed.any()
        results.append((energies.cpu().numpy(), directions))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-9)
    assert np.linalg.norm(results[0][1] - results[1][1]) < 1e-3 * np.linalg.norm(results[0][1])


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_stack_on_the_gpu_learns_as_the_loop_does(name, by_table):
    problem = ring_problem(4, sampler_named(name, 4), optimiser=Adam(0.01), max_iterations=150)
    stacked, (looped,) = courses_of(problem, range(3)), courses_of(problem, [0])
    gpu_rbm.train(stacked, problem, "cuda")
    loop.train(looped, problem)
    for course in (*stacked, looped):
        assert course.status == "cap"
        assert abs(np.array(course.trace)[-20:, 0].mean() / ENERGY[4] - 1) < 0.05


@pytest.mark.parametrize("name", SAMPLERS)
def test_on_the_gpu_batched_equals_alone(name, by_table):
    problem = ring_problem(6, sampler_named(name, 6), max_iterations=6)
    together = courses_of(problem, range(3))
    gpu_rbm.train(together, problem, "cuda")
    (alone,) = courses_of(problem, [1])
    gpu_rbm.train([alone], problem, "cuda")
    np.testing.assert_allclose(alone.theta, together[1].theta, atol=1e-4)


def test_on_the_gpu_a_model_that_is_not_a_number_ends_alone(by_table):
    for name in SAMPLERS:
        problem = ring_problem(4, sampler_named(name, 4))
        courses = courses_of(problem, range(3))
        courses[1].theta = courses[1].theta + np.nan
        gpu_rbm.train(courses, problem, "cuda")
        assert [course.status for course in courses] == ["cap", "diverged", "cap"]


def test_a_cell_that_began_on_the_gpu_ends_on_the_cpu(tmp_path):
    checkpoints = Checkpoints(tmp_path, "cell", 0)
    sampler = sampler_named("flip", 4)
    for number, seed in enumerate((1, 2)):
        problem = ring_problem(4, sampler, max_iterations=5)
        (course,) = courses_of(problem, [seed])
        gpu_rbm.train([course], problem, "cuda", lambda number, course: course.iteration < 5)
        assert course.status == "running"
        keep(checkpoints, f"model_{number}", course)
    tasks = [ring_problem(4, sampler, max_iterations=12)] * 2
    courses = train_all(tasks, [1, 2], checkpoints, 1, "vmc", "model")
    assert [(course.status, len(course.trace)) for course in courses] == [("cap", 13)] * 2


def test_a_torch_network_gives_the_same_on_the_gpu():
    network = Dense(Geometry(6, (6, 1)), "amplitude", (16,))
    theta, states = TorchAnsatz(network).initial(np.random.default_rng(0)), np.arange(64, dtype=np.uint64)
    on_cpu, on_gpu = (TorchAnsatz(network, device).at(theta) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_cpu.log_psi(states), on_gpu.log_psi(states), atol=1e-10)
    np.testing.assert_allclose(on_cpu.derivatives(states).jacobian(), on_gpu.derivatives(states).jacobian(), atol=1e-6)


@pytest.mark.parametrize(("n_sites", "width"), [(8, 3), (10, 10), (66, 6), (66, 12), (240, 16)])
def test_motif_stacks_on_the_gpu_give_the_numbers_of_the_cpu(n_sites, width):
    waves = waves_of(ShallowCnn(n_sites, width))
    words = start_of(waves, RingSampler(n_sites, 80, 40))
    weights, found = torch.rand(3, 1, 40, dtype=torch.float64), []
    for device in ("cpu", "cuda"):
        stack, spins = MotifStack.of(waves, device), spins_of(words, n_sites, device)
        np.testing.assert_array_equal(words_of(spins), words)
        states = spins[:, None]
        energies = stack.ring_energies(states)
        slopes = stack.energy_slopes(states, weights.to(device), energies)
        found.append([energies.cpu().numpy(), stack.log_psi(states).cpu().numpy(), slopes])
    for on_cpu, on_gpu in zip(*found, strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-10, atol=1e-10 * (1 + np.abs(on_cpu).max()))


@pytest.mark.parametrize(("n_sites", "width", "n_pairs"), [(8, 3, None), (10, 4, None), (10, 2, 2), (12, 2, None)])
def test_motif_chains_on_the_gpu_follow_psi_squared(n_sites, width, n_pairs):
    waves = waves_of(ShallowCnn(n_sites, width), 2)
    _, states, _ = drawn(waves, RingSampler(n_sites, 8000, 800, stride=5 * n_sites), "cuda", n_pairs)
    for run, wave in enumerate(waves):
        assert motif_p_value(states[run], wave) > 1e-3


@pytest.mark.parametrize("width", [3, 6])
def test_motif_chains_on_the_gpu_agree_with_the_transfer_matrix(width):
    waves = waves_of(ShallowCnn(24, width, "init"))
    stack, states, _ = drawn(waves, RingSampler(24, 20_000, 500), "cuda")
    for run, wave in enumerate(waves):
        energy, error, _, _ = energy_of(stack.ring_energies(states)[run].cpu().numpy())
        assert abs(energy - transfer_matrix.measure(24, wave.motifs).energy) < 4 * error < 1


def test_on_the_gpu_runs_together_are_those_alone():
    """To the order in which motif counts are added up. Runs that are stuck have nothing else for a slope."""
    problems = problems_of(ShallowCnn(26, 3, "traj"))
    together = gpu_ring.train(problems, [0, 1, 1], [None] * 3, "cuda")
    for number, seed in enumerate([0, 1, 1]):
        (alone,) = gpu_ring.train([problems[number]], [seed], [None], "cuda")
        np.testing.assert_allclose(alone.theta, together[number].theta, atol=1e-6)


def test_motif_runs_that_began_on_the_gpu_learn_and_end_on_the_cpu():
    problems = problems_of(ShallowCnn(8, 3, "traj"), 500, 60, [(0.03, 1), (0.03, 3)] * 2)
    ended = gpu_ring.train(problems, range(4), [None] * 4, "cuda")
    begun = gpu_ring.train(problems, range(4), [None] * 4, "cuda", lambda number, course: course.iteration < 20)
    assert {course.iteration for course in begun} == {20}
    for one, other, problem in zip(ended, stored_copies(begun), problems, strict=True):
        loop.train(other, problem)
        assert (one.status, other.status, len(other.trace)) == ("cap", "cap", 61)
        energies = [exact_energy(problem.ansatz, course.theta) for course in (one, other)]
        assert energies[0] == pytest.approx(energies[1], abs=0.15)
