"""Figure X1 beside Westerhout et al. (2020): the rise of the overlap for several numbers of states per update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from nqs.figures import style
from nqs.figures.table import require, sentences, span
from nqs.studies.westerhout2020.figures import panels
from nqs.studies.westerhout2020.tables.training_size import ABOVE, BELOW, FOUND, THRESHOLD

COLUMNS = (
    "series", "cluster", "lattice", "n_sites", "j2_over_j1", "batch", "epsilon_train", "overlap_sampled_mean",
    "overlap_sampled_sem", "n_members", "status", "critical_epsilon", "critical_epsilon_low", "critical_epsilon_high",
    "smallest_size", "largest_size", "dimension",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GUIDE: dict[str, Any] = {"color": "0.35", "linewidth": 0.7, "linestyle": ":"}
TENFOLD: dict[str, Any] = {"color": "0.75", "linewidth": 1.6, "zorder": 0.5}


def figX1(table: pd.DataFrame, published: pd.DataFrame | None = None, note: str = "") -> Figure:
    """Overlap of the signs against the training-set size, a line per batch (left), and the critical sizes (right).

    One row of panels per cluster and coupling. The paper shows no such data: its "order of magnitude" is a grey bar.
    """
    require(table, COLUMNS)
    places = table[["cluster", "j2_over_j1"]].drop_duplicates().to_dict("records")
    fig, axes = style.double_column(len(places), 2, height=3.0)
    batches = sorted(int(batch) for batch in table.batch.unique())
    for (left, right), place in zip(axes, places, strict=True):
        rows = table[(table.cluster == place["cluster"]) & (table.j2_over_j1 == place["j2_over_j1"])]
        _draw_rises(left, rows[rows.series == "generalisation"], batches)
        _draw_critical(right, rows[rows.series == "critical"], batches)
        for ax in (left, right):
            ax.set_title(f"{place['cluster']}, {style.J2_OVER_J1} $= {place['j2_over_j1']:g}$")
    for index, ax in enumerate(axes.flat):
        style.panel_label(ax, chr(ord("a") + index))
    style.legend_above(fig, [], _keys(batches), columns=5)
    style.small_print(fig, sentences(note, *_facts(table)))
    return fig


def _look(batches: Sequence[int], batch: int) -> dict[str, Any]:
    place = batches.index(batch)
    return {"color": style.sequence(len(batches))[place], "marker": MARKERS[place % len(MARKERS)]}


def _draw_rises(ax: Axes, rows: pd.DataFrame, batches: Sequence[int]) -> None:
    for batch in batches:
        line = rows[rows.batch == batch].sort_values("epsilon_train")
        look = _look(batches, batch) | {"label": f"_{batch}", "linewidth": 0.9}
        ax.errorbar(line.epsilon_train, line.overlap_sampled_mean, line.overlap_sampled_sem, **look)
    ax.axhline(THRESHOLD, zorder=0.5, **GUIDE)
    ax.set(
        xscale="log", xlabel=f"training-set size {panels.EPSILON_TRAIN}", ylabel="overlap of signs", ylim=(-0.05, 1.05)
    )


def _draw_critical(ax: Axes, rows: pd.DataFrame, batches: Sequence[int]) -> None:
    """Critical parts of the basis with their intervals; arrows from the end of the scan where it is beyond."""
    found = rows[rows.status == FOUND]
    for row in rows.to_dict("records"):
        look = _look(batches, row["batch"])
        if row["status"] == FOUND:
            value = row["critical_epsilon"]
            low, high = (
                value if pd.isna(row[f"critical_epsilon_{end}"]) else row[f"critical_epsilon_{end}"]
                for end in ("low", "high")
            )
            ends = [[max(value - low, 0)], [max(high - value, 0)]]
            ax.errorbar([row["batch"]], [value], ends, linestyle="none", label=f"_{row['batch']}", **look)
        else:
            end, up = {ABOVE: ("largest_size", 14), BELOW: ("smallest_size", -14)}[row["status"]]
            at = (row["batch"], row[end] / row["dimension"])
            ax.plot(*at, linestyle="none", label=f"_{row['batch']}", **look)
            ax.annotate(
                "", at, (0, up), textcoords="offset points", arrowprops={"arrowstyle": "<|-", "color": look["color"]}
            )
    if len(found):
        lowest = float(found.critical_epsilon.min())
        ax.plot([batches[0] / 1.6] * 2, [lowest, 10 * lowest], label="_tenfold", **TENFOLD)
    ax.set(xscale="log", yscale="log", xlabel="states per update", ylabel=f"critical {panels.EPSILON_TRAIN}")
    ax.set_xticks(batches, labels=[str(batch) for batch in batches])
    ax.set_xlim(batches[0] / 2.2, batches[-1] * 1.6)
    ax.xaxis.set_minor_locator(NullLocator())
    style.readable_log_ticks(ax.yaxis)


def _keys(batches: Sequence[int]) -> list[Line2D]:
    lines = [Line2D([], [], linewidth=0.9, label=f"{batch} states", **_look(batches, batch)) for batch in batches]
    guides = [
        Line2D([], [], label=f"overlap {THRESHOLD:g}", **GUIDE),
        Line2D([], [], label="published: an order of magnitude", **TENFOLD),
    ]
    return [*lines, *guides]


def _facts(table: pd.DataFrame) -> list[str]:
    points = table[table.series == "generalisation"]
    return [
        r"Overlap of signs: $2\,\mathrm{accuracy}-1$ over fresh samples from $|\psi|^2$; "
        f"{span(points.n_members)} networks per point, mean and standard error; the same data sets for all batches",
        "Critical size: where the mean overlap stays above the dotted line; bars from the 16th to the 84th percentile "
        "of a bootstrap; arrows: beyond the sizes tried",
    ]
