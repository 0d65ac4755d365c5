"""Figure X3: the same removed units, measured by exact sums and by Markov chains.

One column per density; for each protocol of training a row of numbers, of exponents and of recovered energies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nqs.figures import rings, style
from nqs.figures.table import require, sentences
from nqs.studies.mummaneni2026.figures.thresholds import draw_published

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
MEASURED: dict[str, dict[str, Any]] = {  # in the order of the legend
    "zero": {"color": style.BLUE, "marker": "o", "label": "exact sums, $S^z=0$"},
    "all": {"color": style.SKY, "marker": "v", "label": "exact sums, all states"},
    "fresh": {"color": style.VERMILLION, "marker": "s", "label": "fresh chains"},
    "continued": {"color": style.AMBER, "marker": "D", "label": "continued chains"},
}
APART = 0.012  # between the points of one threshold
SIDEWAYS = 0.18  # between the points of one ring
MARGIN = 0.4  # of the axis of exponents
SHOWN = 0.5  # exponents beyond this threshold, of few units, do not set the axis
HEIGHT = 1.75  # of a row, inches


def figX3(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Important units against ring size, exponent against threshold and recovered energy against ring size."""
    require(
        table,
        (
            "series", "mode", "sector", "alpha", "n_sites", "tau", "n_important_mean", "n_important_sem", "k", "k_se",
            "recovery_mean", "recovery_sem", *rings.MEANS,
        ),
    )  # fmt: skip
    modes, alphas = rings.modes(table), sorted(int(alpha) for alpha in table.alpha.unique())
    fig, axes = style.double_column(3 * len(modes), len(alphas), height=0.9 + HEIGHT * 3 * len(modes))
    tau = rings.fact(published, "importance_threshold")["value"]
    for group, mode in enumerate(modes):
        rows = axes[3 * group : 3 * group + 3]
        limits = _limits(rings.at(table, series="exponent", mode=mode))
        for column, alpha in enumerate(alphas):
            here = rings.at(table, mode=mode, alpha=alpha)
            _draw_by_size(rows[0, column], rings.at(here, series="number"), "n_important")
            _draw_exponents(rows[1, column], rings.at(here, series="exponent"), limits)
            rows[1, column].axvline(tau, color="0.5", linestyle="--", linewidth=0.7, zorder=0.5)
            draw_published(rows[1, column], tau, published.get(f"exponent_alpha{alpha}"))
            _draw_by_size(rows[2, column], rings.at(here, series="recovery"), "recovery")
            rows[2, column].set_yscale("log")
            style.readable_log_ticks(rows[2, column].yaxis)
            rows[0, column].set_title(rf"$\alpha={alpha}$" + (f", {mode} mode" if len(modes) > 1 else ""))
        rows[0, 0].set_ylabel(f"important units {rings.IMPORTANT}")
        rows[1, 0].set_ylabel("exponent $k$")
        rows[2, 0].set_ylabel("error of the\nkept energy (%)")
    rings.letters(axes)
    style.legend_above(fig, axes.flat, [style.published_key("published exponent")], columns=5)
    facts = (
        r"Sums over $r=1\ldots N/2$ in the criterion", rings.STANDARD_ERRORS + ", of the fit for exponents",
        f"First and last row: the published threshold {tau:g}", "Exponents beyond the axis are cut",
        "Points of one ring or threshold are set apart sideways",
    )  # fmt: skip
    counted = table[table.series != "exponent"]
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(counted), *facts))
    return fig


def _limits(exponents: pd.DataFrame) -> tuple[float, float]:
    """Limits of the axis of exponents."""
    known = [*exponents[exponents.tau <= SHOWN].k.dropna(), 0.0, 1.0]
    return min(known) - MARGIN, max(known) + MARGIN


def _lines(rows: pd.DataFrame, along: str) -> list[tuple[float, pd.DataFrame, dict[str, Any]]]:
    """The rows of each way to measure, how far to set them apart, and their look."""
    present = [name for name in MEASURED if name in set(rows.sector)]
    return [
        (place - (len(present) - 1) / 2, rings.at(rows, sector=name).sort_values(along), MEASURED[name])
        for place, name in enumerate(present)
    ]


def _draw_by_size(ax: Axes, rows: pd.DataFrame, value: str) -> None:
    """Means over models against ring size."""
    if rings.nothing(ax, rows):
        return
    for place, line, look in _lines(rows, "n_sites"):
        ax.errorbar(line.n_sites + SIDEWAYS * place, line[f"{value}_mean"], line[f"{value}_sem"], **look)
    rings.size_axis(ax, rows)


def _draw_exponents(ax: Axes, rows: pd.DataFrame, limits: tuple[float, float]) -> None:
    """Exponents against the threshold, with their errors."""
    if rings.nothing(ax, rows):
        return
    for place, line, look in _lines(rows, "tau"):
        errors = line.k_se.where(np.isfinite(line.k_se))
        ax.errorbar(line.tau + APART * place / 2, line.k, errors, elinewidth=0.7, **look)
    for exponent in (0, 1):
        ax.axhline(exponent, color="0.6", linestyle=":", linewidth=0.8, zorder=0.5)
    ax.set(xlabel=r"threshold $\tau$", ylim=limits)
