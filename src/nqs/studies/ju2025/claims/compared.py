"""One quantity of ours beside a printed number of Ju et al. (2025), for the checks of tableX1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Fact = Mapping[str, Any]
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Compared:
    """One quantity of ours beside the print; n_runs is None for exact numbers, agrees where there is no verdict."""

    quantity: str
    published: Any
    published_error: float = np.nan
    ours: float = np.nan
    ours_error: float = np.nan
    n_runs: int | None = 0
    agrees: bool | None = None
    remark: str = ""
    part: str = ""  # of the fact, if its value has several


def exact(
    quantity: str, published: Any, error: float, ours: float, agrees: bool | None, remark: str = "", part: str = ""
) -> Compared:
    """A row about a number without statistical error."""
    return Compared(quantity, published, error, float(ours), np.nan, None, agrees, remark, part)


def in_range(
    quantity: str, fact: Fact, values: pd.Series, known: bool | None = True, remark: str = ""
) -> Iterator[Compared]:
    """The published value of one run against the range of ours, whose median is shown."""
    if len(values):
        inside = bool(values.min() <= fact["value"] <= values.max()) if known else None
        spread = f"runs {values.min():.3g} to {values.max():.3g}"
        words = "; ".join(part for part in (spread, remark) if part)
        error = fact["uncertainty"] or np.nan
        yield Compared(quantity, fact["value"], error, float(values.median()), np.nan, len(values), inside, words)
