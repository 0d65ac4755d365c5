"""tableX1: every number that the paper prints has a check, and the rules hold on invented tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cnn_cells import invented_runs

from nqs.analysis.facts import read_facts
from nqs.runtime.errors import InputError
from nqs.studies.ju2025.claims import published
from nqs.studies.ju2025.claims.checks import CHECKS, INPUTS, RINGS
from nqs.studies.ju2025.kinds import NEEDS
from nqs.studies.ju2025.tables.training import fig3
from nqs.studies.ju2025.tables.uniqueness import figX1

FACTS = read_facts(Path(__file__).parents[3] / "reference/ju2025/published.yaml")
LINE = {"n_sites": 16, "width": 3, "minimum": 0, "slope": 1.0, "r_squared": 1.0}
PRINTED = {"intercept": 8.95, "d_neel": -2.97, "n_like": -3.60, "interaction": 1.25}


def invented_fig2(last=500):
    """Three runs without forcing, one of them with constant psi, and one with forcing."""
    runs = [("original", 1, 0.7, 5e-4, 0), ("original", 2, 1.4, 2e-3, 0), ("original", 3, 2.1, 1.9, 1)]
    rows = []
    for network, seed, first, end, constant in [*runs, ("traj", 1, 0.0, 0.0, 0)]:
        for iteration, value in ((0, first), (last, end)):
            rows.append({
                "series": "snapshot", "network": network, "width": 4, "seed": seed, "iteration": iteration,
                "grand_sum": value, "constant": constant if iteration else 0, "log_psi": 1.0,
                "log_psi_exchanged": 1.0 if constant or value == 0 else 1.1,
            })  # fmt: skip
    return pd.DataFrame(rows)


def invented_table2(shift=0.0):
    """Trained networks with the printed coefficients plus a shift."""
    rows = []
    for source, n_sites, n_runs, off in (
        ("published", 60, np.nan, 0.0), ("exact", 16, np.nan, 0.5), ("exact", 20, np.nan, 0.4),
        ("network mean", 60, 5, shift),
    ):  # fmt: skip
        rows += [
            {"source": source, "n_sites": n_sites, "n_runs": n_runs, "network": "traj", "term": term, "run": np.nan,
             "best": False, "scaled": value + off, "scaled_error": 0.6, "scaled_seed_error": 0.01, "r_squared": 0.79,
             "observations": 64, "condition_number": 42.39, "p_value": 1e-6, "p_robust": 0.02, "percent_of_gap": 250.0,
             "percent_of_ground": -1.6}
            for term, value in PRINTED.items()
        ]  # fmt: skip
    singles = [
        {"source": "network", "n_sites": 60, "run": run, "best": run == 0, "percent_of_gap": 250.0 + 60 * run,
         "percent_of_ground": -1.6 - 0.4 * run}
        for run in range(5)
    ]  # fmt: skip
    return pd.DataFrame([*rows, *singles])


def invented_fig3(folder, sizes=RINGS, saved=0.4, low=0.5):
    """Five seeds of each network; forcing saves a share of T_cv; `low` times the energy of deep networks."""
    names = ("original", "init", "traj", "deep2x2")
    cells = [(n_sites, width, name, "final") for n_sites in sizes for width in (3, 6, 12, 24) for name in names]
    runs = pd.concat(map(pd.read_csv, invented_runs(folder, cells, seeds=5)))
    runs = runs.assign(stuck=False, why_constant="", reached_5=True)
    deep, forced = runs.network == "deep2x2", runs.network.isin(["init", "traj"])
    above = np.where(deep, 1.0, low) * (1 + 0.01 * runs.run)
    runs = runs.assign(
        energy=runs.ground_energy + above, t_cv_5=np.where(forced, 1 - saved, 1) * (200 + 3 * runs.run)
    )  # fmt: skip
    searched = runs[deep & (runs.run < 2) & (runs.n_sites == sizes[0])].assign(run_kind="search")
    searched = pd.concat([searched.assign(learning_rate=rate) for rate in (1e-3, 1e-2)])
    pd.concat([runs, searched]).to_csv(folder / "runs.csv", index=False)
    return fig3({"runs": [folder / "runs.csv"], "optima": []}, {})


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    lines = pd.DataFrame([LINE | {"values": values} for values in ("class means", "ln psi")])
    return {
        "fig2": invented_fig2(), "fig3": invented_fig3(tmp_path_factory.mktemp("sweep")), "tableS1": lines,
        "figX1": figX1({}, {"sizes": [8, 10, 12]}), "table2": invented_table2(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def table(ours):
    return published.compared(FACTS, ours)


def verdicts(table, claim, words=""):
    rows = table[(table.claim == claim) & table.quantity.str.contains(words, regex=False)]
    return set(rows.verdict)


def again(ours, claim, **changed):
    return published.compared({claim: FACTS[claim]}, {**ours, **changed})


def test_every_fact_is_checked_and_every_check_has_its_fact(table):
    assert {*FACTS} == {*CHECKS, *INPUTS}
    assert {*table.claim} == {*CHECKS}
    assert tuple(table.columns) == published.COLUMNS
    assert {*table.verdict} <= {"agrees", "differs", "too few runs", "no data at this scale"}
    with pytest.raises(InputError, match="no check for 'unheard_of'"):
        published.compared({"unheard_of": {"value": 1}}, {})


def test_every_part_of_a_fact_has_a_row(table):
    bounds = table[table.claim == "kernel_bound_for_unique_values"]
    assert list(bounds.verdict) == ["agrees"] * 3 + ["no data at this scale"] * 2
    assert list(bounds.ours.dropna()) == [4, 4, 6]  # smallest K that separates all classes of 8, 10, 12 sites
    assert bounds.remark.iloc[0] == "not sufficient: K = 2 tells 4 of 7 classes apart"
    assert list(table[table.claim == "grandsum_size"].ours) == [7, 9, 13, 25, 49]
    assert list(table[table.claim == "states_and_motifs_n8_k4"].ours) == [70, 16]


def test_a_number_of_one_run_is_compared_with_the_range_of_ours(ours):
    enough = pd.concat([invented_fig2().assign(seed=lambda t, n=n: t.seed + 10 * n) for n in range(2)])
    assert verdicts(again(ours, "grandsum_initial", fig2=enough), "grandsum_initial") == {"agrees"}
    assert verdicts(again(ours, "grandsum_initial"), "grandsum_initial") == {"too few runs"}
    many = pd.concat([enough, enough])
    row = again(ours, "grandsum_final", fig2=many).iloc[0]
    assert (row.verdict, row.n_runs, row.remark) == ("agrees", 8, "runs 0.0005 to 0.002")
    short = pd.concat([invented_fig2(30)] * 3)
    assert verdicts(again(ours, "grandsum_final", fig2=short), "grandsum_final") == {"no data at this scale"}
    energies = again(ours, "delta_e_best")
    assert list(energies.verdict) == ["differs", "agrees"]  # of the gap, of E0


def test_the_condition_of_theorem_1_is_sufficient_only(ours):
    row = again(ours, "grandsum_condition").iloc[0]
    assert (row.verdict, row.ours) == ("agrees", 0)
    assert row.remark.endswith("not necessary: with constant psi the difference is zero at grand sums up to 1.9")
    broken = invented_fig2().assign(log_psi_exchanged=1.1)
    assert verdicts(again(ours, "grandsum_condition", fig2=broken), "grandsum_condition") == {"differs"}


def test_settings_agree_or_have_no_data(table, ours, tmp_path):
    assert verdicts(table, "tcv_rule") == verdicts(table, "fig3_grid") == {"agrees"}
    small = again(ours, "fig3_grid", fig3=invented_fig3(tmp_path, (60,)))
    assert list(small.verdict) == ["no data at this scale", "agrees"]


@pytest.mark.parametrize(("saved", "verdict"), [(0.4, "agrees"), (0.1, "differs"), (0.7, "differs")])
def test_the_saved_iterations_are_compared_with_the_published_range(ours, tmp_path, saved, verdict):
    rows = again(ours, "tcv_reduced", fig3=invented_fig3(tmp_path, saved=saved))
    five = rows[rows.quantity.str.contains("window of 5")]
    assert len(five) == 4
    assert {*five.verdict} == {verdict}
    assert np.allclose(five.ours, saved)


def test_claims_about_long_rings_get_no_verdict_on_short_ones(ours, tmp_path):
    short = invented_fig3(tmp_path, (48,))
    for claim in ("tcv_reduced", "fewer_parameters_by_orders", "one_setting_below_100_parameters"):
        rows = again(ours, claim, fig3=short)
        assert {*rows.verdict} == {"no data at this scale"}
        assert rows.ours.notna().all()


def test_deep_networks_are_compared_with_shallow_ones_of_the_same_ring(table, ours, tmp_path):
    """Larger by 100 times or more agrees, as does none that is as low among such; fewer differs."""
    claim = "fewer_parameters_by_orders"
    assert verdicts(table, claim) == {"no data at this scale"}  # none as low, and ours are not large enough to tell
    shallow_high = again(ours, claim, fig3=invented_fig3(tmp_path, low=1.5))
    assert {*shallow_high.verdict} == {"differs"}
    first = shallow_high.iloc[0]
    assert (first.ours, first.remark) == (30 / 8, "as low: deep2x2, K = 3")
    large = ours["fig3"].copy()
    large.loc[large.network == "deep2x2", "n_parameters"] = 10_000
    assert verdicts(again(ours, claim, fig3=large), claim) == {"agrees"}


def test_settings_that_work_are_counted(ours, tmp_path):
    """Two layers of two filters have 8K + 6 parameters: fewer than 100 for K = 3 and 6, at two learning rates."""
    claim = "one_setting_below_100_parameters"
    for low, working in ((0.6, 4), (0.4, 0)):  # deep networks have 1 / low times the energy of the forced ones
        table = invented_fig3(tmp_path, low=low)
        row = again(ours, claim, fig3=table).iloc[0]
        assert (row.ours, row.n_runs, row.verdict) == (working, 4, "too few runs")
    one = (table.series == "search") & (table.width == 3) & (table.learning_rate == 1e-3)
    table.loc[one, "delta_energy_mean"] = 0.5
    more = table[table.series == "search"].assign(steps=7, delta_energy_mean=9.0)
    assert verdicts(again(ours, claim, fig3=pd.concat([table, more])), claim) == {"agrees"}


def test_coefficients_are_held_against_the_precision_of_the_print(table, ours):
    assert verdicts(table, "table2_intercept", "exact, N = 20") == {"differs"}
    assert verdicts(table, "table2_intercept", "N = 16") == set()
    assert verdicts(table, "table2_intercept", "trained") == {"agrees"}
    off = again(ours, "table2_d_neel", table2=invented_table2(0.05))
    assert verdicts(off, "table2_d_neel", "trained") == {"differs"}
    assert verdicts(table, "table2_observations") == verdicts(table, "table2_condition_number") == {"agrees"}
    assert verdicts(table, "table2_significance") == {"agrees"}
    assert verdicts(table, "table2_r2") == {"differs"}  # 0.79, printed 0.786
    other_width = ours["table2"][ours["table2"].source != "published"]
    assert verdicts(again(ours, "table2_r2", table2=other_width), "table2_r2") == {"no data at this scale"}


def test_the_line_of_the_multipliers_is_held_against_the_print(table):
    rows = table[table.claim == "lambda_regression_k3"]
    assert list(rows.verdict) == ["differs", "agrees"] * 2


def test_tables_are_made_from_the_cells_of_all_targets(tmp_path, monkeypatch):
    """Fig. 2 is given its traces only."""
    runs = invented_runs(tmp_path, [(12, 3, "traj", "final"), (8, 4, "traj", "trace")])
    files = {kind: runs if kind == "runs" else [tmp_path / kind] * 2 for kind in NEEDS["tableX1"]}
    given: dict[str, tuple] = {}

    def noted(target):
        return lambda files, settings: given.setdefault(target, (files, settings))

    monkeypatch.setattr(published, "MAKERS", {target: noted(target) for target in published.MAKERS})
    published.tables(files, {target: {"of": target} for target in published.MAKERS})
    assert all(settings == {"of": target} for target, (_, settings) in given.items())
    assert given["fig2"][0]["runs"] == runs[1:]
    assert given["fig3"][0]["runs"] == runs
