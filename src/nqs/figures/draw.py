"""Stage `figure`: a table in, a PDF, a PNG and their provenance out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nqs import provenance, published
from nqs.errors import InputError
from nqs.figures import westerhout2020

FIGURES = {f"westerhout2020_{name}": figure for name, figure in westerhout2020.FIGURES.items()}


def draw(
    name: str, settings: Mapping[str, Any], table: Path, curves: Path, stem: Path, cost: Path | None = None
) -> None:
    """Draw the figure `name` from its table.

    settings: note (opens the small print), config (the part the figure depends on), code (hash), seeds.
    curves: the published points; cost: JSON with the wall time behind the table.
    Raises InputError for an unknown figure.
    """
    if name not in FIGURES:
        raise InputError(f"unknown figure '{name}'; known: {', '.join(sorted(FIGURES))}")
    begin = time.monotonic()
    points = pd.read_csv(table)
    fig = FIGURES[name](points, published.read_curves(curves), settings["note"])
    trained = json.loads(cost.read_text())["training_wall_s"] if cost else 0.0
    record = provenance.record(
        name,
        config=settings["config"],
        inputs=[table, curves],
        root=Path.cwd(),
        code=settings["code"],
        device=" and ".join(sorted(points.device.unique())) if "device" in points else "none",
        seeds=settings["seeds"],
        wall_seconds=round(time.monotonic() - begin + trained, 2),
        repository=Path(__file__).parents[3],
    )
    provenance.save_figure(fig, stem, record)
    print(f"{stem}.pdf, .png, .json: {record['id']}")
