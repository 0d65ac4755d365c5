"""Complex wave functions from two real functions: psi(s) = exp(a(s) + i phi(s)).

Parameters are one vector (theta_a, theta_phi). As they are real, S = Re(<O* O> - <O*><O>) has no elements between the
two parts, and F = 2 Re <(E_loc - E)* O> is 2 cov(da, Re E_loc) for a and, with O = i dphi, 2 cov(dphi, Im E_loc) for
phi. `nqs.vmc.stochastic_reconfiguration` solves both parts on their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.ansatz.protocol import Ansatz, ComplexDerivatives, Wave


@dataclass(frozen=True)
class AmplitudePhase:
    """The family of two ansätze for the same sites: one gives ln|psi|, the other the phase (radians)."""

    amplitude: Ansatz
    phase: Ansatz

    @property
    def n_sites(self) -> int:
        return self.amplitude.n_sites

    @property
    def n_parameters(self) -> int:
        return self.amplitude.n_parameters + self.phase.n_parameters

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        return np.concatenate([self.amplitude.initial(rng), self.phase.initial(rng)])

    def at(self, theta: np.ndarray) -> AmplitudePhaseWave:
        of_amplitude, of_phase = np.split(theta, [self.amplitude.n_parameters])
        return AmplitudePhaseWave(self.amplitude.at(of_amplitude), self.phase.at(of_phase))


@dataclass(frozen=True, eq=False)
class AmplitudePhaseWave(EvaluatedWave):
    """One of them; ratios and ln psi are complex."""

    amplitude: Wave
    phase: Wave

    @property
    def n_sites(self) -> int:
        return self.amplitude.n_sites

    def log_psi(self, states: np.ndarray) -> np.ndarray:
        return self.amplitude.log_psi(states) + 1j * self.phase.log_psi(states)

    def log_psi_all(self) -> np.ndarray:
        return self.amplitude.log_psi_all() + 1j * self.phase.log_psi_all()

    def log_modulus(self, states: np.ndarray) -> np.ndarray:
        """ln |psi|: (U,) float64, without evaluating the phase."""
        return self.amplitude.log_psi(states).real

    def derivatives(self, states: np.ndarray) -> ComplexDerivatives:
        parts = self.amplitude.derivatives(states), self.phase.derivatives(states)
        assert not any(isinstance(part, ComplexDerivatives) for part in parts)
        return ComplexDerivatives(*parts)  # type: ignore[arg-type]
