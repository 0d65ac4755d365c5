"""Stage `observables`: exact energies and correlations of trained machines, whole and with hidden units removed.

Every sum runs over all 2^N states (sector `all`) and over those with Sz = 0 (`zero`). A unit's impacts are

    energy_impact       |E_removed - E| / |E|                                        [Mummaneni 2026, eq. 6]
    correlation_impact  sum_r |C_removed(r) - C(r)| / sum_r |C(r)|, r = 1..N/2       [Mummaneni 2026, eq. 7]

and the unit is important if either exceeds tau. The paper does not say whether r = 0 belongs to the sums; C(0) = 1/4
never changes, so including it only enlarges the denominator (`correlation_impact_r0`). Energies: totals, S.S units.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from nqs.analysis.rbm_ablation import Machine, UnitSums, amplitudes, staggered_score, with_each_alone, without_each
from nqs.analysis.table_files import BROKEN
from nqs.exact import ring_sums
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ring_sums import ALL, SECTORS, Ring, Sums, measure, ring
from nqs.runtime.file_faults import damaged
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.tables import read_table
from nqs.runtime.tensors import read_with_header, refuse_absurd

Impact = TypeVar("Impact", np.ndarray, pd.Series)

PARTS = ("visible_bias", "hidden_bias", "weights")
KEYS = ("study", "cluster", "n_sites", "alpha", "n_hidden", "mode", "run", "repeat", "status")


@dataclass(frozen=True, eq=False)
class Trained:
    """Machines of one cell: the final one of each model, and those at each snapshot (iteration -> machines)."""

    settings: dict[str, Any]
    final: list[Machine]
    snapshots: dict[int, list[Machine]]


@dataclass(frozen=True)
class Exact:
    """Ground-state energy and C_zz(r), r = 0..N/2."""

    energy: float
    czz: np.ndarray


def read_machines(path: Path) -> Trained:
    """The machines of one cell; BrokenFileError if the file is missing or incomplete."""
    tensors, header = read_with_header(path, PARTS)
    iterations = sorted({int(found[1]) for name in tensors if (found := re.match(r"snapshot_(\d+)\.", name))})
    prefixes = {iteration: f"snapshot_{iteration:05d}." for iteration in iterations}
    if lacking := [prefix + part for prefix in prefixes.values() for part in PARTS if prefix + part not in tensors]:
        raise damaged(path, f"without {', '.join(lacking)}")
    for prefix in prefixes.values():  # a model that had ended before has no numbers at all
        refuse_absurd(path, tensors[f"{prefix}weights"], np.isnan(tensors[f"{prefix}visible_bias"]).all(axis=1))
    final = _machines(*(tensors[part] for part in PARTS))
    snapshots = {
        iteration: _machines(*(tensors[prefix + part] for part in PARTS)) for iteration, prefix in prefixes.items()
    }
    return Trained(json.loads(header.get("settings", "{}")), final, snapshots)


def _machines(visible: np.ndarray, hidden: np.ndarray, weights: np.ndarray) -> list[Machine]:
    tensors = (tensor.astype(np.float64) for tensor in (visible, hidden, weights))
    return [Machine(*one) for one in zip(*tensors, strict=True)]


def exact_values(path: Path) -> Exact:
    """Energy and correlations of the ground state in a file."""
    state = Wavefunction.read(path)
    return Exact(state.energy, ring_sums.state_correlations(state.n_sites, *state.expand()))


def correlation_impact(change: np.ndarray, full: np.ndarray, first: int) -> np.ndarray:
    """sum_r |change(r)| / sum_r |full(r)|, r = first..N/2: change (unit, r), full (r,) -> (unit,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(change[:, first:]).sum(axis=1) / np.abs(full[first:]).sum()


def important(energy: Impact, correlation: Impact, tau: float) -> Impact:
    """Which units exceed the threshold in either impact: bool (unit,)."""
    return (energy > tau) | (correlation > tau)


def state_row(size: Ring, sector: str, machine: Machine, exact: Exact) -> tuple[dict[str, Any], np.ndarray, Sums]:
    """Energy, variance, correlations and weights of |Sz| of one machine; also psi and its sums."""
    psi = amplitudes(size, sector, machine)
    sums = measure(size, sector, psi)
    energy, variance = ring_sums.energy_and_variance(size, sector, psi)
    weights = ring_sums.magnetisation(size, psi) if sector == ALL else np.full(len(sums.czz), np.nan)
    row = {
        "sector": sector, "energy": energy, "variance": variance, "exact_energy": exact.energy,
        "relative_error": abs(energy / exact.energy - 1),
    }  # fmt: skip
    return row | _series("czz", sums.czz) | _series("exact_czz", exact.czz) | _series("sz_abs", weights), psi, sums


def unit_rows(size: Ring, sector: str, machine: Machine, psi: np.ndarray, full: Sums) -> pd.DataFrame:
    """One row per hidden unit: what its removal changes, and what it does alone."""
    removed, alone = without_each(size, sector, machine, psi), with_each_alone(size, sector, machine)
    change = UnitSums(removed.energy - full.energy, removed.czz - full.czz)
    table = {
        "sector": sector,
        "unit": np.arange(machine.n_units),
        "s_afm": staggered_score(machine.weights),
        "weight_norm": np.linalg.norm(machine.weights, axis=1),
        "delta_energy": change.energy,
        "energy_impact": np.abs(change.energy) / abs(full.energy),
        "correlation_impact": correlation_impact(change.czz, full.czz, 1),
        "correlation_impact_r0": correlation_impact(change.czz, full.czz, 0),
        "energy_alone": alone.energy,
    }
    table |= _series("delta_czz", change.czz.T) | _series("czz_alone", alone.czz.T)
    return pd.DataFrame(table)


def group_row(size: Ring, sector: str, machine: Machine, chosen: np.ndarray) -> dict[str, float]:
    """Energy and correlations with only the important, only the other, and no units kept; NaN for an empty group."""
    none = measure(size, sector, amplitudes(size, sector, machine.only(np.array([], dtype=np.int64))))
    row = {"energy_none": none.energy, "n_important": int(chosen.sum())} | _series("czz_none", none.czz)
    for name, group in (("important", chosen), ("unimportant", ~chosen)):
        sums = Sums(np.nan, np.full(size.n_sites // 2 + 1, np.nan))
        if group.any():
            sums = measure(size, sector, amplitudes(size, sector, machine.only(group)))
        row |= {f"energy_{name}": sums.energy} | _series(f"czz_{name}", sums.czz)
    return row


def model_tables(machine: Machine, exact: Exact, tau: float) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
    """Rows of the table of states and tables of units of one machine, one per sector."""
    size, states, units = ring(len(machine.visible)), [], []
    for sector in SECTORS:
        row, psi, sums = state_row(size, sector, machine, exact)
        table = unit_rows(size, sector, machine, psi, sums)
        chosen = important(table.energy_impact.to_numpy(), table.correlation_impact.to_numpy(), tau)
        states.append(row | {"tau": tau} | group_row(size, sector, machine, chosen))
        units.append(table)
    return states, units


def snapshot_rows(trained: Trained, models: pd.DataFrame, exact: Exact) -> Iterator[dict[str, Any]]:
    """One row per model, snapshot and sector; a model that had ended before a snapshot has none."""
    for iteration, machines in trained.snapshots.items():
        for (_, model), machine in zip(models.iterrows(), machines, strict=True):
            if not np.isfinite(machine.weights).all():
                continue
            for sector in SECTORS:
                row, _, _ = state_row(ring(len(machine.visible)), sector, machine, exact)
                yield {key: model[key] for key in KEYS} | {"iteration": iteration} | row


def read_models(path: Path, expected: int) -> pd.DataFrame:
    """Table of the models of one cell, in the order of the weights; BrokenFileError if their numbers differ."""
    return read_table(path, [*KEYS, "energy", "relative_error"], rows=expected)


def build(weights: Path, models: Path, ground_state: Path, tau: float, out: Path, units: Path, snapshots: Path) -> None:
    """Write the states, units and snapshots of one cell; the last has a header only if no snapshots were kept."""
    trained, exact = read_machines(weights), exact_values(ground_state)
    table = read_models(models, len(trained.final))
    broken = table.status.isin(BROKEN)
    for part in zip(*((machine.visible, machine.hidden, machine.weights) for machine in trained.final), strict=True):
        refuse_absurd(weights, np.array(part), broken)
    state_rows, unit_tables = [], []
    for (_, model), machine in zip(table.iterrows(), trained.final, strict=True):
        keys = {key: model[key] for key in KEYS}
        states, of_units = model_tables(machine, exact, tau)
        sampled = {"sampled_energy": model["energy"], "sampled_error": model["relative_error"]}
        state_rows += [keys | sampled | row for row in states]
        unit_tables += [part.assign(**keys) for part in of_units]
    columns = [*KEYS, "iteration", "sector", "energy", "variance", "exact_energy", "relative_error"]
    history = pd.DataFrame(list(snapshot_rows(trained, table, exact)), columns=None if trained.snapshots else columns)
    every_unit = pd.concat(unit_tables, ignore_index=True)
    every_unit = every_unit[[*KEYS, *(name for name in every_unit.columns if name not in KEYS)]]
    with atomic(out) as first, atomic(units) as second, atomic(snapshots) as third:
        pd.DataFrame(state_rows).to_csv(first, index=False)
        every_unit.to_parquet(second, index=False)
        history.to_csv(third, index=False)
    print(f"{len(table)} models, {len(every_unit)} units, {len(history)} snapshots: {out}")


def _series(name: str, values: np.ndarray) -> dict[str, Any]:
    """Columns name_0, name_1, ... of an array whose first axis is r or m."""
    return {f"{name}_{index}": value for index, value in enumerate(values)}


def stage(job: Job) -> None:
    """Exact energies and correlations of the networks of one cell, whole and with hidden units removed."""
    weights, models, ground_state = (job.file(kind) for kind in ("weights", "models", "ground_state"))
    states, units, snapshots = (job.out(kind) for kind in ("states", "units", "snapshots"))
    build(weights, models, ground_state, job.settings["tau"], states, units, snapshots)
