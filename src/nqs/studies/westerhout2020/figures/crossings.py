"""Figure X2 beside Westerhout et al. (2020): where ground states change with J2/J1, without any network."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nqs.figures import style
from nqs.figures.table import require, sentences
from nqs.studies.westerhout2020.figures import panels
from nqs.studies.westerhout2020.tables.crossings import COLUMNS, crossings

MARKERS = "os^Dv<>P"  # of momenta, in the order in which they appear
LINE: dict[str, Any] = {"color": style.BLACK, "linewidth": 0.8, "zorder": 1.5}
CROSSING: dict[str, Any] = {"color": "#b2182b", "linestyle": ":", "linewidth": 0.9, "zorder": 1}
NARROW = 20.0  # largest over smallest gap, up to which plain numbers fit the axis
GAP = r"gap to the next level ($J_1$)"


def figX2(table: pd.DataFrame, published: pd.DataFrame | None = None, note: str = "") -> Figure:
    """Weight that draws from the ground state hold (left) and gap (right) against J2/J1; a row per cluster."""
    require(table, COLUMNS)
    clusters = list(dict.fromkeys(table.cluster))
    fig, axes = style.double_column(len(clusters), 2, height=0.6 + 2.2 * len(clusters))
    momenta = list(dict.fromkeys(_momenta(table)))
    for (left, right), cluster in zip(axes, clusters, strict=True):
        rows = table[table.cluster == cluster].sort_values("j2_over_j1")
        _draw(left, rows, "held_weight", momenta)
        _draw(right, rows, "gap", momenta)
        left.set(ylabel=f"$|\\psi|^2$ of {100 * rows.epsilon_train.iloc[0]:g} % draws", ylim=(0, None))
        right.set(ylabel=GAP, yscale="log")
        if rows.gap.max() < NARROW * rows.gap.min():
            style.readable_log_ticks(right.yaxis)
    for index, ax in enumerate(axes.flat):
        cluster = clusters[index // 2]
        panels.title(ax, table[table.cluster == cluster].lattice.iloc[0], cluster, index)
    style.legend_above(fig, [], _keys(momenta), columns=5)
    style.small_print(fig, sentences(note, *_facts(table)))
    return fig


def _momenta(table: pd.DataFrame) -> list[tuple[int, int]]:
    return [*zip(table.momentum_x, table.momentum_y, strict=True)]


def _draw(ax: Axes, rows: pd.DataFrame, column: str, momenta: list[tuple[int, int]]) -> None:
    """A column against J2, lines broken at crossings, markers by momentum."""
    crossed = crossings(rows)
    piece = rows.j2_over_j1.apply(lambda j2: int((crossed.j2_crossing < j2).sum()))
    for _, part in rows.groupby(piece):
        ax.plot(part.j2_over_j1, part[column], label="_level", **LINE)
    for place, momentum in enumerate(momenta):
        here = rows[[one == momentum for one in _momenta(rows)]]
        ax.plot(here.j2_over_j1, here[column], label=f"_{momentum}", **_look(place))
    for place in crossed.j2_crossing.to_numpy(float):
        ax.axvline(place, label="_crossing", **CROSSING)
    ax.set_xlabel(style.J2_OVER_J1)
    style.frustrated(ax, rows.lattice.iloc[0])


def _look(place: int) -> dict[str, Any]:
    colours = (style.BLACK, "#2166ac", "#1b7837", "#b35806")
    return {"color": colours[place % len(colours)], "marker": MARKERS[place % len(MARKERS)], "linestyle": "none"}


def _keys(momenta: list[tuple[int, int]]) -> list[Any]:
    marks = [Line2D([], [], label=f"momentum ({x}, {y})", **_look(place)) for place, (x, y) in enumerate(momenta)]
    return [*marks, Line2D([], [], label="crossing", **CROSSING), style.frustrated_key()]


def _facts(table: pd.DataFrame) -> list[str]:
    found = [
        f"{cluster}: "
        + ", ".join(f"{low:g} to {high:g}" for low, high in zip(rows.j2_over_j1, rows.j2_next, strict=True))
        for cluster, rows in crossings(table).groupby("cluster", sort=False)
    ]
    return [
        "Exact ground states; a level crosses where neighbouring ones have a squared overlap below 0.5",
        f"Crossings in {'; '.join(found)}" if found else "No crossing between the couplings shown",
        "Shaded: strongly frustrated as published; momenta in units of $2\\pi/L$",
    ]
