"""Figures of Mummaneni and Sajjan (2026), arXiv:2603.24223: training of small rings; the hidden units are in
`mummaneni2026_units`, the systematic study in `mummaneni2026_study`.

Each function takes the figure's table, the published numbers (the mapping of reference/mummaneni2026/published.yaml)
and a note that opens the small print, such as "laptop scale". The headline is the paper's mode summed over Sz = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nqs.figures import rings, style
from nqs.figures.table import require, sentences

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
SUBLATTICES = (style.BLUE, style.VERMILLION)
MEDIAN, SEED = "median seed", "seed"  # series of fig2
APART = 0.07  # in alpha, between points of one density
Training = tuple[int, int, str]  # sites, density, mode
LOWEST_WEIGHT = 1e-7  # axis of figX2; smaller weights are cut
LOWEST_WEIGHT_LARGEST = 1e-15  # of the largest ring, whose polarised weight starts from there


def fig1(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """The rings, one panel per cluster; nothing published is overlaid."""
    require(table, ("cluster", "kind", "x0", "y0", "x1", "y1"))
    clusters = list(table.cluster.unique())
    fig = style.figure(style.SINGLE_COLUMN, 2.1)
    axes = fig.subplots(1, len(clusters), squeeze=False)
    for ax, cluster in zip(axes.flat, clusters, strict=True):
        rows = rings.at(table, cluster=cluster)
        ends = rows[rows.kind == "j1"][["x0", "y0", "x1", "y1"]].to_numpy(dtype=float)
        ax.add_collection(LineCollection(list(ends.reshape(-1, 2, 2)), colors="0.4", linewidths=1))
        sites = rows[rows.kind == "site"]
        for parity, colour in enumerate(SUBLATTICES):
            ax.plot(sites.x0[parity::2], sites.y0[parity::2], "o", color=colour, markersize=6)
        ax.set_aspect("equal")
        ax.margins(0.1)
        ax.set_axis_off()
        ax.set_title(f"$N={len(sites)}$")
    rings.letters(axes)
    keys = [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=f"sublattice {name}")
        for colour, name in zip(SUBLATTICES, "AB", strict=True)
    ]
    style.legend_above(fig, [], [Line2D([], [], color="0.4", label="$J$"), *keys])
    style.small_print(fig, sentences(note, "Colours: the sign of the staggered pattern $(-1)^i$"))
    return fig


def fig2(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Sampled energy per site (above) and variance (below) during training, one column per ring."""
    curves = ("energy_per_site", "variance")
    require(table, ("n_sites", "mode", "series", "repeat", "iteration", *curves, "exact_energy_per_site", *rings.MEANS))
    columns = rings.sizes(table)
    fig, axes = style.double_column(2, len(columns), height=4.0)
    for column, n_sites in enumerate(columns):
        rows = rings.at(table, n_sites=n_sites)
        for ax, quantity in zip(axes[:, column], curves, strict=True):
            _draw_training(ax, rows, quantity)
        upper, lower = axes[:, column]
        upper.axhline(rows.exact_energy_per_site.iloc[0], **style.EXACT)
        upper.set_title(f"$N={n_sites}$")
        lower.set(yscale="log", xlabel="iteration")
        order = rings.fact(published, "variance_orders")["value"].get(f"N{n_sites}")
        if order is not None:
            style.published(lower, [rows.iteration.max()], [order])
    axes[0, 0].set_ylabel("energy per site ($J$)")
    axes[1, 0].set_ylabel("variance of the energy ($J^2$)")
    rings.letters(axes)
    style.legend_above(fig, axes.flat)
    energies = rings.fact(published, "energy_per_site_n4_n8")["value"]
    quoted = ", ".join(f"${value:g}$ ($N={name[1:]}$)" for name, value in energies.items())
    style.small_print(
        fig,
        sentences(
            note, rings.HAMILTONIAN, rings.mode_names(table), *rings.models(table),
            "Thick: the seed whose final error is the median; thin: the other seeds; both as sampled",
            "Hollow: published order of magnitude, unit not stated",
            f"The published energies per site, {quoted}, are not those of this Hamiltonian in any unit and not drawn",
        ),
    )  # fmt: skip
    return fig


def _draw_training(ax: Axes, rows: pd.DataFrame, quantity: str) -> None:
    """Every seed thin, the median seed thick above them."""
    for mode in rings.modes(rows):
        look = style.series(mode) | {"marker": "none"}
        here = rings.at(rows, mode=mode)
        for repeat, line in rings.lines(rings.at(here, series=SEED), "repeat", "iteration"):
            thin = look | {"label": f"_seed {repeat}", "linewidth": 0.5, "alpha": 0.5}
            ax.plot(line.iteration, line[quantity], zorder=1.8, **thin)
        line = rings.at(here, series=MEDIAN)
        ax.plot(line.iteration, line[quantity], **look)


def fig3(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Correlations at several iterations, one column per ring and one row per mode; nothing published is overlaid."""
    require(table, ("n_sites", "mode", "iteration", "r", "czz_mean", "czz_sem", "exact_czz", *rings.MEANS))
    rows, columns = rings.modes(table), rings.sizes(table)
    iterations = sorted(table.iteration.unique())
    colours = dict(zip(iterations, style.sequence(len(iterations)), strict=True))
    fig, axes = style.double_column(len(rows), len(columns), height=1.0 + 1.7 * len(rows))
    for (row, column), ax in np.ndenumerate(axes):
        here = rings.at(table, mode=rows[row], n_sites=columns[column])
        ax.set_title(rings.title(rows[row], n_sites=columns[column]))
        if rings.nothing(ax, here):
            continue
        for iteration, line in rings.lines(here, "iteration", "r"):
            label = f"iteration {iteration}" if iteration == iterations[0] else f"{iteration}"
            colour = colours[iteration]
            ax.errorbar(line.r, line.czz_mean, line.czz_sem, marker="o", color=colour, label=label)
        exact = here.drop_duplicates("r").sort_values("r")
        ax.plot(exact.r, exact.exact_czz, zorder=2.5, **style.EXACT)
        rings.distance_axis(ax)
        if column == 0:
            ax.set_ylabel(r"$C_{zz}(r)$")
    rings.letters(axes)
    style.legend_above(fig, axes.flat, columns=len(iterations) + 1)
    facts = (
        r"$C_{zz}(r)=N^{-1}\,\Sigma_i\,\langle S^z_iS^z_{i+r}\rangle$, exact sums over all $2^N$ states",
        rings.STANDARD_ERRORS,
    )
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def fig12(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Dependence on the density: training (first row), final errors and variances, fractions and rho (second row)."""
    quantities = ("energy", "error", "variance", "fraction")
    errors = [f"{name}_{kind}" for name in quantities for kind in ("mean", "sem")]
    require(
        table,
        (
            "series", "n_sites", "mode", "sector", "alpha", "iteration", "exact_energy", *errors, "rho_mean", "rho_sd",
            *rings.MEANS,
        ),
    )  # fmt: skip
    training, final, fractions = (rings.at(table, series=name) for name in ("convergence", "final", "n12"))
    modes = rings.modes(training)
    fig = style.figure(style.DOUBLE_COLUMN, 4.6)
    grid = fig.add_gridspec(2, 4 * len(modes))
    first = [fig.add_subplot(grid[0, 4 * i : 4 * (i + 1)]) for i in range(len(modes))]
    second = [fig.add_subplot(grid[1, len(modes) * i : len(modes) * (i + 1)]) for i in range(4)]
    for ax, mode in zip(first, modes, strict=True):
        _draw_convergence(ax, rings.at(training, mode=mode))
        ax.set_title(rings.title(mode, n_sites=rings.sizes(training)[0]))
    first[0].set_ylabel("energy ($J$)")
    _draw_final(second[0], final, "error", "relative error of the energy")
    _draw_final(second[1], final, "variance", "variance of the energy ($J^2$)")
    _draw_against_alpha(second[2], fractions, "fraction_mean", "fraction_sem", rings.FRACTION)
    _draw_against_alpha(second[3], fractions, "rho_mean", "rho_sd", r"$\rho$")
    _draw_published_at_12(second[2:], fractions, published)
    rings.letters([*first, *second])
    style.legend_above(fig, [*first, *second], columns=6)
    facts = (
        rings.HAMILTONIAN, rings.SUMS,
        f"{rings.STANDARD_ERRORS} (training: shaded; $\\rho$: standard deviation)",
        "Small dots: as sampled while training", "Points of one density are set apart sideways",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _draw_convergence(ax: Axes, rows: pd.DataFrame) -> None:
    for alpha, line in rings.lines(rows, "alpha", "iteration"):
        look = style.series(f"alpha{alpha}") | {"marker": "none"}
        ax.plot(line.iteration, line.energy_mean, **look)
        low, high = line.energy_mean - line.energy_sem, line.energy_mean + line.energy_sem
        ax.fill_between(line.iteration, low, high, color=look["color"], alpha=0.25, linewidth=0)
    ax.axhline(rows.exact_energy.iloc[0], **style.EXACT)
    ax.set_xlabel("iteration")


def _draw_final(ax: Axes, rows: pd.DataFrame, quantity: str, label: str) -> None:
    """Exact sums of the last states per variant, and what the samples said, small."""
    for mode in rings.modes(rows):
        sampled = rings.at(rows, mode=mode, sector="sampled").sort_values("alpha")
        look = style.series(mode) | {"marker": ".", "linestyle": ":", "label": f"{mode} mode, sampled"}
        ax.errorbar(sampled.alpha, sampled[f"{quantity}_mean"], sampled[f"{quantity}_sem"], **look)
    _draw_against_alpha(ax, rows[rows.sector != "sampled"], f"{quantity}_mean", f"{quantity}_sem", label)
    rings.whole_decades(ax, rows[f"{quantity}_mean"])


def _draw_against_alpha(ax: Axes, rows: pd.DataFrame, value: str, error: str, label: str) -> None:
    variants = rings.variants(rows)
    for index, (mode, sector) in enumerate(variants):
        line = rings.at(rows, mode=mode, sector=sector).sort_values("alpha")
        shift = APART * (index - (len(variants) - 1) / 2)
        ax.errorbar(line.alpha + shift, line[value], line[error], **style.series(f"{mode}-{sector}"))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.12)
    ax.set(xlabel=r"density $\alpha$", ylabel=label)
    if not rows.empty:
        ax.set_title(f"$N={rings.sizes(rows)[0]}$")


def _draw_published_at_12(axes: list[Axes], rows: pd.DataFrame, published: Published) -> None:
    """Published fractions and rho, which are for N = 12."""
    if rings.sizes(rows) != [12]:
        return
    for ax, name in zip(axes, ("fraction_rises_with_alpha_n12", "rho_n12"), strict=True):
        quoted = rings.fact(published, name)
        alphas = [int(alpha.removeprefix("alpha")) for alpha in quoted["value"]]
        values = list(quoted["value"].values())
        if isinstance(quoted["uncertainty"], Mapping):
            errors = list(quoted["uncertainty"].values())
            ax.errorbar(alphas, values, errors, color="0.5", linestyle="none", label="_published errors", zorder=1.8)
        style.published(ax, alphas, values)


def figX2(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Weight of each |Sz| during training, of the state (lines) and of the samples (markers); largest ring on top."""
    weights = ("exact_weight_mean", "sampled_weight_mean")
    require(table, ("n_sites", "alpha", "mode", "iteration", "m", *weights, *rings.MEANS))
    fig, first, others = _panels_of_figX2(table)
    momenta = sorted(table.m.unique())
    colours = dict(zip(momenta, style.sequence(len(momenta)), strict=True))
    for (n_sites, alpha, mode), ax in {**first, **others}.items():
        _draw_weights(ax, rings.at(table, n_sites=n_sites, alpha=alpha, mode=mode), colours)
        ax.set_title(rf"$N={n_sites}$, $\alpha={alpha}$, {mode} mode")
    for ax in others.values():
        ax.set_xscale("symlog", linthresh=10)
        ax.set_ylim(LOWEST_WEIGHT, 2)
    for ax in first.values():
        ax.set_ylim(LOWEST_WEIGHT_LARGEST, 5)
    axes = [*first.values(), *others.values()]
    rings.letters(axes)
    keys = [
        Line2D([], [], color="0.4", label="exact sum"),
        Line2D([], [], color="0.4", marker="o", linestyle="none", label="sampled"),
    ]
    style.legend_above(fig, axes, keys, columns=-(-(len(momenta) + 2) // 2))
    lines = "Lines: exact sums over all $2^N$ states; markers: share of the samples; both means over models"
    lowest = [f"$10^{{{np.log10(weight):.0f}}}$" for weight in (LOWEST_WEIGHT_LARGEST, LOWEST_WEIGHT)]
    cut = f"Weights below {lowest[0]} (first row) and {lowest[1]} are cut; no marker: no such state among the samples"
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), lines, cut))
    return fig


def _panels_of_figX2(table: pd.DataFrame) -> tuple[Figure, dict[Training, Axes], dict[Training, Axes]]:
    """Panels of the largest ring, side by side on top, and those of the others, three densities or rings to a row."""
    modes, largest = rings.modes(table), rings.sizes(table)[-1]
    cells = sorted({(int(n), int(alpha)) for n, alpha in table[["n_sites", "alpha"]].drop_duplicates().to_numpy()})
    top = [(*cell, mode) for cell in cells if cell[0] == largest for mode in modes]
    below = [cell for cell in cells if cell[0] != largest]
    blocks = [below[start : start + 3] for start in range(0, len(below), 3)]
    rows = [[(*cell, mode) for cell in block] for block in blocks for mode in modes]
    fig = style.figure(style.DOUBLE_COLUMN, 3.0 + 1.45 * len(rows))
    grid = fig.add_gridspec(1 + len(rows), 3 * len(top), height_ratios=[1.4, *[1] * len(rows)])
    left = {0: "weight"}  # label of the panels on the left
    first = {
        cell: fig.add_subplot(grid[0, 3 * place : 3 * (place + 1)], ylabel=left.get(place))
        for place, cell in enumerate(top)
    }
    width = len(top)
    others = {
        cell: fig.add_subplot(grid[1 + row, width * place : width * (place + 1)], ylabel=left.get(place))
        for row, members in enumerate(rows)
        for place, cell in enumerate(members)
    }
    return fig, first, others


def _draw_weights(ax: Axes, rows: pd.DataFrame, colours: Mapping[int, Any]) -> None:
    if rings.nothing(ax, rows):
        return
    for m, line in rings.lines(rows, "m", "iteration"):
        ax.plot(line.iteration, line.exact_weight_mean, color=colours[m], label=f"$|S^z|={m}$")
        ax.plot(line.iteration, line.sampled_weight_mean, "o", color=colours[m], label=f"_sampled {m}")
    ax.set(yscale="log", xlim=(-1, None), xlabel="iteration")
