"""Numbers that pages quote from archived tables, filled in from them.

On a page a number stands between two comments, <!--= name argument ... -->0.706 ± 0.012<!--/-->, and docs/quoted.yaml
says what each name stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from nqs.runtime.errors import InputError
from nqs.runtime.fields import Block
from nqs.runtime.tables import read_table
from nqs.runtime.yaml_text import QuickLoader

MARK = re.compile(r"<!--= *(?P<name>[\w.]+)(?P<arguments>(?: [^ >]+)*) *-->(?P<text>.*?)<!--/-->", re.S)
LIST = Path("docs/quoted.yaml")
PAGES = (Path("docs/deviations.md"), Path("docs/performance.md"))


class Quote(Block):
    """A kind of quoted number.

    table: <study>/<table> in the archive; rows: which of them, a query of pandas with $1, $2 … for the arguments of the
    mark; values: names for expressions over these rows, such as "energy.median() * 100"; show: how it is written, a
    format of the names, or of the columns of the only row.
    """

    table: str
    rows: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    show: str


def read_quotes(path: Path) -> dict[str, Quote]:
    """All kinds by name; InputError that names the entry."""
    try:
        listed = yaml.load(path.read_text(encoding="utf-8"), QuickLoader)
        return {str(name): Quote.model_validate(entry) for name, entry in listed.items()}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise InputError(f"{path}: cannot read the quoted numbers: {error}") from None
    except ValidationError as error:
        raise InputError(f"{path}: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from None


@cache
def archived(project: Path, table: str) -> pd.DataFrame:
    """An archived table."""
    path = project / "archive" / "paper" / f"{table}.csv"
    return read_table(path)


def value(quote: Quote, arguments: Sequence[str], project: Path) -> str:
    """The number as it is written; InputError if the rows are not there, or not one where one is needed."""
    table = archived(project, quote.table)
    query = with_arguments(quote.rows, arguments)
    chosen = table.query(query, engine="python") if query else table
    if chosen.empty or (not quote.values and len(chosen) != 1):
        raise InputError(f"{quote.table}: {len(chosen)} rows with {query}")
    names: Mapping[str, Any] = {
        name: chosen.eval(with_arguments(text, arguments), engine="python") for name, text in quote.values.items()
    } or {str(name): entry for name, entry in chosen.iloc[0].items()}
    return quote.show.format_map(names)


def with_arguments(text: str, arguments: Sequence[str]) -> str:
    """Text with $1, $2 … replaced."""
    return re.sub(r"\$(\d)", lambda match: arguments[int(match[1]) - 1], text)


def filled(text: str, project: Path) -> str:
    """A page with every quoted number as the archive has it; InputError that names the mark."""
    quotes = read_quotes(project / LIST)

    def fill(match: re.Match[str]) -> str:
        name, arguments = match["name"], match["arguments"].split()
        mark = f"<!--= {' '.join([name, *arguments])} -->"
        if name not in quotes:
            raise InputError(f"{mark}: not in {LIST}")
        try:
            return f"{mark}{value(quotes[name], arguments, project)}<!--/-->"
        except (InputError, IndexError, KeyError, ValueError, NameError) as error:
            raise InputError(f"{mark}: {error}") from None

    return MARK.sub(fill, text)


def used(text: str) -> Iterator[str]:
    """Names of the kinds that a page quotes."""
    return (match["name"] for match in MARK.finditer(text))
