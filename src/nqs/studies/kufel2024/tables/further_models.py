"""Further rows of Fig. 5: symmetries that hold only nearly, and the Ising model on a square lattice.

series  broken   a ring whose couplings scatter: networks without, with exact and with approximate symmetry
        square   energy and transverse magnetisation on all states of an L x L torus, beside exact diagonalisation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.ansatz.product import Product
from nqs.ansatz.symmetrised import Representation, Symmetrised
from nqs.model.hamiltonians import heisenberg, transverse_field_ising
from nqs.model.lattices import make_cluster
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import flipped, ground_state, neighbours
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import Problem

Row = dict[str, Any]


def families(n_sites: int, hidden: int, group: Representation) -> dict[str, ComplexAnsatz]:
    """Three networks, as many parameters but for one; the third is a symmetric one times one without symmetry."""
    half = max(1, hidden // 2)
    wide, narrow = (ComplexRbm.full(n_sites, units, 0.1) for units in (2 * half + 1, half))  # biases of two networks
    small = ComplexRbm.full(n_sites, half, 0.01)
    return {
        "none": wide,
        "exact": Symmetrised(wide, group),
        "approximate": Product(Symmetrised(narrow, group), small),
    }


def broken(settings: Mapping[str, Any], group: Representation) -> Iterator[Row]:
    """Heisenberg rings with couplings 1 + strength x, x uniform between -1 and 1, in the basis without signs."""
    n_sites, hidden = settings["n_sites"], settings["hidden"][len(settings["hidden"]) // 2]
    scatter = np.random.default_rng(seed_of("fig5 couplings", settings["seed"])).uniform(-1, 1, n_sites)
    for strength in settings["broken"]:
        model = heisenberg(n_sites, neighbours(n_sites), 1 + strength * scatter, marshall=True)
        problem = Problem.of(model, magnetisation=0)
        lowest, _ = ground_state(problem)
        for name, ansatz in families(n_sites, hidden, group).items():
            for seed in range(settings["seeds"]):
                rng = np.random.default_rng(seed_of("fig5 broken", seed, settings["seed"]))
                found = minimise(problem, ansatz, ansatz.initial(rng), sr(0.1, 1e-4), settings["iterations"])
                energy = problem.tangent_space(ansatz, found.theta).energy
                yield {
                    "series": "broken", "n_sites": n_sites, "strength": strength, "symmetry": name, "seed": seed,
                    "n_parameters": ansatz.n_parameters, "order": len(group),
                    "relative_error": (energy - lowest) / abs(lowest),
                }  # fmt: skip
        print(f"couplings scatter by {strength:g}: done")


def square(settings: Mapping[str, Any]) -> Iterator[Row]:
    """One machine with half a hidden unit per site, by sums over all states."""
    side = settings["side"]
    n_sites = side**2
    bonds = make_cluster(f"square{n_sites}", "square", (side, side)).j1
    machine = ComplexRbm.full(n_sites, n_sites // 2)
    for field in settings["fields"]:
        problem = Problem.of(transverse_field_ising(n_sites, bonds, field))
        lowest, psi = ground_state(problem)
        start = machine.initial(np.random.default_rng(seed_of("fig5 square", field, settings["seed"])))
        found = minimise(problem, machine, start, sr(0.05, 1e-3), settings["square_iterations"])
        ours = problem.amplitudes(machine.at(found.theta))
        energy = float((ours.conj() @ (problem.h @ ours)).real)
        yield {
            "series": "square", "n_sites": n_sites, "field": field, "n_parameters": machine.n_parameters,
            "energy": energy, "exact_energy": lowest, "relative_error": (energy - lowest) / abs(lowest),
            "sx": flipped(ours, n_sites), "exact_sx": flipped(psi, n_sites),
        }  # fmt: skip
        print(f"square lattice, field {field:g}: {energy / n_sites:.6f} per site, exact {lowest / n_sites:.6f}")
