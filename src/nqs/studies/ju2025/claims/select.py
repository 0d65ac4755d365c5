"""Rows of tables of any scale, for the checks of claims: none where a column or a cell is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, exactly, near


def select(table: pd.DataFrame, columns: str, **values: Any) -> pd.DataFrame:
    """Rows that have all of the columns, named in one text, and these values; numbers equal within rounding."""
    names = columns.split()
    if not {*names, *values} <= {*table.columns}:
        return pd.DataFrame(columns=[*dict.fromkeys([*names, *values])])
    for column, value in values.items():
        same = np.isclose(table[column].astype(float), value) if isinstance(value, float) else table[column] == value
        table = table[same]
    return table.dropna(subset=names)


def each(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, their columns by name."""
    yield from table.itertuples(index=False)


def groups(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Parts of a table by the values of one or more columns, ascending."""
    yield from table.groupby(columns[0] if len(columns) == 1 else list(columns))


def identities(tables: Tables, *names: str) -> Iterator[Evidence]:
    """Rows of Table I: the largest deviation over all states, against what rounding allows."""
    for name in names:
        for row in each(select(tables["table1"], "deviation allowed statement n_sites width", identity=name)):
            remark = row.remark if isinstance(row.remark, str) else ""
            part = f"{name}, N = {row.n_sites:g}, K = {row.width:g}"
            yield exactly(f"deviation: {row.statement}", row.deviation, 0.0, row.allowed, part=part, remark=remark)


def within_factor(quantity: str, found: Estimate, published: float, factor: float, **more: Any) -> Evidence:
    """Evidence for "ours is the printed number within a factor"."""
    tolerance = published * (factor - 1) if found.value > published else published * (1 - 1 / factor)
    return near(quantity, found, published, tolerance=tolerance, **more)


def together(estimates: list[Estimate]) -> Estimate:
    """Mean of independent estimates of different things, with as many values behind it as behind all of them."""
    error = float(np.sqrt(sum(one.error**2 for one in estimates))) / len(estimates)
    return Estimate(float(np.mean([one.value for one in estimates])), error, sum(one.n for one in estimates))


def spread(values: Any) -> float:
    """Largest difference among values; 0 for none."""
    array = np.asarray(values, float)
    return float(np.ptp(array)) if len(array) else 0.0
