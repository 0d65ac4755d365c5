"""What every figure does with its table: check it, read single values off it, and word the small print."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nqs.runtime.errors import InputError


class TableError(InputError):
    """The table cannot be drawn as this figure; absent: columns that it lacks."""

    def __init__(self, message: str, absent: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.absent = [*absent]


def require(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise TableError unless the table has rows and all of the columns."""
    absent = [name for name in columns if name not in table]
    if absent:
        raise TableError(f"the table lacks columns {', '.join(absent)}", absent)
    if table.empty:
        raise TableError("the table has no rows: no network behind it learnt anything; the log of the rows says why")


def only(table: pd.DataFrame, column: str) -> str:
    """The one value of a column, as text; raises TableError if there are several."""
    values = table[column].unique()
    if len(values) != 1:
        raise TableError(f"{column} must have one value here, not {', '.join(map(str, values))}")
    return str(values[0])


def span(column: pd.Series) -> str:
    """Smallest and largest value: 0.01, or 2-4 if they differ."""
    values = sorted(column.dropna().unique())
    return "\N{EN DASH}".join(f"{value:g}" for value in dict.fromkeys([*values[:1], *values[-1:]]))


def sentences(*parts: str) -> str:
    """The parts that are not empty, each with a capital and a full stop."""
    return " ".join(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts if part)
