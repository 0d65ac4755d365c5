"""Cost of energy descent on long rings, by network and kernel size: CPU seconds of one thread, or with --device the
wall time of the program that trains many runs at once.

The target is 500 iterations of 20,000 samples of the shallow network at N = 240 within 60 s for K = 6 and 90 s for
K = 12. An iteration costs the same at any parameters but for the share of accepted moves, so a few are timed after a
short descent.

    python benchmarks/motif_sampler.py [-k 3 6 12 24] [-n 240] [-i 10] [-p pair neighbour] [-s 1 10]
    python benchmarks/motif_sampler.py -d cuda -r 40 -k 3 6 12 -s 1 10    40 runs at once; -d cpu does the same here
    python benchmarks/motif_sampler.py -a 2x2 2x4 2x8 3x4 -m 1000 -c 100 -n 60 240 -p pair    deep: L layers x F filters
"""

from __future__ import annotations

import argparse
import itertools
import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import time
from dataclasses import replace

import numpy as np

from nqs.ansatz.deep_cnn import DeepCnn
from nqs.ansatz.ring_protocol import RingAnsatz
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.vmc.loop import Run, Task, iterate, train
from nqs.vmc.optimisers import Adam
from nqs.vmc.ring_sampler import RingSample, RingSampler
from nqs.vmc.ring_task import ring_task

ITERATIONS, SETTLING = 500, 30  # of a whole run; cheap ones before the timing
BURN_IN = 5  # sweeps that are timed


def cpu_seconds(run) -> float:
    """CPU seconds of this thread."""
    begin = time.thread_time()
    run()
    return time.thread_time() - begin


def parts(run: Run, task: Task) -> dict[str, float]:
    """Milliseconds of the parts of one iteration with a single step."""
    wave = task.ansatz.at(run.theta)
    drawn: list[RingSample] = []
    draw = cpu_seconds(lambda: drawn.append(task.sampler.draw(wave, run.chains, run.rng)))
    states = drawn[0].states
    energies = cpu_seconds(lambda: wave.ring_energies(states))
    slopes = cpu_seconds(lambda: wave.derivatives(states).backward(np.ones(len(states))))
    return {"draw_ms": 1e3 * draw, "energies_ms": 1e3 * energies, "slopes_ms": 1e3 * slopes}


def family_of(network: str, n_sites: int, width: int) -> RingAnsatz:
    """The shallow network, or LxF."""
    if network == "shallow":
        return ShallowCnn(n_sites, width, "traj")
    layers, filters = map(int, network.split("x"))
    return DeepCnn(n_sites, width, layers, filters)


def measure(family: RingAnsatz, sampler: RingSampler, steps: int, iterations: int) -> dict[str, float]:
    """Milliseconds per iteration (median), of its parts, seconds of a whole run and of its burn-in."""
    full = ring_task(family, sampler, Adam(1e-2), steps, ITERATIONS)
    run = Run.start(replace(full, sampler=replace(sampler, burn_in=BURN_IN)), 0)
    few = replace(full, sampler=replace(sampler, samples=2 * sampler.chains), steps=1)
    train(run, few, lambda run: run.iteration < SETTLING)
    iterate(run, full)
    times = [cpu_seconds(lambda: iterate(run, full)) for _ in range(iterations)]
    each, found = float(np.median(times)), parts(run, full)
    burn_in = cpu_seconds(lambda: replace(sampler, burn_in=BURN_IN).start(run.rng, family.at(run.theta)))
    found |= {"acceptance": run.column("acceptance")[-1], "burn_in_s": sampler.burn_in / BURN_IN * burn_in}
    return {"ms": 1e3 * each, **found, "run_s": ITERATIONS * each + found["burn_in_s"]}


def measure_stack(
    family: RingAnsatz, sampler: RingSampler, steps: int, iterations: int, n_runs: int, device: str
) -> dict[str, float]:
    """Wall milliseconds per iteration of all runs at once (median), and per run, and seconds of whole runs."""
    from nqs.vmc.gpu import ring as gpu_ring

    marks: list[float] = []

    def mark(number: int, run: Run) -> bool:
        if number == n_runs - 1:
            marks.append(time.monotonic())
        return len(marks) <= iterations + 1  # the first is slower: kernels are loaded

    task = ring_task(family, sampler, Adam(1e-2), steps, ITERATIONS)
    begin = time.monotonic()
    runs = gpu_ring.train([task] * n_runs, range(n_runs), [None] * n_runs, device, mark)
    each = float(np.median(np.diff(marks[1:])))
    burn_in = max(marks[0] - begin - each, 0.0)
    found = {"acceptance": float(np.mean([run.column("acceptance")[-1] for run in runs]))}
    return {"ms": 1e3 * each, "run_ms": 1e3 * each / n_runs, **found, "burn_in_s": burn_in,
            "runs_s": ITERATIONS * each + burn_in}  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-a", "--networks", nargs="+", default=["shallow"], help="shallow, or LxF for deep ones")
    add("-k", "--width", type=int, nargs="+", default=[3, 6, 12, 24])
    add("-n", "--sites", type=int, nargs="+", default=[240])
    add("-m", "--samples", type=int, default=20_000)
    add("-c", "--chains", type=int, default=500)
    add("-i", "--iterations", type=int, default=10, help="timed iterations of each case")
    add("-p", "--proposals", nargs="+", default=["pair", "neighbour"])
    add("-s", "--steps", type=int, nargs="+", default=[1], help="optimiser steps per sample")
    add("-d", "--device", choices=["cpu", "cuda"], help="train runs all at once there, instead of the compiled kernels")
    add("-r", "--runs", type=int, default=40, help="with --device: runs at once")
    return parser.parse_args()


def main() -> None:
    """Print one row per case."""
    given = arguments()
    names = ["ms", "draw_ms", "energies_ms", "slopes_ms", "acceptance", "burn_in_s", "run_s"]
    proposed = given.proposals
    if given.device:
        names, proposed = ["ms", "run_ms", "acceptance", "burn_in_s", "runs_s"], ["pair"]
    print(f"{'N':>4} {'K':>3} {'network':>8} {'proposals':>10} {'steps':>5} " + " ".join(f"{n:>11}" for n in names))
    cases = itertools.product(given.sites, given.width, given.networks, proposed, given.steps)
    for n_sites, width, network, proposals, steps in cases:
        sampler = RingSampler(n_sites, given.samples, given.chains, proposals)
        family = family_of(network, n_sites, width)
        if given.device:
            row = measure_stack(family, sampler, steps, given.iterations, given.runs, given.device)
        else:
            row = measure(family, sampler, steps, given.iterations)
        values = " ".join(f"{row[name]:11.3f}" for name in names)
        print(f"{n_sites:4d} {width:3d} {network:>8} {proposals:>10} {steps:5d} {values}", flush=True)


if __name__ == "__main__":
    main()
