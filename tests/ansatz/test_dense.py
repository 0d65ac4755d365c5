"""Dense networks with structured derivatives, against the same networks in PyTorch."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.vmc_problems import p_value, ring_bonds

from nqs.ansatz.by_evaluation import EvaluatedWave
from nqs.ansatz.dense import DenseAnsatz
from nqs.ansatz.protocol import DenseDerivatives
from nqs.ansatz.torch_network import TorchAnsatz
from nqs.model.moves import exchanges
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.sampler import Chains, Exact, NotFiniteError

SHAPES = [(6, (5,)), (8, (7, 6)), (14, (9, 8, 4)), (26, (6, 5))]  # one part of the sites, two, three


@pytest.fixture(params=SHAPES, ids=str)
def both(request):
    """A network here and in PyTorch, and some states."""
    n_sites, hidden = request.param
    ansatz = DenseAnsatz(n_sites, hidden)
    theta = ansatz.initial(np.random.default_rng(0))
    states = np.random.default_rng(1).choice(1 << n_sites, 50, replace=False).astype(np.uint64)
    return ansatz.at(theta), TorchAnsatz(ansatz.network).at(theta), states


def test_amplitudes_ratios_and_derivatives_are_those_of_pytorch(both):
    ours, expected, states = both
    assert_allclose(ours.log_psi(states), expected.log_psi(states), atol=2e-6)
    moves = exchanges(ring_bonds(ours.n_sites))
    assert_allclose(ours.ratios(states, moves), expected.ratios(states, moves), atol=1e-5)
    assert_allclose(ours.derivatives(states).jacobian(), expected.derivatives(states).jacobian(), atol=2e-6)


def test_more_states_than_a_block():
    ansatz = DenseAnsatz(10, (6, 5), np.float64)
    theta = ansatz.initial(np.random.default_rng(0))
    expected = TorchAnsatz(ansatz.network).at(theta).log_psi_all()
    assert_allclose(ansatz.at(theta).log_psi_all(), expected, atol=1e-12)


def test_products_of_derivatives_are_those_of_the_matrix(both):
    ours, _, states = both
    derivatives = ours.derivatives(states)
    matrix = DenseDerivatives(derivatives.jacobian())
    rng = np.random.default_rng(2)
    weights = rng.dirichlet(np.ones(len(states)))
    of_states, of_parameters = (np.asarray(rng.normal(size=size), np.float32) for size in matrix.matrix.shape)
    assert (derivatives.n_states, derivatives.n_parameters) == matrix.matrix.shape
    assert_allclose(derivatives.forward(of_parameters), matrix.forward(of_parameters), rtol=1e-4, atol=1e-4)
    assert_allclose(derivatives.backward(of_states), matrix.backward(of_states), rtol=1e-4, atol=1e-4)
    assert_allclose(derivatives.centred(weights), matrix.centred(weights), atol=1e-5)
    ours, expected = (np.triu(made.tangent_kernel(weights, 0.01)) for made in (derivatives, matrix))
    assert_allclose(ours, expected, atol=1e-5)


def test_a_kernel_of_several_blocks():
    ansatz = DenseAnsatz(10, (8, 8))
    states = zero_magnetisation_states(10)  # 252, twice: 504 rows
    states = np.concatenate([states, states[::-1]])
    derivatives = ansatz.at(ansatz.initial(np.random.default_rng(0))).derivatives(states)
    weights = np.random.default_rng(1).dirichlet(np.ones(len(states)))
    expected = DenseDerivatives(derivatives.jacobian()).tangent_kernel(weights, 0.01)
    assert_allclose(np.triu(derivatives.tangent_kernel(weights, 0.01)), np.triu(expected), atol=1e-6)


@pytest.mark.parametrize("method", ["kernel", "parameters", "cg"])
def test_every_solver_finds_the_direction(method):
    ansatz = DenseAnsatz(8, (6, 5))
    states = zero_magnetisation_states(8)
    derivatives = ansatz.at(ansatz.initial(np.random.default_rng(0))).derivatives(states)
    rng = np.random.default_rng(1)
    weights, energies = rng.dirichlet(np.ones(len(states))), rng.normal(size=len(states))
    matrix = derivatives.jacobian().astype(np.float64)
    centred = matrix - weights @ matrix
    metric = (centred * weights[:, None]).T @ centred + 1e-3 * np.eye(matrix.shape[1])
    expected = np.linalg.solve(metric, 2 * centred.T @ (weights * energies))
    found = stochastic_reconfiguration.direction(derivatives, weights, energies, 1e-3, method)
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)


def test_draws_of_the_sector_follow_psi_squared():
    ansatz = DenseAnsatz(6, (8, 8))
    wave = ansatz.at(5 * ansatz.initial(np.random.default_rng(0)))
    sample = Exact(6, 4000, zero_magnetisation=True).draw(wave, np.empty(0), np.random.default_rng(1))
    assert p_value(sample, wave.log_psi_all(), zero_magnetisation_states(6)) > 1e-3


def test_chains_follow_psi_squared(monkeypatch):
    monkeypatch.setattr("nqs.vmc.sampler.TABLE_SITES", 0)
    ansatz = DenseAnsatz(4, (8,))
    wave, rng = ansatz.at(3 * ansatz.initial(np.random.default_rng(0))), np.random.default_rng(3)
    chains = Chains(4, 4096, 256, discard=20, thinning=10, moves=exchanges(ring_bonds(4)))
    sample = chains.draw(wave, chains.start(rng), rng)
    assert isinstance(wave, EvaluatedWave)
    assert p_value(sample, wave.log_psi_all(), zero_magnetisation_states(4)) > 1e-3


def test_parameters_that_overflow_are_reported():
    ansatz = DenseAnsatz(6, (8,))
    wave = ansatz.at(np.full(ansatz.n_parameters, 1e30))
    with pytest.raises(NotFiniteError):
        Exact(6, 10, zero_magnetisation=True).draw(wave, np.empty(0), np.random.default_rng(0))


def test_a_network_without_hidden_layer_is_refused():
    with pytest.raises(InputError, match="hidden layer"):
        DenseAnsatz(6, ())
