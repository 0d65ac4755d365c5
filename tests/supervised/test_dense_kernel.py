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
NO_SEED = np.uint64(0)  # of dropout, where there is none


def problem(target, seed=0, n=300):
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 1 << N_SITES, n).astype(np.uint64)
    labels = rng.choice([-1, 1], n) if target == "sign" else rng.normal(-5, 1, n)
    return states, labels.astype(np.float32), rng.integers(0, n, (40, 32))


def torch_training(network, theta, states, labels, index, rate, l2=0.0, forward=None):
    parameters = torch.tensor(theta, requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=rate, weight_decay=l2)
    packed, target = torch.tensor(states.astype(np.int64)), torch.tensor(labels)
    for update, rows in enumerate(torch.tensor(index)):
        optimiser.zero_grad()
        named, spins = unflatten(network, parameters), spins_of(packed[rows], N_SITES)
        output = forward(named, spins, update) if forward else network(named, spins)
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
        start.theta, start.mean, start.square, 0, 1e-3, widths, last_bias, states, labels, index, 0.0, 0.0, NO_SEED
    )  # fmt: skip
    np.testing.assert_allclose(start.theta, expected, atol=2e-5)
    assert np.abs(start.theta - Trajectory.start(network, 3).theta).max() > 0.01  # it did move


def test_l2_regularisation_is_that_of_pytorch():
    network = Dense(Geometry(N_SITES, (4, 4)), "sign", (12, 10), True)
    states, labels, index = problem("sign")
    start = Trajectory.start(network, 3)
    plain, expected = (torch_training(network, start.theta, states, labels, index, 1e-3, l2) for l2 in (0.0, 0.1))
    widths = np.array(network.widths)
    dense_kernel.train(
        start.theta, start.mean, start.square, 0, 1e-3, widths, True, states, labels, index, 0.1, 0.0, NO_SEED
    )  # fmt: skip
    np.testing.assert_allclose(start.theta, expected, atol=2e-5)
    assert np.abs(expected - plain).max() > 1e-3


def random_words(stream, n):
    """n words of SplitMix64 [Steele et al. 2014], in Python's integers."""
    words, mask = [], (1 << 64) - 1
    for _ in range(n):
        stream = (stream + 0x9E3779B97F4A7C15) & mask
        words.append(mixed(stream))
    return words, stream


def mixed(word):
    mask = (1 << 64) - 1
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
    return word ^ (word >> 31)


def test_dropout_leaves_out_units_of_each_state_and_keeps_the_mean():
    """Against PyTorch with the same masks, in pieces: they depend on seed and update alone."""
    network = Dense(Geometry(N_SITES, (4, 4)), "sign", (12, 10), True)
    states, labels, index = problem("sign")
    seed, share, left_out = 7, 0.3, []

    def forward(p, spins, update):
        stream = mixed((seed + update * 0x9E3779B97F4A7C15) & ((1 << 64) - 1))
        h = spins
        for layer in range(2):
            h = (h @ p[f"weight{layer}"] + p[f"bias{layer}"]).relu()
            words, stream = random_words(stream, h.numel())
            mask = torch.tensor([word / 2**64 >= share for word in words]).view(h.shape)
            left_out.append(1 - mask.float().mean())
            h = h * mask / (1 - share)
        h = h @ p["weight2"] + p["bias2"]
        return h[:, 0] - h[:, 1]

    start = Trajectory.start(network, 3)
    expected = torch_training(network, start.theta, states, labels, index, 1e-3, forward=forward)
    assert np.mean(left_out) == pytest.approx(share, abs=4 * (share / 28_000) ** 0.5)
    widths, moments = np.array(network.widths), (start.mean, start.square)
    for begin, end in ((0, 15), (15, 40)):
        dense_kernel.train(
            start.theta, *moments, begin, 1e-3, widths, True, states, labels, index[begin:end], 0.0, share,
            np.uint64(seed),
        )  # fmt: skip
    np.testing.assert_allclose(start.theta, expected, atol=2e-5)


def test_a_hundred_steps_of_adam_are_those_of_pytorch_in_double_precision():
    """Along gradients of all sizes, from those that vanish beside epsilon on."""
    scales = np.array([0, *np.geomspace(1e-12, 1e3, 31)])
    gradients = (scales * np.random.default_rng(0).normal(0.3, 1, (100, 32))).astype(np.float32)
    theta, mean, square = np.zeros((3, 32), np.float32)
    parameters = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=0.02)
    for step, gradient in enumerate(gradients, 1):
        dense_kernel.adam(theta, gradient, mean, square, step, 0.02, np.float32(0))
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
        theta.copy(), mean, square, 0, 1e-3, widths, True, states, labels, np.arange(64)[None], 0.0, 0.0, NO_SEED
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
