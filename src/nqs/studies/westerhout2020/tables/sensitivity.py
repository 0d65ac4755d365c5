"""Rows of Tables X1 and X2: how the overlaps change with the settings of the training, and with symmetry.

Every variant trains on the same draws of |psi|^2 as the reference, repeat by repeat, so their overlaps are compared in
pairs; distinct states are the first occurrences in the same stream of draws. Initial values and batches are each
variant's own, so a difference holds their scatter too. A cluster that lacks a bond has a ground state and draws of its
own; its overlaps are compared by their means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.job import Files
from nqs.studies.westerhout2020.tables.summary import POINT, STUCK, read, select, some_trained

HISTORY = ["epsilon", "repeat", "updates"]  # columns of a history that count here
COMPARED = [*POINT, "repeat", "overlap_rest", "overlap_full", "sample_weight"]  # columns of the overlaps


def mean_and_error(values: pd.Series) -> tuple[float, float]:
    """Mean and standard error, std/sqrt(n); the error of one value is NaN."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.count()))


def variant_row(rows: pd.DataFrame, reference: pd.DataFrame) -> dict[str, Any]:
    """One variant at one point; rows of both: repeat, overlaps, updates."""
    means: dict[str, Any] = {"epsilon_train": rows.epsilon.iloc[0], "n_members": int(rows.overlap_full.count())}
    for name in ("overlap_rest", "overlap_full"):
        means[f"{name}_mean"], means[f"{name}_sem"] = mean_and_error(rows[name])
    means["sample_weight_mean"] = rows.sample_weight.mean()
    means["difference"], means["difference_se"] = difference(rows, reference)
    means["n_stuck"] = int((rows.overlap_rest < STUCK).sum())
    means["updates_mean"] = rows.updates.mean()
    return means


def difference(rows: pd.DataFrame, reference: pd.DataFrame) -> tuple[float, float]:
    """Of the mean overlaps on unseen states, with its error; NaN for the reference itself."""
    if rows is reference:
        return np.nan, np.nan
    if set(rows.cluster) != set(reference.cluster):
        (one, its_error), (two, other_error) = (mean_and_error(part.overlap_rest) for part in (rows, reference))
        return one - two, float(np.hypot(its_error, other_error))
    return mean_and_error(rows.set_index("repeat").overlap_rest - reference.set_index("repeat").overlap_rest)


def sensitivity_table(rows: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of every point in turn, the reference first; rows: one per network, with updates.

    settings: clusters (in order), variations (variation, network, data; the first is the reference), lacking (cluster,
    j2, and the cluster without a bond).
    """
    table = []
    order = [place["cluster"] for place in settings["clusters"]]
    there = rows[rows.cluster.isin(order)]
    points = sorted(set(zip(there.cluster, there.j2, strict=True)), key=lambda point: (order.index(point[0]), point[1]))
    for cluster, j2 in points:
        here = rows[(rows.cluster == cluster) & (rows.j2 == j2)]
        groups = [here[(here.network == v["network"]) & (here.data == v["data"])] for v in settings["variations"]]
        for variation, group in zip(settings["variations"], groups, strict=True):
            row = {"variation": variation["variation"], "cluster": cluster, "j2_over_j1": j2}
            table.append({**row, "network": variation["network"], **variant_row(group, groups[0])})
        for place in settings["lacking"]:
            if (place["cluster"], place["j2"]) == (cluster, j2):
                group = rows[(rows.cluster == place["lacking"]) & (rows.j2 == j2)]
                row = {"variation": "one bond missing", "cluster": place["lacking"], "j2_over_j1": j2}
                table.append({**row, "network": group.network.iloc[0], **variant_row(group, groups[0])})
    return pd.DataFrame(table)


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The table from overlaps and histories of the cells, in one order."""
    cells = [
        read([one], COMPARED).merge(read([two], HISTORY)[HISTORY], on=["epsilon", "repeat"])
        for one, two in zip(files["overlaps"], files["histories"], strict=True)
    ]
    return sensitivity_table(some_trained(select(pd.concat(cells, ignore_index=True), settings)), settings)
