"""Claims about the growth of systems: 30 spins beside 24 (Fig. S4), critical sizes up to 36 (Fig. 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log, log10

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below, near
from nqs.studies.westerhout2020.claims.curves import Curve, combined, correlation, minimum, steepest_fall
from nqs.studies.westerhout2020.claims.selection import LATTICES, absent, against_j2, by_j2, complete
from nqs.studies.westerhout2020.curves import GROWTH, GROWTH_SITES
from nqs.studies.westerhout2020.tables.training_size import ABOVE, FOUND

COUPLINGS = (0.0, 0.4, 0.55, 1.0)
FACTOR = 2  # by which the growth may differ
SLOW = 0.5  # exponent
LIKE, PLACE = 0.8, 0.1  # correlation of curves of 24 and 30 spins; J2 between their dips or falls
COARSE = 0.25  # J2, what the grids of both sizes can tell apart
FEWEST_SHARED = 4
NETWORKS = ("dense1", "dense2", "cnn")


@dataclass(frozen=True)
class Growth:
    """ln of the ratio of critical sizes of the largest and smallest cluster; `bound`: the ratio is at least that."""

    log: Estimate
    dimensions: float  # ln of the ratio of dimensions
    bound: bool = False


def _growth(rows: pd.DataFrame) -> Growth | None:
    """Between 24 and 36 spins at one coupling."""
    small, large = (rows[rows.n_sites == n] for n in GROWTH_SITES)
    if len(small) != 1 or len(large) != 1 or small.status.iloc[0] != FOUND:
        return None
    first, last = small.iloc[0], large.iloc[0]
    ends = [_log_size(first), _log_size(last)]
    bound = last.status == ABOVE
    if bound:
        ends[1] = Estimate(log(last.largest_size), 0.0, int(last.n_members))
    elif last.status != FOUND:
        return None
    return Growth(combined([(1.0, ends[1]), (-1.0, ends[0])]), log(last.dimension / first.dimension), bound)


def _log_size(row: pd.Series) -> Estimate:
    """ln of a critical size; its interval of one standard error may leave the scan, and is then not known."""
    low, high = log(row.critical_size_low), log(row.critical_size_high)
    error = (high - low) / 2
    return Estimate(log(row.critical_size), error if np.isfinite(error) else np.inf, int(row.n_members))


def _growths(tables: Tables) -> dict[float, Growth]:
    """By coupling."""
    table = tables["fig4"]
    needed = {"n_sites", "j2_over_j1", "lattice", "status", "critical_size_low", "largest_size", "dimension"}
    if not needed <= {*table.columns}:
        return {}
    table = table[table.lattice == "square"]
    found = {j2: _growth(rows) for j2, rows in by_j2(table)}
    return {j2: one for j2, one in found.items() if one is not None}


def critical_size_factor_10(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Geometric mean over J2 of the growth from 24 to 36 spins; a lower bound where a size lies above the scan."""
    found = _growths(tables)
    if not found:
        return
    mean = combined((1 / len(found) / log(10), one.log) for one in found.values())
    remark = ", ".join(f"{'> ' if one.bound else ''}{np.exp(one.log.value):.1f} at {j2:g}" for j2, one in found.items())
    missing = [j2 for j2 in COUPLINGS if j2 not in found]
    one = near("log10 of the mean growth", mean, log10(GROWTH), tolerance=log10(FACTOR), resolution=0.3, remark=remark)
    if any(part.bound for part in found.values()) and mean.value <= log10(GROWTH * FACTOR):
        one = replace(one, p_fails=1.0, resolved=False, remark=f"lower bound: {remark}")
    yield one.named("mean over J2")
    for j2 in missing:
        yield absent(f"J2 = {j2:g}", "critical sizes at 24 and 36 spins")


def critical_size_slow_scaling(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Exponent of K between 24 and 36 spins, per J2; a lower bound below the limit decides nothing."""
    for j2, one in _growths(tables).items():
        exponent = one.log * (1 / one.dimensions)
        found = below("exponent of K", exponent, SLOW, part=f"J2 = {j2:g}")
        if one.bound and exponent.value <= SLOW:
            found = replace(found, p_holds=1.0, p_fails=1.0, remark="a lower bound: no size of the scan suffices")
        yield found


def spins30_same_j2_pattern(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Correlation over shared J2 with 24 spins, and the distance of dips (square, triangle) or falls (kagome)."""

    def each() -> Iterator[Evidence]:
        for lattice in LATTICES:
            for network in NETWORKS:
                small, large = (against_j2(tables, lattice, network, n_sites=n) for n in (24, 30))
                small, large = small.common(large.x), large.common(small.x)
                if len(small) >= FEWEST_SHARED:
                    yield from _alike(small, large, lattice, f"{lattice}, {network}")

    yield from complete(each(), [f"{lattice}, dense2" for lattice in LATTICES], "four shared J2")


def _alike(small: Curve, large: Curve, lattice: str, part: str) -> Iterator[Evidence]:
    r = correlation(small, large)
    yield above("correlation of 24 and 30 spins", r, LIKE, f"{len(small)} J2", part=part)
    if part.endswith("cnn"):  # its dips are too shallow to have a place
        return
    places = [steepest_fall(one) if lattice == "kagome" else minimum(one) for one in (small, large)]
    apart = combined([(1.0, places[1]), (-1.0, places[0])])
    yield near(
        "J2 of dip or fall, 30 - 24 spins", apart, 0.0, tolerance=PLACE, resolution=COARSE, part=f"{part}, place"
    )
