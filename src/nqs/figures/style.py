"""How every figure looks: column widths, one style per network and target, shared marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

STYLE_FILE = Path(__file__).with_name("nqs.mplstyle")
SINGLE_COLUMN = 3.4  # inches
DOUBLE_COLUMN = 7.0
J2_OVER_J1 = "$J_2/J_1$"

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY, BLACK = "#CC79A7", "#E69F00", "#56B4E9", "#000000"
AMBER = "#F0B73C"  # lighter than orange: for colour-blind viewers, the further from vermillion
DARK = "#222222"

# name: (colour, marker, label)
SERIES = {
    "dense1": (BLUE, "s", "1-layer dense"),
    "dense2": (VERMILLION, "o", "2-layer dense"),
    "cnn": (GREEN, "^", "convolutional"),
    "signs_first": (DARK, "D", "signs first"),
    "sign": (BLUE, "o", "signs"),
    "amplitude": (ORANGE, "D", "amplitudes"),
    "alpha1": (DARK, "v", r"$\alpha=1$"),  # hidden units per site
    "alpha2": (BLUE, "o", r"$\alpha=2$"),
    "alpha3": (VERMILLION, "s", r"$\alpha=3$"),
    "alpha4": (GREEN, "^", r"$\alpha=4$"),
    "alpha5": (AMBER, "D", r"$\alpha=5$"),
    "paper": (BLUE, "o", "paper mode"),  # how a Boltzmann machine is sampled while it trains
    "sound": (VERMILLION, "s", "sound mode"),
    "paper-zero": (BLUE, "o", "paper mode, $S^z=0$"),  # the same, and the states an exact sum runs over
    "paper-all": (SKY, "v", "paper mode, all states"),
    "sound-zero": (VERMILLION, "s", "sound mode, $S^z=0$"),
    "sound-all": (AMBER, "D", "sound mode, all states"),
    "full": (DARK, "o", "all hidden units"),  # which hidden units are kept
    "important": (GREEN, "^", "important units only"),
    "unimportant": (ORANGE, "v", "unimportant units only"),
}
EXACT: dict[str, Any] = {"color": "0.45", "linestyle": (0, (3, 1.6)), "linewidth": 0.9, "label": "exact"}

# J2/J1 between which each model is strongly frustrated [Westerhout 2020].
FRUSTRATED = {"square": (0.4, 0.6), "triangle": (1.25, inf), "kagome": (0.51, 1.82)}
NOWHERE = (inf, inf)  # of clusters given by their bonds nothing is known
SHADE = "0.9"
PUBLISHED_SIZE = 4.5
SMALL_PRINT = 6.0  # points


def single_column(height: float = 2.7) -> tuple[Figure, Axes]:
    """Figure of one column's width with one axes; height in inches."""
    fig = figure(SINGLE_COLUMN, height)
    return fig, fig.subplots()


def double_column(rows: int = 1, columns: int = 3, height: float = 2.6) -> tuple[Figure, np.ndarray]:
    """Figure of two columns' width and its axes (rows, columns); height in inches."""
    fig = figure(DOUBLE_COLUMN, height)
    return fig, fig.subplots(rows, columns, squeeze=False)


def use() -> None:
    """Make the style file matplotlib's settings; every figure below does so by itself."""
    matplotlib.style.use(STYLE_FILE)


def figure(width: float, height: float) -> Figure:
    """Empty figure in the project's style; inches."""
    use()
    return Figure(figsize=(width, height), layout="constrained")


def sequence(count: int) -> list[tuple[float, float, float, float]]:
    """Colours from dark to light for an ordered quantity, such as the number of sites."""
    return [tuple(colour) for colour in colormaps["viridis"](np.linspace(0, 0.9, count))]


def series(name: str) -> dict[str, Any]:
    """Line, marker, colour and label of a series; black if it is not in SERIES."""
    colour, marker, label = SERIES.get(name, (BLACK, "v", name))
    return {"color": colour, "marker": marker, "linestyle": "-", "label": label}


def published(ax: Axes, x: ArrayLike, y: ArrayLike, label: str = "published", **marks: Any) -> Line2D:
    """Hollow markers at published values x, y; `marks` sets colour and marker (see `series`)."""
    hollow = {"color": BLACK, "marker": "o"} | marks
    hollow |= {"linestyle": "none", "markerfacecolor": "none", "markersize": PUBLISHED_SIZE}
    (line,) = ax.plot(x, y, label=label, zorder=1.9, **hollow)
    return line


def published_key(label: str = "published") -> Line2D:
    """Legend entry that stands for the hollow markers of every colour."""
    return Line2D(
        [], [], color="0.4", marker="o", linestyle="none", markerfacecolor="none",
        markersize=PUBLISHED_SIZE,
        label=label,
    )  # fmt: skip


def frustrated(ax: Axes, lattice: str) -> None:
    """Shade J2/J1 where `lattice` is strongly frustrated; set the limits of the x axis first."""
    left, right = ax.get_xlim()
    start, end = FRUSTRATED.get(lattice, NOWHERE)
    if start < right and end > left:
        ax.axvspan(max(start, left), min(end, right), color=SHADE, linewidth=0, zorder=0)
    ax.set_xlim(left, right)


def is_frustrated(lattice: str, j2_over_j1: float) -> bool:
    """Whether `lattice` is strongly frustrated at this coupling; the ends of the region are part of it."""
    start, end = FRUSTRATED.get(lattice, NOWHERE)
    return start <= j2_over_j1 <= end


def frustrated_key() -> Patch:
    """Legend entry of the shaded region."""
    return Patch(color=SHADE, linewidth=0, label="strongly frustrated")


def readable_log_ticks(axis: Axis) -> None:
    """Plain numbers at 1, 2 and 5 of every decade, for logarithmic axes of one or two decades."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def legend_above(fig: Figure, axes: Iterable[Axes], extra: Sequence[Artist] = (), columns: int = 6) -> None:
    """One legend above the panels: each label of `axes` once, then `extra`."""
    entries: dict[str, Artist] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    entries |= {str(handle.get_label()): handle for handle in extra}
    if entries:
        fig.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=columns)


def small_print(fig: Figure, text: str) -> None:
    """Lines of small type below the panels, wrapped to the figure's width."""
    margin = 0.01
    hinting = 0.95  # pixel fonts are a little wider than the outlines that are measured
    width = 72 * fig.get_figwidth() * (1 - 2 * margin) * hinting  # points
    # As the figure's x label the text gets its own room from the layout.
    fig.supxlabel(
        "\n".join(_wrapped(text, width)),
        x=margin,
        ha="left",
        fontsize=SMALL_PRINT,
        color="0.3",
        linespacing=1.15,
    )


def _wrapped(text: str, width: float) -> list[str]:
    """Lines at most `width` points wide in small print; formulas stay whole."""
    space = _reach("n n") - _reach("nn")
    lines, end = [""], 0.0
    for word in re.findall(r"(?:\$[^$]*\$|\S)+", text):
        longer = end + space + _reach(word)
        if lines[-1] and longer <= width:
            lines[-1], end = f"{lines[-1]} {word}", longer
        else:
            lines[-1:] = [*filter(None, lines[-1:]), word]
            end = _reach(word)
    return lines


@cache
def _reach(text: str) -> float:
    """Width of text in small print, in points; formulas take long to measure."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=SMALL_PRINT), "$" in text)
    return float(width)


def panel_label(ax: Axes, letter: str) -> None:
    """Bold letter at the upper left, outside the axes."""
    ax.set_title(letter, loc="left", fontweight="bold")
