"""Critical sizes: known curves, their bootstrap, and the power law over clusters."""

import numpy as np
import pandas as pd
import pytest

from nqs.studies.westerhout2020.tables.critical_sizes import ABOVE, BELOW, FOUND, critical_epsilons, critical_table

EPSILONS = np.array([1e-4, 1e-3, 1e-2])
CLUSTERS = [
    {"cluster": "square16", "lattice": "square", "n_sites": 16},
    {"cluster": "square20", "lattice": "square", "n_sites": 20},
    {"cluster": "square24", "lattice": "square", "n_sites": 24},
]
DIMENSIONS = {"square16": 12870, "square20": 184756, "square24": 2704156}
SETTINGS = {"clusters": CLUSTERS, "threshold": 0.15, "seed": 0}


def scan(cluster, j2, overlaps, epsilons=EPSILONS):
    """Networks of one cluster; overlaps (size, repeat)."""
    return pd.DataFrame(
        [
            {"cluster": cluster, "j2": j2, "epsilon": epsilon, "repeat": repeat, "overlap_sampled": overlap}
            for epsilon, values in zip(epsilons, overlaps, strict=True)
            for repeat, overlap in enumerate(values)
        ]
    )


def critical(overlaps):
    return critical_epsilons(EPSILONS, np.atleast_2d(overlaps), 0.15)


def test_interpolation_is_linear_in_the_logarithm():
    assert critical([0.0, 0.3, 1.0]) == pytest.approx(10**-3.5)
    assert critical([0.05, 0.15, 1.0]) == pytest.approx(1e-3)


def test_a_curve_must_stay_above_the_threshold():
    assert critical([0.3, 0.0, 0.3]) == pytest.approx(10**-2.5)
    assert critical([0.3, 0.3, 0.0]) == np.inf


def test_curves_beyond_the_grid():
    np.testing.assert_array_equal(critical([[0.2, 0.5, 0.9], [0.0, 0.1, 0.14]]), [0, np.inf])


def test_one_row_per_cluster_and_coupling_in_drawing_order():
    curves = {
        ("square20", 0.0): [[0.0, 0.0], [0.3, 0.3], [0.9, 0.9]],
        ("square16", 0.0): [[0.5, 0.5], [0.5, 0.5], [0.9, 0.9]],
        ("square16", 0.5): [[0.0, 0.0], [0.0, 0.0], [0.1, 0.1]],
    }
    table = critical_table(pd.concat(scan(*place, values) for place, values in curves.items()), SETTINGS)
    assert list(zip(table.cluster, table.j2_over_j1, table.status, strict=True)) == [
        ("square16", 0.0, BELOW), ("square20", 0.0, FOUND), ("square16", 0.5, ABOVE),
    ]  # fmt: skip
    found = table.iloc[1]
    assert found.critical_size == pytest.approx(10**-3.5 * 184756)
    assert found.critical_epsilon_low == found.critical_epsilon_high == pytest.approx(10**-3.5)
    assert table.critical_size.notna().sum() == 1
    assert list(table.n_fit) == [1, 1, 0]
    assert table.exponent.isna().all()


def test_the_interval_covers_what_repeats_allow():
    rng = np.random.default_rng(0)
    overlaps = np.array([0.0, 0.3, 0.9])[:, None] + rng.normal(0, 0.1, (3, 10))
    (row,) = critical_table(scan("square20", 0.0, overlaps), SETTINGS).to_dict("records")
    assert row["critical_epsilon_low"] < row["critical_epsilon"] < row["critical_epsilon_high"]
    assert row["critical_epsilon_high"] / row["critical_epsilon_low"] < 2
    assert row["n_members"] == 10


def power_law_scans(exponent, places):
    """Curves that cross the threshold halfway between the two sizes around 3 K^exponent."""
    for cluster in places:
        critical_epsilon = 3 * DIMENSIONS[cluster] ** (exponent - 1)
        yield scan(cluster, 0.0, [[0.0, 0.0], [0.3, 0.3]], critical_epsilon * np.array([0.5, 2]))


def test_a_power_law_is_found_again():
    table = critical_table(pd.concat(power_law_scans(0.4, DIMENSIONS)), SETTINGS)
    assert table.exponent.tolist() == pytest.approx([0.4] * 3)
    assert table.prefactor.tolist() == pytest.approx([3] * 3)
    assert (table.exponent_se < 1e-6).all()
    assert (table.n_fit == 3).all()


def test_two_clusters_fix_the_exponent_without_an_error():
    table = critical_table(pd.concat(power_law_scans(0.4, ["square16", "square24"])), SETTINGS)
    assert table.exponent.tolist() == pytest.approx([0.4] * 2)
    assert table.exponent_se.isna().all()


def test_a_point_with_a_wide_interval_counts_little():
    scans = list(power_law_scans(0.4, ["square16", "square24"]))
    # its networks either generalise from the smallest sets on or from the largest only; the mean lies far off the law
    values = [[0.0, 0.0, 0.0], [0.4, 0.0, 0.0], [0.4, 0.0, 0.0], [0.4, 0.4, 0.4]]
    wide = scan("square20", 0.0, values, [1e-5, 1e-4, 1e-1, 5e-1])
    table = critical_table(pd.concat([*scans, wide]), SETTINGS)
    assert table.status.tolist() == [FOUND] * 3
    point = table.iloc[1]
    assert point.critical_size > 10 * 3 * DIMENSIONS["square20"] ** 0.4
    assert point.critical_size_high / point.critical_size_low > 5
    assert table.exponent.iloc[0] == pytest.approx(0.4, abs=0.05)


def test_the_same_seed_gives_the_same_table():
    rng = np.random.default_rng(0)
    rows = scan("square20", 0.0, rng.random((3, 4)))
    pd.testing.assert_frame_equal(critical_table(rows, SETTINGS), critical_table(rows, SETTINGS))
