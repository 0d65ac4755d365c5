"""Rows of most figures: one per point, averaged over repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.errors import BrokenFileError, NothingTrainedError
from nqs.runtime.job import Files
from nqs.runtime.tables import read_table
from nqs.supervised.keys import DISTINCT, SAMPLED, UNIFORM, WHOLE
from nqs.vmc.convergence import BROKEN
from nqs.vmc.keys import PLAIN, SIGNS_FIRST

OVERLAPS = ("overlap_rest", "overlap_sampled", "overlap_full")
ESTIMATED = ("overlap_rest", "overlap_full")  # on large clusters, with a statistical error of each network
CELL = ["study", "cluster", "j2", "network", "target", "data"]
POINT = [*CELL, "epsilon"]
NETWORK = [*POINT, "repeat", *OVERLAPS, "n_train", "diverged", "device", "training_wall_s"]  # columns of `overlaps`
RUN = ["study", "cluster", "j2", "network", "method", "overlap_full", "energy_error", "settled", "status"]
RUN += ["device", "wall_s"]
SERIES = dict.fromkeys((SAMPLED, DISTINCT, UNIFORM), "generalisation") | {WHOLE: "expressibility"}
STUCK = 0.05  # overlap on unseen states below which a network has learnt nothing that carries over
BAND = "band"
VARIATIONAL = {PLAIN: "variational", SIGNS_FIRST: "signs_first"}


def select(rows: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The networks that a figure shows; a cell may hold more sizes and repeats for other figures.

    settings: cells, each with its identity and `sizes`, pairs of training-set size and number of repeats.
    """
    chosen = rows.merge(wanted(settings), on=POINT, how="inner")
    return chosen[chosen.repeat < chosen.repeats].drop(columns="repeats")


def wanted(settings: Mapping[str, Any]) -> pd.DataFrame:
    """The points that a figure shows, with their number of networks. [*POINT, repeats]"""
    return pd.DataFrame(
        [
            {name: cell[name] for name in CELL} | {"epsilon": epsilon, "repeats": repeats}
            for cell in settings["cells"]
            for epsilon, repeats in cell["sizes"]
        ]
    )


def complete(rows: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The rows as they are; BrokenFileError if a point has fewer or more networks than the figure was promised."""
    chosen, points = select(rows, settings), wanted(settings)
    if len(chosen) != points.repeats.sum():
        raise BrokenFileError(lacking(chosen, points))
    return rows


def lacking(chosen: pd.DataFrame, points: pd.DataFrame) -> str:
    """Which point has fewer or more networks than it was promised, and what to do."""
    found = points.merge(chosen.groupby(POINT).size().rename("found").reset_index(), on=POINT, how="left").fillna(0)
    point = found[found.found != found.repeats].iloc[0]
    where = "/".join(str(point[name]) for name in ("study", "cluster", "network", "target", "data"))
    return (
        f"overlaps of {where} at J2 = {point.j2:g}, epsilon = {point.epsilon:g}: {point.found:.0f} networks instead of "
        f"{point.repeats}; delete that table below results/<scale>/overlaps and run again"
    )


def some_trained(rows: pd.DataFrame) -> pd.DataFrame:
    """The networks, if any learnt something; NothingTrainedError otherwise."""
    if rows.overlap_full.notna().any():
        return rows
    networks, clusters = (", ".join(dict.fromkeys(rows[name])) for name in ("network", "cluster"))
    raise NothingTrainedError(
        f"all {len(rows)} networks of {clusters} diverged before their first check; lower learning_rate of {networks}"
    )


def over_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error (std/sqrt(n), NaN for one repeat) of every overlap, one row per point.

    n_members: networks in the means; one that diverged before its first check has no overlaps and is in none.
    """
    groups = rows.groupby(POINT, sort=True)
    table = groups.overlap_full.count().rename("n_members").reset_index()
    for name in OVERLAPS:
        table[f"{name}_mean"] = groups[name].mean().to_numpy()
        table[f"{name}_sem"] = groups[name].sem(ddof=1).to_numpy()
    for name in ESTIMATED:
        table[f"{name}_se_mean"] = groups[f"{name}_se"].mean().to_numpy()
    table["overlap_rest_signed_mean"] = groups["overlap_rest_signed"].mean().to_numpy()
    table["sample_weight_mean"] = groups["sample_weight"].mean().to_numpy()
    table["n_train"] = groups["n_train"].first().to_numpy()
    table["estimated"] = groups["estimated"].first().to_numpy()
    table["n_diverged"] = groups["diverged"].sum().to_numpy()
    table["n_stuck"] = groups["overlap_rest"].agg(lambda overlaps: (overlaps < STUCK).sum()).to_numpy()
    table["device"] = groups["device"].agg(joined).to_numpy()
    table["series"] = table.data.map(SERIES)
    return table


def with_bands(table: pd.DataFrame, bands: Mapping[str, str]) -> pd.DataFrame:
    """Variants of a line as rows of the series `band` of its network; `variant` is their own name."""
    if not bands:
        return table
    varied = table.network.isin(bands)
    return table.assign(
        series=table.series.where(~varied, BAND),
        variant=table.network.where(varied),
        network=table.network.map(bands).where(varied, table.network),
    )


def joined(names: pd.Series) -> str:
    """The different names, sorted, with plus signs."""
    return "+".join(sorted(set(names)))


def variational(rows: pd.DataFrame) -> pd.DataFrame:
    """Points of variational states, from the runs of both methods; they have no training set.

    n_settled: runs whose energy no longer drifts.
    """
    groups = rows.groupby(["study", "cluster", "j2", "network", "method"], sort=True)
    table = groups.overlap_full.count().rename("n_members").reset_index()
    table["overlap_full_mean"] = groups["overlap_full"].mean().to_numpy()
    table["overlap_full_sem"] = groups["overlap_full"].sem(ddof=1).to_numpy()
    table["overlap_full_se_mean"] = 0.0  # over the whole basis
    table["energy_error_mean"] = groups["energy_error"].mean().to_numpy()
    table["energy_error_sem"] = groups["energy_error"].sem(ddof=1).to_numpy()
    table["n_settled"] = groups["settled"].sum().to_numpy()
    table["n_diverged"] = groups["status"].agg(lambda status: status.isin(BROKEN).sum()).to_numpy()
    table["device"] = groups["device"].agg(joined).to_numpy()
    table["series"] = table.pop("method").map(VARIATIONAL)
    return table.assign(target="sign", epsilon=np.nan, estimated=False)


def figure_table(
    rows: pd.DataFrame, settings: Mapping[str, Any], reconfigured: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Points of a figure, named as the figure shows them; clusters in drawing order.

    settings: cells (as for `select`), clusters (cluster, lattice, n_sites of each, in order).
    """
    table = with_bands(over_repeats(some_trained(select(rows, settings))), settings.get("bands", {}))
    if reconfigured is not None:
        table = pd.concat([table, variational(reconfigured)], ignore_index=True)
    clusters = pd.DataFrame(settings["clusters"]).set_index("cluster")
    order = {cluster: place for place, cluster in enumerate(clusters.index)}
    table = table.sort_values("cluster", key=lambda names: names.map(order), kind="stable")
    table.insert(2, "lattice", table.cluster.map(clusters.lattice))
    table.insert(3, "n_sites", table.cluster.map(clusters.n_sites))
    own = table.columns.intersection(["n_train", "n_stuck", "n_settled"])  # the last is of variational
    table[own] = table[own].astype("Int64")
    return table.rename(columns={"j2": "j2_over_j1", "epsilon": "epsilon_train"}).drop(columns=["study", "data"])


def read(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Tables of several cells, one below the other; BrokenFileError if one lacks promised columns."""
    return pd.concat([read_table(path, columns) for path in paths], ignore_index=True)


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """A figure's table from the overlaps of its cells, and the variational states that it shows."""
    return figure_table(complete(read(files["overlaps"], NETWORK), settings), settings, _variational_runs(files))


def cost(files: Files, settings: Mapping[str, Any]) -> dict[str, Any]:
    """How long and where the networks that a target shows trained."""
    trained = select(read(files["overlaps"], NETWORK), settings)
    runs = _variational_runs(files)
    if runs is not None:
        trained = pd.concat([trained, runs.assign(training_wall_s=runs.wall_s)], ignore_index=True)
    return {"training_wall_s": round(float(trained.training_wall_s.sum()), 2), "devices": sorted(set(trained.device))}


def _variational_runs(files: Files) -> pd.DataFrame | None:
    return read(files["reconfiguration"], RUN) if files.get("reconfiguration") else None
