"""Variational Monte Carlo: the loop, its ends, and the stage on files."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose
from safetensors.numpy import load_file

from nqs.ansatz.rbm import Rbm
from nqs.model.hamiltonians import heisenberg
from nqs.model.lattices import make_cluster
from nqs.runtime.checkpoints import Checkpoints
from nqs.vmc import loop
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.estimates import ENERGY_COLUMNS, SectorEstimates
from nqs.vmc.local_energy import local_energies
from nqs.vmc.loop import Run, Task, iterate, train
from nqs.vmc.optimisers import Adam, Sgd
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.runs import keep, kept
from nqs.vmc.sampler import Chains, Exact
from nqs.vmc.stages import rbm as rbm_stage

E0 = {4: -2.0, 8: -3.651093408937176}


def problem(n_sites=4, alpha=2, tolerance=None, **changes):
    """A small ring with exact samples."""
    bonds = make_cluster("ring", "ring", (n_sites, 1)).j1
    base = Task(
        hamiltonian=heisenberg(n_sites, bonds, marshall=True),
        ansatz=Rbm(n_sites, alpha * n_sites),
        sampler=Exact(n_sites, 512),
        optimiser=Adam(5e-3),
        estimates=SectorEstimates(n_sites),
        preconditioner=StochasticReconfiguration(1e-3),
        criterion=EnergyCriterion(E0[n_sites], tolerance),
        max_iterations=20,
    )
    return replace(base, **changes)


def exact_energy(task, theta):
    """Energy by summing over all states."""
    states = np.arange(1 << task.ansatz.n_sites, dtype=np.uint64)
    wave = task.ansatz.at(theta)
    weights = np.exp(2 * wave.log_psi(states))
    return weights @ local_energies(task.hamiltonian, wave, states) / weights.sum()


@pytest.mark.parametrize(("optimiser", "spread"), [(Adam(1e-2), 0.01), (Sgd(0.1), 0.3)])
def test_training_reaches_the_ground_state_from_above(optimiser, spread):
    task = problem(optimiser=optimiser, max_iterations=600, ansatz=Rbm(4, 8, spread))
    course = train(Run.start(task, 0), task)
    energy = exact_energy(task, course.theta)
    assert -2 <= energy < -2 * (1 - 5e-3)
    assert course.status == "cap"
    assert course.iteration == 600
    assert len(course.trace) == 601


@pytest.mark.parametrize(
    ("own", "torchs"),
    [
        (Adam(0.02), torch.optim.Adam),
        (Adam(0.02, 0.8, 0.95, 1e-6), partial(torch.optim.Adam, betas=(0.8, 0.95), eps=1e-6)),
        (Sgd(0.02), torch.optim.SGD),
    ],
)
def test_a_hundred_steps_are_those_of_pytorch(own, torchs):
    """Along gradients of all sizes, from those that vanish beside epsilon on."""
    scales = np.array([0, *np.geomspace(1e-12, 1e3, 31)])
    gradients = scales * np.random.default_rng(0).normal(0.3, 1, (100, 32))
    theta, moments = np.zeros(32), own.start(32)
    parameters = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    optimiser = torchs([parameters], lr=own.learning_rate)
    for iteration, gradient in enumerate(gradients):
        change, moments = own.step(gradient, moments, iteration)
        theta = theta + change
        parameters.grad = torch.tensor(gradient)
        optimiser.step()
        assert_allclose(theta, parameters.detach(), rtol=1e-11, atol=1e-20)
    assert (theta[1:] != 0).all()


def test_sampled_energies_scatter_about_the_exact_one():
    task = problem(8)
    theta = np.random.default_rng(0).normal(0, 0.2, task.ansatz.n_parameters)
    wave, rng = task.ansatz.at(theta), np.random.default_rng(1)
    pulls = []
    for _ in range(60):
        sample = task.sampler.draw(wave, np.empty(0, np.uint64), rng)
        energies = local_energies(task.hamiltonian, wave, sample.states)
        estimate = loop.estimate(Run.start(task, 0), task, wave, sample, energies)
        error = dict(zip(task.estimates.columns, estimate.row, strict=True))["energy_error"]
        pulls.append((estimate.energy - exact_energy(task, theta)) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(60)
    assert 0.7 < np.std(pulls) < 1.3


def test_the_run_stops_at_the_first_energy_that_meets_the_criterion():
    task = problem(optimiser=Adam(1e-2), tolerance=0.05, max_iterations=600)
    course = train(Run.start(task, 0), task)
    errors = np.abs(np.array(course.trace)[:, 0] / task.criterion.exact_energy - 1)
    assert course.status == "converged"
    assert (errors[:-1] >= 0.05).all()
    assert errors[-1] < 0.05
    assert len(course.trace) == course.iteration + 1


def test_a_run_that_diverges_names_the_iteration_and_keeps_its_last_good_state():
    task = problem()
    course = Run.start(task, 0)
    iterate(course, task)
    good = course.theta.copy()
    iterate(course, task)
    course.before, course.theta = good, np.where(np.arange(len(good)) < 20, 800.0, -800.0)  # overflows
    iterate(course, task)
    assert course.status == "diverged"
    assert "iteration 2" in course.message
    assert_allclose(course.theta, good)
    assert len(course.trace) == 2


def test_a_step_that_is_not_finite_is_not_taken():
    task = problem(optimiser=Sgd(float("nan")))
    course = Run.start(task, 0)
    start = course.theta.copy()
    train(course, task)
    assert course.status == "diverged"
    assert course.message == "iteration 0: the step is no longer finite; kept the parameters before"
    assert np.array_equal(course.theta, start)
    assert (course.iteration, len(course.trace)) == (0, 1)


@pytest.mark.parametrize("rate", [1e3, 1e6])
@pytest.mark.parametrize("seed", [0, 2])
def test_a_step_so_large_that_amplitudes_overflow_ends_the_run_with_the_parameters_before_it(rate, seed):
    task = problem(8, optimiser=Sgd(rate), max_iterations=30)
    course = Run.start(task, seed)
    start = course.theta.copy()
    train(course, task)
    assert course.status == "diverged"
    assert course.message == "iteration 1: the local energies are no longer finite; kept the parameters before"
    assert np.array_equal(course.theta, start)
    assert (course.iteration, len(course.trace)) == (1, 1)
    assert np.isfinite(course.trace[0][:3]).all()
    assert rbm_stage.summary(course)["energy"] == course.trace[0][0]


def test_a_step_onto_a_ferromagnet_is_never_left_and_ends_at_the_cap():
    """All spins parallel: an eigenstate of energy N/4 whose gradient vanishes, however large the parameters."""
    task = problem(8, optimiser=Sgd(1e6), max_iterations=30)
    course = train(Run.start(task, 1), task)
    energies, variances = np.array(course.trace)[:, [0, 2]].T
    assert (course.status, course.message) == ("cap", "")
    assert (course.iteration, len(course.trace)) == (30, 31)
    assert_allclose(energies[1:], 2, rtol=1e-14)
    assert_allclose(variances[1:], 0, atol=1e-25)
    assert 1e6 < abs(course.theta).max() < np.inf


def test_frozen_chains_end_the_run():
    task = problem(4, sampler=Chains(4, 160, 16))
    course = Run.start(task, 0)
    course.theta[:4] = [60.0, -60.0, 60.0, -60.0]  # one state holds all the weight
    course.chains[:] = 0b0101
    iterate(course, task)
    assert course.status == "frozen"
    assert "no proposed move" in course.message


def test_a_singular_metric_ends_the_run_and_says_what_to_raise(monkeypatch):
    def singular(*arguments, **options):
        raise loop.stochastic_reconfiguration.SingularError(loop.stochastic_reconfiguration.SINGULAR)

    monkeypatch.setattr(loop.stochastic_reconfiguration, "direction", singular)
    task = problem()
    course = train(Run.start(task, 0), task)
    assert course.status == "singular"
    assert "raise `shift`" in course.message


def test_sector_weights_of_the_trace_add_up_to_one():
    task = problem(8)
    course = Run.start(task, 0)
    iterate(course, task)
    sectors = np.array(course.trace[0])[len(ENERGY_COLUMNS) :]
    assert len(sectors) == 5
    assert sectors.sum() == pytest.approx(1)


SETTINGS: dict[str, Any] = {
    "key": {"study": "mummaneni2026", "cluster": "ring4", "alpha": 2, "mode": "paper", "run": "trace"},
    "n_sites": 4, "repeats": 3, "seed": 0,
    "ansatz": {"name": "rbm", "alpha": 2, "initial_std": 0.01},
    "sampler": {"rule": "flip", "space": "all", "chains": 16, "sweeps": 1, "discard": 5, "samples": 256},
    "optimiser": {"name": "adam", "learning_rate": 1e-2},
    "shift": 1e-3, "tolerance": None, "max_iterations": 40, "snapshots": [0, 30],
}  # fmt: skip


@pytest.fixture(scope="module")
def ground_state(tmp_path_factory):
    """Ground state of the ring of four."""
    from nqs.exact import blocks
    from nqs.exact import ground_state as solver

    folder = tmp_path_factory.mktemp("ring4")
    blocks.build(make_cluster("ring4", "ring", (4, 1)), folder / "h.h5", ("translations", "spin_flip"))
    solver.solve(folder / "h.h5", 0.0, folder / "psi.h5", 1e-10, False)
    return folder / "psi.h5"


def stage(ground_state, folder, settings=SETTINGS, **options):
    """Run the stage; returns weights, models and trace."""
    files = [folder / name for name in ("w.safetensors", "models.csv", "trace.parquet")]
    rbm_stage.run(settings, ground_state, *files, **{"checkpoints": folder / "checkpoints", **options})
    return load_file(files[0]), pd.read_csv(files[1]), pd.read_parquet(files[2])


def test_the_stage_writes_what_it_promises(ground_state, tmp_path):
    weights, models, trace = stage(ground_state, tmp_path)
    assert weights["weights"].shape == (3, 8, 4)
    assert weights["hidden_bias"].shape == (3, 8)
    assert weights["visible_bias"].shape == (3, 4)
    assert set(weights) >= {"snapshot_00000.weights", "snapshot_00030.visible_bias"}
    assert models.status.tolist() == ["cap"] * 3
    assert models.stopped_at.tolist() == [40] * 3
    assert models.tolerance.isna().all()  # these models have no criterion
    assert (models.exact_energy.round(9) == -2).all()
    assert models.seed.nunique() == 3
    assert len(trace) == 3 * 41
    last = trace[trace.iteration == 40]
    assert_allclose(last.energy, models.energy, rtol=1e-5)
    assert last.split_rhat.notna().all()
    assert_allclose(trace.filter(like="sz_abs").sum(axis=1), 1, rtol=1e-5)
    assert not list(tmp_path.glob("checkpoints/*"))


def test_the_stored_weights_have_the_stored_energy(ground_state, tmp_path):
    weights, models, _ = stage(ground_state, tmp_path)
    task = problem(4)
    for model in range(3):
        parts = [weights["visible_bias"][model], weights["hidden_bias"][model], weights["weights"][model].T.ravel()]
        error = models.energy_error[model]
        assert abs(exact_energy(task, np.concatenate(parts)) - models.energy[model]) < 5 * error + 1e-3


def test_threads_and_the_number_of_models_change_nothing(ground_state, tmp_path):
    alone = {**SETTINGS, "repeats": 1}
    one, _, _ = stage(ground_state, tmp_path / "one", alone)
    three, _, _ = stage(ground_state, tmp_path / "three", threads=2)
    assert np.array_equal(one["weights"][0], three["weights"][0])


@pytest.mark.parametrize("mode", ["flip", "exact", "exchange"])
def test_an_interrupted_run_resumes_to_the_same_numbers(ground_state, tmp_path, mode, monkeypatch):
    sampler = {**SETTINGS["sampler"], "rule": mode, "space": "zero" if mode == "exchange" else "all"}
    settings = {**SETTINGS, "sampler": sampler, "repeats": 1}
    whole, models, _ = stage(ground_state, tmp_path / "whole", settings)
    normal = loop.iterate
    calls = {"left": 17}

    def interrupted(course, task):
        calls["left"] -= 1
        if calls["left"] < 0:
            raise KeyboardInterrupt
        normal(course, task)

    monkeypatch.setattr(loop, "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage(ground_state, tmp_path / "cut", settings, save_every=0.0)
    monkeypatch.setattr(loop, "iterate", normal)
    resumed, again, _ = stage(ground_state, tmp_path / "cut", settings)
    assert np.array_equal(whole["weights"], resumed["weights"])
    assert models.energy.tolist() == again.energy.tolist()


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path):
    task = problem(4)
    course = train(Run.start(task, 0), task)
    keep(Checkpoints(tmp_path, "this", 0.0), "model_0", course)
    assert kept(Checkpoints(tmp_path, "that", 0.0), "model_0") is None
    stored = kept(Checkpoints(tmp_path, "this", 0.0), "model_0")
    assert stored is not None
    assert np.array_equal(stored.theta, course.theta)
    assert stored.rng.bit_generator.state == course.rng.bit_generator.state
    (tmp_path / "model_0.npz").write_bytes(b"half")
    assert kept(Checkpoints(tmp_path, "this", 0.0), "model_0") is None


def test_weights_carry_their_settings(ground_state, tmp_path):
    from safetensors import safe_open

    stage(ground_state, tmp_path)
    with safe_open(tmp_path / "w.safetensors", "np") as file:
        assert json.loads(file.metadata()["settings"])["key"] == SETTINGS["key"]
