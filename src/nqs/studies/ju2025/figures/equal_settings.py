"""Figure X3 of Ju et al. (2025): what forcing the symmetry changes where all networks have the same settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nqs.figures import rings, style
from nqs.figures.table import only, require, sentences, span
from nqs.studies.ju2025.figures.networks import LABELS, SEED, STUCK, draw_seeds, look, networks

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
WINDOWS = (5, 10)
APART, SPREAD = 0.24, 0.72  # between networks at one setting, and of all of them
NOTES = 6.0  # points
CHOSEN: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none"}


def figX3(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """T_cv and E - E0 of all runs by setting, a column per K, and the part of T_cv that forcing saves, seed by seed."""
    require(
        table,
        (
            "series", "n_sites", "network", "width", "learning_rate", "steps", "stuck", "n_runs", "n_stuck",
            "n_diverged", "n_capped_5", "is_chosen", "delta_energy", "delta_energy_moving", "delta_energy_moving_sem",
            *(f"t_cv_{window}{end}" for window in WINDOWS for end in ("", "_moving", "_moving_sem")),
            "window", "log_ratio", "log_ratio_sem", "n_seeds", "n_pairs", "n_stuck_original", "n_stuck_forced",
        ),
    )  # fmt: skip
    runs = table[table.series.isin(["run", "mean"])]
    widths, names = sorted(runs.width.unique()), networks(runs)
    fig = style.figure(style.DOUBLE_COLUMN, 7.0)
    parts: Any = fig.subfigures(2, 1, height_ratios=(5.2, 1.8))
    upper, lower = parts
    axes = upper.subplots(3, len(widths), squeeze=False, sharex="col", sharey="row")
    for column, width in zip(axes.T, widths, strict=True):
        rows = rings.at(runs, width=width)
        column[0].set_title(f"$K={width:g}$")
        for ax, window in zip(column, WINDOWS, strict=False):
            _draw_runs(ax, rows, names, f"t_cv_{window}")
        _draw_runs(column[-1], rows, names, "delta_energy")
        _name_settings(column[-1], rows)
    for ax, window in zip(axes[:, 0], WINDOWS, strict=False):
        ax.set_ylim(bottom=-0.12 * runs[[f"t_cv_{window}", f"t_cv_{window}_moving"]].max().max())  # room for fractions
        ax.set_ylabel(rf"$T_\mathrm{{cv}}$, window {window}")
    _energy_axis(axes[-1], runs)
    right = lower.subplots(1, len(WINDOWS), squeeze=False, sharex=True, sharey=True)
    for ax, window in zip(right[0], WINDOWS, strict=True):
        _draw_savings(ax, rings.at(table, series="ratio", window=window), widths, published)
        ax.set_title(f"seeds and settings in pairs, window {window}")
    right[0, 0].set_ylabel("kernel size $K$")
    rings.letters([*axes.flat, *right.flat])
    style.legend_above(fig, [], _keys(names), columns=4)
    style.small_print(fig, sentences(note, *_facts(runs, published)))
    return fig


def _settings(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """Learning rate and steps of the settings, ascending."""
    return sorted({(float(rate), float(steps)) for rate, steps in rows[["learning_rate", "steps"]].to_numpy(float)})


def _lane(names: Sequence[str], name: str) -> float:
    """Shift of a network from the place of its setting."""
    return min(APART, SPREAD / len(names)) * (names.index(name) - (len(names) - 1) / 2)


def _draw_runs(ax: Axes, rows: pd.DataFrame, names: Sequence[str], column: str) -> None:
    """Every run and the mean of those that moved; below, how many of all are stuck; the chosen setting in a ring."""
    for place, (rate, steps) in enumerate(_settings(rows)):
        for name in names:
            here = rings.at(rows, network=name, learning_rate=rate, steps=steps)
            x, shown = place + _lane(names, name), look(name)
            seeds, means = rings.at(here, series="run"), rings.at(here, series="mean")
            draw_seeds(ax, np.full(len(seeds), x), seeds[column], seeds.stuck, shown["color"])
            for mean in means.to_dict("records"):
                value, error = mean[f"{column}_moving"], mean[f"{column}_moving_sem"]
                ax.errorbar([x], [value], [error], linestyle="none", **(shown | {"label": f"_{name}"}))
                if mean["is_chosen"] and column == "delta_energy":
                    ax.plot([x], [value], color=shown["color"], label="_chosen", **CHOSEN)
                if mean["n_stuck"] and column != "delta_energy":
                    words = f"{mean['n_stuck']:g}/{mean['n_runs']:g}"
                    ax.annotate(
                        words, (x, 0), (0, 1), xycoords=("data", "axes fraction"), textcoords="offset points",
                        ha="center", va="bottom", fontsize=NOTES, color=shown["color"],
                    )  # fmt: skip


def _name_settings(ax: Axes, rows: pd.DataFrame) -> None:
    settings = _settings(rows)
    ax.set_xticks(range(len(settings)), labels=[f"{rate:g}\n{steps:g}" for rate, steps in settings])
    ax.set_xlim(-0.6, len(settings) - 0.4)
    ax.tick_params(which="both", axis="x", top=False)
    ax.set_xlabel("learning rate, steps per sample")


def _energy_axis(axes: Sequence[Axes], runs: pd.DataFrame) -> None:
    """Logarithmic, of positive distances."""
    rings.whole_decades(axes[0], runs.delta_energy)
    axes[0].set_ylabel(r"$\Delta E=E-E_0$")


def _draw_savings(ax: Axes, rows: pd.DataFrame, widths: Sequence[float], published: Published) -> None:
    """1 - geometric mean of the ratios of T_cv by K and over all K, with the printed range."""
    quoted = rings.fact(published, "tcv_reduced")["value"] if published else None
    if quoted:
        ax.axvspan(*(100 * share for share in quoted), color=style.SHADE, linewidth=0, zorder=0)
    ax.axvline(0, color="0.6", linewidth=0.6, zorder=0.5)
    names = [name for name in networks(rows) if name in LABELS] if len(rows) else []
    lines = [*widths, float("nan")]
    for height, width in enumerate(lines):
        for name in names:
            same = rows[(rows.network == name) & (rows.width.isna() if np.isnan(width) else rows.width == width)]
            for log, error in same[["log_ratio", "log_ratio_sem"]].to_numpy(float):
                ratio = np.exp(log)
                shown = look(name) | {"label": f"_{name}"}
                y = height + _lane(names, name)
                ax.errorbar([100 * (1 - ratio)], [y], xerr=[100 * ratio * error], linestyle="none", **shown)
    ax.set_yticks(range(len(lines)), labels=[*(f"{width:g}" for width in widths), "all"])
    ax.set(ylim=(len(lines) - 0.5, -0.5), xlabel=r"$T_\mathrm{cv}$ saved by forcing (%)")
    ax.tick_params(axis="y", length=0)


def _keys(names: Sequence[str]) -> list[Line2D]:
    return [
        *(Line2D([], [], linewidth=0.8, **look(name)) for name in names),
        Line2D([], [], color="0.4", label="one seed", **SEED),
        Line2D([], [], color="0.4", label=r"seed stuck at constant $\psi$", **STUCK),
        Line2D([], [], color="0.4", label="setting that a search takes", **CHOSEN),
    ]


def _facts(runs: pd.DataFrame, published: Published) -> list[str]:
    means = rings.at(runs, series="mean")
    diverged, capped = int(means.n_diverged.sum()), int(means.n_capped_5.sum())
    quoted = rings.fact(published, "tcv_reduced")["value"] if published else None
    return [
        rf"$N={only(runs, 'n_sites').removesuffix('.0')}$; the same learning rate, steps and initial parameters "
        f"for all networks; seeds per setting: {span(means.n_runs)}",
        "Means with standard errors are of runs that moved; fractions: runs stuck at constant $\\psi$, of all",
        f"Diverged and left out: {diverged}" if diverged else "",
        f"Runs that never met the rule count with the last iteration: {capped} at a window of 5" if capped else "",
        r"Saved: $1-\exp\langle\ln$ of the ratio of $T_\mathrm{cv}\rangle$ over pairs of one seed and setting, "
        "both moving"
        + (rf"; shaded: published, ${100 * quoted[0]:.0f}$ to ${100 * quoted[1]:.0f}\,\%$" if quoted else ""),
    ]  # fmt: skip
