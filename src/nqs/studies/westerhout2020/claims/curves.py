"""Curves of mean overlaps with standard errors, and what is read from them with errors.

Errors of sums are those of independent means, with the degrees of freedom of Welch and Satterthwaite; errors of
everything else come from curves drawn anew around the means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor, hypot

import numpy as np
from scipy.stats import rankdata

from nqs.analysis.ledger.evidence import Estimate

N_DRAWS = 500
SEED = 20200


@dataclass(frozen=True, eq=False)
class Curve:
    """Means with standard errors over n networks each, at ascending x; all of shape (points,)."""

    x: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    n: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def where(self, chosen: np.ndarray) -> Curve:
        """The points of a mask or of places."""
        return Curve(self.x[chosen], self.mean[chosen], self.sem[chosen], self.n[chosen])

    def within(self, low: float, high: float) -> Curve:
        """The points with low <= x <= high."""
        return self.where((self.x >= low - 1e-9) & (self.x <= high + 1e-9))

    def common(self, x: np.ndarray) -> Curve:
        """The points that are also in x."""
        return self.where(np.isclose(self.x[:, None], x, rtol=1e-6, atol=1e-12).any(1))

    def point(self, place: int) -> Estimate:
        """One mean."""
        return Estimate(float(self.mean[place]), float(self.sem[place]), int(self.n[place]))

    def points(self) -> list[Estimate]:
        """All means."""
        return [self.point(place) for place in range(len(self))]

    def at(self, x: float) -> Estimate | None:
        """The mean at x, if it was computed."""
        places = np.flatnonzero(np.isclose(self.x, x, rtol=1e-6, atol=1e-12))
        return self.point(int(places[0])) if len(places) else None

    def draws(self) -> np.ndarray:
        """Curves that differ by their standard errors: (N_DRAWS, points)."""
        noise = np.random.default_rng(SEED).standard_normal((N_DRAWS, len(self)))
        return self.mean + noise * np.nan_to_num(self.sem, nan=0.0, posinf=0.0)

    @property
    def n_smallest(self) -> int:
        """Fewest networks behind a point; 0 of an empty curve."""
        return int(self.n.min()) if len(self) else 0


def combined(terms: Iterable[tuple[float, Estimate]]) -> Estimate:
    """Sum of weights times independent estimates; n - 1 are the degrees of freedom of its error."""
    terms = list(terms)
    value = sum(weight * one.value for weight, one in terms)
    variances = [(weight * one.error) ** 2 for weight, one in terms]
    total = sum(variances)
    rest = sum(v**2 / (one.n - 1) for v, (_, one) in zip(variances, terms, strict=True) if one.n > 1)
    n = floor(total**2 / rest) + 1 if rest and np.isfinite(total) else max((one.n for _, one in terms), default=0)
    return Estimate(float(value), float(np.sqrt(total)), n)


def average(curve: Curve) -> Estimate:
    """Mean over the points of a curve."""
    return combined((1 / len(curve), one) for one in curve.points())


def difference(one: Curve, other: Curve) -> Estimate:
    """Mean of one curve minus that of another over the points that both have."""
    first, second = one.common(other.x), other.common(one.x)
    shares = [(1 / len(first), point) for point in first.points()]
    return combined([*shares, *((-1 / len(second), point) for point in second.points())])


def derived(curve: Curve, read: Callable[[np.ndarray], float]) -> Estimate:
    """A number that `read` finds on the means (points,), with its error over curves drawn anew."""
    spread = float(np.std([read(drawn) for drawn in curve.draws()]))
    return Estimate(read(curve.mean), spread, curve.n_smallest)


def position(curve: Curve, places: Callable[[np.ndarray], int]) -> Estimate:
    """Where on x something is that `places` finds on the means; an error of the grid, uniform between neighbours."""
    place = places(curve.mean)
    low, high = curve.x[max(place - 1, 0)], curve.x[min(place + 1, len(curve) - 1)]
    moved = float(np.std([curve.x[places(drawn)] for drawn in curve.draws()]))
    return Estimate(float(curve.x[place]), hypot(moved, (high - low) / np.sqrt(12)))


def minimum(curve: Curve) -> Estimate:
    """Where a curve is lowest."""
    return position(curve, lambda mean: int(np.argmin(mean)))


def steepest_fall(curve: Curve) -> Estimate:
    """The middle of the two neighbours between which a curve falls fastest."""
    middles = (curve.x[1:] + curve.x[:-1]) / 2

    def place(mean: np.ndarray) -> int:
        return int(np.argmin(np.diff(mean) / np.diff(curve.x)))

    here = place(curve.mean)
    moved = float(np.std([middles[place(drawn)] for drawn in curve.draws()]))
    return Estimate(float(middles[here]), hypot(moved, (curve.x[here + 1] - curve.x[here]) / np.sqrt(12)))


def correlation(one: Curve, other: Curve, ranked: bool = False) -> Estimate:
    """Pearson's correlation of two curves over the same x, or Spearman's of their ranks; NaN if one is constant."""

    def read(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        if ranked:
            first, second = rankdata(first, axis=-1), rankdata(second, axis=-1)
        first, second = (values - values.mean(-1, keepdims=True) for values in (first, second))
        norm = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
        return np.divide((first * second).sum(-1), norm, out=np.full(norm.shape, np.nan), where=norm > 0)

    drawn = read(one.draws(), other.draws()[::-1])  # reversed: the draws of both use the same random numbers
    value = float(read(one.mean[None], other.mean[None])[0])
    return Estimate(value, float(np.nanstd(drawn)), min(one.n_smallest, other.n_smallest))
