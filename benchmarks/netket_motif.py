"""Energy descent of the shallow convolutional network on a ring: this project against NetKet.

    ./nqs exec python benchmarks/netket_motif.py --install   make .venv-bench, the environment of NetKet
    ./nqs exec python benchmarks/netket_motif.py             measure
    ./nqs exec python benchmarks/netket_motif.py --check     compare energies and gradients only, on a short ring
    ./nqs exec python benchmarks/netket_motif.py --table FILES   the table of earlier measurements

One iteration of the study ju2025 at paper scale: 20,000 samples of 500 chains, N / 2 exchanges of neighbours between
two of them, local energies of H = sum P in the Marshall gauge, one step of Adam, no stochastic reconfiguration, double
precision. Each program is a process of its own, single-threaded, on the same core, and they take turns. CPU time, and
compilation is not counted. Both go on from the same parameters, moments and chains.

NetKet runs the network as Flax's convolution or as a sum over shifted rings, with the Hamiltonian in JAX or in Numba;
the fastest of --ways counts. Its exchanges choose among unlike neighbours only, ours among all; the second ratio lets
ours propose N of them between two samples, of which about N / 2 or more are unlike.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from netket_environment import PYTHON, ROOT, WORKERS, command
from workers.pipe import Worker

WAYS = ["convolution-jax", "rolls-jax", "rolls-numba"]
PULL = 4.0  # standard errors by which two sampled energies may differ
EXACT = 1e-8  # relative difference of what both compute from the same sample
Row = dict[str, Any]


class Pair:
    """Both programs on one case, each in a process of its own."""

    def __init__(self, settings: Row, folder: Path, stack: ExitStack) -> None:
        self.arrays, self.drawn, text = str(folder / "start.npz"), str(folder / "sample.npz"), json.dumps(settings)
        ours, netket = WORKERS / "motif_with_nqs.py", WORKERS / "motif_with_netket.py"
        self.ours = stack.enter_context(Worker(Path(sys.executable), ours, folder / "nqs.log", text))
        self.netket = stack.enter_context(Worker(PYTHON, netket, folder / "netket.log", text))
        self.start = self.ours("export", path=self.arrays)

    def load(self, way: str, chunk_size: int) -> None:
        """Bring NetKet to our parameters, in one of its ways."""
        network, operator = way.split("-")
        self.netket("load", path=self.arrays, network=network, operator=operator, chunk_size=chunk_size)

    def agreement(self) -> Row:
        """Energies of both programs' samples, and what ours makes of NetKet's."""
        netket, ours = self.netket("sample", path=self.drawn), self.ours("sample")
        error = (netket["error"] ** 2 + ours["error"] ** 2) ** 0.5
        same = self.ours("compare", path=self.drawn)
        found = {"energy_pull": abs(netket["energy"] - ours["energy"]) / error, "same_energy": same["energy"]}
        return found | {"same_gradient": same["gradient"], "ours_energy": ours, "netket_energy": netket}


def agrees(found: Row) -> bool:
    """True if the programs compute the same and sample the same."""
    return found["energy_pull"] < PULL and found["same_energy"] < EXACT and found["same_gradient"] < EXACT


def settings_of(n_sites: int, width: int, given: argparse.Namespace) -> Row:
    """What both workers are told."""
    return {
        "n_sites": n_sites, "width": width, "samples": given.samples, "chains": given.chains,
        "learning_rate": 3e-3, "settling": given.settling,
    }  # fmt: skip


def measure(n_sites: int, width: int, given: argparse.Namespace) -> Row:
    """One case: CPU seconds per iteration of both programs, one value per round, memory, and whether they agree."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        pair = Pair(settings_of(n_sites, width, given), Path(name), stack)
        row = {"n_sites": n_sites, "width": width, **pair.netket("versions"), **pair.start}
        times: dict[str, list[float]] = {way: [] for way in given.ways}
        ours: list[float] = []
        full: list[float] = []
        for way in given.ways:
            pair.load(way, given.chunk_size)
            row[way] = pair.agreement()  # which compiles everything
            pair.netket("time", iterations=1)
            for _ in range(given.rounds):
                times[way].append(pair.netket("time", iterations=1)["cpu_s"])
                ours.append(pair.ours("time", iterations=given.our_iterations)["cpu_s"])
                full.append(pair.ours("time", iterations=given.our_iterations, stride=n_sites)["cpu_s"])
            pair.start = pair.ours("export", path=pair.arrays)
        row |= {f"{side}_mb": getattr(pair, side)("memory")["memory_mb"] for side in ("netket", "ours")}
        return row | {"netket_s": times, "ours_s": ours, "ours_full_s": full}


def fastest(row: Row) -> tuple[str, float]:
    """NetKet's fastest way and its CPU seconds per iteration."""
    times = {way: median(values) for way, values in row["netket_s"].items()}
    way = min(times, key=times.__getitem__)
    return way, times[way]


def table(rows: Sequence[Row]) -> str:
    """Markdown: one row per case."""
    ways = [f"NetKet {way}, s" for way in rows[0]["netket_s"]]
    head = ["N", "K", "ours, ms", *ways, "ratio", "ours with N exchanges, ms", "ratio", "peak MB: ours", "NetKet"]
    lines = [[*head, "energy: ours", "NetKet", "gradient of the same sample"]]
    lines.append(["---"] * len(lines[0]))
    for row in rows:
        way, seconds = fastest(row)
        energies = (row[way][f"{side}_energy"] for side in ("ours", "netket"))
        lines.append([
            str(row["n_sites"]), str(row["width"]), f"{1e3 * median(row['ours_s']):.1f}",
            *(f"{median(times):.2f}" for times in row["netket_s"].values()), f"{seconds / median(row['ours_s']):.0f}",
            f"{1e3 * median(row['ours_full_s']):.1f}", f"{seconds / median(row['ours_full_s']):.0f}",
            f"{row['ours_mb']:.0f}", f"{row['netket_mb']:.0f}",
            *(f"{energy['energy']:.3f} ± {energy['error']:.3f}" for energy in energies),
            f"{row[way]['same_gradient']:.0e}",
        ])  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def check(given: argparse.Namespace) -> int:
    """Energies and gradients of both programs on a ring of 12, in all ways; 0 if they agree."""
    given.samples, given.chains, worst = 4000, 100, 0
    with TemporaryDirectory() as name, ExitStack() as stack:
        pair = Pair(settings_of(12, 4, given), Path(name), stack)
        for way in WAYS:
            pair.load(way, 500)
            found = pair.agreement()
            worst |= int(not agrees(found))
            numbers = ", ".join(f"{key} {found[key]:.1e}" for key in ("energy_pull", "same_energy", "same_gradient"))
            print(f"{way:16} {numbers} {'ok' if agrees(found) else 'DIFFERS'}")
    return worst


def run(given: argparse.Namespace) -> int:
    """Measure all cases; prints the table and writes everything that was measured."""
    rows = []
    given.out.parent.mkdir(parents=True, exist_ok=True)
    for n_sites, width in itertools.product(given.sites, given.widths):
        rows.append(measure(n_sites, width, given))
        given.out.write_text(json.dumps(rows, indent=1))
        print(table(rows[-1:]), file=sys.stderr, flush=True)
    print(table(rows))
    return int(not all(agrees(row[way]) for row in rows for way in row["netket_s"]))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--install", action="store_true", help="make NetKet's environment and end")
    add("--check", action="store_true", help="compare results instead of times")
    add("--table", type=Path, nargs="+", metavar="FILE", help="print the table of these files and end")
    add("--sites", type=int, nargs="+", default=[240, 60])
    add("--widths", type=int, nargs="+", default=[6, 12])
    add("--ways", nargs="+", choices=WAYS, default=WAYS, help="of running the network in NetKet")
    add("--samples", type=int, default=20_000)
    add("--chains", type=int, default=500)
    add("--chunk-size", type=int, default=20_000, help="states that NetKet evaluates at once")
    add("--settling", type=int, default=60, help="cheap iterations before the timing")
    add("--rounds", type=int, default=2, help="of one iteration of NetKet")
    add("--our-iterations", type=int, default=10, help="of this project per round")
    add("--core", type=int, help="of the processor (default: the last one)")
    add("--out", type=Path, default=ROOT / "results/benchmarks/netket_motif.json")
    return parser


def main() -> int:
    return command(arguments(), table, check, run)


if __name__ == "__main__":
    sys.exit(main())
