"""Rules of agreement of a number of ours with a published one, and the table of such numbers as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.errors import InputError
from nqs.runtime.markdown import markdown as as_markdown

AGREES, DIFFERS, NO_DATA = "agrees", "differs", "no data at this scale"


TOO_FEW, FEWEST_MODELS = "too few models", 5  # fewer have no error to speak of


Fact = Mapping[str, Any]


def verdict(agrees: bool | None, n_models: int) -> str:
    """The verdict in words; few models get none."""
    if agrees is None:
        return NO_DATA
    if n_models < FEWEST_MODELS:
        return TOO_FEW
    return AGREES if agrees else DIFFERS


def at(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with these values; numbers are compared within rounding."""
    for column, value in values.items():
        close = isinstance(value, float)
        table = table[np.isclose(table[column], value) if close else table[column] == value]
    return table


def close(ours: float, error: float, published: float, published_error: float) -> bool:
    """|ours - published| <= 2 sqrt(SE^2 + SE_published^2)."""
    return bool(abs(ours - published) <= 2 * np.hypot(error, published_error))


def checked(
    facts: Mapping[str, Fact],
    checks: Mapping[str, Callable[[Fact, Any], Iterable[Any]]],
    inputs: Collection[str],
    ours: Any,
) -> Iterator[tuple[str, Fact, list[Any]]]:
    """Each fact, but for inputs that we take over, with what its check finds in our tables.

    Raises InputError for a fact without a check.
    """  # fmt: skip
    for claim, fact in facts.items():
        if claim in inputs:
            continue
        if claim not in checks:
            raise InputError(f"published.yaml: no check for '{claim}'; known: {', '.join(checks)}")
        yield claim, fact, list(checks[claim](fact, ours))


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, numbers rounded for reading."""
    return as_markdown(table.drop(columns=["claim", "unit"]))
