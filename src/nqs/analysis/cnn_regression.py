"""Regressions of Ju et al. (2025): motif expectation values on two features (Table II), and the multipliers of the
network on those of the correlator product state (Table S1). Ordinary least squares by statsmodels.

Table II. The response is the raw expected count of each motif, so a source's responses add up to its N; columns
`scaled` are multiplied by 60/N, which changes neither R^2 nor p, to stand beside the print. Errors and p-values are
those of independent equal errors, as printed; p_robust (HC3) allows unequal ones. Exact ground states and the optima of
the transfer matrix have no statistical error: there "error" only says how much the two features leave open.

Table S1. Multipliers of motifs are not unique: what the identities of counts fix may be added. Three regressions, each
with its gauge stated: of the class means as they come; of the class means of both states in the gauge of
`motif_maxent.canonical`; and of ln psi over all states, which has no gauge. Class means at K = 3 have no freedom but
the norm, so lambda_CNN = lambda_CPS + (ln psi_CNN - ln psi_CPS) / N where both reach the same state: slope 1 and that
intercept are `predicted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from nqs.analysis.cell_tables import Files, read
from nqs.analysis.motif_optima_files import Optima, read_arrays, read_optima
from nqs.bethe import heisenberg_energies, permutation_energy
from nqs.errors import ConfigError, InputError
from nqs.identity import FINAL
from nqs.motif_maxent import canonical
from nqs.motif_networks import FORCINGS, ShallowCnn
from nqs.motif_table import MotifTable
from nqs.motifs import design_matrix, motif_classes, motif_counts, row_space
from nqs.published import read_facts
from nqs.symmetry import zero_magnetisation_states
from nqs.transfer_matrix import Convolution, measure
from nqs.wavefunction import Wavefunction

PUBLISHED = Path("reference/ju2025/published.yaml")  # from the project's folder
COLUMNS = (
    "source", "n_sites", "width", "network", "run", "best", "n_runs", "n_stuck", "term", "coefficient",
    "standard_error", "p_value", "p_robust", "scaled", "scaled_error", "published", "published_error",
    "joint_errors_off", "r_squared", "observations", "condition_number", "energy", "delta_energy", "percent_of_gap",
    "percent_of_ground",
)  # fmt: skip
LINE_COLUMNS = (
    "n_sites", "width", "minimum", "values", "slope", "slope_error", "intercept", "intercept_error", "r_squared",
    "points", "predicted_slope", "predicted_intercept", "published_slope", "published_error", "published_r2",
    "class_columns", "class_rank", "class_gauge", "motif_columns", "motif_rank", "motif_gauge", "cps_delta_energy",
    "cnn_delta_energy",
)  # fmt: skip
TERMS = ("intercept", "d_neel", "n_like", "interaction")
STATES_AT_ONCE = 1 << 16
SAME_ENERGY = 1e-5  # of sum P: closer minima are counted once
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


def least_squares(design: np.ndarray, response: np.ndarray) -> Fit:
    """Regression of a response (n,) on the columns of a design matrix (n, terms)."""
    fit = OLS(response, design).fit()
    robust = fit.get_robustcov_results("HC3").pvalues if len(response) > design.shape[1] + 1 else fit.pvalues * np.nan
    numbers = float(fit.rsquared), int(fit.nobs), float(np.linalg.cond(design))
    return Fit(fit.params, fit.bse, fit.pvalues, np.asarray(robust), *numbers)


# ---- Table II


@dataclass(frozen=True, eq=False)
class Source:
    """Where motif expectation values (2^K,) come from, with the energy of sum P."""

    source: str
    n_sites: int
    expectations: np.ndarray
    energy: float
    network: str = ""
    run: int | None = None
    best: bool = False
    n_runs: int | None = None
    n_stuck: int | None = None


def table2(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Motif expectation values on d_Neel, n_like and their product, one row per source and term.

    files: ground_states, optima, optima_arrays, runs, weights;  settings: width, size, exact_sizes. Energies are totals
    of sum P. ConfigError or InputError names what is missing.
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
        state = _ring_state(files, n_sites)
        energy = permutation_energy(state.energy, n_sites)
        yield Source("exact", n_sites, ground_state_expectations(state, width), energy)
    optima = optima_of(files, size, width)
    for family in ("cps", "cnn"):
        energy = measure(size, optima.arrays[f"{family}_coefficients"]).energy
        yield Source(f"{family} optimum", size, optima.arrays[f"{family}_expectations"], energy)
    yield from _trained(files, width, size)


def _ring_state(files: Files, n_sites: int) -> Wavefunction:
    for path in files["ground_states"]:
        state = Wavefunction.read(path)
        if state.lattice == "ring" and state.n_sites == n_sites:
            return state
    raise ConfigError(f"table2.exact_sizes: no ground state of a ring of {n_sites} sites was made; leave the size out")


def ground_state_expectations(state: Wavefunction, width: int) -> np.ndarray:
    """<m_w> in an exact state: (2^K,), which add up to N."""
    total = np.zeros(1 << width)
    for states, psi, weights in state.orbits(STATES_AT_ONCE):
        total += (weights * psi**2) @ motif_counts(states, state.n_sites, width)
    return total


def _trained(files: Files, width: int, size: int) -> Iterator[Source]:
    """The runs of the shallow network of lowest mean energy, and the mean of their expectation values."""
    networks = {name: runs for name, runs in _final_runs(files, width, size) if runs}
    if not networks:
        raise InputError(
            f"table2 needs a final run of a shallow network with K = {width} on {size} sites that did not diverge"
        )
    name, runs = min(networks.items(), key=lambda item: float(np.mean([run.energy for run in item[1]])))
    lowest = min(runs, key=lambda run: run.energy)
    for run in runs:
        yield replace(run, best=run is lowest)
    mean = np.mean([run.expectations for run in runs], axis=0)
    energy = float(np.mean([run.energy for run in runs]))
    stuck = sum(run.n_stuck or 0 for run in runs)
    yield Source("network mean", size, mean, energy, name, n_runs=len(runs), n_stuck=stuck)


def _final_runs(files: Files, width: int, size: int) -> Iterator[tuple[str, list[Source]]]:
    """Exact energies and expectation values at the final parameters of each network's runs."""
    for path, weights in zip(files["runs"], files["weights"], strict=True):
        runs = read([path])
        wanted = (runs.run_kind == FINAL) & (runs.width == width) & (runs.n_sites == size) & runs.network.isin(FORCINGS)
        if not wanted.any():
            continue
        parameters = read_arrays(weights)["parameters"]
        if len(parameters) != len(runs):
            raise InputError(f"{weights}: {len(parameters)} runs, but {len(runs)} in {path}; build both again")
        network, found = str(runs.network.iloc[0]), []
        for (_, row), theta in zip(runs.iterrows(), parameters, strict=True):
            if row.status != "diverged":
                measured = measure(size, Convolution(width).coefficients(theta))
                numbers = measured.motif_expectations, measured.energy
                found.append(Source("network", size, *numbers, network, int(row.run), False, 1, int(row.stuck)))
        yield network, found


def _rows(source: Source, width: int, shared_size: int, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row per term."""
    fit = least_squares(design_matrix(width), source.expectations)
    scale = shared_size / source.n_sites
    about = {name: value for name, value in vars(source).items() if name != "expectations"}
    for place, term in enumerate(TERMS):
        coefficient, error = fit.coefficients[place], fit.errors[place]
        row = about | {
            "width": width, "term": term, "coefficient": coefficient, "standard_error": error,
            "p_value": fit.p_values[place], "p_robust": fit.p_robust[place], "scaled": coefficient * scale,
            "scaled_error": error * scale, "r_squared": fit.r_squared, "observations": fit.observations,
            "condition_number": fit.condition_number, **_energies(source.n_sites, source.energy),
        }  # fmt: skip
        if facts:
            fact = facts[f"table2_{term}"]
            joint = np.hypot(error * scale, fact["uncertainty"])
            difference = (coefficient * scale - fact["value"]) / joint
            row |= {"published": fact["value"], "published_error": fact["uncertainty"], "joint_errors_off": difference}
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


def optima_of(files: Files, size: int, width: int) -> Optima:
    """The optima of one ring and motif length among the files; InputError if they are not there."""
    for optima in read_optima(files):
        if (optima.n_sites, optima.length) == (size, width):
            return optima
    raise InputError(f"no variational optima of K = {width} on {size} sites among the files; add them to the inputs")


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
        for minimum, cnn in enumerate(_network_minima(optima, size, width)):
            about |= {"minimum": minimum, "cnn_delta_energy": _above(size, cnn)}
            pairs = _pairs(size, width, cps, cnn)
            # all states at once: the two differ by one constant wherever the class means have no freedom but the norm
            norm = float((pairs[LOG_PSI][1] - pairs[LOG_PSI][0]).mean()) / size
            for values, pair in pairs.items():
                beside = _beside(facts, about, norm) if values == CLASS_MEANS else {}
                rows.append(about | {"values": values} | _line(*pair) | beside)
    return pd.DataFrame(rows, columns=list(LINE_COLUMNS))


def _network_minima(optima: Optima, size: int, width: int) -> list[np.ndarray]:
    """Multipliers (2^K,) of the network's distinct local minima, lowest first, constant psi left out."""
    family, minima, last = ShallowCnn(size, width), [], -np.inf
    table = optima.minima("cnn")
    for row in np.argsort(table.energy.to_numpy()):  # descents without an end come last
        energy, theta = table.energy[row], optima.arrays["cnn_parameters"][row]
        if table.converged[row] and not family.why_constant(theta) and energy - last > SAME_ENERGY:
            minima.append(Convolution(width).coefficients(theta))
            last = energy
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


def _line(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    fit = least_squares(np.column_stack([np.ones(len(x)), x]), y)
    intercept, slope = fit.coefficients
    intercept_error, slope_error = fit.errors
    return {
        "slope": slope, "slope_error": slope_error, "intercept": intercept, "intercept_error": intercept_error,
        "r_squared": fit.r_squared, "points": fit.observations,
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
