"""Fig. 2: one hidden layer comes as close to any state as its width allows.

One row per system size, target, family, hidden units per site and restart: the infidelity that the fit reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.complex_protocol import ComplexAnsatz, spins_of
from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.ansatz.feed_forward import FeedForward
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of
from nqs.studies.kufel2024.fitting import fit
from nqs.studies.kufel2024.systems import ground_state, haar_state, heisenberg_ring
from nqs.vmc.tangent_space import Problem

Row = dict[str, Any]


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All fits, and the identity of an RBM with a dense layer; settings: those of the figure, and seed."""
    fits = [row for n_sites in settings["sizes"] for row in of_size(n_sites, settings)]
    return pd.DataFrame([*fits, dense_layer(settings["seed"])])


def families(n_sites: int, density: int) -> dict[str, ComplexAnsatz]:
    """Both networks with so many hidden units per site."""
    return {
        "rbm": ComplexRbm.full(n_sites, density * n_sites, 0.2),
        "feed-forward": FeedForward(n_sites, density * n_sites),
    }


def of_size(n_sites: int, settings: Mapping[str, Any]) -> Iterator[Row]:
    """Fits of the Heisenberg ground state on the states of Sz = 0, and of one Haar-random state on all states."""
    ring, everything = Problem.of(heisenberg_ring(n_sites), 0), Problem.of(heisenberg_ring(n_sites))
    random = haar_state(1 << n_sites, np.random.default_rng(seed_of("haar", n_sites, settings["seed"])))
    ground = ground_state(ring)[1].astype(complex)
    for target, problem, psi in (("heisenberg", ring, ground), ("haar", everything, random)):
        for density in settings["densities"]:
            for name, ansatz in families(n_sites, density).items():
                for restart in range(settings["restarts"]):
                    identity = ("fig2", n_sites, target, density, name, restart, settings["seed"])
                    start = ansatz.initial(np.random.default_rng(seed_of(*identity)))
                    _, reached = fit(problem, ansatz, psi, start, settings["iterations"])
                    yield {
                        "series": "fit", "n_sites": n_sites, "target": target, "family": name, "density": density,
                        "n_parameters": real_parameters(ansatz), "restart": restart, "infidelity": reached,
                    }  # fmt: skip
                print(f"N = {n_sites}, {target}, {name}, {density} units per site: {reached:.1e}")


def real_parameters(ansatz: ComplexAnsatz) -> int:
    """Parameters, complex ones counted twice."""
    return ansatz.n_parameters * (2 if ansatz.holomorphic else 1)


def dense_layer(seed: int) -> Row:
    """Largest difference between ln psi of an RBM and a dense layer with ln cosh, summed, plus the visible term."""
    ansatz, states = ComplexRbm.full(8, 8, 0.3), np.arange(256, dtype=np.uint64)
    wave = ansatz.at(ansatz.initial(np.random.default_rng(seed_of("dense layer", seed))))
    spins = spins_of(states, 8)
    layer = np.log(2 * np.cosh(spins @ wave.weights.T + wave.hidden)).sum(axis=1)
    ratio = np.exp(wave.log_psi(states) - (layer - 8 * np.log(2)) - spins @ wave.visible)
    return {"series": "identity", "n_sites": 8, "difference": float(np.abs(ratio - 1).max())}
