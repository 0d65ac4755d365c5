"""What the hidden units of every model of the systematic study do, in few numbers: what claims are judged from.

Two tables: `ablation`, one row per model and sum; `impact_modes`, one row per ring, density, sum and kind of impact.
A pattern is measured by its projection on another one, sum_r C(r) D(r) / sum_r D(r)^2 over r = 1..N/2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.dip_test import dip_p_value
from nqs.analysis.rbm_observables import important
from nqs.analysis.table_files import CELL, mark, read, some
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.tables.importance import pearson
from nqs.vmc.keys import SWEEP

OF_MODEL = [*CELL, "sector", "repeat"]
OF_CELL = [*CELL, "sector"]
OF_RUN = ["study", "cluster", "run"]  # the same for all rows


def rows(files: Files, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Both tables, from the states and units of the sweep; settings: tau."""
    states = mark(read(files["states"]))
    states = some(states[states.run == SWEEP])
    states = states[states.counted]
    units = read(files["units"]).merge(states.drop(columns=["n_hidden", "status"]), on=OF_MODEL, suffixes=("", "_all"))
    table = groups_alone(states).merge(unit_numbers(units, settings["tau"]), on=OF_MODEL)
    return {"ablation": table.drop(columns=OF_RUN), "impact_modes": impact_modes(units).drop(columns=OF_RUN)}


def profiles(table: pd.DataFrame, name: str) -> np.ndarray:
    """Columns name_1, name_2, ... as an array (row, r); NaN beyond a ring's N/2, no columns if there are none."""
    columns = table.filter(regex=rf"^{name}_[1-9]\d*$").columns
    order = sorted(columns, key=lambda column: int(str(column).rsplit("_", 1)[1]))
    return table[order].to_numpy(dtype=float)


def projection(profile: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Projection of profiles (row, r) on others, per row; 1 for the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(profile * onto, axis=1) / np.nansum(onto**2, axis=1)


def groups_alone(states: pd.DataFrame) -> pd.DataFrame:
    """Of each model: how the profiles of its important and of its other units resemble the whole one.

    likeness: Pearson correlation; same_sign: share of distances r; NaN for a group without units.
    """
    whole, kept = profiles(states, "czz"), profiles(states, "czz_important")
    known = np.isfinite(kept).any(axis=1)
    inside = np.isfinite(whole)
    same = ((np.sign(kept) == np.sign(whole)) & inside).sum(axis=1) / inside.sum(axis=1)
    like = [pearson(*pair[:, row]) for pair, row in zip(np.stack([kept, whole], axis=1), inside, strict=True)]
    others = profiles(states, "czz_unimportant")
    flat = np.where(np.isfinite(others).any(axis=1), projection(others, whole), np.nan)
    found = {"likeness": np.where(known, like, np.nan), "same_sign": np.where(known, same, np.nan), "others": flat}
    return states[[*OF_MODEL, "n_hidden", "n_important"]].assign(**found)


def unit_numbers(units: pd.DataFrame, tau: float) -> pd.DataFrame:
    """Of each model: how evenly its units matter, what the best one does alone, what removing important ones costs.

    participation: (sum x)^2 / (M sum x^2), x = |dE|;  best_alone: largest projection of a unit alone;  penalised: share
    of important units with dE > 0;  energy_gap, correlation_gap: mean impact of the important less that of the others.
    """
    chosen = important(units.energy_impact, units.correlation_impact, tau)
    alone = projection(profiles(units, "czz_alone"), profiles(units, "czz"))
    table = units.assign(chosen=chosen, alone=alone, raised=(units.delta_energy > 0).where(chosen))
    groups = table.groupby(OF_MODEL)
    impact = groups.energy_impact
    squares = (table.energy_impact**2).groupby([table[name] for name in OF_MODEL]).sum()
    numbers = pd.DataFrame({
        "participation": impact.sum() ** 2 / (impact.size() * squares),
        "best_alone": groups.alone.max(),
        "penalised": table.raised.astype(float).groupby([table[name] for name in OF_MODEL]).mean(),
    })  # fmt: skip
    for name in ("energy", "correlation"):
        means = table.groupby([*OF_MODEL, "chosen"])[f"{name}_impact"].mean().unstack()
        numbers[f"{name}_gap"] = means.get(True, np.nan) - means.get(False, np.nan)
    return numbers.reset_index()


def impact_modes(units: pd.DataFrame) -> pd.DataFrame:
    """Dip test of ln impact over the units of all models of a cell: p_value of one mode, n_units."""
    parts = []
    for name in ("energy", "correlation"):
        values = units[units[f"{name}_impact"] > 0].groupby(OF_CELL)[f"{name}_impact"]
        tested = values.agg(p_value=lambda impact: dip_p_value(np.log(impact.to_numpy())), n_units="size")
        parts.append(tested.reset_index().assign(impact=name))
    return pd.concat(parts, ignore_index=True)
