"""Fig. 4: entropy of blocks of Boltzmann machines and of convolutional circuits."""

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


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Entropy against block length: machines with their bounds (a), circuits with and without overlaps (b)."""
    require(table, ("series", "width", "instance", "length", "entropy", "bound", "n_sites", "layers", "stride"))
    fig, axes = style.double_column(1, 2, height=3.0)
    draw_machines(axes[0, 0], table[table.series != "circuit"])
    circuits = table[table.series == "circuit"]
    draw_circuits(axes[0, 1], circuits)
    letters(axes)
    n_sites, side = int(table.n_sites.iloc[0]), int(circuits.n_sites.iloc[0] ** 0.5)
    facts = (
        f"(a) ring of N = {n_sites}, one hidden unit per site, explicit machine: N/2; mean over instances and their "
        r"range; dotted: $2(w-1)\ln 2$, the bound for units that see $w$ sites",
        f"(b) largest entropy, ln rank, of random circuits on a {side} x {side} torus, filters of 2 x 2 sites, "
        "2 channels" + ("; the first 4 sites are a square block" if side > 2 else ""),
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_machines(ax: Axes, table: pd.DataFrame) -> None:
    """Mean over instances with their spread, and the bounds of local machines."""
    local = table[table.series == "local"]
    widths = sorted(local.width.unique())
    for colour, width in zip((style.BLUE, style.SKY, style.GREEN, style.PURPLE), widths, strict=False):
        here = local[local.width == width]
        curve(ax, here, colour, "o", f"local, {width:.0f} sites seen")
        ax.axhline(here.bound.iloc[0], color=colour, linestyle=":", linewidth=0.9)
    curve(ax, table[table.series == "long-range"], style.VERMILLION, "s", "long-range, random")
    curve(ax, table[table.series == "pairs"], style.DARK, "*", "long-range, explicit")
    finish(ax, table, "entropy (nats)")


def draw_circuits(ax: Axes, rows: pd.DataFrame) -> None:
    """Logarithms of ranks: overlapping filters by the number of layers, and a tree."""
    looks = (  # layers, stride, then how it looks; one curve lies on another
        (1, 1, style.SKY, "o", "-", "overlapping, 1 layer"),
        (2, 1, style.BLUE, "s", "-", "overlapping, 2 layers"),
        (3, 1, style.VERMILLION, "^", ":", "overlapping, 3 layers"),
        (2, 2, style.DARK, "v", "-", "no overlaps, 2 layers"),
    )
    for layers, stride, colour, marker, line, label in looks:
        here = rows[(rows.layers == layers) & (rows.stride == stride)]
        ax.plot(here.length, here.entropy, color=colour, marker=marker, linestyle=line, label=label)
    finish(ax, rows, "largest entropy (nats)")


def finish(ax: Axes, rows: pd.DataFrame, words: str) -> None:
    """The volume law, labels and legend."""
    lengths = np.arange(1, int(rows.length.max()) + 1)
    ax.plot(lengths, lengths * np.log(2), **(style.EXACT | {"label": r"$\ell\ln 2$"}))
    ax.set(xlabel=r"block length $\ell$ (sites)", ylabel=words, ylim=(0, None), xticks=lengths)
    ax.legend(loc="upper left")


def curve(ax: Axes, rows: pd.DataFrame, colour: str, marker: str, label: str) -> None:
    """Mean and range over instances."""
    grouped = rows.groupby("length").entropy
    ax.fill_between(grouped.min().index, grouped.min(), grouped.max(), color=colour, alpha=0.2, linewidth=0)
    ax.plot(grouped.mean().index, grouped.mean(), color=colour, marker=marker, label=label)
