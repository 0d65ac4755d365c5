"""The dip against its definition, and the test on one and two modes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from nqs.analysis.dip_test import dip, dip_p_value


def nearest_unimodal(x):
    """The dip by linear programming: for every mode the unimodal function nearest to the steps of F, best of all.

    The function is convex before the mode and concave after it and may jump at it, so the mode has two values.
    """
    return min(distance_with_mode(x, mode) for mode in range(len(x)))


def distance_with_mode(x, mode):
    n = len(x)
    places = np.insert(x, mode, x[mode])  # the mode twice: before and after its jump
    low, high = np.arange(n) / n, np.arange(1, n + 1) / n  # F before and after each step
    low, high = np.insert(low, mode + 1, high[mode]), np.insert(high, mode, low[mode])
    one, rows, bounds = np.eye(n + 2), [], []
    for j in range(n + 1):
        rows += [-one[j] - one[-1], one[j] - one[-1]]  # |G - F| <= D on both sides of the step
        bounds += [-high[j], low[j]]
        if j < n:
            rows.append(one[j] - one[j + 1])  # G does not fall
            bounds.append(0)
    for j in range(1, n):
        if mode in (j, j - 1):
            continue  # the jump lies between the neighbours
        left, right = places[j] - places[j - 1], places[j + 1] - places[j]
        bend = (one[j] - one[j - 1]) / left - (one[j + 1] - one[j]) / right
        rows.append(bend if j < mode else -bend)
        bounds.append(0)
    return linprog(one[-1], A_ub=np.array(rows), b_ub=bounds, bounds=[(None, None)] * (n + 2)).fun


@pytest.mark.parametrize("seed", range(6))
def test_the_dip_is_the_distance_to_the_nearest_unimodal_distribution(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(np.concatenate([rng.normal(0, 1, 9), rng.normal(1.5 * seed, 1, 9)]))
    assert_allclose(dip(x), nearest_unimodal(x), atol=1e-9)


def test_two_modes_are_found_and_one_is_not():
    rng = np.random.default_rng(0)
    assert dip_p_value(np.concatenate([rng.normal(-3, 1, 60), rng.normal(3, 1, 60)])) < 0.001
    assert dip_p_value(rng.normal(0, 1, 120)) > 0.2
    assert dip_p_value(np.ones(5)) > 0.5


def test_uniform_numbers_have_uniform_p_values():
    rng = np.random.default_rng(1)
    p = np.array([dip_p_value(rng.random(30)) for _ in range(400)])
    assert abs((p < 0.1).mean() - 0.1) < 0.05
