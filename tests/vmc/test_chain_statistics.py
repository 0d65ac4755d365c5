"""Chain diagnostics on series whose answer is known."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from nqs.vmc import chain_statistics
from nqs.vmc.chain_statistics import error_of_mean
from nqs.vmc.estimates import energy_of


def autoregressive(memory, sweeps, chains, seed=0):
    """AR(1) series; integrated autocorrelation time (1 + memory) / (1 - memory)."""
    noise = np.random.default_rng(seed).normal(size=(sweeps, chains))
    values = np.empty_like(noise)
    values[0] = noise[0] / np.sqrt(1 - memory**2)
    for sweep in range(1, sweeps):
        values[sweep] = memory * values[sweep - 1] + noise[sweep]
    return values


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_autocorrelation_time(memory):
    expected = (1 + memory) / (1 - memory)
    assert chain_statistics.autocorrelation_time(autoregressive(memory, 4000, 16)) == pytest.approx(expected, rel=0.1)


def test_rhat_is_one_for_equal_chains_and_larger_for_apart():
    values = np.random.default_rng(0).normal(size=(500, 16))
    assert chain_statistics.split_rhat(values) == pytest.approx(1, abs=0.01)
    assert chain_statistics.split_rhat(values + np.arange(16)) > 2
    assert chain_statistics.split_rhat(np.tile(np.arange(4.0), (10, 1))) == np.inf  # frozen at different values
    assert chain_statistics.split_rhat(np.ones((10, 4))) == 1


@pytest.mark.parametrize("sweeps", [4, 7, 501, 1000])
@pytest.mark.parametrize("apart", [0.0, 0.3, 5.0])
def test_rhat_is_that_of_arviz(sweeps, apart):
    values = autoregressive(0.7, sweeps, 6) + apart * np.arange(6)
    expected = array_stats.rhat(values.T, chain_axis=0, draw_axis=1, method="split")
    assert chain_statistics.split_rhat(values) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("chains", [1, 8])
def test_effective_sample_size_is_that_of_arviz(memory, chains):
    values = autoregressive(memory, 20_000, chains)
    expected = array_stats.ess(values.T, chain_axis=0, draw_axis=1, method="mean")  # stops its sum by Geyer's rule
    found = values.size / chain_statistics.autocorrelation_time(values)
    assert found == pytest.approx(expected, rel=0.12 if chains == 1 else 0.05)


def test_few_effective_samples_in_chains_apart():
    values = autoregressive(0.5, 1000, 8) + 3 * np.arange(8)
    expected = array_stats.ess(values.T, chain_axis=0, draw_axis=1, method="mean")
    assert expected < 20
    assert values.size / chain_statistics.autocorrelation_time(values) < 20


def test_rhat_sees_a_drift_within_chains():
    drift = np.linspace(0, 3, 500)[:, None]
    assert chain_statistics.split_rhat(np.random.default_rng(0).normal(size=(500, 16)) + drift) > 1.2


def test_frozen_chains_have_no_autocorrelation_to_estimate():
    assert chain_statistics.autocorrelation_time(np.ones((100, 4))) == 1


def test_error_covers_the_scatter_of_means():
    series = [autoregressive(0.8, 500, 16, seed) for seed in range(400)]
    times = map(chain_statistics.autocorrelation_time, series)
    errors = [error_of_mean(one.var(), one.size, time) for one, time in zip(series, times, strict=True)]
    scatter = np.std([one.mean() for one in series])
    assert np.mean(errors) == pytest.approx(scatter, rel=4 / np.sqrt(2 * len(series)))
    assert scatter == pytest.approx(5 / np.sqrt(500 * 16), rel=4 / np.sqrt(2 * len(series)))  # 1 / (1 - memory)


@pytest.mark.parametrize("sweeps", [1, 3])
def test_errors_from_chains_too_short_for_a_time_cover_the_scatter_of_means(sweeps):
    series = [autoregressive(0.95, sweeps, 16, seed) for seed in range(400)]
    assert all(np.isnan(chain_statistics.autocorrelation_time(one)) for one in series)
    errors = [energy_of(one)[1] for one in series]
    scatter = np.std([one.mean() for one in series])
    assert np.mean(errors) == pytest.approx(scatter, rel=4 / np.sqrt(2 * len(series)))


def test_one_short_chain_does_not_tell_its_error():
    assert np.isnan(energy_of(np.array([[1.0], [2.0]]))[1])
    assert np.isnan(chain_statistics.error_between_chains(np.ones((1, 1))))
