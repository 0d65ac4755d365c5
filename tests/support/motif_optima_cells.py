"""Exact optima of small rings in the files that the stage `motif-optima` writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.transfer_matrix import measure
from nqs.vmc.exact_descent import lowest_energy
from support.cnn_cells import ground_energies


def write_optima(folder: Path, n_sites: int, width: int, starts: int = 4) -> tuple[Path, Path]:
    """Descend from a few starts; returns the table and the arrays."""
    plaquettes, network = Cps.symmetric(n_sites, width), ShallowCnn(n_sites, width)
    rng = np.random.default_rng([n_sites, width])
    cps = lowest_energy(plaquettes, rng.normal(0, 0.01, plaquettes.n_parameters))
    found = []
    for _ in range(starts):
        field = 0.6 * rng.normal(size=width)
        start = np.concatenate([[-0.5], np.column_stack([-field, field]).ravel(), [0.0]])
        found.append(lowest_energy(network, start))
    rows = [("cps", 0, cps), *(("cnn", start, one) for start, one in enumerate(found))]
    table = pd.DataFrame(
        {
            "family": family,
            "start": start,
            "energy": one.energy,
            "slope": one.slope,
            "converged": one.slope < 1e-4,
            "stuck": False,
        }
        for family, start, one in rows
    )
    stem = folder / f"n{n_sites}" / f"k{width}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    table.assign(**ground_energies(n_sites)).to_csv(f"{stem}.csv", index=False)
    best = min(found, key=lambda one: one.energy).coefficients
    arrays = {
        "cps_coefficients": cps.coefficients, "cnn_coefficients": np.ascontiguousarray(best),
        "cnn_parameters": np.array([one.parameters for one in found]),
        "cps_expectations": measure(n_sites, cps.coefficients).motif_expectations,
        "cnn_expectations": measure(n_sites, best).motif_expectations,
    }  # fmt: skip
    save_file(arrays, f"{stem}.safetensors")
    return Path(f"{stem}.csv"), Path(f"{stem}.safetensors")
