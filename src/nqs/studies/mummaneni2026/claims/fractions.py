"""Claims about the fraction of important units and the link of the impacts, over rings, densities and thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, near, true
from nqs.analysis.power_laws import log_log_law
from nqs.studies.mummaneni2026.claims.selected import (
    ALPHAS,
    TAU,
    VARIANT,
    Group,
    groups,
    reading,
    select,
    slope,
    value_of,
)

MODELS = 280  # of the systematic study, in each protocol
CRITERION = 1e-3  # relative error of the energy
FEWEST_SIZES = 4
PRINTED_DIGIT = 0.005  # half of the last digit of the printed fractions
COMPARED_SIZE = 12  # sites, Sec. IV.C
PUBLISHED_SEEDS = 10
SETTINGS = (*VARIANT, "with_r0")


def points(tables: Tables, *columns: str, **values: object) -> pd.DataFrame:
    """Means over models of the published densities, one row per ring, density, variant and threshold."""
    return select(tables, "fractions", [*VARIANT, "n_sites", "n_models", *columns], alpha=ALPHAS, **values)


def whole_studies(tables: Tables, *columns: str, with_r0: tuple[bool, ...] = (False, True)) -> Iterator[Group]:
    """Points at the headline threshold by variant, where all densities have enough rings."""
    table = points(tables, *columns, tau=TAU, with_r0=with_r0)
    for cell, part in groups(table, *SETTINGS):
        if (part.groupby("alpha").n_sites.nunique() >= FEWEST_SIZES).sum() == len(ALPHAS):
            yield cell, part


def converged_models(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Models that meet the criterion, by the sampled energy when they stopped and by exact sums."""
    kinds = {"sampled": "sampled_error", "all states": "exact_error_all", "Sz = 0": "exact_error_zero"}
    table = tables["figX1"]
    for words, column in kinds.items():
        for cell, part in groups(table if {"mode", column} <= {*table.columns} else table.iloc[:0], "mode"):
            if len(part) == MODELS:
                yield exactly(f"models of {MODELS} within {CRITERION:g}", int((part[column] < CRITERION).sum()),
                              value_of(claim), 3, reading=reading(cell, words),
                              remark=f"median error {part[column].median():.2%}")  # fmt: skip


def _over_sizes(part: pd.DataFrame) -> Estimate:
    """Mean fraction over rings, each counting the same."""
    error = np.sqrt((part.fraction_sem**2).sum()) / len(part)
    return Estimate(float(part.fraction_mean.mean()), float(error), int(part.n_models.sum()))


def threshold_extremes(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Fraction at least 0.9 at tau = 0.1 and below 0.5 at tau = 0.5, mean over rings, per density."""
    for tau, bounded, bound in ((0.1, above, 0.9), (0.5, below, 0.5)):
        table = points(tables, "fraction_mean", "fraction_sem", tau=tau)
        for cell, part in groups(table, *SETTINGS, "alpha"):
            yield bounded(f"m'/M at tau = {tau:g}", _over_sizes(part), bound, reading=reading(cell),
                          part=f"tau = {tau:g}, alpha = {cell['alpha']}")  # fmt: skip


def fraction_falls(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope of m'/M against N, per density."""
    for cell, part in whole_studies(tables, "fraction_mean"):
        for alpha, curve in part.groupby("alpha"):
            yield below("slope of m'/M against N", slope(curve.n_sites, curve.fraction_mean), 0.0,
                        part=f"alpha = {alpha}", reading=reading(cell))  # fmt: skip


def seed_variability(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Scatter over models of m'/M, mean over cells, against its fall from the smallest to the largest ring."""
    for cell, part in whole_studies(tables, "fraction_mean", "fraction_sem", "fraction_sd"):
        ends = [part[part.n_sites == size] for size in (part.n_sites.min(), part.n_sites.max())]
        fall = _over_sizes(ends[0]) - _over_sizes(ends[1])
        scatter = float(part.fraction_sd.mean())
        own = np.sqrt((part.fraction_sd**2 / (2 * (part.n_models - 1))).sum()) / len(part)
        ratio = scatter / fall.value
        error = abs(ratio) * np.hypot(own / scatter, fall.error / fall.value)
        yield above("scatter of m'/M over its fall", Estimate(ratio, float(error)), 0.3, reading=reading(cell),
                    remark=f"standard deviation {scatter:.3f}, fall {fall.value:.3f}")  # fmt: skip


def fraction_smooth_in_tau(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Mean fraction over rings against tau: never rises, and no step is larger than 0.2 for each 0.05."""
    table = points(tables, "fraction_mean", "fraction_sem", "tau")
    for cell, part in groups(table, *SETTINGS, "alpha"):
        scan = [(float(rows.tau.iloc[0]), _over_sizes(rows)) for _, rows in part.groupby("tau")]
        if len(scan) < FEWEST_SIZES:
            continue
        steps = [((one - two) * (0.05 / (upper - lower)), upper)
                 for (lower, one), (upper, two) in pairwise(scan)]  # fmt: skip
        largest, at = max(steps, key=lambda step: step[0].value)
        more = {"part": f"alpha = {cell['alpha']}", "reading": reading(cell)}
        rise = -min(step.value for step, _ in steps)
        yield true("largest rise of m'/M", rise <= 1e-9, max(rise, 0.0), **more)
        yield below("largest step of m'/M for 0.05", largest, 0.2, remark=f"to tau = {at:g}", **more)


def fraction_exponent_identity(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Log-log fits: the exponent of m'/M is that of m' less one."""
    laws = select(tables, "power_laws", [*SETTINGS, "alpha", "k"], tau=TAU, fit="loglog")
    for cell, law in groups(laws, *SETTINGS, "alpha"):
        same = points(tables, "fraction_mean", tau=TAU, **{name: cell[name] for name in SETTINGS})
        curve = same[same.alpha == cell["alpha"]]
        fitted = log_log_law(curve.n_sites.to_numpy(float), curve.fraction_mean.to_numpy(float))
        if np.isfinite(fitted.k):
            yield exactly("exponent of m'/M less (k - 1)", fitted.k - law.k.iloc[0] + 1, 0.0, 1e-4,
                          part=f"{reading(cell)}, alpha = {cell['alpha']}")  # fmt: skip


def impact_correlation_weakens(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """rho is positive up to N = 12, and its slope against N is negative, per density."""
    for cell, part in whole_studies(tables, "rho_mean", "rho_sem", with_r0=(False,)):
        for alpha, curve in part.groupby("alpha"):
            more = {"part": f"alpha = {alpha}", "reading": reading({name: cell[name] for name in VARIANT})}
            moderate = curve[curve.n_sites <= COMPARED_SIZE]
            least = moderate.sort_values("rho_mean").iloc[0]
            rho = Estimate(float(least.rho_mean), float(least.rho_sem), int(least.n_models))
            yield above("smallest rho up to N = 12", rho, 0.0, **more)
            yield below("slope of rho against N", slope(curve.n_sites, curve.rho_mean), 0.0, **more)


def at_twelve(tables: Tables, name: str, with_r0: tuple[bool, ...]) -> Iterator[tuple[str, dict[int, Estimate]]]:
    """Means of the converged models at N = 12 by density, for each reading."""
    table = points(tables, f"{name}_mean", f"{name}_sem", n_sites=COMPARED_SIZE, tau=TAU, with_r0=with_r0,
                   converged=True)  # fmt: skip
    shown = SETTINGS if len(with_r0) > 1 else VARIANT
    for cell, part in groups(table, *shown):
        means = {
            int(row.alpha): Estimate(float(row[f"{name}_mean"]), float(row[f"{name}_sem"]), int(row.n_models))
            for _, row in part.iterrows()
        }
        yield reading(cell), means


def fraction_rises_with_alpha_n12(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """m'/M at N = 12 within 0.02 and the errors of the printed values, and larger at alpha = 5 than at 2."""
    printed = value_of(claim)
    for words, means in at_twelve(tables, "fraction", (False, True)):
        if not {2, 5} <= {*means}:
            continue
        for alpha in (2, 5):
            yield near("m'/M", means[alpha], printed[f"alpha{alpha}"], PRINTED_DIGIT, 0.02, part=f"alpha = {alpha}",
                       reading=words)  # fmt: skip
        yield above("m'/M at alpha = 5 less that at 2", means[5] - means[2], 0.0, part="rise", reading=words)


def rho_n12(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """rho at N = 12, the printed spreads taken for standard deviations over ten models, or for standard errors."""
    spreads = claim.published.uncertainty if claim.published else {}
    for words, means in at_twelve(tables, "rho", (False,)):
        for kind, factor in (("printed deviations", PUBLISHED_SEEDS**-0.5), ("printed errors", 1.0)):
            for alpha in {4, 5} & {*means}:
                name = f"alpha{alpha}"
                yield near("rho", means[alpha], value_of(claim)[name], factor * spreads[name],
                           part=f"alpha = {alpha}", reading=f"{words}, {kind}")  # fmt: skip


def rho_peaks_at_alpha4(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """rho at N = 12 is larger at alpha = 4 than at every other density."""
    for words, means in at_twelve(tables, "rho", (False,)):
        for alpha in sorted({*means} - {4}):
            if 4 in means:
                yield above("rho at alpha = 4 less that at another", means[4] - means[alpha], 0.0,
                            part=f"alpha = {alpha}", reading=words)  # fmt: skip


def moderate_alpha_best(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 12: no other density has a smaller error and a larger rho than 3 or 4, but some has than 2 and than 5.

    The certainty of that under normal errors of the means of ln error and rho.
    """
    columns = {"all": "exact_error_all", "zero": "exact_error_zero"}
    table = select(tables, "figX1", ["mode"], n_sites=COMPARED_SIZE, alpha=ALPHAS)
    rho = select(tables, "fractions", ["rho_mean", "rho_sem"], n_sites=COMPARED_SIZE, tau=TAU, with_r0=False)
    for cell, means in groups(rho, *VARIANT):
        column = columns.get(cell["sector"], "exact_error_zero")
        models = table[table["mode"] == cell["mode"]]
        if column not in models or {*models.alpha} != {*ALPHAS} or not {*ALPHAS} <= {*means.alpha}:
            continue
        errors = np.log(models[column]).groupby(models.alpha).agg(["mean", "sem"])
        links = means.set_index("alpha").loc[list(ALPHAS), ["rho_mean", "rho_sem"]]
        sure = _certainty(errors.to_numpy(), links.to_numpy())
        yield Evidence("certainty that 3 and 4 are best", sure, n=len(models), p_holds=1 - sure, p_fails=sure,
                       distance=0.0 if sure > 0.5 else float(np.sqrt(-2 * np.log(max(sure, 1e-9)))),
                       reading=reading(cell))  # fmt: skip


def _certainty(errors: np.ndarray, links: np.ndarray, draws: int = 20_000) -> float:
    """Share of draws in which 3 and 4 are on the Pareto front and 2 and 5 are not; (density, [mean, error]) each."""
    random = np.random.default_rng(0)
    error, link = (random.normal(one[:, 0], one[:, 1], (draws, len(ALPHAS))) for one in (errors, links))
    better = (error[:, None, :] < error[:, :, None]) & (link[:, None, :] > link[:, :, None])  # (draw, beaten, by)
    beaten = better.any(axis=2)
    return float((beaten == np.array([True, False, False, True])).all(axis=1).mean())


CHECKS = {
    "converged_models": converged_models,
    "threshold_extremes": threshold_extremes,
    "fraction_falls": fraction_falls,
    "seed_variability": seed_variability,
    "fraction_smooth_in_tau": fraction_smooth_in_tau,
    "fraction_exponent_identity": fraction_exponent_identity,
    "impact_correlation_weakens": impact_correlation_weakens,
    "fraction_rises_with_alpha_n12": fraction_rises_with_alpha_n12,
    "rho_n12": rho_n12,
    "rho_peaks_at_alpha4": rho_peaks_at_alpha4,
    "moderate_alpha_best": moderate_alpha_best,
}
