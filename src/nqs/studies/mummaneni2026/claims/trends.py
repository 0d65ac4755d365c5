"""What Mummaneni and Sajjan (2026) say in words about their hidden units, tested on our models; one row per variant.

Only statements of kind "trend" that the tables of the study decide; numbers are in `numbers`. "By 2 SE" means
that a mean over seeds exceeds twice its standard error. A pattern is measured by its projection on another one,
sum_r C(r) D(r) / sum_r D(r)^2 over r = 1..N/2. Statements about the course of the training are in `training_trends`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, spearmanr

from nqs.analysis.claims import Check, Data, Measured, at, beyond, result, spread, trained, variants, verdict
from nqs.analysis.dip_test import dip_p_value
from nqs.analysis.table_files import CELL
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.claims import training
from nqs.studies.mummaneni2026.claims.table import read_data
from nqs.studies.mummaneni2026.tables.importance import pearson
from nqs.vmc.keys import SWEEP, TRACE

MODEL = [*CELL, "sector", "repeat"]
COLUMNS = ("claim", "quantity", "ours", "ours_error", "mode", "sector", "n_models", "verdict", "remark")


def small_units(data: Data, n_sites: int) -> pd.DataFrame:
    """Units of the usable, trained models of Figs. 2 to 8 of one size, beside the sums of their model."""
    models = data.counted("models", run=TRACE, alpha=2, n_sites=n_sites)
    if not trained(models):
        models = models.iloc[:0]
    units = data.units.merge(models[[*CELL, "repeat"]], on=[*CELL, "repeat"])
    states = data.states.drop(columns=["status", "n_hidden"])
    return units.merge(states, on=MODEL)


def judged_states(data: Data) -> pd.DataFrame:
    """Counted states of the study, and of the small rings if their training was long enough."""
    traces = data.counted("models", run=TRACE)
    runs = [SWEEP, TRACE] if trained(traces) else [SWEEP]
    return data.states[data.states.counted & data.states.run.isin(runs)]


def projection(table: pd.DataFrame, name: str, onto: str, offset: str = "") -> pd.Series:
    """Projection of the profile `name` (+ `offset`) on the profile `onto`, per row."""
    profile, reference = profiles(table, name), profiles(table, onto)
    if offset:
        profile = profile + profiles(table, offset)
    return pd.Series(np.nansum(profile * reference, 1) / np.nansum(reference**2, 1), index=table.index)


def profiles(table: pd.DataFrame, name: str) -> np.ndarray:
    """Columns name_1, name_2, ... as an array (row, r); NaN beyond a ring's N/2."""
    columns = table.filter(regex=rf"^{name}_[1-9]\d*$")
    order = sorted(columns.columns, key=lambda column: int(str(column).rsplit("_", 1)[1]))
    return columns[order].to_numpy(dtype=float)


def n4_graded_impact(data: Data) -> Iterator[Measured]:
    """At N = 4 a second unit has |dE|/|E| > 0.1 while another has < 0.01, in most seeds."""
    for cell, part in variants(small_units(data, 4), "mode", "sector"):
        impacts = part.groupby("repeat").energy_impact
        graded = (impacts.nlargest(2).groupby("repeat").min() > 0.1) & (impacts.min() < 0.01)
        share = float(graded.mean())
        yield result("share of seeds with graded impacts, N = 4", share, share > 0.5, cell, len(graded))


def n8_distributed(data: Data) -> Iterator[Measured]:
    """At N = 8 the largest share of the summed |dE| is below 0.5 and two units are above 0.1 |E|."""
    for cell, part in variants(small_units(data, 8), "mode", "sector"):
        impacts = part.groupby("repeat").energy_impact
        share, large = impacts.max() / impacts.sum(), impacts.agg(lambda values: (values > 0.1).sum())
        agrees = bool(share.median() < 0.5 and large.median() >= 2)
        yield result(
            "largest share of the summed |dE|, N = 8", float(share.median()), agrees, cell, len(share),
            f"median; units above 0.1 |E|: {large.median():g}",
        )  # fmt: skip


def top_unit_larger_weights(data: Data) -> Iterator[Measured]:
    """At N = 4 units with larger weights have larger effects: Spearman over units, positive by 2 SE over seeds."""
    for cell, part in variants(small_units(data, 4), "mode", "sector"):
        models = part.groupby("repeat")
        for name, impact in (("|dE|", "energy_impact"), ("|dC|", "correlation_impact")):
            rank = models[["weight_norm", impact]].apply(lambda units: spearmanr(units.to_numpy()).statistic)
            yield result(f"Spearman of weight norm and {name}, N = 4", rank, beyond(rank), cell, len(rank))


def top_unit_singular(data: Data) -> Iterator[Measured]:
    """The same unit leads in both impacts, in more than half of the seeds and more often than by chance (p < 0.01)."""
    for n_sites in (4, 8):
        for cell, part in variants(small_units(data, n_sites), "mode", "sector"):
            same = part.groupby("repeat")[["energy_impact", "correlation_impact"]].apply(
                lambda units: units.energy_impact.argmax() == units.correlation_impact.argmax()
            )
            p = binomtest(int(same.sum()), len(same), 1 / part.n_hidden.iloc[0], alternative="greater").pvalue
            agrees = bool(same.mean() > 0.5 and p < 0.01)
            quantity = f"share of seeds with one leading unit, N = {n_sites}"
            yield result(quantity, float(same.mean()), agrees, cell, len(same), f"binomial p = {p:.2g}")


def impact_correlation_strong(data: Data) -> Iterator[Measured]:
    """Energy and correlation impacts go together at N = 4 and 8: mean rho > 0.7."""
    for n_sites in (4, 8):
        for cell, part in variants(small_units(data, n_sites), "mode", "sector"):
            rho = part.groupby("repeat")[["energy_impact", "correlation_impact"]].apply(
                lambda units: pearson(*units.to_numpy().T)
            )
            remark = f"positive by 2 SE: {'yes' if beyond(rho) else 'no'}; {spread(rho)}"
            yield result(f"rho, N = {n_sites}", rho, bool(rho.mean() > 0.7), cell, len(rho), remark)


def important_removal_penalty(data: Data) -> Iterator[Measured]:
    """Removing an important unit raises the energy, in at least 95 % of the cases."""
    units = data.units.merge(judged_states(data)[MODEL], on=MODEL)
    chosen = units[(units.energy_impact > data.tau) | (units.correlation_impact > data.tau)]
    for cell, part in variants(chosen, "mode", "sector"):
        share = float((part.delta_energy > 0).mean())
        remark = f"{len(part)} important units"
        number = len(part[[*CELL, "repeat"]].drop_duplicates())
        yield result("share of important units with dE > 0", share, share >= 0.95, cell, number, remark)


def two_classes(data: Data) -> Iterator[Measured]:
    """ln impact of the units of a cell, all seeds, has more than one mode (dip test, p < 0.05), in most cells."""
    units = data.units.merge(judged_states(data)[MODEL], on=MODEL)
    for cell, part in variants(units, "mode", "sector"):
        for name in ("energy", "correlation"):
            impact = f"{name}_impact"
            known = part[part[impact] > 0]
            p = pd.Series([dip_p_value(np.log(one.to_numpy())) for _, one in known.groupby(CELL)[impact]])
            share = float((p < 0.05).mean())
            number = len(known[[*CELL, "repeat"]].drop_duplicates())
            remark = f"{len(p)} rings and densities, dip test p = {p.min():.2g} to {p.max():.2g}"
            yield result(f"share of cells with two modes of ln {name} impact", share, share > 0.5, cell, number, remark)


def n4_pattern_destroyed(data: Data) -> Iterator[Measured]:
    """At N = 4 without the leading unit less than 20 % of the pattern is left, in most seeds."""
    for cell, part in variants(_leading(small_units(data, 4), 1), "mode", "sector"):
        left = projection(part, "delta_czz", "czz", "czz")
        share = float((left < 0.2).mean())
        quantity = "share of seeds with less than 20 % of the pattern left, N = 4"
        yield result(quantity, share, share > 0.5, cell, len(part), f"projection left: {spread(left)}")


def n8_phase_inversion(data: Data) -> Iterator[Measured]:
    """At N = 8 without one of the three leading units C_zz(3) and C_zz(4) change sign, in most cases."""
    for cell, part in variants(_leading(small_units(data, 8), 3), "mode", "sector"):
        full, removed = profiles(part, "czz"), profiles(part, "czz") + profiles(part, "delta_czz")
        inverted = (np.sign(full[:, 2:4]) == -np.sign(removed[:, 2:4])).all(axis=1)
        share = float(inverted.mean())
        yield result("share of leading units whose removal inverts, N = 8", share, share > 0.5, cell, len(part) // 3)


def _leading(units: pd.DataFrame, number: int) -> pd.DataFrame:
    """The units of largest energy impact of every model."""
    rank = units.groupby(MODEL).energy_impact.rank(ascending=False, method="first")
    return units[rank <= number]


def collective_encoding(data: Data) -> Iterator[Measured]:
    """No unit alone has half of the pattern of its model, in at least 95 % of the models."""
    units = data.units.merge(judged_states(data).drop(columns=["status", "n_hidden"]), on=MODEL)
    units = units.assign(alone=projection(units, "czz_alone", "czz"))
    for cell, part in variants(units, "mode", "sector"):
        best = part.groupby([*CELL, "repeat"]).alone.max()
        share = float((best < 0.5).mean())
        remark = f"best projection of a unit alone: {spread(best)}"
        yield result("share of models without a unit that has half of the pattern", share, share >= 0.95, cell,
                     len(best), remark)  # fmt: skip


def groups_kept(data: Data) -> Iterator[Measured]:
    """Pearson correlation of the profile of the important units with the full one, N = 8..20: median > 0.8."""
    states = data.counted("states", run=SWEEP)
    states = states[states.n_sites.isin([8, 12, 16, 20]) & states.czz_important_1.notna()]
    for cell, part in variants(states, "n_sites", "mode", "sector"):
        pairs = zip(profiles(part, "czz_important"), profiles(part, "czz"), strict=True)
        like = pd.Series([pearson(one[np.isfinite(two)], two[np.isfinite(two)]) for one, two in pairs])
        agrees = bool(like.median() > 0.8) if _met(part) else None
        quantity = f"likeness of the important units' profile, N = {cell['n_sites']}"
        yield result(quantity, float(like.median()), agrees, cell, len(like), f"median; {spread(like)}")


def others_flat(data: Data) -> Iterator[Measured]:
    """Projection of the profile of the other units on the full one, N = 8..20: median < 0.2."""
    states = data.counted("states", run=SWEEP)
    states = states[states.n_sites.isin([8, 12, 16, 20]) & states.czz_unimportant_1.notna()]
    for cell, part in variants(states, "n_sites", "mode", "sector"):
        flat = projection(part, "czz_unimportant", "czz")
        agrees = bool(flat.median() < 0.2) if _met(part) else None
        quantity = f"projection of the other units' profile, N = {cell['n_sites']}"
        yield result(quantity, float(flat.median()), agrees, cell, len(flat), f"median; {spread(flat)}")


def _met(models: pd.DataFrame) -> bool:
    return bool((models.status == "converged").all())


def fraction_falls(data: Data) -> Iterator[Measured]:
    """Slope of m'/M against N, per density, negative by 2 SE."""
    yield from _slopes(data, "fraction", "m'/M")


def impact_correlation_weakens(data: Data) -> Iterator[Measured]:
    """Slope of rho against N, per density, negative by 2 SE."""
    yield from _slopes(data, "rho", "rho")


def _slopes(data: Data, name: str, label: str) -> Iterator[Measured]:
    """Least squares on seed means, error from the scatter about the line; at least four sizes of converged models."""
    table = at(data.fractions, tau=data.tau)
    for cell, part in variants(table[~table.with_r0], "alpha", "mode", "sector"):
        size, mean = (part[column].to_numpy(dtype=float) for column in ("n_sites", f"{name}_mean"))
        known = np.isfinite(mean)
        if known.sum() < 4:
            continue
        (slope, _), covariance = np.polyfit(size[known], mean[known], 1, cov=True)
        se = float(np.sqrt(covariance[0, 0]))
        agrees = bool(slope < -2 * se) if part.converged.all() else None
        quantity, number = f"slope of {label} against N, alpha = {cell['alpha']}", int(part.n_models.sum())
        yield Measured(quantity, "", np.nan, float(slope), se, number, agrees, cell["mode"], cell["sector"])


def rho_peaks_at_alpha4(data: Data) -> Iterator[Measured]:
    """At N = 12 rho(alpha = 4) - rho(alpha = 5) is positive by 2 SE and alpha = 4 has the largest rho."""
    table = at(data.fractions, tau=data.tau, n_sites=12)
    for cell, part in variants(table[~table.with_r0 & table.alpha.isin([2, 3, 4, 5])], "mode", "sector"):
        rows = part.set_index("alpha")
        if not {4, 5} <= set(rows.index):
            continue
        fall = float(rows.rho_mean[4] - rows.rho_mean[5])
        error = float(np.hypot(rows.rho_sem[4], rows.rho_sem[5]))
        agrees = bool(fall > 2 * error and rows.rho_mean.idxmax() == 4) if part.converged.all() else None
        quantity, remark = "rho(alpha = 4) - rho(alpha = 5), N = 12", f"largest at alpha = {rows.rho_mean.idxmax()}"
        number = int(part.n_models.sum())
        yield Measured(quantity, "", np.nan, fall, error, number, agrees, cell["mode"], cell["sector"], remark)


TRENDS: dict[str, Check] = {
    **training.TRENDS,
    "n4_graded_impact": n4_graded_impact,
    "n8_distributed": n8_distributed,
    "top_unit_larger_weights": top_unit_larger_weights,
    "top_unit_singular": top_unit_singular,
    "impact_correlation_strong": impact_correlation_strong,
    "important_removal_penalty": important_removal_penalty,
    "two_classes": two_classes,
    "n4_pattern_destroyed": n4_pattern_destroyed,
    "n8_phase_inversion": n8_phase_inversion,
    "collective_encoding": collective_encoding,
    "important_units_oscillate": groups_kept,
    "unimportant_units_flat": others_flat,
    "fraction_falls": fraction_falls,
    "impact_correlation_weakens": impact_correlation_weakens,
    "rho_peaks_at_alpha4": rho_peaks_at_alpha4,
}


def trends(data: Data) -> pd.DataFrame:
    """One row per statement and variant; a statement without data has one row."""
    rows = []
    for claim, check in TRENDS.items():
        nothing = Measured(claim.replace("_", " "), "", np.nan, np.nan, np.nan, 0, None)
        for one in list(check(data)) or [nothing]:
            rows.append({"claim": claim} | vars(one) | {"verdict": verdict(one.agrees, one.n_models)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The table of trends from all tables of the study; settings: tau."""
    return trends(read_data(files, settings["tau"]))
