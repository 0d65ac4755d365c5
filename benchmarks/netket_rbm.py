"""Variational Monte Carlo of the restricted Boltzmann machine: this project against NetKet.

    ./nqs exec python benchmarks/netket_rbm.py --install     make .venv-bench, the environment of NetKet
    ./nqs exec python benchmarks/netket_rbm.py               measure (12 minutes on an idle core)
    ./nqs exec python benchmarks/netket_rbm.py --check       compare energies and gradients instead of times
    ./nqs exec python benchmarks/netket_rbm.py --table FILES the table of earlier measurements, of several cells each

Same training as the study mummaneni2026 at paper scale: Heisenberg rings with Marshall's sign rule, real parameters in
double precision, 16 chains of single-spin flips, 4096 samples, stochastic reconfiguration, Adam, stop at a relative
error of 1e-3. Each program is a process of its own, single-threaded, on the same core, and they take turns.

CPU time per iteration: this project trains one network; at the middle of each sixth of that course both programs
load its parameters, Adam's moments and chains, and go on training from there, in several rounds. Compilation is not
counted. "Fastest" takes NetKet's Cholesky solver where it beats its default solver.
CPU time to the stop: measured for the sizes of --stop; elsewhere the number of iterations of our networks times the CPU
time per iteration of either program, marked with "*".
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import geometric_mean, mean, median
from tempfile import TemporaryDirectory
from typing import Any

from netket_environment import PYTHON, ROOT, WORKERS, command
from workers.pipe import Worker

STUDY = "mummaneni2026"
CHECKPOINTS = 6  # of a course
WARM_UP = 3  # iterations that compile
SEEDS_PER_RUN = 5  # our networks trained to the stop before and after each of NetKet's
Cell = dict[str, Any]  # everything measured in one cell


class Pair:
    """Both programs on one cell, each in a process of its own."""

    def __init__(self, n_sites: int, alpha: int, folder: Path, stack: ExitStack) -> None:
        settings, self.folder = settings_of(n_sites, alpha), folder
        text, state = json.dumps(settings), ground_state(settings, folder)
        worker = Path(sys.executable), WORKERS / "with_nqs.py", folder / "nqs.log", text, str(state)
        self.ours = stack.enter_context(Worker(*worker))
        self.netket = stack.enter_context(Worker(PYTHON, WORKERS / "with_netket.py", folder / "netket.log", text))

    def load(self, checkpoint: str, seed: int, method: str = "default") -> None:
        """Bring both programs to a checkpoint."""
        arrays = str(self.folder / "checkpoint.npz")
        self.ours("load", checkpoint=checkpoint, seed=seed)
        self.ours("export", path=arrays)
        self.netket("load", path=arrays, method=method)


def settings_of(n_sites: int, alpha: int) -> dict[str, Any]:
    """The cell's settings in the study at paper scale."""
    from nqs.studies.mummaneni2026 import cells
    from nqs.studies.mummaneni2026.study import STUDY as THE_STUDY
    from nqs.vmc.keys import SWEEP, VmcKey
    from nqs.workflow.configuration import load

    config = load(ROOT, {"scale": "paper"}).of(THE_STUDY)
    return cells.vmc_settings(config, VmcKey(STUDY, f"ring{n_sites}", alpha, "paper", SWEEP))


def ground_state(settings: dict[str, Any], folder: Path) -> Path:
    """Compute the ring's ground state as the workflow does; returns its file."""
    ring = {"name": settings["key"]["cluster"], "lattice": "ring", "shape": [settings["n_sites"], 1]}
    ring |= {"symmetries": ["translations", "spin_flip"], "j2": 0.0, "tolerance": 1e-10, "allow_degenerate": False}
    ring["known"] = None
    ring |= {"backend": "auto"}
    blocks, state = folder / "blocks.h5", folder / "state.h5"
    nqs = [sys.executable, "-W", "ignore", "-m", "nqs"]
    made, found = f"hamiltonian={blocks}", f"ground_state={state}"
    for stage in (["hamiltonian", "--output", made], ["ground_state", "--input", made, "--output", found]):
        subprocess.run([*nqs, "stage", *stage, "--settings", json.dumps(ring)], check=True, stdout=subprocess.DEVNULL)
    return state


def measure(n_sites: int, alpha: int, given: argparse.Namespace) -> Cell:
    """One cell: CPU time per iteration, memory, iterations and time to the stop."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        pair = Pair(n_sites, alpha, Path(name), stack)
        course = converged_course(pair)
        places = evenly_spaced(course.pop("checkpoints"), course["iterations"])
        timings = [rounds_at(pair, place, given, first=place == places[0]) for place in places]
        cell = {"n_sites": n_sites, "alpha": alpha, "versions": pair.netket("versions"), "course": course}
        cell |= {f"{side}_mb": getattr(pair, side)("memory")["memory_mb"] for side in ("netket", "ours")}
        cholesky = rounds_at(pair, places[len(places) // 2], given, "cholesky")  # costs the same everywhere
        cell |= {"timings": timings, "cholesky": cholesky, **per_iteration(timings, cholesky)}
        return cell | time_to_stop(pair, cell, given)


def converged_course(pair: Pair) -> dict[str, Any]:
    """Our first network that meets the criterion, with its checkpoints."""
    for seed in range(5):
        course = pair.ours("train", seed=seed, folder=str(pair.folder))
        if course["status"] == "converged":
            return course
    raise SystemExit(f"none of five networks converged; the last ended as {course['status']}")


def evenly_spaced(checkpoints: dict[str, str], iterations: int) -> list[str]:
    """Files of the checkpoints nearest to the middles of equal parts of a course."""
    middles = [(part + 0.5) * iterations / CHECKPOINTS for part in range(CHECKPOINTS)]
    return [checkpoints[min(checkpoints, key=lambda i: abs(int(i) - middle))] for middle in middles]


def rounds_at(
    pair: Pair, checkpoint: str, given: argparse.Namespace, method: str = "default", first: bool = True
) -> dict[str, Any]:
    """Milliseconds of CPU per iteration of both programs from one checkpoint on, one value per round.

    first: of this cell and method, so that NetKet has to compile.
    """
    pair.load(checkpoint, 0, method)
    pair.netket("time", iterations=WARM_UP if first else 1)
    found: dict[str, list[float]] = {"netket": [], "ours": []}
    for seed in range(given.rounds):
        pair.load(checkpoint, seed, method)
        found["netket"].append(1e3 * pair.netket("time", iterations=given.iterations)["cpu_s"])
        if method == "default":
            found["ours"].append(1e3 * pair.ours("time", iterations=given.our_iterations)["cpu_s"])
    return {"iteration": int(Path(checkpoint).stem), **found}


def per_iteration(timings: Sequence[dict[str, Any]], cholesky: dict[str, Any]) -> dict[str, Any]:
    """Means over the course of the medians over rounds."""
    netket, ours = (mean(median(place[side]) for place in timings) for side in ("netket", "ours"))
    fastest = min(netket, median(cholesky["netket"]))
    return {
        "netket_ms": netket, "netket_fastest_ms": fastest, "ours_ms": ours,
        "ratio": netket / ours, "ratio_fastest": fastest / ours,
    }  # fmt: skip


def time_to_stop(pair: Pair, cell: Cell, given: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds to the stop: measured, or the number of iterations times the CPU time of one."""
    if cell["n_sites"] not in given.stop:
        iterations = stored_iterations(given.models, cell) or [cell["course"]["iterations"]]
        times = {f"{side}_stop_s": mean(iterations) * cell[f"{side}_ms"] / 1e3 for side in ("netket", "ours")}
        return {"stop": "product", "ours_iterations": iterations, "netket_iterations": [], **times}
    netket, ours = [], []
    for run in range(given.seeds):
        first = 1 + 2 * run * SEEDS_PER_RUN
        ours += [pair.ours("train", seed=first + i) for i in range(SEEDS_PER_RUN)]
        netket.append(pair.netket("train", seed=run, exact_energy=cell["course"]["exact_energy"]))
        ours += [pair.ours("train", seed=first + SEEDS_PER_RUN + i) for i in range(SEEDS_PER_RUN)]
    return {
        "stop": "measured", "ours_iterations": column(ours, "iterations"),
        "netket_iterations": column(netket, "iterations"), "not_converged": not_converged([*netket, *ours]),
        "netket_stop_s": mean(column(netket, "cpu_s")), "ours_stop_s": mean(column(ours, "cpu_s")),
    }  # fmt: skip


def column(runs: Iterable[dict[str, Any]], name: str) -> list[Any]:
    return [run[name] for run in runs]


def not_converged(runs: Iterable[dict[str, Any]]) -> int:
    return sum(status != "converged" for status in column(runs, "status"))


def stored_iterations(folder: Path | None, cell: Cell) -> list[int]:
    """Iterations to the stop of the study's networks in this cell, where a folder with its results is given."""
    path = folder and folder / f"ring{cell['n_sites']}" / f"rbm{cell['alpha']}-paper-sweep_models.csv"
    if not path or not path.exists():
        return []
    with open(path, newline="") as file:
        return [int(row["stopped_at"]) for row in csv.DictReader(file) if row["status"] == "converged"]


def table(cells: Sequence[Cell]) -> str:
    """Markdown: one row per cell, then geometric means and minima of the ratios."""
    head = [
        "N", "alpha", "iterations to stop: ours", "NetKet", "ms per iteration: ours", "NetKet", "ratio",
        "NetKet fastest", "ratio", "s to stop: ours", "NetKet", "ratio", "peak MB: ours", "NetKet", "ratio",
    ]  # fmt: skip
    rows = [head, ["---"] * len(head), *(row_of(cell) for cell in cells)]
    ratios = [
        [cell["ratio"], cell["ratio_fastest"], stop_ratio(cell), cell["netket_mb"] / cell["ours_mb"]] for cell in cells
    ]
    for label, summarise in (("geometric mean", geometric_mean), ("minimum", min)):
        per, fastest, stop, memory = (f"{summarise(values):.1f}" for values in zip(*ratios, strict=True))
        rows.append([label, *[""] * 5, per, "", fastest, "", "", stop, "", "", memory])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def row_of(cell: Cell) -> list[str]:
    mark = "" if cell["stop"] == "measured" else "*"
    runs = [cell["ours_iterations"], cell["netket_iterations"]]
    return [
        str(cell["n_sites"]), str(cell["alpha"]),
        *(f"{mean(values):.0f} ({len(values)})" if values else "" for values in runs),
        f"{cell['ours_ms']:.2f}", f"{cell['netket_ms']:.0f}", f"{cell['ratio']:.1f}",
        f"{cell['netket_fastest_ms']:.0f}", f"{cell['ratio_fastest']:.1f}",
        f"{cell['ours_stop_s']:.1f}{mark}", f"{cell['netket_stop_s']:.0f}{mark}", f"{stop_ratio(cell):.1f}",
        f"{cell['ours_mb']:.0f}", f"{cell['netket_mb']:.0f}", f"{cell['netket_mb'] / cell['ours_mb']:.1f}",
    ]  # fmt: skip


def stop_ratio(cell: Cell) -> float:
    return cell["netket_stop_s"] / cell["ours_stop_s"]


def check() -> int:
    """A converged network of ours in NetKet: exact energy and variance, and natural gradients on NetKet's samples."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        pair = Pair(8, 2, Path(name), stack)
        course = pair.ours("train", seed=0)
        pair.ours("export", path=f"{name}/end.npz")
        pair.netket("load", path=f"{name}/end.npz")
        ours, netket = pair.ours("exact"), pair.netket("exact")
        findings = [(f"exact {key}", abs(netket[key] / ours[key] - 1), 1e-6) for key in ("energy", "variance")]
        for method, limit in (("cholesky", 1e-3), ("default", 1e-2)):  # the latter iterates to a tolerance of its own
            pair.netket("direction", path=f"{name}/sample.npz", method=method)
            found = pair.ours("direction", path=f"{name}/sample.npz")
            findings.append(("sampled energy", found["energy"], 1e-6))
            findings.append((f"natural gradient, NetKet's {method} solver", found["direction"], limit))
    print(f"ring of 8, alpha 2, {course['status']} after {course['iterations']} iterations")
    print(f"all 2^8 states: energy {ours['energy']:.10f}, variance {ours['variance']:.10f}; relative differences:")
    for label, difference, limit in findings:
        print(f"  {label:45} {difference:8.1e}  {'ok' if difference < limit else f'above {limit:g}'}")
    return int(any(not difference < limit for _, difference, limit in findings))


def run(given: argparse.Namespace) -> None:
    """Measure all cells; prints the table and writes everything that was measured."""
    cells = []
    for n_sites, alpha in itertools.product(given.sites, given.alphas):
        cells.append(measure(n_sites, alpha, given))
        times = f"{cells[-1]['netket_ms']:.1f} ms, ours {cells[-1]['ours_ms']:.2f} ms"
        print(f"N = {n_sites}, alpha = {alpha}: NetKet {times}", file=sys.stderr, flush=True)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(cells, indent=1))
    print(table(cells))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--install", action="store_true", help="make NetKet's environment and end")
    add("--check", action="store_true", help="compare results instead of times")
    add("--table", type=Path, nargs="+", metavar="FILE", help="print the table of these files and end")
    add("--sites", type=int, nargs="+", default=[8, 12, 16, 20])
    add("--alphas", type=int, nargs="+", default=[2, 5])
    add("--rounds", type=int, default=3, help="at each checkpoint")
    add("--iterations", type=int, default=2, help="of NetKet per round")
    add("--our-iterations", type=int, default=40, help="of this project per round")
    add("--stop", type=int, nargs="*", default=[8], help="sizes trained to the stop by both")
    add("--seeds", type=int, default=1, help="NetKet networks trained to the stop; ten times more of ours")
    add("--models", type=Path, help=f"results/SCALE/vmc/{STUDY}: more iterations to the stop")
    add("--core", type=int, help="of the processor (default: the last one)")
    add("--out", type=Path, default=ROOT / "results/benchmarks/netket_rbm.json")
    return parser


def main() -> int:
    def in_order(cells: list[Any]) -> str:
        return table(sorted(cells, key=lambda cell: (cell["n_sites"], cell["alpha"])))

    return command(arguments(), in_order, lambda _: check(), lambda given: run(given) or 0)


if __name__ == "__main__":
    sys.exit(main())
