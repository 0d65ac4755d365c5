"""How fast this machine is, in two seconds: rounds of a fixed mixture of small products, functions and Python."""

from __future__ import annotations

import time

import numpy as np

SECONDS = 2.0
SLICE = 0.1  # CPU seconds; the fastest slice counts, so that other work on the machine does not


def rounds_per_second(seconds: float = SECONDS) -> float:
    """Rounds per CPU second on one core, measured for at most so many seconds of wall time."""
    end, best = time.monotonic() + seconds, 0.0
    while not best or time.monotonic() < end:
        begin, rounds = time.process_time(), 0
        while (spent := time.process_time() - begin) < SLICE:
            one_round()
            rounds += 1
        best = max(best, rounds / spent)
    return best


def one_round() -> float:
    """Some of what trainings, samplers and tables do."""
    weights = np.linspace(-1, 1, 4096, dtype=np.float32).reshape(64, 64)
    states = np.tanh(weights[:32] @ weights) @ weights
    table = {number: number * 0.5 for number in range(500)}
    return float(states.sum()) + sum(table.values())
