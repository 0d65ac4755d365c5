"""Which rows of the study's tables a claim is about.

Figures share networks: the same point may stand in several tables, and is taken from the one with most repeats. The
overlap of Figs. 2, 4 and 5 and of their like is that on unseen states, weighted by |psi|^2 (`rest`). For curves against
the size of the training set the paper names unseen states and its code counts signs on fresh samples (`sampled`): two
readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Tables
from nqs.analysis.ledger.evidence import Evidence
from nqs.studies.westerhout2020.claims.curves import Curve

LATTICES = ("square", "triangle", "kagome")
FRUSTRATED = {"square": (0.4, 0.6), "triangle": (1.25, inf), "kagome": (0.51, 1.82)}  # J2/J1, as shaded and in the text
TABLES = ("fig2", "fig3", "fig5", "figS1", "figS2", "figS3", "figS4", "figS5", "figS6", "figS7")
POINT = ["cluster", "j2_over_j1", "network", "target", "epsilon_train", "series"]
COLUMNS = [*POINT, "lattice", "n_sites", "n_members"]
EPSILONS = {24: 0.01, 30: 2e-4}  # training sets of the figures against J2/J1, by number of sites
READINGS = ("rest", "sampled")
GENERALISATION, EXPRESSIBILITY, VARIATIONAL = "generalisation", "expressibility", "variational"


def points(tables: Tables, **cell: Any) -> pd.DataFrame:
    """Rows with these values of all tables of overlaps, each point once."""
    return chosen(all_points(tables), **cell)


@lru_cache(maxsize=1)
def all_points(tables: Tables) -> pd.DataFrame:
    """Rows of all tables of overlaps, each point once; kept for the next claim of the same tables."""
    frames = [tables[name] for name in TABLES if name in tables]
    frames = [frame for frame in frames if {*COLUMNS} <= {*frame.columns} and len(frame)]
    if not frames:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.concat(frames, ignore_index=True)
    return rows.sort_values("n_members", ascending=False, kind="stable").drop_duplicates(POINT)


def chosen(rows: pd.DataFrame, **cell: Any) -> pd.DataFrame:
    """Rows with these values."""
    mask = np.ones(len(rows), bool)
    for name, value in cell.items():
        close = isinstance(value, float)
        mask &= np.isclose(rows[name].to_numpy(float), value, rtol=1e-6) if close else (rows[name] == value).to_numpy()
    return rows[mask]


def by_j2(rows: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame]]:
    """Rows of every coupling, ascending."""
    return ((float(j2), rows[rows.j2_over_j1 == j2]) for j2 in sorted(rows.j2_over_j1.unique()))


def curve(rows: pd.DataFrame, x: str, metric: str = "rest") -> Curve:
    """Overlaps of rows against a column; points without a mean are left out."""
    mean, sem = f"overlap_{metric}_mean", f"overlap_{metric}_sem"
    if mean not in rows or sem not in rows:
        rows = rows.iloc[:0].assign(**{mean: [], sem: []})
    rows = rows[np.isfinite(rows[mean].astype(float))].sort_values(x)
    values = [rows[name].to_numpy(float) for name in (x, mean, sem, "n_members")]
    return Curve(values[0], values[1], np.where(np.isfinite(values[2]), values[2], inf), values[3])


def against_j2(
    tables: Tables, lattice: str, network: str = "dense2", target: str = "sign", n_sites: int = 24,
    series: str = GENERALISATION, metric: str = "rest",
) -> Curve:  # fmt: skip
    """Overlaps of one network on a lattice against J2/J1."""
    rows = points(tables, lattice=lattice, n_sites=n_sites, network=network, target=target, series=series)
    if series == GENERALISATION:
        rows = chosen(rows, epsilon_train=EPSILONS[n_sites])
    return curve(rows, "j2_over_j1", metric)


def against_size(
    tables: Tables, lattice: str, n_sites: int, target: str = "sign", metric: str = "rest"
) -> dict[float, Curve]:
    """Overlaps of dense2 against the size of the training set, J2/J1 -> curve of at least four sizes."""
    cell = {"lattice": lattice, "n_sites": n_sites, "network": "dense2", "target": target}
    rows = points(tables, **cell, series=GENERALISATION)
    curves = {j2: curve(group, "epsilon_train", metric) for j2, group in by_j2(rows)}
    return {j2: one for j2, one in curves.items() if len(one) >= 4}


def weights(tables: Tables, lattice: str, j2: float) -> pd.DataFrame:
    """Rows of 24 spins at one coupling with the weight that their training sets hold, by size."""
    rows = points(tables, lattice=lattice, n_sites=24, series=GENERALISATION)
    rows = chosen(rows, j2_over_j1=float(j2))
    columns = ["epsilon_train", "j2_over_j1"]
    if "sample_weight_mean" not in rows:
        return rows.iloc[:0].assign(sample_weight_mean=[])
    return rows.dropna(subset=["sample_weight_mean"]).drop_duplicates(columns).sort_values(columns)


def inside(curve: Curve, lattice: str) -> Curve:
    """The points in the frustrated region of a lattice."""
    return curve.within(*FRUSTRATED[lattice])


def outside(curve: Curve, lattice: str) -> Curve:
    """The points outside the frustrated region."""
    low, high = FRUSTRATED[lattice]
    return curve.where((curve.x < low - 1e-9) | (curve.x > high + 1e-9))


def complete(found: Iterable[Evidence], parts: Sequence[str], need: str) -> Iterator[Evidence]:
    """The evidence, and for parts of the claim without any an open one; none at all if nothing was found.

    parts: beginnings of the names of parts, needed in every reading; need: what the missing ones lack.
    """
    found = list(found)
    yield from found
    for reading in dict.fromkeys(one.reading for one in found):
        there = [one.part for one in found if one.reading == reading]
        for part in parts:
            if not any(name.startswith(part) for name in there):
                yield absent(part, need, reading)


def absent(part: str, need: str, reading: str = "") -> Evidence:
    """A part of a claim that our tables say nothing about."""
    return Evidence(f"no {need}", np.nan, part=part, reading=reading, remark="not in the tables of this scale")


def named(curves: Mapping[float, Curve]) -> Iterator[tuple[str, Curve]]:
    """Curves with the name of their part."""
    return ((f"J2 = {j2:g}", one) for j2, one in curves.items())
