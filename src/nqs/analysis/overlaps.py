"""Overlaps of trained networks with the exact ground state.

A sign network completes the exact amplitudes, psi_trial = |psi| sign(net); an amplitude network completes the exact
signs, psi_trial = sign(psi) exp(net). Three overlaps are computed for each:

    full     over the whole Sz = 0 space
    rest     over the states in neither training nor validation set, both states restricted to it and normalised
    sampled  on fresh draws from |psi|^2, with its standard error

For signs the overlap is <s s_net> = 2 acc - 1, where acc is the |psi|^2-weighted accuracy. On large clusters `full` and
`rest` are estimated from draws as well (`overlap_estimates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nqs.analysis.overlap_estimates import NOTHING_UNSEEN, agreement, estimated_row, sampled_overlap, unseen_columns
from nqs.exact.eigenstate import Wavefunction
from nqs.networks.protocol import Network
from nqs.runtime.device import choose
from nqs.runtime.files import atomic
from nqs.runtime.job import Job
from nqs.runtime.seeds import seed_of
from nqs.supervised import dataset
from nqs.supervised.ensemble import Evaluate, evaluator
from nqs.supervised.keys import WHOLE
from nqs.supervised.stage import member_seed, network_for
from nqs.supervised.weights import read_weights

LARGEST_EXPANSION = 3_000_000  # states; 24 spins have 2.7 million


NOTHING_TRAINED = dict.fromkeys(  # of a network that diverged before its first check
    (
        "overlap_full", "overlap_full_se", "overlap_sampled", "overlap_sampled_se", "overlap_sampled_n_effective",
        *NOTHING_UNSEEN,
    ),
    np.nan,
)  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """Sums over a set of states: <psi|trial>, <psi|psi> and <trial|trial>, the trial state over exp(scale)."""

    cross: float
    exact: float
    trial: float
    scale: float = 0.0

    def at(self, scale: float) -> Sums:
        """The same sums with another scale."""
        factor = float(np.exp(self.scale - scale))
        return Sums(self.cross * factor, self.exact, self.trial * factor**2, scale)

    def __add__(self, other: Sums) -> Sums:
        scale = max(self.scale, other.scale)
        one, two = self.at(scale), other.at(scale)
        return Sums(one.cross + two.cross, one.exact + two.exact, one.trial + two.trial, scale)

    def __sub__(self, other: Sums) -> Sums:
        two = other.at(self.scale)
        return Sums(self.cross - two.cross, self.exact - two.exact, self.trial - two.trial, self.scale)

    @property
    def overlap(self) -> float:
        """Normalised overlap; NaN if the set holds no weight."""
        norm = self.exact * self.trial
        return self.cross / float(np.sqrt(norm)) if norm > 0 else float("nan")


def sums(target: str, psi: np.ndarray, output: np.ndarray, weight: np.ndarray | float = 1.0) -> Sums:
    """Sums over states with multiplicities `weight`, from the network's output (state,)."""
    exact = weight * psi**2
    if target == "sign":
        total = float(exact.sum())
        return Sums(float((exact * agreement(psi, output)).sum()), total, total)
    scale = float(output.max())  # against overflow
    trial = np.exp(output.astype(np.float64) - scale)
    cross, norm = weight * np.abs(psi) * trial, weight * trial**2
    return Sums(float(cross.sum()), float(exact.sum()), float(norm.sum()), scale)


Chunk = tuple[np.ndarray, np.ndarray, np.ndarray | float]  # states, psi, how many basis states each stands for


def whole_basis(wavefunction: Wavefunction) -> list[Chunk] | Iterable[Chunk]:
    """Every basis state: at once where that fits into memory, else orbit by orbit."""
    if wavefunction.dimension <= LARGEST_EXPANSION:
        return [(*wavefunction.expand(), 1.0)]
    return Orbits(wavefunction)


@dataclass(frozen=True)
class Orbits:
    """The basis in chunks, as often as it is asked for."""

    wavefunction: Wavefunction
    chunk: int = 1 << 20

    def __iter__(self) -> Iterator[Chunk]:
        return self.wavefunction.orbits(self.chunk)


def up_to_translations(wavefunction: Wavefunction) -> list[Chunk]:
    """One state per orbit under translations, for sign networks that transform as the ground state does.

    The file's group is the translations and the spin flip, so a representative and its flipped image share an orbit;
    where the flip is itself a translation they are the same translation orbit, counted half each.
    """
    full = np.uint64((1 << wavefunction.n_sites) - 1)
    states = np.concatenate([wavefunction.representatives, wavefunction.representatives ^ full])
    psi = np.concatenate([wavefunction.amplitudes, wavefunction.spin_flip * wavefunction.amplitudes])
    return [(states, psi, np.tile(wavefunction.orbit_sizes / 2, 2))]


def basis_for(network: Network, wavefunction: Wavefunction) -> Iterable[Chunk]:
    """The smallest set of states that gives exact sums for this network."""
    translations_only = len(wavefunction.permutations) == 2 * wavefunction.shape[0] * wavefunction.shape[1]
    if network.translation_invariant and network.target == "sign" and translations_only:
        return up_to_translations(wavefunction)
    return whole_basis(wavefunction)


def full_sums(target: str, evaluate: Evaluate, basis: Iterable[Chunk]) -> Sums:
    """Sums over the basis, chunk by chunk."""
    parts = [sums(target, psi, evaluate(states), weight) for states, psi, weight in basis]
    return reduce(add, parts)


def member_row(
    target: str,
    evaluate: Evaluate,
    basis: Iterable[Chunk],
    seen: dataset.Sample | None,
    fresh: dataset.Sample,
) -> dict[str, float]:
    """All overlaps of one network, `full` and `rest` exact."""
    full = full_sums(target, evaluate, basis)
    sampled = sampled_overlap(target, fresh.psi, evaluate(fresh.states))
    row = {
        "overlap_full": full.overlap,
        "overlap_full_se": 0.0,
        "overlap_sampled": sampled.overlap,
        "overlap_sampled_se": sampled.error,
        "overlap_sampled_n_effective": sampled.effective_samples,
    }
    if seen is None:
        return row | NOTHING_UNSEEN
    held = sums(target, seen.psi, evaluate(seen.states))
    return row | unseen_columns((full - held).overlap, 0.0, held.exact)


def build(
    ground_state: Path,
    weights_file: Path,
    data_files: Mapping[float, Path],
    settings: Mapping[str, Any],
    out: Path,
    device: str,
) -> None:
    """Stage `overlaps`: one row per network of a cell.

    settings: samples (fresh draws), estimated (no sums over the basis).
    """
    wavefunction, weights = Wavefunction.read(ground_state), read_weights(weights_file)
    cell, key, samples = weights.settings, weights.settings["key"], settings["samples"]
    network = network_for(cell, wavefunction)
    basis = [] if settings["estimated"] else basis_for(network, wavefunction)
    rows = []
    for member, parameters, diverged in zip(cell["members"], weights.theta, weights.diverged, strict=True):
        seen, n_train = None, wavefunction.dimension
        if key["data"] != WHOLE:
            data = dataset.read(data_files[member["epsilon"]], member["repeat"])
            seen, n_train = data.seen, len(data.training)
        rng = np.random.default_rng([member_seed(cell, member), seed_of("overlaps")])
        evaluate = evaluator(network, parameters, device)
        if not np.isfinite(parameters).all():
            row = dict(NOTHING_TRAINED)
        elif settings["estimated"]:
            row = estimated_row(key["target"], evaluate, wavefunction, seen, samples, rng)
        else:
            row = member_row(key["target"], evaluate, basis, seen, dataset.Sample(*wavefunction.sample(samples, rng)))
        origin = {"n_train": n_train, "estimated": settings["estimated"], "diverged": diverged}
        cost = {"device": weights.device, "training_wall_s": weights.wall_s / len(weights.theta)}
        rows.append({**key, **member, **row, **origin, **cost})
    table = pd.DataFrame(rows)
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(table.to_string(index=False))


def stage(job: Job) -> None:
    """Overlaps of the networks of one cell with the exact ground state."""
    data = dataset.by_epsilon(job.inputs.get("data", ()))
    weights, device = job.file("weights"), choose(job.device)
    build(job.file("ground_state"), weights, data, job.settings, job.out("overlaps"), device)
