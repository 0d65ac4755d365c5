"""Regressions of Ju et al. (2025): motif expectation values on two features (Table II), and the multipliers of the
network on those of the correlator product state (Table S1). Ordinary least squares by statsmodels.

Table II. The response is the raw expected count of each motif, so a source's responses add up to its N; columns
`scaled` are multiplied by 60/N, which changes neither R^2 nor p, to stand beside the print. Errors and p-values are
those of independent equal errors, as printed; p_robust (HC3) allows unequal ones. No source has a statistical error:
each is an exact expectation value, and "error" only says how much the two features leave open. The printed error says
the same of the same motifs, so it does not measure how far a source may lie from the print. `difference`, scaled less
printed, stands beside the precision of the print and, for the mean over networks, the scatter over seeds (seed_error).

Table S1. Multipliers of motifs are not unique: what the identities of counts fix may be added. Three regressions, each
with its gauge stated: of the class means as they come; of the class means of both states in the gauge of
`motif_maxent.canonical`; and of ln psi over all states, which has no gauge. Class means at K = 3 have no freedom but
the norm, so lambda_CNN = lambda_CPS + (ln psi_CNN - ln psi_CPS) / N where both reach the same state: slope 1 and that
intercept are `predicted`. The states of a class share what the features leave open, so the errors of the third are
clustered by classes of states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from nqs.analysis.facts import read_facts
from nqs.analysis.table_files import read
from nqs.ansatz.maximum_entropy import canonical
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_table import MotifTable
from nqs.exact.bethe import heisenberg_energies, permutation_energy
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import design_matrix, motif_classes, motif_counts, row_space, state_classes
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.runtime.job import Files
from nqs.runtime.tensors import read_tensors, refuse_absurd
from nqs.studies.ju2025.files import Optima, optima_of, ring_ground_state
from nqs.vmc.keys import FINAL

PUBLISHED = Path("reference/ju2025/published.yaml")  # from the project's folder
COLUMNS = (
    "source", "n_sites", "width", "network", "run", "best", "n_runs", "n_stuck", "term", "coefficient",
    "standard_error", "seed_error", "p_value", "p_robust", "scaled", "scaled_error", "scaled_seed_error", "published",
    "published_error", "difference", "print_precision", "r_squared", "observations", "condition_number", "energy",
    "delta_energy", "percent_of_gap", "percent_of_ground",
)  # fmt: skip
LINE_COLUMNS = (
    "n_sites", "width", "minimum", "values", "slope", "slope_error", "intercept", "intercept_error", "r_squared",
    "points", "clusters", "predicted_slope", "predicted_intercept", "published_slope", "published_error",
    "published_r2", "class_columns", "class_rank", "class_gauge", "motif_columns", "motif_rank", "motif_gauge",
    "cps_delta_energy", "cnn_delta_energy",
)  # fmt: skip
TERMS = ("intercept", "d_neel", "n_like", "interaction")
STATES_AT_ONCE = 1 << 16
PRINT_PRECISION = 0.005  # of a coefficient: Table II has two decimals
CLASS_MEANS, ONE_GAUGE, LOG_PSI = "class means", "class means, one gauge", "ln psi"


@dataclass(frozen=True, eq=False)
class Fit:
    """Ordinary least squares: coefficients, standard errors, p-values and robust ones (terms,), and the whole fit."""

    coefficients: np.ndarray
    errors: np.ndarray
    p_values: np.ndarray
    p_robust: np.ndarray
    r_squared: float
    observations: int
    condition_number: float


def least_squares(design: np.ndarray, response: np.ndarray, clusters: np.ndarray | None = None) -> Fit:
    """Regression of a response (n,) on the columns of a design matrix (n, terms).

    clusters (n,): labels of observations that are not independent; errors and both p-values are then those of clusters.
    """
    fit = OLS(response, design).fit()
    numbers = float(fit.rsquared), int(fit.nobs), float(np.linalg.cond(design))
    if clusters is not None:
        clustered = fit.get_robustcov_results("cluster", groups=clusters)
        return Fit(fit.params, clustered.bse, clustered.pvalues, clustered.pvalues, *numbers)
    robust = fit.get_robustcov_results("HC3").pvalues if len(response) > design.shape[1] + 1 else fit.pvalues * np.nan
    return Fit(fit.params, fit.bse, fit.pvalues, np.asarray(robust), *numbers)


# ---- Table II


@dataclass(frozen=True, eq=False)
class Source:
    """Where motif expectation values (2^K,) come from, with the energy of sum P.

    spread (terms,): standard error over seeds of each coefficient, of the mean of several networks.
    """

    source: str
    n_sites: int
    expectations: np.ndarray
    energy: float
    network: str = ""
    run: int | None = None
    best: bool = False
    n_runs: int | None = None
    n_stuck: int | None = None
    spread: np.ndarray | None = None


def table2(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Motif expectation values on d_Neel, n_like and their product, one row per source and term.

    files: ground_states, optima, optima_arrays, runs, weights;  settings: width, size, exact_sizes. Energies are totals
    of sum P. Means over networks are "network mean" of all runs and, if some have constant psi, "network mean, moving"
    of the others. InputError names what is missing.
    """
    facts = read_facts(_published(files))
    width, size = int(settings["width"]), int(settings["size"])
    shared = facts["table2_setting"]["value"]
    compared = facts if width == shared["width"] else {}
    rows = list(_published_rows(facts)) if compared else []
    for source in _sources(files, width, size, settings["exact_sizes"]):
        rows += _rows(source, width, shared["size"], compared)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _sources(files: Files, width: int, size: int, exact_sizes: Sequence[int]) -> Iterator[Source]:
    for n_sites in exact_sizes:
        state = ring_ground_state(files, n_sites)
        energy = permutation_energy(state.energy, n_sites)
        yield Source("exact", n_sites, ground_state_expectations(state, width), energy)
    optima = optima_of(files, size, width)
    for family in ("cps", "cnn"):
        energy = measure(size, optima.arrays[f"{family}_coefficients"]).energy
        yield Source(f"{family} optimum", size, optima.arrays[f"{family}_expectations"], energy)
    yield from _trained(files, width, size)


def ground_state_expectations(state: Wavefunction, width: int) -> np.ndarray:
    """<m_w> in an exact state: (2^K,), which add up to N."""
    total = np.zeros(1 << width)
    for states, psi, weights in state.orbits(STATES_AT_ONCE):
        total += (weights * psi**2) @ motif_counts(states, state.n_sites, width)
    return total


def _trained(files: Files, width: int, size: int) -> Iterator[Source]:
    """The runs of the shallow network of lowest mean energy, and the means of their expectation values."""
    networks = [runs for runs in _final_runs(files, width, size) if runs]
    if not networks:
        raise InputError(
            f"table2 needs a final run of a shallow network with K = {width} on {size} sites that did not diverge"
        )
    runs = min(networks, key=lambda runs: float(np.mean([run.energy for run in runs])))
    lowest = min(runs, key=lambda run: run.energy)
    for run in runs:
        yield replace(run, best=run is lowest)
    yield _mean("network mean", runs, width)
    moving = [run for run in runs if not run.n_stuck]
    if 0 < len(moving) < len(runs):
        yield _mean("network mean, moving", moving, width)


def _mean(source: str, runs: Sequence[Source], width: int) -> Source:
    """The mean over seeds; its coefficients are the means of theirs, as the regression is linear."""
    expectations, design = np.array([run.expectations for run in runs]), design_matrix(width)
    coefficients = np.linalg.lstsq(design, expectations.T, rcond=None)[0]  # (terms, run)
    spread = coefficients.std(axis=1, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else None
    first, energy = runs[0], float(np.mean([run.energy for run in runs]))
    stuck = sum(run.n_stuck or 0 for run in runs)
    mean = expectations.mean(axis=0)
    return Source(source, first.n_sites, mean, energy, first.network, n_runs=len(runs), n_stuck=stuck, spread=spread)


def _final_runs(files: Files, width: int, size: int) -> Iterator[list[Source]]:
    """Exact energies and expectation values at the final parameters of each network's runs."""
    for path, weights in zip(files["runs"], files["weights"], strict=True):
        runs = read([path])
        wanted = (runs.run_kind == FINAL) & (runs.width == width) & (runs.n_sites == size) & runs.network.isin(FORCINGS)
        if not wanted.any():
            continue
        parameters = read_tensors(weights, ["parameters"])["parameters"]
        if len(parameters) != len(runs):
            raise InputError(f"{weights}: {len(parameters)} runs, but {len(runs)} in {path}; build both again")
        refuse_absurd(weights, parameters, runs.status == "diverged")
        network, found = str(runs.network.iloc[0]), []
        for (_, row), theta in zip(runs.iterrows(), parameters, strict=True):
            if row.status != "diverged":
                measured = measure(size, ShallowCnn(size, width).coefficients(theta))
                numbers = measured.motif_expectations, measured.energy
                found.append(Source("network", size, *numbers, network, int(row.run), False, 1, int(row.stuck)))
        yield found


def _rows(source: Source, width: int, shared_size: int, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row per term."""
    fit = least_squares(design_matrix(width), source.expectations)
    scale = shared_size / source.n_sites
    about = {name: value for name, value in vars(source).items() if name not in ("expectations", "spread")}
    spread = np.full(len(TERMS), np.nan) if source.spread is None else source.spread
    for place, term in enumerate(TERMS):
        coefficient, error = fit.coefficients[place], fit.errors[place]
        row = about | {
            "width": width, "term": term, "coefficient": coefficient, "standard_error": error,
            "seed_error": spread[place], "p_value": fit.p_values[place], "p_robust": fit.p_robust[place],
            "scaled": coefficient * scale, "scaled_error": error * scale, "scaled_seed_error": spread[place] * scale,
            "r_squared": fit.r_squared, "observations": fit.observations, "condition_number": fit.condition_number,
            **_energies(source.n_sites, source.energy),
        }  # fmt: skip
        if facts:
            fact = facts[f"table2_{term}"]
            row |= {
                "published": fact["value"], "published_error": fact["uncertainty"],
                "difference": coefficient * scale - fact["value"], "print_precision": PRINT_PRECISION,
            }  # fmt: skip
        yield row


def _energies(n_sites: int, energy: float) -> dict[str, float]:
    """Delta E, also in percent of the gap E1 - E0 (as the paper defines its error) and of |E0|, signed."""
    exact = heisenberg_energies(n_sites)
    ground = permutation_energy(exact.ground, n_sites)
    above = energy - ground
    return {
        "delta_energy": above,
        "percent_of_gap": 100 * above / (2 * exact.gap),
        "percent_of_ground": 100 * above / ground,
    }


def _published_rows(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for term in TERMS:
        fact = facts[f"table2_{term}"]
        both = {name: fact["value"] for name in ("coefficient", "scaled", "published")}
        errors = {name: fact["uncertainty"] for name in ("standard_error", "scaled_error", "published_error")}
        fit = {name: facts[f"table2_{name}"]["value"] for name in ("observations", "condition_number")}
        setting = facts["table2_setting"]["value"]
        yield {
            "source": "published", "n_sites": setting["size"], "width": setting["width"], "term": term, **both,
            **errors, **fit, "r_squared": facts["table2_r2"]["value"], "percent_of_gap": facts["delta_e_best"]["value"],
        }  # fmt: skip


# ---- Table S1


def tableS1(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Multipliers of the network on those of the correlator product state, one row per K, local minimum and gauge.

    files: optima, optima_arrays;  settings: size, widths. `minimum` counts the network's local minima from the lowest.
    """
    facts, size = read_facts(_published(files)), int(settings["size"])
    rows: list[dict[str, Any]] = []
    for width in settings["widths"]:
        optima = optima_of(files, size, width)
        cps = optima.arrays["cps_coefficients"]
        about = {"n_sites": size, "width": width, **_freedom(size, width), "cps_delta_energy": _above(size, cps)}
        labels = state_classes(size).labels
        for minimum, cnn in enumerate(_network_minima(optima)):
            about |= {"minimum": minimum, "cnn_delta_energy": _above(size, cnn)}
            pairs = _pairs(size, width, cps, cnn)
            # all states at once: the two differ by one constant wherever the class means have no freedom but the norm
            norm = float((pairs[LOG_PSI][1] - pairs[LOG_PSI][0]).mean()) / size
            for values, pair in pairs.items():
                beside = _beside(facts, about, norm) if values == CLASS_MEANS else {}
                line = _line(pair[0], pair[1], labels if values == LOG_PSI else None)
                rows.append(about | {"values": values} | line | beside)
    return pd.DataFrame(rows, columns=list(LINE_COLUMNS))


def _network_minima(optima: Optima) -> list[np.ndarray]:
    """Multipliers (2^K,) of the network's distinct local minima, lowest first."""
    family, parameters = ShallowCnn(optima.n_sites, optima.length), optima.arrays["cnn_parameters"]
    minima = [family.coefficients(parameters[row]) for row in optima.distinct("cnn").index]
    return minima or [optima.arrays["cnn_coefficients"]]


def _freedom(size: int, width: int) -> dict[str, int]:
    """Numbers of classes and motifs, ranks of their counts over all states, and what is left: the gauge."""
    freedom: dict[str, int] = {}
    for name, symmetrised in (("class", True), ("motif", False)):
        rank, columns = row_space(size, width, symmetrised).shape
        freedom |= {f"{name}_columns": columns, f"{name}_rank": rank, f"{name}_gauge": columns - rank}
    return freedom


def _above(size: int, multipliers: np.ndarray) -> float:
    return measure(size, multipliers).energy - permutation_energy(heisenberg_energies(size).ground, size)


def _pairs(size: int, width: int, *both: np.ndarray) -> dict[str, list[np.ndarray]]:
    """What is regressed, by name: predictor and response, of the CPS and of the network."""
    means, states = motif_classes(width).means, zero_magnetisation_states(size)
    return {
        CLASS_MEANS: [means(multipliers) for multipliers in both],
        ONE_GAUGE: [means(canonical(size, multipliers)) for multipliers in both],
        LOG_PSI: [MotifTable(size, multipliers).log_psi(states) for multipliers in both],
    }


def _line(x: np.ndarray, y: np.ndarray, clusters: np.ndarray | None = None) -> dict[str, float]:
    """clusters (n,): labels of points that are not independent."""
    fit = least_squares(np.column_stack([np.ones(len(x)), x]), y, clusters)
    intercept, slope = fit.coefficients
    intercept_error, slope_error = fit.errors
    return {
        "slope": slope, "slope_error": slope_error, "intercept": intercept, "intercept_error": intercept_error,
        "r_squared": fit.r_squared, "points": fit.observations,
        "clusters": fit.observations if clusters is None else len(np.unique(clusters)),
    }  # fmt: skip


def _beside(facts: Mapping[str, Any], about: Mapping[str, Any], norm: float) -> dict[str, float]:
    """The line that follows from the gauge alone, where it leaves class means no freedom, and the printed one."""
    beside = {} if about["class_gauge"] else {"predicted_slope": 1.0, "predicted_intercept": norm}
    fact = facts["lambda_regression_k3"]
    if (about["n_sites"], about["width"]) == (fact["n_sites"], fact["width"]):
        slope, error = fact["value"]["slope"], fact["uncertainty"]["slope"]
        beside |= {"published_slope": slope, "published_error": error, "published_r2": fact["value"]["r2"]}
    return beside


def _published(files: Files) -> Path:
    return Path(files["published"][0]) if files.get("published") else PUBLISHED
