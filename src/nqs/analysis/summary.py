"""Stage `summary`: the table behind a figure, one row per point, averaged over repeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from nqs.identity import SAMPLED, CellKey
from nqs.io import atomic

OVERLAPS = ("overlap_rest", "overlap_sampled", "overlap_full")
POINT = ["study", "cluster", "j2", "network", "target", "data", "epsilon"]


def over_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error (std/sqrt(n), NaN for one repeat) of every overlap, one row per point."""
    groups = rows.groupby(POINT, sort=True)
    table = groups.size().rename("n_members").reset_index()
    for name in OVERLAPS:
        table[f"{name}_mean"] = groups[name].mean().to_numpy()
        table[f"{name}_sem"] = groups[name].sem(ddof=1).to_numpy()
    table["overlap_rest_signed_mean"] = groups["overlap_rest_signed"].mean().to_numpy()
    table["sample_weight_mean"] = groups["sample_weight"].mean().to_numpy()
    table["training_wall_s"] = groups["training_wall_s"].sum().to_numpy()
    table["device"] = groups["device"].agg(lambda names: "+".join(sorted(set(names)))).to_numpy()
    return table


def select(rows: pd.DataFrame, cells: Iterable[CellKey], epsilon: float) -> pd.DataFrame:
    """The rows of the given cells; of sampled cells only those at `epsilon`."""
    wanted = pd.DataFrame([vars(key) for key in cells])
    chosen = rows.merge(wanted, on=list(wanted.columns), how="inner")
    return chosen[(chosen.data != SAMPLED) | (chosen.epsilon == epsilon)]


def figure_table(
    rows: pd.DataFrame, cells: Sequence[CellKey], epsilon: float, lattices: dict[str, str]
) -> pd.DataFrame:
    """Points of a figure, named as the figure shows them; clusters in the order of `lattices`."""
    table = over_repeats(select(rows, cells, epsilon))
    order = {cluster: place for place, cluster in enumerate(lattices)}
    table = table.sort_values("cluster", key=lambda names: names.map(order), kind="stable")
    table.insert(1, "lattice", table.cluster.map(lattices))
    table["series"] = table.data.map({SAMPLED: "generalisation"}).fillna("expressibility")
    return table.rename(columns={"j2": "j2_over_j1", "epsilon": "epsilon_train"}).drop(columns=["study", "data"])


def build(
    overlaps: Sequence[Path],
    cells: Sequence[CellKey],
    epsilon: float,
    lattices: dict[str, str],
    out: Path,
) -> None:
    """Write a figure's table."""
    rows = pd.concat([pd.read_csv(path) for path in overlaps], ignore_index=True)
    table = figure_table(rows, cells, epsilon, lattices)
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(table.to_string(index=False))
