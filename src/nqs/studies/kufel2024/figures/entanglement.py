"""Fig. 4: entropy of blocks of Boltzmann machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nqs.figures import style
from nqs.figures.table import require, sentences


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Entropy against block length: mean over instances with their spread, and the bounds of local machines."""
    require(table, ("series", "width", "instance", "length", "entropy", "bound", "n_sites"))
    fig, ax = style.single_column(3.0)
    local = table[table.series == "local"]
    widths = sorted(local.width.unique())
    for colour, width in zip((style.BLUE, style.SKY, style.GREEN, style.PURPLE), widths, strict=False):
        here = local[local.width == width]
        curve(ax, here, colour, "o", f"local, {width:.0f} neighbours")
        ax.axhline(here.bound.iloc[0], color=colour, linestyle=":", linewidth=0.9)
    curve(ax, table[table.series == "long-range"], style.VERMILLION, "s", "long-range, random")
    curve(ax, table[table.series == "pairs"], style.DARK, "*", "long-range, explicit")
    n_sites = int(table.n_sites.iloc[0])
    lengths = np.arange(1, n_sites // 2 + 1)
    ax.plot(lengths, lengths * np.log(2), **(style.EXACT | {"label": r"$\ell\ln 2$"}))
    ax.set(xlabel=r"block length $\ell$ (sites)", ylabel="entropy (nats)", ylim=(0, None), xticks=lengths)
    ax.legend(loc="upper left")
    facts = (
        f"ring of N = {n_sites}, one hidden unit per site, explicit machine: N/2; mean over instances and their range",
        r"dotted: $2(w-1)\ln 2$, the bound for units that see $w$ neighbours",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def curve(ax: Any, rows: pd.DataFrame, colour: str, marker: str, label: str) -> None:
    """Mean and range over instances."""
    grouped = rows.groupby("length").entropy
    ax.fill_between(grouped.min().index, grouped.min(), grouped.max(), color=colour, alpha=0.2, linewidth=0)
    ax.plot(grouped.mean().index, grouped.mean(), color=colour, marker=marker, label=label)
