"""Upper panels of Fig. 3 of Ju et al. (2025): iterations until convergence, their noise, and what forcing saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nqs.figures import rings, style
from nqs.studies.ju2025.figures.networks import LABELS, SINGLE, draw_means, draw_seeds, look, networks

TOLERANCE = 1e-4  # of the rule of T_cv
APART = 0.22  # between networks at one K, at most
SPREAD = 0.8  # of all networks at one K
NOTES = 6.5  # points
SAVERS = ("init", "traj")


def draw_times(ax: Axes, rows: pd.DataFrame, names: Sequence[str], window: int) -> None:
    """T_cv of every run with one window, and its means, one lane per network at each K; without runs it says so."""
    if rows.empty:
        ax.text(0.5, 0.5, "not computed", transform=ax.transAxes, ha="center", fontsize=NOTES, color="0.45")
        ax.set_xticks([])
        return
    widths = _widths(rows)
    for name, shift in _lanes(names).items():
        shown, here = look(name), rings.at(rows, network=name)
        seeds = rings.at(here, series="run")
        draw_seeds(ax, _places(seeds, widths, shift), seeds[f"t_cv_{window}"], seeds.stuck, shown["color"])
        line = rings.at(here, series="mean").sort_values("width")
        means, errors = line[f"t_cv_{window}_mean"], line[f"t_cv_{window}_sem"]
        draw_means(ax, _places(line, widths, shift), means, errors, shown)
    _draw_single(ax, rows, names, f"t_cv_{window}")
    last = rows.iterations.max()
    ax.axhline(last, color="0.45", linewidth=0.7, linestyle=":", zorder=0.5, label="_last iteration")
    if np.isfinite(last):
        ax.set_ylim(-0.02 * last, 1.15 * last)
    _finish(ax, widths)


def draw_noise(ax: Axes, rows: pd.DataFrame, window: int) -> None:
    """Mean standard error of the relative change that the rule of T_cv compares, against its tolerance."""
    widths, names = _widths(rows), networks(rows)
    for name, shift in _lanes(names).items():
        line = rings.at(rows, network=name, series="mean").sort_values("width")
        ax.plot(_places(line, widths, shift), line[f"noise_{window}_mean"], linewidth=0.8, **look(name))
    _draw_single(ax, rows, names, f"noise_{window}")
    ax.axhline(TOLERANCE, color="0.45", linewidth=0.8, linestyle="--", zorder=0.5)
    ax.set_yscale("log")
    _finish(ax, widths)
    ax.set_xlabel("kernel size $K$")


def name_line(ax: Axes, height: float, words: str) -> None:
    """Words above the left end of a horizontal line."""
    beside: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "va": "bottom"}
    ax.annotate(words, (0.02, height), (0, 2), fontsize=NOTES, color="0.3", **beside)


def draw_savings(ax: Axes, rows: pd.DataFrame, published: tuple[float, float]) -> None:
    """Share of T_cv that forcing saves over all rings and K, of all pairs of runs and of those without a stuck run."""
    pooled = rows[rows.n_sites.isna()].drop_duplicates("network").set_index("network")
    ax.axvspan(*(100 * share for share in published), color=style.SHADE, linewidth=0, zorder=0)
    ax.axvline(0, color="0.6", linewidth=0.6, zorder=0.5)
    kinds = {"all seeds": "reduction", "without stuck ones": "reduction_moving"}
    names = [name for name in SAVERS if name in pooled.index]
    ticks = [(name, words) for name in names for words in kinds]
    for height, (name, words) in enumerate(ticks):
        shown, column = look(name), kinds[words]
        value, error = 100 * pooled[[column, f"{column}_sem"]].loc[name].to_numpy(dtype=float)
        ax.errorbar([value], [height], xerr=[error], linestyle="none", **(shown | {"label": f"_{name}, {words}"}))
    ax.set_yticks(range(len(ticks)), labels=[f"{LABELS[name]}, {words}" for name, words in ticks])
    ax.set(ylim=(len(ticks) - 0.5, -0.5), xlabel=r"$T_\mathrm{cv}$ saved by forcing (%)")
    ax.tick_params(axis="y", length=0)


def _widths(rows: pd.DataFrame) -> list[float]:
    return sorted(rows[rows.series.isin(["run", "mean"])].width.unique())


def _lanes(names: Sequence[str]) -> dict[str, float]:
    """Shift of each network from the place of its K."""
    apart = min(APART, SPREAD / max(len(names), 1))
    return {name: apart * (index - (len(names) - 1) / 2) for index, name in enumerate(names)}


def _places(rows: pd.DataFrame, widths: Sequence[float], shift: float) -> Any:
    return np.searchsorted(widths, rows.width) + shift


def _draw_single(ax: Axes, rows: pd.DataFrame, names: Sequence[str], column: str) -> None:
    """Runs with one chain, right of all lanes."""
    single = rings.at(rows, series="single")
    for name in networks(single):
        if name in names:
            alone = rings.at(single, network=name)
            places = _places(alone, _widths(rows), 0.42)
            ax.plot(places, alone[column], color=look(name)["color"], label="_one chain", **SINGLE)


def _finish(ax: Axes, widths: Sequence[float]) -> None:
    ax.set_xticks(range(len(widths)), labels=[f"{width:g}" for width in widths])
    ax.set_xlim(-0.6, len(widths) - 0.4)
    ax.tick_params(which="both", axis="x", top=False)
