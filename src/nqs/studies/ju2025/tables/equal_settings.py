"""Rows of Fig. X3: T_cv and energies of networks with and without forced symmetry at equal settings of the optimiser.

The iterations until convergence depend on learning rate and steps per sample more than on anything else, so that
networks are compared run by run, from the same seed with the same setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.errors import InputError
from nqs.runtime.job import Files
from nqs.studies.ju2025.tables.convergence_saving import FORCED, PAIR
from nqs.studies.ju2025.tables.training import RUN, Settings, means, prepared
from nqs.vmc.ring_choice import SETTING, chosen
from nqs.vmc.ring_evaluation import WINDOWS

CELL = ["n_sites", "network", "width"]


def figX3(files: Files, settings: Settings) -> pd.DataFrame:
    """T_cv and Delta E of runs with the same settings for all networks, and ratios of T_cv within pairs of one seed.

    series: "run"; "mean", over the seeds of one network, K and setting, with `is_chosen` for the setting that the rule
    of a search takes (`nqs.vmc.ring_choice.chosen`); "ratio", ln of T_cv with over without forcing, by K and over all
    (width missing): pairs whose runs both moved, first averaged over the settings of one seed, then over seeds.
    """
    runs = prepared(files["runs"])
    parts = [
        runs[RUN].assign(series="run"),
        *_settings(runs),
        *(_ratios(runs, network, window) for network in FORCED for window in WINDOWS),
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _settings(runs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Means of every setting of every network."""
    cell: Any
    setting: Any
    for cell, same in runs.groupby(CELL):
        best = _best(same)
        for setting, part in same.groupby(SETTING):
            moving = part[(part.diverged == 0) & (part.stuck == 0)]
            errors = {f"t_cv_{window}_moving_sem": moving[f"t_cv_{window}"].sem(ddof=1) for window in WINDOWS}
            errors["delta_energy_moving_sem"] = moving.delta_energy.sem(ddof=1)
            named: dict[str, Any] = dict(zip([*CELL, *SETTING], (*cell, *setting), strict=True))
            yield means(part).assign(series="mean", is_chosen=int(setting == best), **named, **errors)


def _best(runs: pd.DataFrame) -> tuple[float, int] | None:
    """The setting that a search over these runs would take; None if all failed."""
    try:
        found = chosen(runs)
    except InputError:
        return None
    return found.learning_rate, found.steps


def _ratios(runs: pd.DataFrame, network: str, window: int) -> pd.DataFrame:
    """Rows "ratio" of one way of forcing; none without runs of both networks."""
    column = f"t_cv_{window}"
    kept = runs.loc[runs.diverged == 0, ["network", *PAIR, *SETTING, column, "stuck"]]
    one, other = (kept[kept.network == name] for name in ("original", network))
    both = one.merge(other, on=[*PAIR, *SETTING], suffixes=("", "_forced"))
    moving = both[(both.stuck == 0) & (both.stuck_forced == 0)]
    logs = np.log(moving[f"{column}_forced"].astype(float) / moving[column].astype(float))
    seeds = moving.assign(log_ratio=logs).groupby(["width", "seed"], as_index=False).log_ratio.mean()
    parts: list[tuple[Any, Any]] = [*seeds.groupby("width"), (np.nan, seeds)]
    rows = [
        {"width": width, "log_ratio": part.log_ratio.mean(), "log_ratio_sem": part.log_ratio.sem(ddof=1),
         "n_seeds": len(part), **_counts(both, width)}
        for width, part in parts if len(part)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(series="ratio", network=network, window=window)


def _counts(pairs: pd.DataFrame, width: float) -> dict[str, int]:
    """Pairs of a K, and how many of them have a stuck run without and with forcing."""
    of = pairs if np.isnan(width) else pairs[pairs.width == width]
    return {"n_pairs": len(of), "n_stuck_original": int(of.stuck.sum()), "n_stuck_forced": int(of.stuck_forced.sum())}
