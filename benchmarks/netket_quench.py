"""Time-dependent variational Monte Carlo of a quench: this project against NetKet.

    ./nqs exec python benchmarks/netket_quench.py --install   make .venv-bench, the environment of NetKet
    ./nqs exec python benchmarks/netket_quench.py             measure
    ./nqs exec python benchmarks/netket_quench.py --check     compare trajectories only
    ./nqs exec python benchmarks/netket_quench.py --table FILES   the table of earlier measurements

One step of Heun's rule, two solutions of (S + shift) d theta / dt = -i F, of a restricted Boltzmann machine with
complex parameters, after a quench of the transverse-field Ising ring; by sums over all states, and by samples. Each
program is a process of its own, single-threaded, on the same core, and they take turns, from the same parameters. CPU
time; compilation is not counted.

NetKet's driver TDVP has S in full with Cholesky's method, or products with S only in conjugate gradients; the samples
are those of Metropolis chains, or independent. The fastest counts. Ours are independent, drawn from all amplitudes.
"""

from __future__ import annotations

import argparse
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

SOLVERS = ["cholesky", "gradients"]
SAMPLES = ["chains", "independent"]
EQUAL = 1e-6  # largest difference of any parameter between both trajectories by exact sums
COMPARED = 20  # steps of them
Row = dict[str, Any]


class Pair:
    """Both programs on one ring, each in a process of its own."""

    def __init__(self, n_sites: int, given: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        settings = {
            "n_sites": n_sites, "alpha": given.alpha, "field": 0.5, "spread": 0.05, "step": 0.01, "shift": given.shift,
            "samples": given.samples, "chains": 16, "tolerance": 1e-8,
        }  # fmt: skip
        self.start, self.end, text = str(folder / "start.npz"), str(folder / "end.npz"), json.dumps(settings)
        ours, netket = WORKERS / "quench_with_nqs.py", WORKERS / "quench_with_netket.py"
        self.ours = stack.enter_context(Worker(Path(sys.executable), ours, folder / "nqs.log", text))
        self.netket = stack.enter_context(Worker(PYTHON, netket, folder / "netket.log", text))
        self.row = {"n_sites": n_sites, **self.ours("export", path=self.start), **self.netket("versions")}

    def times(self, sums: str, given: argparse.Namespace) -> Row:
        """CPU seconds per step of both programs, one value per round; NetKet in all its ways."""
        ours: list[float] = []
        netket: dict[str, list[float]] = {}
        self.ours("load", path=self.start, sums=sums)
        self.ours("time", steps=1)
        for way in ["exact"] if sums == "exact" else SAMPLES:
            for solver in given.solvers:
                self.netket("load", path=self.start, sums=way, solver=solver)
                self.netket("time", steps=2)  # which compiles everything
                found = netket[f"{way}, {solver}"] = []
                for _ in range(given.rounds):
                    found.append(self.netket("time", steps=given.steps)["cpu_s"])
                    ours.append(self.ours("time", steps=given.our_steps)["cpu_s"])
        return {"sums": sums, "ours_s": ours, "netket_s": netket}

    def trajectories(self) -> Row:
        """How far both trajectories by exact sums are apart."""
        self.ours("load", path=self.start, sums="exact")
        self.netket("load", path=self.start, sums="exact", solver="cholesky")
        self.netket("course", steps=COMPARED, path=self.end)
        return self.ours("course", steps=COMPARED, path=self.end)


def measure(n_sites: int, sums: str, given: argparse.Namespace) -> Row:
    """One case: times, memory, and for exact sums the difference of the trajectories."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        pair = Pair(n_sites, given, Path(name), stack)
        row = pair.row | pair.times(sums, given)
        row |= {f"{side}_mb": getattr(pair, side)("memory")["memory_mb"] for side in ("netket", "ours")}
        return row | (pair.trajectories() if sums == "exact" else {})


def table(rows: Sequence[Row]) -> str:
    """Markdown: one row per case."""
    head = [
        "N", "parameters", "sums", "ours, ms", "NetKet, ms", "its way", "ratio", "peak MB: ours", "NetKet",
        "largest difference of a parameter",
    ]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for row in rows:
        ours = median(row["ours_s"])
        way, netket = min(((way, median(times)) for way, times in row["netket_s"].items()), key=lambda pair: pair[1])
        lines.append([
            str(row["n_sites"]), str(row["parameters"]), row["sums"], f"{1e3 * ours:.1f}", f"{1e3 * netket:.0f}", way,
            f"{netket / ours:.1f}", f"{row['ours_mb']:.0f}", f"{row['netket_mb']:.0f}",
            f"{row['difference']:.0e} of {row['way']:.1g}" if "way" in row else "",
        ])  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def check(given: argparse.Namespace) -> int:
    """Trajectories by exact sums of both programs on a ring of 8; 0 if they agree."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        found = Pair(8, given, Path(name), stack).trajectories()
    agrees = found["difference"] < EQUAL
    verdict = "ok" if agrees else "DIFFERS"
    print(f"{COMPARED} steps: parameters move by {found['way']:.2g}, differ by {found['difference']:.1e} {verdict}")
    return int(not agrees)


def run(given: argparse.Namespace) -> int:
    """Measure all cases; prints the table and writes everything that was measured."""
    cases = [(n_sites, "exact") for n_sites in given.exact] + [(n_sites, "samples") for n_sites in given.sampled]
    rows = []
    given.out.parent.mkdir(parents=True, exist_ok=True)
    for n_sites, sums in cases:
        rows.append(measure(n_sites, sums, given))
        given.out.write_text(json.dumps(rows, indent=1))
        print(table(rows[-1:]), file=sys.stderr, flush=True)
    print(table(rows))
    return int(not all(row["difference"] < EQUAL for row in rows if "difference" in row))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--install", action="store_true", help="make NetKet's environment and end")
    add("--check", action="store_true", help="compare results instead of times")
    add("--table", type=Path, nargs="+", metavar="FILE", help="print the table of these files and end")
    add("--exact", type=int, nargs="*", default=[12, 14], help="rings summed exactly")
    add("--sampled", type=int, nargs="*", default=[12, 14, 16, 18, 20], help="rings sampled")
    add("--alpha", type=int, default=2, help="hidden units per site")
    add("--shift", type=float, default=1e-4)
    add("--samples", type=int, default=4096)
    add("--solvers", nargs="+", choices=SOLVERS, default=SOLVERS, help="of NetKet")
    add("--rounds", type=int, default=3)
    add("--steps", type=int, default=1, help="of NetKet per round")
    add("--our-steps", type=int, default=5, help="of this project per round")
    add("--core", type=int, help="of the processor (default: the last one)")
    add("--out", type=Path, default=ROOT / "results/benchmarks/netket_quench.json")
    return parser


def main() -> int:
    return command(arguments(), table, check, run)


if __name__ == "__main__":
    sys.exit(main())
