"""Stage `reconfiguration`: variational ground states by stochastic reconfiguration, all repeats of one cell.

settings   the cell (cells.reconfiguration_settings)
makes      weights.safetensors   theta (repeat, P): parameters of ln|psi|, then of the phase, at the end
           table.csv             one row per repeat: how it ended, its energy and its overlap with the ground state
           trace.parquet         one row per repeat and iteration; overlap every OVERLAP_EVERY iterations, else NaN

psi = exp(a + i phi) with one dense network for each of a and phi [Westerhout 2020, Fig. 2]. Every iteration draws from
|psi|^2 over the Sz = 0 states. The exact ground state serves for the overlap |<psi_exact|psi>| alone. Energies are in
S.S units, and so is the learning rate: a step of 2e-2 is imaginary time 0.04, which stays below 2 over the width of the
spectrum, where explicit steps begin to grow; the same number in Pauli units would not on 24 sites. A run that breaks
ends alone and stays in the table; `cap` is the status of one that did all its iterations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from nqs.runtime.errors import InputError
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.progress import Progress
from nqs.runtime.seeds import seed_of
from nqs.vmc.loop import TRACE_COLUMNS, Course, Problem
from nqs.vmc.optimisers import Sgd
from nqs.vmc.runs import Checkpoints, train_all
from nqs.vmc.sampler import Exact

STAGE = "reconfiguration"
OVERLAP_EVERY = 25


def problem_of(settings: Mapping[str, Any], ground_state: Wavefunction) -> Problem:
    """The cell's Hamiltonian, networks, sampler and optimiser; InputError if the network is not a dense one."""
    network, block = settings["network"], settings["reconfiguration"]
    if network["architecture"] != "dense":
        raise InputError(
            f"network {settings['key']['network']}: {network['architecture']} cannot be used here; take dense"
        )
    dense = DenseAnsatz(ground_state.n_sites, tuple(network["hidden"]))
    return Problem(
        hamiltonian=j1j2(ground_state.n_sites, ground_state.bonds, ground_state.j2),
        ansatz=AmplitudePhase(dense, dense),
        sampler=Exact(ground_state.n_sites, block["samples"], zero_magnetisation=True),
        optimiser=Sgd(block["learning_rate"]),
        shift=block["shift"],
        exact_energy=ground_state.energy,
        tolerance=None,
        max_iterations=block["iterations"],
        snapshots=range(0, block["iterations"] + 1, OVERLAP_EVERY),
    )


def run(
    settings: Mapping[str, Any], ground_state: Path, out: Path, table: Path, trace: Path,
    checkpoints: Path | None = None, threads: int = 1, code: str = "", save_every: float = 20.0,
) -> None:  # fmt: skip
    """Optimise all repeats, write the three files; `code` (a hash) keeps checkpoints of other code from being used.

    threads: repeats side by side.
    """
    wavefunction = Wavefunction.read(ground_state)
    problem = problem_of(settings, wavefunction)
    files = Checkpoints(checkpoints, json.dumps([settings, code], sort_keys=True), save_every)
    block = settings["reconfiguration"]
    courses = train_all({**settings, "repeats": block["repeats"]}, problem, files, threads, STAGE)
    overlaps = overlaps_of(courses, problem.ansatz, wavefunction)
    rows = result_table(settings, problem, courses, overlaps)
    with atomic(out) as temporary:
        theta = np.stack([course.theta for course in courses])
        save_file({"theta": theta}, temporary, {"settings": json.dumps(settings, sort_keys=True)})
    with atomic(trace) as temporary:
        trace_table(courses, overlaps, block["samples"]).to_parquet(temporary, index=False)
    with atomic(table) as temporary:
        rows.to_csv(temporary, index=False)
    files.clear()
    print(rows.drop(columns=["study", "cluster", "j2", "network"]).to_string(index=False))


def overlaps_of(courses: Sequence[Course], ansatz: Ansatz, exact: Wavefunction) -> list[dict[int, float]]:
    """Overlaps of every run at its kept iterations and at its end: iteration -> |<psi_exact|psi>|."""
    kept = [course.snapshots | {course.iteration: course.theta} for course in courses]
    progress = Progress("overlaps", len(courses), max(map(len, kept)))
    states, psi = exact.expand()
    overlaps: list[dict[int, float]] = [{} for _ in courses]
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


def settled(energies: np.ndarray, window: int) -> bool:
    """True if the means of the last `window` energies and of those before differ by less than two standard errors."""
    if len(energies) < 2 * window:
        return False
    before, last = energies[-2 * window : -window], energies[-window:]
    error = np.sqrt((before.var() + last.var()) / window)
    return bool(abs(last.mean() - before.mean()) <= 2 * error)


def result_table(
    settings: Mapping[str, Any], problem: Problem, courses: Sequence[Course], overlaps: Sequence[Mapping[int, float]]
) -> pd.DataFrame:
    """One row per repeat; energies are means over the last `average_over` iterations, NaN for a run without any."""
    key, window = settings["key"], settings["reconfiguration"]["average_over"]
    rows = []
    for repeat, (course, found) in enumerate(zip(courses, overlaps, strict=True)):
        energies = np.array([row[0] for row in course.trace])
        energy = float(energies[-window:].mean()) if len(energies) else np.nan
        rows.append(
            dict(key)
            | {
                "repeat": repeat,
                "seed": seed_of(STAGE, key, repeat, settings["seed"]),
                "status": course.status,
                "message": course.message,
                "iterations": course.iteration,
                problem.hamiltonian.energy_column: energy,
                "energy_error": (energy - problem.exact_energy) / abs(problem.exact_energy),
                "overlap_full": found[course.iteration],
                "settled": settled(energies, window),
                "cpu_s": round(course.cpu_s, 3),
                "wall_s": round(course.wall_s, 3),
                "device": "cpu",
            }
        )
    return pd.DataFrame(rows)


def trace_table(courses: Sequence[Course], overlaps: Sequence[Mapping[int, float]], samples: int) -> pd.DataFrame:
    """One row per repeat and iteration: energy and its standard error (S.S), variance, overlap."""
    parts = []
    for repeat, (course, found) in enumerate(zip(courses, overlaps, strict=True)):
        rows = pd.DataFrame([row[: len(TRACE_COLUMNS)] for row in course.trace], columns=list(TRACE_COLUMNS))
        parts.append(
            pd.DataFrame(
                {
                    "repeat": np.int32(repeat),
                    "iteration": np.arange(len(rows), dtype=np.int32),
                    "energy": rows.energy,
                    "energy_error_bar": np.sqrt(rows.variance / samples),
                    "variance": rows.variance,
                    "n_distinct": rows.n_distinct,
                    "overlap": [found.get(iteration, np.nan) for iteration in range(len(rows))],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def stage(job: Job) -> None:
    """Find variational ground states of one cell by stochastic reconfiguration."""
    run(
        job.settings, job.file("ground_state"), job.out("weights"), job.out("table"), job.out("trace"),
        checkpoints=job.checkpoints, threads=job.threads, code=job.code, save_every=job.save_every,
    )  # fmt: skip
