"""Fig. 6: a quench, exactly and by time-dependent variational Monte Carlo."""

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

SMALLEST = 1e-12


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """<sx>(t) (a), infidelity against time for sums and samples (b), against the shift (c), the bias of a zero (d)."""
    require(table, ("series", "time", "sx", "exact_sx", "infidelity", "sums", "regularisation", "strength", "family"))
    paths = table[table.series == "trajectory"]
    machines = paths[paths.family == "complex rbm"]
    fig, axes = style.double_column(2, 2, height=4.6)
    draw_observable(axes[0, 0], paths)
    draw_infidelity(axes[0, 1], paths)
    draw_shifts(axes[1, 0], machines, table[table.series == "ground"])
    draw_bias(axes[1, 1], table[table.series == "bias"])
    letters(axes)
    style.legend_above(fig, axes[0, :1], columns=3)
    facts = (
        f"transverse-field Ising ring, N = {int(paths.n_sites.iloc[0])}, quench from near infinite field; Heun steps; "
        "medians over seeds and their range",
        "(c) exact sums at the last time; dashed: the same machine as a ground state of the model",
        "(d) element of S of an amplitude that is zero, or 0.1: mean of 1000 batches of 200 samples; dashed: exact",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def series_of(paths: pd.DataFrame) -> Any:
    """The compared ways: (colour, marker, label, rows)."""
    exact = paths[(paths.sums == "exact") & (paths.regularisation == "cut-off")]
    yield style.BLUE, "o", "exact sums, cut-off", exact[exact.family == "complex rbm"]
    yield style.PURPLE, "D", "no phases, exact sums", exact[exact.family != "complex rbm"]
    sampled = paths[(paths.sums == "sampled") & (paths.samples == paths.samples.max())]
    for name, colour, marker in (("shift", style.VERMILLION, "s"), ("signal to noise", style.ORANGE, "^")):
        yield colour, marker, f"{int(paths.samples.max())} samples, {name}", sampled[sampled.regularisation == name]


def draw_observable(ax: Axes, paths: pd.DataFrame) -> None:
    """<sx> per site."""
    for colour, marker, label, here in series_of(paths):
        median = here.groupby("time").sx.median()
        ax.plot(median.index, median, color=colour, marker=marker, markersize=3, label=label)
    exact = paths[paths.family == "complex rbm"].groupby("time").exact_sx.median()
    ax.plot(exact.index, exact, zorder=3, **style.EXACT)
    ax.set(xlabel=r"time $t$", ylabel=r"$\langle\sigma^x(t)\rangle$")


def draw_infidelity(ax: Axes, paths: pd.DataFrame) -> None:
    """Distance from the exact state."""
    for colour, marker, _, here in series_of(paths):
        later = here[here.time > 0].assign(infidelity=here.infidelity.clip(lower=SMALLEST))
        grouped = later.groupby("time").infidelity
        ax.fill_between(grouped.min().index, grouped.min(), grouped.max(), color=colour, alpha=0.2, linewidth=0)
        ax.plot(grouped.median().index, grouped.median(), color=colour, marker=marker, markersize=3)
    ax.set(xlabel=r"time $t$", ylabel="infidelity", yscale="log")


def draw_shifts(ax: Axes, machines: pd.DataFrame, ground: pd.DataFrame) -> None:
    """Infidelity at the last time against the diagonal shift."""
    last = machines[(machines.time == machines.time.max()) & (machines.sums == "exact")]
    shifts = last[last.regularisation == "shift"]
    grouped = shifts.groupby("strength").infidelity
    ax.fill_between(grouped.min().index, grouped.min(), grouped.max(), color=style.BLUE, alpha=0.2, linewidth=0)
    ax.plot(grouped.median().index, grouped.median(), color=style.BLUE, marker="o")
    ax.axhline(ground.infidelity.median(), **(style.EXACT | {"label": None}))
    ax.set(xscale="log", yscale="log", xlabel="diagonal shift", ylabel="infidelity at the end")


def draw_bias(ax: Axes, rows: pd.DataFrame) -> None:
    """Sampled and exact element of the tensor."""
    places = np.arange(len(rows))
    ax.errorbar(places, rows.sampled, rows.sampled_error, color=style.VERMILLION, marker="s", linestyle="none",
                label="sampled")  # fmt: skip
    for place, value in zip(places, rows.exact, strict=True):
        ax.plot(
            [place - 0.3, place + 0.3], [value, value], **(style.EXACT | {"label": "exact" if place == 0 else None})
        )
    ax.set(xticks=places, xticklabels=[f"{value:g}" for value in rows.amplitude], xlim=(-0.6, len(rows) - 0.4))
    ax.set(xlabel="amplitude of the state", ylabel="element of $S$", ylim=(-0.05, None))
    ax.legend(loc="center left")
