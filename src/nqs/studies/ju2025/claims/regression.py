"""Claims of Ju et al. (2025), Sec. V, about the regression of motif expectation values (Table II).

Motifs, features and so the design matrix are the same for every state, and the printed standard errors say what two
features leave open of the 64 expectation values, in ours as in theirs: they do not say how far the coefficients of two
states may lie apart. A coefficient is compared within the precision of the print and the scatter over our runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, exactly, near, true
from nqs.analysis.ledger.table import Check
from nqs.model.motifs import design_matrix
from nqs.studies.ju2025.claims.select import each, select
from nqs.studies.ju2025.tables.regressions import PRINT_PRECISION, TERMS

SIZE, WIDTH = 60, 6  # of Table II
COLUMNS = "term scaled scaled_error p_value p_robust r_squared observations condition_number n_sites"
R2_TOLERANCE = 0.03
EXACT, BEST = "exact ground state", "best network"
OPTIMA = {"cps optimum": "optimum of the product state", "cnn optimum": "optimum of the network"}


def _sources(tables: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """The four rows of each source of the published K, by term: the best network, the largest exact ring, optima."""
    table = select(tables["table2"], COLUMNS, width=WIDTH)
    best = select(table, COLUMNS, source="network", best=True, n_sites=SIZE)
    exact = select(table, COLUMNS, source="exact")
    named = {BEST: best, EXACT: exact[exact.n_sites == exact.n_sites.max()]}
    named |= {words: select(table, COLUMNS, source=source, n_sites=SIZE) for source, words in OPTIMA.items()}
    for words, rows in named.items():
        if {*rows.term} == {*TERMS}:
            yield words, rows.set_index("term")


def _best(tables: Tables) -> Iterator[pd.DataFrame]:
    """The rows of the best network, if there are any."""
    for words, rows in _sources(tables):
        if words == BEST:
            yield rows


def _scatter(tables: Tables, term: str, column: str) -> tuple[float, int]:
    """Standard deviation over the runs of the network, and their number."""
    runs = select(tables["table2"], column, source="network", width=WIDTH, n_sites=SIZE, term=term)[column]
    return (float(runs.std(ddof=1)) if len(runs) > 1 else np.inf), len(runs)


def coefficient(claim: Claim, tables: Tables, term: str) -> Iterator[Evidence]:
    """One coefficient, of each state as a reading; that of one run has the scatter over runs as its error."""
    if not claim.published:
        return
    for words, rows in _sources(tables):
        value, open_ = float(rows.scaled[term]), float(rows.scaled_error[term])
        found = Estimate(value, *_scatter(tables, term, "scaled")) if words == BEST else Estimate(value)
        printed = claim.published.uncertainty
        remark = f"left open by the features: {open_:.2f}, printed {printed:g}; N = {rows.n_sites[term]:g}"
        value = claim.published.value
        yield near(term.replace("_", " "), found, value, PRINT_PRECISION, reading=words, remark=remark)


def table2_r2(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """R^2 of each state."""
    for words, rows in _sources(tables):
        if claim.published:
            yield exactly("R^2", rows.r_squared.iloc[0], claim.published.value, R2_TOLERANCE, reading=words)


def design(claim: Claim, tables: Tables, column: str) -> Iterator[Evidence]:
    """A number of the design matrix, which is the same for every state."""
    rows = select(tables["table2"], column, width=WIDTH, source="exact").head(1)
    for value in rows[column]:
        if claim.published:
            words, allowed = column.replace("_", " "), claim.published.uncertainty
            yield exactly(words, value, claim.published.value, allowed)


def table2_significance(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The largest p-value of the four coefficients of the best network, for two ideas of the errors."""
    for rows in _best(tables):
        for column, reading in (("p_value", "equal errors"), ("p_robust", "unequal errors (HC3)")):
            if claim.published:
                largest, bound = float(rows[column].max()), claim.published.value
                words = "largest p of a coefficient, best network"
                yield true(words, largest < bound, largest, published=f"< {bound:g}", reading=reading)


def mev_falls_with_features(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Main coefficients and marginal correlations; the slope at each motif, with the product, is another reading."""
    for rows in _best(tables):
        for term in ("d_neel", "n_like"):
            found = Estimate(rows.scaled[term], rows.scaled_error[term], int(rows.observations[term]) - len(TERMS) + 1)
            yield below(f"coefficient of {term}", found, 0.0, part=f"coefficient, {term}", reading="on the whole")
        fitted = design_matrix(WIDTH) @ rows.scaled[list(TERMS)].to_numpy(float)
        for place, term in enumerate(TERMS[1:3], start=1):
            yield below(
                f"correlation with {term}", _correlation(fitted, place, float(rows.r_squared.iloc[0])), 0.0,
                part=f"correlation, {term}", reading="on the whole",
            )  # fmt: skip
            share = _share_falling(rows.scaled, term)
            words = f"share of motifs where one more {term} lowers the fit"
            yield true(words, share == 1, share, part=term, reading="at every motif")


def _correlation(fitted: np.ndarray, place: int, r_squared: float) -> Estimate:
    """Correlation of the response with a feature: residuals are orthogonal to it, so that of the fit times R."""
    feature = design_matrix(WIDTH)[:, place]
    found = float(np.corrcoef(fitted, feature)[0, 1] * np.sqrt(r_squared))
    return Estimate(found, float(np.sqrt((1 - found**2) / (len(fitted) - 2))), len(fitted) - 1)


def _share_falling(coefficients: pd.Series | Mapping[str, float], term: str) -> float:
    """Part of the motifs at which the slope of the fit along a feature is negative."""
    other = design_matrix(WIDTH)[:, 2 if term == "d_neel" else 1]
    return float((coefficients[term] + coefficients["interaction"] * other < 0).mean())


def interaction_positive_small(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The coefficient of the product against the main ones; at the mean of the other feature it is another reading."""
    features = dict(zip(("d_neel", "n_like"), design_matrix(WIDTH)[:, 1:3].mean(axis=0), strict=True))
    for rows in _best(tables):
        freedom = int(rows.observations.iloc[0]) - len(TERMS) + 1
        product = Estimate(rows.scaled["interaction"], rows.scaled_error["interaction"], freedom)
        for reading in ("as a coefficient", "at the mean of the other feature"):
            yield above("coefficient of the product", product, 0.0, part="positive", reading=reading)
        for term, other in (("d_neel", "n_like"), ("n_like", "d_neel")):
            main = Estimate(rows.scaled[term], rows.scaled_error[term], freedom) * -1
            for reading, factor in (("as a coefficient", 1.0), ("at the mean of the other feature", features[other])):
                words = f"|coefficient of {term}| less that of the product"
                words += f" times {factor:.2f}" if factor != 1 else ""
                yield above(words, main - product * factor, 0.0, part=term, reading=reading)


def delta_e_best(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Delta E over the gap, as the paper defines its error, of the best network; beside it Delta E over E0."""
    columns = "percent_of_gap percent_of_ground delta_energy"
    lowest = select(tables["table2"], columns, source="cps optimum", n_sites=SIZE, width=WIDTH)
    for row in each(select(tables["table2"], columns, source="network", best=True, n_sites=SIZE, width=WIDTH)):
        if not claim.published or row.term != TERMS[0]:
            continue
        bound = float(lowest.percent_of_gap.iloc[0]) if len(lowest) else 0.0
        never = f"{claim.published.value} % lies below the ground state, and no product state of K = {WIDTH} below "
        never = f"{never}{bound:.0f} % of the gap" if claim.published.value < bound else ""
        remark = f"Delta E = {row.delta_energy:.3f}; (E - E0)/E0 = {row.percent_of_ground:.2f} %"
        yield exactly(
            "(E - E0)/(E1 - E0), best network, percent", row.percent_of_gap, claim.published.value, PRINT_PRECISION,
            remark=remark, impossible=never and f"{never}; ours: {remark}",
        )  # fmt: skip


CHECKS: dict[str, Check] = {
    **{f"table2_{term}": partial(coefficient, term=term) for term in TERMS},
    "table2_r2": table2_r2,
    "table2_observations": partial(design, column="observations"),
    "table2_condition_number": partial(design, column="condition_number"),
    "table2_significance": table2_significance,
    "mev_falls_with_features": mev_falls_with_features,
    "interaction_positive_small": interaction_positive_small,
    "delta_e_best": delta_e_best,
}
