"""tableX1: every number printed in Mummaneni and Sajjan (2026) beside ours, with a verdict; see `numbers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from nqs.analysis.claims import Data, Measured, checked, verdict
from nqs.analysis.facts import read_facts
from nqs.analysis.rbm_ablation import staggered_score
from nqs.analysis.rbm_observables import read_machines
from nqs.analysis.table_files import CELL, mark, read, trace_pairs
from nqs.runtime.job import Files
from nqs.studies.mummaneni2026.claims.numbers import CHECKS
from nqs.vmc.keys import TRACE

INPUTS = ("importance_threshold",)  # facts that we take over and do not check
COLUMNS = (
    "claim", "where", "quantity", "unit", "published", "published_error", "ours", "ours_error", "mode", "sector",
    "n_models", "verdict", "remark",
)  # fmt: skip


def published_table(facts: Mapping[str, Mapping[str, Any]], data: Data) -> pd.DataFrame:
    """One row per fact, part of it and variant; a part without data has one row. InputError for an unknown fact."""
    rows = []
    for claim, fact, found in checked(facts, CHECKS, INPUTS, data):
        for one in [*found, *_missing(claim, fact, found)]:
            origin = {"claim": claim, "where": fact["where"], "unit": fact["unit"]}
            rows.append(origin | vars(one) | {"verdict": verdict(one.agrees, one.n_models)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _missing(claim: str, fact: Mapping[str, Any], found: Sequence[Measured]) -> Iterator[Measured]:
    """One row for each value of a fact that nothing was measured for."""
    value, name, nan = fact["value"], claim.replace("_", " "), float("nan")
    parts = value if isinstance(value, Mapping) else {"": value}
    for part, one in parts.items():
        compared = {str(measured.published) for measured in found}
        if not found or (part and _words(one) not in compared):
            yield Measured(f"{name} {part}".strip(), _words(one), nan, nan, nan, 0, None)


def _words(value: Any) -> str:
    return " to ".join(map(str, value)) if isinstance(value, list) else str(value)


def read_data(files: Files, tau: float) -> Data:
    """All tables of the study; of traces and weights only those of cells that ran for a fixed number of iterations."""
    whole = {name: read(files[name]) for name in ("units", "importance", "fractions", "power_laws")}
    marked = {name: mark(read(files[name])) for name in ("models", "states")}
    return Data(tau=tau, traces=_energies(files), initial=_initial_scores(files), **marked, **whole)


def _energies(files: Files) -> pd.DataFrame:
    """Sampled energies of trace cells."""
    curves = [
        trace[["repeat", "iteration", "energy"]].assign(**{name: models[name].iloc[0] for name in CELL})
        for models, trace in trace_pairs(files)
    ]
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame()


def _initial_scores(files: Files) -> pd.DataFrame:
    """S_AFM of the units of trace cells before training, where their parameters were kept."""
    rows = []
    for path, weights in zip(files["models"], files["weights"], strict=True):
        models = read([path])
        if not (models.run == TRACE).all():
            continue
        for (_, model), machine in zip(models.iterrows(), read_machines(weights).snapshots.get(0, []), strict=False):
            scores = {"unit": range(machine.n_units), "s_afm": staggered_score(machine.weights)}
            rows.append(pd.DataFrame(model[[*CELL, "repeat"]].to_dict() | scores))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Every number of the paper beside ours, from all tables of the study; settings: tau."""
    return published_table(read_facts(files["published"][0]), read_data(files, settings["tau"]))
