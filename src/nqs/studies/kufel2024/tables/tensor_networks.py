"""Fig. 3: matrix product states and Boltzmann machines at equal numbers of parameters.

series  bond     smallest bond dimension that keeps all but 1e-6 of the weight, against the number of sites
        fit      infidelity and half-chain entropy of both families for one target, by number of real parameters
        energy   relative error of the energy of both families, gapped and critical ring, by real parameters
        tensor   a random matrix product state of small bond dimension fitted by a network
        count    parameters of a matrix product state by sites and bond dimension
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.complex_rbm import ComplexRbm, volume_law_pairs
from nqs.exact.matrix_product import MatrixProduct, entropy_of, matrix_product, smallest_bond
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.fitting import fit
from nqs.studies.kufel2024.systems import CRITICAL, GAPPED, ground_state, haar_state, ising_ring
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import Problem, infidelity

Row = dict[str, Any]
KEPT = 1e-6  # weight that a matrix product state may lose


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All series; settings: those of the figure, and seed."""
    parts = (bonds(settings), fits(settings), energies(settings), tensors(settings), counts())
    return pd.DataFrame([row for part in parts for row in part])


def targets(n_sites: int, seed: int) -> dict[str, np.ndarray]:
    """States on all 2^N: two area laws, two volume laws."""
    states = {
        name: ground_state(Problem.of(ising_ring(n_sites, field)))[1].astype(complex)
        for name, field in (("gapped", GAPPED), ("critical", CRITICAL))
    }
    states["haar"] = haar_state(1 << n_sites, np.random.default_rng(seed_of("haar", n_sites, seed)))
    family, theta = volume_law_pairs(n_sites)
    psi = np.exp(family.at(theta).log_psi(np.arange(1 << n_sites, dtype=np.uint64)))
    return states | {"pairs": psi / np.linalg.norm(psi)}


def bonds(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Smallest bond dimensions."""
    for n_sites in settings["sizes"]:
        for name, psi in targets(n_sites, settings["seed"]).items():
            yield {"series": "bond", "n_sites": n_sites, "target": name, "bond": smallest_bond(psi, KEPT)}


def real_size(state: MatrixProduct) -> int:
    """Real numbers in the tensors."""
    return state.n_parameters * (2 if np.iscomplexobj(state.tensors[0]) else 1)


def machine(n_sites: int, real_parameters: int) -> ComplexRbm:
    """The largest Boltzmann machine within a number of real parameters; one hidden unit at least."""
    return ComplexRbm.full(n_sites, max(1, (real_parameters // 2 - n_sites) // (n_sites + 1)), 0.2)


def fits(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Each target by each bond dimension, and by a machine of as many parameters."""
    n_sites, half = settings["n_sites"], settings["n_sites"] // 2
    problem = Problem.of(ising_ring(n_sites, CRITICAL))
    for name, psi in targets(n_sites, settings["seed"]).items():
        for bond in settings["bonds"]:
            product = matrix_product(psi, bond)
            near = product.amplitudes()
            common = {"series": "fit", "n_sites": n_sites, "target": name, "bond": bond, "exact": entropy_of(psi, half)}
            size = real_size(product)
            yield common | {
                "family": "mps", "n_parameters": size, "infidelity": infidelity(near, psi),
                "entropy": entropy_of(near, half), "restart": 0,
            }  # fmt: skip
            yield from machine_fits(problem, psi, machine(n_sites, size), common, settings)
        print(f"fits of {name}: done")
    family, theta = volume_law_pairs(n_sites)
    psi = targets(n_sites, settings["seed"])["pairs"]
    yield {
        "series": "explicit", "n_sites": n_sites, "target": "pairs", "family": "rbm", "exact": entropy_of(psi, half),
        "n_parameters": 2 * family.n_parameters, "entropy": entropy_of(psi, half), "bond": smallest_bond(psi, KEPT),
        "infidelity": infidelity(problem.amplitudes(family.at(theta)), psi),
    }  # fmt: skip


def machine_fits(
    problem: Problem, psi: np.ndarray, ansatz: ComplexRbm, common: Row, settings: Mapping[str, Any]
) -> Iterator[Row]:
    """Restarts of one machine."""
    for restart in range(settings["restarts"]):
        rng = np.random.default_rng(seed_of("fig3", common["target"], common["bond"], restart, settings["seed"]))
        theta, reached = fit(problem, ansatz, psi, ansatz.initial(rng), settings["iterations"])
        yield common | {
            "family": "rbm", "n_parameters": 2 * ansatz.n_parameters, "infidelity": reached, "restart": restart,
            "entropy": entropy_of(problem.amplitudes(ansatz.at(theta)), settings["n_sites"] // 2),
        }  # fmt: skip


def energies(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Relative errors of the energy: truncated exact states, and machines that minimise it."""
    for name, field in (("gapped", GAPPED), ("critical", CRITICAL)):
        problem = Problem.of(ising_ring(settings["n_sites"], field))
        lowest, psi = ground_state(problem)
        for bond in settings["bonds"]:
            product = matrix_product(psi, bond)
            near = product.amplitudes()
            common = {"series": "energy", "n_sites": settings["n_sites"], "target": name, "bond": bond}
            error = float((near @ (problem.h @ near) - lowest) / abs(lowest))
            yield common | {"family": "mps", "n_parameters": real_size(product), "relative_error": error, "restart": 0}
            ansatz = machine(settings["n_sites"], real_size(product))
            for restart in range(settings["restarts"]):
                rng = np.random.default_rng(seed_of("energy", name, bond, restart, settings["seed"]))
                found = minimise(problem, ansatz, ansatz.initial(rng), sr(0.05, 1e-3), 3 * settings["iterations"])
                error = float((found.energies.min() - lowest) / abs(lowest))
                yield common | {
                    "family": "rbm", "n_parameters": 2 * ansatz.n_parameters, "relative_error": error,
                    "restart": restart,
                }  # fmt: skip


def tensors(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Random matrix product states of bond dimension 2, fitted by ever larger machines."""
    n_sites = min(settings["n_sites"], 8)
    problem = Problem.of(ising_ring(n_sites, CRITICAL))
    for instance in range(settings["restarts"]):
        rng = np.random.default_rng(seed_of("tensor", instance, settings["seed"]))
        shapes = [(1, 2, 2), *[(2, 2, 2)] * (n_sites - 2), (2, 2, 1)]
        psi = MatrixProduct([rng.normal(size=shape) for shape in shapes], np.zeros(0)).amplitudes().astype(complex)
        for density in (1, 2, 4):
            ansatz = ComplexRbm.full(n_sites, density * n_sites, 0.2)
            _, reached = fit(problem, ansatz, psi, ansatz.initial(rng), settings["iterations"])
            yield {
                "series": "tensor", "n_sites": n_sites, "bond": 2, "density": density, "instance": instance,
                "infidelity": reached, "family": "rbm", "n_parameters": 2 * ansatz.n_parameters,
            }  # fmt: skip


def counts() -> Iterator[Row]:
    """Parameters of matrix product states of one bond dimension, smaller only where a block has fewer states."""
    for n_sites in (16, 32, 64):
        for bond in (4, 8, 16):
            ends = [min(bond, 2 ** min(cut, n_sites - cut)) for cut in range(n_sites + 1)]
            tensors = [np.zeros((left, 2, right)) for left, right in pairwise(ends)]
            size = MatrixProduct(tensors, np.zeros(0)).n_parameters
            yield {"series": "count", "n_sites": n_sites, "bond": bond, "n_parameters": size}
