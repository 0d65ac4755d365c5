"""Fig. 1: the method at work on an Ising ring: a network as wave function, energy by sampling, descent.

series  run         energies of every iterate, exact and sampled
        histogram   local energies at the beginning, in the middle and at the end, weighted by |psi|^2
        sets        spread of the sampled energy against the number of samples
        identity    exact facts: energy as average of local energies, connected states
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.model.hamiltonians import Hamiltonian
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import CRITICAL, ground_state, heisenberg_ring, ising_ring
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import Problem, TangentSpace

Row = dict[str, Any]
BINS = 40


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One run, looked at from all sides; settings: those of the figure, and seed."""
    problem = Problem.of(ising_ring(settings["n_sites"], CRITICAL))
    ansatz = ComplexRbm.full(settings["n_sites"], settings["hidden"])
    rng = np.random.default_rng(seed_of("kufel2024", "fig1", settings["seed"]))
    lowest, _ = ground_state(problem)
    found: list[Row] = []
    parameters: dict[int, np.ndarray] = {}

    def watch(step: int, theta: np.ndarray, space: TangentSpace) -> None:
        counts = problem.draw(ansatz, theta, settings["samples"], rng)
        sampled = problem.sampled(ansatz, theta, counts)
        error = np.sqrt(sampled.variance / settings["samples"])
        exact = {"energy": space.energy, "variance": space.variance, "exact_energy": lowest}
        found.append({"series": "run", "iteration": step, **exact, "sampled": sampled.energy, "sampled_error": error})
        parameters[step] = theta

    minimise(problem, ansatz, ansatz.initial(rng), sr(0.05, 1e-3), settings["iterations"], watch=watch)
    for step in (0, settings["iterations"] // 10, settings["iterations"] - 1):
        found += histogram(problem, ansatz, parameters[step], step)
    middle = parameters[settings["iterations"] // 10]
    found += list(sample_sets(problem, ansatz, middle, settings, rng))
    found += list(identities(rng))
    return pd.DataFrame(found).assign(n_sites=settings["n_sites"])


def local_energies(problem: Problem, psi: np.ndarray) -> np.ndarray:
    """E_loc (K,) where psi does not vanish."""
    image: np.ndarray = problem.h @ psi
    return (image / psi).real


def histogram(problem: Problem, ansatz: ComplexRbm, theta: np.ndarray, step: int) -> list[Row]:
    """Weight of the local energies per bin."""
    psi = problem.amplitudes(ansatz.at(theta))
    weights, edges = np.histogram(local_energies(problem, psi), BINS, weights=np.abs(psi) ** 2)
    middles = (edges[1:] + edges[:-1]) / 2
    bins = zip(middles, np.diff(edges), weights, strict=True)
    return [
        {"series": "histogram", "iteration": step, "energy": middle, "bin": width, "weight": weight}
        for middle, width, weight in bins
    ]


def sample_sets(
    problem: Problem, ansatz: ComplexRbm, theta: np.ndarray, settings: Mapping[str, Any], rng: np.random.Generator
) -> Iterator[Row]:
    """Mean and spread of the energy over many independent sets of samples."""
    psi = problem.amplitudes(ansatz.at(theta))
    local, weights = local_energies(problem, psi), np.abs(psi) ** 2
    exact = float(weights @ local)
    for size in settings["sizes"]:
        energies = rng.multinomial(size, weights, settings["sets"]) @ local / size
        yield {
            "series": "sets", "samples": size, "sets": settings["sets"], "energy": exact, "sampled": energies.mean(),
            "sampled_error": energies.std(ddof=1) / np.sqrt(settings["sets"]), "spread": energies.std(ddof=1),
        }  # fmt: skip


def identities(rng: np.random.Generator) -> Iterator[Row]:
    """E = <E_loc> for random parameters on 8 sites, and states connected to one state."""
    problem, ansatz = Problem.of(ising_ring(8, CRITICAL)), ComplexRbm.full(8, 4, 0.3)
    psi = problem.amplitudes(ansatz.at(ansatz.initial(rng)))
    quotient = float((psi.conj() @ (problem.h @ psi)).real)
    average = float((np.abs(psi) ** 2 @ ((problem.h @ psi) / psi)).real)
    yield {"series": "identity", "quantity": "average of E_loc", "energy": quotient, "sampled": average}
    for n_sites in (4, 6, 8):
        for name, model in (("ising", ising_ring(n_sites, CRITICAL)), ("heisenberg", heisenberg_ring(n_sites))):
            states = connected(model)
            yield {"series": "identity", "quantity": name, "samples": n_sites, "connected": states, "all": 1 << n_sites}


def connected(model: Hamiltonian) -> int:
    """Largest number of states that one state is connected to, itself included."""
    problem = Problem.of(model)
    pattern = (problem.h != 0).astype(int)
    pattern.setdiag(1)
    return int(pattern.sum(axis=1).max())
