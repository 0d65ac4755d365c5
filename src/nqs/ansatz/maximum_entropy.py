"""Maximum entropy: the distribution over the states of a ring with given motif expectation values and nothing else.

Of all P(s) on the states of zero magnetisation with sum_s P(s) m_w(s) = mu_w, the one of largest entropy is

    P(s) = psi(s)^2 = exp(2 sum_w lambda_w m_w(s)) / Z,            ln psi = sum_w lambda_w m_w      [Ju 2025, eq. 2]

and the multipliers minimise the convex dual ln Z(lambda) - 2 lambda.mu, whose slope is 2 (<m> - mu). The minimum is the
entropy. With symmetric mu the motifs of a class share one lambda  [Ju 2025, eq. 4; there a class is the sum of its
members' lambda].

Counts are not independent: each row of K - 1 spins is left as often as it is entered, all counts add up to N, and half
of all spins are up. Combinations of multipliers that these fix change no <m>; they are the gauge. The search, and every
lambda found, stays in the space of differences of counts, which has 2^(K-1) - 1 dimensions on a ring of 2K + 2 sites or
more, so the multipliers are unique: of all that give the same P, those of the smallest sum of squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy.linalg import null_space
from scipy.special import logsumexp

from nqs.ansatz.moment_constraints import checked_length, unreachable
from nqs.ansatz.window_table import MotifTable
from nqs.exact.transfer_matrix import LONGEST_MOTIF, OutOfRange, measure
from nqs.model.motifs import ENUMERABLE_SITES, motif_classes, motif_counts, state_classes
from nqs.runtime.errors import InputError

ENUMERATED_SITES = 14  # up to here the states are summed over even where the transfer matrix would do
DIFFERENCE = 1e-5  # of the multipliers, for second derivatives
STEPS = 200
HALVINGS = 25
LONGEST_STEP = 2.0  # of a multiplier: psi changes by e^2 per motif
LARGEST = 60.0  # multiplier: a class so rare or so frequent is out of reach


@dataclass(frozen=True, eq=False)
class MaxEnt:
    """Multipliers lambda (2^K,) in the gauge of the module, <m> (2^K,), ln Z, the entropy of psi^2 in nats.

    residual: largest deviation of <m> from what was asked;  steps: Newton steps taken
    """

    n_sites: int
    multipliers: np.ndarray
    expectations: np.ndarray
    log_norm: float
    entropy: float
    residual: float
    steps: int

    @property
    def width(self) -> int:
        """K."""
        return len(self.multipliers).bit_length() - 1

    def wave(self) -> MotifTable:
        """The wave function, up to its norm."""
        return MotifTable(self.n_sites, self.multipliers)


def maximum_entropy(
    n_sites: int, expectations: np.ndarray, symmetric: bool = True, tolerance: float = 1e-8, steps: int = STEPS
) -> MaxEnt:
    """The MaxEnt state with motif expectation values (2^K,) by Newton's method on the dual.

    symmetric: one multiplier per class of motifs; the expectation values must then agree within each class.
    tolerance: relative, of each expectation value; that of a rare motif decides as much about its psi as any other.
    InputError names the motif or the class that no distribution on this ring can have so often or so rarely.
    """
    target = np.asarray(expectations, float)
    length = checked_length(n_sites, target, symmetric)
    moments = moments_of(n_sites, length)
    directions = observable_directions(n_sites, length, symmetric)
    dual = _Dual(moments, directions, target)
    place = np.zeros(len(directions))
    log_norm, found = moments(place @ directions)
    taken, closest = 0, found
    while dual.residual(found) > tolerance and taken < steps and np.abs(place @ directions).max() < LARGEST:
        moved = dual.descended(place, log_norm, found)
        if moved is None:
            break
        place, log_norm, found = moved
        taken += 1
        closest = min(closest, found, key=lambda reached: np.abs(reached - target).sum())
    if not dual.residual(found) <= tolerance:
        raise InputError(unreachable(n_sites, length, target, closest))
    multipliers = place @ directions
    entropy = log_norm - 2 * float(multipliers @ found)
    return MaxEnt(n_sites, multipliers, found, log_norm, entropy, float(np.abs(found - target).max()), taken)


def motif_expectations(n_sites: int, multipliers: np.ndarray) -> np.ndarray:
    """<m_w> in psi^2 with ln psi = sum_w lambda_w m_w, exactly: (2^K,) to (2^K,); InputError as for `moments_of`."""
    return moments_of(n_sites, len(multipliers).bit_length() - 1)(np.asarray(multipliers, float))[1]


def observable_directions(n_sites: int, length: int, symmetric: bool = False) -> np.ndarray:
    """Orthonormal basis of the differences of motif counts between states: (R, 2^K).

    R = 2^(K-1) - 1 on rings of 2K + 2 sites or more; symmetric: of the differences of counts averaged over classes.
    """
    if n_sites > 2 * length:
        return _flow_directions(length, symmetric)
    return _counted_directions(n_sites, length, symmetric)


def canonical(n_sites: int, multipliers: np.ndarray) -> np.ndarray:
    """The multipliers of smallest sum of squares that give the same psi up to its norm: (..., 2^K) to the same."""
    length = np.shape(multipliers)[-1].bit_length() - 1
    directions = observable_directions(n_sites, length)
    return np.asarray(multipliers) @ directions.T @ directions


class Moments(Protocol):
    """Exact moments of psi^2 at multipliers (2^K,)."""

    def __call__(self, multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        """ln Z and <m> (2^K,); OutOfRange if the multipliers are too large."""

    def slopes(self, multipliers: np.ndarray, directions: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Derivatives of <m>, here `found`, along directions (R, 2^K) of the multipliers: (R, 2^K)."""


def moments_of(n_sites: int, length: int) -> Moments:
    """Exact moments: sums over the states of a short ring, the transfer matrix on a long one.

    InputError if N is above 24 and K above 10, or K above N.
    """
    short = n_sites < 2 * length or n_sites <= ENUMERATED_SITES
    if not short and length in range(2, LONGEST_MOTIF + 1):
        return _Transferred(n_sites)
    if n_sites > ENUMERABLE_SITES:
        raise InputError(
            f"K = {length} on a ring of N = {n_sites}: the transfer matrix takes K = 2 to {LONGEST_MOTIF}, and beyond "
            f"N = {ENUMERABLE_SITES} there are too many states to sum over; take another K or a smaller N"
        )
    states = state_classes(n_sites, translations_only=True)
    counts = motif_counts(states.representatives, n_sites, length).astype(float)
    return _Enumerated(counts, np.log(states.sizes))


@dataclass(frozen=True, eq=False)
class _Enumerated:
    """Sums over states: counts (S, 2^K) of one state per class, and ln of the class sizes (S,)."""

    counts: np.ndarray
    log_sizes: np.ndarray

    def __call__(self, multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        log_norm, weights = self._weights(multipliers)
        return log_norm, weights @ self.counts

    def slopes(self, multipliers: np.ndarray, directions: np.ndarray, found: np.ndarray) -> np.ndarray:
        weights = self._weights(multipliers)[1]
        centred = self.counts @ directions.T - directions @ found
        return 2 * (weights[:, None] * centred).T @ (self.counts - found)

    def _weights(self, multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        logs = 2 * (self.counts @ multipliers) + self.log_sizes
        log_norm = float(logsumexp(logs))
        return log_norm, np.exp(logs - log_norm)


@dataclass(frozen=True)
class _Transferred:
    """The transfer matrix of a ring of N sites; derivatives are differences of its exact moments."""

    n_sites: int

    def __call__(self, multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        measured = measure(self.n_sites, multipliers)
        return measured.log_norm, measured.motif_expectations

    def slopes(self, multipliers: np.ndarray, directions: np.ndarray, found: np.ndarray) -> np.ndarray:
        return np.array([self(multipliers + DIFFERENCE * one)[1] - found for one in directions]) / DIFFERENCE


@dataclass(frozen=True, eq=False)
class _Dual:
    """ln Z(lambda) - 2 lambda.mu on lambda = place (R,) @ directions (R, 2^K); target: mu (2^K,)."""

    moments: Moments
    directions: np.ndarray
    target: np.ndarray

    def residual(self, found: np.ndarray) -> float:
        """Largest relative deviation of <m> from mu."""
        occurs = self.target > 0
        return float(np.abs(found / np.where(occurs, self.target, 1) - 1)[occurs].max())

    def descended(
        self, place: np.ndarray, log_norm: float, found: np.ndarray
    ) -> tuple[np.ndarray, float, np.ndarray] | None:
        """Place, ln Z and <m> after Newton's step, halved until the dual falls; None if it does not."""
        slope = 2 * self.directions @ (found - self.target)
        step = self._newton_step(place, found, slope)
        height = log_norm - 2 * float(place @ self.directions @ self.target)
        rounding = 1e-13 * max(1.0, abs(log_norm))
        for halvings in range(HALVINGS):
            moved = place + step / 2**halvings
            try:
                after, now = self.moments(moved @ self.directions)
            except OutOfRange:
                continue
            gained = 1e-4 * float(slope @ step) / 2**halvings
            if after - 2 * float(moved @ self.directions @ self.target) <= height + gained + rounding:
                return moved, after, now
        return None

    def _newton_step(self, place: np.ndarray, found: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Newton's step (R,), shortened where it would change a multiplier by more than LONGEST_STEP."""
        curvature = 2 * self.moments.slopes(place @ self.directions, self.directions, found) @ self.directions.T
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
        values = np.maximum(values, values.max() * 1e-14)  # the dual is convex; differences may say otherwise
        step = -(vectors / values) @ (vectors.T @ slope)
        return step * min(1.0, LONGEST_STEP / max(np.abs(step @ self.directions).max(), 1e-300))


@lru_cache(maxsize=16)
def _flow_directions(length: int, symmetric: bool) -> np.ndarray:
    """Counts are flows on the graph whose edges are motifs and whose vertices are rows of K - 1 spins."""
    motifs = np.arange(1 << length)
    side = 1 << (length - 1)
    balance = np.zeros((side, len(motifs)))
    np.add.at(balance, (motifs % side, motifs), 1.0)  # leaves its first K - 1 spins ...
    np.add.at(balance, (motifs >> 1, motifs), -1.0)  # ... and enters its last
    fixed = np.vstack([balance, np.ones(len(motifs)), 2.0 * (motifs & 1) - 1])
    basis = _symmetric_basis(length) if symmetric else np.eye(len(motifs))
    return null_space(fixed @ basis.T, rcond=1e-10).T @ basis


def _counted_directions(n_sites: int, length: int, symmetric: bool) -> np.ndarray:
    """The same from the counts of all states of a short ring."""
    counts = motif_counts(state_classes(n_sites, True).representatives, n_sites, length).astype(float)
    basis = _symmetric_basis(length) if symmetric else np.eye(1 << length)
    differences = (counts - counts.mean(axis=0)) @ basis.T
    _, singular, directions = np.linalg.svd(differences, full_matrices=False)
    return directions[singular > singular[0] * max(counts.shape) * np.finfo(float).eps] @ basis


def _symmetric_basis(length: int) -> np.ndarray:
    """Unit vectors that are constant on one class of motifs: (C, 2^K)."""
    classes = motif_classes(length)
    return np.equal.outer(np.arange(len(classes)), classes.labels) / np.sqrt(classes.sizes)[:, None]
