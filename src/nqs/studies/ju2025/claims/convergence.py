"""Claims of Ju et al. (2025), Sec. VI, about the iterations until convergence, T_cv (Fig. 3, top)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, mean, near
from nqs.analysis.ledger.table import Check
from nqs.studies.ju2025.claims.select import each, select, together
from nqs.studies.ju2025.claims.sweep import (
    FORCED,
    ORIGINAL,
    RINGS,
    SETTING,
    deep_networks,
    pairs,
    runs,
    searches,
)
from nqs.vmc.ring_evaluation import WINDOWS

REDUCED = (0.25, 0.6)  # what counts as "a third to a half"
AS_FAST = np.log(1.4)  # of a ratio of T_cv
AS_GOOD = np.log(1.25)  # of a ratio of T_cv or Delta E of two ways of forcing


def tcv_reduced(claim: Claim, tables: Tables, n_sites: int) -> Iterator[Evidence]:
    """The part of T_cv that forcing saves: each network at its best setting, and both at the same one.

    Both parts are needed: the number of optimiser steps for one set of samples alone changes T_cv, and settings chosen
    apart may differ in it.
    """
    for window in WINDOWS:
        for network in FORCED:
            if chosen := _at_best_settings(tables, n_sites, network, window):
                yield _saved(claim, chosen[0], f"{network}, each at its best setting", window, chosen[1])
            if equal := _in_pairs(tables, n_sites, network, window) or _of_settings(tables, n_sites, network, window):
                ratio, remark = equal
                saved = Estimate(1 - np.exp(ratio.value), np.exp(ratio.value) * ratio.error, ratio.n)
                yield _saved(claim, saved, f"{network}, at equal settings", window, remark)


def _saved(claim: Claim, saved: Estimate, part: str, window: int, remark: str) -> Evidence:
    low, high = REDUCED
    one = near(
        "share of T_cv saved", saved, (low + high) / 2, tolerance=(high - low) / 2, part=part,
        reading=f"window of {window}", remark=remark,
    )  # fmt: skip
    printed = "{} to {}".format(*claim.published.value) if claim.published else ""
    return replace(one, published=printed)


def _at_best_settings(tables: Tables, n_sites: int, network: str, window: int) -> tuple[Estimate, str] | None:
    """Mean over K of the reductions of pairs without a stuck run, and how many pairs there are."""
    columns = "width n_pairs n_pairs_moving reduction_moving reduction_moving_sem"
    rows = select(tables["fig3"], columns, series="reduction", n_sites=n_sites, network=network, window=window)
    found = [Estimate(row.reduction_moving, row.reduction_moving_sem, int(row.n_pairs_moving)) for row in each(rows)]
    if not found:
        return None
    by_width = ", ".join(f"{row.reduction_moving:.2f}" for row in each(rows.sort_values("width")))
    counted = f"{rows.n_pairs_moving.sum():g} of {rows.n_pairs.sum():g} pairs without a stuck run"
    return together(found), f"by K {by_width}; {counted}"


def _in_pairs(tables: Tables, n_sites: int, network: str, window: int) -> tuple[Estimate, str] | None:
    """ln of T_cv with over without forcing, over all K of Fig. X3, seed by seed; None for rings it does not show."""
    if "figX3" not in tables or select(tables["figX3"], "n_sites", n_sites=n_sites).empty:
        return None
    columns = "log_ratio log_ratio_sem n_seeds n_pairs n_stuck_original n_stuck_forced"
    rows = select(tables["figX3"], columns, series="ratio", network=network, window=window)
    rows = rows[rows.width.isna()]
    if rows.empty:
        return None
    row = rows.iloc[0]
    counted = f"stuck {row.n_stuck_original:g} without and {row.n_stuck_forced:g} with forcing, of {row.n_pairs:g} each"
    words = f"1 - geometric mean over {row.n_seeds:g} seeds of Fig. X3 that moved; {counted}"
    return Estimate(row.log_ratio, row.log_ratio_sem, int(row.n_seeds)), words


def _of_settings(tables: Tables, n_sites: int, network: str, window: int) -> tuple[Estimate, str] | None:
    """The same from Fig. 3: of final pairs whose settings agree, and of all settings searched."""
    column = f"t_cv_{window}"
    same = pairs(runs(tables, n_sites), ORIGINAL, network, same_setting=True).ratios(column)
    tried = searches(tables, n_sites).set_index(["network", "width", *SETTING])[f"{column}_moving"].astype(float)
    names = set(tried.index.get_level_values("network"))
    if {network, ORIGINAL} <= names:
        same = pd.concat([same, np.log(tried[network] / tried[ORIGINAL]).dropna()])
    words = f"1 - geometric mean over {len(same)} pairs of runs or settings that moved"
    return (mean(same), words) if len(same) else None


def tcv_matches_deep(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """T_cv of forced networks over that of deep ones, averaged over K; the number of filters is a reading."""
    for n_sites in RINGS:
        rows = runs(tables, n_sites)
        for deep in deep_networks(rows):
            for network in FORCED:
                if ratio := _ratio(rows, network, deep.name, f"t_cv_{WINDOWS[0]}"):
                    part = f"{network}, {deep.layers} layers, N = {n_sites}"
                    words = "ln of T_cv, forced over deep"
                    reading = f"{deep.filters} filters"
                    yield near(words, ratio, 0.0, tolerance=AS_FAST, part=part, reading=reading)


def _ratio(rows: pd.DataFrame, first: str, second: str, column: str) -> Estimate | None:
    """Mean over K of ln of the ratio of the means of a column, of the runs that moved."""
    found = []
    for _, same in rows[rows.stuck == 0].groupby("width"):
        one, other = (mean(same[same.network == name][column]) for name in (first, second))
        if np.isfinite(one.error) and np.isfinite(other.error) and one.value > 0 and other.value > 0:
            error = float(np.hypot(one.error / one.value, other.error / other.value))
            found.append(Estimate(float(np.log(one.value / other.value)), error, min(one.n, other.n)))
    return together(found) if found else None


def init_equals_traj(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """T_cv and Delta E of both ways of forcing, in pairs of equal seeds; the window of T_cv is a reading."""
    for n_sites in RINGS:
        both = pairs(runs(tables, n_sites), *FORCED)
        for window in WINDOWS:
            for column, words in ((f"t_cv_{window}", "T_cv"), ("delta_energy", "Delta E")):
                if found := both.estimates(both.ratios(column)):
                    yield near(
                        f"ln of {words}, traj over init", found, 0.0, tolerance=AS_GOOD, part=f"{words}, N = {n_sites}",
                        reading=f"window of {window}", remark=both.counted,
                    )  # fmt: skip


CHECKS: dict[str, Check] = {
    "tcv_reduced_n60": partial(tcv_reduced, n_sites=60),
    "tcv_reduced_n240": partial(tcv_reduced, n_sites=240),
    "tcv_matches_deep": tcv_matches_deep,
    "init_equals_traj": init_equals_traj,
}
