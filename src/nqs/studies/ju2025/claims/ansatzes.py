"""Claims of Ju et al. (2025), Secs. III and IV: network, correlator product state and maximum entropy are one form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, exactly, near, true
from nqs.analysis.ledger.table import Check
from nqs.studies.ju2025.claims.select import each, groups, identities, select
from nqs.studies.ju2025.tables.identity_ring import Ring
from nqs.studies.ju2025.tables.regressions import CLASS_MEANS, LOG_PSI, ONE_GAUGE

RANDOM_SEED = 0
LOWER = 1e-6  # of an energy: descents end within this of their minimum
CONVERGED = 1e-6  # of multipliers at exact optima, which stop at a slope of the energy, not of the multipliers
EXPLAINED = 0.99
VALUES = (CLASS_MEANS, ONE_GAUGE, LOG_PSI)  # what Table S1 regresses


def cnn_is_motif_sum(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Eq. 1 against eq. 3."""
    found = list(identities(tables, "network as a motif sum"))
    yield from found
    if found:
        for size, width in ((8, 3), (12, 6)):
            ring = Ring(size, width, RANDOM_SEED)
            networks = ring.random_networks("motif sum")
            apart = max(np.abs(ring.network(t) - ring.counts @ ring.multipliers(t)).max() for t in networks)
            part = f"N = {size}, K = {width}"
            yield exactly("eq. 1 less eq. 3, largest", apart, 0.0, 1e-12, part=part)


def maxent_exponential_form(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The distribution of largest entropy."""
    yield from identities(tables, "MaxEnt is exponential")


def symmetric_maxent(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """One multiplier per class."""
    yield from identities(tables, "symmetric MaxEnt")


def relu_gauge_choice(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Which of two label-switched motifs is switched off."""
    yield from identities(tables, "gauge of the network")


def unifying_equation(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """All three definitions against the sum over motifs."""
    names = ("network as a motif sum", "CPS as a motif sum", "network as a CPS", "MaxEnt is exponential")
    yield from identities(tables, *names)


def class_mevs_equal(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Spread of motif expectation values within classes, of exact ground states."""
    rows = select(tables["figS1"], "deviation_in_class n_sites width", series="mev", source="exact")
    for (n_sites, width), same in groups(rows, "n_sites", "width"):
        words, part = "deviation of <m>/N within a class, largest", f"N = {n_sites:g}, K = {width:g}"
        remark = "expectation values; the counts of single states differ"
        yield exactly(words, same.deviation_in_class.max(), 0.0, 1e-10, part=part, remark=remark)


def fewer_multipliers(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Classes of motifs against motifs."""
    for row in each(_freedom(tables, "class")):
        words, motifs = "classes of motifs", 2 ** int(row.length)
        part, published = f"K = {row.length:g}", f"< {motifs}"
        yield true(words, row.multipliers < motifs, row.multipliers, published=published, part=part)


def class_multipliers_independent(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Ranks of the counts over all states: of classes of motifs, and of motifs."""
    for row in each(_freedom(tables, "class")):
        counted = f"{row.multipliers:g} multipliers of classes act through {row.rank:g} combinations"
        never = counted if row.rank < row.multipliers else ""
        quantity, part = "combinations of class multipliers that change no state", f"classes, K = {row.length:g}"
        yield exactly(quantity, row.multipliers - row.rank, 0, part=part, remark=counted, impossible=never)
    for row in each(_freedom(tables, "motif")):
        quantity, part = "combinations of motif multipliers that change no state", f"motifs, K = {row.length:g}"
        free = row.multipliers - row.rank
        yield true(quantity, free > 0, free, published="> 0", part=part)


def _freedom(tables: Tables, kind: str) -> pd.DataFrame:
    """Numbers of multipliers of classes or motifs and their ranks, K = 3 and up.  [length, multipliers, rank]"""
    table = tables["figX1"] if "figX1" in tables else tables["tableS1"]
    columns = {"width": "length", f"{kind}_columns": "multipliers", f"{kind}_rank": "rank"}
    rows = select(table, "length multipliers rank", series="gauge", symmetrised=kind == "class")
    if "tableS1" in tables:
        printed = select(tables["tableS1"], " ".join(columns), minimum=0).rename(columns=columns)
        rows = pd.concat([part for part in (rows, printed) if len(part)] or [rows])
    return rows[rows.length >= 3].drop_duplicates("length").sort_values("length")


def cps_less_constrained(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Lowest energies of both families."""
    optima = select(tables["fig3"], "n_sites width family delta_energy n_parameters n_starts", series="optimum")
    for (n_sites, width), both in groups(optima, "n_sites", "width"):
        energies = both.set_index("family").delta_energy
        if {"cps", "cnn"} <= {*energies.index}:
            above = float(energies["cps"] - energies["cnn"])
            starts = both.set_index("family").n_starts["cnn"]
            remark = f"network {energies['cnn']:.4f}, lowest of {starts:g} starts; product state {energies['cps']:.4f}"
            words, part = "Delta E of the product state less that of the network", f"N = {n_sites:g}, K = {width:g}"
            yield true(words, above <= LOWER, above, published="<= 0", part=part, remark=remark)


def _lines(tables: Tables, width: int) -> pd.DataFrame:
    """The regressions of Table S1 at the lowest optimum."""
    return select(
        tables["tableS1"], "values slope slope_error r_squared cnn_delta_energy cps_delta_energy",
        n_sites=16, width=width, minimum=0,
    )  # fmt: skip


def lambda_regression_k3(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope and R^2 at converged optima; what is regressed is a reading."""
    if not claim.published:
        return
    printed, errors = claim.published.value, claim.published.uncertainty
    for row in each(_lines(tables, 3)):
        remark, more = "converged optima of both, whose energies are equal", {"reading": row.values}
        if abs(row.cnn_delta_energy - row.cps_delta_energy) > LOWER:
            remark = "the optima differ in energy"
        slope = Estimate(float(row.slope))
        yield near("slope", slope, printed["slope"], errors["slope"], part="slope", remark=remark, **more)
        yield exactly("R^2", row.r_squared, printed["R2"], errors["R2"], part="R2", **more)


def lambda_predicted_line(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The line that follows from the gauge where class means have no freedom but the norm."""
    columns = "slope intercept predicted_slope predicted_intercept width"
    for row in each(select(tables["tableS1"], columns, minimum=0)):
        for name in ("slope", "intercept"):
            value, expected = getattr(row, name), getattr(row, f"predicted_{name}")
            remark = "predicted: slope 1 and the ratio of norms per site"
            yield exactly(f"{name}, K = {row.width:g}", value, expected, CONVERGED, part=name, remark=remark)


def lambda_same_for_cnn_and_cps_k6(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Slope 1 and nearly all variance explained; what is regressed is a reading."""
    for row in each(_lines(tables, 6)):
        more: dict[str, Any] = {"reading": row.values}
        remark = "error: what the other multipliers leave open"
        slope = Estimate(float(row.slope), float(row.slope_error))
        yield near("slope at the lowest optima, K = 6", slope, 1.0, part="slope", remark=remark, **more)
        r_squared = float(row.r_squared)
        published = f"> {EXPLAINED}"
        yield true("R^2", r_squared > EXPLAINED, r_squared, published=published, part="R2", **more)


CHECKS: dict[str, Check] = {
    "cnn_is_motif_sum": cnn_is_motif_sum,
    "maxent_exponential_form": maxent_exponential_form,
    "class_mevs_equal": class_mevs_equal,
    "symmetric_maxent": symmetric_maxent,
    "fewer_multipliers": fewer_multipliers,
    "class_multipliers_independent": class_multipliers_independent,
    "relu_gauge_choice": relu_gauge_choice,
    "unifying_equation": unifying_equation,
    "cps_less_constrained": cps_less_constrained,
    "lambda_regression_k3": lambda_regression_k3,
    "lambda_predicted_line": lambda_predicted_line,
    "lambda_same_for_cnn_and_cps_k6": lambda_same_for_cnn_and_cps_k6,
}
