"""The runs of Fig. 3 as the checks of claims look at them: runs that moved, pairs of equal seeds, means that exist.

Energies and T_cv have two modes, because runs may end at a constant psi. Errors are those of the runs that moved, and
how many did stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from nqs.analysis.ledger.claim import Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, mean
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.studies.ju2025.claims.select import select, together
from nqs.vmc.keys import DEEP
from nqs.vmc.ring_evaluation import WINDOWS

RINGS = (60, 240)  # of Fig. 3, where its claims are made
FORCED = ("init", "traj")
ORIGINAL = "original"
SETTING = ["learning_rate", "steps"]
PAIR = ["n_sites", "width", "seed"]  # the same initial parameters without and with forcing
T_CV = [f"t_cv_{window}" for window in WINDOWS]
RUN = f"n_sites network width seed learning_rate steps n_parameters delta_energy stuck diverged {' '.join(T_CV)}"
WORKS = 2  # a run or setting works if its Delta E is at most this many times the lowest of its ring and K


def runs(tables: Tables, n_sites: int) -> pd.DataFrame:
    """Final runs of all networks on a ring that did not diverge; `works` says which ended low."""
    rows = select(tables["fig3"], RUN, series="run", n_sites=n_sites)
    rows = rows[rows.diverged == 0]
    shallow = rows[rows.network.isin(FORCINGS)]
    lowest = shallow.groupby("width").delta_energy.min()
    works = (rows.stuck == 0) & (rows.delta_energy <= WORKS * rows.width.map(lowest).astype(float))
    return rows.assign(works=works)


def searches(tables: Tables, n_sites: int) -> pd.DataFrame:
    """Means over the seeds of each setting tried on a ring."""
    moving = " ".join(f"{name}_moving" for name in T_CV)
    columns = f"n_sites network width learning_rate steps n_parameters n_stuck n_diverged delta_energy_mean {moving}"
    return select(tables["fig3"], columns, series="search", n_sites=n_sites)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Runs of two networks from the same seeds, columns of the second with _other, and how many of the pairs moved."""

    rows: pd.DataFrame
    n: int

    @property
    def counted(self) -> str:
        """In words."""
        return f"{len(self.rows)} of {self.n} pairs without a stuck run"

    def ratios(self, column: str) -> pd.Series:
        """ln of the second over the first."""
        ratios = self.rows[f"{column}_other"].astype(float) / self.rows[column].astype(float)
        return pd.Series(np.log(ratios), index=self.rows.index)

    def estimates(self, values: pd.Series) -> Estimate | None:
        """Mean over kernel sizes of the means over seeds; None without an error for any."""
        each = [mean(part) for _, part in values.groupby(self.rows.width)]
        known = [one for one in each if np.isfinite(one.error)]
        return together(known) if known else None


def pairs(rows: pd.DataFrame, first: str, second: str, same_setting: bool = False) -> Pairs:
    """Pairs of runs of two networks that both moved, at their own settings or at equal ones only."""
    both = rows[rows.network == first].merge(rows[rows.network == second], on=PAIR, suffixes=("", "_other"))
    if same_setting:
        both = both[(both[SETTING].to_numpy() == both[[f"{name}_other" for name in SETTING]].to_numpy()).all(axis=1)]
    return Pairs(both[(both.stuck == 0) & (both.stuck_other == 0)], len(both))


def more_often(quantity: str, first: tuple[int, int], second: tuple[int, int], **more: Any) -> Evidence:
    """Evidence for "the first succeeds more often than the second", each (successes, tries): Fisher's exact test."""
    (a, n), (b, m) = first, second
    table = [[a, n - a], [b, m - b]]
    shares = a / n, b / m
    error = float(np.sqrt(sum(max(p * (1 - p), 0.25 / k) / k for p, k in zip(shares, (n, m), strict=True))))
    difference = shares[0] - shares[1]
    return Evidence(
        quantity, difference, error, min(n, m), "> 0",
        p_holds=float(fisher_exact(table, "greater").pvalue), p_fails=float(fisher_exact(table, "less").pvalue),
        distance=max(-difference, 0.0) / error, remark=f"{a} of {n} against {b} of {m}", **more,
    )  # fmt: skip


@dataclass(frozen=True)
class Deep:
    """A deep network of Fig. 3."""

    name: str
    layers: int
    filters: int


def deep_networks(rows: pd.DataFrame) -> Iterator[Deep]:
    """The deep networks among rows."""
    for name in sorted(set(rows.network.dropna())):
        if found := DEEP.fullmatch(name):
            yield Deep(name, int(found[1]), int(found[2]))


def states(n_sites: int) -> int:
    """States of zero magnetisation."""
    return comb(n_sites, n_sites // 2)
