"""Two trees of results side by side: `./nqs compare A B`.

A tree is a folder, a scale (results/<scale>) or `archive`. Every column of means with standard errors is one
chi-square over the matched rows, with one degree of freedom for each set of trainings. The trees differ if one of them
is less likely than LEVEL divided by the number of all chi-squares, so equal trees are called different in at most
LEVEL of all comparisons.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd
from rich.console import Console
from rich.table import Table

from nqs.analysis.ledger.table import verdicts
from nqs.runtime.errors import InputError
from nqs.runtime.markdown import markdown
from nqs.runtime.tables import read_table
from nqs.workflow.compare_rows import ColumnComparison, TableComparison, compare_tables
from nqs.workflow.studies import found_studies

LEVEL = 0.01  # of false alarms per comparison of two trees
ARCHIVE = "archive"
HEADER = ("table", "rows", "only A", "only B", "result", "column", "chi² / n", "p", "without errors")


@dataclass(frozen=True)
class Tree:
    """Tables of rows, as <study>/<table>, and claims by study."""

    tables: dict[str, Path]
    claims: dict[str, Path]


def compare(first: str, second: str, studies: Sequence[str] = (), stream: TextIO = sys.stdout) -> int:
    """Print the comparison of two trees; 0 if they are equal within errors, 1 if not; InputError for bad names."""
    one, two = (tree_of(name, studies) for name in (first, second))
    common = sorted(one.tables.keys() & two.tables.keys())
    if not common:
        raise InputError(f"{first} and {second} have no table in common")
    found = {name: compare_tables(_read(one.tables[name]), _read(two.tables[name])) for name in common}
    level = LEVEL / max(1, sum(len(table.tests) for table in found.values()))
    print_report(f"{first} (A) and {second} (B)", sections(found, one, two, level), stream)
    differ = any(is_different(column, level) for table in found.values() for column in table.tests)
    print(verdict(found, differ), file=stream)
    return int(differ)


def tree_of(name: str, studies: Sequence[str] = ()) -> Tree:
    """The tables and claims of a tree; InputError if there is none, or for an unknown study."""
    if unknown := set(studies) - set(found_studies()):
        raise InputError(f"unknown study {', '.join(sorted(unknown))}; known: {', '.join(found_studies())}")
    folder = folder_of(name)
    home = folder / "analysis" if (folder / "analysis").is_dir() else folder
    chosen = [study for study in found_studies() if not studies or study in studies]
    tables = {f"{study}/{path.stem}": path for study in chosen for path in sorted((home / study).glob("*.csv"))}
    claims = {study: folder / "claims" / f"{study}.csv" for study in chosen}
    return Tree(tables, {study: path for study, path in claims.items() if path.exists()})


def folder_of(name: str) -> Path:
    """The folder of a tree; InputError if there is none."""
    if name == ARCHIVE:
        return Path(ARCHIVE, "paper")
    for folder in (Path(name), Path("results", name)):
        if folder.is_dir():
            return folder
    scales = sorted(path.name for path in Path("results").glob("*") if path.is_dir())
    raise InputError(f"no folder {name} or results/{name}; scales here: {', '.join(scales) or 'none'}, or {ARCHIVE}")


def _read(path: Path) -> pd.DataFrame:
    return read_table(path)


Section = tuple[str, Sequence[str], list[Sequence[str]]]


def sections(found: dict[str, TableComparison], one: Tree, two: Tree, level: float) -> Iterator[Section]:
    """Title, header and rows of everything there is to say."""
    yield "Tables", HEADER, [_summary(name, table, level) for name, table in found.items()]
    for name, table in found.items():
        for column in filter(lambda column: is_different(column, level), table.tests):
            yield (
                f"{name}, {column.name}: the rows furthest apart",
                ("row", "A", "B", "standard errors"),
                _worst(column),
            )
    missing: list[Sequence[str]] = [(name, "B") for name in sorted(one.tables.keys() - two.tables.keys())]
    missing += [(name, "A") for name in sorted(two.tables.keys() - one.tables.keys())]
    if missing:
        yield "Tables on one side only", ("table", "not in"), missing
    changed = [row for study in sorted(one.claims.keys() & two.claims.keys()) for row in _changed(study, one, two)]
    if changed:
        yield "Claims with another verdict", ("claim", "A", "B"), changed


def is_different(column: ColumnComparison, level: float) -> bool:
    """Whether the differences of a column are too large for its errors."""
    return column.p < level


def _summary(name: str, table: TableComparison, level: float) -> list[str]:
    """One line about a table: its most unlikely column, and the largest difference in columns without errors."""
    counts = [str(number) for number in (table.matched, table.only_first, table.only_second)]
    bare = max((one for one in table.columns if not one.tested), key=lambda one: one.relative, default=None)
    words = f"{bare.relative:.1e} ({bare.name})" if bare and bare.relative > 0 else ""
    if table.identical:
        return [name, *counts, "identical", "", "", "", ""]
    if not table.tests:
        return [name, *counts, "no errors to judge by", "", "", "", words]
    worst = min(table.tests, key=lambda one: one.p)
    result = "DIFFERENT" if is_different(worst, level) else "equal within errors"
    return [name, *counts, result, worst.name, f"{worst.chi2:.1f} / {worst.tested}", f"{worst.p:.2g}", words]


def _worst(column: ColumnComparison) -> list[Sequence[str]]:
    return [
        (row["key"], f"{row['first']:.6g} ± {row['error']:.2g}", f"{row['second']:.6g} ± {row['other_error']:.2g}",
         f"{row['distance']:.1f}")
        for row in column.worst.to_dict("records")
    ]  # fmt: skip


def _changed(study: str, one: Tree, two: Tree) -> Iterator[Sequence[str]]:
    """Claims of a study whose verdict differs, or that one side lacks."""
    sides = [verdicts(_read(tree.claims[study])).set_index("claim").verdict for tree in (one, two)]
    for claim in sorted(set(sides[0].index) | set(sides[1].index)):
        before, after = (str(side.get(claim, "absent")) for side in sides)
        if before != after:
            yield f"{study}: {claim}", before, after


def print_report(title: str, parts: Iterable[Section], stream: TextIO) -> None:
    """Tables on a terminal, Markdown elsewhere."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        print(f"# {title}\n", file=stream)
    for name, header, rows in parts:
        if console.is_terminal:
            console.print(_rich(name, header, rows))
        else:
            print(f"## {name}\n\n{markdown(pd.DataFrame(rows, columns=list(header)))}", file=stream)


def _rich(name: str, header: Sequence[str], rows: list[Sequence[str]]) -> Table:
    table = Table(*header, title=name, title_justify="left", box=None)
    for row in rows:
        table.add_row(*row, style="bold red" if "DIFFERENT" in row else "")
    return table


def verdict(found: dict[str, TableComparison], differ: bool) -> str:
    """The last line."""
    tests = sum(len(table.tests) for table in found.values())
    identical = sum(table.identical for table in found.values())
    what = "They differ" if differ else "Equal within errors" if identical < len(found) else "Identical"
    return (
        f"{what}: {len(found)} tables, {identical} identical to the last bit; {tests} chi-squares, false alarms in at "
        f"most {LEVEL:.0%} of such comparisons."
    )
