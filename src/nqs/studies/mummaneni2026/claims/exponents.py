"""Claims about power laws m' = a N^k of the important units: Figs. 10 and 11.

Growth is part of every such claim: a falling curve has no positive exponent, and the quality of its fit says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, mean, near, true
from nqs.studies.mummaneni2026.claims.selected import ALPHAS, TAU, VARIANT, groups, reading, select, value_of

SIZES = (8, 20)  # published rings
FEWEST_SIZES = 4
R_SQUARED_WITHIN = 0.15  # no error of R^2 is stated
LOW_TAU, NEAR_ONE = 0.05, 0.1  # threshold at which all units are important, and |k - 1| there
UNRELIABLE, LOST = 1.5, 0.2  # factor of the error of k, and fall of R^2, that make a fit unreliable
SETTINGS = (*VARIANT, "with_r0", "fit")


def laws(tables: Tables, *columns: str, **values: object) -> pd.DataFrame:
    """Fits over published rings, of converged models, with an error."""
    needed = [*SETTINGS, "alpha", "tau", "k", "k_se", "n_points", "smallest", "largest", *columns]
    table = select(tables, "power_laws", needed, alpha=ALPHAS, converged=True, **values)
    if table.empty:
        return table
    inside = (table.smallest >= SIZES[0]) & (table.largest <= SIZES[1]) & (table.n_points >= FEWEST_SIZES)
    return table[inside & np.isfinite(table.k_se)]


def exponent(law: pd.Series) -> Estimate:
    """k with its error, for two degrees of freedom fewer than points."""
    return Estimate(float(law.k), float(law.k_se), int(law.n_points) - 1)


def common(table: pd.DataFrame) -> Estimate:
    """Mean of the exponents of several densities, weighted by their errors."""
    weight = table.k_se.to_numpy(float) ** -2.0
    k = float((weight * table.k).sum() / weight.sum())
    return Estimate(k, float(weight.sum() ** -0.5), int((table.n_points - 2).sum()) + 1)


def all_densities(table: pd.DataFrame) -> bool:
    """Whether each published density has a fit."""
    return {*table.alpha} == {*ALPHAS}


def exponent_at(alpha: int) -> Callable[[Claim, Tables], Iterator[Evidence]]:
    """Check of the exponent at one density: the printed number, and growth."""

    def check(claim: Claim, tables: Tables) -> Iterator[Evidence]:
        table = laws(tables, tau=TAU)
        for cell, part in groups(table[table.alpha == alpha] if len(table) else table, *SETTINGS):
            k = exponent(part.iloc[0])
            printed_error = claim.published.uncertainty if claim.published else None
            yield near("exponent k", k, value_of(claim), printed_error, part="value", reading=reading(cell))
            yield above("exponent k", k, 0.0, part="growth", reading=reading(cell))

    return check


def fit_quality(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """R^2 of fits that rise, within a tolerance of the printed ones."""
    printed = value_of(claim)
    low, high = printed["alpha2_alpha3_range"]
    ranges = {2: (low, high), 3: (low, high), 4: (printed["alpha4"],) * 2, 5: (printed["alpha5"],) * 2}
    for cell, part in groups(laws(tables, "r_squared", tau=TAU), *SETTINGS):
        if not all_densities(part):
            continue
        for _, law in part.iterrows():
            low, high = ranges[int(law.alpha)]
            more = {"part": f"alpha = {law.alpha:g}", "reading": reading(cell)}
            allowed = (high - low) / 2 + R_SQUARED_WITHIN
            yield exactly("R^2 of the fit", float(law.r_squared), (low + high) / 2, allowed, **more)
            yield above("exponent k of the same fit", exponent(law), 0.0, **more)
        quality = part.set_index("alpha").r_squared
        ordered = bool(quality.idxmax() == 4 and quality.idxmin() == 5)
        yield true("best at alpha = 4, worst at 5", ordered, part="order", reading=reading(cell))


def sublinear(part: pd.DataFrame, words: str, thresholds: str = "") -> Iterator[Evidence]:
    """0 < k < 1 at each density at its worst threshold, and growth of the common exponent at its worst."""
    for alpha, curve in part.groupby("alpha"):
        more = {"part": f"alpha = {alpha}{thresholds}", "reading": words}
        highest = curve.iloc[int(((1 - curve.k) / curve.k_se).argmin())]
        yield below("exponent k", exponent(highest), 1.0, remark=f"tau = {highest.tau:g}", **more)
        lowest = curve.iloc[int((curve.k / curve.k_se).argmin())]
        yield above("exponent k", exponent(lowest), 0.0, remark=f"tau = {lowest.tau:g}", **more)
    together = [(one.tau.iloc[0], common(one)) for _, one in part.groupby("tau")]
    tau, least = min(together, key=lambda one: one[1].value / one[1].error)
    yield above("common exponent of the densities", least, 0.0, part=f"all densities{thresholds}", reading=words,
                remark=f"tau = {tau:g}")  # fmt: skip


def exponents_below_one(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Growth slower than linear at every density."""
    for cell, part in groups(laws(tables, tau=TAU), *SETTINGS):
        if all_densities(part):
            yield from sublinear(part, reading(cell))


def sublinear_range(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Growth slower than linear at every threshold of the printed range and every density."""
    low, high = value_of(claim)
    table = laws(tables)
    inside = table[(table.tau > low - 1e-9) & (table.tau < high + 1e-9)] if len(table) else table
    for cell, part in groups(inside, *SETTINGS):
        if all_densities(part) and part.tau.nunique() > 1:
            yield from sublinear(part, reading(cell), f", tau = {low:g} to {high:g}")


def exponents_consistent(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The exponents of the densities scatter as their errors say, about one within 0.1 of the printed one."""
    for cell, part in groups(laws(tables, tau=TAU), *SETTINGS):
        if not all_densities(part):
            continue
        k = common(part)
        scatter = float((((part.k - k.value) / part.k_se) ** 2).sum())
        p_value = float(chi2.sf(scatter, len(part) - 1))
        yield Evidence("chi-square of the exponents", scatter, n=len(part), p_fails=p_value, compared=True,
                       distance=float(np.sqrt(scatter / (len(part) - 1))), part="scatter", reading=reading(cell),
                       remark=f"p = {p_value:.2g}")  # fmt: skip
        yield near("common exponent k", k, value_of(claim), tolerance=0.1, part="value", reading=reading(cell))


def sublinear_above_0p15(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """k is near one at the lowest threshold, and the first threshold with k below one by 2 SE is the printed one."""
    error = claim.published.uncertainty if claim.published else 0.0
    for cell, part in groups(laws(tables), *SETTINGS):
        if not all_densities(part) or not np.isclose(part.tau.min(), LOW_TAU):
            continue
        for alpha, curve in part.groupby("alpha"):
            more: dict[str, Any] = {"part": f"alpha = {alpha}", "reading": reading(cell)}
            first = curve.sort_values("tau").iloc[0]
            yield near(f"exponent k at tau = {LOW_TAU:g}", exponent(first), 1.0, tolerance=NEAR_ONE, **more)
            below_one = curve[curve.k + 2 * curve.k_se < 1].tau
            if len(below_one):
                onset = float(below_one.min())
                yield exactly("smallest tau with k + 2 SE < 1", onset, value_of(claim), error + 1e-9, **more)
            else:
                yield true("k + 2 SE < 1 at some threshold", False, **more)


def fits_unreliable_above_0p35(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Above the range: relative errors of k larger by a factor, or R^2 lower, mean over densities."""
    for cell, part in groups(laws(tables, "r_squared"), *SETTINGS):
        if not all_densities(part):
            continue
        part = part.assign(relative=part.k_se / part.k.abs())
        inside = part[(part.tau > 0.15 - 1e-9) & (part.tau < 0.35 + 1e-9)].groupby("alpha")
        beyond = part[part.tau > 0.35 + 1e-9].groupby("alpha")
        grown = np.log(beyond.relative.mean() / inside.relative.mean())
        yield above("ln of the growth of the relative error of k", mean(grown), np.log(UNRELIABLE),
                    reading=reading(cell, "by errors"), remark=f"factor {np.exp(grown.mean()):.2f}")  # fmt: skip
        lost = inside.r_squared.mean() - beyond.r_squared.mean()
        yield above("fall of R^2", mean(lost), LOST, reading=reading(cell, "by R^2"))


CHECKS = {
    **{f"exponent_alpha{alpha}": exponent_at(alpha) for alpha in ALPHAS},
    "fit_quality": fit_quality,
    "exponents_below_one": exponents_below_one,
    "exponents_consistent": exponents_consistent,
    "sublinear_above_0p15": sublinear_above_0p15,
    "sublinear_range": sublinear_range,
    "fits_unreliable_above_0p35": fits_unreliable_above_0p35,
}
