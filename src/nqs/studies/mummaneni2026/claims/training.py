"""Claims about the course of the training: Figs. 2, 3 and 12."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, mean
from nqs.studies.mummaneni2026.claims.selected import (
    TRAINED,
    courses,
    groups,
    most,
    near_in_ln,
    range_of,
    reading,
    select,
    sites,
    value_of,
)

SMALL = (4, 8)
DENSITY_SIZE, DENSITIES = 10, (1, 2, 3, 4)  # sites and alpha, Fig. 12
PAULI = 16  # energy squared in Pauli units over that in S.S units
EXACT_WITHIN = (5e-3, 1e-3)  # relative errors: "reaches the exact energy" has no tolerance in the paper
STRONGEST_AT_FIRST = 0.05  # |C_zz| of an untrained state without structure


def errors(table: pd.DataFrame) -> dict[str, str]:
    """Kinds of relative error in a table of courses: words -> column; one for each sum."""
    exact = {column.removeprefix("exact_error_"): column for column in table.filter(regex="^exact_error_").columns}
    return {"sampled": "late_error"} | {reading({"sector": sector}): name for sector, name in sorted(exact.items())}


def within_one_percent(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Relative error at the end below the bound, in the median over models; sampled, and by exact sums."""
    bound = value_of(claim) / 100
    for n_sites in SMALL:
        table = courses(tables, n_sites, "late_error", alpha=2)
        for kind, column in errors(table).items():
            for cell, part in groups(table, "mode"):
                error = part[column]
                yield most(f"relative error < {bound:g}", error < bound, part=sites(n_sites),
                           reading=reading(cell, kind),
                           remark=f"median {error.median():.2%}, {range_of(error)}")  # fmt: skip


def smooth_convergence(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """No 50 iterations have a mean energy that is 3 standard errors above the 50 before."""
    for n_sites in SMALL:
        for cell, part in groups(courses(tables, n_sites, "largest_rise", alpha=2), "mode"):
            yield most("no rise of the mean energy beyond 3 SE", part.largest_rise <= 3, part=sites(n_sites),
                       reading=reading(cell), remark=f"largest rise in SE: {range_of(part.largest_rise)}")  # fmt: skip


def variance_orders(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Final variance within a factor 3 of the printed order, in either unit."""
    for n_sites in SMALL:
        printed = value_of(claim)[f"N{n_sites}"]
        for cell, part in groups(courses(tables, n_sites, "late_variance", alpha=2), "mode"):
            for unit, factor in (("Pauli units", PAULI), ("S.S units", 1)):
                yield near_in_ln("sampled variance", mean(np.log(factor * part.late_variance)), printed,
                                 tolerance=float(np.log(3)), part=sites(n_sites),
                                 reading=reading(cell, unit))  # fmt: skip


def variance_grows_with_size(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """ln variance at N = 8 less that at N = 4."""
    larger = {cell["mode"]: part for cell, part in groups(courses(tables, 8, "late_variance", alpha=2), "mode")}
    for cell, part in groups(courses(tables, 4, "late_variance", alpha=2), "mode"):
        if cell["mode"] in larger:
            rise = mean(np.log(larger[cell["mode"]].late_variance)) - mean(np.log(part.late_variance))
            yield above("ln variance at N = 8 less that at N = 4", rise, 0.0, reading=reading(cell),
                        remark=f"per site {rise.value - np.log(2):.2f}")  # fmt: skip


def correlations_emerge(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """C_zz has no structure at first, comes nearer to the exact one, and ends with its signs at all distances."""
    table = select(tables, "fig3", ["r", "iteration", "czz_mean", "czz_sem", "exact_czz", "n_models"], n_sites=SMALL)
    for cell, part in groups(table[table.r > 0] if len(table) else table, "n_sites", "mode"):
        first, last = (part[part.iteration == one] for one in (0, part.iteration.max()))
        if first.empty or last.iteration.iloc[0] < TRAINED:
            continue
        more = {"part": sites(cell["n_sites"]), "reading": reading(cell)}
        size, aligned = first.czz_mean.abs(), last.czz_mean * (-1.0) ** last.r
        yield below("largest |C_zz(r >= 1)| before training", _at(first, size, size.idxmax()), STRONGEST_AT_FIRST,
                    **more)  # fmt: skip
        yield above("distance to the exact C_zz, first less last", _distance(first) - _distance(last), 0.0, **more)
        yield above("smallest (-1)^r C_zz(r) after it", _at(last, aligned, aligned.idxmin()), 0.0, **more)


def _at(snapshot: pd.DataFrame, values: pd.Series, place: Any) -> Estimate:
    """One of the values of a snapshot, with the error of C_zz there."""
    row = snapshot.loc[place]
    return Estimate(float(values.loc[place]), float(row.czz_sem), int(row.n_models))


def _distance(snapshot: pd.DataFrame) -> Estimate:
    """Root-mean-square distance of the mean C_zz to the exact one over r >= 1."""
    off = (snapshot.czz_mean - snapshot.exact_czz).to_numpy()
    size = float(np.sqrt(np.mean(off**2)))
    error = np.linalg.norm(off * snapshot.czz_sem) / (len(off) * size) if size else 0.0
    return Estimate(size, float(error), int(snapshot.n_models.min()))


def alpha_speeds_convergence(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Spearman correlation of density and iterations to an error, over alpha = 1..4 of each repeat."""
    for name, bound in (("reached_1e2", 1e-2), ("reached_1e3", 1e-3)):
        table = courses(tables, DENSITY_SIZE)
        for cell, part in groups(table if name in table else table.iloc[:0], "mode"):
            if {*part.alpha} != {*DENSITIES}:
                continue
            never = int(part[name].isna().sum())
            late = part.assign(first=part[name].fillna(part.stopped_at + 1))
            rank = [_rank(models) for _, models in late.groupby("repeat")]
            yield below("Spearman of density and iterations", mean(rank), 0.0, reading=reading(cell, f"{bound:g}"),
                        remark=f"{never} of {len(part)} models never met {bound:g}")  # fmt: skip


def _rank(models: pd.DataFrame) -> float:
    """Spearman correlation of density and iterations; NaN where all are equal."""
    if models["first"].nunique() < 2 or models.alpha.nunique() < 2:
        return np.nan
    return float(spearmanr(models.alpha, models["first"]).statistic)


def only_alpha4_reaches_exact(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Error after the paper's iterations: within a tolerance at alpha = 4, beyond it at the others, in the median."""
    table = courses(tables, DENSITY_SIZE, "late_error", stopped_at=value_of(claim))
    for (kind, column), tolerance in ((one, two) for one in errors(table).items() for two in EXACT_WITHIN):
        for cell, models in groups(table, "mode"):
            if {*models.alpha} != {*DENSITIES}:
                continue
            for alpha, part in models.groupby("alpha"):
                reached = part[column] < tolerance
                yield most(f"error {'<' if alpha == 4 else '>'} tolerance", reached if alpha == 4 else ~reached,
                           part=f"alpha = {alpha}", reading=reading(cell, kind, f"tolerance {tolerance:g}"),
                           remark=f"median {part[column].median():.2%}, {range_of(part[column])}")  # fmt: skip


def alpha_improves_energy_variance(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Final energy error and variance fall at each step of the density by one standard error, overall by two."""
    quantities = ("error", "variance")
    columns = [f"{name}_{kind}" for name in quantities for kind in ("mean", "sem")]
    table = select(tables, "fig12", [*columns, "n_models"], series="final", n_sites=DENSITY_SIZE, alpha=DENSITIES)
    for cell, part in groups(table, "mode", "sector"):
        rows = part.set_index("alpha").sort_index()
        if list(rows.index) != list(DENSITIES):
            continue
        for name in quantities:
            found = [Estimate(row[f"{name}_mean"], row[f"{name}_sem"], int(row.n_models)) for _, row in rows.iterrows()]
            for alpha, (one, two) in enumerate(pairwise(found), start=1):
                yield _step(f"{name} at alpha = {alpha + 1} less that at {alpha}", two - one,
                            part=f"alpha = {alpha} to {alpha + 1}, {name}", reading=reading(cell))  # fmt: skip
            yield below(f"{name} at alpha = 4 less that at 1", found[-1] - found[0], 0.0, part=f"overall, {name}",
                        reading=reading(cell))  # fmt: skip


def _step(quantity: str, change: Estimate, **more: Any) -> Evidence:
    """Evidence for a fall, decided by one standard error."""
    step = below(quantity, change, 0.0, **more)
    return replace(step, p_holds=0.0) if change.decides and change.value < -change.error else step


CHECKS = {
    "within_one_percent": within_one_percent,
    "smooth_convergence": smooth_convergence,
    "variance_orders": variance_orders,
    "variance_grows_with_size": variance_grows_with_size,
    "correlations_emerge": correlations_emerge,
    "alpha_speeds_convergence": alpha_speeds_convergence,
    "only_alpha4_reaches_exact": only_alpha4_reaches_exact,
    "alpha_improves_energy_variance": alpha_improves_energy_variance,
}
