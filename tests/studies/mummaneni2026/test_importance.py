"""Classification of hidden units, seed means and power laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.studies import build_rows

from nqs.analysis.power_laws import log_log_law, power_law
from nqs.analysis.table_files import counts, mark, median_row
from nqs.studies.mummaneni2026.tables import importance
from nqs.studies.mummaneni2026.tables.importance import pearson

SIZES = np.array([8.0, 10, 12, 14, 16, 18, 20])


def states(statuses, n_sites=8, mode="paper", run="sweep"):
    """One row per model and sector."""
    rows = [
        {"study": "m", "cluster": f"ring{n_sites}", "n_sites": n_sites, "alpha": 2, "n_hidden": 4, "mode": mode,
         "run": run, "repeat": repeat, "status": status, "sector": sector, "energy": -3.0}
        for repeat, status in enumerate(statuses)
        for sector in ("all", "zero")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def units(models, energy, correlation):
    """Four units per model with the given impacts."""
    table = models.drop(columns="energy").merge(pd.DataFrame({"unit": range(4)}), how="cross")
    table["energy_impact"] = np.asarray(energy)[table.unit]
    table["correlation_impact"] = np.asarray(correlation)[table.unit]
    return table.assign(correlation_impact_r0=table.correlation_impact / 2)


def test_units_above_either_threshold_are_important():
    models = states(["converged"])
    found = importance.classify(units(models, [0.4, 0.1, 0.0, 0.2], [0.1, 0.5, 0.35, 0.2]), [0.3, 0.15])
    own = found[found.sector == "zero"].set_index(["tau", "with_r0"])
    assert own.n_important.to_dict() == {(0.3, False): 3, (0.3, True): 1, (0.15, False): 4, (0.15, True): 4}
    assert own.n_by_energy.to_dict() == {(0.3, False): 1, (0.3, True): 1, (0.15, False): 2, (0.15, True): 2}
    assert own.fraction[(0.3, False)] == 0.75
    expected = np.corrcoef([0.4, 0.1, 0.0, 0.2], [0.1, 0.5, 0.35, 0.2])[0, 1]
    assert_allclose(own.rho, expected)


def test_fewer_units_are_important_at_higher_thresholds():
    rng, models = np.random.default_rng(0), states(["converged", "cap"])
    found = importance.classify(units(models, rng.random(4), rng.random(4)), [0.1, 0.2, 0.4, 0.8])
    steps = found.groupby(["repeat", "sector", "with_r0"]).n_important.apply(lambda n: np.diff(n).max())
    assert (steps <= 0).all()
    assert found.n_important.nunique() > 1


def test_the_correlation_of_constants_is_undefined():
    assert np.isnan(pearson(np.ones(3), np.arange(3.0)))
    assert_allclose(pearson(np.arange(4.0), 3 - 2 * np.arange(4.0)), -1)


def test_means_run_over_converged_models_where_there_are_any():
    marked = mark(pd.concat([
        states(["converged", "cap", "diverged"]),
        states(["cap", "frozen", "cap"], n_sites=10),
        states(["cap", "cap", "singular"], run="trace"),
    ], ignore_index=True))  # fmt: skip
    number = counts(marked[marked.sector == "all"], ["n_sites", "run"]).values.tolist()
    assert number == [
        [8, "sweep", 1, 1, 1],
        [8, "trace", 2, 0, 1],  # no criterion, so nothing missed it
        [10, "sweep", 2, 2, 1],
    ]
    assert marked[(marked.n_sites == 8) & (marked.run == "sweep") & marked.counted].repeat.unique().tolist() == [0]


def test_a_model_without_an_energy_is_not_usable():
    models = states(["converged", "converged"])
    models.loc[(models.repeat == 1) & (models.sector == "all"), "energy"] = np.nan
    assert mark(models)[["repeat", "usable"]].drop_duplicates().values.tolist() == [[0, True], [1, False]]


def test_the_median_model_is_one_of_them():
    assert median_row(pd.Series([3.0, 1, 2], index=list("abc"))) == "c"
    assert median_row(pd.Series([3.0, 1, 2, np.nan, 9], index=list("abcde"))) == "c"  # the lower of the two
    with pytest.raises(ValueError, match="no model"):
        median_row(pd.Series([np.nan]))


@pytest.mark.parametrize("k", [-0.5, 0.41, 1.0, 1.7])
@pytest.mark.parametrize("fit", [power_law, log_log_law])
def test_a_power_law_is_recovered(fit, k):
    law = fit(SIZES, 2.5 * SIZES**k)
    assert_allclose([law.k, law.prefactor, law.r_squared], [k, 2.5, 1.0], rtol=1e-5)
    assert law.k_se < 1e-5
    assert law.n_points == 7


def test_the_error_of_the_exponent_is_the_spread_over_noise():
    rng = np.random.default_rng(5)
    laws = [power_law(SIZES, 5 * SIZES**0.5 + rng.normal(0, 1, len(SIZES))) for _ in range(300)]
    spread = np.std([law.k for law in laws])
    assert_allclose(np.sqrt(np.mean([law.k_se**2 for law in laws])), spread, rtol=0.15)
    assert_allclose(np.mean([law.k for law in laws]), 0.5, atol=4 * spread / np.sqrt(300))


def test_the_fraction_has_the_exponent_less_one():
    rng = np.random.default_rng(2)
    number = 3 * SIZES**0.6 * np.exp(rng.normal(0, 0.1, len(SIZES)))
    one, two = log_log_law(SIZES, number), log_log_law(SIZES, number / (4 * SIZES))
    assert_allclose(two.k, one.k - 1, rtol=1e-12)
    assert_allclose(two.k_se, one.k_se, rtol=1e-9)


@pytest.mark.parametrize("fit", [power_law, log_log_law])
def test_points_that_do_not_determine_a_law_say_why(fit):
    one = fit(np.array([8.0]), np.array([3.0]))
    assert np.isnan(one.k)
    assert "two sizes" in one.reason
    two = fit(np.array([8.0, 16.0]), np.array([3.0, 6.0]))
    assert_allclose(two.k, 1.0, rtol=1e-6)
    assert np.isnan(two.k_se)
    assert np.isnan(two.r_squared)
    nothing = fit(SIZES, np.zeros(7))
    assert np.isnan(nothing.k)
    assert "zero" in nothing.reason


def test_a_zero_mean_has_no_logarithm_but_a_fit():
    values = np.array([0.0, 1, 2, 3, 4, 5, 6])
    assert "logarithm" in log_log_law(SIZES, values).reason
    assert power_law(SIZES, values).k > 1


def test_the_stage_writes_means_and_fits(tmp_path):
    cells = [states(["converged", "converged", "cap"], n_sites=n) for n in (8, 10, 12)]
    rng = np.random.default_rng(1)
    paths: dict[str, list[Path]] = {"states": [], "units": []}
    for number, models in enumerate(cells):
        paths["states"].append(tmp_path / f"{number}_states.csv")
        paths["units"].append(tmp_path / f"{number}_units.parquet")
        models.to_csv(paths["states"][-1], index=False)
        units(models, rng.random(4), rng.random(4)).to_parquet(paths["units"][-1])
    models, means, laws = build_rows("mummaneni2026_importance", paths, {"taus": [0.1, 0.3]}, tmp_path).values()
    assert len(models) == 3 * 3 * 2 * 2 * 2  # cells, repeats, sectors, thresholds, with and without r = 0
    assert len(means) == 3 * 2 * 2 * 2
    assert (means[["n_models", "n_not_converged", "n_failed"]] == [2, 1, 0]).all(axis=None)
    assert len(laws) == 2 * 2 * 2 * 2
    point = means[(means.n_sites == 8) & (means.tau == 0.3) & ~means.with_r0 & (means.sector == "zero")].iloc[0]
    own = models[models.counted & (models.n_sites == 8) & (models.tau == 0.3) & ~models.with_r0]
    own = own[own.sector == "zero"]
    assert_allclose(point.n_important_mean, own.n_important.mean())
    assert_allclose(point.fraction_sem, own.fraction.std(ddof=1) / np.sqrt(2))
