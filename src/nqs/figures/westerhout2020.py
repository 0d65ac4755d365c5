"""Figures of Westerhout et al. (2020), arXiv:1907.08186.

Each function takes the figure's table, the published points (`nqs.published.read_curves`) and a
note that opens the small print, such as "laptop scale". A table has one row per point, its means
and standard errors already in the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nqs import style
from nqs.figures.table import TableError, only, require, sentences, span
from nqs.published import PRECISION

LATTICE_TITLES = {"square": "square", "triangle": "triangular", "kagome": "kagome"}
J2_RANGE = {"square": (0.0, 1.0), "triangle": (0.0, 1.6), "kagome": (0.0, 1.0)}  # the paper's axes
OVERLAP_RANGE = (-0.05, 1.05)
BONDS: dict[str, tuple[str, Any, str]] = {  # colour, line, label
    "j1": (style.BLUE, "-", "$J_1$"),
    "j2": (style.VERMILLION, (0, (3, 1.6)), "$J_2$"),
}

# Columns that hold the overlap each series shows; a network trained on the whole state, or driven
# by the energy, has no unseen states.
OVERLAP_OF = {
    "generalisation": "overlap_rest",
    "expressibility": "overlap_full",
    "variational": "overlap_full",
}
ROWS_OF_FIG2 = {
    "generalisation": "overlap on unseen states",
    "variational": "overlap of variational state",
}

GEOMETRY_COLUMNS = ("cluster", "lattice", "kind", "x0", "y0", "x1", "y1")
OVERLAP_COLUMNS = (
    "cluster", "lattice", "j2_over_j1", "network", "series", "epsilon_train", "n_members",
    "overlap_rest_mean", "overlap_rest_sem", "overlap_full_mean", "overlap_full_sem",
)  # fmt: skip

SIGNS_SHOWN = r"Overlap of signs: $|2\,\mathrm{accuracy}-1|$, weighted by $|\psi|^2$, over"
UNSEEN_STATES = "the states in neither the training nor the validation set"
EPSILON_TRAIN = r"$\epsilon_\mathrm{train}=$"


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
        _title(ax, index, only(rows, "lattice"), cluster)
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


def fig2(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """Overlap of the signs against J2/J1, one panel per cluster; variational below, if present."""
    require(table, OVERLAP_COLUMNS)
    drawn, missing = _without_gaps(table)
    published = published[(published.figure == "fig2") & published.network.isin(table.network)]
    clusters = list(table.cluster.unique())
    rows = [name for name in ROWS_OF_FIG2 if name == "generalisation" or name in set(table.series)]

    fig, axes = style.double_column(len(rows), len(clusters), height=0.9 + 1.9 * len(rows))
    for row, name in enumerate(rows):
        for column, cluster in enumerate(clusters):
            ax, lattice = axes[row, column], only(table[table.cluster == cluster], "lattice")
            here = drawn[drawn.cluster == cluster]
            _draw_published(ax, _at(published, cluster, name), by="network")
            _draw_overlaps(ax, here[here.series == name], by="network")
            if name == "generalisation":
                _draw_expressibility(ax, here)
            _overlap_axes(ax, lattice, here)
            _title(ax, row * len(clusters) + column, lattice, cluster)
        axes[row, 0].set_ylabel(ROWS_OF_FIG2[name])
    for ax in axes[-1]:
        ax.set_xlabel(style.J2_OVER_J1)

    series = set(table.series)
    shown = f"{SIGNS_SHOWN} {UNSEEN_STATES}"
    if "expressibility" in series:
        shown += " (dashed: trained on all states, over all states)"
    if "variational" in series:
        shown += "; variational: overlap with the exact state"
    _finish(fig, table, published, note, shown, missing)
    return fig


def fig5(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """Overlap of the signs and of the amplitudes against J2/J1 on one cluster."""
    require(table, (*OVERLAP_COLUMNS, "target"))
    drawn, missing = _without_gaps(table)
    published = published[(published.figure == "fig5") & published.target.isin(table.target)]
    cluster, lattice, network = (only(table, name) for name in ("cluster", "lattice", "network"))

    fig, ax = style.single_column(height=2.9)
    _draw_published(ax, _at(published, cluster, "generalisation"), by="target")
    _draw_overlaps(ax, drawn, by="target")
    _overlap_axes(ax, lattice, drawn)
    ax.set(
        title=f"{LATTICE_TITLES[lattice]} ({cluster}), {style.series(network)['label']}",
        xlabel=style.J2_OVER_J1,
        ylabel=ROWS_OF_FIG2["generalisation"],
    )
    shown = f"Overlaps weighted by $|\\psi|^2$, over {UNSEEN_STATES}"
    _finish(fig, table, published, note, shown, missing, legend_columns=2)
    return fig


def _draw_overlaps(ax: Axes, rows: pd.DataFrame, by: str) -> None:
    """Means with standard errors, one line per value of column `by`."""
    for name in rows[by].unique():
        line = rows[rows[by] == name].sort_values("j2_over_j1")
        ax.errorbar(line.j2_over_j1, line.overlap, line.overlap_sem, **style.series(name))


def _draw_expressibility(ax: Axes, rows: pd.DataFrame) -> None:
    """Dashed line of a network trained on the whole ground state."""
    rows = rows[rows.series == "expressibility"]
    for network in rows.network.unique():
        line = rows[rows.network == network].sort_values("j2_over_j1")
        look = style.series(network)
        look |= {"linestyle": "--", "marker": "none", "label": f"{look['label']}, all states"}
        ax.errorbar(line.j2_over_j1, line.overlap, **look)  # a line of `plot` would lead the legend


def _draw_published(ax: Axes, points: pd.DataFrame, by: str) -> None:
    for name in points[by].unique():
        marks = points[points[by] == name]
        look = style.series(name)
        # The legend explains hollow markers once; a leading underscore keeps these out of it.
        style.published(
            ax, marks.x, marks.overlap, f"_published {name}",
            color=look["color"], marker=look["marker"],
        )  # fmt: skip


def _overlap_axes(ax: Axes, lattice: str, rows: pd.DataFrame) -> None:
    """The paper's axes, widened if there are couplings beyond them, and the shaded region."""
    left, right = J2_RANGE[lattice]
    left, right = min([left, *rows.j2_over_j1]), max([right, *rows.j2_over_j1])
    margin = 0.03 * (right - left)
    ax.set(xlim=(left - margin, right + margin), ylim=OVERLAP_RANGE)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 4, 5, 10]))
    style.frustrated(ax, lattice)


def _title(ax: Axes, index: int, lattice: str, cluster: str) -> None:
    ax.set_title(f"{LATTICE_TITLES[lattice]} ({cluster})")
    style.panel_label(ax, chr(ord("a") + index))


def _finish(
    fig: Figure, table: pd.DataFrame, published: pd.DataFrame, note: str, shown: str, missing: int,
    legend_columns: int = 6,
) -> None:  # fmt: skip
    """Legend above the panels and the small print below."""
    clusters = list(table.cluster.unique())
    absent = [cluster for cluster in clusters if cluster not in set(published.cluster)]
    extra = [style.published_key()] if len(absent) < len(clusters) else []
    style.legend_above(fig, fig.axes, [*extra, style.frustrated_key()], legend_columns)
    facts = [note, f"Clusters: {', '.join(clusters)}", *_repeats_and_sizes(table), shown]
    facts.append("Error bars: standard error over repeats")
    if extra:
        size = span(published.epsilon_train)
        facts.append(f"Hollow: published, {EPSILON_TRAIN} {size}, read off the plots to $\\pm{PRECISION}$")
    if absent:
        there = ", ".join(published.cluster.unique())
        facts.append(f"Published values are for {there}, none for {', '.join(absent)}")
    diverged = int(table.n_diverged.sum()) if "n_diverged" in table else 0
    if diverged:
        facts.append(f"{diverged} trainings diverged and count with their last good parameters")
    if missing:
        facts.append(f"{missing} {'point' if missing == 1 else 'points'} without a value")
    style.small_print(fig, sentences(*facts))


def _repeats_and_sizes(table: pd.DataFrame) -> list[str]:
    """How many networks each point averages and how many states they saw."""
    repeats = [
        f"{span(rows.n_members)}{'' if name == 'generalisation' else f' ({name})'}"
        for name in OVERLAP_OF
        if len(rows := table[table.series == name])
    ]
    sizes = table[table.series == "generalisation"].epsilon_train
    return [
        f"Repeats per point: {', '.join(repeats)}",
        f"{EPSILON_TRAIN} {span(sizes)}" if sizes.notna().any() else "",
    ]


def _at(published: pd.DataFrame, cluster: str, series: str) -> pd.DataFrame:
    return published[(published.cluster == cluster) & (published.series == series)]


def _without_gaps(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Rows with a value, theirs in columns overlap and overlap_sem; and how many have none."""
    unknown = set(table.series) - set(OVERLAP_OF)
    if unknown:
        raise TableError(f"unknown series {sorted(unknown)}; known: {', '.join(OVERLAP_OF)}")
    parts = []
    for series, name in OVERLAP_OF.items():
        rows = table[table.series == series]
        parts.append(rows.assign(overlap=rows[f"{name}_mean"], overlap_sem=rows[f"{name}_sem"]))
    drawn = pd.concat(parts).dropna(subset=["j2_over_j1", "overlap"])
    return drawn, len(table) - len(drawn)


FIGURES: dict[str, Callable[..., Figure]] = {"fig1": fig1, "fig2": fig2, "fig5": fig5}
