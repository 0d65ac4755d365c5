"""Our side of a comparison with a published number: the tables it is read from, the result, and rules of agreement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.statistics import standard_error
from nqs.runtime.errors import InputError
from nqs.runtime.markdown import markdown as as_markdown

TRAINED = 1000  # iterations


PUBLISHED_SIZES = (8, 20)


FEWEST_SIZES = 4


AGREES, DIFFERS, NO_DATA = "agrees", "differs", "no data at this scale"


TOO_FEW, FEWEST_MODELS = "too few models", 5  # fewer have no error to speak of


Fact = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Data:
    """Tables of the whole study, those of models and states marked by `cell_tables.mark`; tau is the headline one.

    traces: sampled energies of trace cells [CELL, repeat, iteration, energy]; initial: their units before training
    [CELL, repeat, unit, s_afm].
    """

    models: pd.DataFrame
    states: pd.DataFrame
    units: pd.DataFrame
    importance: pd.DataFrame
    fractions: pd.DataFrame
    power_laws: pd.DataFrame
    tau: float
    traces: pd.DataFrame = field(default_factory=pd.DataFrame)
    initial: pd.DataFrame = field(default_factory=pd.DataFrame)

    def counted(self, name: str, **values: Any) -> pd.DataFrame:
        """Rows of counted models with these values."""
        table = at(getattr(self, name), **values)
        return table[table.counted]


@dataclass(frozen=True)
class Measured:
    """One quantity of ours; `agrees` is None where the data do not allow a verdict."""

    quantity: str
    published: float | str
    published_error: float
    ours: float
    ours_error: float
    n_models: int
    agrees: bool | None
    mode: str = ""
    sector: str = ""
    remark: str = ""


Check = Callable[[Data], Iterator[Measured]]  # of a statement in words


def verdict(agrees: bool | None, n_models: int) -> str:
    """The verdict in words; few models get none."""
    if agrees is None:
        return NO_DATA
    if n_models < FEWEST_MODELS:
        return TOO_FEW
    return AGREES if agrees else DIFFERS


def result(
    quantity: str, values: pd.Series | float, agrees: bool | None, cell: Mapping[str, Any], n: int, remark: str = ""
) -> Measured:
    """A row about the mean of values over seeds, or about one number; a statement in words has no published number."""
    mean, error = (values, np.nan) if isinstance(values, float) else (float(values.mean()), standard_error(values))
    return Measured(quantity, "", np.nan, mean, error, n, agrees, cell.get("mode", ""), cell.get("sector", ""), remark)


def beyond(values: pd.Series, sign: int = 1) -> bool | None:
    """Whether the mean has this sign by 2 SE; None without an error."""
    error = standard_error(values)
    return bool(sign * values.mean() > 2 * error) if np.isfinite(error) else None


def at(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with these values; numbers are compared within rounding."""
    for column, value in values.items():
        close = isinstance(value, float)
        table = table[np.isclose(table[column], value) if close else table[column] == value]
    return table


def variants(table: pd.DataFrame, *columns: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Parts of a table by the values of the columns."""
    for values, part in table.groupby(list(columns), sort=True):
        yield dict(zip(columns, values, strict=True)), part


def trained(models: pd.DataFrame) -> bool:
    """Whether traces ran long enough to be compared."""
    return bool((models.stopped_at >= TRAINED).all())


def close(ours: float, error: float, published: float, published_error: float) -> bool:
    """|ours - published| <= 2 sqrt(SE^2 + SE_published^2)."""
    return bool(abs(ours - published) <= 2 * np.hypot(error, published_error))


def spread(values: pd.Series, unit: str = "") -> str:
    """The range over seeds, in words."""
    return f"seeds {values.min():.3g} to {values.max():.3g}{unit}"


def comparable(law: pd.Series) -> bool:
    """Whether a fit covers published sizes with converged models and has an error."""
    inside = PUBLISHED_SIZES[0] <= law.smallest and law.largest <= PUBLISHED_SIZES[1]
    return bool(inside and law.n_points >= FEWEST_SIZES and law.converged and np.isfinite(law.k_se))


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
