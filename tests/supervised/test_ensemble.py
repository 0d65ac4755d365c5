"""Ensembles: together as alone, stacked as compiled, interrupted as uninterrupted."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nqs.networks.architectures.cnn import PeriodicCNN
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.errors import InputError
from nqs.runtime.progress import Progress
from nqs.supervised import ensemble
from nqs.supervised.ensemble import evaluator, train
from nqs.supervised.members import Batches, Member, Settings, Trajectory, keep, kept
from nqs.supervised.stacked import Stack, losses, spins_of, unflatten

GEOMETRY = Geometry(16, (4, 4))
DENSE = Dense(GEOMETRY, "sign", (16, 16))
CNN = PeriodicCNN(GEOMETRY, "sign", (4, 6), 3)
SETTINGS = Settings(learning_rate=3e-3, batch=32, check_every=7, patience=4, max_updates=80)


def member(seed, n=400):
    """A learnable rule: the majority sign of six sites."""
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 1 << 16, n + 100).astype(np.uint64)
    labels = np.where(np.bitwise_count(states & np.uint64(0b1110000000111)) > 3, 1, -1).astype(np.float32)
    return Member(seed, states[:n], labels[:n], states[n:], labels[n:])


MEMBERS = [member(seed, 300 + 50 * seed) for seed in range(4)]


def stacked(network, members, settings):
    """The PyTorch route, also for dense networks."""
    trajectories = [Trajectory.start(network, m.seed) for m in members]
    progress = Progress("test", len(members), settings.max_updates)
    ensemble._train_stacked(network, members, trajectories, settings, "cpu", 1, Checkpoints(None, ""), progress)
    return trajectories


def test_compiled_members_together_equal_alone_to_the_last_bit():
    together = train(DENSE, MEMBERS, SETTINGS, threads=2)
    for one, trajectory in zip(MEMBERS, together, strict=True):
        (alone,) = train(DENSE, [one], SETTINGS)
        np.testing.assert_array_equal(alone.best, trajectory.best)
        assert alone.losses == trajectory.losses


@pytest.mark.parametrize("network", [DENSE, CNN], ids=["dense", "cnn"])
def test_stacked_members_together_equal_alone(network):
    """Tolerance 2e-4 in the losses: batched matrix products round differently, Adam amplifies it."""
    together = stacked(network, MEMBERS, SETTINGS)
    for one, trajectory in zip(MEMBERS, together, strict=True):
        (alone,) = stacked(network, [one], SETTINGS)
        assert alone.updates == trajectory.updates
        np.testing.assert_allclose(alone.losses, trajectory.losses, atol=2e-4)


def test_a_gpu_too_small_for_all_members_trains_them_in_turn_with_the_same_result(monkeypatch, capsys):
    together, update = stacked(CNN, MEMBERS, SETTINGS), Stack._update

    def with_room_for_two(stack, index, running):
        if len(stack.trajectories) > 2 and stack.trajectories[0].updates > 0:  # after a check
            raise torch.OutOfMemoryError("CUDA out of memory")
        update(stack, index, running)

    monkeypatch.setattr(Stack, "_update", with_room_for_two)
    for whole, part in zip(together, stacked(CNN, MEMBERS, SETTINGS), strict=True):
        assert whole.updates == part.updates
        np.testing.assert_allclose(whole.losses, part.losses, atol=2e-4)
    assert "the GPU's memory is full: 2 networks at once, not 4" in capsys.readouterr().err


def test_stacked_equals_compiled():
    for compiled, torch_route in zip(train(DENSE, MEMBERS, SETTINGS), stacked(DENSE, MEMBERS, SETTINGS), strict=True):
        assert compiled.updates == torch_route.updates
        np.testing.assert_allclose(compiled.losses, torch_route.losses, atol=2e-4)


@pytest.mark.parametrize(("network", "updates"), [(DENSE, 50), (CNN, 12)], ids=["dense", "cnn"])
def test_stacked_updates_are_those_of_pytorchs_adam(network, updates):
    """Until rounding of the smallest gradients, which Adam makes large, is seen."""
    trajectories = [Trajectory.start(network, one.seed) for one in MEMBERS[:2]]
    stack = Stack(network, MEMBERS[:2], trajectories, SETTINGS, "cpu")
    index = torch.tensor(np.random.default_rng(0).integers(0, 300, (updates, 2, 32)))
    for rows in index:
        stack._update(rows + torch.tensor(stack.offsets)[:, None], None)
    for place, (one, start) in enumerate(zip(MEMBERS, trajectories, strict=False)):
        theta = torch.tensor(start.theta, requires_grad=True)
        optimiser = torch.optim.Adam([theta], lr=SETTINGS.learning_rate)
        for rows in index[:, place]:
            optimiser.zero_grad()
            output = network(unflatten(network, theta), spins_of(torch.tensor(one.states.astype(np.int64))[rows], 16))
            losses(network, output, torch.tensor(one.labels)[rows]).mean().backward()
            optimiser.step()
        torch.testing.assert_close(stack.theta[place], theta.detach(), atol=2e-5, rtol=0)
        assert abs(stack.theta[place] - torch.tensor(start.theta)).max() > 0.02


def test_a_stacked_member_that_has_run_out_of_updates_stays():
    stack = Stack(DENSE, MEMBERS[:2], [Trajectory.start(DENSE, 0), Trajectory.start(DENSE, 1)], SETTINGS, "cpu")
    before = [value.clone() for value in (stack.theta, stack.mean, stack.square, stack.updates)]
    stack._update(torch.tensor([[0, 1], [350, 351]]), torch.tensor([True, False]))
    for old, new in zip(before, (stack.theta, stack.mean, stack.square, stack.updates), strict=True):
        assert not torch.equal(new[0], old[0])
        assert torch.equal(new[1], old[1])


def test_members_stop_on_their_own_and_keep_their_best():
    # labels without a rule: the validation loss rises after a while, at another time for each member
    rng = np.random.default_rng(0)
    noisy = [dataclasses.replace(m, labels=rng.permutation(m.labels)) for m in MEMBERS]
    trajectories = train(DENSE, noisy, dataclasses.replace(SETTINGS, patience=3, max_updates=2000))
    assert len({t.updates for t in trajectories}) > 1
    assert max(t.updates for t in trajectories) < 2000
    for one, t in zip(noisy, trajectories, strict=True):
        assert t.best_loss == min(t.losses)
        assert t.best_updates == SETTINGS.check_every * (1 + int(np.argmin(t.losses)))
        output = evaluator(DENSE, t.best)(one.validation_states)
        assert np.logaddexp(0, -one.validation_labels * output).mean() == pytest.approx(t.best_loss, abs=1e-5)


def test_training_learns():
    (trajectory,) = train(DENSE, [member(0, 3000)], dataclasses.replace(SETTINGS, patience=50, max_updates=2000))
    assert trajectory.best_loss < 0.3 < trajectory.losses[0]


class Interrupted(Exception):
    pass


class Breaking(Progress):
    """Stops the training after a number of checks, as a signal would."""

    def __init__(self, checks):
        super().__init__("test", 4, SETTINGS.max_updates)
        self.checks = checks

    def update(self, part, steps):
        self.checks -= 1
        if self.checks < 0:
            raise Interrupted


@pytest.mark.parametrize("network", [DENSE, CNN], ids=["dense", "cnn"])
def test_interrupted_training_resumes_with_the_same_result(network, tmp_path):
    folder, expected = tmp_path / "checkpoints", train(network, MEMBERS, SETTINGS)
    checkpoints = Checkpoints(folder, "this training", interval=0)
    with pytest.raises(Interrupted):
        train(network, MEMBERS, SETTINGS, checkpoints=checkpoints, progress=Breaking(9))
    stored = [kept(checkpoints, number) for number in range(4)]
    assert any(t is not None and 0 < t.updates < SETTINGS.max_updates for t in stored)
    resumed = train(network, MEMBERS, SETTINGS, checkpoints=checkpoints)
    for one, other in zip(expected, resumed, strict=True):
        assert one.updates == other.updates
        np.testing.assert_allclose(one.best, other.best, atol=1e-3 if network is CNN else 0)
        np.testing.assert_allclose(one.losses, other.losses, atol=2e-4 if network is CNN else 0)


def test_interruption_in_the_middle_of_an_update_resumes_with_the_same_result(tmp_path, monkeypatch):
    expected = train(CNN, MEMBERS, SETTINGS)
    checkpoints, count = Checkpoints(tmp_path / "checkpoints", "this training", interval=0), [0]
    update = Stack._update

    def interrupted(stack, *arguments):
        count[0] += 1
        if count[0] == 25:
            raise Interrupted
        update(stack, *arguments)

    monkeypatch.setattr(Stack, "_update", interrupted)
    with pytest.raises(Interrupted):
        train(CNN, MEMBERS, SETTINGS, checkpoints=checkpoints)
    stored = kept(checkpoints, 0)
    assert stored is not None
    assert stored.updates == 21 == 7 * len(stored.losses)
    for one, other in zip(expected, train(CNN, MEMBERS, SETTINGS, checkpoints=checkpoints), strict=True):
        np.testing.assert_allclose(one.losses, other.losses, atol=2e-4)


def test_clearing_removes_what_a_kill_left_behind(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", "training")
    keep(checkpoints, 0, Trajectory.start(DENSE, 0))
    (tmp_path / "checkpoints" / ".member_0.npz.123.part").write_bytes(b"half")
    checkpoints.clear()
    assert not (tmp_path / "checkpoints").exists()


def test_checkpoints_of_another_training_are_not_resumed(tmp_path):
    trajectory = Trajectory.start(DENSE, 0)
    trajectory.updates = 70
    keep(Checkpoints(tmp_path, "old settings"), 0, trajectory)
    stored = kept(Checkpoints(tmp_path, "old settings"), 0)
    assert stored is not None
    assert stored.updates == 70
    assert kept(Checkpoints(tmp_path, "new settings"), 0) is None


def test_truncated_checkpoint_is_ignored(tmp_path):
    checkpoints = Checkpoints(tmp_path, "training")
    keep(checkpoints, 0, Trajectory.start(DENSE, 0))
    path = checkpoints.path("member_0")
    path.write_bytes(path.read_bytes()[:200])
    assert kept(checkpoints, 0) is None


def test_batches_depend_on_the_update_alone():
    one = Batches(MEMBERS[0], 32)
    straight = one.after(0, 60)
    pieces = Batches(MEMBERS[0], 32)
    np.testing.assert_array_equal(np.concatenate([pieces.after(u, 12) for u in range(0, 60, 12)]), straight)
    np.testing.assert_array_equal(Batches(MEMBERS[0], 32).after(41, 3), straight[41:44])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_batches_do_not_depend_on_how_they_are_asked_for(counts):
    pieces, straight = Batches(MEMBERS[0], 32), Batches(MEMBERS[0], 32).after(0, sum(counts))
    starts = np.cumsum([0, *counts[:-1]])
    asked = [pieces.after(int(start), count) for start, count in zip(starts, counts, strict=True)]
    np.testing.assert_array_equal(np.concatenate(asked), straight)


def test_an_epoch_visits_every_state_once():
    n = len(MEMBERS[0].states)
    order = Batches(MEMBERS[0], 10).after(0, n // 10)
    np.testing.assert_array_equal(np.sort(order.ravel()), np.arange(n))


def test_weighted_batches_follow_the_weights():
    weights = np.array([0.5, 0.0, 0.3, 0.2])
    one = dataclasses.replace(MEMBERS[0], states=np.arange(4, dtype=np.uint64), cumulative=np.cumsum(weights))
    counts = np.bincount(Batches(one, 100).after(0, 500).ravel(), minlength=4)
    assert counts[1] == 0
    expected = 50_000 * weights[[0, 2, 3]]
    assert (((counts[[0, 2, 3]] - expected) ** 2) / expected).sum() < 15  # chi^2, 2 degrees of freedom


def test_diverged_member_stops_and_keeps_its_last_good_parameters():
    wild = dataclasses.replace(SETTINGS, learning_rate=1e20, max_updates=10_000)
    amplitude = Dense(GEOMETRY, "amplitude", (16, 16))
    (trajectory,) = train(amplitude, [MEMBERS[0]], wild)
    assert not np.isfinite(trajectory.losses[-1])
    assert trajectory.updates < 10_000
    assert np.isfinite(trajectory.best).all()


def test_initial_parameters_do_not_pass_for_trained_ones():
    network = Dense(Geometry(4, (2, 2)), "sign", (2,))
    trajectory = Trajectory.start(network, 0)
    trajectory.improves(float("nan"))
    assert trajectory.diverged
    assert np.isnan(trajectory.usable).all()
    trajectory = Trajectory.start(network, 0)
    trajectory.improves(0.5)
    trajectory.improves(float("nan"))
    assert trajectory.diverged
    assert trajectory.usable is trajectory.best


def test_stacked_l2_equals_compiled():
    regular = dataclasses.replace(SETTINGS, l2=0.05)
    routes = (train(DENSE, MEMBERS, regular), stacked(DENSE, MEMBERS, regular), train(DENSE, MEMBERS, SETTINGS))
    for compiled, torch_route, without in zip(*routes, strict=True):
        np.testing.assert_allclose(compiled.losses, torch_route.losses[: len(compiled.losses)], atol=2e-4)
        assert np.abs(compiled.theta).sum() < np.abs(without.theta).sum()


def test_dropout_is_the_same_on_any_device_and_for_dense_networks_only():
    lossy = dataclasses.replace(SETTINGS, dropout=0.2)
    one, other, none = (
        train(DENSE, MEMBERS[:1], how, device)[0]
        for how, device in ((lossy, "cpu"), (lossy, "cuda"), (SETTINGS, "cpu"))
    )
    np.testing.assert_array_equal(one.theta, other.theta)
    assert one.losses != none.losses
    with pytest.raises(InputError, match="PeriodicCNN cannot leave out"):
        train(CNN, MEMBERS, lossy)
