"""Figures of Westerhout et al. (2020), arXiv:1907.08186.

Each function takes the figure's table, the published points (`nqs.studies.westerhout2020.curves.read_curves`) and a
note that opens the small print, such as "laptop scale". A table has one row per point, its means
and standard errors already in the columns.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nqs.figures import style
from nqs.figures.table import only, require, sentences
from nqs.studies.westerhout2020.figures.panels import title

BONDS: dict[str, tuple[str, Any, str]] = {  # colour, line, label
    "j1": (style.BLUE, "-", "$J_1$"),
    "j2": (style.VERMILLION, (0, (3, 1.6)), "$J_2$"),
}
GEOMETRY_COLUMNS = ("cluster", "lattice", "kind", "x0", "y0", "x1", "y1")


def fig1(table: pd.DataFrame, published: pd.DataFrame | None = None, note: str = "") -> Figure:
    """The lattices, one panel per cluster; `table` as from `analysis.lattice_geometry`.

    Nothing published is overlaid: `published` is there because every figure is called alike.
    """
    require(table, GEOMETRY_COLUMNS)
    clusters = list(table.cluster.unique())
    fig, axes = style.double_column(1, len(clusters), height=2.5)
    for index, (ax, cluster) in enumerate(zip(axes.flat, clusters, strict=True)):
        rows = table[table.cluster == cluster]
        _draw_lattice(ax, rows)
        title(ax, only(rows, "lattice"), cluster, index)
    style.legend_above(fig, [], [Line2D([], [], color=c, linestyle=line, label=b) for c, line, b in BONDS.values()])
    style.small_print(fig, sentences(note, "Short, pale bonds wrap around the torus"))
    return fig


def _draw_lattice(ax: Axes, rows: pd.DataFrame) -> None:
    for bond, (colour, line, _) in BONDS.items():
        for kind, alpha in ((bond, 1.0), (f"{bond}_stub", 0.45)):
            ends = rows[rows.kind == kind][["x0", "y0", "x1", "y1"]].to_numpy(dtype=float)
            segments = list(ends.reshape(-1, 2, 2))  # (bond, end, xy)
            ax.add_collection(LineCollection(segments, colors=colour, linestyles=line, linewidths=1, alpha=alpha))
    sites = rows[rows.kind == "site"]
    ax.plot(sites.x0, sites.y0, "o", color=style.BLACK, markersize=3.5, zorder=3)
    ax.set_aspect("equal", adjustable="datalim")  # panels of one size, titles level
    ax.autoscale_view()
    ax.set_axis_off()
