"""Rows of Fig. X2: where the ground state of a cluster changes with J2/J1, from exact ground states alone.

A crossing lies between two neighbouring couplings whose ground states are nearly orthogonal. It is found whether the
two belong to different momenta or to one sector, and without any network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.exact.eigenstate import Wavefunction
from nqs.runtime.errors import BrokenFileError
from nqs.runtime.job import Files

COLUMNS = [
    "cluster", "lattice", "n_sites", "j2_over_j1", "energy_per_site", "gap", "momentum_x", "momentum_y", "spin_flip",
    "next_level", "held_weight", "epsilon_train", "j2_next", "fidelity_next",
]  # fmt: skip
HALF = 0.5  # squared overlap of neighbours below which a level has crossed between them


def held_weight(state: Wavefunction, epsilon: float) -> float:
    """Mean |psi|^2 of the distinct states among round(epsilon K) draws from |psi|^2."""
    p = state.amplitudes**2
    seen = -np.expm1(round(epsilon * state.dimension) * np.log1p(-p))
    return float((state.orbit_sizes * p * seen).sum())


def fidelity(one: Wavefunction, other: Wavefunction) -> float:
    """Squared overlap of two states of one cluster; 0 if a symmetry gives them different signs."""
    if not np.array_equal(one.representatives, other.representatives):
        raise BrokenFileError(f"{one.cluster}: the files of J2 = {one.j2:g} and {other.j2:g} have unlike symmetries")
    if not np.array_equal(one.characters, other.characters):
        return 0.0
    return float((one.orbit_sizes * one.amplitudes * other.amplitudes).sum() ** 2)


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per coupling, clusters in order: level, gap, momentum, held weight, and fidelity with the next coupling.

    settings: epsilon, and places (cluster and J2/J1 of each file, in order, couplings ascending).  Energies in S.S
    units; fidelity_next and j2_next are empty in the last row of a cluster.
    """
    table: list[dict[str, Any]] = []
    last: Wavefunction | None = None  # no more than two states are held at once
    for place, path in zip(settings["places"], files["ground_states"], strict=True):
        state = Wavefunction.read(path)
        if last is not None and last.cluster == state.cluster:
            table[-1] |= {"j2_next": state.j2, "fidelity_next": fidelity(last, state)}
        table.append({**place, **level(state), "held_weight": held_weight(state, settings["epsilon"])})
        last = state
    return pd.DataFrame(table).assign(epsilon_train=settings["epsilon"]).reindex(columns=COLUMNS)


def level(state: Wavefunction) -> dict[str, Any]:
    """Energy per site, gap, momentum (units of 2 pi / L), spin flip and where the next level is."""
    return {
        "lattice": state.lattice,
        "n_sites": state.n_sites,
        "energy_per_site": state.energy / state.n_sites,
        "gap": state.gap,
        "momentum_x": state.momentum[0],
        "momentum_y": state.momentum[1],
        "spin_flip": state.spin_flip,
        "next_level": state.gap_sector,
    }


def crossings(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the couplings below a crossing, with j2_crossing, halfway to the next, and its half-width."""
    found = table[table.fidelity_next < HALF]
    return found.assign(
        j2_crossing=(found.j2_over_j1 + found.j2_next) / 2, half_width=(found.j2_next - found.j2_over_j1) / 2
    )
