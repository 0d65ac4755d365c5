"""Amplitudes of a restricted Boltzmann machine on all states of a ring, and what each hidden unit does to them.

    psi(s) = exp(sum_i a_i s_i) prod_j 2 cosh theta_j(s),   theta_j = b_j + sum_i W_ji s_i   [Mummaneni 2026, eq. 3]

With the sites split into two halves, theta = x + y and

    2 cosh(x + y) = e^x e^y + e^-x e^-y,

two multiplications per state and unit, of positive numbers, so nothing cancels (as 1 + tanh x tanh y does where x and y
are large and opposite). The product over units is turned into a logarithm before it can overflow. Units are removed by
dividing psi by their factor, and a unit kept alone leaves exp(sum a s) times its factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from nqs.exact.ring_sums import Ring, measure
from nqs.runtime.compiled import COMPILED

LARGEST_EXPONENT = 600.0  # a product of factors stays below exp of this


@dataclass(frozen=True, eq=False)
class Machine:
    """Parameters: visible bias a (N,), hidden bias b (M,), weights W (M, N); float64."""

    visible: np.ndarray
    hidden: np.ndarray
    weights: np.ndarray

    @property
    def n_units(self) -> int:
        """Number of hidden units M."""
        return len(self.hidden)

    def only(self, kept: np.ndarray) -> Machine:
        """The same machine with the chosen units (mask or indices); the visible bias stays."""
        return Machine(self.visible, self.hidden[kept], self.weights[kept])


@dataclass(frozen=True, eq=False)
class UnitSums:
    """Energy (unit,) and C_zz(r) (unit, N/2 + 1) of one state per hidden unit."""

    energy: np.ndarray
    czz: np.ndarray


@dataclass(frozen=True, eq=False)
class _Halves:
    """e^x and e^-x of both halves, each (unit, K), and sum a s of both, (K,); b_j goes with the lower half."""

    lower: tuple[np.ndarray, np.ndarray]
    upper: tuple[np.ndarray, np.ndarray]
    lower_bias: np.ndarray
    upper_bias: np.ndarray
    units_per_log: int


def amplitudes(size: Ring, sector: str, machine: Machine) -> np.ndarray:
    """psi (K, K) over a sector, scaled to a largest value of 1; 0 outside.

    A machine that is not finite gives NaN. Theta beyond +-700 overflows and gives NaN too: no trained machine is there.
    """
    halves = _halves(size, machine)
    start, stop = size.columns(sector)
    log_psi = np.full((len(size.words), len(size.words)), -np.inf)
    _log_amplitudes(
        *halves.lower, *halves.upper, halves.lower_bias, halves.upper_bias, start, stop, halves.units_per_log, log_psi
    )
    with np.errstate(invalid="ignore"):
        return np.exp(log_psi - log_psi.max())


def without_each(size: Ring, sector: str, machine: Machine, psi: np.ndarray) -> UnitSums:
    """Energy and correlations with one unit removed, for every unit; psi as `amplitudes` gives it."""
    halves, (start, stop) = _halves(size, machine), size.columns(sector)
    scratch = np.zeros_like(psi)

    def removed(unit: int) -> np.ndarray:
        _divide(psi, *_factors(halves, unit), start, stop, scratch)
        return scratch

    return _each(size, sector, machine, removed)


def with_each_alone(size: Ring, sector: str, machine: Machine) -> UnitSums:
    """Energy and correlations with all units but one removed, for every unit; the visible bias stays."""
    halves, (start, stop) = _halves(size, machine), size.columns(sector)
    product_state = amplitudes(size, sector, machine.only(np.array([], dtype=np.int64)))
    scratch = np.zeros_like(product_state)

    def alone(unit: int) -> np.ndarray:
        _multiply(product_state, *_factors(halves, unit), start, stop, scratch)
        return scratch

    return _each(size, sector, machine, alone)


def staggered_score(weights: np.ndarray) -> np.ndarray:
    """S_AFM (unit,): Pearson correlation of each row of the weights (unit, N) with (-1)^i, i = 1..N.

    NaN for a row of equal weights. (W_j, b_j) -> -(W_j, b_j) leaves psi alone, so only the modulus has a meaning.
    """
    n_sites = weights.shape[1]
    pattern = (-1.0) ** np.arange(1, n_sites + 1)
    centred = weights - weights.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1) * n_sites)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(centred @ pattern / norm, -1.0, 1.0)


def _each(size: Ring, sector: str, machine: Machine, state_of) -> UnitSums:
    sums = [measure(size, sector, state_of(unit)) for unit in range(machine.n_units)]
    return UnitSums(np.array([one.energy for one in sums]), np.array([one.czz for one in sums]))


def _halves(size: Ring, machine: Machine) -> _Halves:
    half = size.n_sites // 2
    lower = machine.weights[:, :half] @ size.spins + machine.hidden[:, None]  # (unit, K)
    upper = machine.weights[:, half:] @ size.spins
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.max(np.abs(machine.hidden) + np.abs(machine.weights).sum(axis=1), initial=0.0)
        units = max(1, int(LARGEST_EXPONENT / max(largest, 1.0))) if np.isfinite(largest) else 1
        return _Halves(
            (np.exp(lower), np.exp(-lower)),
            (np.exp(upper), np.exp(-upper)),
            machine.visible[:half] @ size.spins,
            machine.visible[half:] @ size.spins,
            units,
        )


def _factors(halves: _Halves, unit: int) -> tuple[np.ndarray, ...]:
    return halves.lower[0][unit], halves.lower[1][unit], halves.upper[0][unit], halves.upper[1][unit]


@njit(**COMPILED)
def _log_amplitudes(lower, lower_inverse, upper, upper_inverse, lower_bias, upper_bias, start, stop, units, out):
    """ln psi of the states of a sector; `units` factors are multiplied before their logarithm is taken."""
    for row in range(len(start)):
        a, b = start[row], stop[row]
        total, product = out[row, a:b], np.ones(b - a)
        total[:] = upper_bias[row] + lower_bias[a:b]
        for unit in range(len(lower)):
            up, down = upper[unit, row], upper_inverse[unit, row]
            grows, falls = lower[unit, a:b], lower_inverse[unit, a:b]
            for column in range(len(product)):
                product[column] *= up * grows[column] + down * falls[column]
            if (unit + 1) % units == 0 or unit + 1 == len(lower):
                total += np.log(product)
                product[:] = 1.0


@njit(**COMPILED)
def _divide(psi, lower, lower_inverse, upper, upper_inverse, start, stop, out):
    """psi without one unit."""
    for row in range(len(start)):
        a, b = start[row], stop[row]
        before, after, grows, falls = psi[row, a:b], out[row, a:b], lower[a:b], lower_inverse[a:b]
        for column in range(len(after)):
            after[column] = before[column] / (upper[row] * grows[column] + upper_inverse[row] * falls[column])


@njit(**COMPILED)
def _multiply(psi, lower, lower_inverse, upper, upper_inverse, start, stop, out):
    """psi with one unit more."""
    for row in range(len(start)):
        a, b = start[row], stop[row]
        before, after, grows, falls = psi[row, a:b], out[row, a:b], lower[a:b], lower_inverse[a:b]
        for column in range(len(after)):
            after[column] = before[column] * (upper[row] * grows[column] + upper_inverse[row] * falls[column])
