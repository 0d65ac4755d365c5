"""Networks: published sizes, exact symmetry, and agreement with PyTorch's own layers."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nqs.networks import registry
from nqs.networks.architectures.cnn import PeriodicCNN, TorusTables, fourier_modes
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry, count_parameters, initial_parameters
from nqs.runtime.errors import InputError

SQUARE24 = Geometry(24, (6, 4))


def parameters_of(network, seed=0, members=None):
    """Random parameters as tensors, stacked if `members` is given."""
    rngs = [np.random.default_rng([seed, member]) for member in range(members or 1)]
    drawn = [initial_parameters(network, rng) for rng in rngs]
    stacked = {name: torch.tensor(np.stack([one[name] for one in drawn])) for name in network.shapes}
    return stacked if members else {name: value[0] for name, value in stacked.items()}


def random_spins(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).choice([-1.0, 1.0], shape), dtype=torch.float32)


@pytest.mark.parametrize(
    ("hidden", "sites", "published"),
    [((64,), 24, 1728), ((64,), 30, 2112), ((64, 64), 24, 5888), ((64, 64), 30, 6272)],
)
def test_dense_networks_have_the_published_number_of_parameters(hidden, sites, published):
    assert count_parameters(Dense(Geometry(sites, (6, sites // 6)), "sign", hidden)) == published


def test_amplitude_network_has_one_output():
    assert Dense(SQUARE24, "amplitude", (64,)).shapes["weight1"] == (64, 1)


@pytest.mark.parametrize("last_bias", [False, True])
def test_dense_network_equals_torch_layers(last_bias):
    network = Dense(SQUARE24, "sign", (16, 8), last_bias)
    p, spins = parameters_of(network), random_spins(5, 24)
    h = functional.linear(spins, p["weight0"].T, p["bias0"]).relu()
    h = functional.linear(h, p["weight1"].T, p["bias1"]).relu()
    logits = functional.linear(h, p["weight2"].T, p.get("bias2"))
    torch.testing.assert_close(network(p, spins), logits[:, 0] - logits[:, 1])


def direct_cnn(network, p, spins):
    """The published listing: circular padding, two convolutions, weighted mean, dense layer; logit 2r."""
    lx, ly = network.geometry.shape
    half, kernel = network.kernel // 2, network.kernel
    h = spins.view(-1, 1, ly, lx)
    for layer in (0, 1):
        taps = p[f"kernel{layer}"]  # (tap, in, out), taps run along x first
        weight = taps.view(kernel, kernel, *taps.shape[1:]).permute(3, 2, 0, 1)
        x = (torch.arange(-half, lx + half)) % lx
        y = (torch.arange(-half, ly + half)) % ly
        h = functional.conv2d(h[:, :, y][:, :, :, x], weight, p[f"bias{layer}"]).relu()
    weights = torch.tensor(network._average).view(ly, lx)
    return 2 * (h * weights).sum((2, 3)) @ p["weight2"]


@pytest.mark.parametrize(
    ("shape", "momentum"), [((6, 4), (0, 0)), ((6, 4), (0, 2)), ((4, 4), (2, 2)), ((6, 5), (3, 0))]
)
def test_momentum_space_convolution_equals_the_direct_one(shape, momentum):
    network = PeriodicCNN(Geometry(shape[0] * shape[1], shape, momentum), "sign")
    p, spins = parameters_of(network), random_spins(7, shape[0] * shape[1])
    torch.testing.assert_close(network(p, spins), direct_cnn(network, p, spins), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("momentum", [(0, 0), (3, 0), (0, 2), (3, 2)])
def test_cnn_carries_the_momentum_of_the_ground_state(momentum):
    network = PeriodicCNN(Geometry(24, (6, 4), momentum), "sign")
    p, spins = parameters_of(network), random_spins(9, 24)
    torus = spins.view(9, 4, 6)
    for axis, k, length in ((2, momentum[0], 6), (1, momentum[1], 4)):
        moved = torch.roll(torus, 1, axis).reshape(9, 24)
        sign = -1 if 2 * k == length else 1
        torch.testing.assert_close(network(p, moved), sign * network(p, spins), atol=2e-6, rtol=1e-5)


def test_cnn_with_site_weights_has_the_features_of_the_cnn_and_no_symmetry():
    geometry = Geometry(24, (6, 4), (0, 2))
    free, average = PeriodicCNN(geometry, "sign", (4, 6), 3, True), PeriodicCNN(geometry, "sign", (4, 6), 3)
    p, spins = parameters_of(average), random_spins(5, 24)
    constant = p | {"weight2": torch.tensor(average._average)[:, None] * p["weight2"]}
    assert free.shapes["weight2"] == constant["weight2"].shape
    torch.testing.assert_close(free(constant, spins), average(p, spins), atol=2e-6, rtol=1e-5)
    moved = torch.roll(spins.view(5, 4, 6), 1, 2).reshape(5, 24)
    own = parameters_of(free)
    assert not free.translation_invariant
    assert (free(own, moved) - free(own, spins)).abs().max() > 0.01


def test_amplitude_cnn_is_invariant_whatever_the_momentum():
    network = PeriodicCNN(Geometry(24, (6, 4), (0, 2)), "amplitude")
    p, spins = parameters_of(network), random_spins(3, 24)
    moved = torch.roll(spins.view(3, 4, 6), 1, 1).reshape(3, 24)
    torch.testing.assert_close(network(p, moved), network(p, spins), atol=2e-6, rtol=1e-5)


def test_cnn_refuses_a_complex_momentum():
    network = PeriodicCNN(Geometry(24, (6, 4), (1, 0)), "sign")
    with pytest.raises(ValueError, match=r"momentum \(1, 0\)"):
        network(parameters_of(network), random_spins(2, 24))


@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (6, 5), (6, 3), (2, 3)])
def test_fourier_modes_are_orthonormal_and_start_with_the_constant(shape):
    fourier, n = fourier_modes(shape), shape[0] * shape[1]
    np.testing.assert_allclose(fourier @ fourier.T, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(fourier[0], np.full(n, n**-0.5), atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (6, 5), (6, 3)])
def test_convolutions_do_not_mix_pairs_of_modes(shape):
    tables, n = TorusTables.of(shape, 3), shape[0] * shape[1]
    taps = np.random.default_rng(0).normal(size=9)
    circulant = np.einsum("stu,t->su", tables.shifts, taps)
    full = tables.fourier @ circulant @ tables.fourier.T
    blocks = (tables.kernels @ taps).reshape(n // 2, 2, 2)
    for pair in range(n // 2):
        here = slice(2 * pair, 2 * pair + 2)
        np.testing.assert_allclose(full[here, here], blocks[pair], atol=1e-5)
        full[here, here] = 0
    np.testing.assert_allclose(full, 0, atol=1e-5)


@pytest.mark.parametrize("architecture", registry.known())
@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_stacked_members_equal_single_ones(architecture, target):
    options = {"hidden": (8, 8), "last_bias": False, "channels": (4, 6), "kernel": 3, "site_weights": False}
    network = registry.make(architecture, SQUARE24, target, options)
    stacked, spins = parameters_of(network, members=3), random_spins(3, 11, 24)
    together = network(stacked, spins)
    for member in range(3):
        alone = network({name: value[member] for name, value in stacked.items()}, spins[member])
        torch.testing.assert_close(together[member], alone, atol=1e-6, rtol=1e-5)


def test_an_unknown_architecture_offers_the_nearest():
    with pytest.raises(InputError, match="unknown architecture 'dens'; did you mean 'dense'"):
        registry.make("dens", SQUARE24, "sign", {})


def test_initial_values_follow_pytorch_defaults():
    network = Dense(SQUARE24, "sign", (64, 64))
    values = initial_parameters(network, np.random.default_rng(0))
    for name, fan_in in [("weight0", 24), ("bias0", 24), ("weight1", 64), ("weight2", 64)]:
        bound = 1 / np.sqrt(fan_in)
        assert np.abs(values[name]).max() <= bound
        error = np.sqrt(0.2 / values[name].size)  # of the standard deviation of uniform numbers, relative
        assert values[name].std() == pytest.approx(bound / np.sqrt(3), rel=4 * error)
