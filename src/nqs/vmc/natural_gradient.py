"""Solutions of min_d |X d + r|^2, the update of stochastic reconfiguration and of time evolution, four ways.

parameter space   d = -(X^+ X + shift)^-1 X^+ r             P^2 n to build, P^3 to solve
sample space      d = -X^+ (X X^+ + shift)^-1 r             n^2 P to build, n^3 to solve; the same d [minSR: Chen and
                                                            Heyl 2024; Rende et al. 2024]
pseudo-inverse    modes of S below a part of the largest are left out
signal to noise   modes whose force drowns in its sampling noise are damped [Schmitt and Heyl 2020]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg as la

from nqs.ansatz.tangents import Tangents, kernel, metric, pulled
from nqs.runtime.errors import InputError

Solver = Callable[[Tangents, np.ndarray], np.ndarray]  # X (n, P), r (n,) -> d (P,)


def in_parameter_space(tangents: Tangents, right: np.ndarray, shift: float) -> np.ndarray:
    """d (P,) by the P x P tensor."""
    tensor = metric(tangents)
    tensor[np.diag_indices(len(tensor))] += shift
    return -_positive_solve(tensor, pulled(tangents, right))


def in_sample_space(tangents: Tangents, right: np.ndarray, shift: float) -> np.ndarray:
    """d (P,) by the n x n tangent kernel."""
    overlaps = kernel(tangents)
    overlaps[np.diag_indices(len(overlaps))] += shift
    return -pulled(tangents, _positive_solve(overlaps, right))


def _positive_solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve with a Hermitian positive matrix; InputError where it is singular."""
    try:
        solution: np.ndarray = la.solve(matrix, right, assume_a="pos", overwrite_a=True)
    except (la.LinAlgError, ValueError) as error:
        raise InputError(f"the geometric tensor cannot be inverted ({error}); raise the diagonal shift") from None
    return solution


def shifted(shift: float) -> Solver:
    """The cheaper of both spaces; the shift is absolute."""

    def solve(tangents: Tangents, right: np.ndarray) -> np.ndarray:
        smaller = in_sample_space if len(tangents) < tangents.shape[1] else in_parameter_space
        return smaller(tangents, right, shift)

    return solve


def pseudo_inverse(cutoff: float) -> Solver:
    """Modes of S with an eigenvalue below `cutoff` times the largest are left out."""

    def solve(tangents: Tangents, right: np.ndarray) -> np.ndarray:
        left, singular, modes = np.linalg.svd(tangents, full_matrices=False)
        kept = singular**2 > cutoff * singular[0] ** 2
        solution: np.ndarray = -(modes[kept].conj().T @ ((left.conj().T @ right)[kept] / singular[kept]))
        return solution

    return solve


def signal_to_noise(least: float, n_samples: int, cutoff: float = 1e-14) -> Solver:
    """Modes are damped by 1 / (1 + (least / SNR)^6), SNR = |force| / its standard error over the samples."""

    def solve(tangents: Tangents, right: np.ndarray) -> np.ndarray:
        left, singular, modes = np.linalg.svd(tangents, full_matrices=False)
        kept = singular**2 > cutoff * singular[0] ** 2
        projected = (left.conj().T @ right)[kept]
        noise = np.sqrt(np.maximum(np.abs(left[:, kept]) ** 2 * np.abs(right[:, None]) ** 2, 0).sum(axis=0))
        ratio = np.abs(projected) * np.sqrt(n_samples) / np.maximum(noise, 1e-300)
        damped = 1 / (1 + (least / np.maximum(ratio, 1e-300)) ** 6)
        solution: np.ndarray = -(modes[kept].conj().T @ (damped * projected / singular[kept]))
        return solution

    return solve


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of S, descending."""

    values: np.ndarray

    def rank(self, cutoff: float = 1e-10) -> int:
        """Number of eigenvalues above `cutoff` times the largest [Dash et al. 2024]."""
        return int((self.values > cutoff * self.values[0]).sum())

    def condition(self, shift: float = 0.0) -> float:
        """(largest + shift) / (smallest + shift); infinite for a singular tensor."""
        smallest = max(float(self.values[-1]), 0.0) + shift
        return (float(self.values[0]) + shift) / smallest if smallest else float("inf")


def spectrum(tangents: Tangents) -> Spectrum:
    """Of S = X^+ X for X (n, P): all P eigenvalues, those beyond n zero."""
    singular = np.linalg.svd(tangents, compute_uv=False)
    return Spectrum(np.concatenate([singular**2, np.zeros(tangents.shape[1] - len(singular))]))
