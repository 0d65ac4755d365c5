"""Fig. 5: what makes ground states hard, and what helps."""

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

SMALLEST = 1e-15
# (frustrated, rotated): (colour, marker)
CASES = {
    (False, True): (style.BLUE, "o"),
    (False, False): (style.SKY, "v"),
    (True, True): (style.VERMILLION, "s"),
    (True, False): (style.ORANGE, "D"),
}


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """Errors against parameters (a), ranks (b), signs (c), symmetries (d), broken ones (e), a square lattice (f)."""
    require(table, ("series", "j2", "rotated", "n_parameters", "relative_error", "rank", "order", "average_sign"))
    require(table, ("strength", "symmetry", "field", "energy", "exact_energy", "sx", "exact_sx"))
    fig, axes = style.double_column(2, 3, height=4.6)
    errors, ranks, sign, symmetry, broken, square = axes.flat
    runs = table[table.series == "run"]
    draw_errors(errors, runs)
    draw_ranks(ranks, runs[runs.rotated.astype(bool)])
    draw_symmetry(symmetry, table[table.series == "symmetry"])
    draw_signs(sign, table[table.series == "sign"])
    draw_broken(broken, table[table.series == "broken"])
    on_square = table[table.series == "square"]
    draw_square(square, on_square)
    letters(axes)
    style.legend_above(fig, [errors], columns=4)
    facts = (
        f"J1-J2 ring, N = {int(table.n_sites.iloc[0])}, Sz = 0, complex RBM, exact sums; small marks: seeds, "
        "lines: medians",
        "(b) eigenvalues of the geometric tensor above 1e-10 of the largest; dashed: the dimension of the sector",
        "(c) average sign at temperature J1/4, the same in both bases; the variance of the estimator at the exact "
        "state is zero at every point",
        "(d) one network, projected on groups of the ring with the characters of the ground state",
        "(e) couplings that scatter, J2 = 0, rotated basis; networks without symmetry, with translations and "
        "reflections, and with a factor that breaks them",
        f"(f) transverse-field Ising model on all states of {int(on_square.n_sites.iloc[0])} sites; lines: exact "
        "diagonalisation, marks: complex RBM",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def cases(rows: pd.DataFrame) -> Any:
    """Rows by coupling and basis: (colour, marker, label, rows)."""
    for (frustrated, rotated), (colour, marker) in CASES.items():
        here = rows[((rows.j2 > 0) == frustrated) & (rows.rotated.astype(bool) == rotated)]
        if len(here):
            basis = "rotated" if rotated else "plain"
            yield colour, marker, f"$J_2={here.j2.iloc[0]:g}$, {basis} basis", here


def draw_errors(ax: Axes, rows: pd.DataFrame) -> None:
    """Relative error of every run, and medians."""
    for colour, marker, label, here in cases(rows):
        shown = here.relative_error.clip(lower=SMALLEST)
        ax.plot(here.n_parameters, shown, color=colour, marker=marker, markersize=2, linestyle="none", alpha=0.5)
        median = shown.groupby(here.n_parameters).median()
        ax.plot(median.index, median, color=colour, marker=marker, label=label)
    ax.set(xscale="log", yscale="log", xlabel="parameters (complex)", ylabel="relative error of the energy")
    style.readable_log_ticks(ax.xaxis)


def draw_ranks(ax: Axes, rows: pd.DataFrame) -> None:
    """Rank against parameters."""
    for colour, marker, _, here in cases(rows):
        median = here.groupby("n_parameters")["rank"].median()
        ax.plot(median.index, median, color=colour, marker=marker)
    ends = np.array([rows.n_parameters.min(), rows.n_parameters.max()])
    ax.plot(ends, ends, color="0.6", linewidth=0.8, label="rank = parameters")
    ax.axhline(rows.dimension.iloc[0], **(style.EXACT | {"label": None}))
    ax.set(xscale="log", yscale="log", xlabel="parameters (complex)", ylabel="rank of the tensor")
    for axis in (ax.xaxis, ax.yaxis):
        style.readable_log_ticks(axis)
    ax.legend(loc="lower right")


def draw_symmetry(ax: Axes, rows: pd.DataFrame) -> None:
    """Relative error against the order of the group."""
    for colour, marker, _, here in cases(rows.assign(rotated=True)):
        shown = here.relative_error.clip(lower=SMALLEST)
        ax.plot(here.order, shown, color=colour, marker=marker, markersize=2, linestyle="none", alpha=0.5)
        median = shown.groupby(here.order).median()
        ax.plot(median.index, median, color=colour, marker=marker)
    ax.set(xscale="log", yscale="log", xlabel="order of the symmetry group", ylabel="relative error of the energy")
    style.readable_log_ticks(ax.xaxis)


def draw_signs(ax: Axes, rows: pd.DataFrame) -> None:
    """Average sign; one curve, because a rotation changes signs of matrix elements but not those of closed loops."""
    here = rows[rows.rotated.astype(bool)]
    ax.plot(here.j2, here.average_sign, color=style.DARK, marker="o")
    ax.axhline(0.5, color="0.45", linestyle=":", linewidth=0.9)
    ax.set(xlabel=style.J2_OVER_J1, ylabel="average sign", ylim=(-0.05, 1.1))


def draw_broken(ax: Axes, rows: pd.DataFrame) -> None:
    """Relative error against the scatter of the couplings."""
    looks = {"none": (style.DARK, "o"), "exact": (style.SKY, "v"), "approximate": (style.VERMILLION, "s")}
    for name, (colour, marker) in looks.items():
        here = rows[rows.symmetry == name]
        shown = here.relative_error.clip(lower=SMALLEST)
        ax.plot(here.strength, shown, color=colour, marker=marker, markersize=2, linestyle="none", alpha=0.5)
        median = shown.groupby(here.strength).median()
        ax.plot(median.index, median, color=colour, marker=marker, label=f"{name} symmetry".replace("none", "no"))
    ax.set(yscale="log", xlabel="scatter of the couplings", ylabel="relative error of the energy")
    ax.legend(loc="lower right")


def draw_square(ax: Axes, rows: pd.DataFrame) -> None:
    """Energy per site over the field and transverse magnetisation, networks on exact values."""
    rows = rows.sort_values("field")
    for ours, exact, colour, marker, label in (
        (rows.sx, rows.exact_sx, style.BLUE, "o", r"$\langle\sigma^x\rangle$"),
        (-rows.energy / rows.n_sites / (2 + rows.field), -rows.exact_energy / rows.n_sites / (2 + rows.field),
         style.ORANGE, "D", r"$-E/N(2J+h)$"),
    ):  # fmt: skip
        ax.plot(rows.field, exact, **(style.EXACT | {"label": None}))
        ax.plot(rows.field, ours, color=colour, marker=marker, linestyle="none", markerfacecolor="none", label=label)
    ax.set(xlabel="field $h/J$", ylabel="expectation value", ylim=(0, 1.05))
    ax.legend(loc="lower right")
