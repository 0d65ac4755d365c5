"""Runs that train together sample |psi|^2, and give what each gives alone and what the compiled kernels give."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file
from support.motif_stacks import drawn, p_value, problems_of, start_of, stored_copies, waves_of

from nqs.ansatz.deep_cnn import DeepCnn
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import unpack_spins
from nqs.exact import transfer_matrix
from nqs.vmc import loop
from nqs.vmc.estimates import energy_of
from nqs.vmc.gpu import ring as gpu_ring
from nqs.vmc.gpu.ring import MotifStack
from nqs.vmc.gpu.ring_sampler import (
    StackedRings,
    numbers_of,
    offset,
    pairs_at_once,
    random_pairs,
    spins_of,
    touched,
    windows_of,
    words_of,
)
from nqs.vmc.loop import Run, train
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.preconditioners import energy_gradient
from nqs.vmc.ring_evaluation import exact_energy
from nqs.vmc.ring_sampler import RingSample, RingSampler
from nqs.vmc.ring_task import ring_task
from nqs.vmc.stages import ring as ring_stage

RINGS = [(8, 3), (10, 7), (10, 10), (24, 6), (66, 12)]  # with and without a table of bonds


@pytest.mark.parametrize(("n_sites", "width"), RINGS)
def test_amplitudes_energies_and_gradients_are_those_of_the_kernels(n_sites, width):
    waves = waves_of(ShallowCnn(n_sites, width))
    words = start_of(waves, RingSampler(n_sites, 40, 20))
    stack, states = MotifStack.of(waves, "cpu"), spins_of(words, n_sites, "cpu")[:, None]
    weights = np.random.default_rng(0).dirichlet(np.ones(20), 3)
    energies = stack.ring_energies(states)
    slopes = stack.energy_slopes(states, torch.as_tensor(weights)[:, None], energies)
    for run, wave in enumerate(waves):
        expected = wave.ring_energies(words[run])
        assert_allclose(energies[run, 0], expected, rtol=1e-11, atol=1e-11)
        assert_allclose(stack.log_psi(states)[run, 0], wave.log_psi(words[run]), rtol=1e-12, atol=1e-12)
        gradient = energy_gradient(wave.derivatives(words[run]), weights[run], expected)
        assert_allclose(wave.pullback(slopes[run]), gradient, rtol=1e-10, atol=1e-11 * (1 + np.abs(gradient).max()))


def test_runs_looked_up_in_parts_give_the_same(monkeypatch):
    stack, states, _ = drawn(waves_of(ShallowCnn(10, 3)), RingSampler(10, 200, 50, burn_in=2), "cpu")
    weights = torch.full((3, 4, 50), 1 / 200, dtype=torch.float64)
    whole = [stack.log_psi(states), stack.ring_energies(states), stack.counts(states, weights)]
    monkeypatch.setattr(gpu_ring, "AT_ONCE", 1)
    for one, other in zip(whole, [stack.log_psi(states), stack.ring_energies(states), stack.counts(states, weights)],
                          strict=True):  # fmt: skip
        assert_array_equal(one, other)


@pytest.mark.parametrize("n_sites", [8, 64, 70])
def test_words_are_those_of_the_kernels(n_sites):
    words = start_of(waves_of(ShallowCnn(n_sites, 3), 2), RingSampler(n_sites, 40, 20))
    spins = spins_of(words, n_sites, "cpu")
    assert_array_equal(words_of(spins), words)
    for run in range(2):
        assert_array_equal(2 * spins[run].numpy().T.astype(int) - 1, unpack_spins(words[run], n_sites))


@pytest.mark.parametrize(
    ("n_sites", "width"), [(60, 3), (60, 6), (240, 6), (240, 16), (12, 2), (8, 1), (60, 16), (10, 10)]
)
def test_pairs_are_far_from_one_another_and_go_everywhere(n_sites, width):
    """Shares of 20,000 independent steps, within 4.5 standard errors."""
    n_pairs, steps = pairs_at_once(n_sites, width), 20_000
    pairs = random_pairs(torch.rand(steps, numbers_of(n_pairs), dtype=torch.float64,
                                    generator=torch.Generator().manual_seed(1)), n_sites, width)  # fmt: skip
    assert pairs.shape == (steps, n_pairs, 2)
    assert (pairs[..., 0] != pairs[..., 1]).all()
    sites = pairs.flatten(1)
    apart = (sites[:4000, :, None] - sites[:4000, None]) % n_sites
    apart = torch.minimum(apart, n_sites - apart)
    other = torch.arange(2 * n_pairs)[:, None] // 2 != torch.arange(2 * n_pairs) // 2
    if n_pairs > 1:
        assert apart[:, other].min() >= width
        between = (pairs[..., 1] - pairs[..., 0]) % n_sites % width
        assert len(between.unique()) == width  # no sublattice keeps its magnetisation
    taken = torch.bincount(sites.flatten(), minlength=n_sites) / steps  # a step takes a site once or not at all
    assert_binomial(taken, 2 * n_pairs / n_sites, steps)
    distance = (pairs[..., 1] - pairs[..., 0]) % n_sites
    distance = torch.minimum(distance, n_sites - distance)
    close = distance < width
    assert (close == close[:, :1]).all()  # all pairs of a step are close, or none
    assert_binomial(close[:, 0].double().mean(), min(1, 2 * (width - 1) / (n_sites - 1)), steps)
    assert len(distance.unique()) > 0.8 * (n_sites // 2)  # some are rare


def assert_binomial(shares, chance, trials):
    """Shares of independent trials scatter about their chance as they should."""
    error = np.sqrt(chance * (1 - chance) / trials)
    assert abs(shares - chance).max() <= 4.5 * error


@pytest.mark.parametrize(("n_sites", "width"), [(8, 3), (10, 10), (10, 7), (24, 4)])
def test_an_exchange_has_the_ratio_of_the_kernels_and_keeps_the_windows(n_sites, width):
    waves = waves_of(ShallowCnn(n_sites, width), 2)
    words = start_of(waves, RingSampler(n_sites, 40, 20))
    chains = StackedRings(RingSampler(n_sites, 40, 20), width, 2, "cpu")
    tables = MotifStack.of(waves, "cpu").motifs.flatten()
    codes = offset(windows_of(spins_of(words, n_sites, "cpu"), width), width).flatten(0, 1)
    rng = torch.Generator().manual_seed(2)
    for _ in range(30):
        uniform = torch.rand(2, numbers_of(chains.n_pairs), dtype=torch.float64, generator=rng)
        pairs = random_pairs(uniform, n_sites, width)
        starts, bits = touched(pairs, n_sites, width)
        starts += n_sites * torch.arange(2)[:, None, None]
        before = words_of((codes & 1).to(torch.uint8).view(2, n_sites, 20))
        ratios = np.stack([wave.swap_ratios(before[run], pairs[run].numpy()).T for run, wave in enumerate(waves)])
        chances = torch.rand(2, chains.n_pairs, 20, generator=rng)
        accepted = chains._exchange(codes, tables, starts.flatten(), bits.flatten(), chances)
        assert accepted.tolist() == (ratios**2 > chances.numpy()).sum((1, 2)).tolist()
        assert_array_equal(codes, offset(windows_of((codes & 1).view(2, n_sites, 20), width), width).flatten(0, 1))


@pytest.mark.parametrize(("n_sites", "width", "n_pairs"),
                         [(8, 3, None), (8, 2, 2), (8, 7, None), (10, 4, None), (10, 2, 2), (12, 2, None)])  # fmt: skip
def test_chains_follow_psi_squared(n_sites, width, n_pairs):
    """Thirty proposals and more between states, so that they are as good as independent."""
    waves = waves_of(ShallowCnn(n_sites, width), 2)
    sampler = RingSampler(n_sites, 8000, 800, stride=5 * n_sites)
    _, states, acceptance = drawn(waves, sampler, "cpu", n_pairs)
    for run, wave in enumerate(waves):
        assert 0.02 < acceptance[run] < 0.98
        assert p_value(states[run], wave) > 1e-3


@pytest.mark.parametrize("width", [3, 6])
def test_long_rings_agree_with_the_transfer_matrix_and_with_the_kernels(width):
    waves, sampler = waves_of(ShallowCnn(24, width, "init")), RingSampler(24, 4000, 200, burn_in=30)
    stack, states, acceptance = drawn(waves, sampler, "cpu")
    for run, wave in enumerate(waves):
        energy, error, _, _ = energy_of(stack.ring_energies(states)[run].numpy())
        assert abs(energy - transfer_matrix.measure(24, wave.motifs).energy) < 4 * error < 2
        rng = np.random.default_rng(1)
        sample = sampler.draw(wave, sampler.start(rng, wave), rng)
        other, other_error, _, _ = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
        assert abs(energy - other) < 4 * np.hypot(error, other_error)
        assert acceptance[run] == pytest.approx(
            sample.acceptance, abs=0.04
        )  # the kernels also count a site with itself


def test_the_steps_from_one_sample_are_those_of_the_kernels():
    """One and several steps, to rounding, which Adam would blow up where a slope is nothing else."""
    problems = [replace(one, optimiser=Sgd(1e-2)) for one in problems_of(ShallowCnn(10, 4, "traj"))]
    stacked = gpu_ring.train(problems, [0, 0, 1], [None] * 3, "cpu", lambda number, course: False)
    assert not any(problems[0].ansatz.why_constant(course.theta) for course in stacked)
    looped = stored_copies(stacked)
    sampler = StackedRings(problems[0].sampler, 4, 3, "cpu")
    stack, spins, seeds = gpu_ring.setting_out(stacked, problems[0].ansatz, sampler)
    states, _ = sampler.draw(stack.motifs, spins, seeds)
    words = [words_of(sample) for sample in states]  # (D, C, W)
    gpu_ring.update(stacked, problems, states, stack.ring_energies(states), stack.log_psi(states))
    for course, other, problem, sample in zip(stacked, looped, problems, words, strict=True):
        start, wave, flat = other.theta.copy(), problem.ansatz.at(other.theta), sample.reshape(-1, 1)
        uniform = RingSample(flat, np.full(len(flat), 1 / len(flat)), len(flat))
        loop.update(other, problem, wave, uniform, wave.ring_energies(flat))
        assert course.updates == other.updates == 2 * problem.steps
        assert_allclose(course.theta, other.theta, rtol=1e-11, atol=1e-12)
        assert abs(course.theta - start).max() > 1e-3
        assert course.trace[-1][-1] == pytest.approx(other.trace[-1][-1], rel=1e-9)


def test_together_is_one_by_one_to_the_last_bit():
    problems = problems_of(ShallowCnn(26, 3, "traj"))
    together = gpu_ring.train(problems, [0, 1, 1], [None] * 3, "cpu")
    for number, seed in enumerate([0, 1, 1]):
        (alone,) = gpu_ring.train([problems[number]], [seed], [None], "cpu")
        assert_array_equal(alone.theta, together[number].theta)
        assert alone.trace == together[number].trace
        assert (alone.status, alone.iteration, len(alone.trace)) == ("cap", 6, 7)
        assert alone.updates == 6 * problems[number].steps


def test_runs_start_with_the_parameters_that_the_loop_starts_with():
    problems = problems_of(ShallowCnn(8, 3, "init"), snapshots=(0,))
    for course, problem in zip(gpu_ring.train(problems, [4] * 3, [None] * 3, "cpu"), problems, strict=True):
        assert_array_equal(course.snapshots[0], Run.start(problem, 4).theta)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_stack_learns_as_the_loop_does(steps):
    problems = problems_of(ShallowCnn(8, 3, "traj"), 500, 60, [(0.03, steps)] * 4)
    stacked = gpu_ring.train(problems, [0, 1, 2, 3], [None] * 4, "cpu")
    looped = [train(Run.start(problem, seed), problem) for seed, problem in enumerate(problems)]
    for one, other, problem in zip(stacked, looped, problems, strict=True):
        assert exact_energy(problem.ansatz, one.theta) == pytest.approx(
            exact_energy(problem.ansatz, other.theta), abs=0.15
        )
        assert_array_equal(one.column("stuck"), other.column("stuck"))
        assert abs(one.column("grand_sum")).max() < 1e-12
        assert (one.column("effective").min() < 1) == (steps > 1 and not one.column("stuck").all())
        pull = (one.column("energy")[0] - other.column("energy")[0]) / np.hypot(
            one.column("energy_error")[0] + 1e-9, other.column("energy_error")[0]
        )
        assert abs(pull) < 4


def test_a_run_without_a_gradient_stays_and_is_flagged():
    (problem,) = problems_of(ShallowCnn(8, 3), settings=[(0.03, 1)])
    course = Run.start(problem, 0)
    course.theta = np.array([1.0, *[-1.0] * 6, 0.0])  # no motif activates the filter
    (ended,) = gpu_ring.train([problem], [0], stored_copies([course]), "cpu")
    assert_array_equal(ended.theta, course.theta)
    assert (ended.column("stuck") == 1).all()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_run_that_diverges_ends_alone():
    family = ShallowCnn(8, 3)
    problems = problems_of(family, settings=[(0.01, 2), (np.inf, 2), (0.01, 2)])
    lost = Run.start(problems[2], 5)
    lost.theta = np.full(8, np.nan)
    courses = gpu_ring.train(problems, [2, 2, 5], [None, None, lost], "cpu")
    assert [course.status for course in courses] == ["cap", "diverged", "diverged"]
    assert "step is no longer finite" in courses[1].message
    assert "energies are no longer finite" in courses[2].message
    assert [len(course.trace) for course in courses] == [7, 1, 0]
    assert np.isfinite(courses[1].theta).all()
    (alone,) = gpu_ring.train(problems[:1], [2], [None], "cpu")
    assert_array_equal(alone.theta, courses[0].theta)


CHAINS = {"chains": 40, "burn_in": 10, "discard": 0}
CELL: dict[str, Any] = {
    "key": {"study": "ju2025", "n_sites": 8, "width": 3, "network": "traj", "run": "trace"},
    "seed": 0, "sampler": {"samples": 200, "stride": None, **CHAINS}, "learning_rates": [0.01, 0.03], "steps": [1, 3],
    "repeats": 2, "iterations": 8, "snapshots": [0, 4, 8], "evaluation": {"samples": 2000, **CHAINS},
}  # fmt: skip


@pytest.fixture
def stack_on_cpu(monkeypatch):
    """Let the stage take its way for GPUs, on the CPU."""
    train = gpu_ring.train
    monkeypatch.setattr(ring_stage, "choose", lambda device: "cuda")
    monkeypatch.setattr(
        gpu_ring,
        "train",
        lambda problems, seeds, stored, device, after: train(problems, seeds, stored, "cpu", after),
    )


def stage(folder, settings=CELL, **options):
    """Run the stage; returns weights, runs and trace."""
    files = [folder / name for name in ("w.safetensors", "runs.csv", "trace.parquet")]
    ring_stage.run(settings, *files, **{"checkpoints": folder / "checkpoints", "device": "cuda", **options})
    return load_file(files[0]), pd.read_csv(files[1]), pd.read_parquet(files[2])


def test_an_interrupted_cell_resumes_to_the_same_bits(stack_on_cpu, tmp_path, monkeypatch):
    whole = stage(tmp_path / "whole")
    assert whole[1].device.tolist() == ["cuda"] * 8
    assert (abs(whole[1].energy - whole[1].exact_energy) < 5 * whole[1].energy_error + 1e-9).all()
    normal, left = gpu_ring.iterate, {"calls": 5}

    def interrupted(courses, problems, sampler):
        left["calls"] -= 1
        if left["calls"] < 0:
            raise KeyboardInterrupt
        normal(courses, problems, sampler)

    monkeypatch.setattr(gpu_ring, "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path, save_every=0.0)
    assert len(list(tmp_path.glob("checkpoints/*.npz"))) == 8
    monkeypatch.setattr(gpu_ring, "iterate", normal)
    weights, runs, trace = stage(tmp_path)
    for name, values in weights.items():
        assert_array_equal(values, whole[0][name])
    pd.testing.assert_frame_equal(runs.drop(columns="cpu_s"), whole[1].drop(columns="cpu_s"), check_exact=True)
    pd.testing.assert_frame_equal(trace, whole[2], check_exact=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ansatz": ShallowCnn(18, 17)}, "K = 17 is above 16"),
        ({"ansatz": DeepCnn(18, 3, 2, 2)}, "deep networks"),
        ({"sampler": RingSampler(18, 100, 1, stride=1)}, "1 chains are too few"),
        ({"sampler": RingSampler(18, 100, 50, "neighbour")}, "not neighbours"),
        ({}, ""),
    ],
)
def test_what_the_stack_cannot_do_is_said(change, reason):
    problem = ring_task(**{"ansatz": ShallowCnn(18, 3), "sampler": RingSampler(18), "optimiser": Adam(0.01), **change})
    found = ring_stage.why_not_batched(problem)
    assert reason in found
    assert bool(found) == bool(change)


def test_cells_that_the_stack_cannot_do_train_on_the_cpu(stack_on_cpu, tmp_path, capsys):
    deep = {**CELL, "key": {**CELL["key"], "network": "deep2x2"}, "learning_rates": [0.01], "steps": [1], "repeats": 1}
    _, runs, _ = stage(tmp_path, deep)
    assert runs.device.tolist() == ["cpu"]
    assert "device: cuda: deep networks have no batched program; the cell trains on the CPU" in capsys.readouterr().err


def test_a_kept_sample_moves_on_by_whole_steps(monkeypatch):
    """Thirteen proposals by twos are seven steps."""
    chains, calls, normal = StackedRings(RingSampler(12, 100, 50, stride=13), 2, 1, "cpu"), [], StackedRings._exchange

    def counted(self, *given):
        calls.append(self)
        return normal(self, *given)

    monkeypatch.setattr(StackedRings, "_exchange", counted)
    (wave,) = waves_of(ShallowCnn(12, 2), 1)
    spins = spins_of(start_of([wave], chains.sampler), 12, "cpu")
    states, _ = chains.draw(MotifStack.of([wave], "cpu").motifs, spins, [0])
    assert states.shape == (1, 2, 12, 50)
    assert len(calls) == 2 * 7
    assert (states.sum(2) == 6).all()
