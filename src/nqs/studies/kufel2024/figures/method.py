"""Fig. 1: a network as wave function, its energy by sampling, and the descent."""

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


def draw(table: pd.DataFrame, published: Mapping[str, Any], note: str) -> Figure:
    """The loop (a), local energies that narrow (b), energies of the run (c), error against samples (d)."""
    require(table, ("series", "iteration", "energy", "exact_energy", "sampled", "sampled_error", "samples", "spread"))
    fig, axes = style.double_column(1, 4, height=2.2)
    loop, narrowing, run, error = axes[0]
    draw_loop(loop)
    draw_histograms(narrowing, table[table.series == "histogram"])
    draw_run(run, table[table.series == "run"])
    draw_error(error, table[table.series == "sets"])
    letters(axes)
    n_sites = int(table.n_sites.iloc[0])
    facts = (
        f"critical transverse-field Ising ring, N = {n_sites}, restricted Boltzmann machine, stochastic "
        "reconfiguration by exact sums; points in (c): energies sampled at the same parameters, one standard error",
        "(d) spread over independent sample sets at one iterate",
    )
    style.small_print(fig, sentences(note, *facts))
    return fig


def draw_loop(ax: Axes) -> None:
    """The three key ideas as a circle."""
    ax.axis("off")
    ax.set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), aspect="equal")
    box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": style.DARK, "linewidth": 0.8}
    words = (
        r"$\psi_\theta(s)$" "\nnetwork",
        r"$\langle E_{\rm loc}\rangle$" "\nsamples",
        r"$\theta-\eta S^{-1}F$" "\ndescent",
    )
    for angle, word in zip(np.deg2rad((90, -30, 210)), words, strict=True):
        ax.text(np.cos(angle), np.sin(angle), word, ha="center", va="center", fontsize=7, bbox=box)
    for begin in (60, -60, 180):
        arrow = {"arrowstyle": "->", "connectionstyle": "arc3,rad=-0.2", "color": style.BLUE, "linewidth": 1.2}
        start, end = (np.deg2rad(begin + turn) for turn in (0, -60))
        tip, tail = ((1.05 * np.cos(angle), 1.05 * np.sin(angle)) for angle in (end, start))
        ax.annotate("", tip, tail, arrowprops=arrow)


def draw_histograms(ax: Axes, rows: pd.DataFrame) -> None:
    """Distribution of the local energy at three iterates: its width vanishes with the error of the state."""
    steps = sorted(rows.iteration.unique())
    for colour, step in zip(style.sequence(len(steps)), steps, strict=True):
        here = rows[rows.iteration == step]
        ax.step(here.energy, here.weight / here.weight.max(), where="mid", color=colour, label=f"{step:.0f}")
    ax.set(xlabel=r"local energy $E_{\rm loc}$", ylabel="weight / largest", ylim=(0, 1.45))
    ax.legend(title="iteration", ncols=len(steps), loc="upper center", handlelength=1, columnspacing=0.8)


def draw_run(ax: Axes, rows: pd.DataFrame) -> None:
    """Exact and sampled energies."""
    thin = rows[:: max(1, len(rows) // 25)]
    ax.errorbar(thin.iteration, thin.sampled, thin.sampled_error, color=style.ORANGE, marker=".", linestyle="none",
                label="sampled")  # fmt: skip
    ax.plot(rows.iteration, rows.energy, color=style.BLUE, label="summed")
    ax.axhline(rows.exact_energy.iloc[0], **(style.EXACT | {"label": "ground state"}))
    ax.set(xlabel="iteration", ylabel="energy (Pauli units)")
    ax.legend()


def draw_error(ax: Axes, rows: pd.DataFrame) -> None:
    """Spread of the sampled energy, beside the inverse root."""
    ax.loglog(rows.samples, rows.spread, color=style.ORANGE, marker="o", label="spread of energies")
    ax.loglog(rows.samples, rows.spread.iloc[0] * np.sqrt(rows.samples.iloc[0] / rows.samples), **(
        style.EXACT | {"label": r"$\propto n^{-1/2}$"}
    ))  # fmt: skip
    ax.set(xlabel="samples $n$", ylabel="error of the energy")
    ax.legend()
