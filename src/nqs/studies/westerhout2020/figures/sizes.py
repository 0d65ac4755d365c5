"""Figures of Westerhout et al. (2020) with overlaps against the size of the training set: Figs. 3, S1, S3, S5, S7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from nqs.figures import style
from nqs.figures.table import only, require
from nqs.model.clusters import dimension
from nqs.studies.westerhout2020.figures import panels
from nqs.studies.westerhout2020.tables.training_size import THRESHOLD

GUIDE: dict[str, Any] = {"color": "0.35", "linewidth": 0.7, "linestyle": ":"}  # at the paper's threshold
SHOWN = {"sign": "sampled", "amplitude": "full"}  # plain samples of |psi|^2 miss what amplitudes get wrong
BELOW = 25  # points from the axes to the key of the couplings: tick labels and axis label
SIGNS = r"Overlap of signs: $2\,\mathrm{accuracy}-1$ over fresh samples from $|\psi|^2$"
AMPLITUDES = "Overlap of amplitudes, completed by exact signs, with the exact state over all states"


def fig3(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """Overlap of the signs against the size of the training set, kagome cluster."""
    return _scan(table, published[published.figure == "fig3"], note)


def figS1(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 3, on a square and a triangular cluster."""
    return _scan(table, published[published.figure == "figS1"], note)


def figS3(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 3, for the amplitudes."""
    return _scan(table, published[published.figure == "figS3"], note)


def figS5(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 3, on other clusters of the three lattices; in the paper, of 30 spins."""
    return _scan(table, published[published.figure == "figS5"], note)


def figS7(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 3, on other square clusters; in the paper, of 32 and 36 spins."""
    return _scan(table, published[published.figure == "figS7"], note)


def _scan(table: pd.DataFrame, published: pd.DataFrame, note: str) -> Figure:
    """One panel per cluster, one line per coupling; above, the number of training states.

    The target decides which overlap is shown and which published points belong to it.
    """
    require(table, panels.OVERLAP_COLUMNS)
    target = only(table, "target")
    signs = target == "sign"
    table = panels.with_overlap(table, {"generalisation": SHOWN[target]})
    published = published[published.network.isin(table.network) & (published.target == target)]
    names = list(table.cluster.unique())
    fig, axes = panels.grid(1, len(names), height=3.7 if len(names) == 1 else 3.5)
    for index, (ax, cluster) in enumerate(zip(axes[0], names, strict=True)):
        rows = table[table.cluster == cluster]
        looks = panels.looks(table, only(rows, "lattice"))
        _draw_sizes(ax, rows, published[published.cluster == cluster], looks)
        if signs:
            ax.axhline(THRESHOLD, zorder=0.5, **GUIDE)
        panels.title(ax, only(rows, "lattice"), cluster, index if len(names) > 1 else None)
        _size_axes(ax, rows)
        _key_of_couplings(ax, looks)
    panels.overlap_limits(axes[0], table)
    axes[0, 0].set_ylabel(f"overlap of {'signs' if signs else 'amplitudes'}")
    style.legend_above(fig, [], _keys(fig, table, signs), columns=2 if len(names) == 1 else 6)
    facts = [panels.networks(table), _extents(table), SIGNS if signs else AMPLITUDES]
    panels.small_print(fig, note, table, facts, panels.read_off(published, table, sizes=False))
    return fig


def _draw_sizes(ax: Axes, rows: pd.DataFrame, published: pd.DataFrame, looks: Mapping[float, dict[str, Any]]) -> None:
    for j2, look in looks.items():
        marks = published[np.isclose(published.j2_over_j1, j2)]
        if len(marks):
            shape = {"color": look["color"], "marker": look["marker"]}
            style.published(ax, marks.x, marks.overlap, f"_published {j2:g}", **shape)
        line = panels.known(rows[rows.j2_over_j1 == j2]).sort_values("epsilon_train")
        if len(line):
            ax.errorbar(line.epsilon_train, line.overlap, line.overlap_sem, **look)


def _size_axes(ax: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic sizes, as a part of the basis below and as a number of states above."""
    states = dimension(int(only(rows, "n_sites")))
    ax.set(xscale="log", xlabel=f"training-set size {panels.EPSILON_TRAIN}")
    above = ax.secondary_xaxis(
        "top", functions=(lambda part: np.asarray(part) * states, lambda n: np.asarray(n) / states)
    )
    low, high = ax.get_xlim()
    panels.decades(ax.xaxis, low, high, panels.scientific)
    panels.decades(above.xaxis, low * states, high * states, panels.number)
    panels.label_above(ax, above, rf"training states {panels.EPSILON_TRAIN}$K$")


def _key_of_couplings(ax: Axes, looks: Mapping[float, dict[str, Any]]) -> None:
    """Colours and markers below the panel: every lattice has couplings of its own."""
    lower = ax.transAxes + ScaledTranslation(0, -BELOW / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=[Line2D([], [], **look) for look in looks.values()],
        title=style.J2_OVER_J1, ncols=4 if len(looks) in (4, 7, 8) else 3,
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=lower, borderaxespad=0, columnspacing=1.2,
    )  # fmt: skip


def _keys(fig: Figure, table: pd.DataFrame, signs: bool) -> list[Line2D]:
    """What the marks mean that are the same in all panels."""
    pairs = table[["lattice", "j2_over_j1"]].dropna().drop_duplicates().itertuples(index=False)
    strongly = {style.is_frustrated(lattice, j2) for lattice, j2 in pairs}
    keys: list[tuple[bool, str, dict[str, Any]]] = [
        (True in strongly, "strongly frustrated", {"color": "0.4", "linestyle": panels.FRUSTRATED_LINE}),
        (False in strongly, "other couplings", {"color": "0.4", "linestyle": panels.OTHER_LINE}),
        (signs, f"overlap {THRESHOLD:g}", GUIDE),
    ]
    lines = [Line2D([], [], label=label, **look) for there, label, look in keys if there]
    return [*lines, *([style.published_key()] if panels.has_hollow(fig) else [])]


def _extents(table: pd.DataFrame) -> str:
    """Range of sizes, by cluster where they differ."""
    ranges = {name: panels.extent(table[table.cluster == name].epsilon_train) for name in table.cluster.unique()}
    if len(set(ranges.values())) == 1:
        return f"{panels.EPSILON_TRAIN} $=$ {next(iter(ranges.values()))}"
    return f"{panels.EPSILON_TRAIN} $=$ " + ", ".join(f"{values} ({name})" for name, values in ranges.items())
