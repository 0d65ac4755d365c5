"""Energy, force and quantum geometric tensor of a wave function, from a whole basis or from samples.

    X = sqrt(w) (O - <O>),   r = sqrt(w) (E_loc - E),   S = X^+ X,   F = X^+ r

An update solves min_d |X d + f r|^2 for the d that changes psi most like -f (H - E) psi: f = 1 is imaginary time
(stochastic reconfiguration, the quantum natural gradient), f = i is real time [Kufel 2024, key idea 3 and challenge of
dynamics; Carleo and Troyer 2017]. With real parameters X and f r are stacked as real and imaginary parts, so the same
solvers serve both (McLachlan's principle).

Shapes: U states, P parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nqs.ansatz.complex_protocol import ComplexAnsatz, ComplexWave
from nqs.ansatz.tangents import Tangents, metric, pulled
from nqs.exact.sparse_states import make_basis, matrix
from nqs.model.hamiltonians import Hamiltonian
from nqs.runtime.errors import InputError

IMAGINARY_TIME, REAL_TIME = 1.0, 1.0j


@dataclass(frozen=True, eq=False)
class TangentSpace:
    """energy: of the sums, real; variance: of E_loc;  tangents X (U, P), residual r (U,); complex."""

    energy: float
    variance: float
    tangents: Tangents
    residual: np.ndarray
    holomorphic: bool

    def system(self, factor: complex = IMAGINARY_TIME) -> tuple[Tangents, np.ndarray]:
        """X and f r, for real parameters stacked: (U, P) and (U,), or (2U, P) and (2U,) float64."""
        right = factor * self.residual
        if self.holomorphic:
            return self.tangents, right
        tangents = np.asarray(self.tangents)
        return np.concatenate([tangents.real, tangents.imag]), np.concatenate([right.real, right.imag])

    @cached_property
    def tensor(self) -> np.ndarray:
        """S: (P, P), its real part for real parameters."""
        return metric(self.system()[0])

    def force(self, factor: complex = IMAGINARY_TIME) -> np.ndarray:
        """X^+ f r: (P,)."""
        return pulled(*self.system(factor))


@dataclass(frozen=True, eq=False)
class Problem:
    """A Hamiltonian on a basis: states (K,) uint64 ascending, h sparse (K, K)."""

    hamiltonian: Hamiltonian
    states: np.ndarray
    h: Any  # sparse, or anything that multiplies a state

    @classmethod
    def of(cls, hamiltonian: Hamiltonian, magnetisation: int | None = None) -> Problem:
        """On all states, or those of one magnetisation; InputError as `nqs.exact.sparse_states.make_basis`."""
        if magnetisation is not None and (hamiltonian.n_sites + magnetisation) % 2:
            raise InputError(
                f"magnetisation: {hamiltonian.n_sites} sites have no state with Sz = {magnetisation / 2:g}; "
                "choose one of the same parity"
            )
        basis = make_basis(hamiltonian, magnetisation, None)
        return cls(hamiltonian, basis.states, matrix(hamiltonian, basis))

    def amplitudes(self, wave: ComplexWave) -> np.ndarray:
        """Normalised psi (K,); InputError if it vanishes or is not finite."""
        complete = len(self.states) == 1 << self.hamiltonian.n_sites
        logs = wave.log_psi_all() if complete else wave.log_psi(self.states)
        largest = logs.real.max()
        if not np.isfinite(largest):
            why = "vanishes on the whole basis; project on another representation" if largest < 0 else "is not finite"
            raise InputError(f"psi {why}")
        psi = np.exp(logs - largest)
        unit: np.ndarray = psi / np.linalg.norm(psi)
        return unit

    def tangent_space(self, ansatz: ComplexAnsatz, theta: np.ndarray) -> TangentSpace:
        """By sums over the whole basis."""
        wave = ansatz.at(theta)
        psi = self.amplitudes(wave)
        phase = np.exp(-1j * np.angle(psi))
        image = self.h @ psi
        energy = float((psi.conj() @ image).real)
        root = np.abs(psi)
        residual = (image - energy * psi) * phase  # finite where psi is zero, unlike E_loc
        tangents = wave.tangents(self.states, root)
        return TangentSpace(energy, float(np.linalg.norm(residual) ** 2), tangents, residual, ansatz.holomorphic)

    def sampled(self, ansatz: ComplexAnsatz, theta: np.ndarray, counts: np.ndarray) -> TangentSpace:
        """By samples: counts (K,) of the states of the basis."""
        wave = ansatz.at(theta)
        return self._of_counts(ansatz, wave, self.amplitudes(wave), counts)

    def drawn(self, ansatz: ComplexAnsatz, theta: np.ndarray, n: int, rng: np.random.Generator) -> TangentSpace:
        """By n fresh independent samples of |psi|^2."""
        wave = ansatz.at(theta)
        psi = self.amplitudes(wave)
        return self._of_counts(ansatz, wave, psi, draws(psi, n, rng))

    def _of_counts(self, ansatz: ComplexAnsatz, wave: ComplexWave, psi: np.ndarray, counts: np.ndarray) -> TangentSpace:
        drawn = np.flatnonzero(counts)
        root = np.sqrt(counts[drawn] / counts.sum())
        local = (self.h[drawn] @ psi) / psi[drawn]
        mean = root**2 @ local
        residual = root * (local - mean)
        tangents = wave.tangents(self.states[drawn], root)
        variance = float(np.linalg.norm(residual) ** 2)
        return TangentSpace(float(mean.real), variance, tangents, residual, ansatz.holomorphic)

    def draw(self, ansatz: ComplexAnsatz, theta: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """How often n independent samples of |psi|^2 hit each state: (K,)."""
        return draws(self.amplitudes(ansatz.at(theta)), n, rng)


def draws(psi: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often n independent samples of |psi|^2 hit each state: (K,)."""
    upto = np.cumsum(np.abs(psi) ** 2)
    places = np.searchsorted(upto, rng.random(n) * upto[-1], side="right")  # never a state of weight zero
    return np.bincount(places, minlength=len(psi))


def infidelity(psi: np.ndarray, target: np.ndarray) -> float:
    """1 - |<psi|target>|^2 of normalised states, without cancellation."""
    overlap = np.vdot(psi, target)
    aligned = psi * (overlap / abs(overlap) if overlap else 1.0)
    return float(np.linalg.norm(target - aligned * abs(overlap)) ** 2)
