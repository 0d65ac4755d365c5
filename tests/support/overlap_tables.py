"""Invented overlap tables for the tests of the figures."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pandas as pd

LATTICE = {"s": "square", "t": "triangle", "k": "kagome"}


def row(cluster: str, j2: float, overlap: float, **cell: Any) -> dict[str, Any]:
    """One point; all overlaps have the same value."""
    n_sites = int(cluster.lstrip("abcdefghijklmnopqrstuvwxyz"))
    point: dict[str, Any] = {
        "cluster": cluster, "lattice": LATTICE[cluster[0]], "n_sites": n_sites, "j2_over_j1": j2, "network": "dense2",
        "series": "generalisation", "target": "sign", "epsilon_train": 0.01, "n_members": 4, "n_diverged": 0,
        "estimated": False, "overlap_rest_se_mean": 0.0, "overlap_full_se_mean": 0.0,
    }  # fmt: skip
    for name in ("overlap_rest", "overlap_sampled", "overlap_full"):
        point |= {f"{name}_mean": overlap, f"{name}_sem": 0.02}
    point |= cell
    return {"n_train": np.round(point["epsilon_train"] * comb(n_sites, n_sites // 2))} | point


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


def size_scan(cluster: str, j2: float, onset: float, sizes: Any, **cell: Any) -> list[dict[str, Any]]:
    """Overlaps that rise from 0 to 1 within a factor of two around epsilon_train = onset."""
    return [row(cluster, j2, 1 / (1 + (onset / size) ** 4), epsilon_train=size, **cell) for size in sizes]


def critical_table(
    clusters: tuple[str, ...], laws: dict[float, tuple[float, float]], missing: tuple[tuple[str, float], ...] = ()
) -> pd.DataFrame:
    """Critical sizes on a power law (prefactor, exponent) for each coupling; `missing` lie above the grid."""
    rows = []
    for j2, (prefactor, exponent) in laws.items():
        found = [cluster for cluster in clusters if (cluster, j2) not in missing]
        fitted = len(found) > 1
        for cluster in clusters:
            point = row(cluster, j2, 0.0)
            dimension = comb(point["n_sites"], point["n_sites"] // 2)
            size = prefactor * dimension**exponent if cluster in found else np.nan
            values = dict.fromkeys(("critical_size", "critical_size_low", "critical_size_high"), size)
            values["critical_size_low"] *= 0.8
            values["critical_size_high"] *= 1.5
            rows.append(
                {"smallest_size": 1e-9 * dimension, "largest_size": 2 * prefactor * dimension**exponent}
                | {name: point[name] for name in ("cluster", "lattice", "n_sites", "j2_over_j1", "n_members")}
                | {"dimension": dimension, "threshold": 0.15, "n_fit": len(found)}
                | {"status": "found" if cluster in found else "above the grid"}
                | values
                | {name.replace("size", "epsilon"): value / dimension for name, value in values.items()}
                | {"exponent": exponent if fitted else np.nan, "prefactor": prefactor if fitted else np.nan}
                | {"exponent_se": 0.03 if len(found) > 2 else np.nan}
            )
    return pd.DataFrame(rows)
