"""A PyTorch network as the wave function of variational Monte Carlo, against the machine of `nqs.ansatz.rbm`."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from support.vmc_problems import ENERGY, courses_of, p_value, ring_bonds, ring_problem, sampler_named

from nqs.ansatz.rbm import Rbm
from nqs.ansatz.torch_network import TorchAnsatz
from nqs.model.moves import exchanges, flips
from nqs.model.states import zero_magnetisation_states
from nqs.networks.architectures.cnn import PeriodicCNN
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry
from nqs.runtime.errors import InputError
from nqs.vmc import loop, stochastic_reconfiguration
from nqs.vmc.local_energy import local_energies
from nqs.vmc.optimisers import Adam
from nqs.vmc.sampler import Chains

N_SITES, N_HIDDEN = 6, 9
STATES = np.arange(1 << N_SITES, dtype=np.uint64)


@dataclass(frozen=True)
class TorchRbm:
    """The restricted Boltzmann machine as one would write it in PyTorch, parameters as in `nqs.ansatz.rbm`."""

    geometry: Geometry
    n_hidden: int
    target: str = "amplitude"

    translation_invariant = False

    @property
    def shapes(self):
        n_sites = self.geometry.n_sites
        return {"visible": (n_sites,), "hidden": (self.n_hidden,), "weights": (n_sites, self.n_hidden)}

    @property
    def fan_in(self):
        return dict.fromkeys(self.shapes, 400)

    def __call__(self, parameters, spins):
        theta = spins @ parameters["weights"] + parameters["hidden"]
        return spins @ parameters["visible"] + torch.logaddexp(theta, -theta).sum(-1)


def waves(n_sites=N_SITES, n_hidden=N_HIDDEN):
    """The same wave function both ways."""
    rbm = Rbm(n_sites, n_hidden, 0.3)
    theta = rbm.initial(np.random.default_rng(0))
    return TorchAnsatz(TorchRbm(Geometry(n_sites, (n_sites, 1)), n_hidden)).at(theta), rbm.at(theta)


def test_amplitudes_and_ratios():
    ours, expected = waves()
    np.testing.assert_allclose(ours.log_psi(STATES[5:9]), expected.log_psi(STATES[5:9]), atol=1e-10)
    np.testing.assert_allclose(ours.log_psi_all(), expected.log_psi_all(), atol=1e-10)
    for moves in (exchanges(ring_bonds(N_SITES)), flips(N_SITES)):
        np.testing.assert_allclose(ours.ratios(STATES, moves), expected.ratios(STATES, moves), rtol=1e-8)


def test_derivatives_and_direction():
    ours, expected = waves()
    derivatives, compiled = ours.derivatives(STATES), expected.derivatives(STATES)
    np.testing.assert_allclose(derivatives.jacobian(), compiled.jacobian(), atol=1e-5)
    problem, weights = ring_problem(N_SITES, None), np.random.default_rng(1).dirichlet(np.ones(len(STATES)))
    one, other = (
        stochastic_reconfiguration.direction(
            made, weights, local_energies(problem.hamiltonian, wave, STATES), problem.preconditioner.diagonal_shift
        )
        for made, wave in ((derivatives, ours), (compiled, expected))
    )
    assert np.linalg.norm(one - other) < 1e-4 * np.linalg.norm(other)


@pytest.mark.parametrize("name", ["flip", "exchange"])
def test_chains_follow_psi_squared(name, monkeypatch):
    monkeypatch.setattr("nqs.vmc.sampler.TABLE_SITES", 0)
    wave, _ = waves(4, 8)
    moves = exchanges(ring_bonds(4)) if name == "exchange" else None
    chains = Chains(4, 4096, 256, discard=20, thinning=10, moves=moves)
    rng = np.random.default_rng(3)
    sample = chains.draw(wave, chains.start(rng), rng)
    assert 0 < sample.acceptance < 1
    assert p_value(sample, wave.log_psi_all(), zero_magnetisation_states(4) if name == "exchange" else None) > 1e-3


@pytest.mark.parametrize(
    "network",
    [
        TorchRbm(Geometry(4, (4, 1)), 8),
        Dense(Geometry(4, (4, 1)), "amplitude", (16,)),
        PeriodicCNN(Geometry(4, (4, 1)), "amplitude", (4, 4), 3),
    ],
    ids=["rbm", "dense", "cnn"],
)
def test_networks_learn_the_ring_of_four(network):
    ansatz = TorchAnsatz(network)
    problem = ring_problem(4, sampler_named("exact", 4), ansatz=ansatz, optimiser=Adam(0.02), max_iterations=150)
    (course,) = courses_of(problem, [0])
    loop.train(course, problem)
    energy = np.array(course.trace)[-20:, 0].mean()
    assert abs(energy / ENERGY[4] - 1) < 0.01


def test_derivatives_of_a_network_are_finite_differences():
    ansatz = TorchAnsatz(PeriodicCNN(Geometry(4, (4, 1)), "amplitude", (3, 4), 3))
    theta, states, step = ansatz.initial(np.random.default_rng(0)), np.array([3, 5, 6], np.uint64), 1e-6
    jacobian = ansatz.at(theta).derivatives(states).jacobian()
    for parameter in range(0, ansatz.n_parameters, 7):
        change = step * (np.arange(ansatz.n_parameters) == parameter)
        expected = (ansatz.at(theta + change).log_psi(states) - ansatz.at(theta - change).log_psi(states)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, parameter], expected, atol=1e-5)


def test_a_network_for_signs_is_refused():
    with pytest.raises(InputError, match="target sign has no ln psi"):
        TorchAnsatz(Dense(Geometry(4, (4, 1)), "sign", (16,)))
