"""Cost of a coupling scan of one cluster: Hamiltonian file, products with H, ground states.

usage   python benchmarks/ground_state.py [cluster] [--backend auto|quspin|kernel] [--symmetries ...] [--j2 ...]
prints  CPU seconds of the file and per coupling, build included, and the peak memory, pages of mapped files included.
        With the kernel also the parts: orbits, lists of neighbours, ns per stored element of a product with H in one
        sector and in 16, screening of sectors, and the rest of each search.
        With `--against-quspin` QuSpin's CPU seconds for the same file too.
"""

import argparse
import resource
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nqs.exact.blocks import SYMMETRIES, build
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import solve
from nqs.exact.kernel import file as kernel_file
from nqs.exact.kernel.lane_vectors import zeros
from nqs.exact.kernel.screening import MOST_LANES, Screening
from nqs.exact.sectors import open_sectors
from nqs.model.lattices import cluster
from nqs.runtime.hdf5 import open_hdf5

COUPLINGS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.8, 1.0)
SPENT: dict[str, float] = defaultdict(float)  # CPU seconds by part


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def clock(owner: object, name: str, part: str) -> None:
    """Count the CPU time of all calls of a function from now on."""
    function = getattr(owner, name)

    @wraps(function)
    def timed(*arguments, **options):
        begun = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            SPENT[part] += time.process_time() - begun

    setattr(owner, name, timed)


def product_costs(blocks: Path) -> tuple[float, float]:
    """ns per stored element of a product with H in the first sector, and in the first 16 at once, compiled before."""
    with open_hdf5(blocks) as file, open_sectors(file, {"j1": 1.0, "j2": 0.5}) as sectors:
        stored = sum(len(file[key]["words"]) for key in ("j1", "j2"))
        names = sectors.names[:MOST_LANES]
        vector = np.ones(len(file["orbits/sizes"]), dtype=sectors.dtype)
        apply, lanes = sectors.apply(names[0]), sectors.lanes(names)
        one = best_of_three(lambda: apply(vector))
        x, y = (zeros((len(vector), len(names)), np.float32) for _ in range(2))
        x[...], beta = 1, np.ones(len(names))
        all_at_once = best_of_three(lambda: lanes.recur(x, y, beta))
        return one / stored * 1e9, all_at_once / stored * 1e9


def best_of_three(work: Callable[[], object]) -> float:
    """Least CPU time of three calls after a first one."""
    work()
    return min(cpu_seconds(work) for _ in range(3))


def main(options: argparse.Namespace) -> None:
    """Run the scan and print its cost."""
    made = cluster(options.cluster)
    with TemporaryDirectory(dir=options.folder) as folder:
        blocks, state = Path(folder) / "blocks.h5", Path(folder) / "state.h5"
        build(cluster("kagome12"), blocks, options.symmetries, "kernel")  # compiles
        clock(kernel_file, "find_orbits", "orbits")
        clock(kernel_file, "_write_neighbours", "lists")
        clock(Screening, "run", "screening")
        built = cpu_seconds(lambda: build(made, blocks, options.symmetries, options.backend, options.threads))
        print(f"build {built:.1f} s, {blocks.stat().st_size / 1e6:.0f} MB on disk")
        with open_hdf5(blocks) as file:
            fast = file.attrs.get("backend") == "kernel"
        if fast:
            print(f"orbits {SPENT['orbits']:.1f} s, lists {SPENT['lists']:.1f} s")
            one, several = product_costs(blocks)
            print(f"product with H, per stored element: {one:.2f} ns, of up to {MOST_LANES} sectors {several:.2f} ns")
        if options.against_quspin:
            other = Path(folder) / "quspin.h5"
            slow = cpu_seconds(lambda: build(made, other, options.symmetries, "quspin"))
            print(f"QuSpin {slow:.1f} s, {slow / built:.0f} times as long")
        total = built
        for j2 in options.j2:
            before = SPENT["screening"]
            search = partial(solve, blocks, j2, state, allow_degenerate=True, threads=options.threads)
            seconds = cpu_seconds(search)
            screening = SPENT["screening"] - before
            print(
                f"J2 = {j2:<5} E = {Wavefunction.read(state).energy:.10f}  {seconds:.1f} s: "
                f"screening {screening:.1f} s, state {seconds - screening:.1f} s"
            )
            total += seconds
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    mean = total / len(options.j2)
    print(f"{made.name}: {mean:.1f} CPU s = {mean / 60:.2f} CPU min per coupling, build included; peak {memory:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", nargs="?", default="square24")
    parser.add_argument("--backend", default="auto", choices=["auto", "quspin", "kernel"])
    parser.add_argument("--symmetries", nargs="+", default=SYMMETRIES[:2], choices=SYMMETRIES)
    parser.add_argument("--j2", nargs="+", type=float, default=COUPLINGS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", help="for the files, where that of temporary files is too small")
    parser.add_argument("--against-quspin", action="store_true")
    main(parser.parse_args())
