"""Iterations saved by symmetry forcing, with and without stuck runs."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from nqs.studies.ju2025.tables.convergence_saving import reductions


def invented(original, forced, stuck=(), diverged=(), capped=()):
    """One ring and K; the lists name seeds of the network without forcing."""
    parts = []
    for network, times in (("original", original), ("traj", forced)):
        seeds, free = np.arange(len(times)), network == "original"
        parts.append(pd.DataFrame({
            "n_sites": 60, "width": 3, "network": network, "seed": seeds, "t_cv_5": times,
            "stuck": [int(free and seed in stuck) for seed in seeds],
            "diverged": [int(free and seed in diverged) for seed in seeds],
            "capped_5": [int(free and seed in capped) for seed in seeds],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_stuck_runs_may_make_all_of_the_difference():
    rows = reductions(invented([100, 120, 500], [100, 120, 90], stuck=[2], capped=[2]), 5)
    assert list(rows.n_sites.fillna(0)) == [0, 60]
    for _, row in rows.iterrows():
        assert_allclose(row.reduction, 1 - 310 / 720)
        assert_allclose(row.reduction_moving, 0)
        assert_allclose(row.stuck_share, 1)
        assert (row.n_pairs, row.n_pairs_moving, row.n_capped) == (3, 2, 1)


def test_errors_are_the_jackknife_over_pairs():
    original, forced = np.array([100.0, 120.0, 180.0, 90.0]), np.array([60.0, 90.0, 80.0, 70.0])
    row = reductions(invented(original, forced), 5).iloc[0]
    without = [1 - np.delete(forced, i).sum() / np.delete(original, i).sum() for i in range(4)]
    assert_allclose(row.reduction_sem, np.std(without) * np.sqrt(3))
    assert_allclose([row.reduction_moving, row.stuck_share], [row.reduction, 0], atol=1e-15)


def test_diverged_runs_and_single_pairs():
    row = reductions(invented([100, 200], [50, 50], diverged=[1]), 5).iloc[0]
    assert (row.n_pairs, row.reduction) == (1, 0.5)
    assert np.isnan(row.reduction_sem)
    alone = reductions(invented([100, 200], [50, 50], diverged=[0, 1]), 5)
    assert alone.empty
    slower = reductions(invented([100, 90], [150, 100], stuck=[0]), 5).iloc[0]
    assert np.isnan(slower.stuck_share)
