"""Cost of a ten-point coupling scan of one cluster: blocks of all sectors, then ground states.

usage   python benchmarks/ground_state.py [cluster]
prints  CPU seconds per coupling, build included, and the peak memory
"""

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from nqs.ground_state import solve
from nqs.hamiltonian import build
from nqs.lattices import cluster
from nqs.wavefunction import Wavefunction

COUPLINGS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.8, 1.0)


def main(name: str) -> None:
    """Run the scan and print its cost."""
    with TemporaryDirectory() as folder:
        blocks, state = Path(folder) / "blocks.h5", Path(folder) / "state.h5"
        start = time.process_time()
        build(cluster(name), blocks)
        built = time.process_time() - start
        print(f"build {built:.1f} s, {blocks.stat().st_size / 1e6:.0f} MB on disk")
        for j2 in COUPLINGS:
            begun = time.process_time()
            solve(blocks, j2, state, allow_degenerate=True)
            energy = Wavefunction.read(state).energy
            print(f"J2 = {j2:<5} E = {energy:.10f}  {time.process_time() - begun:.1f} s")
        total = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {total / len(COUPLINGS):.1f} CPU s per coupling, peak {memory:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "square24")
