"""Complex wave functions: derivatives, projections, direct sampling, explicit states."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from nqs.ansatz.autoregressive import Autoregressive
from nqs.ansatz.complex_protocol import spins_of
from nqs.ansatz.complex_rbm import ComplexRbm, volume_law_pairs
from nqs.ansatz.feed_forward import FeedForward
from nqs.ansatz.product import Product
from nqs.ansatz.symmetrised import Symmetrised, representation, translations
from nqs.ansatz.tangents import ProductTangents, centred, kernel, metric, pulled
from nqs.exact.matrix_product import entropy_of
from nqs.model.hamiltonians import heisenberg, transverse_field_ising
from nqs.runtime.errors import InputError

N = 6
STATES = np.arange(1 << N, dtype=np.uint64)
RING = np.array([[i, (i + 1) % N] for i in range(N)])
GROUP = representation(*translations(N), spin_flip=1)
FAMILIES: dict[str, Any] = {
    "rbm": ComplexRbm.full(N, 4, 0.3),
    "local rbm": ComplexRbm.local(N, 3, 0.3),
    "network": FeedForward(N, 5),
    "positive network": FeedForward(N, 5, phase=False),
    "autoregressive": Autoregressive(N, 4),
    "autoregressive, Sz = 0": Autoregressive(N, 4, ups=3),
    "symmetrised rbm": Symmetrised(ComplexRbm.full(N, 3, 0.3), GROUP),
    "symmetrised local rbm": Symmetrised(ComplexRbm.local(N, 2, 0.3), GROUP),
    "nearly symmetric": Product(Symmetrised(ComplexRbm.full(N, 2, 0.3), GROUP), ComplexRbm.full(N, 1, 0.1)),
    "symmetrised network": Symmetrised(FeedForward(N, 3), representation(*translations(N, 1))),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_jacobian_is_the_derivative(name):
    family = FAMILIES[name]
    theta = family.initial(np.random.default_rng(1))
    finite = np.isfinite(family.at(theta).log_psi(STATES).real)
    states, h = STATES[finite], 1e-6
    jacobian = family.at(theta).jacobian(states)
    assert jacobian.shape == (len(states), family.n_parameters)
    for place in range(family.n_parameters):
        shift = h * np.eye(family.n_parameters)[place]
        change = family.at(theta + shift).log_psi(states) - family.at(theta - shift).log_psi(states)
        np.testing.assert_allclose(jacobian[:, place], change / (2 * h), atol=2e-8)
        if family.holomorphic:
            change = family.at(theta + 1j * shift).log_psi(states) - family.at(theta - 1j * shift).log_psi(states)
            np.testing.assert_allclose(jacobian[:, place], change / (2j * h), atol=2e-8)


@pytest.mark.parametrize(("n_sites", "hidden", "spread"), [(6, 4, 0.3), (8, 3, 0.3), (19, 40, 0.3), (40, 60, 0.1)])
def test_rbm_is_a_dense_layer_with_ln_cosh(n_sites, hidden, spread):
    family, rng = ComplexRbm.full(n_sites, hidden, spread), np.random.default_rng(2)
    wave = family.at(family.initial(rng))
    states = rng.integers(1 << n_sites, size=200, dtype=np.uint64)
    spins = spins_of(states, n_sites)
    angles = wave.hidden + spins @ wave.weights.T
    direct = spins @ wave.visible + np.log(np.cosh(angles)).sum(axis=1)
    np.testing.assert_allclose(np.exp(wave.log_psi(states) - direct), 1, rtol=1e-11)
    np.testing.assert_allclose(wave.slopes(states), np.tanh(angles), rtol=1e-11)


@pytest.mark.parametrize(("n_sites", "hidden", "spread"), [(3, 2, 0.3), (8, 5, 0.3), (11, 50, 0.3), (17, 3, 9.0)])
def test_rbm_on_all_states_is_the_rbm_on_each(n_sites, hidden, spread):
    family = ComplexRbm.full(n_sites, hidden, spread)
    wave = family.at(family.initial(np.random.default_rng(2)))
    one, two = wave.log_psi_all(), wave.log_psi(np.arange(1 << n_sites, dtype=np.uint64))
    np.testing.assert_allclose(one.real, two.real, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(np.exp(1j * (one - two).imag), 1, atol=1e-9)


def test_rbm_neither_overflows_nor_hides_zeros():
    family = ComplexRbm.full(2, 30)
    wave = family.at(family.parameters(np.zeros(2), np.zeros(30), np.full((30, 2), 150.0)))
    np.testing.assert_allclose(wave.log_psi(STATES[:4]).real, 30 * np.array([300 - np.log(2), 0, 0, 300 - np.log(2)]))
    np.testing.assert_allclose(wave.slopes(STATES[:4])[:, 0], [-1, 0, 0, 1], atol=1e-12)
    zero = family.at(family.parameters(np.zeros(2), np.full(30, 0.5j * np.pi), np.zeros((30, 2))))
    assert (zero.log_psi(STATES[:4]).real < -30 * 36).all()


@pytest.mark.parametrize(("n_sites", "hidden"), [(4, 1), (6, 4), (11, 3)])
def test_products_are_the_tangents(n_sites, hidden):
    family, rng = ComplexRbm.full(n_sites, hidden, 0.4), np.random.default_rng(3)
    wave = family.at(family.initial(rng))
    states = np.arange(1 << n_sites, dtype=np.uint64)
    root = np.where(rng.random(len(states)) < 0.2, 0, rng.random(len(states)))
    root /= np.linalg.norm(root)
    dense = centred(wave.jacobian(states), root)
    products = wave.tangents(states, root)
    right = rng.normal(size=len(states)) + 1j * rng.normal(size=len(states))
    assert isinstance(products, ProductTangents)
    assert products.shape == dense.shape == (len(states), family.n_parameters)
    np.testing.assert_allclose(np.asarray(products), dense, atol=1e-13)
    np.testing.assert_allclose(metric(products), metric(dense), atol=1e-13)
    np.testing.assert_allclose(kernel(products), kernel(dense), atol=1e-13)
    np.testing.assert_allclose(pulled(products, right), pulled(dense, right), atol=1e-12)


def test_state_of_weight_zero_may_have_infinite_slopes():
    spins = spins_of(STATES, N)
    slopes = np.ones((len(STATES), 2), complex)
    slopes[0] = np.inf
    tangents = ProductTangents(np.where(np.arange(len(STATES)) == 0, 0, 1 / np.sqrt(len(STATES) - 1)), spins, slopes)
    assert np.isfinite(metric(tangents)).all()
    assert np.isfinite(kernel(tangents)).all()
    assert np.isfinite(pulled(tangents, np.ones(len(STATES)))).all()


@pytest.mark.parametrize("ups", [None, 0, 2, 6])
def test_autoregressive_states_are_normalised_and_drawn_independently(ups):
    family = Autoregressive(N, 5, ups)
    wave = family.at(2 * family.initial(np.random.default_rng(3)))
    weights = np.exp(2 * wave.log_psi(STATES).real)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    counts = np.bincount(wave.sample(20_000, np.random.default_rng(4)).astype(int), minlength=1 << N)
    assert not counts[weights == 0].any()
    likely = 20_000 * weights > 5
    observed, expected = counts[likely], 20_000 * weights[likely]
    if likely.sum() > 1:
        statistic = ((observed - expected) ** 2 / expected).sum()
        assert stats.chi2.sf(statistic, likely.sum() - 1) > 1e-3


def test_projected_states_carry_the_characters():
    momentum = 2
    group = representation(*translations(N, momentum), spin_flip=-1)
    family = Symmetrised(ComplexRbm.full(N, 4, 0.3), group)
    psi = np.exp(family.at(family.initial(np.random.default_rng(5))).log_psi(STATES))
    for element in range(len(group)):
        image = group.images(STATES)[element]
        np.testing.assert_allclose(psi[image.astype(int)], group.characters[element] * psi, atol=1e-12)


def test_product_with_a_constant_factor_is_symmetric():
    symmetric = Symmetrised(ComplexRbm.full(N, 2, 0.3), representation(*translations(N)))
    family = Product(symmetric, ComplexRbm.full(N, 1))
    theta = family.initial(np.random.default_rng(7))
    theta[symmetric.n_parameters :] = 0
    turned = (STATES << np.uint64(1) | STATES >> np.uint64(N - 1)) & np.uint64(2**N - 1)
    psi = np.exp(family.at(theta).log_psi(STATES))
    np.testing.assert_allclose(psi[turned.astype(int)], psi, rtol=1e-12)
    theta[symmetric.n_parameters] = 0.1  # a field on one site
    broken = np.exp(family.at(theta).log_psi(STATES))
    assert np.abs(broken[turned.astype(int)] / broken - 1).max() > 1e-3


def test_factors_of_a_product_must_fit():
    with pytest.raises(InputError, match="on the same sites"):
        Product(ComplexRbm.full(N, 2), ComplexRbm.full(N - 1, 2))
    with pytest.raises(InputError, match="of the same kind"):
        Product(ComplexRbm.full(N, 2), FeedForward(N, 2))


def test_projection_that_leaves_nothing_is_zero_everywhere():
    family = Symmetrised(FeedForward(N, 2), representation(*translations(N, 1)))
    theta = np.zeros(family.n_parameters)
    wave = family.at(theta)
    assert (wave.log_psi(STATES).real == -np.inf).all()
    assert np.isfinite(wave.jacobian(STATES)).all()


def test_volume_law_machine_is_maximally_entangled():
    family, theta = volume_law_pairs(8)
    psi = np.exp(family.at(theta).log_psi(np.arange(256, dtype=np.uint64)))
    psi /= np.linalg.norm(psi)
    np.testing.assert_allclose(np.abs(psi), 1 / 16, rtol=1e-12)
    for length in range(1, 5):
        assert entropy_of(psi, length) == pytest.approx(length * np.log(2), abs=1e-10)


def test_representations_know_what_a_model_lacks():
    GROUP.check(heisenberg(N, RING))
    with pytest.raises(InputError, match=r"symmetry .* changes under it"):
        GROUP.check(heisenberg(N, RING[:-1]))
    longitudinal = transverse_field_ising(N, RING, 1.0)
    longitudinal = type(longitudinal)(**{**vars(longitudinal), "strings": np.ones(N, np.uint64)})
    with pytest.raises(InputError, match="changes under it"):
        GROUP.check(longitudinal)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ComplexRbm.local(4, 5), "width: 5"),
        (lambda: FeedForward(4, 0), "n_hidden: 0"),
        (lambda: Autoregressive(4, 2, ups=5), "ups: 5"),
        (lambda: Autoregressive(4, 0), "n_hidden: 0"),
        (lambda: volume_law_pairs(5), "even number"),
        (lambda: FAMILIES["rbm"].at(np.zeros(3)), "parameters, not"),
        (lambda: representation(*translations(4), spin_flip=2), "spin_flip: 2"),
    ],
)
def test_wrong_sizes_are_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()
