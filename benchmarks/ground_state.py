"""Cost of a coupling scan of one cluster: Hamiltonian file, products with H, ground states.

usage   python benchmarks/ground_state.py [cluster] [--backend auto|quspin|kernel] [--symmetries ...] [--j2 ...]
prints  CPU seconds for the file and per coupling, build included; ns per stored element of H and product, with the
        kernel; the peak memory. With `--against-quspin` also QuSpin's CPU seconds for the same file.
"""

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nqs.ground_state import solve
from nqs.hamiltonian import SYMMETRIES, build
from nqs.io import open_hdf5
from nqs.lattices import cluster
from nqs.sectors import open_sectors
from nqs.wavefunction import Wavefunction

COUPLINGS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.8, 1.0)


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def product_cost(blocks: Path) -> float:
    """ns per stored element of one product with H in the first sector, after a first one that compiles."""
    with open_hdf5(blocks) as file, open_sectors(file, {"j1": 1.0, "j2": 0.5}) as sectors:
        name = sectors.names[0]
        apply, stored = sectors.apply(name), sum(len(file[key]["words"]) for key in ("j1", "j2"))
        vector = np.ones(len(file["orbits/sizes"]), dtype=sectors.dtype)
        apply(vector)
        return min(cpu_seconds(lambda: apply(vector)) for _ in range(3)) / stored * 1e9


def main(options: argparse.Namespace) -> None:
    """Run the scan and print its cost."""
    made = cluster(options.cluster)
    with TemporaryDirectory() as folder:
        blocks, state = Path(folder) / "blocks.h5", Path(folder) / "state.h5"
        build(cluster("kagome12"), blocks, options.symmetries, "kernel")  # compiles
        built = cpu_seconds(lambda: build(made, blocks, options.symmetries, options.backend))
        print(f"build {built:.1f} s, {blocks.stat().st_size / 1e6:.0f} MB on disk")
        with open_hdf5(blocks) as file:
            fast = file.attrs.get("backend") == "kernel"
        if fast:
            print(f"product with H: {product_cost(blocks):.2f} ns per stored element")
        if options.against_quspin:
            other = Path(folder) / "quspin.h5"
            slow = cpu_seconds(lambda: build(made, other, options.symmetries, "quspin"))
            print(f"QuSpin {slow:.1f} s, {slow / built:.0f} times as long")
        total = built
        for j2 in options.j2:
            seconds = cpu_seconds(lambda j2=j2: solve(blocks, j2, state, allow_degenerate=True))
            print(f"J2 = {j2:<5} E = {Wavefunction.read(state).energy:.10f}  {seconds:.1f} s")
            total += seconds
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{made.name}: {total / len(options.j2):.1f} CPU s per coupling, peak {memory:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", nargs="?", default="square24")
    parser.add_argument("--backend", default="auto", choices=["auto", "quspin", "kernel"])
    parser.add_argument("--symmetries", nargs="+", default=SYMMETRIES[:2], choices=SYMMETRIES)
    parser.add_argument("--j2", nargs="+", type=float, default=COUPLINGS)
    parser.add_argument("--against-quspin", action="store_true")
    main(parser.parse_args())
