"""Every model and unit of the runs of a fixed number of iterations, Figs. 2 to 8 and 12: what claims are judged from.

Two tables: `courses`, one row per model, how its training went; `small_units`, one row per hidden unit of the rings of
Figs. 2 to 8, what it looks like, what its removal changes and what it does alone. Energies are totals in S.S units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.rbm_ablation import staggered_score
from nqs.analysis.rbm_observables import read_machines
from nqs.analysis.table_files import CELL, mark, read, some
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.tables.small_rings import ranked_units

WINDOW = 50  # iterations of a mean
REACHED = {"reached_1e2": 1e-2, "reached_1e3": 1e-3}  # relative errors of the sampled energy
MODEL = [*CELL, "repeat"]
OF_RUN = ["study", "cluster", "run"]  # the same for all rows


def rows(files: Files, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Both tables, from the cells of Figs. 2 to 8 and 12; settings: small, the sizes and the density of the former."""
    small = settings["small"]
    some(mark(read(files["models"])))
    courses = pd.concat(_courses(files), ignore_index=True)
    units = _units(files).merge(courses[[*MODEL, "stopped_at"]], on=MODEL)
    units = units[units.n_sites.isin(small["sizes"]) & (units.alpha == small["alpha"])]
    return {"courses": courses.drop(columns=OF_RUN), "small_units": units.drop(columns=OF_RUN)}


def _courses(files: Files) -> Iterator[pd.DataFrame]:
    """Usable models of each cell: late energy and variance, exact errors, rises, and iterations to an error."""
    exact = _exact(read(files["states"]))
    for models, trace in zip(files["models"], files["traces"], strict=True):
        marked = mark(read([models]))
        curves = read([trace]).sort_values("iteration").groupby("repeat")
        table = pd.DataFrame([{"repeat": repeat} | _course(curve) for repeat, curve in curves])
        columns = [*MODEL, "n_hidden", "status", "stopped_at", "exact_energy"]
        table = marked.loc[marked.usable, columns].merge(table, on="repeat").merge(exact, on=MODEL, how="left")
        error = table.late_energy / table.exact_energy - 1
        exact_energy = marked.exact_energy.iloc[0]
        for name, bound in REACHED.items():
            first = {repeat: _first_within(curve, exact_energy, bound) for repeat, curve in curves}
            table[name] = table.repeat.map(first)
        yield table.assign(late_error=error.abs())


def _course(curve: pd.DataFrame) -> dict[str, float]:
    """Mean energy and median variance of the last WINDOW iterations, and the largest rise of the energy."""
    late = curve.iloc[-WINDOW:]
    return {
        "late_energy": late.energy.mean(), "late_variance": late.variance.median(),
        "largest_rise": largest_rise(curve.energy.to_numpy()),
    }  # fmt: skip


def largest_rise(energy: np.ndarray) -> float:
    """Largest rise of the mean energy (iteration,) from WINDOW iterations to the next, over its standard error."""
    if len(energy) < 2 * WINDOW:
        return np.nan
    windows = np.lib.stride_tricks.sliding_window_view(energy, WINDOW)
    mean, variance = windows.mean(axis=1), windows.var(axis=1, ddof=1) / WINDOW
    rise = mean[WINDOW:] - mean[:-WINDOW]
    return float((rise / np.sqrt(np.maximum(variance[WINDOW:] + variance[:-WINDOW], 1e-300))).max())


def _first_within(curve: pd.DataFrame, exact: float, bound: float) -> float:
    """First iteration whose energy has a relative error below the bound; NaN if there is none."""
    met = curve.iteration[(curve.energy / exact - 1).abs() < bound]
    return float(met.min()) if len(met) else np.nan


def _exact(states: pd.DataFrame) -> pd.DataFrame:
    """Exact errors and variances of every model, one column for each sector."""
    wide = states.pivot(index=MODEL, columns="sector", values=["relative_error", "variance"])
    names = {"relative_error": "exact_error", "variance": "exact_variance"}
    wide.columns = pd.Index([f"{names[str(column[0])]}_{column[1]}" for column in wide.columns])
    return wide.reset_index()


def _units(files: Files) -> pd.DataFrame:
    """Ranked units with their scores before the training and their longest run of weights of one sign."""
    weights = pd.concat(map(_weights, files["models"], files["weights"]), ignore_index=True)
    units = ranked_units(files).merge(weights, on=[*MODEL, "unit"], how="left")
    profiles = units.filter(regex=r"^(czz|delta_czz|czz_alone|exact_czz)_\d+$").columns
    columns = [
        *MODEL, "n_hidden", "sector", "unit", "rank", "s_afm", "s_afm_initial", "aligned", "weight_norm",
        "delta_energy", "energy_impact", "correlation_impact", "energy", "energy_alone", "energy_none", "exact_energy",
    ]  # fmt: skip
    return units[[*columns, *profiles]]


def _weights(models: Path, weights: Path) -> pd.DataFrame:
    """What is read off the weights themselves: one row per unit of one cell."""
    table, trained = read([models]), read_machines(weights)
    first = trained.snapshots.get(0, [None] * len(table))
    parts = []
    for (_, model), final, initial in zip(table.iterrows(), trained.final, first, strict=True):
        before = staggered_score(initial.weights) if initial else np.full(final.n_units, np.nan)
        units = {"unit": range(final.n_units), "s_afm_initial": before, "aligned": longest_run(final.weights)}
        parts.append(pd.DataFrame(model[MODEL].to_dict() | units))
    return pd.concat(parts, ignore_index=True)


def longest_run(weights: np.ndarray) -> np.ndarray:
    """Longest row of neighbours on the ring with weights of one sign: (unit, site) -> (unit,), N at most."""
    n_sites = weights.shape[1]
    same = np.sign(weights) == np.sign(np.roll(weights, -1, axis=1))  # (unit, site): site and its right neighbour
    twice = np.hstack([same, same])
    run, longest = np.zeros(len(weights), int), np.zeros(len(weights), int)
    for column in twice.T:
        run = np.where(column, run + 1, 0)
        longest = np.maximum(longest, run)
    return np.minimum(longest + 1, n_sites)
