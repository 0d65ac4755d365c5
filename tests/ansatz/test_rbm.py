"""The restricted Boltzmann machine: compiled algebra against plain formulas."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.ansatz.rbm import Rbm
from nqs.model.lattices import make_cluster
from nqs.model.moves import exchanges


@pytest.fixture(params=[0.02, 0.4])
def machine(request):
    """A machine of 6 spins and 12 hidden units, its parameters, and all its states."""
    family = Rbm(6, 12)
    theta = np.random.default_rng(1).normal(0, request.param, family.n_parameters)
    return family, theta, np.arange(64, dtype=np.uint64)


def log_psi(family, theta, spins):
    """ln psi of one row of spins, straight from the definition."""
    visible, hidden, weights = family.split(theta)
    return spins @ visible + np.log(2 * np.cosh(spins @ weights + hidden)).sum()


def ring(n_sites):
    return make_cluster("ring", "ring", (n_sites, 1)).j1


def test_log_psi_is_the_definition(machine):
    family, theta, states = machine
    wave = family.at(theta)
    expected = [log_psi(family, theta, spins) for spins in wave.spins(states)]
    assert_allclose(wave.log_psi(states), expected, rtol=1e-13)
    assert_allclose(wave.log_psi_all(), expected, rtol=1e-12)


def test_bit_i_is_site_i():
    spins = Rbm(4, 4).at(np.zeros(24)).spins(np.array([0b0001, 0b1000], np.uint64))
    assert spins.tolist() == [[1, -1, -1, -1], [-1, -1, -1, 1]]


def test_all_amplitudes_stay_finite_with_large_weights():
    family = Rbm(8, 40)
    theta = np.random.default_rng(0).normal(0, 3, family.n_parameters)
    wave = family.at(theta)
    assert_allclose(wave.log_psi_all(), wave.log_psi(np.arange(256, dtype=np.uint64)), rtol=1e-9, atol=1e-6)


def test_derivatives_are_finite_differences(machine):
    family, theta, states = machine
    jacobian = family.at(theta).derivatives(states).jacobian()
    step = 1e-5
    for parameter in range(family.n_parameters):
        change = np.zeros_like(theta)
        change[parameter] = step
        slope = (family.at(theta + change).log_psi(states) - family.at(theta - change).log_psi(states)) / (2 * step)
        assert_allclose(jacobian[:, parameter], slope, atol=2e-6)


def test_products_with_derivatives_are_those_of_the_matrix(machine):
    family, theta, states = machine
    rng = np.random.default_rng(0)
    derivatives = family.at(theta).derivatives(states)
    matrix = derivatives.jacobian()
    assert (derivatives.n_states, derivatives.n_parameters) == matrix.shape == (64, family.n_parameters)
    vector = rng.normal(size=matrix.shape[1]).astype(np.float32)
    assert_allclose(derivatives.forward(vector), matrix @ vector, atol=1e-4)
    vector = rng.normal(size=matrix.shape[0]).astype(np.float32)
    assert_allclose(derivatives.backward(vector), vector @ matrix, atol=1e-4)


def test_tangent_kernel_is_the_centred_gram_matrix(machine):
    family, theta, states = machine
    derivatives = family.at(theta).derivatives(states)
    weights = np.random.default_rng(0).dirichlet(np.ones(len(states)))
    matrix = derivatives.jacobian().astype(float)
    centred = (matrix - weights @ matrix) * np.sqrt(weights)[:, None]
    assert_allclose(derivatives.centred(weights), centred, atol=1e-6)
    expected = centred @ centred.T + 1e-3 * np.eye(len(states))
    upper = np.triu_indices(len(states))
    assert_allclose(derivatives.tangent_kernel(weights, 1e-3)[upper], expected[upper], atol=1e-6)


def test_ratios_of_exchanges_are_quotients_of_amplitudes(machine):
    family, theta, states = machine
    wave, bonds = family.at(theta), ring(6)
    ratios = wave.ratios(states, exchanges(bonds))
    amplitudes = np.exp(wave.log_psi(states))
    for bond, (i, k) in enumerate(bonds):
        different = ((states >> np.uint64(i)) ^ (states >> np.uint64(k))) & np.uint64(1) == 1
        swapped = states ^ np.uint64((1 << int(i)) | (1 << int(k)))
        expected = np.where(different, amplitudes[swapped] / amplitudes, 0)
        assert_allclose(ratios[:, bond], expected, rtol=1e-10)


def test_the_sign_of_a_hidden_unit_is_a_gauge(machine):
    family, theta, states = machine
    visible, hidden, weights = (part.copy() for part in family.split(theta))
    hidden[3] *= -1
    weights[:, 3] *= -1
    turned = np.concatenate([visible, hidden, weights.ravel()])
    assert_allclose(family.at(turned).log_psi(states), family.at(theta).log_psi(states), rtol=1e-13)
