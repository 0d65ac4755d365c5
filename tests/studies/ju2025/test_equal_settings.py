"""Rows of Fig. X3: means of runs that moved, pairs of one seed and setting, and the setting that a search takes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.equal_runs import TIMES, equal_runs

from nqs.studies.ju2025.tables.equal_settings import figX3


def table_of(runs, folder):
    runs.to_csv(folder / "runs.csv", index=False)
    return figX3({"runs": [folder / "runs.csv"]}, {})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return table_of(equal_runs(), tmp_path_factory.mktemp("equal"))


def test_means_leave_stuck_runs_out_and_count_them(table):
    means = table[table.series == "mean"].set_index(["network", "width", "steps"])
    assert_allclose(means.n_stuck, [int(at[:2] == ("original", 3)) for at in means.index])
    assert_allclose(means.loc[("original", 3, 1), "t_cv_5_moving"], 100 * 1.15)
    assert_allclose(means.loc[("original", 3, 1), "t_cv_5_moving_sem"], 5)
    assert_allclose(means.loc[("init", 3, 1), "t_cv_5_moving"], 80 * 1.1)


def test_ratios_are_of_pairs_that_both_moved(table):
    ratios = table[(table.series == "ratio") & (table.window == 5)]
    for row in ratios.itertuples():
        assert_allclose(row.log_ratio, np.log(TIMES[row.network] / TIMES["original"]))
        assert_allclose(row.log_ratio_sem, 0, atol=1e-12)  # settings of one seed are no independent pairs
    counts = ratios[ratios.network == "traj"].set_index("width")
    assert counts.n_seeds.tolist() == [2, 3, 5]
    assert counts.n_pairs.tolist() == [6, 6, 12]
    assert counts.n_stuck_original.tolist() == [2, 0, 2]
    assert counts.n_stuck_forced.tolist() == [0, 0, 0]


def test_the_chosen_setting_has_the_fewest_stuck_runs(tmp_path):
    runs = equal_runs()
    here = (runs.network == "init") & (runs.width == 6)
    runs.loc[here & (runs.steps == 10), "energy"] -= 0.01  # lower, but one of its runs diverges
    best = {}
    for status in ("cap", "diverged"):
        runs.loc[here & (runs.steps == 10) & (runs.seed == 1), "status"] = status
        table = table_of(runs, tmp_path)
        means = table[(table.series == "mean") & (table.network == "init") & (table.width == 6)]
        best[status] = means.set_index("steps").is_chosen.to_dict()
    assert best == {"cap": {1: 0, 10: 1}, "diverged": {1: 1, 10: 0}}


def test_without_a_network_to_compare_there_are_no_ratios(tmp_path):
    runs = equal_runs()
    table = table_of(runs[runs.network == "original"], tmp_path)
    assert set(table.series) == {"run", "mean"}
