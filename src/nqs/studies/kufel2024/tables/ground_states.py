"""Fig. 5: what makes ground states hard: signs, local minima, parameters that stop helping; and what helps: symmetry.

series  run        descents of complex RBMs on the J1-J2 ring: final error, force, rank of the geometric tensor
        spectrum   eigenvalues of the tensor at the end of one run per width
        symmetry   the same network, plain and projected on ever larger groups
        sign       variance of the estimator at the exact state, and the average sign of a Monte Carlo weight
        broken, square   see further_models
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import expm

from nqs.ansatz.complex_protocol import ComplexAnsatz
from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.ansatz.symmetrised import Representation, Symmetrised, carried_by, representation, translations
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.systems import ground_state, heisenberg_ring
from nqs.studies.kufel2024.tables.further_models import broken, square
from nqs.vmc.natural_gradient import Spectrum, spectrum
from nqs.vmc.small_descent import minimise, sr
from nqs.vmc.tangent_space import Problem

Row = dict[str, Any]
RATE, SHIFT = 0.1, 1e-4
COLD = 4.0  # inverse temperature of the average sign, 1 / J1


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All series; settings: those of the figure, and seed."""
    dihedral = groups(settings["n_sites"])["and reflections"]
    parts = (runs(settings), symmetries(settings), signs(settings), broken(settings, dihedral), square(settings))
    return pd.DataFrame([row for part in parts for row in part])


def descend(
    problem: Problem, lowest: float, ansatz: ComplexAnsatz, identity: tuple, iterations: int
) -> tuple[Row, Spectrum]:
    """One run towards the energy `lowest`: its end as numbers, and the spectrum of the tensor there."""
    rng = np.random.default_rng(seed_of(*identity))
    found = minimise(problem, ansatz, ansatz.initial(rng), sr(RATE, SHIFT), iterations)
    space = problem.tangent_space(ansatz, found.theta)
    values = spectrum(space.tangents)
    numbers = {
        "n_parameters": ansatz.n_parameters, "relative_error": (space.energy - lowest) / abs(lowest),
        "force": float(np.linalg.norm(space.force())), "variance": space.variance, "rank": values.rank(),
        "finite": found.finite, "dimension": len(problem.states),
    }  # fmt: skip
    return numbers, values


def runs(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Plain machines, both couplings, both bases."""
    n_sites = settings["n_sites"]
    for j2 in (0.0, settings["frustration"]):
        for rotated in (True, False):
            problem = Problem.of(heisenberg_ring(n_sites, j2, rotated), magnetisation=0)
            lowest, _ = ground_state(problem)
            for hidden in settings["hidden"]:
                ansatz = ComplexRbm.full(n_sites, hidden, 0.1)
                for seed in range(settings["seeds"]):
                    identity = ("fig5", j2, rotated, hidden, seed, settings["seed"])
                    numbers, values = descend(problem, lowest, ansatz, identity, settings["iterations"])
                    common = {"n_sites": n_sites, "j2": j2, "rotated": rotated, "hidden": hidden, "seed": seed}
                    yield {"series": "run"} | common | numbers
                    if seed == 0 and rotated:
                        for place, value in enumerate(values.values):
                            yield {"series": "spectrum", "mode": place, "eigenvalue": value} | common
            print(f"J2 = {j2:g}, {'rotated' if rotated else 'plain'} basis: done")


def groups(n_sites: int) -> dict[str, Representation]:
    """Ever larger groups of the ring with characters 1, those of a ground state without signs."""
    steps, _ = translations(n_sites)
    mirror = (-np.arange(n_sites)) % n_sites
    dihedral = np.concatenate([steps, steps[:, mirror]])
    return {
        "none": representation(steps[:1]),
        "translations": representation(steps),
        "and reflections": representation(dihedral),
        "and spin flip": representation(dihedral, spin_flip=1),
    }


def symmetries(settings: Mapping[str, Any]) -> Iterator[Row]:
    """One network on all groups, with the characters of the ground state, at both couplings, rotated basis."""
    n_sites, hidden = settings["n_sites"], settings["hidden"][len(settings["hidden"]) // 2]
    for j2 in (0.0, settings["frustration"]):
        problem = Problem.of(heisenberg_ring(n_sites, j2, marshall=True), magnetisation=0)
        lowest, psi = ground_state(problem)
        for name, group in groups(n_sites).items():
            group.check(problem.hamiltonian)
            ansatz = Symmetrised(ComplexRbm.full(n_sites, hidden, 0.1), carried_by(psi, problem.states, group))
            for seed in range(settings["seeds"]):
                identity = ("fig5 symmetry", j2, seed, settings["seed"])  # every group starts alike
                numbers, _ = descend(problem, lowest, ansatz, identity, settings["iterations"])
                common = {"series": "symmetry", "n_sites": n_sites, "j2": j2, "group": name, "order": len(group)}
                yield common | {"hidden": hidden, "seed": seed} | numbers


def signs(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Variance of E_loc at the exact state, and Tr exp(-b H) / Tr exp(-b H') with H' made free of signs."""
    for rotated in (True, False):
        for j2 in np.round(np.linspace(0, 1, 11), 2):
            problem = Problem.of(heisenberg_ring(settings["n_sites"], float(j2), rotated), magnetisation=0)
            dense = problem.h.toarray()
            lowest, psi = ground_state(problem)
            free = np.diag(np.diag(dense)) - np.abs(dense - np.diag(np.diag(dense)))
            weight = np.trace(expm(-COLD * (dense - lowest * np.eye(len(psi)))))
            bosonic = np.trace(expm(-COLD * (free - lowest * np.eye(len(psi)))))
            yield {
                "series": "sign", "n_sites": settings["n_sites"], "j2": j2, "rotated": rotated,
                "variance": float(np.linalg.norm(dense @ psi - lowest * psi) ** 2),
                "average_sign": float(weight / bosonic),
            }  # fmt: skip
