"""Write reference/ground_levels.csv from exact ground states that a search of all sectors and momenta has found.

    ./nqs run ... --config ground_state='{levels: search}'
    python tools/ground_levels.py results/<scale> [results/<scale> ...]

Rows of other clusters and couplings stay. Left out are small clusters, whose search takes seconds, and states whose
momenta were not all checked or which are degenerate.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path

from nqs.exact.eigenstate import Wavefunction
from nqs.exact.known_levels import COLUMNS, Known, digest, read

TABLE = Path(__file__).parents[1] / "reference/ground_levels.csv"
FROM = 24  # sites


def known(path: Path) -> Known | None:
    """The row of a ground state; None if it is small or its levels are not sure."""
    state = Wavefunction.read(path)
    if state.n_sites < FROM or state.degenerate or state.momenta_checked != "all" or not state.sector:
        print(f"{path}: left out")
        return None
    return Known(state.cluster, state.j2, digest(state.bonds), state.energy, state.gap, state.sector, state.gap_sector)


def main(folders: list[str]) -> None:
    """Add the ground states of results trees to the table."""
    rows = {(row.cluster, row.j2): row for row in read(TABLE)} if TABLE.exists() else {}
    for folder in folders:
        found = [known(path) for path in sorted(Path(folder).glob("ground_state/*/*.h5"))]
        rows |= {(row.cluster, row.j2): row for row in found if row}
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(rows[key]) for key in sorted(rows))
    print(f"{TABLE}: {len(rows)} ground states")


if __name__ == "__main__":
    main(sys.argv[1:])
