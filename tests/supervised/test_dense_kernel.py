"""The compiled kernel against PyTorch's autograd and Adam, and against finite differences."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry
from nqs.supervised import dense_kernel
from nqs.supervised.members import Trajectory
from nqs.supervised.stacked import losses, spins_of, unflatten

N_SITES = 16


def problem(target, seed=0, n=300):
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 1 << N_SITES, n).astype(np.uint64)
    labels = rng.choice([-1, 1], n) if target == "sign" else rng.normal(-5, 1, n)
    return states, labels.astype(np.float32), rng.integers(0, n, (40, 32))


def torch_training(network, theta, states, labels, index, rate):
    parameters = torch.tensor(theta, requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=rate)
    packed, target = torch.tensor(states.astype(np.int64)), torch.tensor(labels)
    for rows in torch.tensor(index):
        optimiser.zero_grad()
        output = network(unflatten(network, parameters), spins_of(packed[rows], N_SITES))
        losses(network, output, target[rows]).mean().backward()
        optimiser.step()
    return parameters.detach().numpy()


@pytest.mark.parametrize("target", ["sign", "amplitude"])
@pytest.mark.parametrize(("hidden", "last_bias"), [((12,), False), ((12, 10), False), ((9, 8, 7), True)])
def test_forty_updates_equal_pytorch(target, hidden, last_bias):
    network = Dense(Geometry(N_SITES, (4, 4)), target, hidden, last_bias)
    states, labels, index = problem(target)
    start = Trajectory.start(network, 3)
    expected = torch_training(network, start.theta, states, labels, index, 1e-3)
    widths = np.array(network.widths)
    dense_kernel.train(
        start.theta, start.mean, start.square, 0, 1e-3, widths, last_bias, states, labels, index
    )  # fmt: skip
    np.testing.assert_allclose(start.theta, expected, atol=2e-5)
    assert np.abs(start.theta - Trajectory.start(network, 3).theta).max() > 0.01  # it did move


def test_a_hundred_steps_of_adam_are_those_of_pytorch_in_double_precision():
    """Along gradients of all sizes, from those that vanish beside epsilon on."""
    scales = np.array([0, *np.geomspace(1e-12, 1e3, 31)])
    gradients = (scales * np.random.default_rng(0).normal(0.3, 1, (100, 32))).astype(np.float32)
    theta, mean, square = np.zeros((3, 32), np.float32)
    parameters = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=0.02)
    for step, gradient in enumerate(gradients, 1):
        dense_kernel.adam(theta, gradient, mean, square, step, 0.02)
        parameters.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
    np.testing.assert_allclose(theta, parameters.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(theta[:16], parameters.detach()[:16], rtol=1e-5)  # small, so not rounded by a sum


@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_gradient_equals_finite_differences(target):
    network = Dense(Geometry(N_SITES, (4, 4)), target, (6, 5), True)
    states, labels, _ = problem(target, n=64)
    widths, theta = np.array(network.widths), Trajectory.start(network, 1).theta
    # first moment after one update is (1 - beta1) times the gradient
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    dense_kernel.train(
        theta.copy(), mean, square, 0, 1e-3, widths, True, states, labels, np.arange(64)[None]
    )  # fmt: skip
    gradient = mean / 0.1
    at = lambda x: dense_kernel.loss(x, widths, True, states, labels, 64)  # noqa: E731
    step = 2e-4  # small against the distance to the next kink of a ReLU
    for i in range(0, len(theta), 17):
        shifted = np.eye(1, len(theta), i, dtype=np.float32)[0] * step
        assert gradient[i] == pytest.approx((at(theta + shifted) - at(theta - shifted)) / (2 * step), abs=3e-3)


@pytest.mark.parametrize("n", [1, 127, 128, 300])
def test_evaluation_does_not_depend_on_chunks(n):
    network = Dense(Geometry(N_SITES, (4, 4)), "sign", (12, 10))
    states, _, _ = problem("sign", n=n)
    theta, widths = Trajectory.start(network, 2).theta, np.array(network.widths)
    whole = dense_kernel.evaluate(theta, widths, False, states, 128)
    parameters = unflatten(network, torch.tensor(theta))
    expected = network(parameters, spins_of(torch.tensor(states.astype(np.int64)), N_SITES))
    np.testing.assert_allclose(whole, expected.numpy(), atol=1e-6)


def test_losses_are_cross_entropy_and_squared_error():
    states, labels, _ = problem("sign", n=50)
    network = Dense(Geometry(N_SITES, (4, 4)), "sign", (12,))
    theta, widths = Trajectory.start(network, 0).theta, np.array(network.widths)
    margin = torch.tensor(dense_kernel.evaluate(theta, widths, False, states, 50))
    logits = torch.stack([margin, torch.zeros(50)], 1)
    classes = torch.tensor((labels < 0).astype(np.int64))  # class 0 is psi >= 0
    expected = functional.cross_entropy(logits, classes)
    assert dense_kernel.loss(theta, widths, False, states, labels, 50) == pytest.approx(float(expected), rel=1e-5)
