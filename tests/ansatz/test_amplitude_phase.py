"""Complex wave functions from an amplitude and a phase network, against full sums on rings."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import least_squares
from support.vmc_problems import ring_bonds

from nqs.ansatz.amplitude_phase import AmplitudePhase
from nqs.ansatz.dense import DenseAnsatz
from nqs.ansatz.rbm import Rbm
from nqs.model.hamiltonians import heisenberg
from nqs.model.states import zero_magnetisation_states
from nqs.vmc import stochastic_reconfiguration
from nqs.vmc.convergence import EnergyCriterion
from nqs.vmc.estimates import SectorEstimates
from nqs.vmc.local_energy import local_energies
from nqs.vmc.loop import Run, Task, iterate
from nqs.vmc.optimisers import Sgd
from nqs.vmc.preconditioners import StochasticReconfiguration
from nqs.vmc.sampler import Exact

N_SITES = 8
STATES = zero_magnetisation_states(N_SITES)
SHIFT = 1e-3


def model():
    """A frustrated ring, J2 = 0.3, without Marshall's rotation."""
    near = ring_bonds(N_SITES)
    far = np.stack([near[:, 0], (near[:, 0] + 2) % N_SITES], axis=1)
    return heisenberg(N_SITES, np.concatenate([near, far]), np.repeat([1.0, 0.3], N_SITES))


def matrix_of(hamiltonian):
    """H over STATES, dense, from S+S- and SzSz."""
    place = {int(state): number for number, state in enumerate(STATES)}
    matrix = np.zeros((len(STATES), len(STATES)))
    for number, state in enumerate(STATES.astype(int)):
        for (i, k), coupling in zip(hamiltonian.moves.sites, 2 * hamiltonian.amplitudes, strict=True):
            if (state >> i & 1) == (state >> k & 1):
                matrix[number, number] += coupling / 4
            else:
                matrix[number, number] -= coupling / 4
                matrix[place[state ^ (1 << i | 1 << k)], number] += coupling / 2
    return matrix


def family(hidden=(7, 6)):
    """Both networks in double precision."""
    dense = DenseAnsatz(N_SITES, hidden, np.float64)
    return AmplitudePhase(dense, dense)


@pytest.fixture(scope="module")
def at_random():
    """An ansatz, parameters, normalised psi, |psi|^2, and H."""
    ansatz = family()
    theta = 2.5 * ansatz.initial(np.random.default_rng(0))
    psi = np.exp(ansatz.at(theta).log_psi(STATES))
    psi /= np.linalg.norm(psi)
    return ansatz, theta, psi, np.abs(psi) ** 2, matrix_of(model())


def complex_jacobian(ansatz, theta):
    """d ln psi / d theta: (K, P) complex."""
    derivatives = ansatz.at(theta).derivatives(STATES)
    return np.concatenate([derivatives.amplitude.jacobian(), 1j * derivatives.phase.jacobian()], axis=1).astype(complex)


def energy(ansatz, theta, matrix):
    psi = np.exp(ansatz.at(theta).log_psi(STATES))
    return (psi.conj() @ matrix @ psi).real / np.linalg.norm(psi) ** 2


def test_local_energies_are_complex_and_those_of_the_matrix(at_random):
    ansatz, theta, psi, weights, matrix = at_random
    energies = local_energies(model(), ansatz.at(theta), STATES)
    assert_allclose(energies, matrix @ psi / psi, rtol=1e-9)
    assert np.abs(energies.imag).max() > 0.1
    assert weights @ energies == pytest.approx(energy(ansatz, theta, matrix), abs=1e-10)


def test_force_is_the_gradient_of_the_energy(at_random):
    ansatz, theta, _, weights, matrix = at_random
    wave = ansatz.at(theta)
    force = stochastic_reconfiguration.force(wave.derivatives(STATES), weights, local_energies(model(), wave, STATES))
    rng = np.random.default_rng(1)
    for _ in range(6):
        change = 1e-6 * rng.normal(size=len(theta))
        slope = energy(ansatz, theta + change, matrix) - energy(ansatz, theta - change, matrix)
        scale = float(2 * np.linalg.norm(force) * np.linalg.norm(change))
        assert 2 * force @ change == pytest.approx(slope, abs=1e-4 * scale)


def test_direction_is_that_of_the_full_complex_jacobian(at_random):
    ansatz, theta, _, weights, _ = at_random
    wave = ansatz.at(theta)
    energies = local_energies(model(), wave, STATES)
    jacobian = complex_jacobian(ansatz, theta)
    centred = jacobian - weights @ jacobian
    metric = ((centred.conj() * weights[:, None]).T @ centred).real
    force = 2 * (centred.conj().T @ (weights * energies)).real
    half = ansatz.amplitude.n_parameters
    assert_allclose(metric[:half, half:], 0, atol=1e-12)  # the two parts do not mix
    expected = np.linalg.solve(metric + SHIFT * np.eye(len(metric)), force)
    derivatives = wave.derivatives(STATES)
    assert_allclose(
        stochastic_reconfiguration.force(derivatives, weights, energies), force, atol=1e-5 * np.abs(force).max()
    )
    for method in ("auto", "kernel", "parameters", "cg"):
        found = stochastic_reconfiguration.direction(derivatives, weights, energies, SHIFT, method)
        assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)


def test_an_iteration_is_a_step_against_the_direction():
    ansatz, exact = family(), Exact(N_SITES, 300, zero_magnetisation=True)
    reconfiguration = StochasticReconfiguration(SHIFT)
    problem = Task(model(), ansatz, exact, SectorEstimates(N_SITES), reconfiguration, Sgd(0.02), 5)
    course = Run.start(problem, 4)
    theta = course.theta.copy()
    rng = np.random.default_rng()
    rng.bit_generator.state = course.rng.bit_generator.state
    sample = exact.draw(ansatz.at(theta), course.chains, rng)
    iterate(course, problem)
    jacobian = complex_jacobian(ansatz, theta)[np.searchsorted(STATES, sample.states)]
    centred = jacobian - sample.weights @ jacobian
    metric = ((centred.conj() * sample.weights[:, None]).T @ centred).real + SHIFT * np.eye(len(theta))
    energies = local_energies(model(), ansatz.at(theta), sample.states)
    force = 2 * (centred.conj().T @ (sample.weights * energies)).real
    expected = -0.02 * np.linalg.solve(metric, force)
    assert np.linalg.norm(course.theta - theta - expected) < 1e-3 * np.linalg.norm(expected)
    assert len(sample.states) < 300
    assert sample.weights.sum() == pytest.approx(1)


def test_a_small_step_follows_imaginary_time():
    """The change that maximises the overlap with (1 - dt H) psi is a step with learning rate dt / 2 and no shift."""
    ansatz = family((4,))
    theta = 2 * ansatz.initial(np.random.default_rng(3))
    wave = ansatz.at(theta)
    psi = np.exp(wave.log_psi(STATES))
    psi /= np.linalg.norm(psi)
    weights, dt = np.abs(psi) ** 2, 1e-4
    target = psi - dt * matrix_of(model()) @ psi
    target /= np.linalg.norm(target)
    jacobian = complex_jacobian(ansatz, theta)
    centred = jacobian - weights @ jacobian
    values, vectors = np.linalg.eigh(((centred.conj() * weights[:, None]).T @ centred).real)
    moving = vectors[:, values > 1e-4 * values[-1]]  # directions that change psi

    def distance(change):
        trial = np.exp(ansatz.at(theta + moving @ change).log_psi(STATES))
        trial /= np.linalg.norm(trial)
        overlap = trial.conj() @ target
        difference = (trial * overlap / abs(overlap) - target) / dt
        return np.concatenate([difference.real, difference.imag])

    best = least_squares(distance, np.zeros(moving.shape[1]), xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    force = stochastic_reconfiguration.force(wave.derivatives(STATES), weights, local_energies(model(), wave, STATES))
    step = -dt / 2 * (moving.T @ force) / values[values > 1e-4 * values[-1]]
    assert np.linalg.norm(best - step) < 1e-3 * np.linalg.norm(step)


def test_it_learns_the_signs_of_a_ring():
    dense = DenseAnsatz(6, (16,))
    bonds = ring_bonds(6)
    problem = Task(
        heisenberg(6, bonds, np.ones(6)), AmplitudePhase(dense, dense),
        Exact(6, 500, zero_magnetisation=True), SectorEstimates(6), StochasticReconfiguration(SHIFT), Sgd(0.05), 300,
        criterion=EnergyCriterion(-2.8027756, 5e-3),
    )  # fmt: skip
    course = Run.start(problem, 1)
    while course.status == "running":
        iterate(course, problem)
    assert course.status == "converged"


def test_other_ansatze_may_take_part():
    machine = Rbm(N_SITES, 8, 0.2)
    mixed = AmplitudePhase(machine, DenseAnsatz(N_SITES, (5,)))
    theta = mixed.initial(np.random.default_rng(0))
    wave = mixed.at(theta)
    assert len(theta) == mixed.n_parameters
    assert_allclose(wave.log_modulus(STATES), machine.at(theta[: machine.n_parameters]).log_psi(STATES))
    assert_allclose(wave.log_psi_all()[STATES.astype(int)], wave.log_psi(STATES))
