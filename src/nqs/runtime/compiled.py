"""What all compiled kernels share: their options, and sums whose rounding does not depend on addresses."""

from __future__ import annotations

from typing import Any

from numba import njit

# Sums may be reordered (vector units), but infinities and NaN keep their meaning: a diverged model must show.
COMPILED: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "fastmath": {"reassoc", "contract", "nsz"},
    "error_model": "numpy",
}


@njit(**COMPILED)
def dot(one, two):
    # A loop of its own: in one that also stores, the order of the sum would depend on where the arrays happen to lie.
    total = 0.0
    for place in range(len(one)):
        total += one[place] * two[place]
    return total
