"""Fig. 8: rules of descent, the tensor's condition, and the cost of both solves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nqs.figures import style
from nqs.figures.rings import letters
from nqs.figures.table import require, sentences

RULES = {
    "SGD": (style.DARK, "-"),
    "Adam": (style.GREEN, "-"),
    "SR": (style.BLUE, "-"),
    "minSR": (style.ORANGE, (0, (2, 2))),
}
SMALLEST = 1e-14


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Infidelity against iteration (a, b), condition numbers (c), cost of solves, of networks and of lists (d-f)."""
    require(table, ("series", "model", "rule", "iteration", "infidelity", "shift", "condition", "seconds", "orbits"))
    fig, axes = style.double_column(2, 3, height=4.6)
    runs = table[table.series == "run"]
    for ax, model in zip(axes[0], ("ising", "heisenberg"), strict=False):
        draw_runs(ax, runs[runs.model == model])
        ax.set_title({"ising": "critical Ising ring", "heisenberg": "Heisenberg ring"}[model])
    draw_conditions(axes[0, 2], table[table.series == "condition"])
    draw_seconds(axes[1, 0], table[table.series == "time"])
    draw_iterations(axes[1, 1], table[table.series == "iteration"])
    draw_lists(axes[1, 2], table[table.series == "exact"])
    letters(axes)
    style.legend_above(fig, axes[0, :1], columns=4)
    facts = (
        f"N = {int(runs.n_sites.max())}, complex RBM, exact sums, each rule at its best rate; medians over seeds "
        "and their range",
        "(c) of the tensor along one run; infinite where it is singular, drawn at 1e32",
        "(d) one of parameters P and samples n grows, the other is 64; shortest of three",
        "(e) local energies and a minSR step of 64 states, L x L Ising lattices, one hidden unit per site",
        "(f) of the ground states of Heisenberg clusters that were found exactly; the post's limit is 20 sites",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_runs(ax: Axes, rows: pd.DataFrame) -> None:
    """Median and range over seeds."""
    for rule, (colour, dashes) in RULES.items():
        here = rows[rows.rule == rule]
        grouped = here.assign(infidelity=here.infidelity.clip(lower=SMALLEST)).groupby("iteration").infidelity
        ax.fill_between(grouped.min().index, grouped.min(), grouped.max(), color=colour, alpha=0.15, linewidth=0)
        ax.plot(grouped.median().index, grouped.median(), color=colour, linestyle=dashes, label=rule)
    ax.set(yscale="log", xlabel="iteration", ylabel="infidelity")


def draw_conditions(ax: Axes, rows: pd.DataFrame) -> None:
    """Condition numbers along the run, by shift."""
    shifts = sorted(rows["shift"].unique())
    for colour, shift in zip(style.sequence(len(shifts)), shifts, strict=True):
        here = rows[rows["shift"] == shift]
        label = f"$10^{{{np.log10(shift):.0f}}}$" if shift else "0"
        ax.plot(here.iteration, here.condition, color=colour, label=label)
    ax.set(yscale="log", xlabel="iteration", ylabel="condition number of $S+\\epsilon$")
    low, high = ax.get_ylim()
    ax.set_ylim(low / (high / low) ** 0.5, high)  # room for the legend
    ax.legend(title=r"$\epsilon$", ncols=3, loc="lower right", handlelength=1, columnspacing=0.8)


def draw_seconds(ax: Axes, rows: pd.DataFrame) -> None:
    """Seconds against the size that is varied."""
    for rule in ("SR", "minSR"):
        colour = RULES[rule][0]
        for varied, column, marker, face in (("P", "n_parameters", "o", colour), ("n", "n_samples", "s", "none")):
            some = rows[(rows.rule == rule) & (rows.varied == varied)].sort_values(column)
            label = f"{rule}, ${varied}$ grows"
            ax.plot(some[column], 1e3 * some.seconds, color=colour, marker=marker, markerfacecolor=face, label=label)
    ax.set(xscale="log", yscale="log", xlabel="parameters $P$ or samples $n$", ylabel="milliseconds")
    ax.legend(fontsize=6)


def draw_iterations(ax: Axes, rows: pd.DataFrame) -> None:
    """Milliseconds of one sampled iteration against the number of sites."""
    rows = rows.sort_values("n_sites")
    ax.plot(rows.n_sites, 1e3 * rows.seconds, color=style.BLUE, marker="o")
    cube = 1e3 * rows.seconds.iloc[-1] * (rows.n_sites / rows.n_sites.iloc[-1]) ** 3
    ax.plot(rows.n_sites, cube, **(style.EXACT | {"label": r"$\propto N^3$"}))
    ax.set(xscale="log", yscale="log", xlabel="sites $N$", ylabel="milliseconds per iteration", xticks=rows.n_sites)
    ax.set_xticks([], minor=True)
    ax.set_xticklabels([f"{n:.0f}" for n in rows.n_sites])
    ax.legend()


def draw_lists(ax: Axes, rows: pd.DataFrame) -> None:
    """Amplitudes of exact states against the number of sites."""
    rows = rows.sort_values("n_sites")
    for column, colour, marker, label in (
        ("states", style.DARK, "s", "all states"),
        ("sector", style.SKY, "D", "$S^z=0$"),
        ("orbits", style.BLUE, "o", "orbits (found)"),
    ):
        ax.plot(rows.n_sites, rows[column], color=colour, marker=marker, label=label)
    ax.axvline(20, **(style.EXACT | {"label": "20 sites"}))
    ax.set(yscale="log", xlabel="sites $N$", ylabel="amplitudes to list", xticks=sorted({*rows.n_sites, 20}))
    ax.legend()
