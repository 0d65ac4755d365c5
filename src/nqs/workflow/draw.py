"""Stage `figure`: a table in, a PDF, a PNG and their provenance out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from nqs.analysis.facts import read_facts
from nqs.figures import save as figure_files
from nqs.runtime import provenance
from nqs.runtime.errors import InputError
from nqs.studies.westerhout2020.curves import read_curves

# Each study's figures are in a module of its own, imported when one of them is drawn: an edited figure of one study
# does not redraw those of another.
MODULES = {"westerhout2020": "geometry", "mummaneni2026": "training", "ju2025": "registry"}
PUBLISHED: dict[str, Callable[[Path], Any]] = {
    "westerhout2020": read_curves, "mummaneni2026": read_facts, "ju2025": read_facts,
}  # fmt: skip


def figures() -> list[str]:
    """Names of all figures, <study>_<figure>."""
    return [f"{study}_{figure}" for study in PUBLISHED for figure in functions_of(study)]


def functions_of(study: str) -> Mapping[str, Callable[..., Any]]:
    """The functions that draw a study's figures, by figure."""
    return import_module(f"nqs.studies.{study}.figures.{MODULES[study]}").FIGURES


def draw(
    name: str, settings: Mapping[str, Any], table: Path, published: Path, stem: Path, cost: Path | None = None
) -> None:
    """Draw the figure `name` from its table.

    settings: note (opens the small print), config (the part the figure depends on), code (hash), seeds.
    published: the published values; cost: JSON with the wall time and the devices of the training behind the table.
    Raises InputError for an unknown figure.
    """
    study, _, figure = name.partition("_")
    functions = functions_of(study) if study in PUBLISHED else {}
    if figure not in functions:
        raise InputError(f"unknown figure '{name}'; known: {', '.join(sorted(figures()))}")
    begin = time.monotonic()
    points = pd.read_csv(table)
    fig = functions[figure](points, PUBLISHED[study](published), settings["note"])
    training = json.loads(cost.read_text()) if cost else {}
    devices = sorted(points.device.unique()) if "device" in points else training.get("devices", [])
    record = provenance.record(
        name,
        config=settings["config"],
        inputs=[table, published],
        root=Path.cwd(),
        code=settings["code"],
        device=" and ".join(devices) or "none",
        seeds=settings["seeds"],
        wall_seconds=round(time.monotonic() - begin + training.get("training_wall_s", 0.0), 2),
        repository=Path(__file__).parents[3],
    )
    figure_files.save_figure(fig, stem, record)
    print(f"{stem}.pdf, .png, .json: {record['id']}")
