"""Figure 3 of Ju et al. (2025): how fast and how well shallow networks with and without forced symmetry, and deep ones,
learn the ground state of long rings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from nqs.figures import rings, style
from nqs.figures.table import TableError, require, sentences, span

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
LABELS = {"original": "original", "init": "SymForce-Init", "traj": "SymForce-Traj"}
LOOKS = {"original": (style.DARK, "v"), "init": (style.BLUE, "s"), "traj": (style.VERMILLION, "o")}
DEEP_COLOURS = {2: style.GREEN, 3: style.PURPLE}  # by layers
DEEP_MARKERS = {2: "<", 4: "^", 8: ">"}  # by filters
LAYERS_AND_FILTERS = re.compile(r"deep(\d+)x(\d+)$")
TOLERANCE = 1e-4  # of the rule of T_cv
APART = 0.11  # between points of one K
TINY = 5.5  # points
LINE = 0.05  # height of such a line of numbers, as a share of the axis
SINGLE: dict[str, Any] = {"marker": "*", "markersize": 5, "linestyle": "none", "label": "_one chain"}
FAMILIES: dict[str, dict[str, Any]] = {
    "cps": {"color": "0.45", "linestyle": (0, (3, 1.6))},
    "cnn": {"color": "0.2", "linestyle": (0, (1, 1.2))},
}
QUOTED_RING, QUOTED_WIDTH = 60, 6  # of the one published energy [Sec. V]
REDUCTION = ("reduction", "reduction_sem", "reduction_moving", "reduction_moving_sem", "stuck_share")
REACH = 1.35  # of an exact optimum's line to both sides, as a factor


def fig3(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """T_cv against K (first row) and the noise it was found at (second), E - E0 against the number of parameters.

    One column per ring. Means over seeds with standard errors, seeds faint, stuck runs as crosses and means without
    them as dashes, runs that never met the rule as triangles and means with such runs marked by >=, exact optima as
    lines.
    """
    windows = [f"{kind}_{window}{end}" for kind in ("t_cv", "noise") for window in (5, 10) for end in ("", "_mean")]
    windows += ["t_cv_5_moving", "capped_5", "n_capped_5", "window", *REDUCTION]
    require(
        table,
        (
            "series", "n_sites", "network", "width", "n_parameters", "family", "stuck", "n_runs", "n_stuck",
            "n_diverged", "delta_energy", "delta_energy_mean", "delta_energy_sem", "delta_energy_moving", *windows,
            "ground_energy", "triplet_energy", "iterations",
        ),
    )  # fmt: skip
    columns = rings.sizes(rings.at(table, series="run"))
    fig = style.figure(style.DOUBLE_COLUMN, 7.2)
    axes = fig.subplots(3, len(columns), squeeze=False, height_ratios=(1.7, 1.15, 2.4))
    for (upper, middle, lower), n_sites in zip(axes.T, columns, strict=True):
        here = rings.at(table, n_sites=n_sites)
        _draw_times(upper, middle, here)
        _draw_energies(lower, here, published)
        upper.set_title(f"$N={n_sites}$")
    for ax in axes[2]:
        ax.set_xlim(_parameters(table))
        ax.xaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].set_ylabel(r"$T_\mathrm{cv}$ (iterations)")
    axes[1, 0].set_ylabel("noise of the change")
    axes[2, 0].set_ylabel(r"$\Delta E=E-E_0$")
    rings.letters(axes)
    style.legend_above(fig, [], _keys_of_fig3(table), columns=5)
    style.small_print(fig, sentences(note, *_facts_of_fig3(table, published)))
    return fig


def _parameters(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of the axis of numbers of parameters, the same for all rings."""
    known = rings.at(table, series="run").n_parameters
    return known.min() / 2.4, known.max() * 1.5


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


def _draw_times(upper: Axes, middle: Axes, rows: pd.DataFrame) -> None:
    """T_cv with both windows, and the standard error of the relative change that the rule compares."""
    single = rings.at(rows, series="single")
    rows = rows[rows.series.isin(["run", "mean"])]
    widths, names = sorted(rows.width.unique()), networks(rows)
    for index, name in enumerate(names):
        shift, shown = APART * (index - (len(names) - 1) / 2), look(name)
        here = rings.at(rows, network=name)
        seeds = rings.at(here, series="run")
        places = np.searchsorted(widths, seeds.width) + shift
        _draw_seeds(upper, places, seeds.t_cv_5, seeds, shown, seeds.capped_5)
        line = rings.at(here, series="mean").sort_values("width")
        places = np.searchsorted(widths, line.width) + shift
        upper.errorbar(places, line.t_cv_5_mean, line.t_cv_5_sem, linewidth=0.9, **shown)
        _draw_moving(upper, places, line.t_cv_5_moving, line, shown)
        _mark_bounds(upper, places, line.t_cv_5_mean, line.n_capped_5, shown)
        other = shown | {"markersize": 2.2, "linewidth": 0.7, "linestyle": ":", "alpha": 0.7, "label": "_window 10"}
        upper.plot(places, line.t_cv_10_mean, **other)
        middle.plot(places, line.noise_5_mean, linewidth=0.9, **shown)
        middle.plot(places, line.noise_10_mean, **other)
        alone = rings.at(single, network=name)
        places = np.searchsorted(widths, alone.width) + shift
        for ax, values in ((upper, alone.t_cv_5), (middle, alone.noise_5)):
            ax.plot(places, values, color=shown["color"], **SINGLE)
        _mark_bounds(upper, places, alone.t_cv_5, alone.capped_5, shown)
    middle.axhline(TOLERANCE, color="0.45", linewidth=0.7, linestyle="--", zorder=0.5)
    for ax in (upper, middle):
        ax.set_xticks(range(len(widths)), labels=[f"{width:g}" for width in widths])
        ax.set(xlim=(-0.5, len(widths) - 0.5))
        ax.set_xlabel("kernel size $K$")
    highest = rows.iterations.max()
    upper.set_ylim(-0.02 * highest, 1.06 * highest)
    middle.set_yscale("log")


def _draw_seeds(
    ax: Axes, places: Any, quantity: pd.Series, runs: pd.DataFrame, shown: Mapping[str, Any], capped: Any = 0
) -> None:
    """Single runs, faint; those with constant psi as crosses, others that are capped, 1, as triangles."""
    stuck = runs.stuck.astype(float).to_numpy() == 1
    bounds = ~stuck & (np.broadcast_to(capped, stuck.shape).astype(float) == 1)
    faint = {"color": shown["color"], "linestyle": "none", "alpha": 0.4, "zorder": 1.7}
    places, values = np.asarray(places), quantity.to_numpy(dtype=float)
    for chosen, marker, size, label in (
        (~stuck & ~bounds, ".", 2.6, "_seeds"), (stuck, "x", 3.0, "_stuck"), (bounds, "^", 2.6, "_capped"),
    ):  # fmt: skip
        ax.plot(places[chosen], values[chosen], marker, markersize=size, label=label, **faint)


def _draw_moving(ax: Axes, places: Any, values: pd.Series, means: pd.DataFrame, shown: Mapping[str, Any]) -> None:
    """Means without stuck runs as dashes, where there are some of either kind."""
    some = (means.n_stuck > 0) & (means.n_stuck < means.n_runs)
    ax.plot(places, values.where(some), "_", color=shown["color"], markersize=7, markeredgewidth=1.2, label="_moving")


def _mark_bounds(ax: Axes, places: Any, values: pd.Series, capped: pd.Series, shown: Mapping[str, Any]) -> None:
    """>= beside means of which some runs never met the rule and count with the last iteration."""
    beside: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7}
    for place, value, count in zip(places, values, capped, strict=True):
        if count > 0:
            ax.annotate(r"$\geq$", (place, value), (-3, 0), color=shown["color"], **beside)


def _draw_energies(ax: Axes, rows: pd.DataFrame, published: Published) -> None:
    """Every network against its number of parameters; the right axis has the gap as unit."""
    runs = rows[rows.series.isin(["run", "mean"])]
    names = networks(runs)
    shallow = [name for name in names if name in LABELS]
    for name in names:
        factor = 1.06 ** (shallow.index(name) - (len(shallow) - 1) / 2) if name in shallow else 1.0
        here, shown = rings.at(runs, network=name), look(name)
        seeds = rings.at(here, series="run")
        _draw_seeds(ax, seeds.n_parameters * factor, seeds.delta_energy, seeds, shown)
        line = rings.at(here, series="mean").sort_values("n_parameters")
        places = line.n_parameters * factor
        ax.errorbar(places, line.delta_energy_mean, line.delta_energy_sem, linewidth=0.9, **shown)
        _draw_moving(ax, places, line.delta_energy_moving, line, shown)
        alone = rings.at(rows, series="single", network=name)
        ax.plot(alone.n_parameters * factor, alone.delta_energy, color=shown["color"], **SINGLE)
    ax.set(xscale="log", yscale="log", xlabel="number of parameters")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    _draw_optima(ax, rings.at(rows, series="optimum"))
    _finish_energies(ax, rows, published)
    _write_stuck(ax, rings.at(rows, series="mean"))


def _draw_optima(ax: Axes, optima: pd.DataFrame) -> None:
    """Exact energies of the best states of a kernel size, about where its shallow networks are."""
    for one in optima.to_dict("records"):
        place, level, line = 2 * one["width"] + 2, one["delta_energy"], FAMILIES[one["family"]]
        ax.plot([place / REACH, place * REACH], [level] * 2, linewidth=1.1, label="_optimum", zorder=1.5, **line)
        if one["family"] == "cps":
            ax.annotate(
                f"$K={one['width']:g}$", (place / REACH, level), (-2, 0), textcoords="offset points", ha="right",
                va="center", fontsize=TINY,
            )  # fmt: skip


def _finish_energies(ax: Axes, rows: pd.DataFrame, published: Published) -> None:
    """Units: the gap on the right, 1 % of E0 as a line; the published energy, read as a part of E0."""
    first = rows.iloc[0]
    ground, gap = first.ground_energy, first.triplet_energy - first.ground_energy
    right = ax.secondary_yaxis("right", functions=(lambda energy: energy / gap, lambda share: share * gap))
    right.set_ylabel(r"$\Delta E\,/\,(E_1-E_0)$")
    ax.tick_params(which="both", right=False)
    for percent in (1, 10):
        level = percent / 100 * abs(ground)
        ax.axhline(level, color="0.8", linewidth=0.6, zorder=0.3)
        right_end: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "bottom", "zorder": 4}
        label = ax.text(0.99, level, rf"${percent}\,\%$ of $|E_0|$", fontsize=TINY, color="0.5", **right_end)
        label.set_path_effects([withStroke(linewidth=2, foreground="white")])
    if first.n_sites == QUOTED_RING:
        level = abs(rings.fact(published, "delta_e_best")["value"] / 100 * ground)
        style.published(ax, [2 * QUOTED_WIDTH + 2], [level])


def _write_stuck(ax: Axes, means: pd.DataFrame) -> None:
    """How many runs of each cell ended with constant psi, one line of numbers per network that has any."""
    listed = [name for name in networks(means) if rings.at(means, network=name).n_stuck.sum()]
    low, high = ax.get_ylim()
    room = 0.04 + LINE * len(listed)  # share of the axis above the points
    ax.set_ylim(low, high * (high / low) ** (room / (1 - room)))
    for line, name in enumerate(listed):
        text = {"transform": ax.get_xaxis_transform(), "fontsize": TINY, "color": look(name)["color"]}
        for one in rings.at(means, network=name).to_dict("records"):
            share = f"{one['n_stuck']:g}/{one['n_runs']:g}"
            ax.text(one["n_parameters"], 0.96 - LINE * line, share, ha="center", va="center", **text)
    if listed:
        ax.text(0.01, 0.96, "stuck", transform=ax.transAxes, va="center", fontsize=TINY, color="0.4")


def _keys_of_fig3(table: pd.DataFrame) -> list[Line2D]:
    runs = table[table.series.isin(["run", "mean"])]
    keys = [Line2D([], [], linewidth=0.9, **look(name)) for name in networks(runs)]
    keys += [
        Line2D([], [], color="0.4", marker="x", linestyle="none", markersize=3, label="stuck seed"),
        Line2D([], [], color="0.4", marker="_", linestyle="none", markersize=7, label="mean without these"),
        Line2D([], [], color="0.4", marker="^", linestyle="none", markersize=2.6, label="seed that never met the rule"),
        Line2D([], [], color="0.4", marker=".", linestyle=":", linewidth=0.7, label="window of 10"),
        Line2D([], [], color="0.45", linestyle="--", linewidth=0.7, label="tolerance of the rule"),
        Line2D([], [], color="0.4", **(SINGLE | {"label": "one chain"})),
        *(
            Line2D([], [], label=f"{family.upper()}, lowest minimum", **line)
            for family, line in FAMILIES.items()
            if (table.family == family).any()
        ),
        style.published_key(),
    ]  # fmt: skip
    return keys


def _facts_of_fig3(table: pd.DataFrame, published: Published) -> list[str]:
    means = rings.at(table, series="mean")
    runs = rings.at(table, series="run")
    levels = runs.drop_duplicates("n_sites").to_dict("records")
    units = "; ".join(
        f"$N={one['n_sites']:g}$: $E_0={one['ground_energy']:.4f}$, "
        f"$E_1-E_0={one['triplet_energy'] - one['ground_energy']:.5f}$"
        for one in levels
    )
    diverged, capped = int(means.n_diverged.sum()), int(means.n_capped_5.sum())
    return [
        rf"$H=\Sigma_nP_{{n,n+1}}$, total energies; {units}",
        "Learning rate and steps per sample of each network and $K$: lowest mean energy over the seeds of a search; "
        f"runs per point: {span(means.n_runs)}",
        "Error bars: standard error over seeds, stuck ones included",
        r"Stuck: $\psi$ constant at the end, or a sampled energy no lower than that of constant $\psi$",
        f"Diverged and left out: {diverged}" if diverged else "",
        r"$T_\mathrm{cv}$: first iteration where the rolling mean over 5 (dotted: 10) iterations differs by less than "
        r"$10^{-4}$ from that 5 before, else the last; noise: standard error of that difference, which decides "
        "where it is above the dashed line",
        rf"$\geq$: some of the runs never met the rule and count with the last iteration, {capped} in all"
        if capped
        else "",
        *_reductions(table, published),
        r"Hollow: published best energy of $K=6$, read as a part of $E_0$" if QUOTED_RING in rings.sizes(runs) else "",
        "Seeds with a sampled energy below $E_0$ are cut" if (runs.delta_energy <= 0).any() else "",
    ]  # fmt: skip


def _reductions(table: pd.DataFrame, published: Published) -> list[str]:
    """By how much forcing lowers T_cv, with and without stuck runs, and the published range."""
    rows = rings.at(table, series="reduction", window=5)
    pooled = rows[rows.n_sites.isna()]
    found = []
    for one in pooled.to_dict("records"):
        words = f"{LABELS[one['network']]} {_percent(one, 'reduction')}"
        if one["n_pairs_moving"] < one["n_pairs"]:
            words += f", without pairs with a stuck run {_percent(one, 'reduction_moving')}"
            if one["stuck_share"] > 0:
                words += rf" (stuck runs: ${100 * one['stuck_share']:.0f}\,\%$ of the mean difference)"
        found.append(words)
    low, high = rings.fact(published, "tcv_reduced")["value"]
    quoted = rf"published: about ${100 * low:.0f}$ to ${100 * high:.0f}\,\%$"
    if not found:
        return [rf"Forcing lowers $T_\mathrm{{cv}}$, {quoted}"]
    saved = r"$T_\mathrm{cv}$ saved by forcing, same seeds, each at its best setting, all $K$ and rings"
    return [f"{saved}: {'; '.join(found)}; {quoted}"]


def _percent(row: Mapping[Any, Any], name: str) -> str:
    if not np.isfinite(row[name]):
        return "unknown"
    error = row[f"{name}_sem"]
    return rf"${100 * row[name]:.0f}" + (rf"\pm{100 * error:.0f}" if np.isfinite(error) else "") + r"\,\%$"
