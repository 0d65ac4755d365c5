"""Figure 3 of Ju et al. (2025): how fast and how well shallow networks with and without forced symmetry, and deep ones,
learn the ground state of long rings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nqs.figures import rings, style
from nqs.figures.table import require, sentences, span
from nqs.studies.ju2025.figures.convergence import TOLERANCE, draw_noise, draw_savings, draw_times, name_line
from nqs.studies.ju2025.figures.energies import OPTIMA, QUOTED_RING, draw_energies
from nqs.studies.ju2025.figures.networks import MOVING, SEED, SINGLE, STUCK, families, look, networks

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
WINDOWS = (5, 10)  # of the rolling mean; the published one is unknown
REDUCTION = ("reduction", "reduction_sem", "reduction_moving", "reduction_moving_sem")
TIMES, NOISE, SAVINGS, ENERGIES = 1.5, 1.05, 0.62, 2.3  # heights of panels
AROUND = 2.2  # inches for legend, labels and small print


def fig3(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """T_cv against K, the noise it was found at, what forcing saves, and E - E0 against the number of parameters.

    A column per ring and window of T_cv; deep networks have a row of T_cv of their own. Single runs are faint, stuck
    ones crosses; means over seeds with standard errors; exact optima as lines.
    """
    windows = [f"{kind}_{window}" for kind in ("t_cv", "noise") for window in WINDOWS]
    windows += [f"{name}_mean" for name in windows] + [f"t_cv_{window}_sem" for window in WINDOWS]
    require(
        table,
        (
            "series", "n_sites", "network", "width", "n_parameters", "family", "stuck", "n_runs", "n_stuck",
            "n_diverged", "n_capped_5", "delta_energy", "delta_energy_mean", "delta_energy_sem", "delta_energy_moving",
            *windows, "window", *REDUCTION, "ground_energy", "triplet_energy", "iterations",
        ),
    )  # fmt: skip
    runs = table[table.series.isin(["run", "mean"])]
    groups, sizes = families(runs), rings.sizes(runs)
    heights = [TIMES] * len(groups) + [NOISE, SAVINGS, ENERGIES]
    fig = style.figure(style.DOUBLE_COLUMN, sum(heights) + AROUND)
    bands: Any = fig.subfigures(3, 1, height_ratios=(sum(heights[:-2]) + 0.9, SAVINGS + 0.4, ENERGIES + 0.4))
    upper = bands[0].subplots(len(groups) + 1, 2 * len(sizes), squeeze=False, sharey="row", height_ratios=heights[:-2])
    _draw_convergence(upper, table, groups, sizes)
    middle = bands[1].subplots(1, 2, squeeze=False, sharex=True)
    _draw_savings(middle, table, published)
    lower = bands[2].subplots(1, len(sizes), squeeze=False)
    for ax, n_sites in zip(lower[0], sizes, strict=True):
        draw_energies(ax, rings.at(table, n_sites=n_sites), published, _parameters(runs))
        ax.set_title(f"$N={n_sites}$")
    lower[0, 0].set_ylabel(r"$\Delta E=E-E_0$")
    rings.letters([*upper.flat, *middle.flat, *lower.flat])
    style.legend_above(fig, [], _keys_of_fig3(table), columns=4)
    style.small_print(fig, sentences(note, *_facts_of_fig3(table, published)))
    return fig


def _draw_convergence(
    axes: np.ndarray, table: pd.DataFrame, groups: Sequence[Sequence[str]], sizes: Sequence[int]
) -> None:
    """Rows of T_cv, one per family of networks, and a row of the noise of all of them."""
    columns = [(n_sites, window) for n_sites in sizes for window in WINDOWS]
    for column, (n_sites, window) in zip(axes.T, columns, strict=True):
        rows = rings.at(table, n_sites=n_sites)
        for ax, names in zip(column, groups, strict=False):
            draw_times(ax, rows[rows.network.isin(names)], names, window)
        draw_noise(column[-1], rows, window)
        column[0].set_title(f"$N={n_sites}$, window {window}")
    for ax, names in zip(axes[:-1, 0], groups, strict=True):
        ax.set_ylabel(r"$T_\mathrm{cv}$ (iterations)")
        name_line(ax, table[table.network.isin(names)].iterations.max(), "rule never met")
    axes[-1, 0].set_ylabel("noise of the change")
    low, high = axes[-1, 0].get_ylim()
    for ax in axes[-1]:
        ax.set_ylim(min(low, TOLERANCE / 1.5), high)
    name_line(axes[-1, 0], TOLERANCE, "tolerance of the rule")


def _draw_savings(axes: np.ndarray, table: pd.DataFrame, published: Published) -> None:
    quoted = rings.fact(published, "tcv_reduced")["value"]
    for ax, window in zip(axes.flat, WINDOWS, strict=True):
        draw_savings(ax, rings.at(table, series="reduction", window=window), (quoted[0], quoted[1]))
        ax.set_title(f"all rings and $K$, window {window}")
    axes[0, -1].tick_params(labelleft=False)


def _parameters(runs: pd.DataFrame) -> tuple[float, float]:
    """Limits of the axis of numbers of parameters, the same for all rings."""
    return runs.n_parameters.min() / 1.7, runs.n_parameters.max() * 1.7


def _keys_of_fig3(table: pd.DataFrame) -> list[Line2D]:
    runs = table[table.series.isin(["run", "mean"])]
    return [
        *(Line2D([], [], linewidth=0.8, **look(name)) for name in networks(runs)),
        Line2D([], [], color="0.4", label="one seed", **SEED),
        Line2D([], [], color="0.4", label=r"seed stuck at constant $\psi$", **STUCK),
        Line2D([], [], color="0.4", label="mean without stuck seeds", **MOVING),
        *([Line2D([], [], color="0.4", label="one chain", **SINGLE)] if (table.series == "single").any() else []),
        *(
            Line2D([], [], label=f"exact optimum, {family.upper()}", **line)
            for family, line in OPTIMA.items()
            if (table.family == family).any()
        ),
        *([style.published_key()] if QUOTED_RING in rings.sizes(runs) else []),
    ]


def _facts_of_fig3(table: pd.DataFrame, published: Published) -> list[str]:
    means = rings.at(table, series="mean")
    runs = rings.at(table, series="run")
    levels = runs.drop_duplicates("n_sites").to_dict("records")
    units = "; ".join(
        f"$N={one['n_sites']:g}$: $E_0={one['ground_energy']:.4f}$, "
        f"$E_1-E_0={one['triplet_energy'] - one['ground_energy']:.5f}$"
        for one in levels
    )
    low, high = rings.fact(published, "tcv_reduced")["value"]
    diverged, capped = int(means.n_diverged.sum()), int(means.n_capped_5.sum())
    return [
        rf"$H=\Sigma_nP_{{n,n+1}}$, total energies; {units}",
        "Learning rate and steps per sample of each network and $K$: lowest mean energy over the seeds of a search; "
        f"runs per point: {span(means.n_runs)}",
        "Error bars: standard error over seeds, stuck ones included",
        r"Stuck: $\psi$ constant at the end, or a sampled energy no lower than that of constant $\psi$",
        f"Diverged and left out: {diverged}" if diverged else "",
        r"$T_\mathrm{cv}$: first iteration where the rolling mean over the window differs by less than $10^{-4}$ from "
        "that 5 before; noise: standard error of that difference, which decides where it is above the tolerance",
        f"Runs that never met the rule count with the last iteration, {capped} in all at a window of 5: means with "
        "such a run are lower bounds"
        if capped
        else "",
        r"Saved: same seeds, each network at its best setting, all $K$ and rings; shaded: published, "
        rf"about ${100 * low:.0f}$ to ${100 * high:.0f}\,\%$",
        "Numbers at crosses: stuck seeds of all",
        r"Hollow: published best energy of $K=6$, read as a part of $E_0$" if QUOTED_RING in rings.sizes(runs) else "",
        "Seeds with a sampled energy below $E_0$ are cut" if (runs.delta_energy <= 0).any() else "",
    ]  # fmt: skip
