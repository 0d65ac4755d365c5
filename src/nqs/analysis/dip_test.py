"""Hartigan's dip test: whether numbers come from a distribution with one mode.

The dip is the largest distance between the empirical distribution function and the nearest unimodal one
[Hartigan and Hartigan, Ann. Stat. 13, 70 (1985)]. Of all unimodal distributions the uniform one has the largest dip, so
the p-value is the share of uniform samples of the same size that dip as far; it is conservative.

The nearest unimodal function is convex up to a modal interval and concave after it. The search starts with all numbers
inside (`dip`) and moves to the widest gap between the greatest convex minorant and the least concave majorant, until
the gap is smaller than what was left outside. Distances are in steps of 1/(2n) meanwhile.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

UNIFORM_SAMPLES = 2000


def dip_p_value(values: np.ndarray) -> float:
    """Share of uniform samples whose dip is as large as that of the values; small: more than one mode."""
    uniform = _uniform_dips(len(values))
    return float((1 + (uniform >= dip(np.sort(values))).sum()) / (1 + len(uniform)))


@cache
def _uniform_dips(n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return np.array([dip(np.sort(rng.random(n))) for _ in range(UNIFORM_SAMPLES)])


@njit(cache=True)
def dip(x):
    """The dip of sorted numbers x (n,), between 1/(2n) and 1/4."""
    n = len(x)
    before, after = _hulls(x)
    low, high, largest = 0, n - 1, 1.0
    while x[high] > x[low]:
        convex, concave = _chain(before, high, low), _chain(after, low, high)
        gap, left, right = _widest_gap(x, convex, concave)
        if gap < largest:
            break
        largest = max(largest, _below(x, convex, left), _above(x, concave, right))
        if low == convex[left] and high == concave[right]:
            break
        low, high = convex[left], concave[right]
    return largest / (2 * n)


@njit(cache=True)
def _hulls(x):
    """The hull's neighbour of each point: the one before, if the convex minorant ended there; the one after."""
    n = len(x)
    before, after = np.zeros(n, np.int64), np.full(n, n - 1)
    for j in range(1, n):
        near = j - 1
        while near > 0 and (x[j] - x[near]) * (near - before[near]) >= (x[near] - x[before[near]]) * (j - near):
            near = before[near]
        before[j] = near
    for j in range(n - 2, -1, -1):
        near = j + 1
        while near < n - 1 and (x[j] - x[near]) * (near - after[near]) >= (x[near] - x[after[near]]) * (j - near):
            near = after[near]
        after[j] = near
    return before, after


@njit(cache=True)
def _chain(neighbour, start, end):
    """Corners of a hull from `start` to `end`."""
    corners = [start]
    while corners[-1] != end:
        corners.append(neighbour[corners[-1]])
    return np.array(corners)


@njit(cache=True)
def _widest_gap(x, convex, concave):
    """Widest distance between the hulls at a corner, and the places of the corners on its two sides.

    convex: corners from the right to the left; concave: from the left to the right.
    """
    left, right, gap = len(convex) - 1, len(concave) - 1, 0.0
    if left == 1 and right == 1:
        return 1.0, left, right
    lower, upper = left - 1, 1
    while True:
        here, there = convex[lower], concave[upper]
        if here > there:  # the next corner is the concave one
            start = convex[lower + 1]
            distance = (there - start + 1) - (x[there] - x[start]) * (here - start) / (x[here] - x[start])
            upper += 1
            if distance >= gap:
                gap, left, right = distance, lower + 1, upper - 1
        else:
            start = concave[upper - 1]
            distance = (x[here] - x[start]) * (there - start) / (x[there] - x[start]) - (here - start - 1)
            lower -= 1
            if distance >= gap:
                gap, left, right = distance, lower + 1, upper
        lower, upper = max(lower, 0), min(upper, len(concave) - 1)
        if convex[lower] == concave[upper]:
            return gap, left, right


@njit(cache=True)
def _below(x, convex, left):
    """Largest distance of the steps above the convex minorant left of the modal interval."""
    largest = 1.0
    for corner in range(left, len(convex) - 1):
        start, end = convex[corner + 1], convex[corner]
        if end - start > 1 and x[end] > x[start]:
            slope = (end - start) / (x[end] - x[start])
            for j in range(start, end + 1):
                largest = max(largest, (j - start + 1) - (x[j] - x[start]) * slope)
    return largest


@njit(cache=True)
def _above(x, concave, right):
    """Largest distance of the steps below the concave majorant right of the modal interval."""
    largest = 1.0
    for corner in range(right, len(concave) - 1):
        start, end = concave[corner], concave[corner + 1]
        if end - start > 1 and x[end] > x[start]:
            slope = (end - start) / (x[end] - x[start])
            for j in range(start, end + 1):
                largest = max(largest, (x[j] - x[start]) * slope - (j - start - 1))
    return largest
