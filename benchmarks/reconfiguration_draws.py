"""Iterations of stochastic reconfiguration with draws from a new table each time, and from one that serves several.

usage   python benchmarks/reconfiguration_draws.py [cluster] [--j2 0.4] [--iterations 60] [--pairs 3]
prints  CPU seconds per iteration of both, in turn in one run, while phases are learned and after the amplitude has
        begun to move; the baseline evaluates all states for every iteration (`nqs.vmc.sampler.Exact`).
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from nqs.ansatz.amplitude_phase import AmplitudePhase
from nqs.ansatz.dense import DenseAnsatz
from nqs.model.hamiltonians import j1j2
from nqs.model.lattices import cluster
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.loop import Run, Task, iterate
from nqs.vmc.optimisers import Sgd
from nqs.vmc.reused_draws import ReusedDraws
from nqs.vmc.sampler import Exact
from nqs.vmc.signs_first import SignsFirst

SAMPLES = 2000


def task_of(name: str, j2: float, iterations: int) -> Task:
    """The signs-first method at paper scale, its first stage a third of the iterations."""
    made = cluster(name)
    dense = DenseAnsatz(made.n_sites, (64, 64))
    return Task(
        hamiltonian=j1j2(made.n_sites, {"j1": made.j1, "j2": made.j2}, j2), ansatz=AmplitudePhase(dense, dense),
        sampler=Exact(made.n_sites, SAMPLES, zero_magnetisation=True), estimates=SectorEstimates(made.n_sites),
        preconditioner=SignsFirst(1000, iterations // 3, 2.5e-2, (0.1, 3e-3), (3.0, 3e-3), 0.6), optimiser=Sgd(1.0),
        max_iterations=iterations,
    )  # fmt: skip


def seconds(task: Task, parts: tuple[int, int]) -> list[float]:
    """CPU seconds per iteration of both parts of a run; the first iteration is compiled before."""
    run, found = Run.start(task, 0), []
    iterate(run, task)
    for last in parts:
        begun, first = time.process_time(), run.iteration
        while run.iteration < last:
            iterate(run, task)
        found.append((time.process_time() - begun) / (last - first))
    return found


def main(name: str, j2: float, iterations: int, pairs: int) -> None:
    """Both samplers in pairs."""
    task = task_of(name, j2, iterations)
    reused = replace(task, sampler=ReusedDraws(task.ansatz.amplitude, SAMPLES))
    parts = (iterations // 3, iterations)
    times = np.array([[seconds(one, parts) for one in (task, reused)] for _ in range(pairs)])  # (pair, sampler, part)
    for part, words in enumerate(("phases alone", "amplitude and phases")):
        each, shared = times[:, 0, part], times[:, 1, part]
        ratios = np.sort(each / shared)
        print(
            f"{name}, J2 = {j2:g}, {words}: {np.median(each):.3f} s with a table each, {np.median(shared):.3f} s with "
            f"shared ones, ratio {np.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", nargs="?", default="square24")
    parser.add_argument("--j2", type=float, default=0.4)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    main(options.cluster, options.j2, options.iterations, options.pairs)
