"""Figure 11 of Mummaneni and Sajjan (2026): what the threshold of importance decides.

Means run over converged models, as in the paper. One column per density; every variant (mode, sector) is drawn.
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

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
CONVERGED = "Means over models that met the criterion on the sampled energy"
APART = 0.012  # between the points of two modes at one threshold
MARGIN = 0.5  # of the axis of exponents, beyond what there is up to the published threshold
MARKED = (0, 1)  # exponents of no growth and of growth in proportion to the ring


def fig11(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Mean fraction (first row) and exponent (a row per sector) against the threshold, one column per density."""
    require(table, ("mode", "sector", "alpha", "tau", "fraction_mean", "k", "k_se", *rings.MEANS))
    sectors, alphas = rings.sectors(table), sorted(int(alpha) for alpha in table.alpha.unique())
    tau = rings.fact(published, "importance_threshold")["value"]
    region = rings.fact(published, "sublinear_range")["value"]
    fig, axes = style.double_column(1 + len(sectors), len(alphas), height=1.4 + 1.6 * (1 + len(sectors)))
    limits = _limits(table[table.tau <= region[1]])
    for column, alpha in enumerate(alphas):
        here = rings.at(table, alpha=alpha)
        _draw_fractions(axes[0, column], here)
        axes[0, column].set_title(rf"$\alpha={alpha}$")
        for ax, sector in zip(axes[1:, column], sectors, strict=True):
            ax.axvspan(*region, color=style.SHADE, linewidth=0, zorder=0, label="published: sublinear here")
            _draw_exponents(ax, rings.at(here, sector=sector))
            ax.set(ylim=limits, xlim=axes[0, column].get_xlim())
            draw_published(ax, tau, published.get(f"exponent_alpha{alpha}"))
        for ax in axes[:, column]:
            ax.axvline(tau, color="0.5", linestyle="--", linewidth=0.7, zorder=0.5)
            ax.tick_params(labelleft=column == 0)
        axes[-1, column].set_xlabel(r"threshold $\tau$")
    axes[0, 0].set_ylabel(f"mean {rings.FRACTION}")
    for ax, sector in zip(axes[1:, 0], sectors, strict=True):
        ax.set_ylabel(f"exponent $k$, {rings.SECTORS[sector]}")
    _name_exponents(axes[1, -1])
    rings.letters(axes)
    style.legend_above(fig, axes.flat, [style.published_key("published exponent")], columns=3)
    facts = (
        rings.SUMS, CONVERGED, "First row: mean over ring sizes", f"Exponents: {rings.IMPORTANT} $=aN^k$",
        "Error bars: standard error of the fit, of published exponents as published",
        f"Dashed: the published choice {tau:g}", "Exponents and error bars beyond the axis are cut",
        "Points of one threshold are set apart sideways",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of the axis of exponents."""
    known = [*table.k.dropna(), *MARKED]
    return min(known) - MARGIN, max(known) + MARGIN


def _draw_fractions(ax: Axes, rows: pd.DataFrame) -> None:
    """Mean fraction of important units in every variant."""
    for mode, sector in rings.variants(rows):
        line = rings.at(rows, mode=mode, sector=sector).sort_values("tau")
        ax.plot(line.tau, line.fraction_mean, **style.series(f"{mode}-{sector}"))
    ax.set_ylim(0, 1.03)


def _draw_exponents(ax: Axes, rows: pd.DataFrame) -> None:
    """Exponents of one sector, one line per mode, with their errors."""
    variants = rings.variants(rows)
    for index, (mode, sector) in enumerate(variants):
        line = rings.at(rows, mode=mode, sector=sector).sort_values("tau")
        shift = APART * (index - (len(variants) - 1) / 2)
        errors = line.k_se.where(np.isfinite(line.k_se))
        ax.errorbar(line.tau + shift, line.k, errors, elinewidth=0.7, **style.series(f"{mode}-{sector}"))
    for exponent in MARKED:
        ax.axhline(exponent, color="0.6", linestyle=":", linewidth=0.8, zorder=0.5)


def draw_published(ax: Axes, tau: float, quoted: Mapping[str, Any] | None) -> None:
    """The printed exponent with its error at the published threshold, if there is one."""
    if quoted is None:
        return
    bar: dict[str, Any] = {"linestyle": "none", "color": style.BLACK, "label": "_published error", "zorder": 1.8}
    ax.errorbar([tau], [quoted["value"]], [quoted["uncertainty"]], **bar)
    style.published(ax, [tau], [quoted["value"]], "_published")


def _name_exponents(ax: Axes) -> None:
    """What the marked exponents mean, at the right end of their lines."""
    for exponent, words in zip(MARKED, ("no growth", r"$\propto N$"), strict=True):
        ax.text(0.98, exponent, words, transform=ax.get_yaxis_transform(), ha="right", va="bottom", fontsize=6.5)
