"""Fig. 3: matrix product states against networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nqs.figures import style
from nqs.figures.rings import letters
from nqs.figures.table import require, sentences

LOOKS: dict[str, dict[str, Any]] = {"mps": {}, "rbm": {"linestyle": "--", "markerfacecolor": "none"}}
TARGETS = {
    "gapped": (style.BLUE, "o", "Ising ring, gapped"),
    "critical": (style.GREEN, "^", "Ising ring, critical"),
    "pairs": (style.VERMILLION, "s", "entangled pairs (volume law)"),
    "haar": (style.DARK, "D", "Haar-random (volume law)"),
}


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Bond dimensions (a), infidelities (b) and entropies (c) at equal numbers of parameters, energies (d)."""
    require(table, ("series", "target", "family", "n_parameters", "infidelity", "entropy", "bond", "relative_error"))
    fig, axes = style.double_column(2, 2, height=4.6)
    draw_bonds(axes[0, 0], table[table.series == "bond"])
    fits = table[table.series.isin(["fit", "explicit"])]
    draw_fits(axes[0, 1], fits, "infidelity")
    draw_fits(axes[1, 0], fits, "entropy")
    draw_energies(axes[1, 1], table[table.series == "energy"])
    letters(axes)
    style.legend_above(fig, axes[0, :1], columns=3)
    n_sites = int(fits.n_sites.iloc[0])
    facts = (
        "(a) smallest bond dimension that discards less than 1e-6 at every cut",
        f"(b-d) N = {n_sites}; filled, solid: matrix product states, truncated exactly; hollow, dashed: complex RBM of "
        "as many parameters, best of the restarts; star: the explicit RBM of the pairs",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_bonds(ax: Axes, rows: pd.DataFrame) -> None:
    """Bond dimension against system size."""
    for target, (colour, marker, label) in TARGETS.items():
        here = rows[rows.target == target]
        ax.plot(here.n_sites, here.bond, color=colour, marker=marker, label=label)
    sizes = np.sort(rows.n_sites.unique())
    ax.plot(sizes, 2.0 ** (sizes / 2), **(style.EXACT | {"label": "$2^{N/2}$"}))
    ax.set_yscale("log", base=2)
    ax.set(xlabel="sites $N$", ylabel=r"bond dimension $\chi$", xticks=sizes)


def draw_fits(ax: Axes, rows: pd.DataFrame, column: str) -> None:
    """One column of the fits against parameters."""
    for target, (colour, marker, _) in TARGETS.items():
        here = rows[rows.target == target]
        for family, look in LOOKS.items():
            some = here[(here.family == family) & (here.series == "fit")]
            best = some.loc[some.groupby("bond").infidelity.idxmin()].sort_values("n_parameters") if len(some) else some
            values = best[column].clip(lower=1e-12) if column == "infidelity" else best[column]
            ax.plot(best.n_parameters, values, color=colour, marker=marker, **look)
        explicit = here[here.series == "explicit"]
        value = explicit[column].clip(lower=1e-12) if column == "infidelity" else explicit[column]
        if len(explicit):
            ax.plot(
                explicit.n_parameters, value, color=colour, marker="*", markersize=9, linestyle="none", clip_on=False
            )
    ax.set(
        xlabel="real parameters", xscale="log", ylabel=column if column == "infidelity" else "entropy $S(N/2)$ (nats)"
    )
    style.readable_log_ticks(ax.xaxis)
    if column == "infidelity":
        ax.set(yscale="log", ylim=(5e-13, 3))


def draw_energies(ax: Axes, rows: pd.DataFrame) -> None:
    """Relative errors of the energy."""
    for target in ("gapped", "critical"):
        colour, marker, _ = TARGETS[target]
        for family, look in LOOKS.items():
            here = rows[(rows.target == target) & (rows.family == family)]
            best = here.groupby("bond").agg({"relative_error": "min", "n_parameters": "first"})
            ax.plot(best.n_parameters, best.relative_error.clip(lower=1e-14), color=colour, marker=marker, **look)
    ax.set(xscale="log", yscale="log", xlabel="real parameters", ylabel="relative error of the energy")
    style.readable_log_ticks(ax.xaxis)
