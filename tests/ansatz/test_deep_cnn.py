"""Deep convolutional networks on a ring, against PyTorch and against direct evaluation."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from nqs.ansatz.deep_cnn import DeepCnn
from nqs.ansatz.ring_protocol import RingAnsatz, RingWave
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import pack_spins, unpack_spins
from nqs.runtime.errors import InputError
from nqs.vmc.loop import Run, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import energy_gradient
from nqs.vmc.ring_sampler import RingSampler
from nqs.vmc.ring_task import ring_task
from nqs.vmc.sampler import zero_magnetisation_states

FAMILIES = [
    DeepCnn(10, 3, 2, 2),
    DeepCnn(10, 1, 2, 3),
    DeepCnn(8, 8, 3, 2),  # a change comes round the ring in every layer
    DeepCnn(10, 4, 1, 3),
    DeepCnn(60, 24, 3, 4),  # and here in the last
    DeepCnn(70, 12, 2, 8),
    DeepCnn(240, 6, 3, 4),
]


def random_spins(n_sites, n, seed=0):
    neel = np.tile(np.array([1, -1], np.int8), (n, n_sites // 2))
    return np.random.default_rng(seed).permuted(neel, axis=1)


def generic(family, seed=0):
    """Parameters whose biases are not zero either."""
    rng = np.random.default_rng(seed)
    return family.initial(rng) + rng.normal(0, 0.05, family.n_parameters)


def module(family):
    """The same network in PyTorch, on one-hot spins (U, 2, N); a window of its layers is centred."""
    parts: list[torch.nn.Module] = []
    for channels in [2] + [family.filters] * (family.layers - 1):
        layer = torch.nn.Conv1d(channels, family.filters, family.width, padding="same", padding_mode="circular")
        parts += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts).double(), torch.nn.Linear(family.filters, 1, bias=False).double()


def torch_log_psi(family, theta, spins):
    """ln psi (U,) with a graph, and the parameters in the order of theta."""
    layers, dense = module(family)
    parameters = [*layers.parameters(), *dense.parameters()]
    torch.nn.utils.vector_to_parameters(torch.tensor(theta), parameters)
    one_hot = torch.tensor(np.stack([spins < 0, spins > 0], axis=1), dtype=torch.float64)
    return dense(layers(one_hot).sum(-1)).squeeze(-1), parameters


def torch_values(family, theta, spins):
    with torch.no_grad():
        return torch_log_psi(family, theta, spins)[0].numpy()


def exchanged(spins, first, second):
    out = spins.copy()
    out[:, [first, second]] = out[:, [second, first]]
    return out


def exact_energy(family, theta):
    """Energy by summing over all states."""
    states, wave = zero_magnetisation_states(family.n_sites), family.at(theta)
    logs = wave.log_psi(states)
    weights = np.exp(2 * (logs - logs.max()))
    return float(weights @ wave.ring_energies(states) / weights.sum())


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_amplitudes_and_slopes_are_those_of_pytorch(family):
    theta, spins, weights = generic(family), random_spins(family.n_sites, 12), np.linspace(-1, 1, 12)
    logs, parameters = torch_log_psi(family, theta, spins)
    slopes = torch.autograd.grad(logs @ torch.tensor(weights), parameters)
    wave, words = family.at(theta), pack_spins(spins)
    assert_allclose(wave.log_psi(words), logs.detach().numpy(), rtol=1e-11, atol=1e-12)
    expected = np.concatenate([slope.numpy().ravel() for slope in slopes])
    assert_allclose(wave.derivatives(words).backward(weights), expected, rtol=1e-9, atol=1e-9)
    assert len(theta) == family.n_parameters == wave.derivatives(words).n_parameters


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_exchanges_of_any_pair(family):
    theta, spins, n_sites = generic(family), random_spins(family.n_sites, 8), family.n_sites
    reach = family.layers * (family.width - 1)
    gaps = [1, 2, n_sites // 2, n_sites - 1, min(reach, n_sites - 2), min(reach + 1, n_sites - 2)]
    pairs = np.array([(site, (site + gap) % n_sites) for gap in gaps for site in (0, 3, n_sites - 1)])
    before = torch_values(family, theta, spins)
    expected = [torch_values(family, theta, exchanged(spins, *pair)) - before for pair in pairs]
    found = family.at(theta).swap_changes(pack_spins(spins), pairs)
    assert_allclose(found, np.transpose(expected), rtol=1e-9, atol=1e-11)
    assert (np.abs(found).max() > 1e-3) == (family.width > 1)  # a single site knows the magnetisation only


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("family", [DeepCnn(10, 3, 2, 2), DeepCnn(10, 6, 3, 3), DeepCnn(10, 10, 2, 2)], ids=repr)
def test_energies_of_all_states(family):
    states, theta = zero_magnetisation_states(10), generic(family)
    spins = unpack_spins(states, 10)
    before, expected = torch_values(family, theta, spins), np.zeros(len(states))
    for site in range(10):
        after = exchanged(spins, site, (site + 1) % 10)
        ratios = np.exp(torch_values(family, theta, after) - before)
        expected += np.where((after == spins).all(axis=1), 1.0, -ratios)
    assert_allclose(family.at(theta).ring_energies(states), expected, rtol=1e-9)


@pytest.mark.parametrize("family", [DeepCnn(8, 3, 2, 2), DeepCnn(8, 4, 3, 2)], ids=repr)
def test_the_gradient_is_the_slope_of_the_energy(family):
    theta, states = generic(family), zero_magnetisation_states(8)[:, None]
    wave = family.at(theta)
    weights = np.exp(2 * wave.log_psi(states))
    slopes = energy_gradient(wave.derivatives(states), weights / weights.sum(), wave.ring_energies(states))
    steps = 1e-5 * np.eye(len(theta))
    numerical = [(exact_energy(family, theta + d) - exact_energy(family, theta - d)) / 2e-5 for d in steps]
    assert_allclose(slopes, numerical, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("moves", ["neighbour", "pair", "listed pairs"])
@pytest.mark.parametrize("family", [DeepCnn(8, 2, 2, 3), DeepCnn(8, 5, 3, 2)], ids=repr)
def test_chains_sample_psi_squared(family, moves):
    wave, rng, states = family.at(1.5 * generic(family)), np.random.default_rng(1), zero_magnetisation_states(8)
    words = pack_spins(random_spins(8, 200))
    if moves == "neighbour":
        drawn, accepted = wave.neighbour_moves(words, 110, 24, rng)
    else:
        pairs = None if moves == "pair" else np.array([(site, (site + 1) % 8) for site in range(8)])
        drawn, accepted = wave.pair_moves(words, pairs, 110, 24, rng)
    assert_array_equal(drawn[-1], words)
    counts = np.array([(drawn[10:] == state).sum() for state in states])
    weights = np.exp(2 * wave.log_psi(states))
    assert counts.sum() == 100 * 200
    assert chisquare(counts, counts.sum() * weights / weights.sum()).pvalue > 1e-3
    assert 0 < accepted < 110 * 24 * 200


def passed_on(shallow, theta, filters):
    """A deep network whose later layers pass on what the shallow network finds."""
    family = DeepCnn(shallow.n_sites, shallow.width, 3, filters)
    found = np.zeros(family.n_parameters)
    kernels, _, output = family.split(found)
    scale, kernel, bias = shallow.split(theta)
    kernels[0][0], kernels[1][1, 0, -1], kernels[2][0, 1, 0], output[0] = kernel.T, 1, 1, scale
    found[kernels[0].size] = bias
    return family.at(found)


@pytest.mark.parametrize(("n_sites", "width"), [(60, 6), (240, 17)])
def test_same_random_numbers_make_the_chains_of_the_shallow_network(n_sites, width):
    shallow = ShallowCnn(n_sites, width)
    theta, results = shallow.initial(np.random.default_rng(5)) / 2 + 0.05, []
    for wave in (shallow.at(theta), passed_on(shallow, theta, 2)):
        words, rng = pack_spins(random_spins(n_sites, 5)), np.random.default_rng(2)
        results += [wave.neighbour_moves(words, 10, n_sites, rng), wave.pair_moves(words, None, 10, n_sites, rng)]
    for (ours, accepted), (theirs, also) in ((results[0], results[2]), (results[1], results[3])):
        assert_array_equal(ours, theirs)
        assert accepted == also > 0


@pytest.mark.parametrize("moves", ["neighbour", "pair"])
def test_many_moves_leave_the_activations_of_the_state(moves):
    family, drawn = DeepCnn(240, 12, 3, 4), []
    wave = family.at(generic(family) / 2)
    for calls in (1, 200):  # every call evaluates the network anew
        words, rng = pack_spins(random_spins(240, 1)), np.random.default_rng(3)
        advance = (
            wave.neighbour_moves if moves == "neighbour" else lambda *given: wave.pair_moves(given[0], None, *given[1:])
        )
        found = [advance(words, 1000 // calls, 5, rng) for _ in range(calls)]
        drawn.append(np.concatenate([states for states, _ in found]))
        assert sum(accepted for _, accepted in found) > 500
    assert_array_equal(drawn[0], drawn[1])
    assert (unpack_spins(drawn[0][:, 0], 240).sum(axis=1) == 0).all()


def test_initial_parameters_are_glorot_uniform():
    family = DeepCnn(60, 6, 3, 4)
    drawn = [family.split(family.initial(np.random.default_rng(seed))) for seed in range(200)]
    for layer, fans in enumerate((6 * (2 + 4), 6 * (4 + 4), 6 * (4 + 4))):
        values = np.array([kernels[layer] for kernels, _, _ in drawn])
        assert_allclose(np.abs(values).max(), np.sqrt(6 / fans), rtol=1e-3)
        assert_allclose(values.std(), np.sqrt(2 / fans), rtol=0.02)
    assert not any(biases.any() for _, biases, _ in drawn)
    assert_allclose(np.std([output for _, _, output in drawn]), np.sqrt(2 / 5), rtol=0.1)
    assert family.n_parameters == (2 * 6 + 1) * 4 + 2 * (4 * 6 + 1) * 4 + 4


def test_a_short_descent_lowers_the_energy():
    family: RingAnsatz = DeepCnn(8, 3, 2, 4)
    task = ring_task(family, RingSampler(8, 1000, 100), Adam(1e-2), max_iterations=150)
    course = Run.start(task, 1)
    start, wave = course.theta.copy(), family.at(course.theta)
    train(course, task)
    assert exact_energy(family, course.theta) < exact_energy(family, start) - 1
    assert -3.3021868178743 < exact_energy(family, course.theta) < -3.15
    assert course.status == "cap"
    assert np.isnan(course.column("grand_sum")).all()
    checked: RingWave = wave
    assert checked.n_sites == 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DeepCnn(7, 3), "even ring"),
        (lambda: DeepCnn(8, 9), "smaller K"),
        (lambda: DeepCnn(8, 3, 0), "layers"),
        (lambda: DeepCnn(8, 3, 2, 0), "filters"),
        (lambda: DeepCnn(8, 3).at(np.zeros(5)), "parameters"),
        (lambda: DeepCnn(70, 3).at(np.zeros(84)).log_psi(np.zeros(4, np.uint64)), "2 words"),
    ],
)
def test_impossible_networks_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
