"""Exact energies of any wave function of motifs, ln psi(s) = sum_s' C_s' m_s'(s), on rings too long to enumerate.

H = sum_n P_n,n+1 in the Marshall gauge: +1 on a pair of like spins, minus the exchange on a pair of unlike ones
[Ju 2025, sec. II and eq. 6]. A state is a walk around the ring, whose place is a row of K - 1 spins and whose step is
a motif, with weight exp 2C; a counter of up spins keeps the walks of zero magnetisation apart. Let L and R be the
K - 1 spins before and after a bond with spins a, b. Then with the sum over the walks from R on to L, the environment,

    Z = sum_s psi(s)^2 = sum_LabR  psi psi  environment(R, L, ups),     <H> = N sum_LabR  psi P psi  environment / Z,

where psi psi and psi P psi are the factors of the K + 1 motifs that touch the bond. Environments are sums of positive
terms, so nothing cancels, whatever the coefficients.

The time grows as N^2 4^K: at K = 6 energy and gradient take 5 ms for N = 60 and 0.1 s for N = 240.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import minimize_scalar

from nqs.exact import transfer_kernel
from nqs.model.motifs import bits
from nqs.runtime.errors import InputError

LONGEST_MOTIF = 10


RANGE = 1e-200, 1e200  # of the balanced norm: well inside it no environment that counts has under- or overflowed


class OutOfRange(InputError):
    """The coefficients are so large, or so far apart, that the norm of psi has no floating-point number."""


@dataclass(frozen=True, eq=False)
class Measured:
    """ln sum_s psi(s)^2, total energy <H> of H = sum P, and <m_w> (2^K,), which add up to N."""

    log_norm: float
    energy: float
    motif_expectations: np.ndarray


def measure(n_sites: int, coefficients: np.ndarray) -> Measured:
    """Exact norm, energy and motif expectation values of coefficients (2^K,); InputError if N is odd or below 2K."""
    walk = _walk(n_sites, coefficients)
    around = walk.around_bond(transfer_kernel.environments(walk.weights, walk.half, walk.outside))
    norm = walk.norm(around)
    energy = n_sites * float(np.vdot(around, walk.exchanged)) / norm
    log_norm = float(np.log(norm)) + n_sites * walk.log_scale
    return Measured(log_norm, energy, walk.expectations(around, norm))


def energy_and_gradient(n_sites: int, coefficients: np.ndarray) -> tuple[float, np.ndarray]:
    """<H> and d<H> / dC = 2 cov(local energy, m): float, (2^K,); InputError as for `measure`."""
    walk = _walk(n_sites, coefficients)
    seeds = _spread_over_ups(walk.exchanged, walk.half)
    environments, slopes = transfer_kernel.environments_and_slopes(walk.weights, walk.half, walk.outside, seeds)
    around = walk.around_bond(environments)
    norm = walk.norm(around)
    energy = n_sites * float(np.vdot(around, walk.exchanged)) / norm
    slope = walk.bond_slopes(around) + 2 * slopes
    return energy, n_sites * slope / norm - 2 * energy * walk.expectations(around, norm)


def energy_variance(n_sites: int, coefficients: np.ndarray) -> float:
    """<H^2> - <H>^2; InputError also if N is below 3K, where two bonds may see each other both ways round the ring.

    The time grows as N^2 8^K.
    """
    walk = _walk(n_sites, coefficients)
    length, half = walk.length, walk.half
    if n_sites < 3 * length:
        raise InputError(
            f"the variance with motifs of K = {length} needs a ring of 3K sites, not {n_sites}; sum over its states"
        )
    # Bonds that no motif touches both of are K + 1 to N - K - 1 apart, and their factors separate.
    seeds = _spread_over_ups(walk.exchanged, half)
    total = transfer_kernel.distant_bonds(walk.weights, half, n_sites - 2 * length - 2, walk.exchanged_by_ups, seeds)
    for distance in range(1, length + 1):
        environments = transfer_kernel.environments(walk.weights, half, walk.outside - distance)
        total += 2 * transfer_kernel.near_bonds(walk.coefficients, length, distance, environments)
    around = walk.around_bond(transfer_kernel.environments(walk.weights, half, walk.outside))
    norm = walk.norm(around)
    energy = n_sites * float(np.vdot(around, walk.exchanged)) / norm
    return n_sites * (1 + total / norm) - energy**2


@dataclass(frozen=True, eq=False)
class _Walk:
    """One wave function on one ring; rows of 2K spins (L, a, b, R) around a bond are arrays (R, b, a, L).

    coefficients (2^K,): balanced, so that long walks neither grow nor shrink;  log_scale: what that took off 2C
    """

    n_sites: int
    length: int
    coefficients: np.ndarray
    log_scale: float

    @property
    def half(self) -> int:
        """Number of up spins."""
        return self.n_sites // 2

    @property
    def outside(self) -> int:
        """Number of motifs that do not touch a given bond."""
        return self.n_sites - self.length - 1

    @cached_property
    def weights(self) -> np.ndarray:
        """exp 2C: (2^K,)."""
        return np.exp(2 * self.coefficients)

    @cached_property
    def plain(self) -> np.ndarray:
        """psi psi, the factors of the motifs that touch the bond: (R, b, a, L)."""
        before, _, _ = _bond_windows(self.length)
        return np.exp(2 * self.coefficients[before].sum(axis=0)).reshape(_rows(self.length))

    @cached_property
    def exchanged(self) -> np.ndarray:
        """psi P psi, the same with one psi after the exchange: (R, b, a, L)."""
        before, after, sign = _bond_windows(self.length)
        logs = (self.coefficients[before] + self.coefficients[after]).sum(axis=0)
        return (sign * np.exp(logs)).reshape(_rows(self.length))

    @cached_property
    def exchanged_by_ups(self) -> np.ndarray:
        """`exchanged` summed over the bond's spins, by how many of them are up: (3, L, R)."""
        rows = self.exchanged.transpose(1, 2, 3, 0)  # (b, a, L, R)
        return np.stack([rows[0, 0], rows[0, 1] + rows[1, 0], rows[1, 1]])

    def around_bond(self, environments: np.ndarray) -> np.ndarray:
        """The environment (R, L, ups) of each row around a bond: (R, b, a, L)."""
        side = len(environments)
        ups, allowed = _ups_outside(self.length, self.half)
        left = np.arange(side)
        return np.where(allowed, environments[np.arange(side)[:, None, None, None], left, ups], 0.0)

    def norm(self, around: np.ndarray) -> float:
        """Z; OutOfRange if floating-point numbers do not reach so far."""
        norm = float(np.vdot(around, self.plain))
        if not RANGE[0] < norm < RANGE[1]:
            raise OutOfRange(
                f"N = {self.n_sites}, K = {self.length}: the norm of psi is out of range; use smaller coefficients"
            )
        return norm

    def expectations(self, around: np.ndarray, norm: float) -> np.ndarray:
        """<m_w>: (2^K,)."""
        before, _, _ = _bond_windows(self.length)
        return self.n_sites / norm * np.bincount(before[0], (around * self.plain).ravel(), len(self.coefficients))

    def bond_slopes(self, around: np.ndarray) -> np.ndarray:
        """Derivative of sum_LabR psi P psi environment by the coefficients in psi P psi: (2^K,)."""
        before, after, _ = _bond_windows(self.length)
        rows = np.broadcast_to((around * self.exchanged).ravel(), before.shape).ravel()
        size = len(self.coefficients)
        return np.bincount(before.ravel(), rows, size) + np.bincount(after.ravel(), rows, size)


def _walk(n_sites: int, coefficients: np.ndarray) -> _Walk:
    coefficients = np.asarray(coefficients, float)
    length = coefficients.size.bit_length() - 1
    if coefficients.shape != (1 << length,) or not 2 <= length <= LONGEST_MOTIF:
        raise InputError(
            f"coefficients of shape {coefficients.shape}: give one for each of the 2^K motifs, K = 2 to {LONGEST_MOTIF}"
        )
    if n_sites % 2 or n_sites < 2 * length:
        raise InputError(
            f"N = {n_sites}: motifs of K = {length} need an even ring of 2K sites or more; sum over the states of a "
            "shorter one"
        )
    if not np.isfinite(coefficients).all():
        raise OutOfRange("a coefficient is infinite or not a number")
    return _Walk(n_sites, length, *_balanced(coefficients, length, n_sites))


def _balanced(coefficients: np.ndarray, length: int, steps: int) -> tuple[np.ndarray, float]:
    """Coefficients that give the same psi up to a factor, without mean magnetisation, and ln of that factor squared.

    A field, sum_k g_k s_k of the spins of the motif, adds nothing at zero magnetisation. Taken out, and 2C scaled by
    the growth of walks without mean magnetisation, environments neither under- nor overflow, unless C is huge.
    """
    spins = 2.0 * bits(np.arange(1 << length), length) - 1
    fieldless = coefficients - spins @ (spins.T @ coefficients) / len(spins)
    field = 0.0
    if not np.allclose(fieldless, fieldless[::-1], rtol=0, atol=1e-12):
        # The growth is convex in the field, and its slope is the magnetisation.
        field = minimize_scalar(lambda h: _growth(fieldless + h * spins[:, 0], steps), options={"xtol": 1e-3}).x
    balanced = fieldless + field * spins[:, 0]
    growth = _growth(balanced, steps)
    return balanced - growth / 2, growth


def _growth(coefficients: np.ndarray, steps: int) -> float:
    """ln of the sum over all walks of some steps, whatever their magnetisation, per step."""
    side, highest = len(coefficients) // 2, coefficients.max()
    weights, onward = np.exp(2 * (coefficients - highest)), np.arange(2 * side) >> 1
    sums, growth = np.ones(side), 0.0
    for _ in range(steps):
        sums = (weights * sums[onward]).reshape(2, side).sum(axis=0)
        largest = sums.max()
        if not largest > 0:
            raise OutOfRange("the coefficients lie so far apart that no walk has weight; use smaller ones")
        growth, sums = growth + np.log(largest), sums / largest
    return float(growth / steps + 2 * highest)


@lru_cache(maxsize=4)
def _bond_windows(length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The K + 1 motifs of each row of 2K spins before and after exchanging the middle two, and the sign of P.

    (K + 1, 4^K), (K + 1, 4^K), (4^K,)
    """
    rows = np.arange(1 << (2 * length))
    unlike = ((rows >> (length - 1)) ^ (rows >> length)) & 1
    exchanged = rows ^ (unlike * (3 << (length - 1)))
    shifts, mask = np.arange(length + 1)[:, None], (1 << length) - 1
    return (rows >> shifts) & mask, (exchanged >> shifts) & mask, 1.0 - 2 * unlike


def _rows(length: int) -> tuple[int, int, int, int]:
    return 1 << (length - 1), 2, 2, 1 << (length - 1)


def _ups_outside(length: int, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Up spins that the environment of (L, a, b) must count, and whether there can be so many: (b, a, L)."""
    spins = np.bitwise_count(np.arange(1 << (length + 1), dtype=np.uint64)).astype(np.int64)
    ups = half - spins.reshape(_rows(length)[1:])
    return np.maximum(ups, 0), ups >= 0


def _spread_over_ups(rows: np.ndarray, half: int) -> np.ndarray:
    """What multiplies each environment (R, L, ups) in the sum over rows (R, b, a, L) times environments."""
    side = len(rows)
    ups, allowed = _ups_outside(side.bit_length(), half)
    seeds = np.zeros((side, side, half + 1))
    for b, a in np.ndindex(2, 2):
        left = np.flatnonzero(allowed[b, a])
        seeds[:, left, ups[b, a, left]] += rows[:, b, a, left]
    return seeds
