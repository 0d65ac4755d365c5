"""Fig. 2: infidelity of networks with one hidden layer against their width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nqs.figures import style
from nqs.figures.table import require, sentences

FAMILIES = {
    "rbm": (style.BLUE, "o", "complex RBM"),
    "feed-forward": (style.VERMILLION, "s", "feed-forward, complex output"),
}
TARGETS = {"heisenberg": "Heisenberg ground state", "haar": "Haar-random state"}
FLOOR = 1e-16


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """One panel per target: every restart, and a line through the best."""
    require(table, ("series", "target", "family", "density", "infidelity", "n_sites"))
    fits = table[table.series == "fit"]
    fig, axes = style.double_column(1, 2, height=2.6)
    for ax, (letter, (target, words)) in zip(axes[0], zip("ab", TARGETS.items(), strict=True), strict=True):
        draw_target(ax, fits[fits.target == target])
        ax.set_title(words)
        style.panel_label(ax, letter)
    style.legend_above(fig, axes[0])
    sizes = ", ".join(str(int(size)) for size in sorted(fits.n_sites.unique()))
    facts = (
        f"N = {sizes} (darker: smaller); Levenberg-Marquardt on the logarithm of the fidelity, small marks: restarts, "
        f"lines: best of them; values below {FLOOR:g} are drawn there",
        "dotted: the claimed 1e-6; a fit that stalls is one of the optimiser",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_target(ax: Axes, rows: pd.DataFrame) -> None:
    """All families and sizes for one state."""
    sizes = sorted(rows.n_sites.unique())
    for family, (colour, marker, label) in FAMILIES.items():
        for place, n_sites in enumerate(sizes):
            here = rows[(rows.family == family) & (rows.n_sites == n_sites)]
            alpha = 1 - 0.6 * place / max(1, len(sizes) - 1) if len(sizes) > 1 else 1
            shown = here.infidelity.clip(lower=FLOOR)
            ax.plot(
                here.density, shown, color=colour, marker=marker, linestyle="none", markersize=2.5, alpha=0.5 * alpha
            )
            best = shown.groupby(here.density).min()
            ax.plot(best.index, best, color=colour, marker=marker, alpha=alpha, label=label if place == 0 else None)
    ax.axhline(1e-6, color="0.45", linestyle=":", linewidth=0.9)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(yscale="log", xlabel="hidden units per site", ylabel="infidelity", ylim=(FLOOR / 5, 3))
