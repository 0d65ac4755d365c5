"""Tables as stages leave them, CSV and Parquet, and JSON: read with errors that say what is wrong and the way out."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.runtime.checksums import compare
from nqs.runtime.file_faults import damaged, unreadable


def read_table(path: Path, columns: Iterable[str] = (), rows: int | None = None) -> pd.DataFrame:
    """A CSV or Parquet table; BrokenFileError if it is out of reach, damaged, or lacks promised columns or rows.

    rows: how many there must be, if that is known.
    """
    path = Path(path)
    compare([path])
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            refuse_uneven_lines(path)
            table = pd.read_csv(path, low_memory=False)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, csv.Error) as error:
        raise damaged(path, error) from None
    if lacking := [name for name in columns if name not in table]:
        raise damaged(path, f"without the columns {', '.join(lacking)}")
    if rows is not None and len(table) != rows:
        raise damaged(path, f"{len(table)} rows instead of {rows}")
    return table


def refuse_uneven_lines(path: Path) -> None:
    """ValueError for a CSV file that is cut off or has lines of unequal length, which pandas fills up silently."""
    if path.stat().st_size == 0:
        raise ValueError("empty")
    with open(path, encoding="utf-8", newline="") as file:
        widths = enumerate(map(len, csv.reader(file)), 1)
        _, width = next(widths)
        for line, fields in widths:
            if fields != width:
                raise ValueError(f"row {line} has {fields} fields instead of {width}")
    with open(path, "rb") as raw:
        raw.seek(-1, os.SEEK_END)
        if raw.read(1) != b"\n":
            raise ValueError("its last line is cut off")


def read_json(path: Path, keys: Iterable[str] = ()) -> dict[str, Any]:
    """A JSON object; BrokenFileError if it is out of reach, damaged, or lacks promised keys."""
    path = Path(path)
    compare([path])
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from None
    if not isinstance(content, dict):
        raise damaged(path, "no JSON object")
    if lacking := [key for key in keys if key not in content]:
        raise damaged(path, f"without {', '.join(lacking)}")
    return content
