"""Estimates of memory: a configuration that no machine can hold is refused before it runs."""

from __future__ import annotations

MOST_GB = 256  # of one job; more than any job of paper scale takes, by a factor of eight
DOUBLE, COMPLEX = 8, 16  # bytes of a number


def check_fits(key: str, n_bytes: float, noun: str) -> None:
    """Refuse, with a ValueError that names the key, what takes too much memory; noun: what takes it."""
    if (needed := n_bytes / 1e9) > MOST_GB:
        raise ValueError(f"{key}: {noun} would take about {needed:,.0f} GB of memory, at most {MOST_GB} GB; lower it")
