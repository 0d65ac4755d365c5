"""Stage `reconfiguration`: variational ground states by stochastic reconfiguration, all repeats of one cell.

settings   the cell (cells.reconfiguration_settings)
makes      weights.safetensors   theta (repeat, P): parameters of ln|psi|, then of the phase, at the end
           table.csv             one row per repeat: how it ended, its energy and its overlap with the ground state
           trace.parquet         one row per repeat and iteration; overlap now and then, else NaN

psi = exp(a + i phi) with one dense network for each of a and phi [Westerhout 2020, Fig. 2]. Every iteration draws from
|psi|^2 over the Sz = 0 states, where these are many from tables of `nqs.vmc.reused_draws`. The exact ground state
serves for the overlap |<psi_exact|psi>| alone. Energies are in S.S units, and so is the learning rate: a step of 2e-2
is imaginary time 0.04, which stays below 2 over the width of the spectrum, where explicit steps begin to grow; the same
number in Pauli units would not on 24 sites. A run that breaks ends alone and stays in the table; `cap` is the status of
one that did all its iterations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.amplitude_phase import AmplitudePhase
from nqs.ansatz.dense import DenseAnsatz
from nqs.ansatz.protocol import Ansatz
from nqs.exact.eigenstate import Wavefunction
from nqs.model.hamiltonians import j1j2
from nqs.runtime.checkpoints import Checkpoints
from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.vmc.convergence import BROKEN, EnergyCriterion, settled, v_score
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.keys import SIGNS_FIRST
from nqs.vmc.loop import Run, Task
from nqs.vmc.optimisers import Sgd
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.reused_draws import ReusedDraws
from nqs.vmc.runs import repeat_seeds, trace_table, train_all
from nqs.vmc.sampler import Exact
from nqs.vmc.signs_first import SignsFirst

STAGE = "reconfiguration"
OVERLAP_EVERY, SELDOM = 25, 250  # iterations; seldom on long tables
LONG_TABLE = 200_000  # states


def task_of(settings: Mapping[str, Any], ground_state: Wavefunction) -> Task:
    """The cell's Hamiltonian, networks, sampler and optimiser; InputError if the network is not a dense one."""
    network, block = settings["network"], settings["reconfiguration"]
    if network["architecture"] != "dense":
        raise InputError(
            f"network {settings['key']['network']}: {network['architecture']} cannot be used here; take dense"
        )
    dense = DenseAnsatz(ground_state.n_sites, tuple(network["hidden"]))
    return Task(
        hamiltonian=j1j2(ground_state.n_sites, ground_state.bonds, ground_state.j2),
        ansatz=AmplitudePhase(dense, dense),
        sampler=sampler_of(dense, block["samples"]),
        estimates=SectorEstimates(ground_state.n_sites),
        **descent(settings["key"]["method"], block),
        max_iterations=block["iterations"],
        criterion=EnergyCriterion(ground_state.energy),
        snapshots=range(0, block["iterations"] + 1, SELDOM if is_long(dense.n_sites) else OVERLAP_EVERY),
    )


def sampler_of(dense: DenseAnsatz, samples: int) -> Exact | ReusedDraws:
    """Exact draws; from tables that serve several iterations where they are long."""
    if is_long(dense.n_sites):
        return ReusedDraws(dense, samples)
    return Exact(dense.n_sites, samples, zero_magnetisation=True)


def is_long(n_sites: int) -> bool:
    """Whether to evaluate all Sz = 0 states takes most of an iteration."""
    return comb(n_sites, n_sites // 2) > LONG_TABLE


def descent(method: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Preconditioner and optimiser of a method; that of signs first has its rates in the preconditioner."""
    if method == SIGNS_FIRST:
        return {"preconditioner": SignsFirst.of(block), "optimiser": Sgd(1.0)}
    return {"preconditioner": StochasticReconfiguration(block["shift"]), "optimiser": Sgd(block["learning_rate"])}


def run(
    settings: Mapping[str, Any], ground_state: Path, out: Path, table: Path, trace: Path,
    checkpoints: Path | None = None, threads: int = 1, code: str = "", save_every: float = 20.0,
) -> None:  # fmt: skip
    """Optimise all repeats, write the three files; `code` (a hash) keeps checkpoints of other code from being used.

    threads: repeats side by side.
    """
    wavefunction = Wavefunction.read(ground_state)
    task = task_of(settings, wavefunction)
    files = Checkpoints(checkpoints, json.dumps([settings, code], sort_keys=True), save_every)
    block = settings["reconfiguration"]
    seeds = repeat_seeds(STAGE, settings, block["repeats"])
    runs = train_all([task] * len(seeds), seeds, files, threads, STAGE, "model")
    overlaps = overlaps_of(runs, task.ansatz, wavefunction)
    rows = result_table(settings, wavefunction.energy, wavefunction.n_sites, seeds, runs, overlaps)
    with atomic(out) as temporary:
        theta = np.stack([run.theta for run in runs])
        save_file({"theta": theta}, temporary, {"settings": json.dumps(settings, sort_keys=True)})
    with atomic(trace) as temporary:
        overlap_trace(runs, overlaps, block["samples"]).to_parquet(temporary, index=False)
    with atomic(table) as temporary:
        rows.to_csv(temporary, index=False)
    files.clear()
    print(rows.drop(columns=["study", "cluster", "j2", "network", "method"]).to_string(index=False))


def overlaps_of(runs: Sequence[Run], ansatz: Ansatz, exact: Wavefunction) -> list[dict[int, float]]:
    """Overlaps of every run at its kept iterations and at its end: iteration -> |<psi_exact|psi>|."""
    kept = [run.snapshots | {run.iteration: run.theta} for run in runs]
    progress = Progress("overlaps", len(runs), max(map(len, kept)))
    states, psi = exact.expand()
    overlaps: list[dict[int, float]] = [{} for _ in runs]
    for repeat, thetas in enumerate(kept):
        for iteration, theta in sorted(thetas.items()):
            overlaps[repeat][iteration] = overlap(ansatz.at(theta).log_psi(states), psi)
            progress.update(repeat, len(overlaps[repeat]))
        progress.done(repeat)
    return overlaps


def overlap(log_psi: np.ndarray, exact: np.ndarray) -> float:
    """|<exact|psi>| over the norms, from ln psi (K,) complex and the real amplitudes of a state (K,)."""
    psi = np.exp(log_psi - log_psi.real.max())
    return float(abs(exact @ psi) / (np.linalg.norm(exact) * np.linalg.norm(psi)))


def result_table(
    settings: Mapping[str, Any], exact_energy: float, n_sites: int, seeds: Sequence[int], runs: Sequence[Run],
    overlaps: Sequence[Mapping[int, float]],
) -> pd.DataFrame:  # fmt: skip
    """One row per repeat; energies are means over the last `average_over` iterations, NaN for a run without any.

    A run that broke before its first step counted has neither energy nor overlap.
    """
    window = settings["reconfiguration"]["average_over"]
    rows = []
    for repeat, (seed, run, found) in enumerate(zip(seeds, runs, overlaps, strict=True)):
        energies, variances = run.column("energy"), run.column("variance")
        learnt = learnt_anything(run)
        overlap = found[run.iteration] if learnt else np.nan
        energy = float(energies[-window:].mean()) if learnt and len(energies) else np.nan
        rows.append(
            dict(settings["key"])
            | {"repeat": repeat, "seed": seed, "status": run.status, "message": run.message,
               "iterations": run.iteration, "energy_ss": energy,
               "energy_error": (energy - exact_energy) / abs(exact_energy), "overlap_full": overlap,
               "v_score": v_score(energies, variances, window, n_sites) if learnt and len(energies) else np.nan,
               "settled": settled(energies, variances, window, n_sites),
               "cpu_s": round(run.cpu_s, 3), "wall_s": round(run.wall_s, 3), "device": "cpu"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def learnt_anything(run: Run) -> bool:
    """False for a run that broke and was left with its initial parameters."""
    first = run.snapshots.get(0)
    return run.status not in BROKEN or not (first is None or np.array_equal(first, run.theta))


def overlap_trace(runs: Sequence[Run], overlaps: Sequence[Mapping[int, float]], samples: int) -> pd.DataFrame:
    """One row per repeat and iteration: energy and its standard error (S.S), variance, overlap."""
    table = trace_table(runs, "repeat")
    places = zip(table["repeat"], table["iteration"], strict=True)
    return table[["repeat", "iteration", "energy"]].assign(
        energy_error_bar=np.sqrt(table.variance / samples),
        variance=table.variance,
        n_distinct=table.n_distinct,
        overlap=[overlaps[repeat].get(iteration, np.nan) for repeat, iteration in places],
    )


def stage(job: Job) -> None:
    """Find variational ground states of one cell by stochastic reconfiguration."""
    run(
        job.settings, job.file("ground_state"), job.out("weights"), job.out("table"), job.out("trace"),
        checkpoints=job.checkpoints, threads=job.threads, code=job.code, save_every=job.save_every,
    )  # fmt: skip
