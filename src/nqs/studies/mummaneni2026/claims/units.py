"""Claims about weights of hidden units and what their removal does to the energy: Figs. 4, 5 and 8."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact, spearmanr

from nqs.analysis.dip_test import dip_p_value
from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, mean, share_above
from nqs.studies.mummaneni2026.claims.selected import (
    TAU,
    VARIANT,
    groups,
    most,
    one_model,
    range_of,
    reading,
    select,
    sites,
    slope,
    small_units,
    value_of,
)

SMALL, SWEEP = (4, 8), tuple(range(8, 21, 2))  # rings of Figs. 2 to 8, and of the systematic study
IMPACTS = ("energy_impact", "correlation_impact")
SIGNIFICANT, LOW = 0.6, 0.3  # |S_AFM| of a specialised unit, and of one that is not
LARGE, NEGLIGIBLE = 0.1, 0.01  # |dE|/|E| of a unit that matters, and of one that does not
STRONG = 0.7  # correlation of the impacts
BIMODAL = 0.05  # p-value of the dip test


def one_sum(tables: Tables, n_sites: int, *columns: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Units of small rings by mode; what no sum enters is the same in all sectors."""
    for cell, part in small_units(tables, n_sites, *columns):
        if cell["sector"] == "zero":
            yield reading({"mode": cell["mode"]}), part


def top_score_n4(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Best score of a model at N = 4, its modulus or the signed one, against the printed one of a single model."""
    for words, part in one_sum(tables, 4, "s_afm"):
        for kind, scores in (("|S_AFM|", part.s_afm.abs()), ("signed S_AFM", part.s_afm)):
            best = scores.groupby(part.repeat).max()
            yield one_model(f"largest {kind} of a model", best, value_of(claim), reading=f"{words}, {kind}",
                            remark=range_of(best))  # fmt: skip


def several_units_specialize(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Units with |S_AFM| above the threshold: gained from before to after the training, paired over models."""
    for n_sites in SMALL:
        for words, part in one_sum(tables, n_sites, "s_afm", "s_afm_initial"):
            now, then = ((part[name].abs() > value_of(claim)).groupby(part.repeat).sum()
                         for name in ("s_afm", "s_afm_initial"))  # fmt: skip
            yield above("specialised units gained", mean(now - then), 0.0, part=sites(n_sites), reading=words,
                        remark=f"{then.mean():.3g} before, {now.mean():.3g} after")  # fmt: skip


def top_unit_larger_weights(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4: of the two units of best score the one with larger weights has the larger impacts; or all in order."""
    for cell, part in small_units(tables, 4, "s_afm", "weight_norm", *IMPACTS):
        for impact in IMPACTS:
            models = [units for _, units in part.groupby("repeat")]
            leads = [_heavier_leads(units, impact) for units in models]
            yield most(f"larger {impact} of the heavier of the two best units", np.array(leads), part=impact,
                       reading=reading(cell, "two best units"))  # fmt: skip
            ranks = [float(spearmanr(units.weight_norm, units[impact]).statistic) for units in models]
            yield above("Spearman of weight norm and impact", mean(ranks), 0.0, part=impact,
                        reading=reading(cell, "all units"))  # fmt: skip


def _heavier_leads(units: pd.DataFrame, impact: str) -> bool:
    """Whether the heavier of the two units of largest |S_AFM| has the larger impact."""
    best = units.loc[units.s_afm.abs().nlargest(2).index]
    return bool(best.weight_norm.idxmax() == best[impact].idxmax())


def low_score_three_aligned(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4: units of low score have three neighbours of one sign, and more often than units of high score."""
    for words, part in one_sum(tables, 4, "s_afm", "aligned"):
        score, aligned = part.s_afm.abs(), part.aligned >= 3
        low, high = aligned[score < LOW], aligned[score > SIGNIFICANT]
        if not len(low) or not len(high):
            continue
        yield share_above("low-score units with three aligned", int(low.sum()), len(low), 0.5, part="low scores",
                          reading=words)  # fmt: skip
        counts = [[int(one.sum()), int((~one).sum())] for one in (low, high)]
        p_holds, p_fails = (float(fisher_exact(counts, alternative=side).pvalue) for side in ("greater", "less"))
        yield Evidence("the same share less that of high-score units", float(low.mean() - high.mean()),
                       n=len(low) + len(high), p_holds=p_holds, p_fails=p_fails, part="against high scores",
                       reading=words, remark=f"Fisher p = {p_holds:.2g}")  # fmt: skip


def n4_dominant_unit(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4: largest |dE|/|E| above the bound, in the median model."""
    bound = value_of(claim) / 100
    for cell, part in small_units(tables, 4, "energy_impact"):
        largest = part.groupby("repeat").energy_impact.max()
        yield most(f"largest |dE|/|E| > {bound:g}", largest > bound, reading=reading(cell),
                   remark=f"median {largest.median():.1%}, {range_of(largest)}")  # fmt: skip


def n4_graded_impact(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 4: a second unit matters much, another hardly."""
    for cell, part in small_units(tables, 4, "energy_impact"):
        impact = part.groupby("repeat").energy_impact
        second, least = impact.apply(lambda one: one.nlargest(2).min()), impact.min()
        yield most("graded impacts", (second > LARGE) & (least < NEGLIGIBLE), reading=reading(cell),
                   remark=f"second {second.median():.3g}, least {least.median():.3g} in the median")  # fmt: skip


def n8_distributed(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """N = 8: no unit has half of the summed |dE|, and two or more matter much."""
    for cell, part in small_units(tables, 8, "energy_impact"):
        impact = part.groupby("repeat").energy_impact
        share, large = impact.max() / impact.sum(), (part.energy_impact > LARGE).groupby(part.repeat).sum()
        yield most("distributed impacts", (share < 0.5) & (large >= 2), reading=reading(cell),
                   remark=f"largest share {share.median():.3g}, {large.median():g} large in the median")  # fmt: skip


def hierarchy_depends_on_size(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Participation ratio of |dE| at alpha = 2 rises with N over all models."""
    points: dict[str, list[pd.DataFrame]] = {}
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, "energy_impact"):
            impact = part.groupby("repeat").energy_impact
            ratio = impact.apply(lambda x: x.sum() ** 2 / (len(x) * (x**2).sum()))
            points.setdefault(reading(cell), []).append(pd.DataFrame({"n_sites": n_sites, "ratio": ratio}))
    if "ablation" in tables:
        sweep = select(tables, "ablation", [*VARIANT, "n_sites", "participation"], alpha=2)
        for cell, part in groups(sweep.rename(columns={"participation": "ratio"}), *VARIANT):
            points.setdefault(reading(cell), []).append(part[["n_sites", "ratio"]])
    for words, found in points.items():
        table = pd.concat(found)
        said = ", ".join(f"{value:.2f} at N = {size}" for size, value in table.groupby("n_sites").ratio.mean().items())
        yield above("slope of the participation ratio", slope(table.n_sites, table.ratio), 0.0, reading=words,
                    remark=said)  # fmt: skip


def important_removal_penalty(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Removing an important unit raises the energy, nearly always; and both impacts are larger than of other units."""
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, "delta_energy", *IMPACTS):
            chosen = (part[list(IMPACTS)] > TAU).any(axis=1)
            raised = (part.delta_energy[chosen] > 0).groupby(part.repeat[chosen]).mean()
            more = {"part": sites(n_sites), "reading": reading(cell)}
            yield above("share of important units with dE > 0", mean(raised), 0.95, **more)
            for impact in IMPACTS:
                means = part.groupby(["repeat", chosen.rename("chosen")])[impact].mean().unstack()
                gap = means.get(True, np.nan) - means.get(False, np.nan)
                yield above(f"{impact}, important less other units", mean(gap), 0.0, **more)
    if "ablation" in tables:
        columns = {"penalised": 0.95, "energy_gap": 0.0, "correlation_gap": 0.0}
        for cell, part in groups(select(tables, "ablation", VARIANT, n_sites=SWEEP), *VARIANT):
            for column, bound in columns.items():
                values = part.get(column, pd.Series(dtype=float))
                yield above(f"{column} over models", mean(values), bound, part="N = 8 to 20", reading=reading(cell))


def two_classes(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """ln impact of the units of all models of a cell has more than one mode, in most cells."""
    p_values: dict[str, list[float]] = {}
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, *IMPACTS):
            for impact in IMPACTS:
                values = part[impact][part[impact] > 0]
                words = reading(cell, f"impact on {impact.removesuffix('_impact')}")
                p_values.setdefault(words, []).append(dip_p_value(np.log(values.to_numpy())))
    if "impact_modes" in tables:
        modes = select(tables, "impact_modes", [*VARIANT, "impact", "p_value"])
        for cell, part in groups(modes, *VARIANT, "impact"):
            p_values.setdefault(reading(cell, f"impact on {cell['impact']}"), []).extend(part.p_value)
    for words, found in p_values.items():
        hits = int((np.array(found) < BIMODAL).sum())
        yield share_above("share of rings and densities with two modes of ln impact", hits, len(found), 0.5,
                          reading=words, remark=f"dip test p = {min(found):.2g} to {max(found):.2g}")  # fmt: skip


def impactful_units_listed(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Number of units that stand out, by the threshold or by both medians, against that of a single model."""
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, *IMPACTS):
            impacts = part[list(IMPACTS)]
            medians = impacts.groupby(part.repeat).transform("median")
            for words, chosen in (
                (f"either impact > {TAU:g}", (impacts > TAU).any(axis=1)),
                ("above both medians", (impacts > medians).all(axis=1)),
            ):
                number = chosen.groupby(part.repeat).sum()
                yield one_model("impactful units of a model", number, value_of(claim)[f"N{n_sites}"],
                                part=sites(n_sites), reading=reading(cell, words), remark=range_of(number))  # fmt: skip


def top_unit_singular(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The same unit leads in both impacts."""
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, *IMPACTS):
            leading = part.set_index("unit").groupby("repeat")[list(IMPACTS)].idxmax()
            yield most("one unit first in both impacts", leading.nunique(axis=1) == 1, part=sites(n_sites),
                       reading=reading(cell))  # fmt: skip


def impact_correlation_strong(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Pearson correlation of the two impacts over the units of a model, mean over models."""
    for n_sites in SMALL:
        for cell, part in small_units(tables, n_sites, *IMPACTS):
            rho = mean([units[list(IMPACTS)].corr().iloc[0, 1] for _, units in part.groupby("repeat")])
            yield above("rho", rho, STRONG, part=sites(n_sites), reading=reading(cell), remark=_against_zero(rho))


def _against_zero(rho: Estimate) -> str:
    """How far a correlation is from none, in words."""
    return f"{rho.value / rho.error:.1f} SE above 0" if 0 < rho.error < np.inf else ""


CHECKS = {
    "top_score_n4": top_score_n4,
    "several_units_specialize": several_units_specialize,
    "top_unit_larger_weights": top_unit_larger_weights,
    "low_score_three_aligned": low_score_three_aligned,
    "n4_dominant_unit": n4_dominant_unit,
    "n4_graded_impact": n4_graded_impact,
    "n8_distributed": n8_distributed,
    "hierarchy_depends_on_size": hierarchy_depends_on_size,
    "important_removal_penalty": important_removal_penalty,
    "two_classes": two_classes,
    "impactful_units_listed": impactful_units_listed,
    "top_unit_singular": top_unit_singular,
    "impact_correlation_strong": impact_correlation_strong,
}
