"""By how much symmetry forcing lowers the iterations until convergence, T_cv, and what constant states make of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

PAIR = ["n_sites", "width", "seed"]  # the same initial parameters without and with forcing
FORCED = ("init", "traj")


def reductions(runs: pd.DataFrame, window: int) -> pd.DataFrame:
    """1 - mean T_cv with forcing / mean T_cv without, over pairs of runs of the same seed; diverged ones are left out.

    runs: final runs with `capped_<window>`, stuck and diverged as 0 or 1. One row per ring, K and way of forcing, and
    one per way of forcing for all pairs together, where n_sites and width are missing. reduction is over all pairs,
    reduction_moving over those of which neither run ended with constant psi, each with its jackknife error (_sem, NaN
    for one pair); stuck_share = 1 - (mean difference of T_cv of the latter) / (that of all), NaN unless the difference
    of all is positive: the part of it that goes with the stuck runs. n_capped counts runs of the pairs that never met
    the rule, for which T_cv is a lower bound.
    """
    kept = runs[runs.diverged == 0]
    columns = [*PAIR, f"t_cv_{window}", "stuck", f"capped_{window}"]
    original = kept.loc[kept.network == "original", columns]
    rows: list[dict[str, Any]] = []
    for network in FORCED:
        pairs = original.merge(kept.loc[kept.network == network, columns], on=PAIR, suffixes=("", "_forced"))
        for cell, part in _parts(pairs):
            rows.append({"network": network, "window": window} | cell | _reduction(part, window))
    return pd.DataFrame(rows)


def _parts(pairs: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """All pairs, then those of each ring and K."""
    if len(pairs):
        yield {}, pairs
    for (n_sites, width), part in pairs.groupby(PAIR[:2]):
        yield {"n_sites": n_sites, "width": width}, part


def _reduction(pairs: pd.DataFrame, window: int) -> dict[str, float]:
    both = pairs[[f"t_cv_{window}", f"t_cv_{window}_forced"]].to_numpy(dtype=float)
    moving = both[((pairs.stuck == 0) & (pairs.stuck_forced == 0)).to_numpy()]
    row: dict[str, float] = {"n_pairs": len(both), "n_pairs_moving": len(moving)}
    for name, times in (("reduction", both), ("reduction_moving", moving)):
        row |= dict(zip((name, f"{name}_sem"), _saved(times), strict=True))
    difference = np.mean(both[:, 0] - both[:, 1])
    known = difference > 0 and len(moving) > 0
    row["stuck_share"] = 1 - np.mean(moving[:, 0] - moving[:, 1]) / difference if known else np.nan
    row["n_capped"] = int((pairs[f"capped_{window}"] + pairs[f"capped_{window}_forced"]).sum())
    return row


def _saved(times: np.ndarray) -> tuple[float, float]:
    """1 - sum of the second column / sum of the first, and its jackknife error over the rows."""
    count = len(times)
    if count == 0:
        return np.nan, np.nan
    total = times.sum(axis=0)
    if count == 1:
        return float(1 - total[1] / total[0]), np.nan
    without = total - times  # (row, column)
    estimates = 1 - without[:, 1] / without[:, 0]
    spread = np.sum((estimates - estimates.mean()) ** 2)
    return float(1 - total[1] / total[0]), float(np.sqrt((count - 1) / count * spread))
