"""Lower panels of Fig. 3 of Ju et al. (2025): energies above the exact ground state by number of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from nqs.figures import rings, style
from nqs.studies.ju2025.figures.networks import LABELS, MOVING, SINGLE, draw_means, draw_seeds, look, networks

Published = Mapping[str, Any]
APART = 1.16  # between networks of as many parameters, as a factor
REACH = 1.4  # of an exact optimum's line to both sides, as a factor
NOTES = 6.5  # points
OPTIMA: dict[str, dict[str, Any]] = {
    "cps": {"color": "0.45", "linestyle": (0, (3, 1.6))},
    "cnn": {"color": "0.2", "linestyle": (0, (1, 1.2))},
}
QUOTED_RING, QUOTED_WIDTH = 60, 6  # of the one published energy [Sec. V]
PARAMETERS = (3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)  # that are labelled


def draw_energies(ax: Axes, rows: pd.DataFrame, published: Published, limits: tuple[float, float]) -> None:
    """Every network against its number of parameters; the right axis has the gap as unit."""
    runs = rows[rows.series.isin(["run", "mean"])]
    names = networks(runs)
    factors = _factors(names)
    for name in names:
        _draw_network(ax, rings.at(runs, network=name), name, factors[name])
    single = rings.at(rows, series="single")
    for name in networks(single):
        alone = rings.at(single, network=name)
        places = alone.n_parameters * factors.get(name, 1.0) * APART
        ax.plot(places, alone.delta_energy, color=look(name)["color"], label="_one chain", **SINGLE)
    ax.set(xscale="log", yscale="log", xlabel="number of parameters", xlim=limits)
    ax.xaxis.set_major_locator(FixedLocator(PARAMETERS))
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    _draw_optima(ax, rings.at(rows, series="optimum"))
    _draw_units(ax, rows, published)
    _count_stuck(ax, runs, factors)


def _factors(names: Sequence[str]) -> dict[str, float]:
    """By what each network is set apart sideways."""
    shallow = [name for name in names if name in LABELS]
    return {name: APART ** (shallow.index(name) - (len(shallow) - 1) / 2) if name in LABELS else 1.0 for name in names}


def _draw_network(ax: Axes, rows: pd.DataFrame, name: str, factor: float) -> None:
    """Runs of a shallow network, and means with and without stuck runs where these differ; of a deep one only means."""
    shown, line = look(name), rings.at(rows, series="mean").sort_values("n_parameters")
    if name in LABELS:
        seeds = rings.at(rows, series="run")
        draw_seeds(ax, seeds.n_parameters * factor, seeds.delta_energy, seeds.stuck, shown["color"])
    places = line.n_parameters * factor
    draw_means(ax, places, line.delta_energy_mean, line.delta_energy_sem, shown)
    some = (line.n_stuck > 0) & (line.n_stuck < line.n_runs)
    ax.plot(places, line.delta_energy_moving.where(some), color=shown["color"], label="_moving", **MOVING)


def _draw_optima(ax: Axes, optima: pd.DataFrame) -> None:
    """Exact energies of the best states of a kernel size, about where its shallow networks are."""
    for one in optima.to_dict("records"):
        place, level, line = 2 * one["width"] + 2, one["delta_energy"], OPTIMA[one["family"]]
        ax.plot([place / REACH, place * REACH], [level] * 2, linewidth=1.1, label="_optimum", zorder=1.5, **line)
    for width in optima.width.unique():
        place, level = (2 * width + 2) / REACH, rings.at(optima, width=width).delta_energy.min()
        below: dict[str, Any] = {"textcoords": "offset points", "ha": "left", "va": "top", "fontsize": NOTES}
        ax.annotate(f"best at $K={width:g}$", (place, level), (0, -2), color="0.3", **below)


def _draw_units(ax: Axes, rows: pd.DataFrame, published: Published) -> None:
    """Units: the gap on the right, parts of E0 as lines; the published energy, read as a part of E0."""
    first = rows.iloc[0]
    ground, gap = first.ground_energy, first.triplet_energy - first.ground_energy
    right = ax.secondary_yaxis("right", functions=(lambda energy: energy / gap, lambda share: share * gap))
    right.set_ylabel(r"$\Delta E\,/\,(E_1-E_0)$")
    ax.tick_params(which="both", right=False)
    for percent in (1, 10):
        level = percent / 100 * abs(ground)
        ax.axhline(level, color="0.85", linewidth=0.6, zorder=0.3)
        right_end: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "bottom", "zorder": 4}
        words = rf"${percent / 100:g}\,|E_0|$"
        label = ax.text(0.99, level, words, fontsize=NOTES, color="0.45", **right_end)
        label.set_path_effects([withStroke(linewidth=2, foreground="white")])
    if first.n_sites == QUOTED_RING:
        level = abs(rings.fact(published, "delta_e_best")["value"] / 100 * ground)
        style.published(ax, [(2 * QUOTED_WIDTH + 2) / 1.25], [level])


def _count_stuck(ax: Axes, rows: pd.DataFrame, factors: Mapping[str, float]) -> None:
    """How many runs of a cell are stuck, above the highest one."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.1)  # room above the points
    above: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": NOTES}
    means = rings.at(rows, series="mean")
    for one in means[means.n_stuck > 0].to_dict("records"):
        cell = rings.at(rows, series="run", network=one["network"], width=one["width"])
        place = one["n_parameters"] * factors[one["network"]]
        level = float(np.nanmax(cell.delta_energy.where(cell.stuck.astype(float) == 1)))
        share = f"{one['n_stuck']:g}/{one['n_runs']:g}"
        ax.annotate(share, (place, level), (0, 2.5), color=look(one["network"])["color"], **above)
