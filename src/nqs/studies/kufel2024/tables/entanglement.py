"""Fig. 4: entropies of blocks of local, long-range and explicit Boltzmann machines, by exact singular values.

One row per machine, instance and block: series local (width: sites that a unit sees), long-range, pairs. Series
circuit: logarithm of the rank, the largest entropy, of blocks of convolutional circuits on a square torus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nqs.ansatz.arithmetic_circuit import ArithmeticCircuit
from nqs.ansatz.complex_protocol import ComplexWave
from nqs.ansatz.complex_rbm import ComplexRbm, volume_law_pairs
from nqs.exact.matrix_product import entropy_of
from nqs.exact.modular_rank import rank
from nqs.runtime.job import Files
from nqs.runtime.seeds import seed_of

Row = dict[str, Any]


def rows(files: Files, settings: Mapping[str, Any]) -> pd.DataFrame:
    """All machines; settings: those of the figure, and seed."""
    return pd.DataFrame([row for part in (machines(settings), pairs(settings), circuits(settings)) for row in part])


def blocks(wave: ComplexWave, common: Row) -> Iterator[Row]:
    """Entropy of the first l sites, up to half of the ring."""
    logs = wave.log_psi_all()
    psi = np.exp(logs - logs.real.max())
    psi /= np.linalg.norm(psi)
    for length in range(1, wave.n_sites // 2 + 1):
        yield common | {"n_sites": wave.n_sites, "length": length, "entropy": entropy_of(psi, length)}


def machines(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Random complex weights on a ring: units that see few neighbours, and units that see all sites."""
    n_sites = settings["n_sites"]
    for instance in range(settings["instances"]):
        for width in (*settings["widths"], n_sites):
            local = width < n_sites
            family = ComplexRbm.local(n_sites, width)
            rng = np.random.default_rng(seed_of("fig4", width, instance, settings["seed"]))
            scale = settings["scale"] / np.sqrt(width)
            theta = rng.normal(0, scale, (2, family.n_parameters))
            common = {
                "series": "local" if local else "long-range", "width": width, "instance": instance,
                "n_hidden": family.n_hidden, "bound": 2 * (width - 1) * np.log(2) if local else np.nan,
            }  # fmt: skip
            yield from blocks(family.at(theta[0] + 1j * theta[1]), common)


def pairs(settings: Mapping[str, Any]) -> Iterator[Row]:
    """The explicit machine: S(l) = l ln 2."""
    family, theta = volume_law_pairs(settings["n_sites"])
    common = {"series": "pairs", "width": settings["n_sites"], "instance": 0, "n_hidden": family.n_hidden}
    yield from blocks(family.at(theta), common)


def circuits(settings: Mapping[str, Any]) -> Iterator[Row]:
    """Circuits of overlapping filters by the number of layers, and one of as many weights without overlaps."""
    side, kernel, channels = settings["side"], 2, 2
    for layers, stride in ((1, 1), (2, 1), (3, 1), (2, kernel)):
        circuit = ArithmeticCircuit(side, layers, kernel, channels, stride)
        psi = circuit.amplitudes(np.random.default_rng(seed_of("fig4 circuit", layers, stride, settings["seed"])))
        for length in range(1, side**2 // 2 + 1):
            found = rank(psi.reshape(-1, 1 << length))
            yield {
                "series": "circuit", "n_sites": side**2, "layers": layers, "kernel": kernel, "stride": stride,
                "channels": channels, "n_parameters": circuit.n_parameters, "length": length, "rank": found,
                "entropy": np.log(found),
            }  # fmt: skip
