"""Data sets: drawn from |psi|^2, validation apart from training, the same for the same seed."""

import dataclasses

import numpy as np
import pytest

from nqs.exact.eigenstate import Wavefunction
from nqs.runtime.errors import InputError
from nqs.supervised import dataset

SETTINGS = {
    "cluster": "square16", "j2": 0.4, "epsilon": 0.05, "repeats": 2, "seed": 0,
    "replacement": True, "validation_ratio": 0.1,
}  # fmt: skip


def draw(state, epsilon=0.05, replacement=True, seed=0):
    return dataset.draw(state, epsilon, 0.1, replacement, np.random.default_rng(seed))


@pytest.mark.parametrize("replacement", [True, False])
def test_sizes_values_and_separation(square16, replacement):
    data = draw(square16, replacement=replacement)
    assert len(data.training) == round(0.05 * square16.dimension)
    assert len(data.validation) == round(0.005 * square16.dimension)
    assert not np.isin(data.validation.states, data.training.states).any()
    for sample in (data.training, data.validation):
        np.testing.assert_allclose(sample.psi, square16.lookup(sample.states))
        assert (np.bitwise_count(sample.states) == 8).all()


def test_duplicates_are_kept_with_replacement_only(square16):
    assert len(np.unique(draw(square16).training.states)) < len(draw(square16).training)
    distinct = draw(square16, replacement=False).training.states
    assert len(np.unique(distinct)) == len(distinct)


def test_training_states_follow_psi_squared(square16):
    """chi^2 over the 200 most probable states, about 50,000 draws."""
    states, psi = square16.expand()
    top = np.argsort(-(psi**2))[:200]
    rng = np.random.default_rng(1)
    draws = dataset.draw_outside(square16, np.empty(0, np.uint64), 50_000, True, rng).states
    counts = np.array([(draws == state).sum() for state in states[top]])
    expected = 50_000 * psi[top] ** 2
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert 120 < chi2 < 290  # mean 200, standard deviation 20


def test_uniform_sets_follow_no_amplitude(square16):
    """chi^2 over 200 states of the least and of the largest amplitudes, about 50,000 draws; none without a sign."""
    states, psi = square16.expand()
    order = np.argsort(psi**2)
    chosen = np.concatenate([order[-100:], order[psi[order] != 0][:100]])
    draws = dataset.draw_outside(square16, np.empty(0, np.uint64), 50_000, True, np.random.default_rng(1), power=0)
    assert (draws.psi != 0).all()
    counts, expected = np.isin(draws.states, states[chosen]).sum(), 50_000 * 200 / (psi != 0).sum()
    assert counts == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_validation_follows_psi_squared_outside_the_training_set(square16):
    states, psi = square16.expand()
    order = np.argsort(-(psi**2))
    taken = states[order[:100]]
    rng = np.random.default_rng(2)
    sample = dataset.draw_outside(square16, taken, 20_000, True, rng)
    rest = order[100:200]
    share = np.isin(sample.states, states[rest]).mean()
    outside = 1 - (psi[order[:100]] ** 2).sum()
    expected = (psi[rest] ** 2).sum() / outside
    assert share == pytest.approx(expected, abs=5 * np.sqrt(expected / 20_000))


def test_weight_is_that_of_the_distinct_states(square16):
    data = draw(square16)
    seen = np.unique(np.concatenate([data.training.states, data.validation.states]))
    assert data.weight == pytest.approx((square16.lookup(seen) ** 2).sum())
    assert 0.1 < data.weight < 0.9


def test_labels_are_signs_and_log_amplitudes():
    sample = dataset.Sample(np.arange(3, dtype=np.uint64), np.array([-0.5, 0.25, 1.0]))
    np.testing.assert_array_equal(sample.labels("sign"), [-1, 1, 1])
    np.testing.assert_allclose(sample.labels("amplitude"), np.log([0.5, 0.25, 1.0]), rtol=1e-6)


def test_file_round_trip_and_seeds(square16, tmp_path):
    dataset.build(square16, SETTINGS, tmp_path / "a.h5")
    dataset.build(square16, {**SETTINGS, "repeats": 1}, tmp_path / "b.h5")
    first, again = dataset.read(tmp_path / "a.h5", 0), dataset.read(tmp_path / "b.h5", 0)
    np.testing.assert_array_equal(first.training.states, again.training.states)
    other = dataset.read(tmp_path / "a.h5", 1)
    assert not np.array_equal(first.training.states, other.training.states)
    assert dataset.by_epsilon([tmp_path / "a.h5"]) == {0.05: tmp_path / "a.h5"}


def test_too_small_a_sample_says_so(square16):
    with pytest.raises(ValueError, match=r"1 training and 0 validation states.*raise epsilon"):
        draw(square16, epsilon=1e-4)


def test_more_distinct_states_than_there_are_is_refused_at_once(square16):
    with pytest.raises(ValueError, match="distinct states, but only"):
        draw(square16, epsilon=0.99, replacement=False)


def test_too_large_a_sample_says_so(square16, monkeypatch):
    monkeypatch.setattr(dataset, "MAX_ROUNDS", 3)
    with pytest.raises(ValueError, match="nearly all of"):
        draw(square16, epsilon=0.85, replacement=False)


def test_both_ways_of_drawing_start_with_the_same_states(square16):
    """Training sets with and without repeated states share their draws, so their networks compare in pairs."""
    repeated, distinct = draw(square16).training.states, draw(square16, replacement=False).training.states
    first = repeated[np.sort(np.unique(repeated, return_index=True)[1])]
    np.testing.assert_array_equal(first, distinct[: len(first)])


def test_translates_are_all_images_with_their_signs(square16):
    sample = dataset.Sample(*square16.sample(20, np.random.default_rng(0)))
    moved = dataset.translates(sample, square16)
    assert len(moved) == 16 * 20
    np.testing.assert_allclose(moved.psi, square16.lookup(moved.states), atol=1e-12)
    bits = sample.states[:, None] >> np.arange(16, dtype=np.uint64) & np.uint64(1)
    for one, images in zip(bits.astype(int), moved.states.reshape(20, 16), strict=True):
        torus = one.reshape(4, 4)
        rolled = {
            int((np.roll(torus, (dy, dx), (0, 1)).ravel() << np.arange(16)).sum()) for dx in range(4) for dy in range(4)
        }
        assert set(images.tolist()) == rolled


def test_translates_change_sign_with_a_momentum_of_pi(ground_state_file):
    ring = Wavefunction.read(ground_state_file("ring10", 0))
    assert (ring.characters[~ring.flips] == -1).any()
    sample = dataset.Sample(*ring.sample(20, np.random.default_rng(0)))
    moved = dataset.translates(sample, ring)
    np.testing.assert_allclose(moved.psi, ring.lookup(moved.states), atol=1e-12)
    assert (moved.psi.reshape(20, -1) * sample.psi[:, None] < 0).any()


def test_translates_of_a_state_stored_by_its_point_group_are_refused(square16):
    doubled = dataclasses.replace(
        square16, permutations=np.tile(square16.permutations, (2, 1)), flips=np.tile(square16.flips, 2)
    )
    with pytest.raises(InputError, match=r"point_group_above to 16"):
        dataset.translates(dataset.Sample(np.zeros(1, np.uint64), np.ones(1)), doubled)
