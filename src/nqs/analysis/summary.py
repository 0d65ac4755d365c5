"""Stage `summary`: the table behind a figure, one row per point, averaged over repeats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nqs.identity import SAMPLED, WHOLE, CellKey
from nqs.io import atomic

OVERLAPS = ("overlap_rest", "overlap_sampled", "overlap_full")
POINT = ["study", "cluster", "j2", "network", "target", "data", "epsilon"]


@dataclass(frozen=True)
class Selection:
    """What a figure shows: cells, data-set size, repeats by kind of data, and lattices by cluster in drawing order."""

    cells: Sequence[CellKey]
    epsilon: float
    repeats: dict[str, int]
    lattices: dict[str, str]


def over_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error (std/sqrt(n), NaN for one repeat) of every overlap, one row per point."""
    groups = rows.groupby(POINT, sort=True)
    table = groups.size().rename("n_members").reset_index()
    for name in OVERLAPS:
        table[f"{name}_mean"] = groups[name].mean().to_numpy()
        table[f"{name}_sem"] = groups[name].sem(ddof=1).to_numpy()
    table["overlap_rest_signed_mean"] = groups["overlap_rest_signed"].mean().to_numpy()
    table["sample_weight_mean"] = groups["sample_weight"].mean().to_numpy()
    table["n_diverged"] = groups["diverged"].sum().to_numpy()
    table["device"] = groups["device"].agg(lambda names: "+".join(sorted(set(names)))).to_numpy()
    return table


def select(rows: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """The rows that the figure shows; a cell may hold more sizes and repeats for other figures."""
    wanted = pd.DataFrame([vars(key) for key in selection.cells])
    chosen = rows.merge(wanted, on=list(wanted.columns), how="inner")
    size = (chosen.data == WHOLE) | (chosen.epsilon == selection.epsilon)
    return chosen[size & (chosen.repeat < chosen.data.map(selection.repeats))]


def figure_table(rows: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Points of a figure, named as the figure shows them; clusters in drawing order."""
    table = over_repeats(select(rows, selection))
    order = {cluster: place for place, cluster in enumerate(selection.lattices)}
    table = table.sort_values("cluster", key=lambda names: names.map(order), kind="stable")
    table.insert(1, "lattice", table.cluster.map(selection.lattices))
    table["series"] = table.data.map({SAMPLED: "generalisation", WHOLE: "expressibility"})
    return table.rename(columns={"j2": "j2_over_j1", "epsilon": "epsilon_train"}).drop(columns=["study", "data"])


def build(overlaps: Sequence[Path], selection: Selection, out: Path, cost: Path) -> None:
    """Write a figure's table, and beside it the training time behind it, which differs from run to run."""
    rows = pd.concat([pd.read_csv(path) for path in overlaps], ignore_index=True)
    table = figure_table(rows, selection)
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    with atomic(cost) as temporary:
        seconds = select(rows, selection).training_wall_s.sum()
        temporary.write_text(json.dumps({"training_wall_s": round(float(seconds), 2)}) + "\n")
    print(table.to_string(index=False))
