"""Figures of Westerhout et al. (2020) with overlaps against J2/J1: Figs. 2, 5, S2, S4 and S6."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nqs.figures import style
from nqs.figures.table import TableError, only, require
from nqs.studies.westerhout2020.figures import panels
from nqs.studies.westerhout2020.tables.summary import STUCK

J2_RANGE = {"square": (0.0, 1.0), "triangle": (0.0, 1.6), "kagome": (0.0, 1.0)}  # the paper's axes
# A network trained on the whole state, or driven by the energy, has no unseen states.
SHOWN = {"generalisation": "rest", "band": "rest"}
SHOWN |= dict.fromkeys(("expressibility", "variational", "signs_first"), "full")
BELOW = ("variational", "signs_first")  # series of the lower row: the published method, and one of ours
ROWS = {"generalisation": "overlap on unseen states", "variational": "overlap of variational state"}
SIGNS = rf"Overlap of signs: $|2\,\mathrm{{accuracy}}-1|$, weighted by $|\psi|^2$, over {panels.UNSEEN_STATES}"
BOTH = (
    r"Overlaps weighted by $|\psi|^2$, over "
    f"{panels.UNSEEN_STATES}; signs completed by exact amplitudes, amplitudes by exact signs"
)


def fig2(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """Overlap of the signs against J2/J1, one panel per cluster; below, if present, of the variational state.

    The variational state may be on another cluster of the same lattice: published points stay, and the key says for
    how many spins they are.
    """
    return _networks(table, published[published.figure == "fig2"], note)


def figS4(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As the upper row of Fig. 2, on other clusters; in the paper, of 30 spins."""
    return _networks(table, published[published.figure == "figS4"], note)


def fig5(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """Overlap of the signs and of the amplitudes against J2/J1 on the kagome cluster."""
    return _targets(table, published[published.figure == "fig5"], note)


def figS2(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 5, on a square and a triangular cluster."""
    return _targets(table, published[published.figure == "figS2"], note)


def figS6(table: pd.DataFrame, published: pd.DataFrame, note: str = "") -> Figure:
    """As Fig. 5, on other clusters of the three lattices; in the paper, of 30 spins."""
    return _targets(table, published[published.figure == "figS6"], note)


def _networks(table: pd.DataFrame, published: pd.DataFrame, note: str) -> Figure:
    """One panel per cluster, one line per network; a second row for variational states."""
    require(table, panels.OVERLAP_COLUMNS)
    table = panels.with_overlap(table, SHOWN)
    published = published[published.network.isin(table.network)]
    variational = table.series.isin(BELOW)
    upper, lower = table[~variational], table[variational]
    if upper.empty:
        raise TableError("the table has variational states only; the upper row has no rows")
    names = list(upper.cluster.unique())
    fig, axes = panels.grid(1 + (not lower.empty), len(names), height=2.8 if lower.empty else 4.7)
    below = _clusters_below(upper, lower)
    for column, cluster in enumerate(names):
        rows = upper[upper.cluster == cluster]
        _panel(axes[0, column], rows, _at(published, "generalisation", cluster=cluster), by="network")
        _draw_expressibility(axes[0, column], rows)
        panels.title(axes[0, column], only(rows, "lattice"), cluster, column if len(names) > 1 else None)
        if not lower.empty:
            _variational_panel(axes[1, column], lower[lower.cluster == below[cluster]], published, len(names) + column)
    panels.overlap_limits(fig.axes, table)
    for row, label in zip(axes, ROWS.values(), strict=False):
        row[0].set_ylabel(label)
    for ax in axes[-1]:
        ax.set_xlabel(style.J2_OVER_J1)
    style.legend_above(fig, fig.axes, [*_published_key(fig, lower, published), style.frustrated_key()])
    top = published[published.series == "generalisation"]
    facts = [_size(upper), _signs(upper), *_rates(upper), _variational(lower)]
    panels.small_print(fig, note, table, facts, [*panels.read_off(top, upper), _elsewhere(lower, published)])
    return fig


def _clusters_below(upper: pd.DataFrame, lower: pd.DataFrame) -> dict[str, str]:
    """The cluster of the lower row below each one of the upper row: the one of its lattice, "" if there is none."""
    below = {lattice: only(rows, "cluster") for lattice, rows in lower.groupby("lattice")}
    above = upper.drop_duplicates("cluster")
    if below and above.lattice.duplicated().any():
        raise TableError("two clusters of one lattice above variational states; a lattice may have one panel then")
    return {cluster: below.get(lattice, "") for cluster, lattice in zip(above.cluster, above.lattice, strict=True)}


def _variational_panel(ax: Axes, rows: pd.DataFrame, published: pd.DataFrame, index: int) -> None:
    """States driven by the energy, and published points for any cluster of the lattice."""
    if rows.empty:
        ax.set_axis_off()
        return
    lattice = only(rows, "lattice")
    rows = rows.assign(line=rows.network.where(rows.series == "variational", rows.series))
    points = _at(published, "variational", lattice=lattice)
    _panel(ax, rows, points.assign(line=points.network), by="line")
    panels.title(ax, lattice, only(rows, "cluster"), index)


def _targets(table: pd.DataFrame, published: pd.DataFrame, note: str) -> Figure:
    """One panel per cluster, one line for the signs and one for the amplitudes."""
    require(table, panels.OVERLAP_COLUMNS)
    table = panels.with_overlap(table, {series: SHOWN[series] for series in ("generalisation", "band")})
    published = published[published.target.isin(table.target) & published.network.isin(table.network)]
    names = list(table.cluster.unique())
    fig, axes = panels.grid(1, len(names), height=2.9)
    for column, (ax, cluster) in enumerate(zip(axes[0], names, strict=True)):
        rows = table[table.cluster == cluster]
        only(rows, "network")
        _panel(ax, rows, _at(published, "generalisation", cluster=cluster), by="target")
        panels.title(ax, only(rows, "lattice"), cluster, column if len(names) > 1 else None)
        ax.set_xlabel(style.J2_OVER_J1)
    panels.overlap_limits(axes[0], table)
    axes[0, 0].set_ylabel(ROWS["generalisation"])
    extra = [*_published_key(fig, table.iloc[:0], published), style.frustrated_key()]
    style.legend_above(fig, fig.axes, extra, columns=2 if len(names) == 1 else 6)
    facts = [panels.networks(table), _size(table), BOTH, *_rates(table)]
    panels.small_print(fig, note, table, facts, panels.read_off(published, table))
    return fig


def _panel(ax: Axes, rows: pd.DataFrame, published: pd.DataFrame, by: str) -> None:
    """Means with standard errors and published points, one line per value of column `by`; axes and shading."""
    _draw_published(ax, published, by)
    _draw_bands(ax, panels.known(rows), by)
    drawn = panels.known(rows[~rows.series.isin(("expressibility", "band"))])
    for name in drawn[by].unique():
        line = drawn[drawn[by] == name].sort_values("j2_over_j1")
        _draw_stuck(ax, line, style.series(name)["color"])
        ax.errorbar(line.j2_over_j1, line.overlap, line.overlap_sem, **style.series(name))
    couplings = panels.known(rows).j2_over_j1
    left, right = J2_RANGE.get(only(rows, "lattice"), (0.0, 1.0))
    left, right = min([left, *couplings]), max([right, *couplings])
    margin = 0.03 * (right - left)
    ax.set_xlim(left - margin, right + margin)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 4, 5, 10]))
    style.frustrated(ax, only(rows, "lattice"))


def _draw_bands(ax: Axes, rows: pd.DataFrame, by: str) -> None:
    """Range of the means of a line and its variants, where there are any."""
    varied = rows[rows.series == "band"]
    for name in varied[by].unique():
        places = varied[varied[by] == name].j2_over_j1
        alike = rows[(rows[by] == name) & rows.series.isin(("generalisation", "band")) & rows.j2_over_j1.isin(places)]
        ends = alike.groupby("j2_over_j1").overlap.agg(["min", "max"])
        shade = {"color": style.series(name)["color"], "alpha": 0.2}
        if len(ends) == 1:
            ax.vlines(ends.index, ends["min"], ends["max"], linewidth=6, **shade)
        else:
            ax.fill_between(ends.index, ends["min"], ends["max"], linewidth=0, **shade)


def _draw_stuck(ax: Axes, line: pd.DataFrame, colour: str) -> None:
    """How many networks of a point stayed on the plateau, where some did and others did not."""
    for point in _partly_stuck(line).itertuples():
        words = f"{point.n_stuck:.0f}/{point.n_members:.0f}"
        ax.annotate(
            words, (point.j2_over_j1, point.overlap), (0, -9), textcoords="offset points", ha="center",
            color=colour, fontsize=style.SMALL_PRINT,
        )  # fmt: skip


def _partly_stuck(table: pd.DataFrame) -> pd.DataFrame:
    """Points of lines some of whose networks stayed on the plateau, where the table counts them."""
    if "n_stuck" not in table:
        return table.iloc[:0]
    drawn = ~table.series.isin(("expressibility", "band"))
    return table[drawn & (table.n_stuck > 0) & (table.n_stuck < table.n_members)]


def _rates(table: pd.DataFrame) -> list[str]:
    """What bands and small fractions are."""
    words = []
    if "variant" in table and table.variant.notna().any():
        words.append(f"Bands: range of the means with {', '.join(sorted(table.variant.dropna().unique()))} as well")
    if len(_partly_stuck(table)):
        words.append(f"Fractions: networks that stayed on the plateau (overlap below {STUCK:g}), of all")
    return words


def _draw_expressibility(ax: Axes, rows: pd.DataFrame) -> None:
    """Dashed line of a network trained on the whole ground state."""
    rows = panels.known(rows[rows.series == "expressibility"])
    for network in rows.network.unique():
        line = rows[rows.network == network].sort_values("j2_over_j1")
        look = style.series(network)
        look |= {"linestyle": "--", "marker": "none", "label": f"{look['label']}, all states"}
        # A line of `plot` would lead the legend.
        ax.errorbar(line.j2_over_j1, line.overlap, line.overlap_sem, **look)


def _draw_published(ax: Axes, points: pd.DataFrame, by: str) -> None:
    for name in points[by].unique():
        marks = points[points[by] == name]
        look = style.series(name)
        # The legend explains hollow markers once; a leading underscore keeps these out of it.
        style.published(
            ax, marks.x, marks.overlap, f"_published {name}",
            color=look["color"], marker=look["marker"],
        )  # fmt: skip


def _published_key(fig: Figure, variational: pd.DataFrame, published: pd.DataFrame) -> list[Line2D]:
    """Key of the hollow markers, with their number of spins where ours is another."""
    if not panels.has_hollow(fig):
        return []
    others = _of_other_size(variational, published)
    if others.empty:
        return [style.published_key()]
    return [style.published_key(f"published ({', '.join(map(str, sorted(others.n_sites.unique())))} spins)")]


def _of_other_size(variational: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Published points of variational states on a cluster that the table lacks, of a lattice that it has."""
    points = _at(published, "variational")
    return points[points.lattice.isin(variational.lattice) & ~points.cluster.isin(variational.cluster)]


def _elsewhere(variational: pd.DataFrame, published: pd.DataFrame) -> str:
    others = _of_other_size(variational, published)
    return f"Published variational points are for {', '.join(others.cluster.unique())}" if len(others) else ""


def _at(published: pd.DataFrame, series: str, **cell: str) -> pd.DataFrame:
    points = published[published.series == series]
    for column, value in cell.items():
        points = points[points[column] == value]
    return points


def _signs(table: pd.DataFrame) -> str:
    dashed = " (dashed: trained on all states, over all states)" if "expressibility" in set(table.series) else ""
    return SIGNS + dashed


def _variational(rows: pd.DataFrame) -> str:
    """What the lower row shows, how far above the ground-state energy it is, and whether its energies still drift."""
    if rows.empty:
        return ""
    words = "Variational states: overlap with the exact state over all states"
    if "energy_error_mean" in rows and rows.energy_error_mean.notna().any():
        words += f", relative energy error {panels.extent(rows.energy_error_mean, panels.two_digits)}"
    if "n_settled" in rows:
        words += f"; {rows.n_settled.sum():.0f} of {rows.n_members.sum()} runs settled"
    if "signs_first" in set(rows.series):
        words += "; signs first: phases are learned on a flat amplitude before the amplitude moves"
    return words


def _size(table: pd.DataFrame) -> str:
    """Size of the training sets."""
    rows = table[table.series == "generalisation"].dropna(subset=["epsilon_train"])
    if rows.empty:
        return ""
    return f"{panels.EPSILON_TRAIN} $=$ {panels.extent(rows.epsilon_train)}, {panels.counts(rows.n_train)} states"
