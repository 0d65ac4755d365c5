"""Invented overlap tables for the tests of the figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

LATTICE = {"s": "square", "t": "triangle", "k": "kagome"}


def row(cluster: str, j2: float, overlap: float, **cell: Any) -> dict[str, Any]:
    """One point; both overlaps have the same value."""
    point = {
        "cluster": cluster, "lattice": LATTICE[cluster[0]], "j2_over_j1": j2, "network": "dense2",
        "series": "generalisation", "target": "sign", "epsilon_train": 0.01, "n_members": 4,
    }  # fmt: skip
    for name in ("overlap_rest", "overlap_sampled", "overlap_full"):
        point |= {f"{name}_mean": overlap, f"{name}_sem": 0.02}
    return point | cell


def scan(cluster: str, depth: float, **cell: Any) -> list[dict[str, Any]]:
    """Eleven couplings with a dip of the given depth at J2/J1 = 0.55."""
    couplings = np.linspace(0, 1.6 if cluster.startswith("t") else 1.0, 11)
    return [row(cluster, j2, 0.99 - depth * np.exp(-(((j2 - 0.55) / 0.1) ** 2)), **cell) for j2 in couplings]


def fig2_table(clusters: tuple[str, ...], variational: bool = False) -> pd.DataFrame:
    """Three networks (no cnn on kagome), the expressibility line and, if asked, variational."""
    rows = []
    for cluster in clusters:
        for network, depth in (("dense1", 0.5), ("dense2", 0.4), ("cnn", 0.1)):
            if network != "cnn" or not cluster.startswith("k"):
                rows += scan(cluster, depth, network=network)
        rows += scan(cluster, 0.03, series="expressibility", n_members=1)
        if variational:
            rows += scan(cluster, 0.2, series="variational", epsilon_train=np.nan)
    return pd.DataFrame(rows)
