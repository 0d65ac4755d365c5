"""Exact variational optima, trained networks of windows and exact ground states of rings, as the stages leave them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nqs.analysis.table_files import read
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.eigenstate import Wavefunction
from nqs.runtime.errors import InputError
from nqs.runtime.job import Files
from nqs.runtime.tensors import read_tensors, refuse_absurd

OPTIMA = ("cps_expectations", "cnn_expectations", "cnn_parameters")  # tensors behind the optima
SAME_MINIMUM = 1e-4  # of sum P: minima whose energies are closer than this count as one


@dataclass(frozen=True, eq=False)
class Optima:
    """Local minima of one ring and motif length.

    table: one row per minimum, by family (cps, cnn) and start, without energy where psi was out of range;
    arrays: cps_expectations and cnn_expectations (2^K,) of the lowest, counts that add up to N;  cnn_parameters
    (start, 2K + 2), in the order of the table's cnn rows.
    """

    table: pd.DataFrame
    arrays: dict[str, np.ndarray]

    @classmethod
    def read(cls, table: Path, arrays: Path) -> Optima:
        """Raises BrokenFileError for missing arrays and InputError if the files do not belong together."""
        found = cls(read([table], ["family", "energy", "converged", "stuck"]), read_tensors(arrays, OPTIMA))
        if len(found.arrays["cnn_parameters"]) != len(found.minima("cnn")):
            raise InputError(f"{table}, {arrays}: one has other starts than the other; give them in the same order")
        refuse_absurd(arrays, found.arrays["cnn_parameters"], found.minima("cnn").energy.isna())
        for name in OPTIMA[:2]:
            refuse_absurd(arrays, found.arrays[name][None])
        return found

    @property
    def n_sites(self) -> int:
        """N: motif expectation values are counts."""
        return round(float(self.arrays["cps_expectations"].sum()))

    @property
    def length(self) -> int:
        """K."""
        return len(self.arrays["cps_expectations"]).bit_length() - 1

    def minima(self, family: str) -> pd.DataFrame:
        """Rows of one family, numbered from 0."""
        return self.table[self.table.family == family].reset_index(drop=True)

    def distinct(self, family: str) -> pd.DataFrame:
        """The first row of each minimum, ascending, numbered as in `minima`.

        A constant psi, which has no slope but is no minimum, and descents without an end are left out.
        """
        rows = self.minima(family)
        ascending = rows[rows.converged & ~rows.stuck].sort_values("energy", kind="stable")
        return ascending[~(ascending.energy.diff() < SAME_MINIMUM)]


def read_optima(files: Files) -> list[Optima]:
    """All optima among the files, kinds `optima` and `optima_arrays`; none if there are no such files."""
    pairs = zip(files.get("optima", ()), files.get("optima_arrays", ()), strict=True)
    return [Optima.read(*pair) for pair in pairs]


def optima_of(files: Files, size: int, width: int) -> Optima:
    """The optima of one ring and motif length among the files; InputError if they are not there."""
    for optima in read_optima(files):
        if (optima.n_sites, optima.length) == (size, width):
            return optima
    raise InputError(f"no variational optima of K = {width} on {size} sites among the files; add them to the inputs")


def ring_ground_state(files: Files, n_sites: int) -> Wavefunction:
    """The exact ground state of one ring among the files, kind `ground_states`; InputError if it is not there."""
    for path in files["ground_states"]:
        state = Wavefunction.read(path)
        if (state.lattice, state.n_sites) == ("ring", n_sites):
            return state
    raise InputError(f"no ground state of a ring of {n_sites} sites among the files; add ring{n_sites}")


def best_known_energy(runs: pd.DataFrame) -> pd.Series:
    """The exact energy at a run's final parameters where it is known, else the sampled one."""
    return runs.exact_energy.fillna(runs.energy)


def best_networks(files: Files, width: int) -> Iterator[tuple[ShallowCnn, np.ndarray]]:
    """The shallow network of lowest energy on each ring, K = width, with its parameters; kinds `runs` and `weights`."""
    found: dict[int, tuple[float, ShallowCnn, np.ndarray]] = {}
    for path, weights in zip(files.get("runs", ()), files.get("weights", ()), strict=True):
        runs = read([path])
        energies = best_known_energy(runs).where(runs.network.isin(FORCINGS) & (runs.width == width))
        if energies.isna().all():
            continue
        row, best = int(energies.argmin()), float(energies.min())  # the row of the weights, too
        n_sites = int(runs.n_sites.iloc[row])
        if n_sites not in found or best < found[n_sites][0]:
            network = ShallowCnn(n_sites, width, runs.network.iloc[row])
            parameters = read_tensors(weights, ["parameters"])["parameters"]
            refuse_absurd(weights, parameters, runs.status == "diverged")
            found[n_sites] = best, network, parameters[row]
    for n_sites in sorted(found):
        yield found[n_sites][1:]
