"""Two tables of rows side by side: rows matched by what they are about, numbers compared within their errors."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

COUNTS = ("n_models", "n_members", "n_runs", "n_pairs")  # columns that say how many repeats are behind a row
SETTINGS = {  # what a row is about though it need not be an integer
    "j2_over_j1", "epsilon_train", "tau", "alpha", "n_sites", "width", "window", "iteration", "r", "m", "rank", "unit",
    "site", "learning_rate", "steps", "threshold", "position", "length", "level", "run", "repeat", "start",
}  # fmt: skip
OUTCOMES = re.compile(  # what a row finds though it is an integer or a word
    r"n_(?!sites$|hidden$|train$|parameters$)\w+|\w+_(mean|sem|sd|se|error)|t_cv_\w+|capped_\w+|verdict|remark|status"
    r"|reason|device|converged|smallest|largest|stuck|diverged|why_constant|stopped_at|seed|iterations|samples|best"
    r"|distinct\w*|points|observations"
)
SAME_RUNS = {  # settings that only look at the same trainings in another way: such rows are not independent
    "iteration", "tau", "r", "m", "sector", "with_r0", "window", "fit", "threshold", "length", "position", "series",
}  # fmt: skip
MEASURED = {"seconds", "wall_s", "cpu_s", "training_wall_s", "cell_wall_s", "cell_cpu_s", "peak_memory_mb", "peak_gib"}


@dataclass(frozen=True)
class ColumnComparison:
    """One column of numbers in matched rows.

    rows: numbers in both; equal: how many are so to the last bit; chi2: sum of squared differences over their combined
    errors, of `tested` independent rows, and p its tail probability, NaN where there are no errors; relative: the
    largest difference relative to the largest number; worst: rows furthest apart first.
    """

    name: str
    rows: int
    equal: int
    tested: int
    chi2: float
    p: float
    relative: float
    worst: pd.DataFrame


@dataclass(frozen=True)
class TableComparison:
    """Two tables: matched rows, rows on one side only, and every column of numbers."""

    matched: int
    only_first: int
    only_second: int
    columns: tuple[ColumnComparison, ...]

    @property
    def identical(self) -> bool:
        """Whether all rows are matched and all numbers equal to the last bit."""
        return not (self.only_first or self.only_second) and all(one.equal == one.rows for one in self.columns)

    @property
    def tests(self) -> tuple[ColumnComparison, ...]:
        """Columns with errors."""
        return tuple(one for one in self.columns if one.tested)


def compare_tables(first: pd.DataFrame, second: pd.DataFrame) -> TableComparison:
    """Match the rows of two tables and compare their columns of numbers."""
    keys = key_columns(first, second)
    one, two = (_numbered(table, keys) for table in (first, second))
    both = one.merge(two, how="outer", on=[*keys, "_repeat"], suffixes=("_1", "_2"), indicator="_side")
    sides = both.pop("_side").value_counts()
    matched = both[both._row_1.notna() & both._row_2.notna()]
    names = [name for name in _numbers(first, second) if name not in keys]
    errors = {error_of(name, _shared(first, second)) for name in names}
    columns = tuple(_column(matched, name, keys, first, second) for name in names if name not in errors)
    both_sides, left, right = (int(sides.get(side, 0)) for side in ("both", "left_only", "right_only"))
    return TableComparison(both_sides, left, right, columns)


def _shared(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Columns of both tables."""
    return [str(name) for name in first if name in second]


def key_columns(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Columns of both tables that say what a row is about: settings, and other words and integers than outcomes."""
    return [name for name in _shared(first, second) if _is_key(name, first[name], second[name])]


def _is_key(name: str, *columns: pd.Series) -> bool:
    if OUTCOMES.fullmatch(name) or name in MEASURED:
        return False
    return name in SETTINGS or all(_is_discrete(column) for column in columns)


def _is_discrete(column: pd.Series) -> bool:
    """Words, truth values or integers; an empty column is nothing."""
    return not pd.api.types.is_float_dtype(column)


def _numbered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Keys as comparable text, rows that share one numbered in their order."""
    table = table.reset_index(drop=True)
    plain = pd.DataFrame({name: table[name].map(_text) for name in keys}, index=table.index)
    numbers = plain.groupby(keys, dropna=False).cumcount() if keys else pd.Series(table.index, index=table.index)
    rest = table.drop(columns=keys)
    new = pd.DataFrame({"_repeat": numbers, "_row": table.index}, index=table.index)
    return pd.concat([plain, rest, new], axis=1)


def _text(value: object) -> str:
    """3 and 3.0 alike, nothing for a missing value."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number):
        return "" if np.isnan(value) else f"{float(value):.10g}"
    return "" if value is None else str(value)


def _numbers(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Columns that hold numbers in both tables."""
    both = [name for name in _shared(first, second) if name not in MEASURED]
    numeric = pd.api.types.is_numeric_dtype
    return [
        name for name in both if all(numeric(table[name]) and table[name].dtype != bool for table in (first, second))
    ]


def error_of(name: str, names: Collection[str]) -> str | None:
    """The column with the standard error of another one, None if there is none."""
    stem = name.removesuffix("_mean")
    choices = [f"{stem}_sem"] if stem != name else []
    choices += [f"{name}_{ending}" for ending in ("sem", "se", "error")]
    choices += {"coefficient": ["standard_error"], "value": ["error"]}.get(name, [])
    return next((choice for choice in choices if choice in names), None)


def _column(
    matched: pd.DataFrame, name: str, keys: list[str], first: pd.DataFrame, second: pd.DataFrame
) -> ColumnComparison:
    a, b = (_side(matched, name, side) for side in (1, 2))
    there = np.isfinite(a) | np.isfinite(b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    error = error_of(name, _shared(first, second))
    errors = [_side(matched, error, side) if error else np.full(len(a), np.nan) for side in (1, 2)]
    distance = distances(a, b, *errors, *(_repeats(matched, side) for side in (1, 2)))
    tested = np.isfinite(distance)
    chi2, independent = chi_square(distance, _trainings(matched, keys))
    rows = pd.DataFrame({"key": _keys(matched, keys), "first": a, "error": errors[0], "second": b})
    rows = rows.assign(other_error=errors[1], distance=distance)
    worst = rows[tested].sort_values("distance", key=np.abs, ascending=False).head(5)
    p = float(stats.chi2.sf(chi2, independent)) if independent else np.nan
    equal = int((same & there).sum())
    return ColumnComparison(name, int(there.sum()), equal, independent, chi2, p, _relative(a, b), worst)


def chi_square(distance: np.ndarray, groups: np.ndarray) -> tuple[float, int]:
    """Sum over groups of rows that share their trainings of the mean squared distance, and the number of groups.

    A mean of dependent squares spreads no more than one square does, so the tail of chi-square with as many degrees of
    freedom as groups is an upper bound. Rows without a distance are left out.
    """
    tested = np.isfinite(distance)
    means = pd.Series(distance[tested] ** 2).groupby(groups[tested]).mean()
    return (float(means.sum()), len(means)) if len(means) else (np.nan, 0)


def _trainings(matched: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """A number for each row, the same for rows that share their trainings."""
    apart = [name for name in keys if name not in SAME_RUNS]
    return (matched.groupby(apart, dropna=False).ngroup() if apart else matched._repeat).to_numpy()


def _side(matched: pd.DataFrame, name: str, side: int) -> np.ndarray:
    column = f"{name}_{side}"
    return matched[column if column in matched else name].to_numpy(dtype=float)


def _repeats(matched: pd.DataFrame, side: int) -> np.ndarray:
    """Repeats behind each row; infinite where they are not known."""
    for name in COUNTS:
        if f"{name}_{side}" in matched:
            found = _side(matched, name, side)
            return np.where(np.isfinite(found) & (found > 1), found, np.inf)
    return np.full(len(matched), np.inf)


def _keys(matched: pd.DataFrame, keys: list[str]) -> list[str]:
    """What each row is about: the columns that vary, by name."""
    told = [name for name in keys if matched[name].nunique() > 1]
    return [
        ", ".join(f"{name}={value}" for name, value in zip(told, row, strict=True) if value)
        for row in matched[told].itertuples(index=False, name=None)
    ]


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference over the largest number; 0 where both are nothing."""
    scale = max(np.nanmax(np.abs(a), initial=0.0), np.nanmax(np.abs(b), initial=0.0))
    gap = np.nanmax(np.abs(a - b), initial=0.0)
    return float(gap / scale) if scale > 0 else 0.0


def distances(
    a: np.ndarray, b: np.ndarray, error_a: np.ndarray, error_b: np.ndarray, n_a: np.ndarray, n_b: np.ndarray
) -> np.ndarray:
    """Differences in combined standard errors, as standard normal deviates; NaN without errors.

    Errors from few repeats are uncertain themselves: the quotient follows Student's t with Welch's degrees of freedom,
    and the normal deviate of the same tail probability is returned.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = error_a**2 + error_b**2
        t = (a - b) / np.sqrt(variance)
        freedom = variance**2 / (error_a**4 / (n_a - 1) + error_b**4 / (n_b - 1))
    few = np.isfinite(t) & np.isfinite(freedom)
    logs = stats.t.logsf(np.abs(t[few]), freedom[few])
    t[few] = np.sign(t[few]) * -stats.norm.ppf(np.exp(np.maximum(logs, -700.0)))
    return np.where(np.isfinite(t), t, np.nan)
