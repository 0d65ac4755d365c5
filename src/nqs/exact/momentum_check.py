"""Stage `momentum_check`: does a state of complex momentum lie below the ground states found?

The ground-state search runs over sectors of real characters. Here the whole Sz = 0 space is covered by the sectors of
a group of commuting involutions, complex momenta included, and its lowest energy is compared at every coupling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import pandas as pd

from nqs.exact.blocks import build_sectors, covering_generators
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import lowest_levels
from nqs.model.clusters import dimension
from nqs.model.hamiltonians import j1j2_couplings
from nqs.model.lattices import Cluster, cluster_of
from nqs.model.symmetry import make_group
from nqs.runtime.errors import GroundStateError, InputError
from nqs.runtime.files import atomic
from nqs.runtime.hdf5 import open_hdf5
from nqs.runtime.job import Job

TOLERANCE = 1e-9  # relative residual of the eigensolver
AGREEMENT = 1e-7  # total energies, S.S units
MOST_SITES = 32


@contextmanager
def covering_sectors(cluster: Cluster) -> Iterator[h5py.File]:
    """Hamiltonian blocks that together cover the whole Sz = 0 space, in a temporary file.

    InputError above MOST_SITES, where they have too many orbits.
    """
    generators = covering_generators(cluster)
    if cluster.n_sites > MOST_SITES:
        order = len(make_group(generators, cluster.n_sites)[0].permutations)
        orbits = dimension(cluster.n_sites) / order / 1e6
        raise InputError(
            f"momentum_check goes up to {MOST_SITES} sites: the sectors that cover all momenta of {cluster.name} use "
            f"only {order} symmetries and would have {orbits:.0f} million orbits"
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sectors.h5"
        build_sectors(cluster, generators, path)
        with open_hdf5(path) as file:
            yield file


def check(cluster: Cluster, ground_states: Sequence[Path], out: Path) -> None:
    """Write one row per ground state: its energy and gap, and those of the whole Sz = 0 space (total, S.S units).

    Raises GroundStateError, after writing the table, if any ground state is not the lowest; InputError above
    MOST_SITES.
    """
    rows = []
    with covering_sectors(cluster) as sectors:
        for path in ground_states:
            state = Wavefunction.read(path)
            lowest = lowest_levels(sectors, j1j2_couplings(state.j2), TOLERANCE)
            rows.append(row(state, lowest.energy, lowest.gap))
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).sort_values("j2_over_j1")
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    missed = table[~table.is_lowest]
    if len(missed):
        raise GroundStateError(
            f"{cluster.name}: at J2 = {', '.join(f'{j2:g}' for j2 in missed.j2_over_j1)} a state of complex momentum "
            f"lies up to {(missed.energy_ss - missed.lowest_energy_ss).max():.4f} below; see {out}"
        )


def row(state: Wavefunction, energy: float, gap: float) -> dict[str, object]:
    """One comparison."""
    return {
        "cluster": state.cluster,
        "j2_over_j1": state.j2,
        "energy_ss": state.energy,
        "lowest_energy_ss": energy,
        "gap_ss": state.gap,
        "lowest_gap_ss": gap,
        "momentum_x_2pi_over_l": state.momentum[0],
        "momentum_y_2pi_over_l": state.momentum[1],
        "spin_flip": state.spin_flip,
        "is_lowest": abs(state.energy - energy) < AGREEMENT,
    }


def stage(job: Job) -> None:
    """Compare ground states with the lowest energy over all momenta, complex ones included."""
    cell = job.settings
    cluster = cluster_of(cell)
    check(cluster, job.inputs.get("ground_states", ()), job.out("table"))
