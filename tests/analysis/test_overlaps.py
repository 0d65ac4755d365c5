"""Overlaps: exact for networks whose answer is known, and the same by every route."""

import numpy as np
import pytest

from nqs.analysis.overlaps import Orbits, basis_for, full_sums, member_row, sampled_overlap, sums, whole_basis
from nqs.networks.architectures.cnn import PeriodicCNN
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry
from nqs.supervised import dataset
from nqs.supervised.ensemble import evaluator
from nqs.supervised.members import Trajectory


@pytest.fixture(scope="module")
def data(square16):
    return dataset.draw(square16, 0.05, 0.1, True, np.random.default_rng(0))


@pytest.fixture(scope="module")
def fresh(square16):
    return dataset.Sample(*square16.sample(20_000, np.random.default_rng(1)))


def row(state, data, fresh, target, output_of):
    return member_row(target, output_of, whole_basis(state), data.seen, fresh)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_exact_signs_have_overlap_one(square16, data, fresh, sign):
    result = row(square16, data, fresh, "sign", lambda states: sign * square16.lookup(states))
    for name in ("overlap_full", "overlap_rest_signed", "overlap_sampled"):
        assert result[name] == pytest.approx(sign)
    assert result["overlap_rest"] == pytest.approx(1)
    assert result["sample_weight"] == pytest.approx(data.weight)


def test_the_exact_amplitudes_have_overlap_one_whatever_the_norm(square16, data, fresh):
    output = lambda states: np.log(np.abs(square16.lookup(states)) + 1e-300) + 500  # noqa: E731
    result = row(square16, data, fresh, "amplitude", output)
    for name in ("overlap_full", "overlap_rest", "overlap_sampled"):
        assert result[name] == pytest.approx(1)


@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_rest_equals_the_overlap_on_the_rest_of_the_basis(square16, data, fresh, target):
    network = Dense(Geometry(16, (4, 4)), target, (8,))
    output_of = evaluator(network, Trajectory.start(network, 0).theta)
    result = row(square16, data, fresh, target, output_of)
    states, psi = square16.expand()
    rest = ~np.isin(states, data.seen.states)
    output = output_of(states[rest])
    signs = np.where(output >= 0, 1, -1)  # a network whose ReLUs are all off answers 0, class +
    trial = np.abs(psi[rest]) * signs if target == "sign" else np.sign(psi[rest]) * np.exp(output)
    exact = psi[rest]
    expected = trial @ exact / np.sqrt((trial @ trial) * (exact @ exact))
    assert result["overlap_rest_signed"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_sampled_overlap_agrees_with_the_full_one(square16, data, fresh, target):
    network = Dense(Geometry(16, (4, 4)), target, (8,))
    result = row(square16, data, fresh, target, evaluator(network, Trajectory.start(network, 1).theta))
    assert result["overlap_sampled"] == pytest.approx(result["overlap_full"], abs=4 * result["overlap_sampled_se"])


def test_sampled_error_is_the_scatter_of_repeated_samples(square16):
    def output_of(states):  # log|psi| with a fixed error of about 0.5 for each state
        scramble = (states * np.uint64(2654435761) >> np.uint64(7)) & np.uint64(1023)
        return np.log(np.abs(square16.lookup(states))) + 1.7 * (scramble / 1023 - 0.5)

    draws = [square16.sample(500, np.random.default_rng([3, n])) for n in range(200)]
    results = [sampled_overlap("amplitude", psi, output_of(states)) for states, psi in draws]
    overlaps = np.array([result.overlap for result in results])
    assert 0.8 < overlaps.mean() < 0.97
    assert np.mean([result.error for result in results]) == pytest.approx(overlaps.std(), rel=0.2)


def test_effective_samples_warn_of_few_draws_that_dominate(square16):
    psi = square16.sample(2000, np.random.default_rng(4))[1]
    good = sampled_overlap("amplitude", psi, np.log(np.abs(psi)))
    flat = sampled_overlap("amplitude", psi, np.zeros(2000))  # far too large where psi is small
    assert good.effective_samples == pytest.approx(2000)
    assert flat.effective_samples < 200


def test_sign_overlap_is_twice_the_accuracy_minus_one():
    psi, output = np.array([0.6, -0.6, 0.5, -0.1]), np.array([1.0, 1.0, 2.0, -1.0])
    accuracy = (psi**2)[[0, 2, 3]].sum() / (psi**2).sum()
    assert sums("sign", psi, output).overlap == pytest.approx(2 * accuracy - 1)


def test_translation_orbits_give_the_same_overlap_as_the_whole_basis(square16):
    network = PeriodicCNN(Geometry(16, (4, 4), square16.momentum), "sign", (4, 6), 3)
    output_of = evaluator(network, Trajectory.start(network, 0).theta)
    ((states, psi, weight),) = basis_for(network, square16)
    assert len(states) < square16.dimension / 8
    by_orbits = sums("sign", psi, output_of(states), weight)
    assert by_orbits.exact == pytest.approx(1)
    assert by_orbits.overlap == pytest.approx(full_sums("sign", output_of, whole_basis(square16)).overlap, abs=1e-6)


@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_streaming_over_orbits_gives_the_same_sums(square16, target):
    network = Dense(Geometry(16, (4, 4)), target, (8,))
    output_of = evaluator(network, Trajectory.start(network, 5).theta)
    at_once = full_sums(target, output_of, whole_basis(square16))
    streamed = full_sums(target, output_of, Orbits(square16, 1000))
    assert streamed.overlap == pytest.approx(at_once.overlap, abs=1e-9)
    assert streamed.exact == pytest.approx(1)


def test_dense_networks_are_summed_over_the_whole_basis(square16):
    network = Dense(Geometry(16, (4, 4)), "sign", (8,))
    ((states, _, _),) = basis_for(network, square16)
    assert len(states) == square16.dimension
