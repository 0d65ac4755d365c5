"""Hidden units removed under Markov chains, beside exact sums: Fig. X3 and the tables behind it.

The chains are a "sector" of their own, `fresh` or `continued` (`nqs.analysis.sampled_ablation`), so the same tables and
power laws as for exact sums follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.table_files import CELL, COUNTS, counts, read
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.tables import importance
from nqs.studies.mummaneni2026.tables.sweep import at_threshold, recovery

OF_CELL = [*CELL, "sector"]
OF_LAW = ["mode", "sector", "alpha", "tau"]


def rows(files: Files, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Important units, means, fits and recovery of all cells measured by chains; settings: taus."""
    found = importance.rows(files, settings) | {"recovery": recovery_means(read(files["states"]))}
    return {f"sampled_{name}": table for name, table in found.items()}


def recovery_means(states: pd.DataFrame) -> pd.DataFrame:
    """Error of the energy that the important units keep, in percent: mean, standard error; mean and sd of its ln."""
    marked = recovery(states)
    counted = marked[marked.counted]
    values = counted.groupby(OF_CELL).recovery_error_percent
    ln = np.log(counted.recovery_error_percent).groupby([counted[name] for name in OF_CELL])
    means = pd.DataFrame({
        "recovery_mean": values.mean(), "recovery_sem": values.sem(ddof=1),
        "recovery_ln_mean": ln.mean(), "recovery_ln_sd": ln.std(ddof=1),
    })  # fmt: skip
    return means.reset_index().merge(counts(marked, OF_CELL), on=OF_CELL)


def figX3(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Numbers m' at the headline threshold, exponents at all, and recovery, by chains and in exact sums.

    r = 0 is left out of the criterion. series: `number`, `exponent` or `recovery`.
    """
    numbers = [read(files[name]) for name in ("fractions", "sampled_fractions")]
    points = pd.concat(numbers).query("not with_r0")
    laws = pd.concat(read(files[name]) for name in ("power_laws", "sampled_power_laws"))
    totals = points.groupby(OF_LAW)[COUNTS].sum().reset_index()
    kept = [recovery_means(read(files["states"])), read(files["sampled_recovery"])]
    measured = numbers[1][["mode", "alpha", "n_sites"]].drop_duplicates()
    fits = laws.query("fit == 'nonlinear' and not with_r0").drop(columns="fit").merge(totals, on=OF_LAW)
    parts = {
        "number": at_threshold(points, settings["tau"]).merge(measured),
        "exponent": fits.merge(measured[["mode", "alpha"]].drop_duplicates()),
        "recovery": pd.concat(kept).merge(measured),
    }
    labelled = [table.assign(series=name) for name, table in parts.items()]
    return pd.concat(labelled, ignore_index=True).drop(columns=["study", "run", "cluster", "with_r0"])
