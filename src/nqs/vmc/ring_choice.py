"""Which runs of energy descent on a ring count as stuck, and which setting of a search the other runs take.

A table of runs is one that `nqs.vmc.ring_evaluation.runs_table` makes.
"""

from __future__ import annotations

import pandas as pd

from nqs.runtime.errors import InputError
from nqs.vmc.ring_evaluation import Setting

ERRORS = 3  # standard errors of a sampled energy within which it counts as that of constant psi
SETTING = ["learning_rate", "steps"]


def is_stuck(runs: pd.DataFrame) -> pd.Series:
    """Runs that ended with constant psi or with a sampled energy that is not lower than its, -N/(N - 1).

    The second kind is as little of a result as the first: scale v about zero, or a unit that is dead on most windows.
    """
    constant = -runs.n_sites / (runs.n_sites - 1)  # of sum P at zero magnetisation
    return runs.stuck.astype(bool) | (runs.energy + ERRORS * runs.energy_error >= constant)


def chosen(search: pd.DataFrame) -> Setting:
    """The setting of lowest mean energy over its runs that moved, among those with the fewest failed or stuck runs.

    Failed: diverged, or without an energy. Seeds are the same for all settings, so runs that begin dead count against
    none. Of equal ones the first: settings of a search ascend as the configuration lists them. InputError if every run
    failed.
    """
    failed = (search.status == "diverged") | search.energy.isna()
    if failed.all():
        raise InputError("every run of the search diverged; take smaller learning rates in fig3.search.learning_rates")
    lost = failed | is_stuck(search)
    rows = search.assign(lost=lost, energy=search.energy.where(~lost))
    settings = rows.groupby(SETTING, sort=False).agg(lost=("lost", "sum"), energy=("energy", "mean"))
    rate, steps = settings.sort_values(["lost", "energy"], kind="stable").index[0]
    return Setting(float(rate), int(steps))
