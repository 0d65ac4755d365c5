"""What the figures on spin rings share: modes and sectors in order, axes, and sentences for the small print.

A variant is a pair (mode, sector): how the network was sampled while it trained, and the states that the exact sums
run over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from nqs.figures import style
from nqs.figures.table import TableError, span

MODES = {
    "paper": "paper mode: single-spin flips in persistent chains",
    "sound": "sound mode: exact samples, on large rings exchange moves at $S^z=0$",
}
SECTORS = {"zero": "$S^z=0$", "all": "all states"}  # the headline first
HAMILTONIAN = r"Energies in units of $J$, $H=J\,\Sigma_i\,\mathbf{S}_i\cdot\mathbf{S}_{i+1}$"
SUMS = "exact sums over the states with $S^z=0$ or over all $2^N$ states"
STANDARD_ERRORS = "Error bars: standard error over models"
IMPORTANT = "$m$\N{PRIME}"  # number of important units
FRACTION = f"{IMPORTANT}$/M$"  # of important units
MEANS = ("n_models", "n_failed", "n_not_converged")  # columns that say what a row averages or was chosen from
CELL = {"n_sites": "ring", "alpha": "density", "mode": "mode"}  # columns that tell trainings apart


def sizes(table: pd.DataFrame) -> list[int]:
    """Numbers of sites, ascending."""
    return sorted(int(n) for n in table.n_sites.dropna().unique())


def modes(table: pd.DataFrame) -> list[str]:
    """Modes in the table, the paper's first; raises TableError for others."""
    return _known(table, "mode", MODES)


def sectors(table: pd.DataFrame) -> list[str]:
    """Sectors in the table, the headline first; raises TableError for others."""
    return _known(table, "sector", SECTORS)


def variants(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs (mode, sector) in the table, the headline first."""
    present = set(table[["mode", "sector"]].drop_duplicates().itertuples(index=False, name=None))
    return [(mode, sector) for mode in modes(table) for sector in sectors(table) if (mode, sector) in present]


def _known(table: pd.DataFrame, column: str, known: Mapping[str, str]) -> list[str]:
    present = set(table[column].dropna())
    if unknown := present - set(known):
        raise TableError(f"unknown {column} {sorted(unknown)}; known: {', '.join(known)}")
    return [name for name in known if name in present]


def at(table: pd.DataFrame, **cell: Any) -> pd.DataFrame:
    """Rows whose columns have these values."""
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


def lines(table: pd.DataFrame, by: str, along: str) -> list[tuple[int, pd.DataFrame]]:
    """The rows of each value of column `by`, ascending, sorted along another column."""
    values = sorted(int(value) for value in table[by].dropna().unique())
    return [(value, table[table[by] == value].sort_values(along)) for value in values]


def title(mode: str, sector: str | None = None, n_sites: int | None = None) -> str:
    """Short panel title: N = 8, paper, Sz = 0."""
    parts = [f"$N={n_sites}$" if n_sites else "", f"{mode} mode", SECTORS[sector] if sector else ""]
    return ", ".join(part for part in parts if part)


def letters(axes: np.ndarray | list[Axes], first: str = "a") -> None:
    """Panel letters in reading order."""
    for index, ax in enumerate(np.ravel(np.asarray(axes, dtype=object))):
        style.panel_label(ax, chr(ord(first) + index))


def distance_axis(ax: Axes) -> None:
    """Axis of the distance r and the zero line of a correlation function."""
    ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=2))
    ax.set_xlabel("distance $r$")


def whole_decades(ax: Axes, values: pd.Series) -> None:
    """Logarithmic y axis from a power of ten to another, only these labelled."""
    known = np.log10(values[values > 0].to_numpy(dtype=float))
    ax.set_yscale("log")
    if known.size:
        ax.set_ylim(10.0 ** np.floor(known.min()), 10.0 ** np.ceil(known.max() + 0.05))
    ax.yaxis.set_minor_formatter(NullFormatter())


def size_axis(ax: Axes, table: pd.DataFrame) -> None:
    """Axis of the number of sites, one tick per ring."""
    ax.set_xticks(sizes(table))
    ax.set(xlabel="sites $N$", xlim=(table.n_sites.min() - 0.7, table.n_sites.max() + 0.7))


def nothing(ax: Axes, rows: pd.DataFrame) -> bool:
    """Whether there are no rows; the panel then says so, as where every training of a cell failed."""
    if rows.empty:
        ax.text(0.5, 0.5, "no model", transform=ax.transAxes, ha="center", va="center", color="0.5")
        ax.set(xticks=[], yticks=[])
    return rows.empty


def fact(published: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A published number, its uncertainty and where it stands; raises TableError if it is not there."""
    if name not in published:
        raise TableError(f"the published values lack {name}")
    return published[name]


def models(table: pd.DataFrame) -> list[str]:
    """How many models a point stands for, and how many were left out and why, by mode."""
    cell = [column for column in CELL if column in table]
    cells = table.dropna(subset=["n_models"]).groupby(cell, as_index=False)[list(MEANS)].max()
    alone = cells.n_models == cells.n_not_converged  # no model met the criterion, so all count
    left_out = cells.assign(n_not_converged=cells.n_not_converged.mask(alone, 0))
    lost = [
        f"{count} {word} ({mode} mode)"
        for column, word in (("n_failed", "failed"), ("n_not_converged", "did not converge"))
        for mode in modes(cells)
        if (count := int(at(left_out, mode=mode)[column].sum()))
    ]
    per = ", ".join(CELL[column] for column in cell)
    return [
        f"Models per {per}: {span(cells.n_models)}",
        f"Left out: {', '.join(lost)}" if lost else "",
        f"Cells of which no model met the criterion, so that all count: {alone.sum()}" if alone.any() else "",
    ]


def mode_names(table: pd.DataFrame) -> str:
    """What the modes in the table are."""
    return "; ".join(MODES[mode] for mode in modes(table))
