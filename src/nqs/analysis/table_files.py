"""Tables of cells of variational Monte Carlo: how they are read, and which models a mean or a choice is made from.

One rule for every table. A model is usable unless its training broke (status diverged, frozen or singular) or its exact
sums are not finite. The means of a cell run over its converged models; a cell without any uses all its usable models
(`trace` runs, which have no criterion, and runs that met the cap of iterations). Every table says how many models are
behind a row (n_models), how many usable ones missed the criterion (n_not_converged) and how many failed (n_failed), so
that n_models = n_not_converged marks a mean over models that did not converge. A table without any usable model has no
rows: `some` and `stacked` say so in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.errors import NothingTrainedError
from nqs.runtime.job import Files
from nqs.runtime.tables import read_table
from nqs.vmc.convergence import BROKEN
from nqs.vmc.keys import TRACE

CELL = ["study", "cluster", "n_sites", "alpha", "mode", "run"]
COUNTS = ["n_models", "n_not_converged", "n_failed"]


def read(paths: Sequence[Path], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Tables of several cells, CSV or Parquet, one below the other; BrokenFileError if one lacks promised columns."""
    tables = [read_table(path, columns) for path in paths]
    if tables and all(table.empty for table in tables):
        raise NothingTrainedError(
            f"{', '.join(Path(path).name for path in paths)}: no rows; see the log of what made it"
        )
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def mark(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `usable` and `counted` (in means) to rows with CELL, repeat, status and energy; several rows per model."""
    model = [rows[name] for name in [*CELL, "repeat"]]
    finite = np.isfinite(rows["energy"].to_numpy(dtype=float))
    usable = pd.Series(~rows.status.isin(BROKEN) & finite, index=rows.index).groupby(model).transform("all")
    converged = usable & (rows.status == "converged")
    some = converged.groupby([rows[name] for name in CELL]).transform("any")
    return rows.assign(usable=usable, counted=converged.where(some, usable))


def some(marked: pd.DataFrame) -> pd.DataFrame:
    """Marked rows, if a model among them is usable; NothingTrainedError otherwise."""
    if not marked.usable.any():
        raise NothingTrainedError(nothing_usable(marked))
    return marked


def nothing_usable(marked: pd.DataFrame) -> str:
    """What to say about marked rows without a usable model."""
    models = marked.drop_duplicates([*CELL, "repeat"])
    ends = " or ".join(sorted(set(models.status) & {*BROKEN})) or "without finite sums"
    where = ", ".join(dict.fromkeys(models.cluster))
    return f"all {len(models)} networks of {where} ended {ends}; lower vmc.learning_rate or initial_std"


def stacked(tables: Iterable[pd.DataFrame], models: Sequence[Path]) -> pd.DataFrame:
    """Tables of cells, one below the other; NothingTrainedError if there are none, as no model is usable.

    models: files of the models of all cells.
    """
    tables = list(tables)
    if not tables:
        some(mark(read(models)))
        raise NothingTrainedError("no cell has the networks that this table needs")
    return pd.concat(tables, ignore_index=True)


def counts(marked: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """COUNTS of each group of marked rows, one row per model within a group. [*by, *COUNTS]"""
    missed = marked.usable & (marked.status != "converged") & (marked.run != TRACE)
    table = marked.assign(n_models=marked.counted, n_not_converged=missed, n_failed=~marked.usable)
    return table.groupby(list(by), sort=True)[COUNTS].sum().astype(int).reset_index()


def median_row(values: pd.Series) -> Any:
    """Index of the row with the median value, the lower of two in the middle; NaN are left out, ties go to the first.

    ValueError if no value is left.
    """
    ordered = values.dropna().sort_values(kind="stable")
    if not len(ordered):
        raise ValueError("no model to choose from")
    return ordered.index[(len(ordered) - 1) // 2]


def trace_pairs(files: Files) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Marked models and trace of every trace cell."""
    for models, trace in zip(files["models"], files["traces"], strict=True):
        marked = marked_models(models)
        if (marked.run == TRACE).all():
            yield marked, read([trace])


def marked_models(path: Path) -> pd.DataFrame:
    """The table of models of one cell with `usable` and `counted`."""
    return mark(read([path], [*CELL, "repeat", "status", "energy"]))


def long(table: pd.DataFrame, names: Sequence[str], place: str = "r") -> pd.DataFrame:
    """Columns name_0, name_1, ... of each name as rows with the index in column `place`; rows without values go."""
    parts = []
    index = 0
    while any(f"{name}_{index}" in table for name in names):
        values: dict[str, Any] = {name: table[f"{name}_{index}"] for name in names}
        parts.append(table.assign(**{place: index}, **values))
        index += 1
    return pd.concat(parts, ignore_index=True).dropna(subset=list(names), how="all")


def thinned(curve: pd.DataFrame, points: int) -> pd.DataFrame:
    """At most `points` rows, evenly spaced, the first and the last among them."""
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, min(points, len(curve))).round().astype(int))]
