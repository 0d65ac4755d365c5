"""Ensemble training against a plain PyTorch loop that trains one network at a time.

Same architecture (dense2), data (random labels on 24 spins, 27,000 states), batch, optimiser, updates and validation
checks; one thread; the two are interleaved in one run and the ratio is of CPU seconds per network.

    python benchmarks/ensemble.py [--members 10] [--updates 1000] [--rounds 3] [--device cpu|cuda]
"""

from __future__ import annotations

import argparse
import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import json
import time

import numpy as np
import torch

from nqs.networks.architectures.cnn import PeriodicCNN
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry, Network
from nqs.supervised.ensemble import train
from nqs.supervised.members import Member, Settings
from nqs.supervised.stacked import spins_of

N_SITES, N_TRAIN, N_VALIDATION, BATCH = 24, 27_000, 2_700, 128


def make_member(seed: int) -> Member:
    """Random states and signs; speed does not depend on what there is to learn."""
    rng = np.random.default_rng(seed)
    states = rng.integers(0, 1 << N_SITES, N_TRAIN + N_VALIDATION).astype(np.uint64)
    labels = rng.choice([-1, 1], len(states)).astype(np.float32)
    return Member(seed, states[:N_TRAIN], labels[:N_TRAIN], states[N_TRAIN:], labels[N_TRAIN:])


class PlainDense(torch.nn.Sequential):
    """dense2 as one would write it."""

    def __init__(self) -> None:
        linear, relu = torch.nn.Linear, torch.nn.ReLU
        super().__init__(linear(N_SITES, 64), relu(), linear(64, 64), relu(), linear(64, 2, bias=False))


class PlainCNN(torch.nn.Module):
    """The published periodic CNN as one would write it, on 6 x 4 sites."""

    def __init__(self) -> None:
        super().__init__()
        options = {"kernel_size": 5, "padding": 2, "padding_mode": "circular"}
        self.convolutions = torch.nn.Sequential(
            torch.nn.Conv2d(1, 32, **options), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, **options), torch.nn.ReLU()
        )
        self.last = torch.nn.Linear(64, 1, bias=False)

    def forward(self, spins: torch.Tensor) -> torch.Tensor:
        r = self.last(self.convolutions(spins.view(-1, 1, 4, 6)).mean((2, 3)))
        return torch.cat([r, -r], 1)


def plain(make, member: Member, updates: int, check_every: int, device: str) -> None:
    """A plain loop: one network, shuffled epochs, cross-entropy, Adam, a validation check now and then."""
    spins = spins_of(torch.tensor(member.states.astype(np.int64)), N_SITES).to(device)
    classes = torch.tensor(member.labels < 0).long().to(device)
    validation = spins_of(torch.tensor(member.validation_states.astype(np.int64)), N_SITES).to(device)
    validation_classes = torch.tensor(member.validation_labels < 0).long().to(device)
    network, loss = make().to(device), torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    done, best = 0, np.inf
    while done < updates:
        order = torch.randperm(N_TRAIN, device=device)
        for rows in order.split(BATCH)[: updates - done]:
            optimiser.zero_grad()
            loss(network(spins[rows]), classes[rows]).backward()
            optimiser.step()
            done += 1
            if done % check_every == 0:
                with torch.no_grad():
                    best = min(best, float(loss(network(validation), validation_classes)))


def cpu_seconds(run) -> float:
    """CPU seconds of a call; on a GPU, wall seconds until it is idle."""
    clock = time.perf_counter if torch.cuda.is_initialized() else time.process_time
    begin = clock()
    run()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return clock() - begin


def compare(network: Network, make, members: int, updates: int, check_every: int, rounds: int, device: str) -> dict:
    """Microseconds per update and network of both ways, and their ratio; medians over interleaved rounds."""
    data = [make_member(seed) for seed in range(members)]
    settings = Settings(1e-3, BATCH, check_every, patience=10**9, max_updates=updates)
    warm = Settings(1e-3, BATCH, check_every, patience=10**9, max_updates=check_every)
    train(network, data, warm, device)
    plain(make, data[0], check_every, check_every, device)
    singles, ensembles = [], []
    for _ in range(rounds):
        singles.append(cpu_seconds(lambda: plain(make, data[0], updates, check_every, device)) / updates)
        ensembles.append(cpu_seconds(lambda: train(network, data, settings, device)) / updates / members)
    ratios = np.array(singles) / np.array(ensembles)
    return {
        "plain_us_per_update": round(1e6 * float(np.median(singles)), 1),
        "ensemble_us_per_update_and_network": round(1e6 * float(np.median(ensembles)), 1),
        "ratio": round(float(np.median(ratios)), 2),
        "ratios": [round(float(r), 2) for r in ratios],
    }


def main() -> None:
    """Print one JSON line per comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.device == "cuda":
        torch.cuda.init()
    geometry = Geometry(N_SITES, (6, 4))
    dense = Dense(geometry, "sign", (64, 64))
    cnn = PeriodicCNN(geometry, "sign")
    cases = [
        ("dense2, check every 20", dense, PlainDense, given.updates, 20),
        ("dense2, check every 10", dense, PlainDense, given.updates, 10),
        ("cnn, check every 20", cnn, PlainCNN, max(given.updates // 20, 20), 20),
    ]
    for name, network, make, updates, check_every in cases:
        members = given.members if network is dense else min(given.members, 4)
        result = compare(network, make, members, updates, check_every, given.rounds, given.device)
        print(json.dumps({"case": name, "members": members, "device": given.device, **result}), flush=True)


if __name__ == "__main__":
    main()
