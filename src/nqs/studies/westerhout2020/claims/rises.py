"""The rise of an overlap with the size of the training set: where it is, and how wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, log10

import numpy as np
from scipy.optimize import curve_fit

from nqs.analysis.ledger.evidence import Estimate
from nqs.studies.westerhout2020.claims.curves import Curve, combined
from nqs.studies.westerhout2020.tables.critical_sizes import critical_epsilons

HALF = 0.5  # overlap that marks the critical fraction eps*
LOWEST_TOP = 0.3  # of a curve that has risen
FLAT, LOW = 0.8, 0.2  # parts of the last value: reached by the last size but one, and not yet by the first
MISFIT = 0.02  # smallest error of an overlap in the fits, whose shape is not exact
NARROWEST, WIDEST = 0.005, 3.0  # decades, scale s of the logistic
WIDTH = 2 * np.log(4)  # in units of s, from 20 % to 80 %
FEW = 1 / 6  # part of the curves drawn anew that may miss a threshold


@dataclass(frozen=True)
class Critical:
    """log10 of eps*; `beyond` where it lies above the largest size, which then stands for it."""

    log: Estimate
    beyond: bool = False


@dataclass(frozen=True)
class Rise:
    """A fitted logistic: width from 20 % to 80 % (decades), last value, largest change per tenth of a decade."""

    width: Estimate
    top: float
    steepest: Estimate


def critical(curve: Curve, threshold: float = HALF) -> Critical | None:
    """The training fraction from which on a curve stays above a threshold; None where the errors leave it open.

    Its error is that over curves drawn anew and, because sizes are few, that of a uniform place between neighbours.
    """
    epsilons, overlaps = curve.x, np.vstack([curve.mean, curve.draws()])
    if not np.isfinite(curve.sem).all():
        return None
    found = critical_epsilons(epsilons, overlaps, threshold)
    measured = (found > 0) & np.isfinite(found)
    n = curve.n_smallest
    if np.isinf(found[0]) and np.isinf(found).mean() > 1 - FEW:
        return Critical(Estimate(log10(epsilons[-1]), 0.0, n), beyond=True)
    if not measured[0] or measured.mean() < 1 - FEW:
        return None
    above = int(np.searchsorted(epsilons, found[0]))
    step = log10(epsilons[above] / epsilons[above - 1])
    spread = float(np.log10(found[measured]).std())
    return Critical(Estimate(log10(found[0]), hypot(spread, step / np.sqrt(12)), n))


def has_risen(curve: Curve) -> bool:
    """Whether a curve gets from low to flat on its sizes."""
    top = curve.mean[-1]
    flat = curve.mean[-2] >= FLAT * top
    return bool(top >= LOWEST_TOP and flat and curve.mean[0] <= LOW * top)


def rise(curve: Curve) -> Rise | None:
    """The logistic through a curve, up to its last value; None where none fits or errors are missing."""
    if len(curve) < 4 or not np.isfinite(curve.sem).all():
        return None
    x, top = np.log10(curve.x), float(curve.mean[-1])
    errors = np.maximum(curve.sem, MISFIT)
    guess = (float(np.interp(HALF * top, np.maximum.accumulate(curve.mean), x)), 0.1)

    def logistic(place: np.ndarray, middle: float, s: float) -> np.ndarray:
        return top / (1 + np.exp(-np.clip((place - middle) / s, -500, 500)))

    bounds = ([x[0] - 2, NARROWEST], [x[-1], WIDEST])
    try:
        (middle, s), covariance = curve_fit(logistic, x, curve.mean, guess, errors, True, bounds=bounds)
    except (RuntimeError, ValueError):
        return None
    misfit = float((((curve.mean - logistic(x, middle, s)) / errors) ** 2).sum()) / (len(x) - 2)
    error = float(np.sqrt(covariance[1, 1] * max(misfit, 1.0)))
    # a step between two sizes leaves s open below a part of their distance
    step = float(np.diff(x)[max(int(np.searchsorted(x, middle)) - 1, 0) : len(x)][0]) if middle > x[0] else 0.0
    error = hypot(error, step / 4 / WIDTH) if np.isfinite(error) else np.inf
    n = len(x) - 1
    steepest = Estimate(0.1 * top / (4 * s), 0.1 * top * error / (4 * s**2), n)
    return Rise(Estimate(WIDTH * s, WIDTH * error, n), top, steepest)


def rises(curves: Mapping[float, Curve]) -> dict[float, Rise]:
    """Rises that are complete, J2/J1 -> rise."""
    found = {j2: rise(one) for j2, one in curves.items() if has_risen(one)}
    return {j2: one for j2, one in found.items() if one is not None}


def median(values: Sequence[Estimate]) -> Estimate:
    """Median with its error over values drawn anew."""
    means = np.array([one.value for one in values])
    errors = np.array([one.error for one in values])
    drawn = means + np.random.default_rng(0).standard_normal((1000, len(means))) * errors
    spread = float(np.median(drawn, axis=1).std())
    return Estimate(float(np.median(means)), spread, min(one.n for one in values))


def slope(x: np.ndarray, values: Sequence[Estimate]) -> Estimate:
    """Slope of the straight line through values, weighted by their errors; its error is what theirs make of it."""
    weight = np.array([max(one.error, 1e-9) for one in values]) ** -2.0
    centred = x - weight @ x / weight.sum()
    shares = weight * centred / (weight @ centred**2)
    return combined(zip(shares.tolist(), values, strict=True))
