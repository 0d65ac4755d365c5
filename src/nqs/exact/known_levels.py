"""Levels that a search of the whole Sz = 0 space has found before, so that only the state itself is computed again.

That nothing lies below a ground state, and how far the next level is, costs many times the state: all other symmetry
sectors and all other momenta have to be bounded. For clusters that ship with the project this was done once; the table
`reference/ground_levels.csv` says in which sector the ground state is, its energy and its gap. A state found there
must have that energy; if it has not, or anything else does not fit, the search is made. `tools/ground_levels.py` writes
the table from ground states of a run with `ground_state.levels: search`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # configurations read the table, without what matrices need
    import h5py
    import numpy as np

AGREEMENT = 1e-9  # of energies over |E|; both are good to residual^2 / gap
COLUMNS = ("cluster", "j2", "bonds", "energy", "gap", "sector", "gap_sector")


@dataclass(frozen=True)
class Known:
    """The lowest level of one cluster and coupling: total energy and gap (S.S units).

    bonds: digest of the cluster's bonds; sector: its character for every generator of the symmetries, JSON;
    gap_sector: where the next level is, in words.
    """

    cluster: str
    j2: float
    bonds: str
    energy: float
    gap: float
    sector: str
    gap_sector: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Known:
        """From a row of the table, or the settings of a cell."""
        words = {name: str(row[name]) for name in ("cluster", "bonds", "sector", "gap_sector")}
        return cls(**words, j2=float(row["j2"]), energy=float(row["energy"]), gap=float(row["gap"]))

    def place(self, file: h5py.File) -> str | None:
        """Name of the sector in a Hamiltonian file; None if the file has other bonds or symmetries."""
        signs = json.loads(self.sector)
        generators = [str(name) for name in file.attrs["generators"]]
        bonds = {name: pairs[...] for name, pairs in file["bonds"].items()}
        if set(signs) != set(generators) or digest(bonds) != self.bonds:
            return None
        wanted = [signs[name] for name in generators]
        sectors = (name for name in file if name.startswith("sector_"))
        return next((name for name in sectors if [int(sign) for sign in file[name].attrs["signs"]] == wanted), None)


def digest(bonds: Mapping[str, np.ndarray]) -> str:
    """What tells sets of bonds (n, 2) apart, whatever the order of pairs and ends."""
    pairs = {name: sorted(sorted(map(int, pair)) for pair in bonds[name]) for name in sorted(bonds)}
    return sha256(json.dumps(pairs).encode()).hexdigest()[:12]


def sector_of(file: h5py.File, sector: str) -> str:
    """Characters of a sector for every generator, as the table has them."""
    signs = (int(sign) for sign in file[sector].attrs["signs"])
    return json.dumps(dict(zip(map(str, file.attrs["generators"]), signs, strict=True)))


def read(table: Path) -> Iterator[Known]:
    """All rows of the table."""
    with table.open(newline="", encoding="utf-8") as file:
        yield from (Known.of(row) for row in csv.DictReader(file))
