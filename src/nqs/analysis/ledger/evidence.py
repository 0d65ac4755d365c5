"""What our tables say about a claim: one piece of evidence for each quantity, part and reading.

A *part* is a case that the statement covers ("on all lattices"): the claim needs every part. A *reading* is one of
several ways to understand the statement where the source leaves it open (another estimator, another sum): one of them
is enough, at a level corrected for their number. Evidence without uncertainty is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.0455  # two-sided probability of two standard errors
FEWEST = 3  # values with an error to speak of
COARSEST = 0.25  # part of a published number that its measurement must resolve, where nothing else is said


@dataclass(frozen=True)
class Evidence:
    """One quantity against what a claim says about it.

    p_holds, p_fails: probability of data like ours if the claim is false, and if it is true; small ones speak for and
    against the claim. distance: standard errors from what the claim allows, 0 inside; NaN where there is no error.
    resolved: whether the error is small enough for agreement to mean something. impossible: why the claim cannot be
    true, if an exact argument says so.
    """

    quantity: str
    value: float
    error: float = np.nan
    n: int = 0  # runs or points behind the value; 0 for exact numbers
    published: Any = ""
    published_error: float = np.nan
    p_holds: float = 1.0
    p_fails: float = 1.0
    distance: float = np.nan
    resolved: bool = True
    compared: bool = False  # with a printed number: agreement is a lack of difference
    part: str = ""
    reading: str = ""
    remark: str = ""
    impossible: str = ""

    def holds(self, readings: int, parts: int = 1) -> bool:
        """Whether the claim is met, at a level corrected for the number of readings among which one is enough.

        Of many printed numbers some differ by chance, so their agreement is also corrected for the number of parts.
        """
        if self.impossible:
            return False
        if self.compared:
            return self.resolved and self.p_fails > min(LEVEL * readings / parts, 0.5)
        return self.p_holds <= LEVEL / 2 / readings

    def fails(self, parts: int) -> bool:
        """Whether the claim is missed, at a level corrected for the number of parts of which one is enough."""
        level = LEVEL if self.compared else LEVEL / 2
        return bool(self.impossible) or self.p_fails <= level / parts

    def named(self, part: str = "", reading: str = "", remark: str = "") -> Evidence:
        """The same evidence for a part or reading."""
        words = "; ".join(text for text in (self.remark, remark) if text)
        return replace(self, part=part or self.part, reading=reading or self.reading, remark=words)


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and the number of values behind it; error 0: exact."""

    value: float
    error: float = 0.0
    n: int = 0

    def __sub__(self, other: Estimate) -> Estimate:
        """Difference of two independent estimates; as few values as the one with fewer."""
        counted = [one.n for one in (self, other) if one.n]
        return Estimate(self.value - other.value, float(np.hypot(self.error, other.error)), min(counted, default=0))

    def __mul__(self, factor: float) -> Estimate:
        return Estimate(self.value * factor, abs(factor) * self.error, self.n)

    def p_below(self, bound: float) -> float:
        """Probability of a value this high or higher if the truth is at the bound: Student's t with n - 1 degrees of
        freedom, a normal distribution where n is not known.
        """
        if not np.isfinite(self.value) or not np.isfinite(self.error):
            return 0.5
        if self.error == 0:
            return 0.0 if self.value > bound else 1.0 if self.value < bound else 0.5
        shift = (self.value - bound) / self.error
        return float(stats.t.sf(shift, self.n - 1) if self.n > 1 else stats.norm.sf(shift))

    @property
    def decides(self) -> bool:
        """Whether there is an error to speak of."""
        return bool(np.isfinite(self.value) and np.isfinite(self.error) and (self.n == 0 or self.n >= FEWEST))


def mean(values: Sequence[float] | Any) -> Estimate:
    """Mean of independent values with its standard error, infinite for fewer than two."""
    array = np.asarray(values, float)
    array = array[np.isfinite(array)]
    if array.size == 0:
        return Estimate(np.nan, np.inf, 0)
    error = array.std(ddof=1) / np.sqrt(array.size) if array.size > 1 else np.inf
    return Estimate(float(array.mean()), float(error), int(array.size))


def above(quantity: str, estimate: Estimate, bound: float, remark: str = "", **more: Any) -> Evidence:
    """Evidence for `estimate > bound`: decided where the bound is two standard errors away."""
    if not estimate.decides:
        few = f"{estimate.n} values have no error to speak of" if estimate.n else "no error is known"
        return Evidence(quantity, estimate.value, estimate.error, estimate.n, f"> {bound:g}", remark=few, **more)
    short = max(bound - estimate.value, 0.0)
    return Evidence(
        quantity, estimate.value, estimate.error, estimate.n, f"> {bound:g}",
        p_holds=estimate.p_below(bound), p_fails=1 - estimate.p_below(bound),
        distance=short / estimate.error if estimate.error else (np.inf if short else 0.0), remark=remark, **more,
    )  # fmt: skip


def below(quantity: str, estimate: Estimate, bound: float, remark: str = "", **more: Any) -> Evidence:
    """Evidence for `estimate < bound`."""
    turned = above(quantity, estimate * -1, -bound, remark, **more)
    return replace(turned, value=estimate.value, published=f"< {bound:g}")


def near(
    quantity: str,
    estimate: Estimate,
    published: float,
    published_error: float | None = None,
    tolerance: float = 0.0,
    resolution: float | None = None,
    remark: str = "",
    **more: Any,
) -> Evidence:
    """Evidence for "ours is the published number": within the tolerance and two combined standard errors of it.

    resolution: two standard errors of ours must not exceed this for agreement to mean something; by default the larger
    of the tolerance, twice the published error, and a quarter of the published number.
    """
    printed = published_error or 0.0
    if resolution is None:
        resolution = max(tolerance, 2 * printed, COARSEST * abs(published))
    if not estimate.decides:
        few = "no error is known" if estimate.n == 0 else f"{estimate.n} values have no error to speak of"
        return Evidence(
            quantity, estimate.value, estimate.error, estimate.n, published, printed or np.nan,
            compared=True, resolved=False, remark=few, **more,
        )  # fmt: skip
    beyond = max(abs(estimate.value - published) - tolerance, 0.0)
    combined = Estimate(beyond, float(np.hypot(estimate.error, printed)), estimate.n if estimate.error else 0)
    outside = 2 * combined.p_below(0.0) if beyond else 1.0
    return Evidence(
        quantity, estimate.value, estimate.error, estimate.n, published, printed or np.nan, p_fails=min(outside, 1.0),
        distance=beyond / combined.error if combined.error else (np.inf if beyond else 0.0),
        resolved=2 * estimate.error <= resolution, compared=True, remark=remark, **more,
    )  # fmt: skip


def exactly(quantity: str, value: float, expected: float, allowed: float = 0.0, **more: Any) -> Evidence:
    """Evidence for an identity: |value - expected| <= allowed, without statistics."""
    return near(quantity, Estimate(float(value)), expected, tolerance=allowed, resolution=np.inf, **more)


def true(quantity: str, holds: bool, value: float = np.nan, **more: Any) -> Evidence:
    """Evidence from a fact that is so or not, without statistics."""
    p_holds, p_fails = (0.0, 1.0) if holds else (1.0, 0.0)
    return Evidence(quantity, value, 0.0, p_holds=p_holds, p_fails=p_fails, distance=0 if holds else np.inf, **more)


def share_above(quantity: str, hits: int, n: int, bound: float, remark: str = "", **more: Any) -> Evidence:
    """Evidence for "more than this part of all runs": exact binomial test of hits among n."""
    value = hits / n if n else np.nan
    p_holds = float(stats.binom.sf(hits - 1, n, bound)) if n else 1.0
    p_fails = float(stats.binom.cdf(hits, n, bound)) if n else 1.0
    error = float(np.sqrt(max(value * (1 - value), 0.25 / n) / n)) if n else np.nan
    return Evidence(
        quantity, value, error, n, f"> {bound:g}", p_holds=p_holds, p_fails=p_fails,
        distance=max(bound - value, 0) / error if n else np.nan, remark=_of(hits, n, remark), **more,
    )  # fmt: skip


def share_near(quantity: str, hits: int, n: int, published: float, remark: str = "", **more: Any) -> Evidence:
    """Evidence for a published share: inside the exact binomial interval of hits among n, if that is narrow enough."""
    value = hits / n if n else np.nan
    if not n:
        return Evidence(quantity, value, published=published, compared=True, resolved=False, remark=remark, **more)
    tested = stats.binomtest(hits, n, min(max(published, 0.0), 1.0))
    interval = tested.proportion_ci(1 - LEVEL)
    error = float(interval.high - interval.low) / 4
    return Evidence(
        quantity, value, error, n, published, p_fails=float(tested.pvalue), distance=abs(value - published) / error,
        resolved=2 * error <= COARSEST, compared=True, remark=_of(hits, n, remark), **more,
    )  # fmt: skip


def _of(hits: int, n: int, remark: str) -> str:
    """Hits among n with the binomial interval of their share, in words."""
    if not n:
        return remark
    interval = stats.binomtest(hits, n).proportion_ci(1 - LEVEL)
    counted = f"{hits} of {n}, share {interval.low:.2f} to {interval.high:.2f}"
    return "; ".join(text for text in (counted, remark) if text)
