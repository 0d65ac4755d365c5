"""Sizes of training sets: the dimension they refer to, and the size at which networks begin to generalise.

Configuration, analysis and figures share these.
"""

from __future__ import annotations

from math import comb

THRESHOLD = 0.15  # overlap of a critical training set [Westerhout 2020, Fig. 4]
FOUND, ABOVE, BELOW = "found", "above the grid", "below the grid"  # where a critical size is, on the sizes of a scan


def dimension(n_sites: int) -> int:
    """States of the basis with zero magnetisation."""
    return comb(n_sites, n_sites // 2)
