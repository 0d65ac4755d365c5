"""Figures 4 to 8 of Mummaneni and Sajjan (2026): what single hidden units look like and do, N = 4 and 8.

Removing a unit drops its factor from the amplitude; nothing is trained again. A table shows one representative model
per ring and mode; where it holds means over seeds, they are drawn with their errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from nqs.figures import rings, style
from nqs.figures.table import TableError, require, sentences

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
REPRESENTATIVE = "The model shown is the one with the median sampled error"
RANKS = "Rank 1: the unit whose removal changes the energy most"
STRONG = ((style.VERMILLION, "s"), (style.AMBER, "D"), (style.PURPLE, "^"))  # ranks 1, 2 and 3
WEAK = ((style.SKY, "v"), (style.BLUE, "."))  # the last but one and the last
SIZE_OF_NOTES = 6  # points, beside a row of weights
FIRST_UNIT: dict[str, Any] = {"color": style.VERMILLION, "marker": "s"}  # the unit of rank 1, alone
OTHER_UNITS: dict[str, Any] = {"color": "0.62", "marker": "o"}
NO_UNIT: dict[str, Any] = {"color": style.BLUE, "linestyle": ":", "linewidth": 1.1}


def fig4(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Weights of the hidden units with |S_AFM| (above) and the largest |S_AFM| of every seed (below)."""
    random = ("random_mean", "random_low", "random_high")
    require(table, ("n_sites", "mode", "series", "repeat", "unit", "site", "weight", "s_afm", *random, *rings.MEANS))
    columns, modes = rings.sizes(table), rings.modes(table)
    fig = style.figure(style.DOUBLE_COLUMN, 4.6)
    grid = fig.add_gridspec(2, len(columns) * len(modes), height_ratios=(2.2, 1))
    patterns, spreads = rings.at(table, series="representative"), rings.at(table, series="distribution")
    drawn = []
    for column, n_sites in enumerate(columns):
        for index, mode in enumerate(modes):
            ax = fig.add_subplot(grid[0, column * len(modes) + index])
            _draw_patterns(fig, ax, rings.at(patterns, n_sites=n_sites, mode=mode))
            ax.set_title(rings.title(mode, n_sites=n_sites))
            drawn.append(ax)
    drawn[0].set_ylabel("hidden unit, by $|S_\\mathrm{AFM}|$")
    top = rings.fact(published, "top_score_n4")["value"]
    for column, n_sites in enumerate(columns):
        ax = fig.add_subplot(grid[1, column * len(modes) : (column + 1) * len(modes)])
        _draw_scores(ax, rings.at(spreads, n_sites=n_sites), modes)
        if n_sites == 4:
            style.published(ax, [top], [modes.index("paper") if "paper" in modes else 0], marker="D")
        ax.set_title(f"$N={n_sites}$, all models")
        drawn.append(ax)
    rings.letters(drawn)
    style.legend_above(fig, drawn)
    facts = (
        "Numbers beside the rows: $|S_\\mathrm{AFM}|$, Pearson correlation of the weights with $(-1)^i$",
        "Its sign is a gauge: $(W_j,b_j)\\to-(W_j,b_j)$ leaves the state unchanged",
        "The model shown is the one whose largest $|S_\\mathrm{AFM}|$ is the median",
        "Band: central 95 % for as many units with random weights, dotted: their mean",
    )
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _draw_patterns(fig: Figure, ax: Axes, rows: pd.DataFrame) -> None:
    """Heat map of weights, one row per unit, best score on top."""
    if rings.nothing(ax, rows):
        return
    scores = rows.drop_duplicates("unit").set_index("unit").s_afm.abs().sort_values(ascending=False, kind="stable")
    weights = rows.pivot(index="unit", columns="site", values="weight").loc[scores.index]  # (unit, site)
    largest = float(weights.abs().to_numpy().max())
    image = ax.imshow(weights, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
    for row, score in enumerate(scores):
        ax.text(1.04, row, f"{score:.2f}", transform=ax.get_yaxis_transform(), fontsize=SIZE_OF_NOTES, va="center")
    ax.set_yticks(range(len(scores)), labels=[f"{unit:g}" for unit in scores.index], fontsize=SIZE_OF_NOTES)
    ax.tick_params(which="both", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("site")
    bar = fig.colorbar(image, ax=ax, location="bottom", aspect=14, label="weight")
    bar.ax.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))


def _draw_scores(ax: Axes, rows: pd.DataFrame, modes: list[str]) -> None:
    """Largest |S_AFM| of each model, one line of points per mode, before the band of random weights."""
    first = rows.iloc[0]
    ax.axvspan(first.random_low, first.random_high, color=style.SHADE, linewidth=0, zorder=0, label="random weights")
    ax.axvline(first.random_mean, color="0.6", linestyle=":", zorder=0.5)
    for index, mode in enumerate(modes):
        scores = rings.at(rows, mode=mode).s_afm.abs().sort_values()
        heights = index + np.linspace(-0.25, 0.25, len(scores)) if len(scores) != 1 else [index]
        ax.plot(scores, heights, **(style.series(mode) | {"linestyle": "none"}))
    ax.set(
        xlim=(min(first.random_low, *rows.s_afm.abs()) - 0.05, 1.03),
        ylim=(len(modes) - 0.4, -0.6),
        xlabel=r"largest $|S_\mathrm{AFM}|$",
    )
    ax.set_yticks(range(len(modes)), labels=modes)
    ax.tick_params(axis="y", length=0)


def fig5(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Energy change when one unit is removed, by rank; one column per ring, one row per sector."""
    change = "delta_energy_fraction"
    require(table, ("n_sites", "mode", "sector", "series", "rank", change, f"{change}_sem", *rings.MEANS))
    rows, columns, modes = rings.sectors(table), rings.sizes(table), rings.modes(table)
    least = rings.fact(published, "n4_dominant_unit")["value"] / 100
    fig, axes = style.double_column(len(rows), len(columns), height=1.0 + 1.6 * len(rows))
    for (row, column), ax in np.ndenumerate(axes):
        here = rings.at(table, sector=rows[row], n_sites=columns[column])
        width = 0.8 / len(modes)
        for index, mode in enumerate(modes):
            look, shift = style.series(mode), width * (index - (len(modes) - 1) / 2)
            bars = rings.at(here, mode=mode, series="representative")
            ax.bar(bars["rank"] + shift, bars[change], width, color=look["color"], alpha=0.35, linewidth=0)
            means = rings.at(here, mode=mode, series="mean_by_rank")
            means_look = look | {"linestyle": "none"}
            ax.errorbar(means["rank"] + shift, means[change], means[f"{change}_sem"], **means_look)
        ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        if columns[column] == 4:
            style.published(ax, [1], [least], marker="^", markersize=5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0.4, here["rank"].max() + 0.6)
        ax.set_title(f"$N={columns[column]}$, {rings.SECTORS[rows[row]]}")
        if column == 0:
            ax.set_ylabel(r"$\Delta E/|E|$")
        if row == len(rows) - 1:
            ax.set_xlabel("rank of the removed unit")
    rings.letters(axes)
    style.legend_above(fig, axes.flat, [Patch(color="0.7", linewidth=0, label="one model")])
    facts = (
        rings.SUMS, RANKS, "Points: mean over models of the unit of each rank; error bars: standard error",
        f"Bars: one model. {REPRESENTATIVE}", f"Hollow triangle: published lower bound {least:g}, one model",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def fig6(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Correlations after one unit is removed; columns: ring and mode, rows: sector. Nothing published is overlaid."""
    require(table, ("n_sites", "mode", "sector", "series", "rank", "n_hidden", "r", "czz", *rings.MEANS))
    rows = rings.sectors(table)
    columns = [(n_sites, mode) for n_sites in rings.sizes(table) for mode in rings.modes(table)]
    fig, axes = style.double_column(len(rows), len(columns), height=1.0 + 1.6 * len(rows))
    for (row, column), ax in np.ndenumerate(axes):
        n_sites, mode = columns[column]
        here = rings.at(table, sector=rows[row], n_sites=n_sites, mode=mode)
        ax.set_title(f"$N={n_sites}$, {mode}, {rings.SECTORS[rows[row]]}")
        if rings.nothing(ax, here):
            continue
        full = rings.at(here, series="full").sort_values("r")
        ax.plot(full.r, full.czz, **(style.series("full") | {"linewidth": 1.6}))
        for rank, line in rings.lines(rings.at(here, series="removed"), "rank", "r"):
            ax.plot(line.r, line.czz, **_rank_look(rank, int(line.n_hidden.iloc[0])))
        exact = rings.at(here, series="exact").sort_values("r")
        ax.plot(exact.r, exact.czz, **style.EXACT)
        rings.distance_axis(ax)
        if column == 0:
            ax.set_ylabel(r"$C_{zz}(r)$")
    rings.letters(axes)
    style.legend_above(fig, axes.flat, columns=4)
    facts = (rings.SUMS, "One model per ring and mode, no mean and no error bars", REPRESENTATIVE, RANKS)
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _rank_look(rank: int, n_hidden: int) -> dict[str, Any]:
    """How the state without the unit of this rank is drawn."""
    below = n_hidden - rank
    if rank <= len(STRONG):
        (colour, marker), label = STRONG[rank - 1], f"without rank {rank}"
    elif below < len(WEAK):
        (colour, marker), label = WEAK[1 - below], "without the last but one" if below else "without the last"
    else:
        raise TableError(f"rank {rank} of {n_hidden} is neither among the first three nor among the last two")
    return {"color": colour, "marker": marker, "markersize": 2.6, "label": label}


def fig7(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """One unit kept: two rows per sector, its energy and its correlations. Nothing published is overlaid."""
    energies = ("energy_alone", "energy_none", "energy_full", "exact_energy")
    correlations = ("r", "czz_alone", "czz_full", "exact_czz")
    require(table, ("n_sites", "mode", "sector", "unit", "rank", *energies, *correlations, *rings.MEANS))
    sectors = rings.sectors(table)
    columns = [(n_sites, mode) for n_sites in rings.sizes(table) for mode in rings.modes(table)]
    fig, axes = style.double_column(2 * len(sectors), len(columns), height=1.1 + 2.9 * len(sectors))
    for column, (n_sites, mode) in enumerate(columns):
        for row, sector in enumerate(sectors):
            upper, lower = axes[2 * row : 2 * row + 2, column]
            here = rings.at(table, n_sites=n_sites, mode=mode, sector=sector)
            _draw_energies_alone(upper, here)
            _draw_correlations_alone(lower, here)
            upper.set_title(rings.title(mode, n_sites=n_sites) if row == 0 else "")
    for row, sector in enumerate(sectors):
        axes[2 * row, 0].set_ylabel(f"energy ($J$)\n{rings.SECTORS[sector]}")
        axes[2 * row + 1, 0].set_ylabel(f"$C_{{zz}}(r)$\n{rings.SECTORS[sector]}")
    fig.align_ylabels(axes[:, 0])
    _share_heights(axes, [n_sites for n_sites, _ in columns])
    rings.letters(axes)
    style.legend_above(fig, [], _keys_of_fig7(), columns=5)
    facts = (
        rings.HAMILTONIAN, rings.SUMS, "Kept: the visible bias and one hidden unit", RANKS, REPRESENTATIVE,
        "No mean and no error bars",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _keys_of_fig7() -> list[Line2D]:
    return [
        Line2D([], [], **FIRST_UNIT, linewidth=1.1, label="only the unit of rank 1"),
        Line2D([], [], **OTHER_UNITS, linewidth=0.6, label="only one other unit"),
        Line2D([], [], **NO_UNIT, label="no hidden unit"),
        Line2D([], [], color=style.DARK, linewidth=1.1, label="all hidden units"),
        Line2D([], [], **style.EXACT),
    ]


def _share_heights(axes: np.ndarray, groups: list[int]) -> None:
    """The same vertical axis for all columns of a group in each row, labelled in the first of them."""
    for row in axes:
        for group in dict.fromkeys(groups):
            drawn = [ax for ax, one in zip(row, groups, strict=True) if one == group and ax.get_yticks().size]
            limits = [limit for ax in drawn for limit in ax.get_ylim()]
            for index, ax in enumerate(drawn):
                ax.set_ylim(min(limits), max(limits))
                ax.tick_params(labelleft=index == 0)


def _draw_energies_alone(ax: Axes, rows: pd.DataFrame) -> None:
    """Energy of every unit alone, between the levels of none and of all of them."""
    if rings.nothing(ax, rows):
        return
    units = rows.drop_duplicates("unit").sort_values("rank")
    one = units.iloc[0]
    ax.axhline(one.energy_none, **NO_UNIT)
    ax.axhline(one.energy_full, color=style.DARK, linewidth=1.1)
    ax.axhline(one.exact_energy, **style.EXACT)
    for chosen, look in ((units["rank"] > 1, OTHER_UNITS), (units["rank"] == 1, FIRST_UNIT)):
        ax.plot(units["rank"][chosen], units.energy_alone[chosen], **(look | {"linestyle": "none"}))
    ax.margins(y=0.08)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel("rank of the kept unit")


def _draw_correlations_alone(ax: Axes, rows: pd.DataFrame) -> None:
    """Correlations of every unit alone; the first one and all of them together stand out."""
    if rings.nothing(ax, rows):
        return
    for rank in sorted(rows["rank"].unique(), reverse=True):
        line = rings.at(rows, rank=rank).sort_values("r")
        look = FIRST_UNIT | {"linewidth": 1.1} if rank == 1 else OTHER_UNITS | {"linewidth": 0.6, "marker": ""}
        ax.plot(line.r, line.czz_alone, **look)
    whole = rows.drop_duplicates("r").sort_values("r")
    ax.plot(whole.r, whole.czz_full, color=style.DARK, linewidth=1.1)
    ax.plot(whole.r, whole.exact_czz, **style.EXACT)
    rings.distance_axis(ax)


def fig8(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Correlation impact against energy impact of every unit; one column per ring, one row per sector."""
    impacts = ("energy_impact", "correlation_impact")
    require(table, ("n_sites", "mode", "sector", "unit", *impacts, "rho", "rho_mean", "rho_sd", *rings.MEANS))
    rows, columns = rings.sectors(table), rings.sizes(table)
    tau = rings.fact(published, "importance_threshold")["value"]
    fig, axes = style.double_column(len(rows), len(columns), height=1.0 + 2.0 * len(rows))
    for (row, column), ax in np.ndenumerate(axes):
        here = rings.at(table, sector=rows[row], n_sites=columns[column])
        for mode in rings.modes(here):
            units = rings.at(here, mode=mode)
            one = units.iloc[0]
            look = style.series(mode)
            look |= {
                "linestyle": "none",
                "label": rf"{mode}: $\rho={one.rho:.2f}$ (${one.rho_mean:.2f}\pm{one.rho_sd:.2f}$)",
            }
            ax.plot(units.energy_impact, units.correlation_impact, **look)
        ax.axhline(tau, color="0.6", linestyle=":", zorder=0.5)
        ax.axvline(tau, color="0.6", linestyle=":", zorder=0.5)
        ax.set(xlim=(0, None), ylim=(0, None), title=f"$N={columns[column]}$, {rings.SECTORS[rows[row]]}")
        ax.legend(loc="best", handletextpad=0.3)
        if column == 0:
            ax.set_ylabel(r"$\Sigma_r|\Delta C_{zz}(r)|\,/\,\Sigma_r|C_{zz}(r)|$")
        if row == len(rows) - 1:
            ax.set_xlabel(r"$|\Delta E|/|E|$")
    rings.letters(axes)
    facts = (
        rings.SUMS, "One point per hidden unit of one model", REPRESENTATIVE, "Sums over $r=1\\ldots N/2$",
        r"$\rho$: Pearson correlation over its units, in brackets mean $\pm$ standard deviation over models",
        rf"Dotted: published threshold $\tau={tau:g}$ of importance",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig
