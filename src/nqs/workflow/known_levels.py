"""Rows of reference/ground_levels.csv, for the settings of ground states."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from nqs.exact.known_levels import Known, read

TABLE = Path("reference/ground_levels.csv")  # from the project's folder


def known_level(cluster: str, j2: float) -> dict[str, Any] | None:
    """The row of a cluster and coupling; None if there is none."""
    found = _rows(TABLE).get((cluster, j2))
    return asdict(found) if found else None


@cache
def _rows(table: Path) -> dict[tuple[str, float], Known]:
    return {(row.cluster, row.j2): row for row in read(table)} if table.exists() else {}
