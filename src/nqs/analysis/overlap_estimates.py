"""Overlaps estimated from independent draws, for clusters whose basis is too large to sum over.

With draws from a distribution q, <psi|trial>, <psi|psi> and <trial|trial> are means of psi trial / q, psi^2 / q and
trial^2 / q, and the error of the overlap follows by linear propagation. The norm of psi is known, but with the sampled
one the errors of the three cancel the better the closer trial is to psi, and no overlap exceeds 1. Signs need draws
from |psi|^2 only. Amplitude networks may be far too large where |psi|^2 is small, which such draws miss; theirs come
from

    q = 1/2 |psi|^2 + 1/4 |psi| / Z1 + 1/4 / K

with Z1 the sum of |psi| and K the dimension, so that no state of the basis has a weight above 4 K.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.exact.eigenstate import Wavefunction
from nqs.supervised import dataset
from nqs.supervised.ensemble import Evaluate

# of a network that was trained on the whole ground state
NOTHING_UNSEEN = {
    "overlap_rest_signed": np.nan,
    "overlap_rest": np.nan,
    "overlap_rest_se": np.nan,
    "sample_weight": 1.0,
}
MIXTURE = {2: 0.5, 1: 0.25, 0: 0.25}  # power of |psi| -> share of the draws


@dataclass(frozen=True)
class Estimate:
    """Overlap from independent draws, its standard error, and how many equal draws it is worth.

    A small `effective_samples` warns that few draws dominate; then the overlap is too large and its error too small.
    """

    overlap: float
    error: float
    effective_samples: float


def estimate(cross: np.ndarray, exact: np.ndarray, trial: np.ndarray) -> Estimate:
    """Overlap C / sqrt(P T) from single draws of C = <psi|trial>, P = <psi|psi> and T = <trial|trial>.

    NaN without draws or without weight.
    """
    n = len(cross)
    if n < 2 or not exact.any() or not trial.any():
        return Estimate(np.nan, np.nan, 0.0)
    norms = exact.mean(), trial.mean()
    scale = np.sqrt(norms[0] * norms[1])
    overlap = cross.mean() / scale
    influence = cross / scale - overlap / 2 * (exact / norms[0] + trial / norms[1])
    effective = trial.sum() ** 2 / (trial**2).sum()
    return Estimate(float(overlap), float(influence.std(ddof=1) / np.sqrt(n)), float(effective))


def unseen_columns(overlap: float, error: float, sample_weight: float) -> dict[str, float]:
    """Overlap on unseen states with its error, and the |psi|^2 that the seen ones hold."""
    return {
        "overlap_rest_signed": overlap,
        "overlap_rest": abs(overlap),
        "overlap_rest_se": error,
        "sample_weight": sample_weight,
    }


def agreement(psi: np.ndarray, output: np.ndarray) -> np.ndarray:
    """+1 where a sign network agrees with psi, -1 elsewhere."""
    return np.where((output >= 0) == (psi >= 0), 1.0, -1.0)


def sampled_overlap(target: str, psi: np.ndarray, output: np.ndarray) -> Estimate:
    """Overlap <r>/sqrt(<r^2>) with r = trial/psi over draws from |psi|^2, restricted or not."""
    if target == "sign":
        ratio = agreement(psi, output)
    else:
        log_ratio = output.astype(np.float64) - np.log(np.abs(psi))
        ratio = np.exp(log_ratio - log_ratio.max()) if len(psi) else log_ratio
    return estimate(ratio, np.ones(len(ratio)), ratio**2)


@dataclass(frozen=True)
class Draws:
    """Draws from the mixture: states uint64 (n,), psi float64 (n,), q float64 (n,)."""

    states: np.ndarray
    psi: np.ndarray
    probability: np.ndarray


def draw_mixture(wavefunction: Wavefunction, n: int, rng: np.random.Generator) -> Draws:
    """n independent draws from the mixture over the Sz = 0 basis."""
    counts = rng.multinomial(n, list(MIXTURE.values()))
    parts = [wavefunction.sample(count, rng, power) for power, count in zip(MIXTURE, counts, strict=True)]
    states, psi = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    probability = np.zeros(n)
    for power, share in MIXTURE.items():
        probability += share * np.abs(psi) ** power / wavefunction.orbit_weights(power).sum()
    return Draws(states, psi, probability)


def estimated_row(
    target: str,
    evaluate: Evaluate,
    wavefunction: Wavefunction,
    seen: dataset.Sample | None,
    samples: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """All overlaps of one network from `samples` draws of |psi|^2 and, for amplitudes, as many of the mixture."""
    states, psi = wavefunction.sample(samples, rng)
    output = evaluate(states)
    sampled = sampled_overlap(target, psi, output)
    if target == "sign":
        # states outside the training and validation sets among draws from |psi|^2 follow |psi|^2 restricted to them
        unseen = _unseen(states, seen)
        full, rest = sampled, sampled_overlap(target, psi[unseen], output[unseen])
    else:
        full, rest = _amplitudes(evaluate, draw_mixture(wavefunction, samples, rng), seen)
    row = {
        "overlap_full": full.overlap,
        "overlap_full_se": full.error,
        "overlap_full_n_effective": full.effective_samples,
        "overlap_sampled": sampled.overlap,
        "overlap_sampled_se": sampled.error,
        "overlap_sampled_n_effective": sampled.effective_samples,
    }
    if seen is None:
        return row | NOTHING_UNSEEN
    return row | unseen_columns(rest.overlap, rest.error, float((seen.psi**2).sum()))


def _unseen(states: np.ndarray, seen: dataset.Sample | None) -> np.ndarray:
    return np.ones(len(states), bool) if seen is None else ~np.isin(states, seen.states)


def _amplitudes(evaluate: Evaluate, draws: Draws, seen: dataset.Sample | None) -> tuple[Estimate, Estimate]:
    """Estimates over the whole basis and over the unseen states."""
    output = evaluate(draws.states).astype(np.float64)
    trial = np.exp(output - output.max())  # against overflow; the scale drops out
    unseen = _unseen(draws.states, seen)
    terms = [values / draws.probability for values in (np.abs(draws.psi) * trial, draws.psi**2, trial**2)]
    return estimate(*terms), estimate(*(term * unseen for term in terms))
