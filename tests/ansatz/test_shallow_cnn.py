"""The shallow convolutional network and correlator products: coefficients, slopes and the symmetry of theorem 1."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.ansatz.correlator_product import Cps
from nqs.ansatz.ring_protocol import FORCINGS
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.ansatz.window_convolution import ConvolutionWave
from nqs.ansatz.window_table import MotifTable, pack_spins
from nqs.model.motifs import motif_classes
from nqs.model.states import zero_magnetisation_states
from nqs.runtime.errors import InputError


def random_words(n_sites, n=12, seed=0):
    neel = np.tile(np.array([1, -1], np.int8), (n, n_sites // 2))
    spins = np.random.default_rng(seed).permuted(neel, axis=1)
    return pack_spins(spins), pack_spins(-spins)


def generic(family, seed=0):
    """Parameters away from every kink."""
    return family.initial(np.random.default_rng(seed)) + 0.05


def test_the_network_is_the_convolution_of_the_paper():
    family = ShallowCnn(8, 3)
    theta = generic(family)
    v, w, b = theta[0], theta[1:-1].reshape(3, 2), theta[-1]
    state = [1, 1, 0, 1, 0, 0, 1, 0]  # site 0 first
    expected = sum(v * max(sum(w[k, state[(i + k) % 8]] for k in range(3)) + b, 0) for i in range(8))
    word = np.array([sum(bit << site for site, bit in enumerate(state))], np.uint64)
    assert_allclose(family.at(theta).log_psi(word), expected)
    assert family.n_parameters == len(theta) == 2 * 3 + 2


CLASSES = np.array([0, 1, 2, 1, 1, 2, 1, 0])  # K = 3 under reflection and flip


@pytest.mark.parametrize(
    "family", [ShallowCnn(10, 3), ShallowCnn(240, 12), ShallowCnn(66, 24), Cps(10, 3), Cps.symmetric(10, 3)], ids=repr
)
def test_slopes_are_finite_differences(family):
    theta, (words, _), weights = generic(family), random_words(family.n_sites), np.linspace(-1, 1, 12)
    numerical = [
        weights @ (family.at(theta + step).log_psi(words) - family.at(theta - step).log_psi(words)) / 2e-6
        for step in 1e-6 * np.eye(len(theta))
    ]
    assert_allclose(family.at(theta).derivatives(words).backward(weights), numerical, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width", [3, 12, 24])
def test_without_grand_sum_up_and_down_are_the_same(width):
    family = ShallowCnn(60, width, "traj")
    theta = generic(family)
    words, flipped = random_words(60)
    assert np.abs(family.at(theta).log_psi(words) - family.at(theta).log_psi(flipped)).max() > 1e-3
    forced = family.after_update(theta)
    assert abs(family.grand_sum(forced)) < 1e-13
    assert_allclose(family.at(forced).log_psi(words), family.at(forced).log_psi(flipped), rtol=1e-12)


def test_the_converse_of_theorem_1_fails_where_psi_is_constant():
    family = ShallowCnn(60, 3)
    theta = np.array([1.0, 0.5, 0.1, 0.2, 0.4, 0.3, 0.1, 0.2])
    words, flipped = random_words(60)
    assert family.grand_sum(theta) > 1
    assert_allclose(family.at(theta).log_psi(words), family.at(theta).log_psi(flipped), rtol=1e-12)
    assert family.why_constant(theta) == "linear"


@pytest.mark.parametrize(("bias", "scale", "reason"), [(3, 1, "linear"), (-3, 1, "dead"), (0, 0, "silent"), (0, 1, "")])
def test_runs_without_a_gradient_are_told(bias, scale, reason):
    family, states = ShallowCnn(8, 3), zero_magnetisation_states(8)
    theta = np.array([scale, 0.5, -0.1, -0.2, 0.4, 0.3, -0.3, bias], float)
    assert family.why_constant(theta) == reason
    assert (np.ptp(family.at(theta).log_psi(states)) < 1e-12) == bool(reason)
    slopes = [family.at(theta).derivatives(states[[place]]).backward(np.ones(1)) for place in range(len(states))]
    assert (np.ptp(slopes, axis=0).max() < 1e-12) == (reason in ("linear", "dead"))


def test_initial_parameters_are_glorot_uniform():
    rng = np.random.default_rng(0)
    drawn = np.array([ShallowCnn(60, 6).initial(rng) for _ in range(4000)])
    assert_allclose(np.abs(drawn[:, 1:-1]).max(), np.sqrt(2 / 6), rtol=1e-3)
    assert_allclose(np.abs(drawn[:, 0]).max(), np.sqrt(3), rtol=1e-2)
    assert (drawn[:, -1] == 0).all()
    assert_allclose(drawn[:, 1:-1].sum(axis=1).std(), np.sqrt(4 / 3), rtol=0.05)


def test_forcing_acts_when_it_says():
    start = {forcing: ShallowCnn(8, 3, forcing).initial(np.random.default_rng(1)) for forcing in FORCINGS}
    assert_allclose(start["init"], start["traj"])
    assert abs(ShallowCnn(8, 3).grand_sum(start["original"])) > 0.1
    moved = start["init"] + 0.1
    assert_allclose(ShallowCnn(8, 3, "init").after_update(moved), moved)
    assert abs(ShallowCnn(8, 3).grand_sum(ShallowCnn(8, 3, "traj").after_update(moved))) < 1e-14


def test_kernels_too_wide_for_a_table_are_convolved():
    assert isinstance(ShallowCnn(60, 16).at(np.zeros(34)), MotifTable)
    assert isinstance(ShallowCnn(60, 17).at(np.zeros(36)), ConvolutionWave)
    with pytest.raises(InputError, match="window by window"):
        Cps(60, 17)
    with pytest.raises(InputError, match="window by window"):
        ShallowCnn(60, 24).inputs(np.zeros(50))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ShallowCnn(7, 3), "even ring"),
        (lambda: ShallowCnn(8, 9), "smaller K"),
        (lambda: ShallowCnn(8, 3, "always"), "original, init, traj"),  # type: ignore[arg-type]
        (lambda: Cps(8, 3, motif_classes(2)), "2\\^3 motifs"),
    ],
)
def test_impossible_families_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_classes_share_a_coefficient():
    theta = np.array([0.1, 0.2, 0.3])
    assert_allclose(Cps.symmetric(8, 3).at(theta).motifs, theta[CLASSES])
    assert Cps.symmetric(8, 3).n_parameters == 3
