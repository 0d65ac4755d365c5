"""Figure 4 of Westerhout et al. (2020): the training-set size at which the signs begin to generalise, against the
dimension of the basis.
"""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from nqs.figures import style
from nqs.figures.table import TableError, only, require, sentences, span
from nqs.model.clusters import BY_BONDS, dimension
from nqs.studies.westerhout2020.curves import GROWTH, GROWTH_SITES
from nqs.studies.westerhout2020.figures import panels
from nqs.studies.westerhout2020.tables.training_size import ABOVE, BELOW, FOUND

COLUMNS = (
    "cluster", "lattice", "n_sites", "dimension", "j2_over_j1", "threshold", "status", "n_members",
    "critical_size", "critical_size_low", "critical_size_high", "smallest_size", "largest_size",
    "exponent", "exponent_se", "prefactor", "n_fit",
)  # fmt: skip
BEYOND = {ABOVE: ("largest_size", 1), BELOW: ("smallest_size", -1)}  # column, where arrows point
ARROW: dict[str, Any] = {"arrowstyle": "<|-", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6}
APART = 3  # points, between couplings
GUIDE: dict[str, Any] = {"color": "0.75", "linewidth": 1.6, "zorder": 0.5}
ROOM = 2.2  # factor above and below the points, for the arrows
GUIDE_BELOW = 0.4  # of the lowest point: where the guide begins


def fig4(table: pd.DataFrame, published: pd.DataFrame | None = None, note: str = "") -> Figure:
    """Critical size of the training set against the dimension K of the basis, one power law per coupling.

    The paper's points are not read off: `published` is there because every figure is called alike, and the growth that
    its text states is a grey line.
    """
    require(table, COLUMNS)
    if unknown := set(table.status) - {FOUND, *BEYOND}:
        raise TableError(f"unknown status {sorted(unknown)}; known: {', '.join((FOUND, *BEYOND))}")
    lattice = only(table, "lattice")
    looks = panels.looks(table, lattice)
    fig, ax = style.single_column(height=3.9)
    ax.set(xscale="log", yscale="log", xlabel="dimension of the basis $K$", ylabel="critical training-set size")
    clusters = ", ".join(table.cluster.unique())
    ax.set_title(clusters if lattice == BY_BONDS else f"{panels.LATTICE_TITLES[lattice]} lattice")
    keys = []
    for rank, (j2, look) in enumerate(looks.items()):
        beside = ScaledTranslation(APART * (rank - (len(looks) - 1) / 2) / 72, 0, fig.dpi_scale_trans)
        rows = table[table.j2_over_j1 == j2]
        _draw_critical(ax, rows, look, ax.transData + beside)
        _draw_bounds(ax, rows, look, ax.transData + beside)
        keys.append(_draw_law(ax, rows, look, ax.transData + beside))
    guide = _draw_guide(ax, table)
    _critical_axes(ax, table, guide)
    style.legend_above(fig, [], [*keys, *guide], columns=2)
    style.small_print(fig, sentences(note, *_facts_of_fig4(table, bool(guide))))
    return fig


def _draw_critical(ax: Axes, rows: pd.DataFrame, look: dict[str, Any], place: Transform) -> None:
    """Sizes of one coupling with their intervals; an end that is not on the grid is not drawn."""
    found = rows[rows.status == FOUND].sort_values("dimension")
    if len(found):
        sizes = found.critical_size
        low, high = (found[f"critical_size_{end}"].fillna(sizes) for end in ("low", "high"))
        ends = [(sizes - low).clip(lower=0), (high - sizes).clip(lower=0)]  # percentiles may lie on one side
        marks = look | {"linestyle": "none", "label": f"_critical {look['label']}"}
        ax.errorbar(found.dimension, sizes, ends, transform=place, **marks)


def _draw_bounds(ax: Axes, rows: pd.DataFrame, look: dict[str, Any], place: Transform) -> None:
    """An arrow from the end of the scan where the critical size is beyond it."""
    for status, (end, upwards) in BEYOND.items():
        for row in rows[rows.status == status].to_dict("records"):
            at = (row["dimension"], row[end])
            ax.plot(*at, "_", color=look["color"], markersize=5, transform=place, label=f"_{status} {look['label']}")
            ax.annotate(
                "", at, (0, 12 * upwards), xycoords=place, textcoords="offset points",
                arrowprops={"color": look["color"], **ARROW},
            )  # fmt: skip


def _draw_law(ax: Axes, rows: pd.DataFrame, look: dict[str, Any], place: Transform) -> Line2D:
    """Power law of one coupling, if all of two clusters or more have a size; returns the key of the coupling."""
    label, line = f"{style.J2_OVER_J1} $=$ {look['label']}", "none"
    if rows.exponent.notna().any() and rows.status.eq(FOUND).all():
        law, line = rows[rows.status == FOUND].sort_values("dimension"), look["linestyle"]
        sizes = law.prefactor * law.dimension**law.exponent
        thin = {"color": look["color"], "linestyle": line, "linewidth": 0.8, "label": f"_law {look['label']}"}
        ax.plot(law.dimension, sizes, transform=place, **thin)
        label += rf": $K^{{{_with_error(law.exponent.iloc[0], law.exponent_se.iloc[0])}}}$"
    return Line2D([], [], **(look | {"linestyle": line, "linewidth": 0.8, "label": label}))


def _with_error(value: float, error: float) -> str:
    """0.28(3): a value and its standard error in units of the last digit; two digits where the error is unknown."""
    if not np.isfinite(error) or error <= 0:
        return f"{value:.2f}"
    if error >= 1:
        return f"{value:.1f}({error:.1f})"
    digits = -floor(log10(error))
    digits += round(error * 10**digits) == 1  # 0.014 is (14) rather than (1)
    return f"{value:.{digits}f}({round(error * 10**digits)})"


def _draw_guide(ax: Axes, table: pd.DataFrame) -> list[Line2D]:
    """Growth that the paper states, if a cluster lies where it holds; below the points, its height means nothing."""
    sizes = _sizes(table)
    if not table.n_sites.between(*GROWTH_SITES).any() or not len(sizes):
        return []
    start = GUIDE_BELOW * float(sizes.min())
    ends = [dimension(n_sites) for n_sites in GROWTH_SITES]
    return ax.plot(ends, [start, start * GROWTH], label=f"published: factor {GROWTH:g}", **GUIDE)


def _sizes(table: pd.DataFrame) -> np.ndarray:
    """All sizes that are drawn: critical ones, the ends of their intervals, and ends of scans."""
    found = table[table.status == FOUND][["critical_size", "critical_size_low", "critical_size_high"]]
    ends = [table[table.status == status][end] for status, (end, _) in BEYOND.items()]
    return pd.concat([found.stack(), *ends]).dropna().to_numpy(dtype=float)


def _critical_axes(ax: Axes, table: pd.DataFrame, guide: list[Line2D]) -> None:
    """Limits, labels, and the number of spins above."""
    drawn = [np.asarray(line.get_xydata(), dtype=float) for line in guide]  # (end, xy) each
    dimensions = np.concatenate([table.dimension.to_numpy(dtype=float), *(ends[:, 0] for ends in drawn)])
    sizes = np.concatenate([_sizes(table), *(ends[:, 1] for ends in drawn)])
    ax.set_xlim(dimensions.min() / 2.5, dimensions.max() * 2.5)
    if len(sizes):
        ax.set_ylim(sizes.min() / ROOM, sizes.max() * ROOM)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    panels.decades(ax.xaxis, left, right, panels.number)
    panels.decades(ax.yaxis, bottom, top, panels.number)
    clusters = table.drop_duplicates("n_sites").sort_values("n_sites")
    above = ax.secondary_xaxis("top")
    above.xaxis.set_major_locator(FixedLocator(clusters.dimension.tolist()))
    above.xaxis.set_minor_locator(NullLocator())
    above.xaxis.set_major_formatter(FixedFormatter([f"{n:g}" for n in clusters.n_sites]))
    panels.label_above(ax, above, "spins")


def _facts_of_fig4(table: pd.DataFrame, guided: bool) -> list[str]:
    whole = table.groupby("j2_over_j1").status.transform(lambda status: status.eq(FOUND).all())
    fits = table[whole].dropna(subset=["exponent"]).drop_duplicates("j2_over_j1").n_fit
    two = int((fits == 2).sum())
    lost = [
        f"{count} {status} of sizes (arrow {'up' if upwards > 0 else 'down'} from its end)"
        for status, (_, upwards) in BEYOND.items()
        if (count := int((table.status == status).sum()))
    ]
    found = table[table.status == FOUND]
    open_ended = int(found[["critical_size_low", "critical_size_high"]].isna().to_numpy().sum())
    laws = "Lines: power laws, weighted least squares on logarithms"
    laws += "; in parentheses, standard error of the last digits" if table.exponent_se.notna().any() else ""
    published = rf"Published: $\times {GROWTH:g}$ from {GROWTH_SITES[0]} to {GROWTH_SITES[1]} spins"
    published += ", grey, its height is arbitrary" if guided else ", beyond these clusters"
    return [
        panels.clusters(table),
        f"Critical: the mean overlap of the signs over fresh samples reaches {panels.extent(table.threshold)} "
        rf"and stays above it on the rest of the grid, interpolated in $\ln\epsilon_\mathrm{{train}}$",
        f"Repeats per point: {span(table.n_members)}",
        "Error bars: 16th to 84th percentile over a bootstrap of the repeats; couplings side by side",
        laws if len(fits) else "",
        f"{two} of {len(fits)} through two clusters only, without an error" if two else "",
        f"Not found: {', '.join(lost)}" if lost else "",
        f"Ends of error bars beyond the grid, not drawn: {open_ended}" if open_ended else "",
        published,
        panels.NOTHING_READ_OFF,
    ]
