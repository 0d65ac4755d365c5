"""How fast this machine is with all its cores at work, in two seconds: rounds of small products, functions and Python.

Cores share caches, clock and, on many machines, units of arithmetic; one core alone says too much.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import fmean, median

import numpy as np

SECONDS = 2.0
SLICE = 0.1  # CPU seconds
MOST = 8  # processes that show how cores get on with each other


def rounds_per_second(seconds: float = SECONDS) -> float:
    """Rounds per CPU second of a core while as many processes as there are cores measure for so many seconds."""
    number = min(os.cpu_count() or 1, MOST)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", __name__, str(seconds)]
    others = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | one_thread
        )
        for _ in range(number)
    ]
    answers = [process.communicate()[0] for process in others]
    known = [float(answer) for answer in answers if answer]
    return fmean(known) if known else measure(seconds)


def measure(seconds: float) -> float:
    """Rounds per CPU second of this process, the median of slices."""
    slices: list[float] = []
    end = time.monotonic() + seconds
    while not slices or time.monotonic() < end:
        begin, rounds = time.process_time(), 0
        while (spent := time.process_time() - begin) < SLICE:
            one_round()
            rounds += 1
        slices.append(rounds / spent)
    return median(slices)


def one_round() -> float:
    """Some of what trainings, samplers and tables do."""
    weights = np.linspace(-1, 1, 4096, dtype=np.float32).reshape(64, 64)
    states = np.tanh(weights[:32] @ weights) @ weights
    table = {number: number * 0.5 for number in range(500)}
    return float(states.sum()) + sum(table.values())


if __name__ == "__main__":
    print(measure(float(sys.argv[1])))
