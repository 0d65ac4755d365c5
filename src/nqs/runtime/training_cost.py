"""How long and where the networks behind a table trained; apart from the table, because it differs from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nqs.runtime.job import Files
from nqs.runtime.tables import read_table


def training_cost(models: Sequence[Path]) -> dict[str, Any]:
    """Wall seconds of all networks in the tables of models, and the devices they trained on.

    Runs that had a core each are timed by its seconds, cpu_s.
    """
    tables = [read_table(path, ["device"]) for path in models]
    seconds = sum(float(table["wall_s" if "wall_s" in table else "cpu_s"].sum()) for table in tables)
    return {
        "training_wall_s": round(seconds, 2),
        "devices": sorted({name for table in tables for name in table.device.unique()}),
    }


def cost(files: Files, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The cost behind the files of a target: of its tables of models or of runs."""
    return training_cost(files.get("models") or files.get("runs") or ())
