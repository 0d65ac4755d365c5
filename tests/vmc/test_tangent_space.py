"""Natural gradients of small systems: exact sums, four solvers, descents, time evolution."""

import numpy as np
import pytest

from nqs.ansatz.autoregressive import Autoregressive
from nqs.ansatz.complex_protocol import ComplexWave
from nqs.ansatz.complex_rbm import ComplexRbm
from nqs.ansatz.feed_forward import FeedForward
from nqs.ansatz.symmetrised import Symmetrised, representation, translations
from nqs.exact.evolution import evolved
from nqs.exact.matrix_product import entropy_of, matrix_product, smallest_bond
from nqs.exact.sparse_states import lowest_states
from nqs.model.hamiltonians import heisenberg, transverse_field_ising
from nqs.model.moves import flips
from nqs.runtime.errors import InputError
from nqs.vmc import natural_gradient, small_descent, time_evolution
from nqs.vmc.tangent_space import REAL_TIME, Problem, infidelity
from nqs.vmc.transition_matrix import relaxation_time, transition_matrix

N = 4
RING = np.array([[i, (i + 1) % N] for i in range(N)])
ISING = Problem.of(transverse_field_ising(N, RING, 1.0))
RBM = ComplexRbm.full(N, 3, 0.2)
NETWORK = FeedForward(N, 4)


@pytest.fixture(params=["holomorphic", "real"])
def family(request):
    return {"holomorphic": RBM, "real": NETWORK}[request.param]


def theta_of(family, seed=0):
    return family.initial(np.random.default_rng(seed))


def energy(problem, family, theta):
    psi = problem.amplitudes(family.at(theta))
    return float((psi.conj() @ (problem.h @ psi)).real)


def test_energy_is_the_rayleigh_quotient_and_force_its_gradient(family):
    theta, h = theta_of(family), 1e-6
    space = ISING.tangent_space(family, theta)
    assert space.energy == pytest.approx(energy(ISING, family, theta), rel=1e-12)
    for place in range(family.n_parameters):
        shift = h * np.eye(family.n_parameters)[place]
        slope = (energy(ISING, family, theta + shift) - energy(ISING, family, theta - shift)) / (2 * h)
        assert 2 * space.force()[place].real == pytest.approx(slope, abs=1e-7)
        if family.holomorphic:
            slope = (energy(ISING, family, theta + 1j * shift) - energy(ISING, family, theta - 1j * shift)) / (2 * h)
            assert 2 * space.force()[place].imag == pytest.approx(slope, abs=1e-7)


def test_tensor_measures_distances_between_states(family):
    """1 - |<psi|psi'>|^2 = d^+ S d to second order."""
    theta, rng = theta_of(family), np.random.default_rng(1)
    step = 1e-4 * family.initial(rng)
    one, two = (ISING.amplitudes(family.at(point)) for point in (theta - step / 2, theta + step / 2))
    tensor = ISING.tangent_space(family, theta).tensor
    assert infidelity(one, two) == pytest.approx((step.conj() @ tensor @ step).real, rel=1e-3)


def test_eigenstate_has_no_variance_and_no_force():
    exact = lowest_states(ISING.hamiltonian)
    family = LinearStates(exact.states)
    space = ISING.tangent_space(family, exact.psi[:, 0].astype(complex))
    assert space.energy == pytest.approx(exact.energies[0], rel=1e-12)
    assert space.variance < 1e-24
    assert np.abs(space.force()).max() < 1e-12


class LinearStates:
    """psi(s) = theta_s: every state, for checks."""

    holomorphic = True

    def __init__(self, states):
        self.states, self.n_parameters, self.n_sites = states, len(states), N

    def initial(self, rng):
        return rng.normal(size=self.n_parameters) + 1j * rng.normal(size=self.n_parameters)

    def at(self, theta):
        return LinearWave(self, theta)


class LinearWave(ComplexWave):
    n_sites = N

    def __init__(self, family, theta):
        self.family, self.theta = family, theta

    def log_psi(self, states):
        return np.log(self.theta[np.searchsorted(self.family.states, states)])

    def jacobian(self, states):
        place = np.searchsorted(self.family.states, states)
        return np.eye(len(self.theta))[place] / self.theta[place][:, None]


def test_natural_gradient_of_all_states_is_imaginary_time():
    """The error of a step against (1 - dt H) psi is of second order; for real time against exp(-i H dt)."""
    family = LinearStates(ISING.states)
    theta = theta_of(family)
    psi = ISING.amplitudes(family.at(theta))
    for factor, exact in ((1.0, lambda dt: psi - dt * (ISING.h @ psi)), (REAL_TIME, lambda dt: _evolved(psi, dt))):
        found = natural_gradient.pseudo_inverse(1e-12)(*ISING.tangent_space(family, theta).system(factor))
        errors = []
        for dt in (1e-3, 2e-3):
            target = exact(dt)
            moved = ISING.amplitudes(family.at(theta + dt * found))
            errors.append(np.sqrt(infidelity(moved, target / np.linalg.norm(target))))
        assert errors[1] / errors[0] == pytest.approx(4, rel=0.1)


def _evolved(psi, dt):
    return evolved(ISING.h, psi, np.array([0, dt]))[1]


def test_real_time_is_i_times_imaginary_time():
    space = ISING.tangent_space(RBM, theta_of(RBM))
    one, two = (natural_gradient.in_parameter_space(*space.system(f), 1e-3) for f in (1.0, REAL_TIME))
    np.testing.assert_allclose(two, 1j * one, rtol=1e-12)


@pytest.mark.parametrize("hidden", [1, 12])
@pytest.mark.parametrize("make", [lambda h: ComplexRbm.full(N, h, 0.2), lambda h: FeedForward(N, h)])
def test_both_spaces_give_the_same_step(hidden, make):
    family = make(hidden)
    system = ISING.tangent_space(family, theta_of(family)).system()
    one = natural_gradient.in_parameter_space(*system, 1e-4)
    two = natural_gradient.in_sample_space(*system, 1e-4)
    assert np.linalg.norm(one - two) < 1e-8 * np.linalg.norm(one)
    np.testing.assert_allclose(natural_gradient.shifted(1e-4)(*system), one, rtol=1e-6)


def test_pseudo_inverse_agrees_with_a_vanishing_shift_and_noise_free_modes_pass():
    family = FeedForward(N, 1)
    system = ISING.tangent_space(family, theta_of(family)).system()
    one = natural_gradient.pseudo_inverse(1e-12)(*system)
    np.testing.assert_allclose(natural_gradient.in_parameter_space(*system, 1e-13), one, rtol=1e-5)
    np.testing.assert_allclose(natural_gradient.signal_to_noise(1e-6, 10**9)(*system), one, rtol=1e-6)
    assert np.linalg.norm(natural_gradient.signal_to_noise(1e9, 10)(*system)) < 1e-6 * np.linalg.norm(one)


def test_singular_tensor_names_the_shift():
    family = ComplexRbm.full(N, 20, 0.2)
    with pytest.raises(InputError, match="raise the diagonal shift"):
        natural_gradient.in_parameter_space(*ISING.tangent_space(family, np.zeros(family.n_parameters)).system(), 0.0)


def test_spectrum_of_the_tensor():
    space = ISING.tangent_space(RBM, theta_of(RBM))
    found = natural_gradient.spectrum(space.tangents)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(space.tensor)[::-1], atol=1e-12)
    assert found.rank() <= (1 << N) - 1
    assert found.condition(1.0) == pytest.approx((found.values[0] + 1) / (max(found.values[-1], 0) + 1))


@pytest.mark.parametrize("rule", ["plain", "adam", "sr", "min_sr"])
def test_descents_reach_the_ground_state(rule, family):
    rules: dict[str, small_descent.Rule] = {
        "plain": small_descent.plain(0.1), "adam": small_descent.Adam(0.02), "sr": small_descent.sr(0.1, 1e-4),
        "min_sr": small_descent.min_sr(0.1, 1e-4),
    }  # fmt: skip
    lowest = lowest_states(ISING.hamiltonian).energies[0]
    found = small_descent.minimise(ISING, family, theta_of(family), rules[rule], 400)
    assert found.finite
    assert (found.energies >= lowest - 1e-10).all()
    far = 0.2 if rule in ("plain", "adam") else 0.02  # first-order rules rest on a plateau near the first excited state
    assert found.energies[-1] == pytest.approx(lowest, abs=far)


def test_sampled_sums_tend_to_exact_ones(family):
    theta, rng = theta_of(family), np.random.default_rng(3)
    exact = ISING.tangent_space(family, theta)
    found = ISING.sampled(family, theta, ISING.draw(family, theta, 10**7, rng))
    assert found.energy == pytest.approx(exact.energy, abs=5e-3)
    np.testing.assert_allclose(found.tensor, exact.tensor, atol=5e-3)
    np.testing.assert_allclose(found.force(), exact.force(), atol=1e-2)


def test_diverging_descent_stops_and_says_so():
    found = small_descent.minimise(ISING, NETWORK, theta_of(NETWORK), small_descent.plain(float("inf")), 10)
    assert not found.finite


@pytest.mark.parametrize("method", ["heun", "adaptive"])
def test_time_evolution_follows_the_exact_state(method):
    family, times = ComplexRbm.full(N, 12, 0.1), np.linspace(0, 0.5, 6)
    theta = theta_of(family)
    velocity = time_evolution.exact_velocity(ISING, family, natural_gradient.pseudo_inverse(1e-10))
    if method == "heun":
        found = time_evolution.heun(velocity, theta, times, 2e-3)
    else:
        found = time_evolution.adaptive(velocity, theta, times, 1e-7)
    assert found.stopped == ""
    exact = evolved(ISING.h, ISING.amplitudes(family.at(theta)), times)
    assert infidelity(ISING.amplitudes(family.at(found.parameters[-1])), exact[-1]) < 1e-5


def test_integration_that_leaves_its_tolerance_keeps_what_it_has():
    def velocity(theta):
        return theta**2  # blows up at t = 1

    found = time_evolution.adaptive(velocity, np.array([1.0]), np.linspace(0, 2, 21), 1e-8)
    assert "stopped at t = " in found.stopped
    assert 8 <= len(found.parameters) <= 11
    np.testing.assert_allclose(found.parameters[5], 1 / (1 - 0.5), rtol=1e-6)
    found = time_evolution.heun(lambda theta: theta * np.inf, np.array([1.0]), np.linspace(0, 2, 21), 0.05)
    assert "not finite" in found.stopped


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [1.0, 0.5]])
def test_times_must_ascend(times):
    with pytest.raises(InputError, match="times"):
        time_evolution.heun(lambda theta: theta, np.ones(1), np.array(times), 0.1)


def test_odd_ring_has_no_zero_magnetisation():
    with pytest.raises(InputError, match="magnetisation"):
        Problem.of(heisenberg(5, np.array([[i, (i + 1) % 5] for i in range(5)])), magnetisation=0)


def test_projection_that_leaves_nothing_is_refused():
    family = Symmetrised(FeedForward(N, 2), representation(*translations(N, 1)))
    with pytest.raises(InputError, match="another representation"):
        ISING.tangent_space(family, np.zeros(family.n_parameters))


def test_metropolis_obeys_detailed_balance():
    family = Autoregressive(N, 3)
    weights = np.exp(2 * family.at(theta_of(family)).log_psi(ISING.states).real)
    matrix = transition_matrix(weights, ISING.states, flips(N))
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    flow = weights[:, None] * matrix
    np.testing.assert_allclose(flow, flow.T, atol=1e-15)
    assert relaxation_time(matrix, weights) > 0.5


def test_two_states_relax_as_their_exchange_says():
    """Moves 0 -> 1 always, 1 -> 0 with p0 / p1: the second eigenvalue is -p0 / p1."""
    weights = np.array([0.2, 0.8])
    matrix = transition_matrix(weights, np.arange(2, dtype=np.uint64), flips(1))
    np.testing.assert_allclose(matrix, np.array([[0, 1], [0.25, 0.75]]))
    assert relaxation_time(matrix, weights) == pytest.approx(1 / 1.25)


def test_matrix_products_truncate_as_the_singular_values_say():
    rng = np.random.default_rng(0)
    psi = rng.normal(size=256)
    psi /= np.linalg.norm(psi)
    whole = matrix_product(psi, 16)
    np.testing.assert_allclose(whole.amplitudes(), psi, atol=1e-12)
    assert smallest_bond(psi, 1e-12) == 16
    product = np.ones(256) / 16
    assert smallest_bond(product, 1e-12) == 1
    assert matrix_product(product, 1).n_parameters == 16
    assert entropy_of(product, 4) == pytest.approx(0, abs=1e-12)
    half = matrix_product(psi, 4)
    assert infidelity(half.amplitudes(), psi) <= half.discarded.sum() * (1 + 1e-12)
    with pytest.raises(InputError, match="bond: 0"):
        matrix_product(psi, 0)
