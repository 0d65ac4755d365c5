"""Cost of energy descent on long rings: CPU seconds of one thread, by kernel size.

The target is 500 iterations of 20,000 samples at N = 240 within 60 s for K = 6 and 90 s for K = 12. An iteration costs
the same at any parameters but for the share of accepted moves, so a few are timed after a short descent.

    python benchmarks/motif_sampler.py [-k 3 6 12 24] [-n 240] [-i 10] [-p pair neighbour] [-s 1 10]
"""

from __future__ import annotations

import argparse
import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import time
from dataclasses import replace

import numpy as np

from nqs.energy_descent import Course, Problem, RingSampler, descend, iterate
from nqs.motif_networks import ShallowCnn
from nqs.optimiser import Adam

ITERATIONS, SETTLING = 500, 30  # of a whole run; cheap ones before the timing


def cpu_seconds(run) -> float:
    """CPU seconds of this thread."""
    begin = time.thread_time()
    run()
    return time.thread_time() - begin


def parts(course: Course, problem: Problem) -> dict[str, float]:
    """Milliseconds of the parts of one iteration with a single step."""
    wave = problem.ansatz.at(course.theta)
    drawn: list[np.ndarray] = []
    draw = cpu_seconds(lambda: drawn.append(problem.sampler.draw(wave, course.chains, course.rng)[0]))
    states = drawn[0].reshape(-1, drawn[0].shape[-1])
    energies = cpu_seconds(lambda: wave.ring_energies(states))
    slopes = cpu_seconds(lambda: wave.derivatives(states).backward(np.ones(len(states))))
    return {"draw_ms": 1e3 * draw, "energies_ms": 1e3 * energies, "slopes_ms": 1e3 * slopes}


def measure(n_sites: int, width: int, proposals: str, steps: int, iterations: int) -> dict[str, float]:
    """Milliseconds per iteration (median), of its parts, and seconds of a whole run."""
    sampler = RingSampler(n_sites, 20_000, 500, proposals)
    full = Problem(ShallowCnn(n_sites, width, "traj"), sampler, Adam(1e-2), steps, ITERATIONS)
    course = Course.start(full, 0)
    few = replace(full, sampler=replace(sampler, samples=1_000), steps=1)
    descend(course, few, lambda course: course.iteration < SETTLING)
    iterate(course, full)
    times = [cpu_seconds(lambda: iterate(course, full)) for _ in range(iterations)]
    each = float(np.median(times))
    acceptance = course.column("acceptance")[-1]
    return {"ms": 1e3 * each, **parts(course, full), "acceptance": acceptance, "run_s": ITERATIONS * each}


def main() -> None:
    """Print one row per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", "--width", type=int, nargs="+", default=[3, 6, 12, 24])
    parser.add_argument("-n", "--sites", type=int, default=240)
    parser.add_argument("-i", "--iterations", type=int, default=10, help="timed iterations of each case")
    parser.add_argument("-p", "--proposals", nargs="+", default=["pair", "neighbour"])
    parser.add_argument("-s", "--steps", type=int, nargs="+", default=[1], help="optimiser steps per sample")
    given = parser.parse_args()
    names = ["ms", "draw_ms", "energies_ms", "slopes_ms", "acceptance", "run_s"]
    print(f"{'K':>3} {'proposals':>10} {'steps':>5} " + " ".join(f"{name:>11}" for name in names))
    for width in given.width:
        for proposals in given.proposals:
            for steps in given.steps:
                row = measure(given.sites, width, proposals, steps, given.iterations)
                values = " ".join(f"{row[name]:11.3f}" for name in names)
                print(f"{width:3d} {proposals:>10} {steps:5d} {values}", flush=True)


if __name__ == "__main__":
    main()
