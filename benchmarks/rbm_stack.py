"""Time per iteration of a whole cell of variational Monte Carlo: compiled loops on the CPU against one stack.

Both start from the same runs, advanced by `--warm` iterations so that the states are no longer random ones. Wall
milliseconds per iteration of all models together, median over blocks; the loops run one after the other on one core,
so divide theirs by the number of cores. On a GPU every way of advancing the chains is timed.

    python benchmarks/rbm_stack.py [--sites 8 12] [--alpha 2] [--models 10] [--sampler flip] [--device cpu|cuda]
"""

from __future__ import annotations

import argparse
import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import json
import time
from collections.abc import Callable
from copy import deepcopy
from importlib.util import find_spec

import numpy as np
import torch

from nqs.ansatz.rbm import Rbm
from nqs.model.hamiltonians import heisenberg
from nqs.vmc import loop
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.gpu import rbm as gpu_rbm
from nqs.vmc.gpu import rbm_sampler as gpu_rbm_sampler
from nqs.vmc.loop import Run, Task
from nqs.vmc.optimisers import Adam
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.sampler import Chains, Exact, Sampler

SAMPLES, BLOCKS = 4096, 5


def task_of(n_sites: int, alpha: int, rule: str) -> Task:
    """The study's task on a ring, without a criterion."""
    bonds = np.array([(i, (i + 1) % n_sites) for i in range(n_sites)])
    hamiltonian = heisenberg(n_sites, bonds, marshall=True)
    samplers: dict[str, Sampler] = {"flip": Chains(n_sites, SAMPLES), "exact": Exact(n_sites, SAMPLES)}
    samplers["exchange"] = Chains(n_sites, SAMPLES, 64, 20, moves=hamiltonian.moves)
    network, natural = Rbm(n_sites, alpha * n_sites), StochasticReconfiguration(1e-3)
    return Task(hamiltonian, network, samplers[rule], SectorEstimates(n_sites), natural, Adam(1e-3), 10**9)


def per_iteration(iterate: Callable[[], None], iterations: int) -> float:
    """Milliseconds of one call, median over blocks, after two calls that compile and record."""
    times = []
    for _ in range(2):
        iterate()
    for _ in range(BLOCKS):
        begin = time.perf_counter()
        for _ in range(iterations):
            iterate()
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        times.append((time.perf_counter() - begin) / iterations)
    return round(1e3 * float(np.median(times)), 2)


def loops(runs: list[Run], task: Task) -> None:
    """One iteration of each model in the compiled loop."""
    for run in runs:
        loop.iterate(run, task)


def measure(task: Task, n_models: int, warm: int, iterations: int, device: str) -> dict[str, float]:
    """Milliseconds per iteration of all models, by every way this device has."""
    runs = [Run.start(task, seed) for seed in range(n_models)]
    for _ in range(warm):
        loops(runs, task)
    start = deepcopy(runs)
    result = {"loops_one_core_ms": per_iteration(lambda: loops(runs, task), iterations)}
    for method in methods(task.sampler, device):
        again = deepcopy(start)
        sampler = gpu_rbm_sampler.stack_sampler(task.sampler, n_models, device)
        if method:
            assert isinstance(task.sampler, Chains)
            sampler = gpu_rbm_sampler.StackedChains(task.sampler, n_models, device, method)
        step = lambda: gpu_rbm.iterate(again, task, sampler, device)  # noqa: B023, E731  (called at once)
        result["_".join(filter(None, ("stack", device, method, "ms")))] = per_iteration(step, iterations)
    result["distinct_states"] = float(np.mean([run.trace[-1][4] for run in runs]))
    return result


def methods(sampler: Sampler, device: str) -> list[str]:
    """Ways to advance chains on the device."""
    if not isinstance(sampler, Chains):
        return [""]
    if device == "cpu":
        return ["plain"]
    return ["graph", "kernel"] if find_spec("triton") else ["graph"]


def main() -> None:
    """Print one JSON line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="+", default=[8, 12])
    parser.add_argument("--alpha", type=int, default=2)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--sampler", choices=["flip", "exact", "exchange"], default="flip")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--warm", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for n_sites in given.sites:
        task = task_of(n_sites, given.alpha, given.sampler)
        result = measure(task, given.models, given.warm, given.iterations, given.device)
        case = {"n_sites": n_sites, "alpha": given.alpha, "models": given.models, "sampler": given.sampler}
        print(json.dumps(case | result), flush=True)


if __name__ == "__main__":
    main()
