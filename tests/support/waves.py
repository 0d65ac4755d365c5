"""Wave functions that are only evaluated."""

import numpy as np

from nqs.ansatz.by_evaluation import EvaluatedWave


class Evaluated(EvaluatedWave):
    """Another wave, without its own ratios and chains."""

    def __init__(self, wave):
        self.wave = wave

    @property
    def n_sites(self):
        return self.wave.n_sites

    def log_psi(self, states):
        return self.wave.log_psi(states)

    def derivatives(self, states):
        return self.wave.derivatives(states)


class Table(EvaluatedWave):
    """psi of every state, of any sign or zero."""

    def __init__(self, psi):
        self.psi = psi

    @property
    def n_sites(self):
        return len(self.psi).bit_length() - 1

    def log_psi(self, states):
        with np.errstate(divide="ignore"):
            return np.log(self.psi[states.astype(int)] + 0j)

    def derivatives(self, states):
        raise NotImplementedError
