"""The same numbers on a GPU as on the CPU. Run with `./nqs test -m gpu` where there is one."""

import numpy as np
import pytest

from nqs.device import choose
from nqs.ensemble import Checkpoints, Member, Settings, Trajectory, evaluator, train
from nqs.networks import Dense, Geometry, Network, PeriodicCNN

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
        checkpoints.save(number, trajectory)
    for resumed, straight in zip(
        train(network, data, SETTINGS, "cpu", checkpoints=checkpoints),
        train(network, data, SETTINGS, "cpu"),
        strict=True,
    ):
        np.testing.assert_allclose(resumed.losses, straight.losses, rtol=1e-3, atol=1e-3)
