"""tableX1: every published number has a check, and the rules of agreement hold on invented results."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nqs.analysis import claims
from nqs.analysis.claims import Data
from nqs.analysis.facts import read_facts
from nqs.runtime.errors import InputError
from nqs.studies.mummaneni2026.claims import table as published_table
from nqs.studies.mummaneni2026.claims.numbers import CHECKS
from nqs.studies.mummaneni2026.tables.importance import fits

PUBLISHED = Path(__file__).parents[3] / "reference" / "mummaneni2026" / "published.yaml"
EXACT = {4: -2.0, 8: -3.651093, 10: -4.515446, 12: -5.387391, 16: -7.142296}
STUDY_SIZES = (8, 10, 12, 14, 16, 18, 20)


@pytest.fixture(scope="module")
def facts():
    return read_facts(PUBLISHED)


def models(run, sizes, alphas, repeats=10, status="converged", error=5e-4):
    rows = [
        {"study": "m", "cluster": f"ring{n}", "n_sites": n, "alpha": alpha, "mode": mode, "run": run, "repeat": repeat,
         "status": status, "n_hidden": alpha * n, "stopped_at": 1500, "energy": EXACT.get(n, -0.44 * n) * (1 - error),
         "variance": 0.05, "relative_error": error}
        for n in sizes for alpha in alphas for mode in ("paper", "sound") for repeat in range(repeats)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(usable=True, counted=status in ("converged", "cap"))


def states(table, error=5e-4):
    both = [table.assign(sector=sector, relative_error=error) for sector in ("all", "zero")]
    states = pd.concat(both, ignore_index=True).drop(columns="stopped_at")
    missed = 0.01 * (1 + states.repeat)  # the important units miss 1 to 10 %
    return states.assign(
        energy_important=states.energy * (1 - missed), energy_none=0.0, n_important=36 + states.repeat
    )  # fmt: skip


def fractions(k, noise=0.05, converged=True):
    """Seed means m' = 4 N^k with scatter, at every threshold."""
    rows, scatter = [], np.random.default_rng(0).normal(0, noise, len(STUDY_SIZES))
    for alpha in (2, 3, 4, 5):
        for n, deviation in zip(STUDY_SIZES, scatter, strict=True):
            number = 4 * n**k * (1 + deviation)
            rows.append({"study": "m", "cluster": f"ring{n}", "n_sites": n, "alpha": alpha, "n_important_mean": number,
                         "fraction_mean": 0.53 if alpha == 2 else 0.9, "fraction_sem": 0.01, "rho_mean": 0.3,
                         "rho_sd": 0.1, "rho_sem": 0.03})  # fmt: skip
    variants = pd.DataFrame([
        {"mode": mode, "run": "sweep", "sector": sector, "tau": tau, "with_r0": with_r0}
        for mode in ("paper", "sound") for sector in ("all", "zero") for tau in (0.1, 0.15, 0.25, 0.3, 0.35)
        for with_r0 in (False, True)
    ])  # fmt: skip
    return pd.DataFrame(rows).merge(variants, how="cross").assign(converged=converged, n_models=10)


def units(small):
    """One dominant unit per model; scores of +-0.7 to 0.8."""
    table = small[small.n_sites.isin([4, 8])].merge(pd.DataFrame({"unit": range(8)}), how="cross")
    table = table.drop(columns=["energy", "variance", "relative_error", "stopped_at", "usable", "counted"])
    table["energy_impact"] = np.where(table.unit == 0, 0.8, 0.01)
    table["correlation_impact"] = np.where(table.unit < 4 + table.repeat % 3, 0.5, 0.1)
    table["s_afm"] = np.where(table.unit == 3, 0.7 + 0.01 * table.repeat, -0.1)
    return pd.concat([table.assign(sector=sector) for sector in ("all", "zero")], ignore_index=True)


@cache
def whole_study(k, converged):
    small = models("trace", (4, 8, 10), (1, 2, 3, 4), status="cap")
    sweep = models("sweep", STUDY_SIZES, (2, 3, 4, 5))
    means = fractions(k, converged=converged)
    everything = pd.concat([small, sweep], ignore_index=True)
    return {
        "models": everything, "states": states(everything), "units": units(small), "importance": pd.DataFrame(),
        "fractions": means, "power_laws": fits(means), "tau": 0.3,
    }  # fmt: skip


def data(k=0.42, converged=True, **changes):
    return Data(**(whole_study(k, converged) | changes))


def only(facts, *claims):
    return {claim: facts[claim] for claim in claims}


@pytest.fixture(scope="module")
def table(facts):
    return published_table.published_table(facts, data())


def verdicts(table, claim, **values):
    rows = table[table.claim == claim]
    for column, value in values.items():
        rows = rows[rows[column] == value]
    return set(rows.verdict)


def test_every_published_number_is_checked_or_an_input(facts):
    assert set(facts) == set(CHECKS) | set(published_table.INPUTS)
    assert all({"value", "uncertainty", "unit", "where"} <= set(fact) for fact in facts.values())


def test_the_facts_are_those_printed(facts):
    assert [facts[f"exponent_alpha{alpha}"]["value"] for alpha in (2, 3, 4, 5)] == [0.46, 0.41, 0.47, 0.37]
    assert [facts[f"exponent_alpha{alpha}"]["uncertainty"] for alpha in (2, 3, 4, 5)] == [0.21, 0.18, 0.11, 0.18]
    assert facts["recovery_others"]["value"] == {"N8": 28, "N12": 49, "N20": 114}


def test_every_variant_of_every_fact_has_a_row(facts, table):
    assert set(table.claim) == set(CHECKS)
    assert list(table.columns) == list(published_table.COLUMNS)
    exponents = table[table.claim == "exponent_alpha3"]
    assert len(exponents) == 2 * 2 * 2 * 2  # modes, sectors, with r = 0 or not, fits
    assert set(table.verdict) == {"agrees", "differs"}


def test_the_published_energies_per_site_fit_no_unit(table):
    """Their ratio is 1.038, the exact one 0.913."""
    assert verdicts(table, "energy_per_site_n4_n8") == {"differs"}


def test_energies_per_site_in_any_common_unit_agree(facts):
    fact = {"energy_per_site_n4_n8": facts["energy_per_site_n4_n8"] | {"value": {"N4": -2.0, "N8": -1.8255}}}
    assert set(published_table.published_table(fact, data()).verdict) == {"agrees"}


@pytest.mark.parametrize(("k", "expected"), [(0.42, "agrees"), (1.1, "differs")])
def test_exponents_agree_within_two_standard_errors(facts, k, expected):
    claims = ("exponent_alpha4", "exponents_below_one", "sublinear_range", "exponents_consistent")
    table = published_table.published_table(only(facts, *claims), data(k))
    for claim in claims:
        assert verdicts(table, claim) == {expected}, claim


def test_models_that_did_not_converge_give_no_verdict_on_exponents(facts):
    claims = ("exponent_alpha2", "fit_quality", "fraction_rises_with_alpha_n12", "rho_n12")
    table = published_table.published_table(only(facts, *claims), data(converged=False))
    for claim in claims:
        assert verdicts(table, claim) == {"no data at this scale"}, claim
    assert table[table.claim == "exponent_alpha2"].ours.notna().all()


def test_small_rings_are_judged_by_their_medians_and_ranges(table):
    for claim in ("within_one_percent", "n4_dominant_unit", "impactful_units_listed", "top_score_n4"):
        assert verdicts(table, claim) == {"agrees"}, claim
    orders = table[table.claim == "variance_orders"].groupby("quantity").verdict.first()
    assert orders.tolist() == ["differs", "agrees"]  # 0.05 in S.S is 0.8 in Pauli units, against 0.1 and 1
    score = table[table.claim == "top_score_n4"]
    assert score.ours.tolist() == pytest.approx([0.745, 0.745])


def test_an_order_of_magnitude_allows_a_factor_three(facts):
    fact = {"variance_orders": facts["variance_orders"] | {"value": {"N4": 0.2, "N8": 2.0}}}
    table = published_table.published_table(fact, data())
    assert table.groupby("quantity").verdict.first().tolist() == ["differs", "agrees"]  # 0.8 against 0.2 and 2.0


def test_the_number_of_converged_models_needs_all_of_them(facts):
    whole, facts = data(), only(facts, "converged_models")
    table = published_table.published_table(facts, whole)
    assert verdicts(table, "converged_models") == {"agrees"}
    smaller = whole.models[(whole.models.run == "trace") | (whole.models.repeat < 5)]
    table = published_table.published_table(facts, data(models=smaller))
    assert verdicts(table, "converged_models", sector="sampled") == {"no data at this scale"}
    bad = states(whole.models, error=2e-2)
    table = published_table.published_table(facts, data(states=bad))
    assert verdicts(table, "converged_models", sector="zero") == {"differs"}
    assert verdicts(table, "converged_models", sector="sampled") == {"agrees"}


def test_recovered_energies_are_compared_with_the_range_over_seeds(table):
    assert verdicts(table, "recovery_n16") == {"agrees"}  # 36 to 45 units, 1 to 10 %
    assert verdicts(table, "recovery_others") == {"differs"}
    rows = table[(table.claim == "recovery_n16") & table.quantity.str.startswith("energy")]
    assert rows.ours.tolist() == pytest.approx([5.5] * 4)


def test_only_the_largest_density_should_reach_the_exact_energy(table):
    rows = table[table.claim == "only_alpha4_reaches_exact"]
    assert set(rows[rows.quantity.str.endswith("alpha = 4")].verdict) == {"agrees"}
    assert set(rows[rows.quantity.str.endswith("alpha = 2")].verdict) == {"differs"}  # 5e-4 there too


def test_missing_sizes_are_said_to_be_missing(facts):
    whole = data()
    small = whole.models[whole.models.n_sites == 6]
    empty = data(
        models=small, states=whole.states[whole.states.n_sites == 6], units=whole.units.iloc[:0],
        fractions=whole.fractions[whole.fractions.n_sites == 6], power_laws=whole.power_laws.iloc[:0],
    )  # fmt: skip
    table = published_table.published_table(facts, empty)
    assert set(table.verdict) == {"no data at this scale"}
    parts = [len(fact["value"]) if isinstance(fact["value"], dict) else 1 for fact in facts.values()]
    assert len(table) == sum(parts) - len(published_table.INPUTS)
    assert table.ours.isna().all()


def test_a_missing_part_of_a_fact_has_its_own_row(facts):
    whole = data()
    small = data(models=whole.models[whole.models.n_sites != 8])
    table = published_table.published_table(only(facts, "variance_orders"), small)
    assert table.groupby("quantity").verdict.first().to_dict() == {
        "variance of the energy, N = 4": "differs", "variance orders N8": "no data at this scale",
    }  # fmt: skip


def test_short_trainings_are_not_judged(facts):
    short = data().models.assign(stopped_at=30)
    claims = ("within_one_percent", "top_score_n4", "variance_orders", "only_alpha4_reaches_exact")
    table = published_table.published_table(only(facts, *claims), data(models=short))
    for claim in claims:
        assert verdicts(table, claim) == {"no data at this scale"}, claim


def test_markdown_has_one_line_per_row(table):
    lines = claims.markdown(table).splitlines()
    assert len(lines) == len(table) + 2
    assert len({line.replace(r"\|", "").count("|") for line in lines}) == 1


def test_a_fact_without_a_check_is_refused():
    with pytest.raises(InputError, match="new_fact"):
        published_table.published_table({"new_fact": {"value": 1}}, data())


def test_facts_are_read_as_they_are_written(tmp_path):
    (tmp_path / "facts.yaml").write_text(
        "# text\na: {value: {N4: -1.5, N8: [2, 0.3]}, uncertainty: null, unit: '% (bound)', where: \"Fig. 1(b, c)\"}\n"
    )
    assert read_facts(tmp_path / "facts.yaml") == {
        "a": {"value": {"N4": -1.5, "N8": [2, 0.3]}, "uncertainty": None, "unit": "% (bound)", "where": "Fig. 1(b, c)"}
    }


def at_all(value, *parts):
    return dict.fromkeys(parts, value)


# For each claim a number that the invented study has, and one that it excludes.
NEAR_AND_FAR: dict[str, tuple[Any, Any]] = {
    "energy_per_site_n4_n8": ({"N4": -0.5, "N8": -0.4564}, {"N4": 0.5, "N8": 0.4564}),
    "within_one_percent": (0.06, 0.04),
    "variance_orders": (at_all(0.3, "N4", "N8"), at_all(0.2, "N4", "N8")),
    "top_score_n4": (0.78, 0.8),
    "n4_dominant_unit": (79, 81),
    "impactful_units_listed": ({"N4": 4, "N8": 6}, {"N4": 3, "N8": 7}),
    "converged_models": (277, 276),
    "recovery_n16": (
        {"m_important": 45, "energy_error_percent": 9.9}, {"m_important": 46, "energy_error_percent": 10.1},
    ),
    "recovery_others": (at_all(1.01, "N8", "N12", "N20"), at_all(0.99, "N8", "N12", "N20")),
    **{f"exponent_alpha{alpha}": (0.42, 0.9) for alpha in (2, 3, 4, 5)},
    "fit_quality": (
        {"alpha4": 0.9, "alpha5": 0.9, "alpha2_alpha3_range": [0.85, 0.9]},
        {"alpha4": 0.7, "alpha5": 0.7, "alpha2_alpha3_range": [0.65, 0.7]},
    ),
    "exponents_below_one": (0.7, 0.4),
    "exponents_consistent": (0.5, 0.6),
    "sublinear_above_0p15": (0.15, 0.16),
    "fraction_rises_with_alpha_n12": ({"alpha2": 0.569, "alpha5": 0.939}, {"alpha2": 0.571, "alpha5": 0.941}),
    "rho_n12": (at_all(0.4, "alpha4", "alpha5"), at_all(0.7, "alpha4", "alpha5")),
}  # fmt: skip


@pytest.mark.parametrize("claim", NEAR_AND_FAR)
def test_a_published_number_that_our_models_exclude_differs(facts, claim):
    for value, expected in zip(NEAR_AND_FAR[claim], ("agrees", "differs"), strict=True):
        table = published_table.published_table({claim: facts[claim] | {"value": value}}, data())
        assert set(table.verdict) == {expected}


def test_every_number_is_confronted_with_models_that_exclude_it():
    elsewhere = {"sublinear_range", "only_alpha4_reaches_exact"}  # by exponents above one, and by equal errors above
    assert set(NEAR_AND_FAR) | elsewhere == set(CHECKS)
