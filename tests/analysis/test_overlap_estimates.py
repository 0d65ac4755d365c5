"""Estimated overlaps: those of exact sums within their errors, and errors that are the scatter of the estimates."""

import numpy as np
import pytest

from nqs.analysis.overlap_estimates import draw_mixture, estimate, estimated_row
from nqs.analysis.overlaps import member_row, whole_basis
from nqs.networks.architectures.dense import Dense
from nqs.networks.protocol import Geometry
from nqs.supervised import dataset
from nqs.supervised.ensemble import evaluator
from nqs.supervised.members import Trajectory

NAMES = ("overlap_full", "overlap_rest_signed", "overlap_sampled")


def scrambled(state, strength):
    """log|psi| with a fixed error for each state, large where |psi| is small; for signs, the sign of some flipped."""

    def output_of(states):
        noise = (states * np.uint64(2654435761) >> np.uint64(7) & np.uint64(1023)) / 1023 - 0.5
        return np.log(np.abs(state.lookup(states)) + 1e-4) + strength * noise

    return output_of


def signs(state):
    output_of = scrambled(state, 9.0)
    return lambda states: np.where(output_of(states) > -7, 1, -1) * state.lookup(states)


def untrained(state, target):
    network = Dense(Geometry(state.n_sites, state.shape), target, (8,))
    return evaluator(network, Trajectory.start(network, 3).theta)


def cases(state, target):
    yield untrained(state, target)
    yield signs(state) if target == "sign" else scrambled(state, 2.0)


@pytest.fixture(scope="module")
def exact_and_estimated(square16, kagome18):
    """Rows of both kinds: (state, target, exact row, estimated row)."""
    pairs = []
    for state in (square16, kagome18):
        seen = dataset.draw(state, 0.02, 0.1, True, np.random.default_rng(0)).seen
        for target in ("sign", "amplitude"):
            for number, output_of in enumerate(cases(state, target)):
                fresh = dataset.Sample(*state.sample(1000, np.random.default_rng(1)))
                exact = member_row(target, output_of, whole_basis(state), seen, fresh)
                rng = np.random.default_rng([5, number])
                pairs.append((exact, estimated_row(target, output_of, state, seen, 40_000, rng)))
    return pairs


@pytest.mark.parametrize("name", ["overlap_full", "overlap_rest_signed", "overlap_sampled"])
def test_estimates_agree_with_exact_sums_within_their_errors(exact_and_estimated, name):
    assert len(exact_and_estimated) == 8
    for exact, estimated in exact_and_estimated:
        error = estimated["overlap_rest_se" if "rest" in name else f"{name}_se"]
        known = exact["overlap_full" if name == "overlap_sampled" else name]
        if name == "overlap_sampled" and estimated["overlap_sampled_n_effective"] < 1000:
            continue  # draws of |psi|^2 miss what an amplitude network puts where |psi|^2 is small
        assert 0 <= error < 0.05
        assert abs(estimated[name] - known) < 4 * error + 1e-12
        assert estimated["sample_weight"] == pytest.approx(exact["sample_weight"])


def test_both_kinds_of_rows_have_the_same_columns(exact_and_estimated):
    exact, estimated = exact_and_estimated[0]
    assert set(estimated) - set(exact) == {"overlap_full_n_effective"}
    assert exact["overlap_full_se"] == exact["overlap_rest_se"] == 0


@pytest.mark.parametrize("target", ["sign", "amplitude"])
def test_errors_are_the_scatter_of_repeated_estimates(square16, target):
    seen = dataset.draw(square16, 0.02, 0.1, True, np.random.default_rng(0)).seen
    output_of = signs(square16) if target == "sign" else scrambled(square16, 2.0)
    rows = [estimated_row(target, output_of, square16, seen, 500, np.random.default_rng([2, n])) for n in range(150)]
    for name in ("overlap_full", "overlap_rest"):
        scatter = np.std([row[name] for row in rows])
        assert np.mean([row[f"{name}_se"] for row in rows]) == pytest.approx(scatter, rel=0.25)


def test_a_perfect_amplitude_network_has_no_error(square16):
    output_of = lambda states: np.log(np.abs(square16.lookup(states)) + 1e-300) + 300  # noqa: E731
    seen = dataset.draw(square16, 0.02, 0.1, True, np.random.default_rng(0)).seen
    row = estimated_row("amplitude", output_of, square16, seen, 2000, np.random.default_rng(0))
    for name in ("overlap_full", "overlap_rest", "overlap_sampled"):
        assert row[name] == pytest.approx(1)
        assert row[f"{name}_se"] == pytest.approx(0, abs=1e-7)


def test_weights_of_the_mixture_add_up_to_the_basis(kagome18):
    draws = draw_mixture(kagome18, 20_000, np.random.default_rng(0))
    weights = 1 / draws.probability
    assert weights.max() <= 4 * kagome18.dimension * (1 + 1e-12)
    assert weights.mean() == pytest.approx(kagome18.dimension, abs=4 * weights.std() / np.sqrt(20_000))
    norm = draws.psi**2 / draws.probability
    assert norm.mean() == pytest.approx(1, abs=4 * norm.std() / np.sqrt(20_000))


def test_no_unseen_draw_is_no_estimate():
    nothing = np.empty(0)
    assert np.isnan(estimate(nothing, nothing, nothing).overlap)
