"""What the figures of Westerhout et al. (2020) share: the overlap that is shown, panels, colours of couplings, and the
small print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from nqs.figures import style
from nqs.figures.table import TableError, sentences, span
from nqs.model.clusters import BY_BONDS
from nqs.studies.westerhout2020.curves import PRECISION

LATTICE_TITLES = {"square": "square", "triangle": "triangular", "kagome": "kagome"}
OVERLAP_RANGE = (-0.05, 1.05)
MARKERS = "os^Dv<>Pphd"  # of couplings, by rank
FRUSTRATED_LINE, OTHER_LINE = "-", (0, (3, 1.6))
EPSILON_TRAIN = r"$\epsilon_\mathrm{train}$"
ABOVE = 16  # points from the axes to the name of the upper axis: labels of its ticks
GREY = "0.35"  # of the upper axis
SMALL = 1e-3  # below this, numbers are written with powers of ten
NOTHING_READ_OFF = "No published values are digitised"
UNSEEN_STATES = "the states in neither the training nor the validation set"

OVERLAP_COLUMNS = (
    "cluster", "lattice", "n_sites", "j2_over_j1", "network", "target", "series", "epsilon_train", "n_train",
    "n_members", "n_diverged", "estimated",
    *(f"overlap_{metric}_{moment}" for metric in ("rest", "sampled", "full") for moment in ("mean", "sem")),
    "overlap_rest_se_mean", "overlap_full_se_mean",
)  # fmt: skip
STATISTICAL_ERROR = {  # sampled signs are those over the whole space where the latter is estimated
    "rest": "overlap_rest_se_mean",
    "sampled": "overlap_full_se_mean",
    "full": "overlap_full_se_mean",
}


def with_overlap(table: pd.DataFrame, shown: Mapping[str, str]) -> pd.DataFrame:
    """The table with columns overlap, overlap_sem and overlap_se: those of the overlap that each series shows.

    shown: rest, sampled or full by series. Raises TableError for a series that is not in it.
    """
    if unknown := set(table.series) - set(shown):
        raise TableError(f"unknown series {sorted(unknown)}; known: {', '.join(shown)}")
    parts = []
    for series, metric in shown.items():
        rows = table[table.series == series]
        parts.append(
            rows.assign(
                overlap=rows[f"overlap_{metric}_mean"],
                overlap_sem=rows[f"overlap_{metric}_sem"],
                overlap_se=rows[STATISTICAL_ERROR[metric]],
            )
        )
    return pd.concat(parts)


def known(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a value."""
    return table.dropna(subset=["j2_over_j1", "overlap"])


def grid(rows: int, columns: int, height: float) -> tuple[Figure, np.ndarray]:
    """A figure as wide as its panels need and its axes (rows, columns); height in inches."""
    fig = style.figure(style.SINGLE_COLUMN if columns == 1 else style.DOUBLE_COLUMN, height)
    return fig, fig.subplots(rows, columns, squeeze=False)


def title(ax: Axes, lattice: str, cluster: str, index: int | None = None) -> None:
    """Lattice and cluster, with a panel letter unless the figure has one panel only; of no lattice, the cluster."""
    ax.set_title(cluster if lattice == BY_BONDS else f"{LATTICE_TITLES.get(lattice, lattice)} ({cluster})")
    if index is not None:
        style.panel_label(ax, chr(ord("a") + index))


def overlap_limits(axes: Iterable[Axes], table: pd.DataFrame) -> None:
    """The overlap's axis from 0 to 1 in all panels, lower if a mean with its error bar is."""
    lowest = (table.overlap - table.overlap_sem.fillna(0)).min()
    bottom, top = OVERLAP_RANGE
    for ax in axes:
        ax.set_ylim(min(bottom, lowest - 0.02) if np.isfinite(lowest) else bottom, top)


def decades(axis: Axis, low: float, high: float, word: Callable[[float], str]) -> None:
    """Labels at powers of ten; also at twice and five times those where there are fewer than two."""
    if floor(log10(high)) - ceil(log10(low)) >= 1:
        axis.set_major_formatter(LogFormatterMathtext())
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: word(value)))
    axis.set_minor_formatter(NullFormatter())


def label_above(ax: Axes, above: SecondaryAxis, label: str) -> None:
    """Name the upper axis, in grey to tell it from the title."""
    above.tick_params(colors=GREY, which="both")
    above.set_xlabel(label, color=GREY)
    upper = ax.transAxes + ScaledTranslation(0, ABOVE / 72, ax.figure.dpi_scale_trans)
    above.xaxis.set_label_coords(0.5, 1, transform=upper)  # titles level, whatever the labels of the ticks
    ax.tick_params(which="both", top=False)
    ax.set_title(ax.get_title(), pad=7)


def looks(table: pd.DataFrame, lattice: str) -> dict[float, dict[str, Any]]:
    """Colour, marker and line of every coupling of a lattice, ascending; solid where it is strongly frustrated."""
    couplings = sorted(table[table.lattice == lattice].j2_over_j1.dropna().unique())
    return {
        j2: {
            "color": colour,
            "marker": MARKERS[rank % len(MARKERS)],
            "linestyle": FRUSTRATED_LINE if style.is_frustrated(lattice, j2) else OTHER_LINE,
            "label": f"{j2:g}",
        }
        for rank, (j2, colour) in enumerate(zip(couplings, style.sequence(len(couplings)), strict=True))
    }


def scientific(value: float) -> str:
    """A number for the small print: 0.01, or 3.2 times a power of ten if it is below a thousandth."""
    return f"{value:g}" if value == 0 or value >= SMALL else _powers(value)


def _powers(value: float) -> str:
    if value <= 0:
        return f"{value:g}"
    power = floor(log10(value) + 1e-9)
    digits = f"{value / 10**power:.3g}"
    factor = "" if digits == "1" else rf"{digits}\times"
    return rf"${factor}10^{{{power}}}$"


def number(value: float) -> str:
    """A number of states: thousands apart, and a power of ten from a million on."""
    return f"{value:,.0f}" if value < 1e6 else _powers(value)


def extent(column: pd.Series, word: Callable[[float], str] | None = None) -> str:
    """Smallest and largest value, as `table.span` but in the words of `word`, by default of one of them for both."""
    values = column.dropna()
    if values.empty:
        return ""
    chosen = word or (scientific if values.min() >= SMALL else _powers)
    return "\N{EN DASH}".join(dict.fromkeys(chosen(float(value)) for value in (values.min(), values.max())))


def two_digits(value: float) -> str:
    """A statistical error for the small print."""
    return scientific(float(f"{value:.1e}"))


def counts(column: pd.Series) -> str:
    """Smallest and largest number of states, thousands apart."""
    return extent(column, lambda number: f"{number:,.0f}")


def clusters(table: pd.DataFrame) -> str:
    """Names of the clusters in drawing order."""
    return f"Clusters: {', '.join(table.cluster.unique())}"


def networks(table: pd.DataFrame) -> str:
    """Labels of the networks, for figures whose legend has none."""
    return f"Network: {', '.join(style.series(name)['label'] for name in table.network.unique())}"


def repeats(table: pd.DataFrame) -> str:
    """How many networks a point averages, by series."""
    spans = [
        span(rows.n_members) + ("" if series == "generalisation" else f" ({series.replace('_', ' ')})")
        for series in table.series.unique()
        if len(rows := table[table.series == series])
    ]
    return f"Repeats per point: {', '.join(spans)}"


def estimates(table: pd.DataFrame) -> str:
    """Which overlaps were estimated, and how large the statistical error of one network is."""
    rows = table[table.estimated.eq(True)]
    if rows.empty:
        return ""
    parts = [
        f"{cluster} {extent(rows[rows.cluster == cluster].overlap_se, two_digits) or 'unknown'}"
        for cluster in rows.cluster.unique()
    ]
    return f"Estimated from fresh samples, mean statistical error of one network: {', '.join(parts)}"


def has_hollow(fig: Figure) -> bool:
    """Whether any published points are drawn."""
    return any(str(line.get_label()).startswith("_published") for ax in fig.axes for line in ax.lines)


def read_off(points: pd.DataFrame, table: pd.DataFrame, sizes: bool = True) -> list[str]:
    """What the hollow markers are; `points` are the published ones of the figure, for whichever clusters."""
    if points.empty:
        return [NOTHING_READ_OFF]
    ours, there = list(table.cluster.unique()), list(points.cluster.unique())
    absent = [cluster for cluster in ours if cluster not in there]
    found = f" at {EPSILON_TRAIN} $=$ {span(points.epsilon_train)}" if sizes else ""
    facts = [f"Hollow: published{found}, read off the plots to $\\pm{PRECISION}$"] if len(absent) < len(ours) else []
    if absent:
        facts.append(f"Published values are for {', '.join(there)}, none for {', '.join(absent)}")
    return facts


def losses(table: pd.DataFrame) -> list[str]:
    """Diverged trainings and points without a value."""
    diverged, missing = int(table.n_diverged.sum()), len(table) - len(known(table))
    return [
        f"{diverged} {'training' if diverged == 1 else 'trainings'} diverged; last good parameters" if diverged else "",
        f"{missing} {'point' if missing == 1 else 'points'} without a value" if missing else "",
    ]


def small_print(fig: Figure, note: str, table: pd.DataFrame, facts: Sequence[str], published: Sequence[str]) -> None:
    """Everything below the panels: `facts` say what is shown, `published` where the hollow markers come from."""
    errors = "Error bars: standard error over repeats" + (
        "" if (table.n_members > 1).all() else ", none for one repeat"
    )
    parts = [note, clusters(table), *facts, repeats(table), estimates(table), errors, *published, *losses(table)]
    style.small_print(fig, sentences(*parts))
