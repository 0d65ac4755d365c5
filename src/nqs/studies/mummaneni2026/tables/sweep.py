"""Tables of the systematic study of Mummaneni and Sajjan (2026): Figs. 9 to 12 and X1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.table_files import CELL, COUNTS, counts, mark, median_row, read, some, thinned, trace_pairs
from nqs.runtime.job import Files
from nqs.vmc.keys import SWEEP, TRACE

RECOVERY_SIZES = (8, 12, 16, 20)  # of Fig. 9
DENSITY_SIZE = 12  # of the fractions and rho quoted in Sec. IV.C
LONGEST_CURVE = 400  # points
VARIANT = ["mode", "sector"]


def fig9(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Energy and C_zz(r) with only the important and only the other units kept.

    Per ring, mode and sector the density whose median recovery error over seeds is smallest, and in it the seed of
    median error. recovery_low, recovery_high: range over seeds. Of the published sizes those present, else all.
    """
    states = recovery(read(files["states"]))
    sizes = set(states.n_sites) & set(RECOVERY_SIZES) or set(states.n_sites)
    counted = states[states.counted & states.n_sites.isin(sizes)]
    tables = [_groups_of_units(part) for _, part in counted.groupby(["n_sites", *VARIANT])]
    number = counts(states, [*CELL, "sector"])
    return pd.concat(tables, ignore_index=True).merge(number, on=[*CELL, "sector"]).drop(columns=["study", "run"])


def recovery(states: pd.DataFrame) -> pd.DataFrame:
    """Marked states of the study with recovery_error_percent, 100 |E_kept - E| / |E| of the important units.

    A model without important units keeps its visible bias only.
    """
    marked = some(mark(states[states.run == SWEEP]))
    kept = marked.energy_important.fillna(marked.energy_none)
    return marked.assign(recovery_error_percent=100 * (kept - marked.energy).abs() / marked.energy.abs())


def _groups_of_units(models: pd.DataFrame) -> pd.DataFrame:
    """Rows of Fig. 9 of one ring, mode and sector; a group without units is the state without hidden units."""
    error = models.recovery_error_percent
    alpha = error.groupby(models.alpha).median().idxmin()
    error = error[models.alpha == alpha]
    one = models.loc[[median_row(error)]].drop(columns=[*COUNTS], errors="ignore")
    shown = [*CELL, "sector", "repeat", "n_hidden", "n_important", "recovery_error_percent"]
    base = one[shown].assign(recovery_low=error.min(), recovery_high=error.max())
    parts = []
    for series, energy, czz in (
        ("full", "energy", "czz"),
        ("exact", "exact_energy", "exact_czz"),
        ("important", "energy_important", "czz_important"),
        ("unimportant", "energy_unimportant", "czz_unimportant"),
    ):
        value = one[energy].fillna(one.energy_none)
        distances = range(int(one.filter(regex="^exact_czz_").notna().sum(axis=1).iloc[0]))
        profile = [one[f"{czz}_{r}"].fillna(one[f"czz_none_{r}"]).iloc[0] for r in distances]
        rows = pd.DataFrame({"series": series, "energy": value.iloc[0], "r": list(distances), "czz": profile})
        parts.append(base.merge(rows, how="cross"))
    return pd.concat(parts, ignore_index=True)


def fig10(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Fractions m'/M, numbers m' and rho against N at the headline threshold, and the power laws of m'."""
    points = at_threshold(read(files["fractions"]), settings["tau"]).assign(series="fraction")
    laws = at_threshold(read(files["power_laws"]), settings["tau"])
    keys = ["study", "alpha", "run", *VARIANT, "tau", "with_r0"]
    check = laws[laws.fit == "loglog"].rename(columns={"k": "k_loglog", "k_se": "k_loglog_se"})
    fits = laws[laws.fit == "nonlinear"].merge(check[[*keys, "k_loglog", "k_loglog_se"]], on=keys)
    totals = points.groupby(keys)[COUNTS].sum().reset_index()
    fits = fits.merge(totals, on=keys).assign(series="fit").drop(columns="fit")
    return pd.concat([points, fits], ignore_index=True).drop(columns=["study", "run", "cluster"])


def fig11(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Mean fraction over ring sizes and exponent against the threshold, without r = 0 in the criterion."""
    means, laws = read(files["fractions"]), read(files["power_laws"])
    keys = ["study", "alpha", "run", *VARIANT, "tau", "with_r0"]
    groups = means.groupby(keys)
    table = groups.fraction_mean.mean().reset_index().merge(groups[COUNTS].sum().reset_index(), on=keys)
    table = table.merge(laws[laws.fit == "nonlinear"].drop(columns="fit"), on=keys)
    return table[~table.with_r0].drop(columns=["study", "run", "with_r0"])


def fig12(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Training at several densities on one ring, its final errors, and fractions and rho against density at N = 12.

    Where N = 12 is not in the study, the ring nearest to it (the smaller of two) stands in; n_sites says which.
    """
    finals = [*_exact_finals(read(files["states"])), *_sampled_finals(files)]
    fractions = at_threshold(read(files["fractions"]), settings["tau"])
    fractions = fractions[~fractions.with_r0]
    nearest = min(fractions.n_sites.unique(), key=lambda size: (abs(size - DENSITY_SIZE), size))
    at_one_size = fractions[fractions.n_sites == nearest].assign(series="n12")
    columns = [
        "n_sites", *VARIANT, "alpha", "series", *(f"fraction_{name}" for name in ("mean", "sd", "sem")),
        *(f"rho_{name}" for name in ("mean", "sd", "sem")), *COUNTS,
    ]  # fmt: skip
    return pd.concat([*_convergence(files), *finals, at_one_size[columns]], ignore_index=True)


def _convergence(files: Files) -> Iterator[pd.DataFrame]:
    """Sampled energy against iteration, mean over seeds."""
    for models, trace in trace_pairs(files):
        curves = trace[trace.repeat.isin(models[models.counted].repeat)].groupby("iteration").energy
        means = curves.agg(energy_mean="mean", energy_sem=lambda values: values.sem(ddof=1)).reset_index()
        number = counts(models, CELL)[[*CELL, *COUNTS]].drop(columns=["study", "cluster", "run"])
        curve = thinned(means, LONGEST_CURVE).assign(
            series="convergence", sector="sampled", exact_energy=models.exact_energy.iloc[0]
        )
        yield curve.merge(number, how="cross")


def _exact_finals(states: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Exact errors and variances of the final states of trace cells."""
    marked = some(mark(states[states.run == TRACE]))
    yield _final_means(marked.rename(columns={"relative_error": "error"}), "sector")


def _sampled_finals(files: Files) -> Iterator[pd.DataFrame]:
    """Sampled errors and variances of the last iteration."""
    for models, _ in trace_pairs(files):
        yield _final_means(models.assign(sector="sampled", error=models.relative_error), "sector")


def _final_means(marked: pd.DataFrame, sector: str) -> pd.DataFrame:
    keys = ["n_sites", "mode", "alpha", sector]
    groups = marked[marked.counted].groupby(keys)
    table = groups[["error", "variance"]].mean().add_suffix("_mean")
    table = table.join(groups[["error", "variance"]].sem(ddof=1).add_suffix("_sem")).reset_index()
    table = table.merge(counts(marked, keys), on=keys).assign(series="final")
    return table.merge(marked[["n_sites", "exact_energy"]].drop_duplicates("n_sites"), on="n_sites")


def figX1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Sampled and exact errors of every model, the weight its state has outside Sz = 0, and its criterion."""
    states = read(files["states"])
    states = states[states.run == SWEEP]
    keys = ["cluster", "n_sites", "alpha", "mode", "repeat", "status"]
    whole, zero = (states[states.sector == sector] for sector in ("all", "zero"))
    table = whole[[*keys, "sampled_error", "relative_error"]].rename(columns={"relative_error": "exact_error_all"})
    table["weight_outside"] = whole.filter(regex=r"^sz_abs_[1-9]").sum(axis=1, min_count=1)
    zero = zero[[*keys, "relative_error"]].rename(columns={"relative_error": "exact_error_zero"})
    criterion = read(files["models"])[[*keys, "tolerance"]]
    return table.merge(zero, on=keys).merge(criterion, on=keys)


def at_threshold(table: pd.DataFrame, tau: float) -> pd.DataFrame:
    """Rows of one threshold."""
    return table[np.isclose(table.tau, tau)]
