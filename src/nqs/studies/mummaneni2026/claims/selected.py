"""What all checks of claims share: rows of a table by values, readings and parts in words, and statistics over models.

Readings of what the paper leaves open: the protocol of sampling (`mode`), the states that a sum runs over or the
chains that stand for it (`sector`), whether r = 0 enters the correlation criterion (`with_r0`), and the kind of fit.
Any value in a table becomes a reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, near, share_above

TAU = 0.3  # threshold of the paper's classification
TRAINED = 1000  # iterations after which a run of fixed length is taken for trained
VARIANT = ("mode", "sector")
ALPHAS = (2, 3, 4, 5)
SAMPLED = {"fractions": "sampled_fractions", "power_laws": "sampled_power_laws"}  # the same, measured by chains
SECTORS = {
    "all": "all states", "zero": "Sz = 0", "fresh": "fresh chains", "continued": "continued chains",
}  # fmt: skip
Group = tuple[dict[str, Any], pd.DataFrame]


def select(tables: Tables, name: str, columns: Iterable[str], **values: Any) -> pd.DataFrame:
    """Rows of a table with these values (a collection: one of them) and with numbers in all of these columns.

    Without rows where the table lacks a column. What chains measured is in one more table, whose rows are readings too.
    """
    columns = list(columns)
    by_sums = _select(tables[name], columns, values)
    if SAMPLED.get(name) not in {*tables}:
        return by_sums
    parts = [by_sums, _select(tables[SAMPLED[name]], columns, values)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _select(table: pd.DataFrame, columns: list[str], values: dict[str, Any]) -> pd.DataFrame:
    if not {*columns, *values} <= {*table.columns}:
        return pd.DataFrame(columns=[*columns, *values])
    for column, value in values.items():
        wanted = list(value) if isinstance(value, (list, tuple, set)) else [value]
        close = any(isinstance(one, float) for one in wanted)
        same = np.isclose(table[column].to_numpy(float)[:, None], wanted).any(axis=1) if close else None
        table = table[table[column].isin(wanted) if same is None else same]
    return table.dropna(subset=columns)


def groups(table: pd.DataFrame, *columns: str) -> Iterator[Group]:
    """Parts of a table by the values of columns."""
    if len(table):
        for values, part in table.groupby(list(columns), sort=True):
            yield dict(zip(columns, values, strict=True)), part


def reading(cell: dict[str, Any], *more: str) -> str:
    """The reading of a group in words: "paper protocol, Sz = 0, r >= 1"."""
    said: dict[str, Callable[[Any], str]] = {
        "mode": lambda mode: f"{mode} protocol",
        "sector": lambda sector: SECTORS.get(sector, str(sector)),
        "with_r0": lambda included: "r >= 0" if included else "r >= 1",
        "fit": lambda fit: f"{fit} fit",
    }
    return ", ".join([*(word(cell[name]) for name, word in said.items() if name in cell), *more])


def small_units(tables: Tables, n_sites: int, *columns: str) -> Iterator[Group]:
    """Units of the trained models of Figs. 2 to 8 of one ring, by mode and sector."""
    needed = [*VARIANT, "repeat", "unit", *columns]
    units = select(tables, "small_units", needed, n_sites=n_sites)
    if "stopped_at" in units:
        units = units[units.stopped_at >= TRAINED]
    yield from groups(units, *VARIANT)


def courses(tables: Tables, n_sites: int, *columns: str, **values: Any) -> pd.DataFrame:
    """Models of one ring that ran for a fixed number of iterations and are trained."""
    table = select(tables, "courses", ["mode", "repeat", "alpha", "stopped_at", *columns], n_sites=n_sites, **values)
    return table[table.stopped_at >= TRAINED] if len(table) else table


def value_of(claim: Claim) -> Any:
    """The printed value of a claim that has one."""
    assert claim.published, f"{claim.id} has no printed value"
    return claim.published.value


def sites(n_sites: int) -> str:
    """A ring as a part of a claim."""
    return f"N = {n_sites}"


def most(quantity: str, holds: pd.Series | np.ndarray, **more: Any) -> Evidence:
    """Evidence that something is so in more than half of the models; the median over models is as it says."""
    found = np.asarray(holds, bool)
    return share_above(f"share of models with {quantity}", int(found.sum()), len(found), 0.5, **more)


def one_model(quantity: str, values: Any, published: float, **more: Any) -> Evidence:
    """Evidence for a number printed for a single model: against where another of our models may lie.

    The uncertainty is that of one more value, sd sqrt(1 + 1/n); agreement counts where it resolves the number.
    """
    array = np.asarray(values, float)
    array = array[np.isfinite(array)]
    spread = array.std(ddof=1) if array.size > 1 else np.inf
    return next_model(quantity, array.mean() if array.size else np.nan, spread, array.size, published, **more)


def next_model(quantity: str, mean: float, sd: float, n: int, published: float, **more: Any) -> Evidence:
    """The same from the mean and standard deviation of n models."""
    return near(quantity, another(mean, sd, n), published, **more)


def another(mean: float, sd: float, n: int) -> Estimate:
    """Where one more value may lie, from the mean and standard deviation of n."""
    return Estimate(float(mean), float(sd * np.sqrt(1 + 1 / n)) if n else np.inf, int(n))


def near_in_ln(quantity: str, ln: Estimate, published: float, **more: Any) -> Evidence:
    """Evidence for a printed number from the logarithm of ours; tolerance and resolution are factors, as logarithms."""
    found = near(quantity, ln, float(np.log(published)), **more)
    value = float(np.exp(ln.value))
    return replace(found, value=value, error=value * ln.error, published=published)


def slope(x: Any, y: Any) -> Estimate:
    """Slope of a straight line by least squares, its error from the scatter about the line.

    n: one less than the points, for n - 2 degrees of freedom. Without an error for fewer than three points.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(np.unique(x)) < 2:
        return Estimate(np.nan, np.inf, 0)
    centred = x - x.mean()
    k = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - k * centred
    error = np.sqrt(rest @ rest / (len(x) - 2) / (centred @ centred)) if len(x) > 2 else np.inf
    return Estimate(k, float(error), len(x) - 1)


def profiles(table: pd.DataFrame, name: str, first: int = 1) -> np.ndarray:
    """Columns name_first, name_first+1, ... that have numbers, as an array (row, r)."""
    last = first
    while f"{name}_{last}" in table and table[f"{name}_{last}"].notna().any():
        last += 1
    return table[[f"{name}_{r}" for r in range(first, last)]].to_numpy(dtype=float)


def projection(profile: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Projection of profiles (row, r) on others, per row; 1 for the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sum(profile * onto, axis=1) / np.sum(onto**2, axis=1)


def alternates(profile: np.ndarray) -> np.ndarray:
    """Whether each profile (row, r = 1..) has the signs (-1)^r throughout."""
    r = np.arange(1, profile.shape[1] + 1)
    return np.asarray((profile * (-1.0) ** r > 0).all(axis=1))


def range_of(values: Any) -> str:
    """The range over models, in words."""
    array = np.asarray(values, float)
    return f"models {np.nanmin(array):.3g} to {np.nanmax(array):.3g}" if np.isfinite(array).any() else ""
