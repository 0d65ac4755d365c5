"""Checks of what Ju et al. (2025) print about Tables II and S1; the rules stand in `checks`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nqs.analysis.claims import at, close
from nqs.studies.ju2025.claims.compared import Compared, Fact, Tables, exact, in_range
from nqs.studies.ju2025.tables.regressions import CLASS_MEANS, LOG_PSI, PRINT_PRECISION

TABLE2 = ("exact", "cps optimum", "cnn optimum", "network mean", "network mean, moving")  # sources compared


def coefficient(fact: Fact, ours: Tables, term: str) -> Iterator[Compared]:
    """One coefficient of Table II, of every source."""
    for source, rows in _sources(ours):
        row = at(rows, term=term).iloc[0]
        runs = _runs(source, row)
        error = float(np.nan_to_num(row.scaled_seed_error)) if runs else np.nan
        agrees = close(row.scaled, np.nan_to_num(error), fact["value"], PRINT_PRECISION)
        remark = f"left open by the features: {row.scaled_error:.2f}, printed {fact['uncertainty']:g}"
        quantity = f"{term.replace('_', ' ')}, {_named(source, row)}"
        yield Compared(quantity, fact["value"], PRINT_PRECISION, row.scaled, error, runs, agrees, remark)


def explained(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """R^2 of every source."""
    for source, rows in _sources(ours):
        row = rows.iloc[0]
        agrees = close(row.r_squared, 0, fact["value"], fact["uncertainty"])
        quantity = f"R^2, {_named(source, row)}"
        yield Compared(
            quantity, fact["value"], fact["uncertainty"], row.r_squared, np.nan, _runs(source, row), agrees
        )  # fmt: skip


def significance(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """The largest p-value of the four coefficients of every source."""
    for source, rows in _sources(ours):
        largest = float(rows.p_value.max())
        quantity = f"largest p of a coefficient, {_named(source, rows.iloc[0])} (published: bound)"
        remark = f"allowing unequal errors {rows.p_robust.max():.2g}"
        agrees, runs = largest < fact["value"], _runs(source, rows.iloc[0])
        yield Compared(quantity, fact["value"], np.nan, largest, np.nan, runs, agrees, remark)


def design(fact: Fact, ours: Tables, column: str) -> Iterator[Compared]:
    """A number of the design matrix, the same for every source."""
    for _, rows in list(_sources(ours))[:1]:
        value, error = rows.iloc[0][column], fact["uncertainty"]
        yield exact(column.replace("_", " "), fact["value"], error, value, close(value, 0, fact["value"], error))


def best_energy(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """Delta E of the trained networks in both units."""
    table = ours["table2"]
    if not (table.source == "published").any():  # another K
        return
    runs = at(table, source="network").drop_duplicates("run")
    for column, words in (("percent_of_gap", "(E - E0)/(E1 - E0), as defined"), ("percent_of_ground", "(E - E0)/E0")):
        best = runs[column][runs.best.astype(bool)]
        remark = f"best run {best.iloc[0]:.3g}" if len(best) else ""
        yield from in_range(f"{words}, percent", fact, runs[column], remark=remark)


def _sources(ours: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """The four rows of each source of the published K, the largest exact ring only."""
    table = ours["table2"]
    if not (table.source == "published").any():
        return
    for source in TABLE2:
        rows = at(table, source=source)
        if len(rows):
            yield source, at(rows, n_sites=rows.n_sites.max())


def _runs(source: str, row: pd.Series) -> int | None:
    return int(row.n_runs) if source.startswith("network") else None


def _named(source: str, row: pd.Series) -> str:
    words = {"exact": f"exact, N = {row.n_sites:g}", "network mean": f"trained ({row.network})"}
    moving = f"trained ({row.network}), psi not constant"
    return words.get(source, moving if source.endswith("moving") else source)


def multipliers(fact: Fact, ours: Tables) -> Iterator[Compared]:
    """The line of Table S1 by class means, as printed, and without a choice of gauge."""
    lowest = at(ours["tableS1"], n_sites=fact["n_sites"], width=fact["width"], minimum=0)
    for values in (CLASS_MEANS, LOG_PSI):
        for _, row in at(lowest, values=values).iterrows():
            for part, column in (("slope", "slope"), ("r2", "r_squared")):
                published, error = fact["value"][part], fact["uncertainty"][part]
                agrees = close(row[column], 0, published, error)
                yield exact(f"{part}, {values}", published, error, row[column], agrees, "exact optima", part)
