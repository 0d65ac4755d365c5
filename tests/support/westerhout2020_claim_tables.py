"""Tables of Westerhout et al. (2020) as they would be if everything that the paper states were so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from support.overlap_tables import critical_table

Point = dict[str, Any]  # figure, lattice, n_sites, network, target, series, j2, eps
Twist = Callable[[Point, float], float]  # a point and its overlap -> another overlap

J2 = {
    "square": [0, 0.1, 0.2, 0.3, 0.4, 0.425, 0.45, 0.475, 0.5, 0.525, 0.55, 0.575, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0],
    "triangle": [round(0.1 * place, 1) for place in range(17)],
    "kagome": [
        0, 0.2, 0.4, 0.48, 0.5, 0.51, 0.52, 0.525, 0.53, 0.54, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0,
        1.2, 1.5, 1.6, 1.7, 1.8, 1.83, 1.9, 2.0,
    ],
}  # fmt: skip
SCANNED = {"square": [0, 0.4, 0.55, 1.0], "triangle": [0, 0.6, 1.0, 1.3], "kagome": [0.4, 0.5, 0.6, 1.0]}
LARGEST = {24: -2.0, 30: -2.7, 32: -4.0, 36: -4.6}  # log10 of the largest training fraction
ONSET = {24: -3.3, 30: -4.2, 32: -5.2, 36: -6.0}  # log10 of the critical one at J2 = 0
SLOPE = {"square": 0.0, "triangle": 0.1, "kagome": 0.5}
SIZES = 26  # of a scan over two decades and a half
AT_J2 = {24: 0.01, 30: 2e-4}
STEEP, GENTLE = 0.05, 0.3  # decades, scale of the rises of signs and amplitudes


def level(lattice: str, network: str, target: str, j2: float) -> float:
    """Overlap on large training sets."""
    depth = {"dense1": 0.36, "dense2": 0.34, "cnn": 0.05}[network] * (1.0 if target == "sign" else 0.2)
    if lattice == "square":
        return float(0.99 - depth * np.exp(-(((j2 - 0.55) / 0.06) ** 2)))
    if lattice == "triangle":
        return float(0.99 - depth * (np.clip((j2 - 0.7) / 0.3, 0, 1) - 0.5 * (j2 > 1.05)))
    if j2 < 0.522:
        return 0.995
    return 0.92 - 0.08 * min(j2, 1.0) if target == "amplitude" else 0.45 if j2 < 0.75 else 0.02


def overlap(p: Point) -> float:
    """Of unseen states, or of all for states found by energy or learned as a whole."""
    if p["series"] == "expressibility":
        return 0.97
    high = level(p["lattice"], p["network"], p["target"], p["j2"])
    if p["series"] == "variational":
        return high
    return high * rise(p, STEEP if p["target"] == "sign" else GENTLE)


def rise(p: Point, scale: float, onset: float | None = None) -> float:
    """Logistic in log10 of the training fraction, from 0 to 1."""
    if onset is None:
        onset = ONSET[p["n_sites"]] + (SLOPE[p["lattice"]] * p["j2"] if p["target"] == "sign" else -1.5)
    return float(1 / (1 + np.exp(-(np.log10(p["eps"]) - onset) / scale)))


def row(p: Point, value: float, weight: float) -> dict[str, Any]:
    """One row of a table of overlaps."""
    full = 1 - 0.1 * (1 - value) if p["target"] == "amplitude" else value
    found = {"rest": value, "sampled": value, "full": full}
    point = {
        "cluster": f"{p['lattice']}{p['n_sites']}", "lattice": p["lattice"], "n_sites": p["n_sites"],
        "j2_over_j1": float(p["j2"]), "network": p["network"], "target": p["target"], "epsilon_train": p["eps"],
        "n_members": 10, "series": p["series"], "sample_weight_mean": weight, "overlap_rest_signed_mean": value,
    }  # fmt: skip
    for name, one in found.items():
        point |= {f"overlap_{name}_mean": one, f"overlap_{name}_sem": 0.004}
    return point


def points() -> Iterator[Point]:
    """Of all figures."""
    for lattice, couplings in J2.items():
        networks = ["dense1", "dense2"] + (["cnn"] if lattice != "kagome" else [])
        for j2 in couplings:
            shared = {"lattice": lattice, "j2": j2}
            for n_sites, eps in AT_J2.items():
                one = shared | {"n_sites": n_sites, "eps": eps, "series": "generalisation"}
                figure = "fig2" if n_sites == 24 else "figS4"
                yield from (one | {"figure": figure, "network": name, "target": "sign"} for name in networks)
                amplitude = {"fig5": lattice == "kagome", "figS2": lattice != "kagome"}
                figure = next(name for name, here in amplitude.items() if here) if n_sites == 24 else "figS6"
                yield one | {"figure": figure, "network": "dense2", "target": "amplitude"}
            one = shared | {"figure": "fig2", "n_sites": 24, "network": "dense2", "target": "sign"}
            yield one | {"series": "expressibility", "eps": 1.0}
            yield one | {"series": "variational", "eps": np.nan}
    yield from scans()


def scans() -> Iterator[Point]:
    """Against the size of the training set."""
    places = [("fig3", "kagome", 24), ("figS1", "square", 24), ("figS1", "triangle", 24), ("figS3", "kagome", 24)]
    places += [("figS5", lattice, 30) for lattice in SCANNED] + [("figS7", "square", 32), ("figS7", "square", 36)]
    for figure, lattice, n_sites in places:
        for j2 in SCANNED[lattice]:
            for eps in np.logspace(LARGEST[n_sites] - 2.5, LARGEST[n_sites], SIZES):
                yield {
                    "figure": figure, "lattice": lattice, "n_sites": n_sites, "j2": j2, "eps": float(f"{eps:.6g}"),
                    "network": "dense2", "target": "amplitude" if figure == "figS3" else "sign",
                    "series": "generalisation",
                }  # fmt: skip


def sample_weight(p: Point) -> float:
    """What a training set holds: nearly all at the end, and more in the frustrated region of kagome."""
    frustrated = p["lattice"] != "kagome" or 0.522 < p["j2"] < 1.82
    return float(0.96 if frustrated else 0.92) * min(1.0, max(p["eps"], 1e-9) ** 0.001)


def tables(twist: Twist = lambda p, value: value, weight: Callable[[Point], float] = sample_weight) -> dict:
    """All tables, with other overlaps or weights if asked."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for p in points():
        rows.setdefault(p["figure"], []).append(row(p, twist(p, overlap(p)), weight(p)))
    made = {name: pd.DataFrame(part) for name, part in rows.items()}
    return made | {"fig4": critical(0.28)}


def critical(exponent: float) -> pd.DataFrame:
    """Critical sizes that grow like a power of the dimension, at the four couplings of the paper."""
    return critical_table(("square24", "square32", "square36"), {j2: (50.0, exponent) for j2 in SCANNED["square"]})
