"""Fig. 7: Markov chains, what their diagnostics see, and sampling without a chain.

series  relaxation   exact relaxation times of Metropolis chains against the number of sites
        balance      detailed balance, and a chi-square test of thinned samples
        diagnostic   split R-hat and autocorrelation time of chains beside the true error of their energy
        error        error of the energy against the number of samples: Metropolis and autoregressive
        direct       the autoregressive network: norm, autocorrelation time, chi-square test
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nqs.ansatz.autoregressive import Autoregressive
from nqs.ansatz.by_evaluation import EvaluatedWave, metropolis
from nqs.exact.matrix_product import sites_of
from nqs.model.moves import flips
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import CRITICAL, GAPPED, ground_state, ising_ring
from nqs.vmc.chain_statistics import autocorrelation_time, split_rhat
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import Problem
from nqs.vmc.transition_matrix import relaxation_time, transition_matrix

Row = dict[str, Any]
CAT = 0.3  # field at which the ground state has two far peaks
MODELS = {"gapped": GAPPED, "critical": CRITICAL, "cat": CAT}
THINNED, SWEEPS_BETWEEN = 4000, 5


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All series; settings: those of the figure, and seed."""
    rng = np.random.default_rng(seed_of("kufel2024", "fig7", settings["seed"]))
    parts = (relaxation(settings), balance(rng), diagnostics(settings, rng), direct(settings, rng))
    return pd.DataFrame([row for part in parts for row in part])


class Listed(EvaluatedWave):
    """A positive state given by its amplitudes on all 2^N states."""

    def __init__(self, psi: np.ndarray) -> None:
        self.psi = psi

    @property
    def n_sites(self) -> int:
        return sites_of(self.psi)

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.log(self.psi[states.astype(np.int64)])
        return found


def state_of(n_sites: int, field: float) -> tuple[Problem, float, np.ndarray]:
    """Problem, energy and positive ground state (2^N,)."""
    problem = Problem.of(ising_ring(n_sites, field))
    energy, psi = ground_state(problem)
    return problem, energy, np.abs(psi)


def relaxation(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Of single-spin flips, in sweeps."""
    for n_sites in settings["sizes"]:
        for model, field in MODELS.items():
            problem, _, psi = state_of(n_sites, field)
            matrix = transition_matrix(psi**2, problem.states, flips(n_sites))
            time = relaxation_time(matrix, psi**2) / n_sites
            yield {"series": "relaxation", "n_sites": n_sites, "model": model, "time": time}


def balance(rng: np.random.Generator) -> Iterator[Row]:
    """Largest breach of detailed balance at six sites, and a test of samples many sweeps apart."""
    problem, _, psi = state_of(6, CRITICAL)
    weights = psi**2
    flow = weights[:, None] * transition_matrix(weights, problem.states, flips(6))
    visited, _ = metropolis(
        Listed(psi).log_psi, 6, rng.choice(problem.states, 400, p=weights), flips(6), SWEEPS_BETWEEN * 10, rng
    )
    thinned = visited[SWEEPS_BETWEEN - 1 :: SWEEPS_BETWEEN].ravel()
    yield {
        "series": "balance", "n_sites": 6, "breach": float(np.abs(flow - flow.T).max()),
        "p_value": chi_square(np.bincount(thinned.astype(int), minlength=64), weights), "samples": len(thinned),
    }  # fmt: skip


def chi_square(counts: np.ndarray, weights: np.ndarray) -> float:
    """p of counts against weights (K,); states expected less than five times are taken together."""
    expected = counts.sum() * weights
    rare = expected < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(expected[~rare], expected[rare].sum())
    used = wanted > 0
    statistic = ((observed[used] - wanted[used]) ** 2 / wanted[used]).sum()
    return float(stats.chi2.sf(statistic, used.sum() - 1))


def diagnostics(settings: Mapping[str, Any], rng: np.random.Generator) -> Iterator[Row]:
    """Chains of several lengths from random states: what the diagnostics say, and how wrong the magnetisation is.

    The observable is |m| of the chain, whose exact mean is known; nominal errors take all samples as independent.
    """
    n_sites = settings["n_sites"]
    for model, field in MODELS.items():
        _, _, psi = state_of(n_sites, field)
        wave, magnetisation = Listed(psi), magnetisation_of(n_sites)
        exact = float(psi**2 @ magnetisation)
        for length in settings["lengths"]:
            for _ in range(settings["repeats"]):
                start = rng.integers(1 << n_sites, size=settings["chains"], dtype=np.uint64)
                visited, _ = metropolis(wave.log_psi, n_sites, start, flips(n_sites), length, rng)
                values = magnetisation[visited.astype(int)]
                nominal = values.std(ddof=1) / np.sqrt(values.size)
                yield {
                    "series": "diagnostic", "n_sites": n_sites, "model": model, "length": length,
                    "rhat": split_rhat(values), "time": autocorrelation_time(values),
                    "deviation": abs(values.mean() - exact) / nominal if nominal else np.inf,
                }  # fmt: skip


def magnetisation_of(n_sites: int) -> np.ndarray:
    """Magnetisation per site of all states, signed: (2^N,)."""
    return 2 * np.bitwise_count(np.arange(1 << n_sites)).astype(int) / n_sites - 1


def direct(settings: Mapping[str, Any], rng: np.random.Generator) -> Iterator[Row]:
    """An autoregressive network trained on the critical ring, sampled spin by spin and by a chain."""
    n_sites = settings["n_sites"]
    problem, lowest, _ = state_of(n_sites, CRITICAL)
    network = Autoregressive(n_sites, settings["hidden"])
    found = minimise(problem, network, network.initial(rng), sr(0.1, 1e-3), settings["iterations"])
    wave = network.at(found.theta)
    psi = np.exp(wave.log_psi(problem.states).real)
    local = (problem.h @ psi) / psi
    exact = float(psi**2 @ local)
    drawn = wave.sample(20_000, rng).astype(int)
    yield {
        "series": "direct", "n_sites": n_sites, "norm": float(psi @ psi), "relative_error": (exact - lowest) / -lowest,
        "time": autocorrelation_time(local[drawn][:, None]), "samples": len(drawn),
        "p_value": chi_square(np.bincount(drawn, minlength=len(psi)), psi**2),
    }  # fmt: skip
    for size in settings["lengths"]:
        direct_error, chain_error = [], []
        for _ in range(settings["repeats"]):
            direct_error.append(local[wave.sample(size, rng).astype(int)].mean() - exact)
            start = rng.choice(problem.states, 1, p=psi**2 / (psi @ psi))
            visited, _ = metropolis(Listed(psi).log_psi, n_sites, start, flips(n_sites), size, rng)
            chain_error.append(local[visited.astype(int)].mean() - exact)
        for method, errors in (("autoregressive", direct_error), ("metropolis", chain_error)):
            squares = np.square(errors)
            yield {
                "series": "error", "method": method, "n_sites": n_sites, "samples": size,
                "error": float(np.sqrt(squares.mean())), "repeats": len(errors),
                "error_error": float(squares.std(ddof=1) / np.sqrt(len(errors)) / (2 * np.sqrt(squares.mean()))),
            }  # fmt: skip
