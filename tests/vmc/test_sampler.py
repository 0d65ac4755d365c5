"""Every sampler draws |psi|^2."""

import numpy as np
import pytest
from scipy.stats import chisquare

from nqs.ansatz.rbm import Rbm
from nqs.model.lattices import make_cluster
from nqs.model.moves import exchanges
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.vmc import sampler
from nqs.vmc.sampler import Chains, Exact, Sampler

N_SITES = 6
EXCHANGES = exchanges(make_cluster("ring", "ring", (N_SITES, 1)).j1)


@pytest.fixture(scope="module")
def wave():
    family = Rbm(N_SITES, 12)
    return family.at(np.random.default_rng(3).normal(0, 0.15, family.n_parameters))


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("kind", ["flip", "exchange", "exact", "exact at Sz = 0"])
def test_sampled_frequencies_are_the_probabilities(wave, kind, table, monkeypatch):
    if not table:
        monkeypatch.setattr(sampler, "TABLE_SITES", 0)  # the compiled chains of the ansatz
    zero = kind in ("exchange", "exact at Sz = 0")
    draws: Sampler = Exact(N_SITES, 40_000, zero)
    if not kind.startswith("exact"):
        draws = Chains(N_SITES, 40_000, 200, 50, 10, EXCHANGES if kind == "exchange" else None)
    rng = np.random.default_rng(5)
    sample = draws.draw(wave, draws.start(rng), rng)
    weights = sampler.relative_weights(wave.log_psi_all())
    if zero:
        weights[np.bitwise_count(np.arange(64, dtype=np.uint64)) != N_SITES // 2] = 0
    counts = np.zeros(64)
    counts[sample.states.astype(int)] = sample.weights * sample.n
    allowed = weights > 0
    assert counts[~allowed].sum() == 0
    assert chisquare(counts[allowed], 40_000 * weights[allowed] / weights.sum()).pvalue > 1e-3


def test_table_and_ratios_give_the_same_chain_for_equal_random_numbers(wave, monkeypatch):
    draws = Chains(N_SITES, 320, 16, 5)
    results = []
    for sites in (14, 0):
        monkeypatch.setattr(sampler, "TABLE_SITES", sites)
        rng = np.random.default_rng(8)
        results.append(draws.draw(wave, draws.start(rng), rng))
    # both accept where u < ratio^2, so only rounding could tell them apart
    assert results[0].drawn is not None
    assert results[1].drawn is not None
    assert np.array_equal(results[0].drawn, results[1].drawn)
    assert results[0].acceptance == results[1].acceptance


def test_chains_persist(wave):
    draws = Chains(N_SITES, 160, 16, 0)
    rng = np.random.default_rng(0)
    chains = draws.start(rng)
    sample = draws.draw(wave, chains, rng)
    assert sample.drawn is not None
    assert np.array_equal(chains, sample.drawn[-1])


def test_weights_add_up_and_values_follow_the_chains(wave):
    draws = Chains(N_SITES, 160, 16, 0)
    rng = np.random.default_rng(0)
    sample = draws.draw(wave, draws.start(rng), rng)
    assert sample.drawn is not None
    along = sample.along_chains(sample.states)
    assert along is not None
    assert sample.weights.sum() == pytest.approx(1)
    assert np.array_equal(along, sample.drawn)
    assert len(sample.states) == len(set(sample.states.tolist()))


def test_exchanges_start_and_stay_at_zero_magnetisation(wave):
    draws = Chains(N_SITES, 160, 16, 0, 1, EXCHANGES)
    rng = np.random.default_rng(0)
    chains = draws.start(rng)
    assert (np.bitwise_count(chains) == 3).all()
    assert (np.bitwise_count(draws.draw(wave, chains, rng).states) == 3).all()


def test_a_wave_on_few_states_does_not_underflow_into_a_trap():
    weights = sampler.relative_weights(np.array([0.0, -1000.0]))
    assert weights[0] == 1
    assert weights[1] > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chains(6, 100, 16), "no multiple of the 16 chains"),
        (lambda: Chains(5, 160, 16, 0, 1, EXCHANGES), "odd number of spins"),
        (lambda: Exact(40, 100), "too many to enumerate"),
        (lambda: zero_magnetisation_states(7), "odd number of spins"),
    ],
)
def test_impossible_settings_say_what_to_change(make, message):
    with pytest.raises(InputError, match=message):
        make()
