"""Stochastic reconfiguration: three solvers, one direction."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.ansatz.protocol import DenseDerivatives
from nqs.ansatz.rbm import Rbm
from nqs.model.hamiltonians import heisenberg
from nqs.model.lattices import make_cluster
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.local_energy import local_energies

SHIFT = 1e-3


@pytest.fixture(scope="module", params=[(8, 2, 120), (10, 2, 1024), (12, 3, 1500)])
def sample(request):
    """Derivatives, weights and local energies of random states of a random machine."""
    n_sites, alpha, count = request.param
    rng = np.random.default_rng(0)
    family = Rbm(n_sites, alpha * n_sites)
    wave = family.at(rng.normal(0, 0.3, family.n_parameters))
    states = rng.choice(1 << n_sites, count, replace=False).astype(np.uint64)
    bonds = make_cluster("ring", "ring", (n_sites, 1)).j1
    energies = local_energies(heisenberg(n_sites, bonds, marshall=True), wave, states)
    return wave.derivatives(states), rng.dirichlet(np.full(count, 5.0)), energies


def dense(derivatives, weights, energies, shift=SHIFT):
    """The direction from a float64 solve with S as it is defined."""
    matrix = derivatives.jacobian().astype(np.float64)
    centred = matrix - weights @ matrix
    metric = (centred * weights[:, None]).T @ centred + shift * np.eye(matrix.shape[1])
    return np.linalg.solve(metric, 2 * centred.T @ (weights * (energies - weights @ energies)))


def distance(vector, reference):
    return np.linalg.norm(vector - reference) / np.linalg.norm(reference)


@pytest.mark.parametrize("method", ["auto", "kernel", "parameters", "cg"])
def test_direction_is_the_dense_solution(sample, method):
    derivatives, weights, energies = sample
    assert (
        distance(stochastic_reconfiguration.direction(derivatives, weights, energies, SHIFT, method), dense(*sample))
        < 1e-3
    )


def test_an_eigenspace_shortens_conjugate_gradients_and_leaves_the_direction(sample):
    derivatives, weights, energies = sample
    plain, helped = stochastic_reconfiguration.Memory(), stochastic_reconfiguration.Memory()
    stochastic_reconfiguration.direction(derivatives, weights, energies, SHIFT, "cg", plain)
    helped.renew(derivatives, weights)
    direction = stochastic_reconfiguration.direction(derivatives, weights, energies, SHIFT, "cg", helped)
    assert helped.steps < 0.7 * plain.steps
    assert distance(direction, dense(*sample)) < 1e-3
    assert_allclose(helped.basis @ helped.basis.T, np.eye(len(helped.basis)), atol=1e-4)


def test_a_long_solution_asks_for_an_eigenspace():
    memory = stochastic_reconfiguration.Memory()
    assert not memory.stale()
    memory.note(stochastic_reconfiguration.LONG + 1)
    assert memory.stale()


def test_derivatives_without_structure_give_the_same(sample):
    derivatives, weights, energies = sample
    matrix = DenseDerivatives(derivatives.jacobian())
    for method in ("kernel", "parameters", "cg"):
        assert (
            distance(stochastic_reconfiguration.direction(matrix, weights, energies, SHIFT, method), dense(*sample))
            < 1e-3
        )


def test_force_is_the_gradient_of_the_energy():
    family = Rbm(4, 8)
    theta = np.random.default_rng(2).normal(0, 0.3, family.n_parameters)
    states = np.arange(16, dtype=np.uint64)
    bonds = make_cluster("ring", "ring", (4, 1)).j1
    model = heisenberg(4, bonds, marshall=True)

    def energy(theta):
        wave = family.at(theta)
        weights = np.exp(2 * wave.log_psi(states))
        weights /= weights.sum()
        return weights, local_energies(model, wave, states)

    weights, energies = energy(theta)
    force = stochastic_reconfiguration.force(family.at(theta).derivatives(states), weights, energies)
    for parameter in range(0, family.n_parameters, 5):
        change = np.eye(family.n_parameters)[parameter] * 1e-5
        (upper, above), (lower, below) = energy(theta + change), energy(theta - change)
        assert force[parameter] == pytest.approx((upper @ above - lower @ below) / 2e-5, abs=2e-5)


def test_an_eigenstate_has_no_force(sample):
    derivatives, weights, energies = sample
    assert_allclose(stochastic_reconfiguration.force(derivatives, weights, np.full_like(energies, -3.0)), 0, atol=1e-6)


@pytest.mark.parametrize("method", ["kernel", "parameters", "cg"])
def test_a_singular_matrix_is_refused_by_name(method):
    matrix = np.zeros((5, 4), np.float32)
    matrix[:, 0] = np.nan
    with pytest.raises(stochastic_reconfiguration.SingularError, match="raise `shift`"):
        stochastic_reconfiguration.direction(DenseDerivatives(matrix), np.full(5, 0.2), np.arange(5.0), 0.0, method)


@pytest.mark.parametrize(
    ("states", "parameters", "method"),
    [(100, 500, "kernel"), (1000, 300, "parameters"), (4000, 2000, "cg"), (1300, 2000, "kernel"), (1500, 900, "cg")],
)
def test_the_cheapest_solver(states, parameters, method):
    assert stochastic_reconfiguration.cheapest(states, parameters) == method
