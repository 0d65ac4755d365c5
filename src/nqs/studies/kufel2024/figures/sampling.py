"""Fig. 7: chains, their diagnostics, and sampling without a chain."""

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
from nqs.studies.kufel2024.roc import curve

MODELS = {
    "gapped": (style.BLUE, "o", "gapped Ising"),
    "critical": (style.GREEN, "^", "critical Ising"),
    "cat": (style.VERMILLION, "s", "two peaks"),
}
METHODS = {
    "metropolis": (style.VERMILLION, "s", "Metropolis"),
    "autoregressive": (style.BLUE, "o", "autoregressive"),
}


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Relaxation times (a), what diagnostics see (b), error against samples (c)."""
    require(table, ("series", "n_sites", "model", "time", "rhat", "deviation", "samples", "error", "method"))
    fig, axes = style.double_column(1, 3, height=2.6)
    draw_relaxation(axes[0, 0], table[table.series == "relaxation"])
    draw_diagnostics(axes[0, 1], table[table.series == "diagnostic"])
    draw_errors(axes[0, 2], table[table.series == "error"])
    letters(axes)
    chains = table[table.series == "diagnostic"]
    facts = (
        "(a) exact, from the transition matrix of single-spin flips; two peaks: Ising ring at field 0.3",
        f"(b) N = {int(chains.n_sites.iloc[0])}, {len(chains)} sets of chains: share found by a threshold, of "
        "those whose magnetisation is off by more than three nominal errors, against false alarms",
        "(c) root mean square error of the energy of one trained network; a sweep of the chain counts as a sample",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_relaxation(ax: Axes, rows: pd.DataFrame) -> None:
    """Relaxation times against system size."""
    for model, (colour, marker, label) in MODELS.items():
        here = rows[rows.model == model]
        ax.plot(here.n_sites, here.time, color=colour, marker=marker, label=label)
    ax.set(xlabel="sites $N$", ylabel="relaxation time (sweeps)", yscale="log")
    ax.legend()


def draw_diagnostics(ax: Axes, rows: pd.DataFrame) -> None:
    """Receiver operating characteristics of both diagnostics."""
    wrong = (rows.deviation > 3).to_numpy()
    for name, column, colour in (("split $\\hat R$", "rhat", style.BLUE), ("autocorrelation", "time", style.ORANGE)):
        alarms, found, area = curve(rows[column].to_numpy(), wrong)
        ax.plot(alarms, found, color=colour, drawstyle="steps-post", label=f"{name}: area {area:.2f}")
    ax.plot([0, 1], [0, 1], **(style.EXACT | {"label": "chance"}))
    ax.set(xlabel="false alarms", ylabel="trouble found", xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    ax.legend(loc="lower right")


def draw_errors(ax: Axes, rows: pd.DataFrame) -> None:
    """Errors against samples, and the inverse root."""
    for method, (colour, marker, label) in METHODS.items():
        here = rows[rows.method == method]
        ax.errorbar(here.samples, here.error, here.error_error, color=colour, marker=marker, label=label)
    direct = rows[rows.method == "autoregressive"]
    line = direct.error.iloc[0] * np.sqrt(direct.samples.iloc[0] / direct.samples)
    ax.plot(direct.samples, line, **(style.EXACT | {"label": r"$\propto n^{-1/2}$"}))
    ax.set(xscale="log", yscale="log", xlabel="samples $n$", ylabel="error of the energy")
    ax.legend()
