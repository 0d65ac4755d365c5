"""Claims that our curves are those of the paper, point by point: Figs. 2, 3, 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log10

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, near, true
from nqs.studies.westerhout2020.claims.curves import Curve, minimum, steepest_fall
from nqs.studies.westerhout2020.claims.rises import critical
from nqs.studies.westerhout2020.claims.selection import (
    GENERALISATION,
    READINGS,
    VARIATIONAL,
    absent,
    against_j2,
    against_size,
    by_j2,
)
from nqs.studies.westerhout2020.curves import PRECISION

CROSSING, TOO_NEAR = 0.5206, 0.01  # J2 of kagome24 where the ground state changes; points left out around it
AGREES = 0.05  # root-mean-square deviation of overlaps
AGREES_VARIATIONAL = 0.1
FACTOR = 1.5  # of training fractions
LAST = 0.1  # of overlaps at the largest fraction
FEWEST_POINTS = 3


def published_curves_fig2_top(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Deviation of every curve of signs, per lattice and network."""
    found = list(_deviations(tables, _printed(tables, figure="fig2", series=GENERALISATION)))
    yield from found if any(np.isfinite(one.value) for one in found) else ()


def published_curves_fig5(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Deviation of the curves of signs and of amplitudes."""
    found = list(_deviations(tables, _printed(tables, figure="fig5")))
    yield from found if any(np.isfinite(one.value) for one in found) else ()


def _printed(tables: Tables, **cell: str) -> pd.DataFrame:
    """Published points; none where the study was given none."""
    points = tables.published
    if not isinstance(points, pd.DataFrame):
        return pd.DataFrame(columns=["lattice", "network", "target", "x", "overlap", "j2_over_j1"])
    for name, value in cell.items():
        points = points[points[name] == value]
    return points


def _deviations(tables: Tables, printed: pd.DataFrame) -> Iterator[Evidence]:
    for (lattice, network, target), points in printed.groupby(["lattice", "network", "target"]):
        curve = against_j2(tables, str(lattice), str(network), str(target))
        part = f"{lattice}, {network}, {target}"
        found = _deviation(curve, points)
        if found is None:
            yield absent(part, "three points of this curve")
        else:
            yield near("rms deviation", found, 0.0, tolerance=AGREES, part=part, remark=_worst(curve, points))


def _shared(curve: Curve, points: pd.DataFrame) -> tuple[Curve, np.ndarray]:
    """Our points with a published one, those near the crossing of kagome left out, and the published overlaps."""
    if len(points) and points.lattice.iloc[0] == "kagome":
        points = points[(points.x - CROSSING).abs() > TOO_NEAR]
    ours = curve.common(points.x.to_numpy(float))
    places = [int(np.argmin(np.abs(points.x.to_numpy(float) - x))) for x in ours.x]
    return ours, points.overlap.to_numpy(float)[places]


def _deviation(curve: Curve, points: pd.DataFrame) -> Estimate | None:
    """Root of the mean squared deviation, with what the errors of both make of it; None below three points."""
    ours, printed = _shared(curve, points)
    if len(ours) < FEWEST_POINTS:
        return None
    apart = ours.mean - printed
    size = float(np.sqrt((apart**2).mean()))
    errors = np.hypot(ours.sem, PRECISION)
    error = float(np.sqrt((apart**2 * errors**2).sum())) / (len(ours) * size) if size else PRECISION
    return Estimate(size, error, len(ours))


def _worst(curve: Curve, points: pd.DataFrame) -> str:
    """The point that differs most."""
    ours, printed = _shared(curve, points)
    place = int(np.argmax(np.abs(ours.mean - printed)))
    return f"most at J2 = {ours.x[place]:g}: {ours.mean[place]:.2f}, published {printed[place]:.2f}"


def published_curves_fig2_bottom(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Variational overlaps of 24 spins; settings are not published, so that other overlaps refute nothing."""
    for lattice in ("square", "kagome"):
        curve = against_j2(tables, lattice, series=VARIATIONAL, metric="full")
        points = _printed(tables, figure="fig2", series=VARIATIONAL)
        found = _deviation(curve, points[points.lattice == lattice])
        if found is None:
            continue
        one = near("rms deviation", found, 0.0, tolerance=AGREES_VARIATIONAL, part=lattice)
        agrees = one.holds(1)
        yield one if agrees else replace(one, p_fails=1.0, resolved=False, remark="settings are not published")
        place = minimum(curve.within(0.2, 0.8)) if lattice == "square" else steepest_fall(curve)
        middle, half = (0.5, 0.1) if lattice == "square" else (0.525, 0.015)
        yield near("J2 of the minimum or fall", place, middle, tolerance=half, part=f"{lattice}, place")


def published_curves_fig3(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """log10 eps at an overlap of 0.5, within a factor of 1.5; and the overlap at eps = 0.01, within 0.1."""
    printed = _printed(tables, figure="fig3")
    for metric in READINGS:
        curves = against_size(tables, "kagome", 24, metric=metric)
        for j2, points in by_j2(printed):
            if j2 in curves:
                part = f"J2 = {j2:g}"
                yield from _same_rise(curves[j2], _as_curve(points), part, metric)
                yield from _same_end(curves[j2], _as_curve(points), part, metric)


def _as_curve(points: pd.DataFrame) -> Curve:
    points = points.sort_values("x")
    x, overlap = points.x.to_numpy(float), points.overlap.to_numpy(float)
    return Curve(x, overlap, np.full(len(x), PRECISION), np.zeros(len(x)))


def _same_rise(ours: Curve, theirs: Curve, part: str, metric: str) -> Iterator[Evidence]:
    found, printed = critical(ours), critical(theirs)
    if found is None or printed is None:
        yield absent(f"{part}, eps*", "eps* with an error", metric)
    elif found.beyond or printed.beyond:
        both = found.beyond and printed.beyond
        yield true("eps* beyond the sizes in both", both, part=f"{part}, eps*", reading=metric)
    else:
        yield near(
            "log10 eps*", found.log, printed.log.value, printed.log.error, log10(FACTOR),
            part=f"{part}, eps*", reading=metric,
        )  # fmt: skip


def _same_end(ours: Curve, theirs: Curve, part: str, metric: str) -> Iterator[Evidence]:
    one, other = ours.at(0.01), theirs.at(0.01)
    if one and other:
        yield near(
            "overlap at eps = 0.01", one, other.value, other.error, LAST, part=f"{part}, end",
            reading=metric,
        )  # fmt: skip
