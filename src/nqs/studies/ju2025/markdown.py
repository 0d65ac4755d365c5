"""Tables I, II and S1 of Ju et al. (2025) as Markdown, published values beside ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nqs.runtime.errors import InputError

CORRESPONDENCE = (
    ("known in", "machine learning", "physics", "statistics"),
    ("C of motif s'", "v relu(w.s' + b)", "ln phi_s', phi > 0", "multiplier lambda_s'"),
    ("psi", "exp of a sum over windows", "product over plaquettes", "square root of an exponential family"),
    ("found by", "lowest energy", "lowest energy, or any other aim", "largest entropy at given <m_s'>"),
    ("free numbers", "{network_parameters}, of which {effective} act", "{motifs}, or {classes} by class",
     "{motifs}, or {classes} by class"),
    ("range", "filter of K = {width}", "plaquette of K = {width}", "K-site marginals, K = {width}"),
)  # fmt: skip
WORDS = {"intercept": "intercept", "d_neel": "d_Neel", "n_like": "n_like", "interaction": "d_Neel n_like"}


def markdown(table: pd.DataFrame) -> str:
    """The rendering of whichever of the three tables this is; InputError if it is none."""
    for column, render in (("identity", table1), ("term", table2), ("minimum", tableS1)):
        if column in table:
            return render(table)
    raise InputError(f"columns {', '.join(table.columns)}: not those of table1, table2 or tableS1")


def table1(table: pd.DataFrame) -> str:
    """The three ansaetze side by side, then every identity with its largest deviation."""
    first = table.iloc[0]
    numbers = {name: int(first[name]) for name in ("network_parameters", "motifs", "classes", "width")}
    numbers["effective"] = numbers["width"] + 1  # fields and offset of x = u.sigma + c; v only scales them
    rows = [[cell.format(**numbers) for cell in row] for row in CORRESPONDENCE]
    checks = [
        [row.statement, row.equation, _power(row.deviation), row.verdict, row.remark]
        for _, row in table.fillna({"remark": "", "verdict": ""}).iterrows()
    ]
    return (
        "One form, ln psi = sum_s' C_s' m_s'(s), three ansaetze:\n\n"
        + _lines(["", "network", "CPS", "MaxEnt"], rows)
        + f"\nChecked on all {int(first.states)} states of a ring of {int(first.n_sites)} sites with K = "
        f"{int(first.width)}; the deviation is the largest over the states:\n\n"
        + _lines(["identity", "where", "deviation", "verdict", "remark"], checks)
    )


def table2(table: pd.DataFrame) -> str:
    """One column per source, coefficients scaled to the published size; the largest exact ring only."""
    chosen = _columns(table)
    heads, columns = zip(*chosen, strict=True)
    body = [[WORDS[term], *(_term(column, term) for column in columns)] for term in WORDS]
    if "published" in set(table.source):
        body += [[f"{WORDS[term]}, less the print", *(_less(column, term) for column in columns)] for term in WORDS]
    firsts = [column.iloc[0] for column in columns]
    quantities = {
        "R^2": ("r_squared", 3), "condition number": ("condition_number", 2), "motifs": ("observations", 0),
        "N": ("n_sites", 0), "E - E0 (sum P)": ("delta_energy", 4), "(E - E0) / (E1 - E0), %": ("percent_of_gap", 2),
        "(E - E0) / E0, %": ("percent_of_ground", 2), "runs": ("n_runs", 0),
        "of these with constant psi": ("n_stuck", 0),
    }  # fmt: skip
    for name, (column, digits) in quantities.items():
        body.append([name, *(_number(first.get(column), digits) for first in firsts)])
    return (
        "Motif expectation values regressed on d_Neel, n_like and their product; coefficients (standard errors) "
        f"scaled to N = {_scaled_size(table)}, +- the standard error over seeds. * p < 0.001; published: as printed, "
        "to two decimals.\n\n" + _lines(["", *heads], body)
    )


def _columns(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Heading and the four rows of each source shown."""
    of = {name: rows for name, rows in table.groupby("source", sort=False)}
    chosen = []
    if "published" in of:
        chosen.append(("published", of["published"]))
    for size, rows in of.get("exact", table[:0]).groupby("n_sites"):
        chosen.append((f"exact, N = {size}", rows))
    for source in ("cps optimum", "cnn optimum"):
        if source in of:
            chosen.append((f"{source.split()[0].upper()} optimum", of[source]))
    if "network" in of:
        best = of["network"][of["network"].best.astype(bool)]
        chosen.append((f"trained ({best.network.iloc[0]}), best run", best))
        chosen.append(("trained, mean of runs", of["network mean"]))
    if "network mean, moving" in of:
        chosen.append(("trained, mean without constant psi", of["network mean, moving"]))
    return chosen


def _scaled_size(table: pd.DataFrame) -> int:
    row = table.iloc[table.scaled.abs().argmax()]
    return round(row.n_sites * row.scaled / row.coefficient)


def _term(rows: pd.DataFrame, term: str) -> str:
    row = rows[rows.term == term].iloc[0]
    star = "*" if row.source == "published" or row.p_value < 0.001 else ""
    seeds = row.get("scaled_seed_error")
    scatter = "" if seeds is None or pd.isna(seeds) else f" +- {seeds:.2g}"
    return f"{row.scaled:.2f}{star} ({row.scaled_error:.2f}){scatter}"


def _less(rows: pd.DataFrame, term: str) -> str:
    difference = rows[rows.term == term].iloc[0].get("difference")
    return "" if difference is None or pd.isna(difference) else f"{difference:+.2f}"


def tableS1(table: pd.DataFrame) -> str:
    """Lowest minimum of the network: slope, intercept and R^2 in each gauge, the printed line beside."""
    lowest = table[table.minimum == 0]
    rows = [
        [
            f"{row.width}", row["values"], _with_error(row.slope, row.slope_error),
            _with_error(row.intercept, row.intercept_error), f"{row.r_squared:.4f}", _points(row),
            _with_error(row.get("predicted_slope"), None), _with_error(row.get("predicted_intercept"), None),
            _with_error(row.get("published_slope"), row.get("published_error")),
        ]
        for _, row in lowest.iterrows()
    ]  # fmt: skip
    heads = ["K", "values", "slope", "intercept", "R^2", "points", "slope by gauge", "intercept by gauge", "published"]
    freedom = [
        [f"{row.width}", *(f"{row[f'{kind}_{name}']}" for kind in ("class", "motif") for name in FREEDOM),
         f"{row.cps_delta_energy:.5f}", f"{row.cnn_delta_energy:.5f}",
         f"{table[table.width == row.width].minimum.nunique()}"]
        for _, row in lowest.drop_duplicates("width").iterrows()
    ]  # fmt: skip
    free = ["K", "classes", "rank", "gauge", "motifs", "rank", "gauge", "CPS E - E0", "network E - E0", "minima found"]
    size = int(table.n_sites.iloc[0])
    return (
        f"Network on CPS, N = {size}, both at exact variational optima, the network's lowest:\n\n"
        + _lines(heads, rows)
        + "\nHow free the multipliers are: counts over all states, and directions that change no psi:\n\n"
        + _lines(free, freedom)
    )


def _points(row: Any) -> str:
    return f"{row.points}" + (f" in {row.clusters} classes" if row.clusters < row.points else "")


FREEDOM = ("columns", "rank", "gauge")


def _with_error(value: float | None, error: float | None) -> str:
    if value is None or pd.isna(value):
        return ""
    digits = 4 if error is None or not error > 0 else int(np.clip(1 - np.floor(np.log10(error)), 2, 6))
    return f"{value:.{digits}f}" + ("" if error is None or pd.isna(error) else f" ({error:.{digits}f})")


def _number(value: float | None, digits: int) -> str:
    if value is None or pd.isna(value):
        return ""
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no minus zero


def _power(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def _lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
