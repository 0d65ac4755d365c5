"""Fig. 8: four rules of descent, the same step in two spaces, and what the solves cost.

series  run         infidelity against iteration at the best rate of each rule
        search      final infidelity by rule and rate
        condition   condition number of the tensor along a run, and with a diagonal shift
        large       direction of the step for a large shift, against the plain gradient
        equal       relative difference of the steps in parameter and sample space
        time        seconds of both solves against parameters and samples
        iteration   seconds and memory of one sampled iteration on square lattices
        exact       exact ground states of clusters: residual, and how many amplitudes they take
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.complex_rbm import ComplexRbm, ComplexRbmWave
from nqs.exact.eigenstate import Wavefunction
from nqs.model.hamiltonians import Hamiltonian, transverse_field_ising
from nqs.model.lattices import make_cluster
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import CRITICAL, ground_state, heisenberg_ring, ising_ring
from nqs.vmc.local_energy import local_energies
from nqs.vmc.natural_gradient import in_parameter_space, in_sample_space, spectrum
from nqs.vmc.small_descent import Adam, Rule, min_sr, minimise, plain, sr
from nqs.vmc.tangent_space import Problem, TangentSpace, infidelity

Row = dict[str, Any]
SHIFTS = (1e-8, 1e-6, 1e-4, 1e-2, 1.0)
REPEATS = 3  # of a timing; the shortest counts
BATCH = 64  # states of a sampled iteration


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All series; files: ground_states; settings: those of the figure, and seed."""
    computed = (
        descents(settings),
        conditions(settings),
        equal_steps(settings),
        timings(settings),
        iterations(settings),
    )
    parts = (*computed, exact_states(files["ground_states"]))
    return pd.DataFrame([row for part in parts for row in part])


def problems(n_sites: int) -> dict[str, Problem]:
    """Two models without signs."""
    return {
        "ising": Problem.of(ising_ring(n_sites, CRITICAL)),
        "heisenberg": Problem.of(heisenberg_ring(n_sites - n_sites % 2, marshall=True), magnetisation=0),
    }


def rules(rate: float, shift: float) -> dict[str, Callable[[], Rule]]:
    """Fresh rules of this rate, by name."""
    return {
        "SGD": lambda: plain(rate),
        "Adam": lambda: Adam(rate),
        "SR": lambda: sr(rate, shift),
        "minSR": lambda: min_sr(rate, shift),
    }


def run(
    problem: Problem, ansatz: ComplexRbm, rule: Rule, psi: np.ndarray, seed: int, settings: Mapping[str, Any]
) -> list[float]:
    """Infidelity before every step, infinite once it diverged."""
    curve: list[float] = []

    def watch(step: int, theta: np.ndarray, space: TangentSpace) -> None:
        curve.append(infidelity(problem.amplitudes(ansatz.at(theta)), psi))

    start = ansatz.initial(np.random.default_rng(seed_of("fig8", seed, settings["seed"])))
    found = minimise(problem, ansatz, start, rule, settings["iterations"], watch=watch)
    return curve if found.finite else [*curve, *[np.inf] * (settings["iterations"] - len(curve))]


def descents(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Every rule at every rate and seed; curves of the rate that is best in the mean of ln infidelity."""
    for model, problem in problems(settings["n_sites"]).items():
        n_sites = problem.hamiltonian.n_sites
        ansatz = ComplexRbm.full(n_sites, settings["hidden"], 0.05)
        psi = ground_state(problem)[1].astype(complex)
        for rule in rules(0.0, settings["shift"]):
            curves = {
                rate: [
                    run(problem, ansatz, rules(rate, settings["shift"])[rule](), psi, seed, settings)
                    for seed in range(settings["seeds"])
                ]
                for rate in settings["rates"]
            }
            common = {"model": model, "n_sites": n_sites, "rule": rule}
            ends = {rate: np.log([curve[-1] for curve in found]) for rate, found in curves.items()}
            for rate, values in ends.items():
                for seed, value in enumerate(values):
                    yield {"series": "search", "rate": rate, "seed": seed, "infidelity": float(np.exp(value))} | common
            best = min(ends, key=lambda rate: ends[rate].mean())
            for seed, curve in enumerate(curves[best]):
                for step, value in enumerate(curve):
                    yield {"series": "run", "rate": best, "seed": seed, "iteration": step, "infidelity": value} | common
            print(f"{model}, {rule}: best rate {best:g}")


def conditions(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Condition numbers along one run, and what a large shift makes of a step."""
    problem = problems(settings["n_sites"])["ising"]
    ansatz = ComplexRbm.full(settings["n_sites"], settings["hidden"], 0.05)
    kept: list[tuple[np.ndarray, TangentSpace]] = []
    start = ansatz.initial(np.random.default_rng(seed_of("fig8 condition", settings["seed"])))
    minimise(
        problem, ansatz, start, sr(0.1, settings["shift"]), settings["iterations"],
        watch=lambda step, theta, space: kept.append((theta, space)),
    )  # fmt: skip
    for step in range(0, len(kept), max(1, len(kept) // 15)):
        values = spectrum(kept[step][1].tangents)
        for shift in (0.0, *SHIFTS):
            number = min(values.condition(shift), 1e32)
            yield {"series": "condition", "iteration": step, "shift": shift, "condition": number}
    theta, space = kept[len(kept) // 4]
    yield from large_shifts(problem, ansatz, theta, space)


def large_shifts(problem: Problem, ansatz: ComplexRbm, theta: np.ndarray, space: TangentSpace) -> Iterator[Row]:
    """Angle between the step and the plain gradient, and the energy after a short step of unit direction."""
    largest, force = spectrum(space.tangents).values[0], space.force()
    for power in range(-6, 7, 2):
        step = in_parameter_space(*space.system(), largest * 10.0**power)
        unit = step / np.linalg.norm(step)
        cosine = float(-np.vdot(unit, force).real / np.linalg.norm(force))
        change = problem.tangent_space(ansatz, theta + 1e-3 * unit).energy - space.energy
        yield {"series": "large", "shift": 10.0**power, "cosine": cosine, "energy_change": change}


def equal_steps(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Both spaces, fewer parameters than samples and more."""
    problem = problems(settings["n_sites"])["ising"]
    for hidden in (2, 4 * settings["n_sites"]):
        ansatz = ComplexRbm.full(settings["n_sites"], hidden, 0.1)
        rng = np.random.default_rng(seed_of("fig8 equal", hidden, settings["seed"]))
        system = problem.tangent_space(ansatz, ansatz.initial(rng)).system()
        one, two = in_parameter_space(*system, 1e-4), in_sample_space(*system, 1e-4)
        difference = float(np.linalg.norm(one - two) / np.linalg.norm(one))
        sizes = {"n_samples": len(system[0]), "n_parameters": ansatz.n_parameters}
        yield {"series": "equal", "difference": difference} | sizes


def timings(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Both solves on random matrices; one size runs, the other is fixed."""
    rng = np.random.default_rng(0)
    for size in settings["timed"]:
        for varied, n_samples, n_parameters in (("P", settings["fixed"], size), ("n", size, settings["fixed"])):
            tangents = rng.normal(size=(n_samples, n_parameters)) + 0j
            right = rng.normal(size=n_samples) + 0j
            for name, solve in (("SR", in_parameter_space), ("minSR", in_sample_space)):
                taken = shortest(partial(solve, tangents, right, 1e-2))
                sizes = {"n_samples": n_samples, "n_parameters": n_parameters, "varied": varied}
                yield {"series": "time", "rule": name, "seconds": taken} | sizes


def shortest(action: Callable[[], object]) -> float:
    """Seconds of the fastest of REPEATS calls."""
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def iterations(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Local energies and a minSR step of an RBM with one hidden unit per site on L x L Ising lattices."""
    for length in settings["lengths"]:
        n_sites = length**2
        bonds = make_cluster(f"square{n_sites}", "square", (length, length)).j1
        ansatz = ComplexRbm.full(n_sites, n_sites, 0.01)
        rng = np.random.default_rng(seed_of("fig8 iteration", length, settings["seed"]))
        states = rng.integers(1 << min(n_sites, 62), size=BATCH, dtype=np.uint64)
        once = partial(
            one_iteration, transverse_field_ising(n_sites, bonds, 3.0), ansatz.at(ansatz.initial(rng)), states
        )
        numbers = {"n_sites": n_sites, "n_parameters": ansatz.n_parameters, "samples": BATCH}
        megabytes = BATCH * ansatz.n_parameters * 16 / 1e6
        yield {"series": "iteration", "seconds": shortest(once), "megabytes": megabytes} | numbers


def one_iteration(model: Hamiltonian, wave: ComplexRbmWave, states: np.ndarray) -> np.ndarray:
    """Local energies of the states, and the step (P,) they ask for."""
    local = local_energies(model, wave, states)
    return in_sample_space(wave.jacobian(states) / np.sqrt(BATCH), local - local.mean(), 1e-2)


def exact_states(paths: Sequence[Path]) -> Iterator[Row]:
    """Sizes of the whole space, of Sz = 0, and of the orbits under all symmetries that a file lists."""
    for path in paths:
        state = Wavefunction.read(path)
        yield {
            "series": "exact", "model": state.cluster, "n_sites": state.n_sites, "residual": state.residual,
            "states": 2.0**state.n_sites, "sector": float(state.dimension), "orbits": len(state.representatives),
        }  # fmt: skip
