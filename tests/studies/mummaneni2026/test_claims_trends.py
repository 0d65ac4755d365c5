"""Statements in words: the checks on invented units, and on the files of a small study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from nqs.analysis.claims import Data
from nqs.studies.mummaneni2026.claims import training
from nqs.studies.mummaneni2026.claims import trends as stage

CZZ = {1: -0.15, 2: 0.06, 3: -0.05, 4: 0.04}  # r -> full profile


def profile(name, values, n_sites):
    return {f"{name}_{r}": values[r] for r in range(1, n_sites // 2 + 1)}


def make(impact, removed=1.0, alone=0.1, weights=None, n_sites=8, repeats=6, stopped_at=1500):
    """Trace models whose units have the given impacts; without a unit C_zz is `removed` times the full profile."""
    base = {"study": "m", "cluster": f"ring{n_sites}", "n_sites": n_sites, "alpha": 2, "mode": "paper", "run": "trace"}
    models, states, units = [], [], []
    for repeat in range(repeats):
        own = base | {"repeat": repeat, "status": "cap", "n_hidden": len(impact), "usable": True, "counted": True}
        models.append(own | {"stopped_at": stopped_at})
        states.append(own | {"sector": "zero", "energy": -3.6} | profile("czz", CZZ, n_sites))
        for unit, size in enumerate(impact):
            change = {r: (removed - 1) * value for r, value in CZZ.items()}
            kept = {r: alone * value for r, value in CZZ.items()}
            units.append(
                base
                | {"repeat": repeat, "status": "cap", "n_hidden": len(impact), "sector": "zero", "unit": unit}
                | {"energy_impact": size, "correlation_impact": 2 * size, "delta_energy": size}
                | {"weight_norm": (weights or impact)[unit]}
                | profile("delta_czz", change, n_sites) | profile("czz_alone", kept, n_sites)
            )  # fmt: skip
    nothing = pd.DataFrame()
    return Data(pd.DataFrame(models), pd.DataFrame(states), pd.DataFrame(units), nothing, nothing, nothing, 0.3)


def verdict_of(check, data):
    return [one.agrees for one in check(data)]


@pytest.mark.parametrize(
    ("check", "true", "false"),
    [
        (stage.n4_graded_impact, make([0.6, 0.2, 0.001], n_sites=4), make([0.6, 0.05, 0.001], n_sites=4)),
        (stage.n8_distributed, make([0.3, 0.25, 0.2, 0.01]), make([0.9, 0.02, 0.01, 0.01])),
        (stage.important_removal_penalty, make([0.5, 0.1]), make([0.5, -0.1])),
        (stage.n4_pattern_destroyed, make([0.6, 0.1], removed=0.1, n_sites=4), make([0.6, 0.1], 0.5, n_sites=4)),
        (stage.n8_phase_inversion, make([0.6, 0.5, 0.4, 0.1], removed=-0.3), make([0.6, 0.5, 0.4, 0.1], 0.3)),
        (stage.collective_encoding, make([0.5, 0.4], alone=0.4), make([0.5, 0.4], alone=0.6)),
    ],
)
def test_a_statement_holds_or_does_not(check, true, false):
    if check is stage.important_removal_penalty:  # a unit whose removal lowers the energy is important by correlations
        false.units.loc[false.units.energy_impact < 0, "correlation_impact"] = 0.5
    assert verdict_of(check, true) == [True]
    assert verdict_of(check, false) == [False]


def test_leading_units_and_impacts_that_go_together():
    data = make([0.6, 0.3, 0.2, 0.05])
    assert verdict_of(stage.top_unit_singular, data) == [True]
    assert verdict_of(stage.impact_correlation_strong, data) == [True]
    data.units["correlation_impact"] = -data.units.energy_impact
    assert verdict_of(stage.top_unit_singular, data) == [False]
    assert verdict_of(stage.impact_correlation_strong, data) == [False]


def test_short_trainings_are_left_out():
    assert verdict_of(stage.n8_distributed, make([0.3, 0.3, 0.3], stopped_at=30)) == []


def test_the_projection_of_a_multiple_is_its_factor():
    data = make([0.5], removed=0.3, alone=-0.2)
    units = data.units.merge(data.states.drop(columns=["status", "n_hidden"]), on=stage.MODEL)
    assert_allclose(stage.projection(units, "czz_alone", "czz"), -0.2)
    assert_allclose(stage.projection(units, "delta_czz", "czz", "czz"), 0.3)


def means(slope, noise=0.01):
    rows = [
        {"n_sites": n, "alpha": alpha, "mode": "paper", "sector": "zero", "tau": 0.3, "with_r0": False, "n_models": 10,
         "converged": True, "fraction_mean": 0.6 + slope * n, "fraction_sem": noise,
         "rho_mean": 0.3 + slope * n + (0.2 if alpha == 4 else 0), "rho_sem": noise}
        for n in (8, 10, 12, 14, 16) for alpha in (2, 3, 4, 5)
    ]  # fmt: skip
    empty = pd.DataFrame()
    return Data(empty, empty, empty, empty, pd.DataFrame(rows), empty, 0.3)


@pytest.mark.parametrize("slope", [-0.02, 0.0, 0.02])
def test_a_fall_must_exceed_twice_its_error(slope):
    for check in (stage.fraction_falls, stage.impact_correlation_weakens):
        assert verdict_of(check, means(slope)) == [slope < 0] * 4
        assert_allclose([one.ours for one in check(means(slope))], slope, atol=1e-12)


def test_the_peak_of_rho_must_stand_out():
    assert verdict_of(stage.rho_peaks_at_alpha4, means(0.0)) == [True]
    assert verdict_of(stage.rho_peaks_at_alpha4, means(0.0, noise=0.2)) == [False]


def test_means_over_models_that_did_not_converge_give_no_verdict():
    data = means(-0.02)
    data.fractions["converged"] = False
    assert set(verdict_of(stage.fraction_falls, data)) == {None}


def test_profiles_are_in_order_of_distance():
    table = pd.DataFrame([{f"czz_{r}": r for r in (10, 2, 1, 0)}])
    assert np.array_equal(stage.profiles(table, "czz"), [[1, 2, 10]])


def course(energies, n_sites=4, alpha=2, repeats=10):
    """Models that all have these sampled energies."""
    models = make([0.5] * 2, repeats=repeats).models
    models = models.assign(cluster=f"ring{n_sites}", n_sites=n_sites, alpha=alpha, exact_energy=-1.0)
    traces = models[[*stage.CELL, "repeat"]].merge(
        pd.DataFrame({"iteration": np.arange(len(energies)), "energy": energies}), how="cross"
    )
    return models, traces


def merged(*courses):
    nothing = pd.DataFrame()
    models, traces = (pd.concat(parts, ignore_index=True) for parts in zip(*courses, strict=True))
    return Data(models, nothing, nothing, nothing, nothing, nothing, 0.3, traces=traces)


@pytest.mark.parametrize("bump", [0.0, 0.2])
def test_a_rise_of_the_mean_energy_is_not_smooth(bump):
    noise = np.random.default_rng(0).normal(0, 1e-3, 1501)
    energies = -1 + np.exp(-np.arange(1501) / 300) + noise
    energies[600:680] += bump
    check = training.smooth_convergence(merged(course(energies)))
    assert [(one.ours, one.agrees) for one in check] == [(float(bump == 0), bump == 0)]


def test_one_noisy_iteration_does_not_raise_the_mean():
    energies = np.random.default_rng(0).normal(-1, 1e-3, 400)
    energies[200] += 1
    assert training.largest_rise(energies) < 3


@pytest.mark.parametrize("sign", [1, -1])
def test_the_density_that_is_faster_meets_the_error_first(sign):
    def falling(alpha):
        return -1 + np.exp(-np.arange(1501) / (70 * (5 - alpha if sign > 0 else alpha)))

    data = merged(*(course(falling(alpha), 10, alpha) for alpha in (1, 2, 3, 4)))
    one, other = training.alpha_speeds_convergence(data)
    assert [(each.ours, each.agrees, each.n_models) for each in (one, other)] == [(-sign, sign > 0, 10)] * 2
    assert one.remark == "0 of 40 models never met it"
    assert other.remark == "10 of 40 models never met it"  # 7 x 280 iterations are too many


def test_an_error_that_no_model_meets_gives_no_verdict():
    data = merged(*(course(np.full(1501, -0.5), 10, alpha) for alpha in (1, 2)))
    assert verdict_of(training.alpha_speeds_convergence, data) == [None, None]


@pytest.mark.parametrize("learnt", [True, False])
def test_units_specialise_if_more_have_the_pattern_than_before(learnt):
    data = make([0.5] * 4)
    scores = np.random.default_rng(0).uniform(-0.5, 0.5, len(data.units))
    initial = data.units[[*stage.CELL, "repeat", "unit"]].assign(s_afm=scores)
    units = data.units.assign(s_afm=np.where(data.units.unit < (3 if learnt else 0), -0.9, scores))
    data = replace(data, units=units, initial=initial)
    (one,) = training.several_units_specialize(data)
    assert one.ours == (3 if learnt else 0)
    assert one.agrees is learnt
    assert not list(training.several_units_specialize(replace(data, initial=pd.DataFrame())))


@pytest.mark.parametrize("apart", [6.0, 0.0])
def test_two_classes_are_two_modes_of_the_logarithm(apart):
    rng = np.random.default_rng(0)
    impact = np.exp(rng.normal(0, 1, 16) + np.repeat([0, apart], 8))
    data = make(list(impact))
    noisy = data.units.energy_impact * np.exp(rng.normal(0, 0.5, len(data.units)))
    data = replace(data, units=data.units.assign(energy_impact=noisy, correlation_impact=noisy))
    assert verdict_of(stage.two_classes, data) == [apart > 0] * 2
