"""Tables as Markdown."""

from __future__ import annotations

from typing import Any

import pandas as pd

DIGITS = 4  # significant


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, numbers rounded for reading, empty where there is none."""
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(_cell(value) for value in row) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.{DIGITS}g}"
    return str(value).replace("|", r"\|")
