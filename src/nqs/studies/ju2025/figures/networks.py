"""How the figures of Ju et al. (2025) name and draw networks, single runs and means over seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nqs.figures import style
from nqs.figures.table import TableError

LABELS = {"original": "original", "init": "SymForce-Init", "traj": "SymForce-Traj"}
LOOKS = {"original": (style.DARK, "v"), "init": (style.BLUE, "s"), "traj": (style.VERMILLION, "o")}
DEEP_COLOURS = {2: style.GREEN, 3: style.PURPLE}  # by layers
DEEP_MARKERS = {2: "<", 4: "^", 8: ">"}  # by filters
LAYERS_AND_FILTERS = re.compile(r"deep(\d+)x(\d+)$")
SEED: dict[str, Any] = {"marker": ".", "markersize": 3.2, "linestyle": "none", "alpha": 0.45, "zorder": 1.7}
STUCK: dict[str, Any] = {"marker": "x", "markersize": 3.6, "linestyle": "none", "zorder": 1.8}
MOVING: dict[str, Any] = {"marker": "_", "markersize": 7, "markeredgewidth": 1.4, "linestyle": "none"}
SINGLE: dict[str, Any] = {"marker": "*", "markersize": 4.5, "markeredgewidth": 0, "linestyle": "none"}


def networks(table: pd.DataFrame) -> list[str]:
    """Networks in the table, the shallow ones first; raises TableError for unknown ones."""
    present = set(table.network.dropna())
    deep = {
        name: tuple(int(number) for number in found.groups())
        for name in present
        if (found := LAYERS_AND_FILTERS.match(name))
    }
    if unknown := present - set(LABELS) - set(deep):
        raise TableError(f"unknown network {sorted(unknown)}; known: {', '.join(LABELS)}, deep<layers>x<filters>")
    return [*(name for name in LABELS if name in present), *sorted(deep, key=deep.__getitem__)]


def families(table: pd.DataFrame) -> list[list[str]]:
    """Networks in the table, shallow ones and deep ones apart; without a family that is absent."""
    names = networks(table)
    both = ([name for name in names if (name in LABELS) == shallow] for shallow in (True, False))
    return [names for names in both if names]


def look(network: str) -> dict[str, Any]:
    """Colour, marker and label of a network."""
    found = LAYERS_AND_FILTERS.match(network)
    if found is None:
        colour, marker = LOOKS[network]
        return {"color": colour, "marker": marker, "label": LABELS[network]}
    layers, filters = (int(number) for number in found.groups())
    return {
        "color": DEEP_COLOURS.get(layers, style.ORANGE), "marker": DEEP_MARKERS.get(filters, "D"),
        "label": f"deep {layers} layers, {filters} filters",
    }  # fmt: skip


def draw_seeds(ax: Axes, places: Any, values: pd.Series, stuck: pd.Series, colour: Any) -> None:
    """Single runs as faint dots, those with constant psi as crosses."""
    constant = stuck.astype(float).to_numpy() == 1
    places, heights = np.asarray(places), values.to_numpy(dtype=float)
    ax.plot(places[~constant], heights[~constant], color=colour, label="_seeds", **SEED)
    ax.plot(places[constant], heights[constant], color=colour, label="_stuck", **STUCK)


def draw_means(ax: Axes, places: Any, means: pd.Series, errors: pd.Series, shown: Mapping[str, Any]) -> None:
    """Means with standard errors, joined by a pale line."""
    ax.plot(places, means, color=shown["color"], linewidth=0.8, alpha=0.4, label="_line", zorder=1.6)
    ax.errorbar(places, means, errors, linestyle="none", **shown)
