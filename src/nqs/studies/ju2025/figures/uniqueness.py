"""Figures X1 and X2 beside Ju et al. (2025): windows that tell all states apart, and the network's energy landscape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nqs.figures import rings, style
from nqs.figures.table import require, sentences, span

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
# symmetrised: (colour, marker, label)
COUNTS = {True: (style.BLUE, "o", "counts by class of motifs"), False: (style.VERMILLION, "s", "counts of motifs")}
# way of training: (colour, marker, label), as in Fig. 3
TRAINED = {
    "original": (style.DARK, "v", "trained, original"),
    "init": (style.BLUE, "s", "trained, SymForce-Init"),
    "traj": (style.VERMILLION, "o", "trained, SymForce-Traj"),
}
APART = 0.012  # between ways of training, so that they do not hide each other
FAR = 0.2  # of |E0|: minima above are not compared with the printed regression
PUBLISHED_CELL = (60, 6)  # N and K of the published error
# of Table II: (colour, marker, label)
TERMS = {
    "intercept": (style.DARK, "o", "constant"),
    "d_neel": (style.BLUE, "s", r"$d_\mathrm{N\acute{e}el}$"),
    "n_like": (style.VERMILLION, "^", r"$n_\mathrm{like}$"),
    "interaction": (style.GREEN, "D", r"$d_\mathrm{N\acute{e}el}\,n_\mathrm{like}$"),
}
MINIMA = (style.GREEN, "^", "CNN, random starts")


def figX1(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Smallest separating K (a), share of states told apart at smaller K (b), and the multipliers' freedom (c)."""
    require(
        table,
        ("series", "n_sites", "symmetrised", "length", "classes", "distinct", "share", "bound", "multipliers", "gauge"),
    )
    fig, axes = style.double_column(1, 3, height=2.9)
    left, middle, right = axes[0]
    smallest = rings.at(table, series="smallest")
    for symmetrised, (colour, marker, label) in COUNTS.items():
        rows = rings.at(smallest, symmetrised=symmetrised).sort_values("n_sites")
        left.plot(rows.n_sites, rows.length, color=colour, marker=marker, label=label)
    bounds = smallest.drop_duplicates("n_sites").sort_values("n_sites")
    left.plot(bounds.n_sites, bounds.bound, **(style.EXACT | {"label": r"$\lfloor N/3\rfloor$"}))
    quoted = _published_bounds(published, smallest)
    style.published(left, list(quoted), list(quoted.values()), label="published lower bound")
    rings.size_axis(left, smallest)
    left.set(ylabel="smallest $K$ that separates all states", ylim=(0, None))
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    _draw_shares(middle, rings.at(table, series="share"))
    gauge = rings.at(table, series="gauge")
    _draw_gauge(right, gauge)
    rings.letters(axes)
    style.legend_above(fig, [left], columns=4)
    facts = (
        "Counts by class of motifs separate states up to translation, reflection and exchange of up and down, counts "
        "of motifs up to translation",
        "(b) counts by class; open circles: $K=\\lfloor N/3\\rfloor$",
        f"(c) one multiplier per class of motifs or per motif, ring of $N={rings.sizes(gauge)[0]}$, $K<N/2$; free: "
        r"combinations of them that change no $\ln\psi(s)$",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def _published_bounds(published: Published, rows: pd.DataFrame) -> dict[int, int]:
    """Bounds of the rings shown, by number of sites."""
    values = rings.fact(published, "kernel_bound_for_unique_values")["value"]
    return {n_sites: values[f"N{n_sites}"] for n_sites in rings.sizes(rows) if f"N{n_sites}" in values}


def _draw_shares(ax: Axes, rows: pd.DataFrame) -> None:
    """Classes of states with counts of their own, one line per ring."""
    symmetrised = rings.at(rows, symmetrised=True)
    sizes = rings.sizes(symmetrised)
    for colour, n_sites in zip(style.sequence(len(sizes)), sizes, strict=True):
        here = rings.at(symmetrised, n_sites=n_sites).sort_values("length")
        ax.plot(here.length, here.share, color=colour, marker=".", label=f"${n_sites}$")
        bound = here[here.length == here.bound]
        ax.plot(bound.length, bound.share, color=colour, marker="o", markersize=6, markerfacecolor="none")
    ax.set(xlabel="window length $K$ (sites)", ylabel="distinct counts per class of states", ylim=(0, 1.05))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(title="$N$", loc="lower right", ncols=1 + len(sizes) // 6, handlelength=1.2, title_fontsize=7)


def _draw_gauge(ax: Axes, rows: pd.DataFrame) -> None:
    """Multipliers and those that are free, per kind of counts."""
    for symmetrised, (colour, marker, _) in COUNTS.items():
        here = rings.at(rows, symmetrised=symmetrised).sort_values("length")
        look: dict[str, Any] = {"color": colour, "marker": marker}
        ax.plot(here.length, here.multipliers, linestyle=":", **look)
        free = here[here.gauge > 0]
        ax.plot(free.length, free.gauge, **look)
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="window length $K$ (sites)", ylabel="multipliers")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    dotted, solid = Line2D([], [], color="0.3", linestyle=":", label="all"), Line2D([], [], color="0.3", label="free")
    ax.legend(handles=[dotted, solid], loc="upper left")


def figX2(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Local minima and trained runs, sorted by energy (a), a cut between the two lowest (b), Table II at each (c)."""
    require(
        table,
        (
            "series", "family", "quantile", "energy", "delta_energy", "converged", "stuck", "n_starts",
            "distinct_minima", "ground_energy", "triplet_energy", "n_sites", "width", *TERMS, "r_squared",
        ),
    )  # fmt: skip
    one = table.iloc[0]
    fig, axes = style.double_column(1, 3, height=3.2)
    left, right, last = axes[0]
    minima = rings.at(table, series="minimum", family="cnn")
    cps = rings.at(table, series="minimum", family="cps").delta_energy.min()
    gap = one.triplet_energy - one.ground_energy
    _draw_minima(left, minima)
    _draw_runs(left, rings.at(table, series="run"))
    for ax in (left, right):
        ax.axhline(cps, color=style.AMBER, linewidth=1.2, zorder=0.8, label="CPS optimum")
        ax.axhline(gap, color="0.45", linewidth=0.9, linestyle=":", zorder=0.8, label="gap $E_1-E_0$")
    _draw_published(left, table, published)
    left.set(xlabel="share of the starts or runs", ylabel=r"$\Delta E=E-E_0$", xlim=(0, 1))
    rings.whole_decades(left, pd.concat([table.delta_energy, pd.Series([gap])]))
    _draw_cut(right, rings.at(table, series="cut"))
    _draw_regressions(last, table, minima, published)
    for ax in (left, right, last):
        ax.set_title(f"$N={one.n_sites:g}$, $K={one.width:g}$")
    rings.letters(axes)
    style.legend_above(fig, axes.flat, columns=4)
    style.small_print(fig, sentences(note, *_facts(table, minima, published)))
    return fig


def _draw_minima(ax: Axes, minima: pd.DataFrame) -> None:
    """Where every start ended; ends that are no minimum yet are faint, constant states crosses."""
    colour, marker, label = MINIMA
    ordered = minima.sort_values("quantile")
    ax.plot(ordered["quantile"], ordered.delta_energy, color=colour, linewidth=0.6, zorder=0.9)
    converged, stuck = ordered.converged.astype(bool), ordered.stuck.astype(bool)
    for rows, name, look in (
        (ordered[converged & ~stuck], label, {"marker": marker}),
        (ordered[~converged & ~stuck], "CNN, not converged", {"marker": marker, "alpha": 0.35}),
        (ordered[stuck], "CNN, constant state", {"marker": "x"}),
    ):
        if len(rows):
            drawn: dict[str, Any] = {"color": colour, "linestyle": "none", "label": name} | look
            ax.plot(rows["quantile"], rows.delta_energy, **drawn)


def _draw_runs(ax: Axes, runs: pd.DataFrame) -> None:
    for index, (network, (colour, marker, label)) in enumerate(TRAINED.items()):
        rows = rings.at(runs, family=network).sort_values("quantile")
        if rows.empty:
            continue
        errors = rows.energy_error.fillna(0)
        look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "none", "label": label}
        ax.errorbar(rows["quantile"] + APART * (index - 1), rows.delta_energy, errors, **look)


def _draw_published(ax: Axes, table: pd.DataFrame, published: Published) -> None:
    """The published error of the best network, read as a part of |E0|, at the left where the best runs are."""
    quoted = _quoted(table, published)
    if quoted is not None:
        style.published(ax, [0.02], [abs(quoted) / 100 * abs(table.ground_energy.iloc[0])])


def _quoted(table: pd.DataFrame, published: Published) -> float | None:
    """The published error in percent, None for another ring or K."""
    quoted = float(rings.fact(published, "delta_e_best")["value"])
    return quoted if (table.n_sites.iloc[0], table.width.iloc[0]) == PUBLISHED_CELL else None


def _draw_cut(ax: Axes, rows: pd.DataFrame) -> None:
    ax.set(xlabel="position $t$ on the straight line of parameters", ylabel=r"$\Delta E$")
    if rows.empty:
        ax.text(0.5, 0.5, "one minimum only", transform=ax.transAxes, ha="center", va="center", color="0.5")
        return
    rows = rows.sort_values("position")
    ax.plot(rows.position, rows.delta_energy, color=MINIMA[0], marker=".", markersize=3)
    ends = rows[np.isclose(rows.position, 0) | np.isclose(rows.position, 1)]
    ax.plot(ends.position, ends.delta_energy, color=MINIMA[0], marker=MINIMA[1], linestyle="none", markersize=6)
    ax.set_ylim(0, None)


def _draw_regressions(ax: Axes, table: pd.DataFrame, minima: pd.DataFrame, published: Published) -> None:
    """Coefficients of Table II at every distinct minimum over the printed ones, or as they are if none is printed."""
    minima = minima[minima.delta_energy < FAR * minima.ground_energy.abs()]
    distance, quoted = 100 * minima.delta_energy / minima.ground_energy.abs(), _quoted(table, published)
    for term, (colour, marker, label) in TERMS.items():
        printed = float(rings.fact(published, f"table2_{term}")["value"]) if quoted is not None else 1.0
        look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 3.5}
        ax.plot(distance, minima[term] / printed, label=f"_{term}", **look)
        place = len(ax.texts)
        ax.text(
            0.97, 0.97 - 0.075 * place, label, color=colour, transform=ax.transAxes, ha="right", va="top", fontsize=7
        )
    if quoted is not None:
        ax.axhline(1, color="0.6", linewidth=0.6, zorder=0.5)
        style.published(ax, [abs(quoted)], [1.0])
    ax.set(xlabel=r"$\Delta E/|E_0|$ (%)", ylabel="coefficient" + (" / printed one" if quoted is not None else ""))
    ax.margins(y=0.25)


def _facts(table: pd.DataFrame, minima: pd.DataFrame, published: Published) -> list[str]:
    runs, quoted = rings.at(table, series="run"), _quoted(table, published)
    found = minima[minima.converged.astype(bool) & ~minima.stuck.astype(bool)]
    constant, stuck = (int((rows.stuck.astype(str) == "True").sum()) for rows in (minima, runs))
    count = int(minima.distinct_minima.iloc[0])
    starts = (
        f"Starts of the exact descent: {minima.n_starts.max():g}, of which {len(found)} found one of {count} minima"
        + (f" and {constant} a constant state" if constant else "")
    )
    printed = rings.fact(published, "table2_r2")["value"] if quoted is not None else None
    near = minima[minima.delta_energy < FAR * minima.ground_energy.abs()]
    sampled = len(runs) and (runs.energy_error > 0).any()
    return [
        r"Energies of $H=\Sigma_n P_{n,n+1}$, exact by the transfer matrix",
        starts + (rf"; lowest $\Delta E={found.delta_energy.min():.4f}$" if count else ""),
        f"Trained runs: {len(runs)}; constant states: {stuck}" if len(runs) else "",
        "Error bars, where only a sample is known: standard error" if sampled else "",
        "(b) Parameters without what leaves the state unchanged, the second minimum as its image nearest to the first"
        if (table.series == "cut").any()
        else "",
        f"(c) Regression of Table II at the {near.intercept.notna().sum()} distinct minima below {100 * FAR:g} %"
        + (f", $R^2$ {span(near.r_squared.round(3))}, printed {printed:g}" if printed is not None else ""),
        rf"Hollow: the published $\delta_E={quoted:g}$ %, which as defined would lie below $E_0$, read as "
        r"$\Delta E/E_0$; its place along the axis of (a) means nothing"
        if quoted is not None
        else "",
    ]
