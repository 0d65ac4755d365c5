"""Stage `sampled_ablation`: what removing a hidden unit changes, as Markov chains see it.

Mummaneni and Sajjan (2026) say that energies and correlations come from 4096 samples of 16 chains with 5 discarded
sweeps, not that they are exact sums. Chains of single flips hardly move between the regions of |psi|^2 of a machine
without one of its units, so where they start matters. Two ways, the "sectors" of the tables:

    fresh      every machine, whole or cut, gets new chains at random states, as a new variational state would
    continued  chains of the whole machine after `warm` draws; every cut machine goes on from where they are

Impacts are those of `nqs.analysis.rbm_observables`, with sampled numbers in the place of sums. They are never zero:
noise of the energy and of each C(r) adds to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.rbm_ablation import Machine, amplitudes
from nqs.analysis.rbm_observables import KEYS, correlation_impact, important, read_machines, read_models
from nqs.ansatz.rbm import RbmWave
from nqs.exact.ring_sums import ALL, Sums, measure, ring
from nqs.model.hamiltonians import Hamiltonian, heisenberg
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.vmc.local_energy import local_energies
from nqs.vmc.sampler import Chains

FRESH, CONTINUED = "fresh", "continued"


@dataclass(frozen=True, eq=False)
class Meter:
    """Sampled energy and correlations of machines on one ring."""

    hamiltonian: Hamiltonian
    sampler: Chains

    @classmethod
    def of(cls, n_sites: int, samples: int, chains: int, discard: int, sweeps: int) -> Meter:
        """For the Heisenberg ring in the rotated basis, by single flips."""
        sites = np.arange(n_sites)
        bonds = np.stack([sites, (sites + 1) % n_sites], axis=1)
        return cls(heisenberg(n_sites, bonds, marshall=True), Chains(n_sites, samples, chains, discard, sweeps))

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """Chains at random states."""
        return self.sampler.start(rng)

    def read(self, machine: Machine, chains: np.ndarray, rng: np.random.Generator) -> Sums:
        """Energy and C_zz(r), r = 0..N/2, from one draw; the chains move on."""
        wave = RbmWave(machine.visible, machine.hidden, np.ascontiguousarray(machine.weights.T))
        sample = self.sampler.draw(wave, chains, rng)
        energy = float(sample.weights @ local_energies(self.hamiltonian, wave, sample.states))
        return Sums(energy, correlations(wave.spins(sample.states), sample.weights))


def correlations(spins: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """C_zz(r), r = 0..N/2, averaged over the ring: spins +-1 (U, N), weights (U,) that add up to 1."""
    n_sites = spins.shape[1]
    distances = range(n_sites // 2 + 1)
    return np.array([weights @ (spins * np.roll(spins, -r, axis=1)).mean(axis=1) for r in distances]) / 4


def without(machine: Machine, unit: int) -> Machine:
    """The machine with one unit removed."""
    return machine.only(np.arange(machine.n_units) != unit)


Read = Callable[[Machine, str], Sums]  # of a machine that is called so


def reader(meter: Meter, whole: Machine, start: str, warm: int, seed: Callable[..., int]) -> Read:
    """How machines cut from a whole one are read; seed: a seed from words, so that no number hangs on an order."""
    if start == FRESH:

        def fresh(machine: Machine, name: str) -> Sums:
            rng = np.random.default_rng(seed(start, name))
            return meter.read(machine, meter.start(rng), rng)

        return fresh
    rng = np.random.default_rng(seed(start, "warm"))
    chains = meter.start(rng)
    for _ in range(warm):
        meter.read(whole, chains, rng)

    def continued(machine: Machine, name: str) -> Sums:
        return meter.read(machine, chains.copy(), np.random.default_rng(seed(start, name)))

    return continued


def unit_rows(machine: Machine, read: Read, whole: Sums) -> pd.DataFrame:
    """One row per hidden unit: what its removal changes."""
    removed = [read(without(machine, unit), f"without {unit}") for unit in range(machine.n_units)]
    change = np.array([one.energy for one in removed]) - whole.energy
    moved = np.array([one.czz for one in removed]) - whole.czz
    return pd.DataFrame({
        "unit": np.arange(machine.n_units),
        "delta_energy": change,
        "energy_impact": np.abs(change) / abs(whole.energy),
        "correlation_impact": correlation_impact(moved, whole.czz, 1),
        "correlation_impact_r0": correlation_impact(moved, whole.czz, 0),
    })  # fmt: skip


def group_row(machine: Machine, read: Read, chosen: np.ndarray) -> dict[str, float]:
    """Energy with only the important and only the other units kept, NaN for an empty group, and with none (exact)."""
    size, none = ring(len(machine.visible)), machine.only(np.array([], dtype=np.int64))
    row = {"energy_none": measure(size, ALL, amplitudes(size, ALL, none)).energy, "n_important": int(chosen.sum())}
    for name, group in (("important", chosen), ("unimportant", ~chosen)):
        row[f"energy_{name}"] = read(machine.only(group), name).energy if group.any() else np.nan
    return row


def model_rows(
    machine: Machine, meter: Meter, settings: Mapping[str, Any], seed: Callable[..., int]
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Row of the table of states and table of units of one machine, fresh and continued."""
    for start in (FRESH, CONTINUED):
        read = reader(meter, machine, start, settings["warm"], seed)
        whole = read(machine, "whole")
        units = unit_rows(machine, read, whole)
        chosen = important(units.energy_impact.to_numpy(), units.correlation_impact.to_numpy(), settings["tau"])
        row = {"sector": start, "energy": whole.energy, "tau": settings["tau"]} | group_row(machine, read, chosen)
        yield row | {f"czz_{r}": value for r, value in enumerate(whole.czz)}, units.assign(sector=start)


def build(weights: Path, models: Path, settings: Mapping[str, Any], out: Path, units: Path) -> None:
    """Write the states and units of one cell; a model that is not finite has a row without numbers and no units."""
    trained = read_machines(weights).final
    table = read_models(models, len(trained))
    meter = Meter.of(len(trained[0].visible), **settings["sampler"])
    progress = Progress("sampled-ablation", len(trained), 1)
    state_rows: list[dict[str, Any]] = []
    unit_tables = [pd.DataFrame(columns=[*KEYS, "sector", "unit"])]
    for number, ((_, model), machine) in enumerate(zip(table.iterrows(), trained, strict=True)):
        keys = {key: model[key] for key in KEYS}

        def seed(*words: str, repeat: int = int(model["repeat"])) -> int:
            return seed_of("sampled_ablation", settings["key"], repeat, settings["seed"], *words)

        if np.isfinite(machine.weights).all():
            for row, of_units in model_rows(machine, meter, settings, seed):
                state_rows.append(keys | row)
                unit_tables.append(of_units.assign(**keys))
        else:
            state_rows += [keys | {"sector": start, "energy": np.nan} for start in (FRESH, CONTINUED)]
        progress.update(number, 1)
        progress.done(number)
    every_unit = pd.concat([one for one in unit_tables if len(one)] or unit_tables, ignore_index=True)
    with atomic(out) as first, atomic(units) as second:
        pd.DataFrame(state_rows).to_csv(first, index=False)
        every_unit[[*KEYS, *(name for name in every_unit.columns if name not in KEYS)]].to_parquet(second, index=False)
    print(f"{len(table)} models, {len(every_unit)} units: {out}")


def stage(job: Job) -> None:
    """Sampled energies and correlations of the networks of one cell with hidden units removed."""
    build(job.file("weights"), job.file("models"), job.settings, job.out("states"), job.out("units"))
