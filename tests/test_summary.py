"""Figure tables: means and standard errors over repeats."""

import pandas as pd
import pytest

from nqs.analysis.summary import Selection, figure_table, select
from nqs.identity import SAMPLED, WHOLE, CellKey

LATTICES = {"square16": "square", "kagome18": "kagome"}


def rows(cluster, data, values, epsilon=0.05):
    key = CellKey("westerhout2020", cluster, 0.4, "dense2", "sign", data)
    return [
        {
            **vars(key), "epsilon": epsilon, "repeat": repeat, "overlap_full": value, "overlap_sampled": value,
            "overlap_sampled_se": 0.1, "overlap_rest": abs(value), "overlap_rest_signed": value,
            "sample_weight": 0.3, "device": "cpu", "training_wall_s": 2.0, "diverged": False,
        }
        for repeat, value in enumerate(values)
    ]  # fmt: skip


def selection(keys=None, repeats=3):
    return Selection(KEYS if keys is None else keys, 0.05, {SAMPLED: repeats, WHOLE: repeats}, LATTICES)


KEYS = [CellKey("westerhout2020", name, 0.4, "dense2", "sign", data) for name in LATTICES for data in (SAMPLED, WHOLE)]


def test_mean_and_standard_error():
    table = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1, -0.2, 0.6])), selection())
    (point,) = table.to_dict("records")
    assert point["overlap_rest_mean"] == pytest.approx(0.3)
    assert point["overlap_rest_signed_mean"] == pytest.approx(0.5 / 3)
    assert point["overlap_rest_sem"] == pytest.approx(0.264575 / 3**0.5, rel=1e-5)
    assert (point["n_members"], point["n_diverged"], point["series"]) == (3, 0, "generalisation")


def test_other_sizes_and_cells_stay_out_and_the_whole_state_stays_in():
    everything = pd.DataFrame(
        rows("square16", SAMPLED, [0.1])
        + rows("square16", SAMPLED, [0.9], epsilon=0.2)
        + rows("square16", WHOLE, [0.8], epsilon=1.0)
        + rows("kagome18", SAMPLED, [0.5])
    )
    table = figure_table(everything, selection([key for key in KEYS if key.cluster == "square16"]))
    assert list(table.overlap_full_mean) == [0.1, 0.8]
    assert list(table.series) == ["generalisation", "expressibility"]


def test_clusters_keep_the_order_of_the_figure():
    everything = pd.DataFrame(rows("kagome18", SAMPLED, [0.5]) + rows("square16", SAMPLED, [0.1]))
    assert list(figure_table(everything, selection()).cluster) == ["square16", "kagome18"]


def test_one_repeat_has_no_standard_error():
    table = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1])), selection())
    assert table.overlap_rest_sem.isna().all()


def test_repeats_of_other_figures_stay_out():
    rows_of_five = pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2, 0.3, 0.4, 0.5]))
    assert list(select(rows_of_five, selection(repeats=2)).overlap_full) == [0.1, 0.2]


def test_table_does_not_depend_on_how_long_the_training_took():
    fast = pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2]))
    slow = fast.assign(training_wall_s=99.0)
    pd.testing.assert_frame_equal(figure_table(fast, selection()), figure_table(slow, selection()))
