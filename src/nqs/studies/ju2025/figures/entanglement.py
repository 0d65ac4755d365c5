"""Figures S1 and S2 of Ju et al. (2025): motif probabilities and the entanglement of a block of a ring.

The supplement was not available: what the figures show is inferred from the paper's text, and nothing published is
drawn over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nqs.figures import rings, style
from nqs.figures.table import TableError, require, sentences

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
# source: (colour, marker, label)
SOURCES = {
    "exact": (style.BLACK, "_", "exact"),
    "cps": (style.AMBER, "D", "CPS optimum"),
    "cnn": (style.BLUE, "o", "CNN, lowest minimum"),
    "trained": (style.VERMILLION, "^", "trained CNN"),
}
CFT: dict[str, Any] = {"color": style.VERMILLION, "linestyle": "-", "linewidth": 0.9, "label": "CFT"}
MOST_CLASSES = 20  # that fit side by side: K = 6
APART = 0.22  # between markers of one class
BELOW_LEGEND = 0.66  # of the height of panel c
KEPT_PER_SITE = 2  # levels kept, for which the error is marked: 2K
ERRORS = 2  # standard errors of the fit that a difference must exceed
ARROWS = str.maketrans("du", "\N{DOWNWARDS ARROW}\N{UPWARDS ARROW}")


def figS1(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Motif probabilities (a), levels against the conformal ones (b, d), what few levels give (c), their number (e)."""
    require(
        table,
        (
            "series", "source", "n_sites", "width", "motif_class", "motif", "class_size", "probability", "rank",
            "weight", "level", "weight_above", "mev_error", "beta_fit", "trace_distance", "level_slope", "share",
            "levels",
        ),
    )  # fmt: skip
    shown = _shown_width(rings.at(table, series="mev"))
    fig = style.figure(style.DOUBLE_COLUMN, 5.0)
    grid = fig.add_gridspec(2, 6, height_ratios=(1.15, 1))
    upper, right = fig.add_subplot(grid[0, :4]), fig.add_subplot(grid[0, 4:])
    lower = [fig.add_subplot(grid[1, 2 * column : 2 * column + 2]) for column in range(3)]
    _draw_probabilities(upper, rings.at(table, series="mev", width=shown))
    levels = rings.at(table, series="level")
    _draw_levels(right, rings.at(levels, width=shown))
    _draw_kept(lower[0], rings.at(levels, width=shown, source="exact"), shown)
    _draw_conformal(lower[1], levels)
    _draw_numbers(lower[2], table)
    rings.letters([upper, right, *lower])
    comparison = rings.at(table, series="comparison", width=shown).iloc[0]
    n_sites = int(comparison.n_sites)
    facts = (
        f"Exact: ground state of the ring of $N={n_sites}$; (a), (b) and (c) for $K={shown}$",
        "(a) One motif stands for its class under reflection and exchange of up and down, its first site on top",
        r"CFT: $e^{-2H_K}/Z$, $H_K=\Sigma_n f(n)P_{n,n+1}$, "
        r"$f(n)=(N/\pi)\,\sin(\pi n/N)\,\sin(\pi(K-n)/N)\,/\,\sin(\pi K/N)$",
        rf"Trace distance to $\rho_K$ {comparison.trace_distance:.4f}, slope of the first levels "
        rf"{comparison.level_slope:.3f}, best $\beta$ {comparison.beta_fit:.3f}",
        "(c) Error of the motif probabilities from the heaviest levels only, rescaled: sum over motifs, exact sum 1",
        *_laws(table), "The supplement was not available; no values are published",
    )  # fmt: skip
    style.small_print(fig, sentences(note, *facts))
    return fig


def _shown_width(rows: pd.DataFrame) -> int:
    """K of the first panels: the largest whose classes fit side by side, with variational states if there are any."""
    if rows.empty:
        raise TableError("the table has no rows of series mev")
    classes = rows.groupby("width").motif_class.nunique()
    fitting = classes[classes <= MOST_CLASSES].index
    compared = rows[rows.source != "exact"].width
    chosen = set(fitting) & set(compared) or set(fitting) or {classes.index.min()}
    return int(max(chosen))


def _draw_probabilities(ax: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic, one column per class, the likeliest first in the exact state."""
    exact = rings.at(rows, source="exact").sort_values("probability", ascending=False, kind="stable")
    places = pd.Series(np.arange(len(exact)), index=exact.motif_class)
    cells = [(source, n) for source in SOURCES for n in rings.sizes(rings.at(rows, source=source))]
    for index, (source, n_sites) in enumerate(cells):
        here = rings.at(rows, source=source, n_sites=n_sites)
        colour, marker, name = SOURCES[source]
        look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 2.8}
        shift = 0.0
        if source == "exact":
            look |= {"markersize": 9, "markeredgewidth": 1.2}
        else:
            shift = APART * (index - 1 - (len(cells) - 2) / 2)
        ax.plot(places[here.motif_class] + shift, here.probability, label=f"{name}, $N={n_sites}$", **look)
    ax.set_yscale("log")
    ax.set_xticks(range(len(exact)), labels=[_arrows(motif) for motif in exact.motif], fontsize=6, linespacing=0.9)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.7, len(exact) - 0.3)
    for place in range(len(exact) - 1):
        ax.axvline(place + 0.5, color="0.92", linewidth=0.5, zorder=0)
    ax.set(xlabel="motif $s$\N{PRIME}", ylabel=r"probability $\langle m_{s\prime}\rangle/N$")
    ax.legend(loc="lower left")


def _arrows(motif: str) -> str:
    """uudd as arrows, one above the other."""
    return "\n".join(motif.translate(ARROWS))


def _draw_levels(ax: Axes, rows: pd.DataFrame) -> None:
    exact, cft = (rings.at(rows, source=source).sort_values("rank") for source in ("exact", "cft"))
    ax.plot(exact["rank"], exact.weight, color=style.BLACK, marker="o", markersize=2, linestyle="none", label="exact")
    ax.plot(cft["rank"], cft.weight, **(CFT | {"drawstyle": "steps-mid"}))
    ax.set(yscale="log", xlabel="level, the heaviest first", ylabel=r"eigenvalue of $\rho_K$")
    ax.legend(loc="upper right")


def _draw_kept(ax: Axes, rows: pd.DataFrame, width: int) -> None:
    """Weight of the levels left out and error of the motif probabilities without them."""
    rows = rows.sort_values("rank").iloc[:-1]  # all levels leave nothing out
    ax.plot(rows["rank"], rows.weight_above, color=style.BLACK, marker=".", markersize=3, label="weight left out")
    look: dict[str, Any] = {"color": style.BLUE, "marker": "s", "markersize": 2}
    ax.plot(rows["rank"], rows.mev_error, label="error of probabilities", **look)
    ax.axvline(KEPT_PER_SITE * width, 0, BELOW_LEGEND, **(style.EXACT | {"label": f"$2K={KEPT_PER_SITE * width}$"}))
    ax.set(yscale="log", xlabel="levels kept", ylabel="weight, error")
    ax.legend(loc="upper right")


def _draw_conformal(ax: Axes, levels: pd.DataFrame) -> None:
    widths = sorted(int(width) for width in levels.width.unique())
    for colour, width in zip(style.sequence(len(widths)), widths, strict=True):
        here = rings.at(levels, width=width)
        pairs = here.pivot(index="rank", columns="source", values="level")
        ax.plot(pairs.cft, pairs.exact, color=colour, marker=".", markersize=3, linestyle="none", label=f"$K={width}$")
    highest = float(levels.level.max())
    ax.plot([0, highest], [0, highest], color="0.6", linestyle=":", zorder=0.5)
    ax.set(xlabel=r"$-\ln$ eigenvalue, CFT", ylabel=r"$-\ln$ eigenvalue, exact", xlim=(0, None), ylim=(0, None))
    ax.legend(loc="upper left", handletextpad=0.2)


def _draw_numbers(ax: Axes, table: pd.DataFrame) -> None:
    rows = rings.at(table, series="truncation")
    shares = sorted(rows.share.unique())
    for share, colour, marker in zip(shares, (style.BLUE, style.VERMILLION), "os", strict=True):
        here = rings.at(rows, share=share).sort_values("width")
        ax.plot(here.width, here.levels, color=colour, marker=marker, label=f"{100 * share:g} % of the weight")
    widths = np.sort(rows.width.unique())
    ax.plot(widths, 2.0**widths, color="0.45", linestyle=":", label="all, $2^K$")
    ax.plot(widths, 2.0 * widths, **(style.EXACT | {"label": "$2K$"}))
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    ax.set(xlabel="block length $K$ (sites)", ylabel="number of levels")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper left", handlelength=1.6, borderaxespad=0.2)


def _laws(table: pd.DataFrame) -> list[str]:
    """How the numbers of levels grow."""
    laws = rings.at(table, series="truncation_law")
    if laws.empty or "exponent" not in laws:
        return []
    powers = ", ".join(
        rf"$K^{{{row['exponent']:.2f}}}$ ({100 * row['share']:g} %; from one $K$ to the next "
        f"{row['exponent_lowest']:.2f} to {row['exponent_highest']:.2f})"
        for row in laws.to_dict("records")
    )
    return [f"(e) Least squares on logarithms: {powers}"]


def figS2(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Entropy against block length (a) and against the chord's length, where all rings fall on one line (b)."""
    require(
        table,
        (
            "series", "n_sites", "length", "chord", "entropy", "entropy_fit", "entropy_c1", "central_charge",
            "central_charge_error", "constant_c1",
        ),
    )  # fmt: skip
    fig, axes = style.double_column(1, 2, height=3.2)
    left, right = axes[0]
    blocks, curves = rings.at(table, series="entropy"), rings.at(table, series="curve")
    columns = rings.sizes(blocks)
    markers = "osD^v<>ph"
    for index, (colour, n_sites) in enumerate(zip(style.sequence(len(columns)), columns, strict=True)):
        here, curve = (rings.at(rows, n_sites=n_sites).sort_values("length") for rows in (blocks, curves))
        look: dict[str, Any] = {"color": colour, "marker": markers[index % len(markers)], "linestyle": "none"}
        left.plot(here.length, here.entropy, label=f"$N={n_sites}$", **look)
        left.plot(curve.length, curve.entropy_fit, color=colour, linewidth=0.8)
        left.plot(curve.length, curve.entropy_c1, color=colour, linewidth=0.8, linestyle=":")
        right.plot(here.chord, here.entropy, **look)
    _draw_pooled(right, table, blocks)
    left.set(xlabel="block length $K$ (sites)", ylabel="entropy $S$ (nats)")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xscale="log", xlabel=r"chord $(N/\pi)\,\sin(\pi K/N)$ (sites)", ylabel="entropy $S$ (nats)")
    ticks = [tick for tick in (0.5, 1, 2, 3, 4, 5, 6, 8) if blocks.chord.min() * 0.9 < tick < blocks.chord.max() * 1.1]
    right.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    rings.letters(axes)
    keys = [
        Line2D([], [], color="0.3", linewidth=0.8, label="$c$ fitted"),
        Line2D([], [], color="0.3", linewidth=0.8, linestyle=":", label="$c=1$"),
    ]
    style.legend_above(fig, [left], keys, columns=len(columns) + 2)
    facts = (
        r"Curves: $S=(c/3)\,\ln[(N/\pi)\,\sin(\pi K/N)]+$ constant, least squares from $K=2$ on",
        _charges(table),
        _growth(table),
        "The supplement was not available; no values are published",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def _draw_pooled(ax: Axes, table: pd.DataFrame, blocks: pd.DataFrame) -> None:
    """The lines through all rings."""
    fits = rings.at(table, series="fit")
    pooled = fits[fits.n_sites.isna()]
    if pooled.empty:
        return
    one = pooled.iloc[0]
    chords = np.array([blocks.chord.min(), blocks.chord.max()])
    ax.plot(chords, one.central_charge / 3 * np.log(chords) + one.constant, color="0.3", linewidth=0.8, zorder=0.5)
    ax.plot(chords, np.log(chords) / 3 + one.constant_c1, color="0.3", linewidth=0.8, linestyle=":", zorder=0.5)


def _charges(table: pd.DataFrame) -> str:
    """The fitted central charges, with the standard errors of the fits."""
    fits = rings.at(table, series="fit")
    if fits.empty:
        return ""
    found = [
        rf"${row['central_charge']:.3f}\pm{row['central_charge_error']:.3f}$ "
        + ("(all)" if np.isnan(row["n_sites"]) else f"($N={row['n_sites']:g}$)")
        for row in fits.to_dict("records")
    ]
    return f"$c$, with the standard error of the fit: {', '.join(found)}"


def _growth(table: pd.DataFrame) -> str:
    """What the fit through all rings says about the growth of the entropy, for these rings and blocks."""
    fits = rings.at(table, series="fit")
    pooled = fits[fits.n_sites.isna()]
    if pooled.empty:
        return ""
    charge, error = pooled.iloc[0].central_charge, pooled.iloc[0].central_charge_error
    if not charge > ERRORS * error:
        return "On these rings no growth of the entropy with the block is resolved"
    off = charge - 1
    known = "as" if abs(off) <= ERRORS * error else f"{100 * abs(off):.1f} % {'above' if off > 0 else 'below'} what"
    return (
        "On these rings the entropy grows as the logarithm of the block, not by an area law; $c$ is "
        f"{known} a critical chain with $c=1$ has"
    )
