"""Products over windows of a ring, by look-up and by convolution, against direct evaluation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.protocol import Ansatz, Wave
from nqs.ansatz.window_convolution import ConvolutionWave
from nqs.ansatz.window_table import MotifTable, best_group, pack_spins, unpack_spins
from nqs.model.hamiltonians import heisenberg
from nqs.model.lattices import make_cluster
from nqs.model.moves import exchanges, flips
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.vmc.local_energy import local_energies


def random_spins(n_sites, n, seed=0):
    neel = np.tile(np.array([1, -1], np.int8), (n, n_sites // 2))
    return np.random.default_rng(seed).permuted(neel, axis=1)


def random_table(n_sites, width, spread=0.3, seed=0):
    return MotifTable(n_sites, np.random.default_rng(seed).normal(0, spread, 1 << width))


def random_filter(n_sites, width, seed=0):
    rng = np.random.default_rng(seed)
    return ConvolutionWave(n_sites, -0.7, rng.normal(0, 0.4, (width, 2)), 0.1)


def direct_log_psi(wave, spins):
    """ln psi from the definition, by rolling the spins."""
    up = (spins > 0).astype(int)
    if isinstance(wave, MotifTable):
        return wave.motifs[sum(np.roll(up, -k, axis=1) << k for k in range(wave.width))].sum(axis=1)
    parameters = wave.filter
    rise = parameters.rise[::-1]
    inputs = parameters.pieces[:, 0].sum() + sum(np.roll(up, -k, axis=1) * rise[k] for k in range(wave.width))
    return parameters.scale * np.maximum(inputs, 0).sum(axis=1)


def exchanged(spins, first, second):
    out = spins.copy()
    out[:, [first, second]] = out[:, [second, first]]
    return out


WAVES = {
    "one site": lambda: random_table(8, 1),
    "look-up of elements": lambda: random_table(10, 4),
    "context longer than the ring": lambda: random_table(8, 6),
    "window as long as the ring": lambda: random_table(8, 8),
    "sums of windows": lambda: random_table(14, 10),
    "two words": lambda: random_table(70, 5),
    "widest table": lambda: random_table(130, 16, 0.1),
    "filter": lambda: random_filter(10, 4),
    "filter as long as the ring": lambda: random_filter(8, 8),
    "wide filter": lambda: random_filter(70, 24),
    "widest filter": lambda: random_filter(130, 60),
}


@pytest.mark.parametrize("name", WAVES)
def test_amplitudes_and_energies_are_those_of_the_definition(name):
    wave = WAVES[name]()
    spins = random_spins(wave.n_sites, 20)
    logs, energies = direct_log_psi(wave, spins), np.zeros(len(spins))
    for site in range(wave.n_sites):
        after = exchanged(spins, site, (site + 1) % wave.n_sites)
        same = (after == spins).all(axis=1)
        energies += np.where(same, 1.0, -np.exp(direct_log_psi(wave, after) - logs))
    assert_allclose(wave.log_psi(pack_spins(spins)), logs, rtol=1e-12)
    assert_allclose(wave.ring_energies(pack_spins(spins)), energies, rtol=1e-9)


@pytest.mark.parametrize("name", ["context longer than the ring", "sums of windows", "two words", "widest table"])
def test_swap_ratios_of_any_pair(name):
    wave = WAVES[name]()
    spins, pairs = random_spins(wave.n_sites, 10), np.array([(0, 1), (2, 5), (7, 0), (3, 4)])
    for ratios, pair in zip(wave.swap_ratios(pack_spins(spins), pairs).T, pairs, strict=True):
        after = exchanged(spins, *pair)
        expected = np.exp(direct_log_psi(wave, after) - direct_log_psi(wave, spins))
        assert_allclose(ratios, np.where((after == spins).all(axis=1), 0, expected), rtol=1e-10)


@pytest.mark.parametrize("moves", ["neighbour", "pair", "listed pairs"])
@pytest.mark.parametrize("wave", [random_table(8, 3), random_table(8, 6), random_filter(8, 3)], ids=["K3", "K6", "CNN"])
def test_chains_sample_psi_squared(wave, moves):
    rng, states = np.random.default_rng(1), zero_magnetisation_states(8)
    words = pack_spins(random_spins(8, 250))
    if moves == "neighbour":
        drawn, accepted = wave.neighbour_moves(words, 170, 40, rng)
    else:
        pairs = None if moves == "pair" else make_cluster("ring", "ring", (8, 1)).j1
        drawn, accepted = wave.pair_moves(words, pairs, 170, 40, rng)
    assert_array_equal(drawn[-1], words)
    counts = np.array([(drawn[10:] == state).sum() for state in states])
    weights = np.exp(2 * wave.log_psi(states))
    assert counts.sum() == 160 * 250
    assert chisquare(counts, counts.sum() * weights / weights.sum()).pvalue > 1e-3
    assert 0 < accepted < 170 * 40 * 250


@pytest.mark.parametrize("n_sites", [60, 240])
def test_look_up_and_convolution_make_the_same_chains(n_sites):
    convolution = random_filter(n_sites, 6)
    parameters = convolution.filter
    table = MotifTable(n_sites, parameters.scale * np.maximum(parameters.pieces[0, :64], 0))
    results = []
    for wave in (table, convolution):
        words, rng = pack_spins(random_spins(n_sites, 5)), np.random.default_rng(2)
        results += [wave.neighbour_moves(words, 10, n_sites, rng), wave.pair_moves(words, None, 10, n_sites, rng)]
    for (ours, accepted), (theirs, also) in ((results[0], results[2]), (results[1], results[3])):
        assert_array_equal(ours, theirs)
        assert accepted == also > 0
        assert (unpack_spins(ours.reshape(-1, ours.shape[-1]), n_sites).sum(axis=1) == 0).all()


def test_up_to_64_sites_a_table_is_a_wave_of_the_engine():
    family: Ansatz = Cps(8, 3)
    wave: Wave = family.at(np.random.default_rng(0).normal(0, 0.3, 8))
    states = zero_magnetisation_states(8)
    bonds = make_cluster("ring", "ring", (8, 1)).j1
    energies = local_energies(heisenberg(8, bonds, marshall=True), wave, states)
    assert isinstance(wave, MotifTable)
    assert_allclose(2 * energies + 4, wave.ring_energies(states), rtol=1e-12, atol=1e-12)  # P = 2 S.S + 1/2 per bond
    assert_allclose(wave.log_psi_all()[states.astype(int)], wave.log_psi(states))
    rng, chains = np.random.default_rng(3), states[:40].copy()
    drawn, accepted = wave.sweeps(chains, exchanges(bonds), 5, rng)
    assert_array_equal(drawn[-1], chains)
    assert (np.bitwise_count(drawn) == 4).all()
    drawn, accepted = wave.sweeps(chains, flips(8), 400, rng)
    weights = np.exp(2 * wave.log_psi_all())
    counts = np.bincount(drawn[10::3].ravel().astype(int), minlength=256)
    assert accepted > 0
    assert chisquare(counts, counts.sum() * weights / weights.sum()).pvalue > 1e-3


def test_derivatives_are_motif_counts():
    wave, rng = random_table(12, 4), np.random.default_rng(4)
    words = pack_spins(random_spins(12, 9))
    derivatives, weights = wave.derivatives(words), rng.normal(size=9)
    step = rng.normal(size=16)
    change = MotifTable(12, wave.motifs + step).log_psi(words) - wave.log_psi(words)
    assert_allclose(derivatives.jacobian().sum(axis=1), 12)
    assert_allclose(derivatives.forward(step), change, rtol=1e-5)
    assert_allclose(derivatives.backward(weights), weights @ derivatives.jacobian(), rtol=1e-5, atol=1e-5)
    assert (derivatives.n_states, derivatives.n_parameters) == (9, 16)


@pytest.mark.parametrize("n_sites", [8, 64, 66, 240])
def test_spins_survive_packing(n_sites):
    spins = random_spins(n_sites, 6)
    assert_array_equal(unpack_spins(pack_spins(spins), n_sites), spins)
    assert pack_spins(spins)[0, 0] & np.uint64(1) == (spins[0, 0] > 0)  # site 0 is the lowest bit


@pytest.mark.parametrize("width", range(1, 17))
def test_groups_of_windows_fit_the_cache(width):
    assert best_group(width) >= 1
    assert width + best_group(width) - 1 <= 16


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: random_table(9, 3), "even ring"),
        (lambda: random_table(2, 1), "at least 4"),
        (lambda: random_table(8, 9), "smaller K"),
        (lambda: random_table(60, 17), "K <= 16"),
        (lambda: MotifTable(8, np.zeros(6)), "power of 2"),
        (lambda: random_filter(20, 24), "smaller K"),
        (lambda: random_filter(240, 61), "K <= 60"),
        (lambda: random_table(70, 3).log_psi(np.zeros(4, np.uint64)), "2 words"),
    ],
)
def test_impossible_rings_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
