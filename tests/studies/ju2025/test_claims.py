"""Claims of Ju et al. (2025): verdicts on the archived tables, and for each claim a table that turns its verdict."""

import numpy as np
import pandas as pd
import pytest
from support.ju2025_claims import (
    ARCHIVED,
    CLAIMS,
    LIST,
    NAMES,
    archived,
    both,
    deep,
    drop,
    found,
    put,
    saving,
    scaled,
    scattered,
    steady,
    verdict,
)

from nqs.analysis.ledger.claim import ARCHIVE, Tables
from nqs.analysis.ledger.printed import COLUMNS, markdown, printed
from nqs.analysis.ledger.table import ledger
from nqs.analysis.ledger.verdict import (
    CONTRADICTED,
    FAILS,
    HOLDS,
    IMPOSSIBLE,
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_TESTED,
    OPEN,
    REPRODUCED,
    judge,
)
from nqs.studies.ju2025.claims.ledger import CHECKS
from nqs.studies.ju2025.claims.printed import tableX1
from nqs.studies.ju2025.tables.regressions import TERMS

PRINTED = {"intercept": 8.95, "d_neel": -2.97, "n_like": -3.6, "interaction": 1.25}

# Where the archived tables do not reproduce a claim.
OTHERWISE = {
    "class_multipliers_independent": CONTRADICTED,
    "delta_e_best": CONTRADICTED,
    "lambda_regression_k3": NOT_REPRODUCED,
    "lambda_same_for_cnn_and_cps_k6": NOT_REPRODUCED,
    "area_law": NOT_REPRODUCED,
    **{f"table2_{term}": NOT_REPRODUCED for term in TERMS},
    "tcv_reduced_n60": NOT_REPRODUCED,
    "tcv_reduced_n240": INCONCLUSIVE,
    "symforce_improves_accuracy": INCONCLUSIVE,
    "symforce_robust": INCONCLUSIVE,
    "init_equals_traj": INCONCLUSIVE,
    "tcv_matches_deep": NOT_TESTED,
    "energy_matches_deep": NOT_TESTED,
    "fewer_parameters_by_orders": NOT_TESTED,
    "small_deep_networks_fragile": NOT_TESTED,
    "one_setting_below_100_parameters": NOT_TESTED,
}


def wrong_identity(name):
    return put("table1", "deviation", 0.1, identity=name), NOT_REPRODUCED


two_and_three = both(deep(2), deep(3))

# claim -> (edit, verdict after it), and for what the archive cannot test (edit, verdict, edit, verdict)
FLIPS = {
    "heisenberg_equivalence": wrong_identity("Heisenberg chain"),
    "bethe_energies": (put("fig3", "ground_energy", -23.2, n_sites=60), NOT_REPRODUCED),
    "positive_ground_state": (put("fig1", "log_psi", -np.inf, series="exact", position=0), NOT_REPRODUCED),
    "parameters_linear_in_n": (put("fig3", "n_parameters", 500, network="traj", width=24), NOT_REPRODUCED),
    "grandsum_size": (put("fig3", "n_parameters", 7, width=3), NOT_REPRODUCED),
    "states_and_motifs_n8_k4": (drop("fig1", series="counts", motif_position=15), NOT_REPRODUCED),
    "cnn_shift_invariant": (put("fig1", "log_psi", 0.0, series="learned", position=0), NOT_REPRODUCED),
    "orbits_are_equivalence_classes": (
        put("fig1", "within_classes", 0.5, series="course", iteration=500),
        NOT_REPRODUCED,
    ),
    "fidelity_rises": (put("fig1", "fidelity", 0.3, series="course", iteration=500), NOT_REPRODUCED),
    "kernel_bound_for_unique_values": (
        put("figX1", "length", 3, series="smallest", symmetrised=True, n_sites=12),
        NOT_REPRODUCED,
    ),
    "small_kernel_good_approximation": (put("fig3", "delta_over_ground", -0.05, width=6), NOT_REPRODUCED),
    "theorem1": wrong_identity("theorem 1"),
    "difference_vanishes_with_grandsum": (
        put("fig2", "relative_difference", 0.3, series="snapshot"),
        NOT_REPRODUCED,
    ),
    "grandsum_initial": (put("fig2", "grand_sum", 5.0, series="snapshot", iteration=0), NOT_REPRODUCED),
    "grandsum_final": (put("fig2", "grand_sum", 1.0, series="snapshot"), NOT_REPRODUCED),
    "reflection_via_flip": (put("fig1", "state_class", 0, series="exact"), NOT_REPRODUCED),
    "theorem_s2_update_symmetry": wrong_identity("theorem S2"),
    "projection_exact": wrong_identity("projection"),
    "cnn_is_motif_sum": wrong_identity("network as a motif sum"),
    "maxent_exponential_form": wrong_identity("MaxEnt is exponential"),
    "class_mevs_equal": (put("figS1", "deviation_in_class", 0.1, source="exact", width=6), NOT_REPRODUCED),
    "symmetric_maxent": wrong_identity("symmetric MaxEnt"),
    "fewer_multipliers": (put("figX1", "multipliers", 64, length=6, symmetrised=True), NOT_REPRODUCED),
    "class_multipliers_independent": (
        both(*(put("figX1", "rank", n, length=k, symmetrised=True) for k, n in ((4, 6), (5, 10), (6, 20), (7, 36)))),
        REPRODUCED,
    ),
    "relu_gauge_choice": wrong_identity("gauge of the network"),
    "unifying_equation": wrong_identity("CPS as a motif sum"),
    "cps_less_constrained": (put("fig3", "delta_energy", 30.0, family="cps", width=6), NOT_REPRODUCED),
    "lambda_regression_k3": (put("tableS1", "slope", 0.976, width=3, minimum=0), REPRODUCED),
    "lambda_predicted_line": (put("tableS1", "slope", 0.99, width=3, minimum=0), NOT_REPRODUCED),
    "lambda_same_for_cnn_and_cps_k6": (put("tableS1", "slope", 1.001, width=6, values="ln psi"), REPRODUCED),
    "mev_is_reduced_diagonal": (put("figS1", "diagonal_error", 0.1, width=6), NOT_REPRODUCED),
    "area_law": (put("figS2", "central_charge", 0.001, series="fit"), REPRODUCED),
    "spectrum_truncation_linear": (
        lambda frames: {**frames, "figS1": frames["figS1"].assign(levels=2.0 ** frames["figS1"].width)},
        NOT_REPRODUCED,
    ),
    "cft_entanglement_spectrum": (put("figS1", "trace_distance", 0.2, width=6), NOT_REPRODUCED),
    "mev_from_few_levels": (put("figS1", "mev_error", 0.2, rank=12, width=6), NOT_REPRODUCED),
    **{
        f"table2_{term}": (
            put("table2", "scaled", PRINTED[term], source="network", term=term),
            REPRODUCED,
        )
        for term in TERMS
    },
    "table2_r2": (put("table2", "r_squared", 0.5), NOT_REPRODUCED),
    "table2_observations": (put("table2", "observations", 63), NOT_REPRODUCED),
    "table2_condition_number": (put("table2", "condition_number", 42.5), NOT_REPRODUCED),
    "table2_significance": (put("table2", "p_value", 0.01, term="n_like"), NOT_REPRODUCED),
    "mev_falls_with_features": (put("table2", "scaled", 2.0, term="d_neel"), NOT_REPRODUCED),
    "interaction_positive_small": (put("table2", "scaled", -1.0, term="interaction"), NOT_REPRODUCED),
    "neel_state_largest": (put("fig1", "log_psi", 0.0, series="exact", position=0), NOT_REPRODUCED),
    "ferromagnetic_smallest": (put("fig1", "log_psi", -99.0, series="exact", position=69), NOT_REPRODUCED),
    "swaps_generate_basis": (drop("fig1", series="exact", position=3), NOT_REPRODUCED),
    "delta_e_best": (
        both(
            put("table2", "percent_of_gap", -2.27, source="network"),
            put("table2", "percent_of_gap", -5.0, source="cps optimum"),
        ),
        REPRODUCED,
    ),
    "tcv_reduced_n60": (saving(60), REPRODUCED),
    "tcv_reduced_n240": (saving(240), REPRODUCED),
    "tcv_matches_deep": (both(steady, two_and_three), REPRODUCED, both(steady, deep(t_cv=3.0)), NOT_REPRODUCED),
    "energy_matches_deep": (both(steady, two_and_three), REPRODUCED, both(steady, deep(energy=3.0)), NOT_REPRODUCED),
    "fewer_parameters_by_orders": (
        both(steady, deep(size=200)),
        REPRODUCED,
        both(steady, deep(size=5, energy=0.5)),
        NOT_REPRODUCED,
    ),
    "symforce_improves_accuracy": (scaled(["delta_energy", "stuck"], 0.5, "traj", "original"), REPRODUCED),
    "symforce_robust": (
        both(
            put("fig3", "delta_energy", 99, series="run", network="original"),
            put("fig3", "delta_energy_mean", 99, series="search", network="original"),
        ),
        REPRODUCED,
    ),
    "small_deep_networks_fragile": (
        both(two_and_three, scattered(-1)),
        REPRODUCED,
        both(two_and_three, scattered(1)),
        NOT_REPRODUCED,
    ),
    "one_setting_below_100_parameters": (deep(), REPRODUCED, deep(works=(0.01, 0.03)), NOT_REPRODUCED),
    "init_equals_traj": (steady, REPRODUCED),
}  # fmt: skip


def test_every_claim_has_a_check_and_a_table_that_turns_its_verdict():
    assert FLIPS.keys() == CHECKS.keys() == CLAIMS.keys()


DEEP = {  # claims about deep networks, and what the archived one of them says
    "tcv_matches_deep": REPRODUCED,
    "energy_matches_deep": INCONCLUSIVE,
    "fewer_parameters_by_orders": NOT_REPRODUCED,
    "small_deep_networks_fragile": INCONCLUSIVE,
    "one_setting_below_100_parameters": NOT_REPRODUCED,
}


def shallow(tables):
    """The tables without deep networks."""
    fig3 = tables["fig3"]
    return {**tables, "fig3": fig3[~fig3.network.astype(str).str.startswith("deep")]}


@pytest.mark.parametrize("slug", DEEP)
def test_deep_networks_of_the_archive_are_judged(slug):
    assert verdict(slug, archived()) == DEEP[slug]


@pytest.mark.parametrize("slug", FLIPS)
def test_another_table_turns_the_verdict(slug):
    start = shallow(archived()) if slug in DEEP else archived()
    before = verdict(slug, start)
    assert before == OTHERWISE.get(slug, REPRODUCED)
    for edit, after in zip(FLIPS[slug][::2], FLIPS[slug][1::2], strict=True):
        assert verdict(slug, edit(shallow(archived()) if slug in DEEP else archived())) == after != before
        before = after


@pytest.mark.parametrize("slug", CHECKS)
@pytest.mark.parametrize("blank", [lambda table: pd.DataFrame(), lambda table: table.head(0)], ids=["empty", "header"])
def test_tables_without_rows_test_nothing(slug, blank):
    assert found(slug, {name: blank(table) for name, table in archived().items()}) == []


def without_numbers(table):
    return table.assign(**{name: np.nan for name in table.select_dtypes("number")})


@pytest.mark.parametrize("slug", CHECKS)
def test_missing_numbers_decide_nothing(slug):
    assert verdict(slug, {name: without_numbers(table) for name, table in archived().items()}) == NOT_TESTED


@pytest.mark.parametrize("slug", CHECKS)
def test_one_row_of_each_kind_is_enough_to_be_read(slug):
    """Tables of a small run, with one run and one ring of each series."""
    frames = {
        name: table.groupby("series").head(1) if "series" in table else table.head(1)
        for name, table in archived().items()
    }
    assert verdict(slug, frames) in (REPRODUCED, NOT_REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_TESTED)


def test_a_value_inside_the_scatter_of_seeds_agrees_with_nothing():
    """The best run alone says nothing where runs scatter as widely as they may differ from the print."""
    runs = archived()["table2"].copy()
    rows = (runs.source == "network") & (runs.term == "intercept")
    runs.loc[rows, "scaled"] = [6.0, 11.0, 6.0, 11.0, 6.0]
    (best, *_) = found("table2_intercept", {**archived(), "table2": runs})
    assert judge([best]).verdict == INCONCLUSIVE


def test_tables_of_another_width_do_not_decide_table_ii():
    other = archived()["table2"].assign(width=4)
    assert found("table2_intercept", {**archived(), "table2": other}) == []
    assert found("delta_e_best", {**archived(), "table2": other}) == []


# ---- tableX1


@pytest.fixture(scope="module")
def table():
    return ledger(CLAIMS.values(), CHECKS, Tables(archived()), ARCHIVE)


def test_table_of_printed_numbers_is_a_view_of_the_ledger(table, tmp_path):
    view = printed(table, CLAIMS.values())
    assert tuple(view.columns) == COLUMNS
    assert set(view.claim) == {claim.slug for claim in CLAIMS.values() if claim.published}
    assert {*view.verdict} <= {HOLDS, FAILS, IMPOSSIBLE, OPEN, NOT_TESTED}
    slope = view[(view.claim == "lambda_regression_k3") & (view.part == "slope")]
    assert set(slope.verdict) == {FAILS}
    assert slope.ours.tolist() == pytest.approx([1.0] * 3)
    settings = view[view.claim == "one_setting_below_100_parameters"]
    assert set(settings.published.astype(str)) == {"1"}
    assert FAILS in set(settings.verdict)
    assert "nan" not in markdown(view)


def test_table_of_printed_numbers_is_made_from_the_tables_of_the_other_targets(table):
    files = {"table": [ARCHIVED / f"{name}.csv" for name in NAMES], "claims": [LIST]}
    made = tableX1(files, {"scale": ARCHIVE})
    expected = printed(table, CLAIMS.values())
    pd.testing.assert_frame_equal(made, expected)
    small = tableX1(files, {"scale": "smoke"})
    assert set(small[small.claim == "tcv_reduced_n60"].remark) == {"needs laptop scale"}
