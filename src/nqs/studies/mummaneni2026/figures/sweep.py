"""Figures 9 and 10 of Mummaneni and Sajjan (2026): the systematic study over rings and densities; and figX1, sampled
against exact errors of all its models.

Means run over converged models, as in the paper. Every variant (mode, sector) in the table is drawn; the headline
comes first.
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

from nqs.figures import rings, style
from nqs.figures.table import TableError, require, sentences

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
CONVERGED = "Means over models that met the criterion on the sampled energy"
GROUPS = ("exact", "full", "important", "unimportant")
APART = 0.16  # sites, between points of one ring
FAILED = ("diverged", "frozen", "singular")


def fig9(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Energies and correlations with only the important or only the other units, and how well the former recover."""
    recovery = ("recovery_error_percent", "recovery_low", "recovery_high")
    counts = ("n_important", "n_hidden")
    require(
        table,
        ("n_sites", "alpha", "mode", "sector", "series", "energy", "r", "czz", *counts, *recovery, *rings.MEANS),
    )
    columns, modes, sectors = rings.sizes(table), rings.modes(table), rings.sectors(table)
    fig = style.figure(style.DOUBLE_COLUMN, 3.2 + 1.5 * (1 + len(modes)))
    rows, last = _panels_of_fig9(fig, 1 + len(modes), len(columns), len(sectors))
    headline = rings.at(table, sector=sectors[0])
    for column, n_sites in enumerate(columns):
        here = rings.at(headline, n_sites=n_sites)
        _draw_group_energies(rows[0][column], here)
        rows[0][column].set_title(f"$N={n_sites}$")
        for row, mode in zip(rows[1:], modes, strict=True):
            _draw_group_correlations(row[column], rings.at(here, mode=mode))
    rows[0][0].set_ylabel("energy ($J$)")
    for row, mode in zip(rows[1:], modes, strict=True):
        row[0].set_ylabel(rf"$C_{{zz}}(r)$, {mode} mode")
    for ax, sector in zip(last, sectors, strict=True):
        _draw_recovery(ax, rings.at(table, sector=sector), published)
        ax.set_title(rings.SECTORS[sector])
    last[0].set_ylabel("error of the kept energy (%)")
    rings.letters([ax for row in (*rows, last) for ax in row])
    style.legend_above(
        fig, [*rows[1], *last], [Patch(color=style.SHADE, linewidth=0, label="all against important")], columns=5
    )
    facts = (
        rings.HAMILTONIAN, f"Panels but the last row: exact sums over the states with {rings.SECTORS[sectors[0]]}",
        r"Model: the median seed of the density $\alpha$ with the closest recovery",
        f"{rings.IMPORTANT}: important units",
        r"Last row: $|E_\mathrm{kept}-E_\mathrm{full}|/|E_\mathrm{full}|$ of the important units",
        "Error bars: range over models",
        "Hollow: published",
    )  # fmt: skip
    style.small_print(fig, sentences(note, rings.mode_names(table), *rings.models(table), *facts))
    return fig


def _panels_of_fig9(fig: Figure, rows: int, columns: int, below: int) -> tuple[list[list[Axes]], list[Axes]]:
    """Rows of panels, one column per ring, and the wider ones in the last row."""
    grid = fig.add_gridspec(rows + 1, below * columns)
    upper = [[fig.add_subplot(grid[row, below * i : below * (i + 1)]) for i in range(columns)] for row in range(rows)]
    return upper, [fig.add_subplot(grid[-1, columns * i : columns * (i + 1)]) for i in range(below)]


def _draw_group_energies(ax: Axes, rows: pd.DataFrame) -> None:
    modes = rings.modes(rows)
    width = 0.8 / len(modes)
    for index, mode in enumerate(modes):
        energies = rings.at(rows, mode=mode).drop_duplicates("series").set_index("series").energy.reindex(list(GROUPS))
        places = np.arange(len(GROUPS)) + width * (index - (len(modes) - 1) / 2)
        look = style.series(mode)
        ax.bar(places, energies, width, color=look["color"], alpha=0.7, linewidth=0, label=look["label"])
    ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.set_xticks(range(len(GROUPS)), labels=["exact", "all", "important", "others"], fontsize=6)
    ax.tick_params(axis="x", length=0)


def _draw_group_correlations(ax: Axes, rows: pd.DataFrame) -> None:
    if rings.nothing(ax, rows):
        return
    lines = {name: rings.at(rows, series=name).sort_values("r") for name in GROUPS}
    full, important = lines["full"], lines["important"]
    ax.fill_between(full.r, full.czz, important.czz, color=style.SHADE, linewidth=0, zorder=0)
    for name in GROUPS[1:]:
        ax.plot(lines[name].r, lines[name].czz, **style.series(name))
    ax.plot(lines["exact"].r, lines["exact"].czz, **style.EXACT)
    rings.distance_axis(ax)
    one = rows.iloc[0]
    ax.set_title(rf"$\alpha={one.alpha:g}$, {rings.IMPORTANT} $={one.n_important:g}$ of {one.n_hidden:g}")


def _draw_recovery(ax: Axes, rows: pd.DataFrame, published: Published) -> None:
    points = rows.drop_duplicates(["n_sites", "mode"]).sort_values("n_sites")
    modes = rings.modes(points)
    for index, mode in enumerate(modes):
        line = rings.at(points, mode=mode)
        middle = line.recovery_error_percent
        spread = [middle - line.recovery_low, line.recovery_high - middle]
        shift = 0.35 * index
        ax.errorbar(line.n_sites + shift, middle, spread, **(style.series(mode) | {"linestyle": "none"}))
    others = rings.fact(published, "recovery_others")["value"]
    quoted = {int(name[1:]): value for name, value in others.items()}
    quoted[16] = rings.fact(published, "recovery_n16")["value"]["energy_error_percent"]
    shown = [n_sites for n_sites in rings.sizes(rows) if n_sites in quoted]
    style.published(ax, [n_sites - 0.35 for n_sites in shown], [quoted[n_sites] for n_sites in shown])
    rings.size_axis(ax, rows)
    ax.set(xlim=(rows.n_sites.min() - 1.2, rows.n_sites.max() + 1.2), ylim=(0, None))


def fig10(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Important units against ring size: fraction (a), number with power laws (b), exponents (c); other variants below.

    The middle row is the fraction in the other variants, the last row the correlation rho in all of them.
    """
    require(
        table,
        (
            "series", "mode", "sector", "with_r0", "alpha", "n_sites", "fraction_mean", "fraction_sem", "rho_mean",
            "rho_sd", "n_important_mean", "n_important_sem", "k", "k_se", "prefactor", *rings.MEANS,
        ),
    )  # fmt: skip
    points, fits = rings.at(table, series="fraction"), rings.at(table, series="fit")
    main = rings.at(points, with_r0=False)
    variants = rings.variants(main)
    fig = style.figure(style.DOUBLE_COLUMN, 6.2 if len(variants) > 1 else 4.4)
    grid = fig.add_gridspec(3 if len(variants) > 1 else 2, 12)
    top = [fig.add_subplot(grid[0, 4 * i : 4 * (i + 1)]) for i in range(3)]
    others = [fig.add_subplot(grid[1, 4 * i : 4 * (i + 1)]) for i in range(len(variants) - 1)]
    below = [fig.add_subplot(grid[-1, 3 * i : 3 * (i + 1)]) for i in range(len(variants))]
    for ax, (mode, sector) in zip((top[0], *others), variants, strict=True):
        _draw_by_alpha(ax, rings.at(main, mode=mode, sector=sector), "fraction_mean", "fraction_sem")
        ax.set(title=rings.title(mode, sector), ylim=(0, 1.03))
    for ax, (mode, sector) in zip(below, variants, strict=True):
        _draw_by_alpha(ax, rings.at(main, mode=mode, sector=sector), "rho_mean", "rho_sd")
        ax.set(title=rings.title(mode, sector), ylim=(-1.03, 1.03))
        ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    headline = dict(zip(("mode", "sector"), variants[0], strict=True))
    _draw_power_laws(top[1], rings.at(main, **headline), rings.at(fits, with_r0=False, **headline))
    top[1].set_title(rings.title(*variants[0]))
    _draw_exponents(top[2], fits, published)
    top[2].set_title("all variants")
    for ax in (top[0], *others[:1]):
        ax.set_ylabel(rings.FRACTION)
    below[0].set_ylabel(r"$\rho$")
    rings.letters([*top, *others, *below])
    style.legend_above(fig, [*top], _exponent_keys(fits), columns=5)
    style.small_print(fig, sentences(note, *_facts_of_fig10(main)))
    return fig


def _facts_of_fig10(points: pd.DataFrame) -> list[str]:
    return [
        rings.mode_names(points), rings.SUMS, *rings.models(points), CONVERGED,
        f"{rings.STANDARD_ERRORS} ({rings.IMPORTANT}), standard error of the fit ($k$), "
        r"standard deviation over models ($\rho$)",
        "Bars beyond the axis are cut", "Points of one ring or density are set apart sideways",
        f"Dashed: fits of {rings.IMPORTANT} $=aN^k$ to the means",
        "Exponents: sums over $r=1\\ldots N/2$ in the criterion (filled) or from $r=0$ (crosses)",
    ]  # fmt: skip


def _draw_by_alpha(ax: Axes, rows: pd.DataFrame, value: str, error: str) -> None:
    """A mean against ring size, one line per density, set apart sideways."""
    lines = rings.lines(rows, "alpha", "n_sites")
    for index, (alpha, line) in enumerate(lines):
        shift = APART * (index - (len(lines) - 1) / 2)
        ax.errorbar(line.n_sites + shift, line[value], line[error], **style.series(f"alpha{alpha}"))
    rings.size_axis(ax, rows)


def _draw_power_laws(ax: Axes, rows: pd.DataFrame, fits: pd.DataFrame) -> None:
    """Numbers of important units and the fitted a N^k of the table, dashed."""
    for alpha, line in rings.lines(rows, "alpha", "n_sites"):
        look = style.series(f"alpha{alpha}") | {"linestyle": "none"}
        ax.errorbar(line.n_sites, line.n_important_mean, line.n_important_sem, **look)
        n_sites = np.linspace(line.n_sites.min(), line.n_sites.max(), 60)
        for fit in rings.at(fits, alpha=alpha).dropna(subset=["k", "prefactor"]).to_dict("records"):
            ax.plot(n_sites, fit["prefactor"] * n_sites ** fit["k"], "--", color=look["color"], label="_fit")
    rings.size_axis(ax, rows)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"important units {rings.IMPORTANT}")


def _draw_exponents(ax: Axes, fits: pd.DataFrame, published: Published) -> None:
    """k of every variant, side by side at each density; published values hollow."""
    variants = rings.variants(fits)
    for index, (mode, sector) in enumerate(variants):
        for with_r0 in (False, True):
            line = rings.at(fits, mode=mode, sector=sector, with_r0=with_r0)
            look = style.series(f"{mode}-{sector}") | {"linestyle": "none"}
            look |= {"marker": "x", "alpha": 0.6, "label": "_r0"} if with_r0 else {}
            shift = 0.16 * (index - (len(variants) - 1) / 2) + (0.07 if with_r0 else 0.0)
            ax.errorbar(line.alpha + shift, line.k, _finite(line.k_se), **look)
    alphas = [alpha for alpha in sorted(fits.alpha.unique()) if f"exponent_alpha{alpha}" in published]
    quoted = [published[f"exponent_alpha{alpha}"] for alpha in alphas]
    places, values = [alpha - 0.38 for alpha in alphas], [one["value"] for one in quoted]
    errors = [one["uncertainty"] for one in quoted]
    ax.errorbar(places, values, errors, color="0.5", linestyle="none", label="_published errors", zorder=1.8)
    style.published(ax, places, values)
    ax.axhline(1, color="0.6", linestyle=":", zorder=0.5)
    known = [*fits.k.dropna(), *values, 1.0]
    ax.set(xlabel=r"density $\alpha$", ylabel="exponent $k$")
    ax.set(xlim=(fits.alpha.min() - 0.6, fits.alpha.max() + 0.6), ylim=(min(known) - 0.4, max(known) + 0.4))
    ax.set_xticks(sorted(fits.alpha.unique()))


def _exponent_keys(fits: pd.DataFrame) -> list[Line2D]:
    with_r0 = Line2D([], [], color="0.4", marker="x", linestyle="none", label="with $r=0$")
    return [with_r0] if fits.with_r0.any() else []


def _finite(errors: pd.Series) -> pd.Series:
    """Errors without those a fit could not give."""
    return errors.where(np.isfinite(errors))


def figX1(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Sampled against exact relative error of every model; one column per mode, one row per sector."""
    errors = {"zero": "exact_error_zero", "all": "exact_error_all"}
    model = ("cluster", "n_sites", "alpha", "mode", "repeat", "status", "tolerance")
    require(table, (*model, "sampled_error", *errors.values()))
    modes, sizes = rings.modes(table), rings.sizes(table)
    colours = dict(zip(sizes, style.sequence(len(sizes)), strict=True))
    fig, axes = style.double_column(2, len(modes), height=5.4)
    known = table[[*errors.values(), "sampled_error"]].to_numpy(dtype=float)
    known = known[np.isfinite(known) & (known > 0)]
    if not known.size:
        raise TableError("no model has an error")
    limits = (known.min() / 2, known.max() * 2)
    for (row, column), ax in np.ndenumerate(axes):
        sector = list(rings.SECTORS)[row]
        here = rings.at(table, mode=modes[column])
        for n_sites, points in rings.lines(here, "n_sites", "alpha"):
            _draw_errors(ax, points, errors[sector], colours[n_sites], f"$N={n_sites}$")
        ax.axline((limits[0], limits[0]), (limits[1], limits[1]), color="0.6", linewidth=0.7, zorder=0.5)
        for criterion in here.tolerance.unique():
            ax.axhline(criterion, color="0.6", linestyle=":", zorder=0.5)
            ax.axvline(criterion, color="0.6", linestyle=":", zorder=0.5)
        ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits, title=rings.title(modes[column], sector))
        if column == 0:
            ax.set_ylabel("exact relative error")
        if row == 1:
            ax.set_xlabel("sampled relative error")
    rings.letters(axes)
    unconverged = Line2D([], [], color="0.4", marker="x", linestyle="none", label="criterion not met")
    style.legend_above(fig, axes.flat, [unconverged], columns=8)
    style.small_print(fig, sentences(note, *_facts_of_figX1(table, published)))
    return fig


def _draw_errors(ax: Axes, rows: pd.DataFrame, column: str, colour: Any, label: str) -> None:
    """Models that met the criterion as dots, the others as crosses."""
    met = rows.status == "converged"
    ax.plot(rows.sampled_error[met], rows[column][met], "o", color=colour, alpha=0.8, markeredgewidth=0, label=label)
    ax.plot(rows.sampled_error[~met], rows[column][~met], "x", color=colour, label=f"_{label} not converged")


def _facts_of_figX1(table: pd.DataFrame, published: Published) -> list[str]:
    counts = [
        f"{int((rows.status == 'converged').sum())} of {len(rows)} ({mode} mode)"
        for mode, rows in table.groupby("mode")
    ]
    quoted = rings.fact(published, "converged_models")
    criteria = " and ".join(f"{value:g}" for value in sorted(table.tolerance.unique()))
    failed = table[table.status.isin(FAILED)]
    names = [
        rf"{one.cluster} $\alpha={one.alpha}$ {one.mode} repeat {one.repeat} ({one.status})"
        for one in failed.itertuples()
    ]
    return [
        rings.mode_names(table), rings.SUMS, "One mark per model, no mean and no error bars",
        f"Met the criterion: {', '.join(counts)}; published {quoted['value']} of {quoted['of']}",
        f"Diagonal: equal errors; dotted: the criterion, {criteria}, on the sampled error",
        f"Failed: {', '.join(names)}" if names else "",
    ]  # fmt: skip
