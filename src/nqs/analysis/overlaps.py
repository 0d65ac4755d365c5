"""Overlaps of trained networks with the exact ground state.

A sign network completes the exact amplitudes, psi_trial = |psi| sign(net); an amplitude network completes the exact
signs, psi_trial = sign(psi) exp(net). Three overlaps are computed for each:

    full     over the whole Sz = 0 space
    rest     over the states in neither training nor validation set, both states restricted to it and normalised
    sampled  on fresh draws from |psi|^2, with its standard error

For signs the overlap is <s s_net> = 2 acc - 1, where acc is the |psi|^2-weighted accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nqs import dataset
from nqs.ensemble import Evaluate, evaluator
from nqs.identity import WHOLE, seed_of
from nqs.io import atomic
from nqs.networks import Network
from nqs.supervised import member_seed, network_for, read_weights
from nqs.wavefunction import Wavefunction


@dataclass(frozen=True)
class Sums:
    """Sums over a set of states: <psi|trial>, <psi|psi> and <trial|trial>."""

    cross: float
    exact: float
    trial: float

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.cross - other.cross, self.exact - other.exact, self.trial - other.trial)

    @property
    def overlap(self) -> float:
        """Normalised overlap; NaN if the set holds no weight."""
        norm = self.exact * self.trial
        return self.cross / float(np.sqrt(norm)) if norm > 0 else float("nan")


def trial_over_exact(target: str, psi: np.ndarray, output: np.ndarray, scale: float) -> np.ndarray:
    """psi_trial / psi at states of non-zero psi; `scale` is subtracted from log-amplitudes against overflow."""
    if target == "sign":
        return np.where(output >= 0, 1.0, -1.0) * np.where(psi >= 0, 1.0, -1.0)
    return np.exp(output.astype(np.float64) - scale) / np.abs(psi)


def sums(target: str, psi: np.ndarray, output: np.ndarray, scale: float, weight: np.ndarray | float = 1.0) -> Sums:
    """Sums over states with multiplicities `weight`."""
    exact = weight * psi**2
    if target == "sign":
        signs = trial_over_exact(target, psi, output, scale)
        total = float(exact.sum())
        return Sums(float((exact * signs).sum()), total, total)
    trial = np.exp(output.astype(np.float64) - scale)
    return Sums(
        float((weight * np.abs(psi) * trial).sum()),
        float(exact.sum()),
        float((weight * trial**2).sum()),
    )


@dataclass(frozen=True)
class Basis:
    """The states over which full sums run: states, psi and how many basis states each stands for."""

    states: np.ndarray
    psi: np.ndarray
    weight: np.ndarray | float

    @classmethod
    def whole(cls, wavefunction: Wavefunction) -> Basis:
        """Every basis state."""
        states, psi = wavefunction.expand()
        return cls(states, psi, 1.0)

    @classmethod
    def up_to_translations(cls, wavefunction: Wavefunction) -> Basis:
        """One state per orbit under translations, for networks that transform as the ground state does.

        The file's group is the translations and the spin flip, so a representative and its flipped image share an
        orbit; where the flip is itself a translation they are the same translation orbit, counted half each.
        """
        full = np.uint64((1 << wavefunction.n_sites) - 1)
        states = np.concatenate([wavefunction.representatives, wavefunction.representatives ^ full])
        psi = np.concatenate([wavefunction.amplitudes, wavefunction.spin_flip * wavefunction.amplitudes])
        return cls(states, psi, np.tile(wavefunction.orbit_sizes / 2, 2))


def basis_for(network: Network, wavefunction: Wavefunction) -> Basis:
    """The smallest set of states that gives exact sums for this network.

    Representatives carry all of |psi|^2, which is all that sign overlaps need; an amplitude network also has weight
    on the orbits that the ground state's symmetry forbids.
    """
    translations_only = len(wavefunction.permutations) == 2 * wavefunction.shape[0] * wavefunction.shape[1]
    if network.translation_invariant and network.target == "sign" and translations_only:
        return Basis.up_to_translations(wavefunction)
    return Basis.whole(wavefunction)


def sampled_overlap(target: str, psi: np.ndarray, output: np.ndarray) -> tuple[float, float]:
    """Overlap and its standard error from independent draws of |psi|^2.

    With q = psi_trial/psi the overlap is <q>/sqrt(<q^2>); the error follows by linear propagation.
    """
    scale = float(np.max(output - np.log(np.abs(psi)))) if target == "amplitude" else 0.0
    q = trial_over_exact(target, psi, output, scale)
    mean, square = q.mean(), (q**2).mean()
    overlap = mean / np.sqrt(square)
    influence = overlap * (q / mean - q**2 / (2 * square)) if mean != 0 else q / np.sqrt(square)
    return float(overlap), float(influence.std(ddof=1) / np.sqrt(len(q)))


def member_row(
    target: str,
    evaluate: Evaluate,
    basis: Basis,
    seen: dataset.Sample | None,
    fresh: dataset.Sample,
) -> dict[str, float]:
    """All overlaps of one network."""
    output = evaluate(basis.states)
    scale = float(output.max()) if target == "amplitude" else 0.0
    full = sums(target, basis.psi, output, scale, basis.weight)
    sampled, error = sampled_overlap(target, fresh.psi, evaluate(fresh.states))
    row = {"overlap_full": full.overlap, "overlap_sampled": sampled, "overlap_sampled_se": error}
    if seen is None:
        return {**row, "overlap_rest_signed": np.nan, "overlap_rest": np.nan, "sample_weight": 1.0}
    held = sums(target, seen.psi, evaluate(seen.states), scale)
    rest = (full - held).overlap
    return {
        **row,
        "overlap_rest_signed": rest,
        "overlap_rest": abs(rest),
        "sample_weight": held.exact,
    }


def distinct(data: dataset.DataSet) -> dataset.Sample:
    """The distinct states of training and validation set."""
    states = np.concatenate([data.training.states, data.validation.states])
    psi = np.concatenate([data.training.psi, data.validation.psi])
    states, first = np.unique(states, return_index=True)
    return dataset.Sample(states, psi[first])


def build(
    ground_state: Path, weights_file: Path, data_files: Mapping[float, Path], samples: int, out: Path, device: str
) -> None:
    """Stage `overlaps`: one row per network of a cell."""
    wavefunction, weights = Wavefunction.read(ground_state), read_weights(weights_file)
    settings, key = weights.settings, weights.settings["key"]
    network = network_for(settings, wavefunction)
    basis = basis_for(network, wavefunction)
    rows = []
    for member, parameters in zip(settings["members"], weights.theta, strict=True):
        seen = None
        if key["data"] != WHOLE:
            seen = distinct(dataset.read(data_files[member["epsilon"]], member["repeat"]))
        rng = np.random.default_rng([member_seed(settings, member), seed_of("overlaps")])
        fresh = dataset.Sample(*wavefunction.sample(samples, rng))
        row = member_row(key["target"], evaluator(network, parameters, device), basis, seen, fresh)
        share = weights.wall_s / len(weights.theta)
        rows.append({**key, **member, **row, "device": weights.device, "training_wall_s": share})
    table = pd.DataFrame(rows)
    with atomic(out) as temporary:
        table.to_csv(temporary, index=False)
    print(table.to_string(index=False))
