"""What a table of runs says about each run of energy descent: its setting, how it ended, and its final energy.

The final energy is measured on a fresh sample at the final parameters, and, where that is cheap, summed exactly: over
all states of a short ring, by the transfer matrix for narrow windows of a long one. Totals of H = sum P.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.ring_protocol import RingAnsatz, RingWave
from nqs.ansatz.window_table import MotifTable
from nqs.exact import transfer_matrix
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.runtime.seeds import seed_of
from nqs.vmc.convergence import convergence
from nqs.vmc.estimates import energy_of, is_constant
from nqs.vmc.keys import MotifKey
from nqs.vmc.loop import Run, Task
from nqs.vmc.ring_sampler import RingSampler

WINDOWS = (5, 10)  # of T_cv, which the paper defines without one
SUMMED_SITES = 16  # longest ring whose states are all summed over
TRANSFER_WIDTH = 8  # widest window whose energy is summed by the transfer matrix: 2 s at N = 240

IMPOSSIBLE = 5  # standard errors below the ground state that chance does not explain


@dataclass(frozen=True)
class Setting:
    """Settings of the optimiser."""

    learning_rate: float
    steps: int


@dataclass(frozen=True, eq=False)
class Trial:
    """What one run of a cell is to do."""

    setting: Setting
    seed: int
    task: Task


def runs_table(
    settings: Mapping[str, Any], cell: Sequence[Trial], runs: Sequence[Run], device: str = "cpu"
) -> pd.DataFrame:
    """One row per run; device: where they trained. Final energies are always measured on the CPU."""
    key = MotifKey(**settings["key"])
    layers, filters = key.depth
    ground, triplet = ring_energies(key.n_sites)
    rows = []
    for number, (one, run) in enumerate(zip(cell, runs, strict=True)):
        ansatz = one.task.ansatz
        measured = evaluated(ansatz, run.theta, evaluation(settings, one))
        rows.append(
            {"study": key.study, "n_sites": key.n_sites, "width": key.width, "network": key.network,
             "run_kind": key.run, "run": number, "seed": one.seed, **vars(one.setting), "layers": layers,
             "filters": filters, "n_parameters": ansatz.n_parameters, "status": run.status,
             "message": run.message, "iterations": run.iteration, "updates": run.updates}
            | measured
            | unsampled(measured["energy"], measured["energy_error"], ground, key.n_sites)
            | {"exact_energy": exact_energy(ansatz, run.theta), "ground_energy": ground, "triplet_energy": triplet}
            | converged(run)
            | {"samples": settings["sampler"]["samples"], "chains": settings["sampler"]["chains"],
               "cpu_s": round(run.cpu_s, 3), "device": device}
        )  # fmt: skip
    return pd.DataFrame(rows)


def ring_energies(n_sites: int) -> tuple[float, float]:
    """Exact energies of the ground state and the lowest triplet."""
    bethe = heisenberg_energies(n_sites)
    ground, triplet = (permutation_energy(energy, n_sites) for energy in (bethe.ground, bethe.triplet))
    return ground, triplet


def evaluation(settings: Mapping[str, Any], one: Trial) -> tuple[RingSampler, np.random.Generator]:
    """How the fresh sample of a run is drawn."""
    seed = seed_of("motif_vmc evaluation", one.seed, *vars(one.setting).values())
    return RingSampler(one.task.ansatz.n_sites, **settings["evaluation"]), np.random.default_rng(seed)


def evaluated(
    ansatz: RingAnsatz, theta: np.ndarray, sampling: tuple[RingSampler, np.random.Generator]
) -> dict[str, Any]:
    """Energy and whether psi is constant, on a fresh sample."""
    sampler, rng = sampling
    wave = ansatz.at(theta)
    sample = sampler.draw(wave, sampler.start(rng, wave), rng)
    energy, error, variance, time_between = energy_of(sample.along_chains(wave.ring_energies(sample.states)))
    why = ansatz.why_constant(theta) if hasattr(ansatz, "why_constant") else ""
    return {
        "stuck": is_constant(wave, sample.states), "why_constant": why, "energy": energy, "energy_error": error,
        "variance": variance, "acceptance": sample.acceptance, "autocorrelation_time": time_between,
        "grand_sum": ansatz.grand_sum(theta),
    }  # fmt: skip


def unsampled(energy: float, error: float, ground: float, n_sites: int) -> dict[str, str]:
    """Status and message of a run with an energy that no state has: below the ground state, or above N.

    Its psi is so uneven that the chains stay where they began, beside states of much larger weight. Errors of such a
    sample are no measure of it, so five of them are allowed below the ground state, but nothing below -N.
    """
    if np.isnan(energy) or max(ground - IMPOSSIBLE * error, -n_sites) <= energy <= n_sites:
        return {}
    return {"status": "diverged", "message": f"energy {energy:.6g}, which no state has: the chains do not sample psi"}


def exact_energy(ansatz: RingAnsatz, theta: np.ndarray) -> float:
    """Total <H> without sampling; NaN where that would take long or leaves the floating-point numbers."""
    wave = ansatz.at(theta)
    if ansatz.n_sites <= SUMMED_SITES:
        return summed_energy(wave)
    if not isinstance(wave, MotifTable) or not 2 <= wave.width <= TRANSFER_WIDTH or 2 * wave.width > wave.n_sites:
        return float("nan")
    try:
        return transfer_matrix.measure(wave.n_sites, wave.motifs).energy
    except transfer_matrix.OutOfRange:
        return float("nan")


def summed_energy(wave: RingWave) -> float:
    """<H> summed over all states of zero magnetisation."""
    states = _all_states(wave.n_sites)
    logs = wave.log_psi(states)
    weights = np.exp(2 * (logs - logs.max()))
    return float(weights @ wave.ring_energies(states) / weights.sum())


@lru_cache(maxsize=1)
def _all_states(n_sites: int) -> np.ndarray:
    return zero_magnetisation_states(n_sites)[:, None]


def converged(run: Run) -> dict[str, Any]:
    """T_cv, whether its rule was met, and the noise it was read at, for each window; NaN where a run ended too soon."""
    return dict(chain.from_iterable(_converged(run, window) for window in WINDOWS))


def _converged(run: Run, window: int) -> Iterator[tuple[str, Any]]:
    try:
        found = convergence(run.column("energy"), run.column("energy_error"), window)
        values: tuple[Any, ...] = (found.iteration, found.reached, found.noise)
    except InputError:
        values = (float("nan"), False, float("nan"))
    yield from zip((f"t_cv_{window}", f"reached_{window}", f"noise_{window}"), values, strict=True)
