"""Figure 1 of Ju et al. (2025): the network, the states it learns, and the motifs that it knows them by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle, Wedge

from nqs.figures import rings, style
from nqs.figures.table import require, sentences
from nqs.studies.ju2025.figures.networks import LABELS
from nqs.studies.ju2025.figures.symmetry import ARROWS

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
UP, DOWN = style.DARK, "1"  # colours of a spin
WINDOW = style.AMBER
KERNEL = (0.75, 0.42, 0.3, 0.62)  # shades of the drawn filter
TINY = 6.0  # points
MOST_NAMED = 16  # motifs with their arrows beside the axis
CONSTANT = r"$\psi$ of all its runs is constant at the end"


def fig1(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """The network (a), ln psi of all states at several iterations and exact (b), and the counts of motifs (c)."""
    require(
        table,
        (
            "series", "n_sites", "position", "spins", "state_class", "class_size", "log_psi", "iteration", "fidelity",
            "motif_position", "motif_spins", "motif_class", "count", "network", "width", "seed", "learning_rate",
            "steps", "stuck",
        ),
    )  # fmt: skip
    first = table.iloc[0]
    fig = style.figure(style.DOUBLE_COLUMN, 6.5)
    grid = fig.add_gridspec(4, 2, height_ratios=(1.5, 1.75, 1.75, 0.75), width_ratios=(1, 0.015))
    scheme, learned, counts, states = (
        fig.add_subplot(where) for where in (grid[0, :], grid[1, 0], grid[2, 0], grid[3, 0])
    )
    exact = rings.at(table, series="exact").sort_values("position")
    _draw_architecture(scheme, exact.spins.iloc[len(exact) // 2], int(first.width))
    _draw_learning(learned, rings.at(table, series="learned"), exact)
    bar = fig.add_subplot(grid[2, 1])
    _draw_counts(counts, bar, rings.at(table, series="counts"))
    _draw_states(states, exact)
    for ax in (learned, counts, states):
        _mark_classes(ax, exact)
    rings.letters([scheme, learned, counts])
    facts = (
        rf"$N={first.n_sites}$, $K={first.width}$, {len(exact)} states with $S^z=0$, normalised to $\Sigma_s\psi^2=1$",
        f"One run ({LABELS.get(first.network, first.network)}, learning rate {first.learning_rate:g}, {first.steps} "
        f"step{'s' if first.steps > 1 else ''} per sample), the lowest in energy",
        CONSTANT if first.stuck else "",
        "No mean and no error bars",
        r"$F=|\langle\psi|\psi_\mathrm{exact}\rangle|^2$",
        "Numbers above the panels: states that translation, reflection and exchange of up and down connect",
        "Last row: the states, dark sites are up; motifs are grouped likewise, by reflection and exchange",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def _mark_classes(ax: Axes, states: pd.DataFrame) -> None:
    """Lines between the classes of states."""
    ends = states.groupby("state_class").position.max() + 0.5
    for end in ends.iloc[:-1]:
        ax.axvline(end, color="0.55", linewidth=0.5, zorder=0.6 if ax.lines else 3)
    ax.set_xlim(-0.5, states.position.max() + 0.5)
    ax.set_xticks([])


def _draw_learning(ax: Axes, rows: pd.DataFrame, exact: pd.DataFrame) -> None:
    iterations = sorted(int(iteration) for iteration in rows.iteration.unique())
    ax.plot(exact.position, exact.log_psi, "_", color=style.BLACK, markersize=5, label="exact", zorder=2.4)
    for colour, iteration in zip(style.sequence(len(iterations)), iterations, strict=True):
        line = rings.at(rows, iteration=iteration).sort_values("position")
        label = rf"iteration {iteration}, $F={line.fidelity.iloc[0]:.4f}$"
        ax.plot(line.position, line.log_psi, ".", color=colour, label=label)
    for _, members in exact.groupby("state_class"):
        ax.text(
            members.position.mean(),
            1.03,
            f"{len(members)}",
            transform=ax.get_xaxis_transform(),
            ha="center",
            fontsize=7,
        )
    ax.set_ylabel(r"$\ln\psi(s)$")
    legend = ax.legend(loc="lower right", ncols=2, handletextpad=0.2, columnspacing=1, frameon=True, framealpha=1)
    legend.get_frame().set(edgecolor="none")


def _draw_counts(ax: Axes, bar: Axes, rows: pd.DataFrame) -> None:
    """Counts of motifs (rows) in states (columns)."""
    counts = rows.pivot(index="motif_position", columns="position", values="count").to_numpy(dtype=int)
    highest = int(counts.max())
    colours = ListedColormap(colormaps["Blues"](np.linspace(0, 0.95, highest + 1)))
    norm = BoundaryNorm(np.arange(highest + 2) - 0.5, highest + 1)
    ax.imshow(counts, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
    motifs = rows.drop_duplicates("motif_position").sort_values("motif_position")
    for last in (motifs.groupby("motif_class").motif_position.max() + 0.5).iloc[:-1]:
        ax.axhline(last, color="0.8", linewidth=0.4)
    names = [spins.translate(ARROWS) for spins in motifs.motif_spins]
    step = 1 + (len(names) - 1) // MOST_NAMED
    ax.set_yticks(range(0, len(names), step), labels=names[::step], fontsize=TINY)
    ax.tick_params(length=0)
    ax.set_ylabel("motif")
    ticks = range(0, highest + 1, 1 + highest // 8)
    ax.figure.colorbar(ScalarMappable(norm, colours), cax=bar, ticks=ticks, label="count $m$")
    bar.tick_params(length=0)
    bar.minorticks_off()


def _draw_states(ax: Axes, states: pd.DataFrame) -> None:
    """The states themselves, one column each, site 0 at the bottom."""
    spins = np.array([[letter == "u" for letter in word] for word in states.spins]).T  # (site, state)
    ax.imshow(spins, cmap=ListedColormap(["0.93", "0.25"]), aspect="auto", origin="lower", interpolation="nearest")
    ax.set_yticks([0, len(spins) - 1], labels=["0", f"{len(spins) - 1}"])
    ax.tick_params(length=0)
    ax.set(ylabel="site", xlabel="states, class by class")


# The drawing is 14 wide; a unit is about half an inch.
MIDDLE = 1.5
SIZE = 0.34  # of a cell of a window
Point = tuple[float, float]


def _draw_architecture(ax: Axes, spins: str, width: int) -> None:
    """A filter slides around the ring; its rectified answers are summed and scaled."""
    ax.set(xlim=(0, 14), ylim=(-0.05, 3.0), aspect="equal")
    ax.set_axis_off()
    cell = min(SIZE, 1.5 / width)
    span = width * cell
    _draw_ring(ax, (1.5, MIDDLE), spins, width)
    _arrow(ax, (2.95, MIDDLE), (3.5, MIDDLE))
    _draw_window(ax, 3.6, cell, [UP if spin == "u" else DOWN for spin in spins[:width]])
    _caption(ax, 3.6 + span / 2, r"window $s_{i:i+K-1}$", "one-hot, $K\\times2$")
    ax.plot(3.6 + span + 0.2, MIDDLE, ".", color=style.DARK, markersize=3)
    start = 3.6 + span + 0.48
    shades = [colormaps["PuOr"](KERNEL[k % len(KERNEL)]) for k in range(width)]
    others = [colormaps["PuOr"](1 - KERNEL[k % len(KERNEL)]) for k in range(width)]
    _draw_window(ax, start, cell, shades, others)
    _caption(ax, start + span / 2, r"filter $w$", r"$K\times2$, shared")
    _symbol(ax, start + span + 0.42, r"$+\,b$")
    box = start + span + 1.45
    _arrow(ax, (start + span + 0.72, MIDDLE), (box - 0.02, MIDDLE))
    _draw_relu(ax, box)
    centre = box + 3.0
    _arrow(ax, (box + 0.94, MIDDLE), (centre - 1.12, MIDDLE))
    _draw_answers(ax, (centre, MIDDLE), len(spins))
    _arrow(ax, (centre + 1.1, MIDDLE), (centre + 1.55, MIDDLE))
    _symbol(ax, centre + 2.35, r"$v\,\Sigma_i=\ln\psi(s)$")


def _draw_ring(ax: Axes, centre: Point, spins: str, width: int) -> None:
    """Sites clockwise from the upper left, with the window marked."""
    radius, step = 1.05, 360 / len(spins)
    angles = 90 + (width - 1) * step / 2 - step * np.arange(len(spins))
    band = Wedge(
        centre, radius + 0.34, angles[width - 1] - step / 2, angles[0] + step / 2, width=0.68, color=WINDOW, alpha=0.55,
        linewidth=0, zorder=0,
    )  # fmt: skip
    ax.add_patch(band)
    ax.add_patch(Circle(centre, radius, fill=False, edgecolor="0.6", linewidth=0.7, zorder=0.5))
    size = min(0.22, 2.6 / len(spins))
    for angle, spin in zip(np.deg2rad(angles), spins, strict=True):
        site = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        ax.add_patch(Circle(site, size, facecolor=UP if spin == "u" else DOWN, edgecolor=UP, linewidth=0.7))
        tip = 0.15 * size / 0.22 * (1 if spin == "u" else -1)
        colour = DOWN if spin == "u" else UP
        ends = (site[0], site[1] - tip), (site[0], site[1] + tip)
        ax.add_patch(
            FancyArrowPatch(
                *ends, arrowstyle="-|>", mutation_scale=5, linewidth=0.7, color=colour, shrinkA=0, shrinkB=0
            )
        )
    ax.text(*centre, f"$s$\n$N={len(spins)}$", ha="center", va="center", fontsize=7)


def _draw_window(ax: Axes, left: float, cell: float, upper: list[Any], lower: list[Any] | None = None) -> None:
    """Two rows of cells, for a spin up and for a spin down."""
    lower = lower or [DOWN if colour == UP else UP for colour in upper]
    for row, (colours, spin) in enumerate(((lower, "d"), (upper, "u"))):
        bottom = MIDDLE + (row - 1) * cell
        for place, colour in enumerate(colours):
            where = left + place * cell, bottom
            ax.add_patch(Rectangle(where, cell, cell, facecolor=colour, edgecolor="0.35", linewidth=0.6))
        ax.text(left - 0.06, bottom + cell / 2, spin.translate(ARROWS), ha="right", va="center", fontsize=TINY)


def _draw_relu(ax: Axes, left: float) -> None:
    side, bottom = 0.86, MIDDLE - 0.43
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.06, bottom + 0.06),
            side - 0.12,
            side - 0.12,
            boxstyle="round,pad=0.06",
            facecolor="0.96",
            edgecolor="0.35",
            linewidth=0.6,
        )
    )
    ax.plot([left + 0.12, left + 0.74], [bottom + 0.2] * 2, color="0.6", linewidth=0.5)
    ax.plot([left + 0.43] * 2, [bottom + 0.12, bottom + 0.74], color="0.6", linewidth=0.5)
    ax.plot(
        [left + 0.12, left + 0.43, left + 0.74],
        [bottom + 0.2, bottom + 0.2, bottom + 0.66],
        color=style.BLUE,
        linewidth=1.4,
    )
    _caption(ax, left + side / 2, "", r"ReLU $\sigma$", 0.6)


def _draw_answers(ax: Axes, centre: Point, n_sites: int) -> None:
    """One number for each place of the window."""
    radius, side = 0.82, min(0.3, 3.2 / n_sites)
    ax.add_patch(Circle(centre, radius, fill=False, edgecolor="0.6", linewidth=0.7, zorder=0.5))
    for place in range(n_sites):
        angle = np.deg2rad(90 - 360 / n_sites * place)
        corner = centre[0] + radius * np.cos(angle) - side / 2, centre[1] + radius * np.sin(angle) - side / 2
        shade = colormaps["Blues"](0.1 + 0.7 * ((3 * place) % n_sites) / n_sites)
        edge = (style.ORANGE, 1.6) if place == 0 else ("0.35", 0.6)
        ax.add_patch(Rectangle(corner, side, side, facecolor=shade, edgecolor=edge[0], linewidth=edge[1]))
    ax.text(*centre, f"$i=0\\ldots{n_sites - 1}$", ha="center", va="center", fontsize=6)


def _caption(ax: Axes, x: float, above: str, below: str, gap: float = 0.5) -> None:
    ax.text(x, MIDDLE + gap, above, ha="center", va="bottom", fontsize=7)
    ax.text(x, MIDDLE - gap, below, ha="center", va="top", fontsize=7)


def _symbol(ax: Axes, x: float, text: str) -> None:
    ax.text(x, MIDDLE, text, ha="center", va="center", fontsize=9)


def _arrow(ax: Axes, start: Point, end: Point) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=7, linewidth=0.8, color="0.35", shrinkA=0, shrinkB=0
        )
    )
