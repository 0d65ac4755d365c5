"""Figure 2 of Ju et al. (2025): what training does to the symmetry of a network under exchange of up and down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from nqs.figures import rings, style
from nqs.figures.table import only, require, sentences, span
from nqs.studies.ju2025.figures.networks import LABELS, networks

Published = Mapping[str, Any]
NOTHING_PUBLISHED: Published = {}
CONSTANT: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "marker": "x", "markersize": 3.5}
ARROWS = str.maketrans("ud", "\N{UPWARDS ARROW}\N{DOWNWARDS ARROW}")
LOWEST_GRAND_SUM = 1e-5  # smaller ones are cut
SMALLEST_DIFFERENCE = 1e-3  # where the axis turns linear


def fig2(table: pd.DataFrame, published: Published = NOTHING_PUBLISHED, note: str = "") -> Figure:
    """Difference of ln psi between a state and the one with spins exchanged (above), grand sum (below), every run.

    One column per network and K; colours and lines tell the hyperparameters.
    """
    identity = ("network", "width", "run", "learning_rate", "steps")
    require(
        table, ("series", "state", *identity, "n_sites", "iteration", "relative_difference", "grand_sum", "constant")
    )
    columns = [
        (name, width) for name in networks(table) for width in sorted(rings.at(table, network=name).width.unique())
    ]
    rates = sorted(table.learning_rate.unique())
    colours = dict(zip(rates, style.sequence(len(rates)), strict=True))
    lines = dict(zip(sorted(table.steps.unique()), ("-", (0, (3, 1.2)), ":", "-."), strict=False))
    fig, axes = style.double_column(2, len(columns), height=4.2)
    for (upper, lower), (name, width) in zip(axes.T, columns, strict=True):
        here = rings.at(table, network=name, width=width)
        upper.set_title(f"{LABELS.get(name, name)}, $K={width}$")
        for _, run in here.groupby("run"):
            _draw_run(upper, lower, run, colours, lines)
        _axes_of_fig2(upper, lower, here, published)
    axes[0, 0].set_ylabel("relative difference of\n" r"$\ln\psi(s)$ and $\ln\psi(Ls)$")
    axes[1, 0].set_ylabel(r"$|\mathrm{grandsum}(w)+2b|$")
    rings.letters(axes)
    keys = [Line2D([], [], color=colours[rate], label=f"learning rate {rate:g}") for rate in rates]
    keys += [
        Line2D([], [], color="0.4", linestyle=line, label=f"{steps} step{'s' if steps > 1 else ''} per sample")
        for steps, line in lines.items()
    ]
    keys += [Line2D([], [], **CONSTANT, label=r"constant $\psi$"), style.published_key()]
    style.legend_above(fig, [], keys, columns=4)
    style.small_print(fig, sentences(note, *_facts_of_fig2(table)))
    return fig


def _draw_run(
    upper: Axes, lower: Axes, run: pd.DataFrame, colours: Mapping[float, Any], lines: Mapping[int, Any]
) -> None:
    first = run.iloc[0]
    look = {"color": colours[first.learning_rate], "linestyle": lines[first.steps], "linewidth": 0.7, "alpha": 0.85}
    for ax, series, column in ((upper, "snapshot", "relative_difference"), (lower, "trace", "grand_sum")):
        kept = series if (run.series == series).any() else "snapshot"  # a shortened table has no traces
        curve = rings.at(run, series=kept).sort_values("iteration")
        values = curve[column] if ax is upper else curve[column].abs()
        if bool(curve.constant.iloc[-1]):
            ax.plot(curve.iteration, values, **CONSTANT, markevery=[-1], zorder=1.7)
        else:
            ax.plot(curve.iteration, values, **look)


def _axes_of_fig2(upper: Axes, lower: Axes, rows: pd.DataFrame, published: Published) -> None:
    last = rows.iteration.max()
    for ax in (upper, lower):
        ax.set_xscale("symlog", linthresh=10, linscale=0.6)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(-0.6, 1.15 * last)
    upper.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    upper.set_yscale("symlog", linthresh=SMALLEST_DIFFERENCE, linscale=0.7)
    upper.set_ylim(-2.5, 2.5)
    lower.set(yscale="log", ylim=(LOWEST_GRAND_SUM, 8), xlabel="iteration")
    lower.yaxis.set_minor_locator(NullLocator())
    largest = rows.grand_sum.abs().max()
    if largest < LOWEST_GRAND_SUM:
        power = int(np.ceil(np.log10(max(largest, 1e-16))))
        lower.text(0.5, 0.5, f"all below $10^{{{power}}}$", transform=lower.transAxes, ha="center", color="0.4")
    elif rows.network.iloc[0] == "original":
        ends = [rings.fact(published, f"grandsum_{end}")["value"] for end in ("initial", "final")]
        style.published(lower, [0, last], ends)


def _facts_of_fig2(table: pd.DataFrame) -> list[str]:
    snapshots = rings.at(table, series="snapshot")
    last = snapshots[snapshots.iteration == snapshots.iteration.max()]
    shares = [(name, rings.at(last, network=name).constant) for name in networks(last)]
    counts = [f"{int(constant.sum())} of {len(constant)} ({LABELS.get(name, name)})" for name, constant in shares]
    return [
        rf"$N={span(table.n_sites)}$, one line per run, no mean and no error bars",
        f"$s$ = {only(table, 'state').translate(ARROWS)}, $L$ exchanges up and down; "
        r"relative difference $(a-b)/\frac{1}{2}(|a|+|b|)$ of the network's own output, at snapshots",
        f"Runs that end with the same $\\psi$ for all states, where the difference is 0 whatever the grand sum: "
        f"{', '.join(counts)}",
        f"Axis above linear within $\\pm${SMALLEST_DIFFERENCE:g}, below cut at {LOWEST_GRAND_SUM:.5f}",
        "Hollow: published approximate values at the start and the end",
    ]  # fmt: skip
