"""Figure tables: means and standard errors over repeats."""

import numpy as np
import pandas as pd
import pytest

from nqs.runtime.errors import BrokenFileError, NothingTrainedError
from nqs.studies.westerhout2020.tables.summary import CELL, complete, figure_table, select
from nqs.supervised.keys import SAMPLED, WHOLE, CellKey

LATTICES = {"square16": "square", "kagome18": "kagome"}
CLUSTERS = [{"cluster": name, "lattice": lattice, "n_sites": int(name[-2:])} for name, lattice in LATTICES.items()]


def rows(cluster, data, values, epsilon=0.05):
    key = CellKey("westerhout2020", cluster, 0.4, "dense2", "sign", data)
    return [
        {
            **vars(key), "epsilon": epsilon, "repeat": repeat, "overlap_full": value, "overlap_sampled": value,
            "overlap_sampled_se": 0.1, "overlap_rest": abs(value), "overlap_rest_signed": value,
            "overlap_rest_se": 0.01, "overlap_full_se": 0.02, "n_train": 100, "estimated": True,
            "sample_weight": 0.3, "device": "cpu", "training_wall_s": 2.0, "diverged": False,
        }
        for repeat, value in enumerate(values)
    ]  # fmt: skip


def settings(keys=None, repeats=3):
    keys = KEYS if keys is None else keys
    cells = [{**vars(key), "sizes": [(1.0 if key.data == WHOLE else 0.05, repeats)]} for key in keys]
    return {"cells": cells, "clusters": CLUSTERS}


KEYS = [CellKey("westerhout2020", name, 0.4, "dense2", "sign", data) for name in LATTICES for data in (SAMPLED, WHOLE)]


def test_mean_and_standard_error():
    table = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1, -0.2, 0.6])), settings())
    (point,) = table.to_dict("records")
    assert point["overlap_rest_mean"] == pytest.approx(0.3)
    assert point["overlap_rest_signed_mean"] == pytest.approx(0.5 / 3)
    assert point["overlap_rest_sem"] == pytest.approx(0.264575 / 3**0.5, rel=1e-5)
    assert (point["n_members"], point["n_diverged"], point["series"]) == (3, 0, "generalisation")


def test_a_network_that_never_learnt_enters_no_mean():
    """It diverged before its first check, so that its parameters are still the initial ones."""
    lost = {"overlap_rest", "overlap_rest_signed", "overlap_sampled", "overlap_full"}
    one, two, three = rows("square16", SAMPLED, [0.1, -0.2, 0.6])
    broken = three | dict.fromkeys(lost, np.nan) | {"diverged": True}
    (point,) = figure_table(pd.DataFrame([one, two, broken]), settings()).to_dict("records")
    assert point["overlap_full_mean"] == pytest.approx(-0.05)
    assert (point["n_members"], point["n_diverged"]) == (2, 1)


def test_where_no_network_learnt_one_sentence_says_so():
    lost = pd.DataFrame(rows("square16", SAMPLED, [np.nan, np.nan]))
    with pytest.raises(
        NothingTrainedError, match=r"all 2 networks of square16 diverged .* lower learning_rate of dense2"
    ):
        figure_table(lost, settings())


def test_other_sizes_and_cells_stay_out_and_the_whole_state_stays_in():
    everything = pd.DataFrame(
        rows("square16", SAMPLED, [0.1])
        + rows("square16", SAMPLED, [0.9], epsilon=0.2)
        + rows("square16", WHOLE, [0.8], epsilon=1.0)
        + rows("kagome18", SAMPLED, [0.5])
    )
    table = figure_table(everything, settings([key for key in KEYS if key.cluster == "square16"]))
    assert list(table.overlap_full_mean) == [0.1, 0.8]
    assert list(table.series) == ["generalisation", "expressibility"]


def test_clusters_keep_the_order_of_the_figure():
    everything = pd.DataFrame(rows("kagome18", SAMPLED, [0.5]) + rows("square16", SAMPLED, [0.1]))
    assert list(figure_table(everything, settings()).cluster) == ["square16", "kagome18"]


def test_one_repeat_has_no_standard_error():
    table = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1])), settings())
    assert table.overlap_rest_sem.isna().all()


def test_repeats_of_other_figures_stay_out():
    rows_of_five = pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2, 0.3, 0.4, 0.5]))
    assert list(select(rows_of_five, settings(repeats=2)).overlap_full) == [0.1, 0.2]


def test_table_does_not_depend_on_how_long_the_training_took():
    fast = pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2]))
    slow = fast.assign(training_wall_s=99.0)
    pd.testing.assert_frame_equal(figure_table(fast, settings()), figure_table(slow, settings()))


def test_sizes_may_have_unequal_numbers_of_repeats():
    everything = pd.DataFrame(
        rows("square16", SAMPLED, [0.1, 0.2, 0.3]) + rows("square16", SAMPLED, [0.7, 0.8, 0.9], epsilon=0.2)
    )
    (cell,) = settings(KEYS[:1])["cells"]
    table = figure_table(everything, {**settings(), "cells": [{**cell, "sizes": [(0.05, 3), (0.2, 2)]}]})
    assert list(table.n_members) == [3, 2]
    assert list(table.overlap_sampled_mean) == pytest.approx([0.2, 0.75])


def test_what_is_estimated_is_said_with_its_error():
    (point,) = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2])), settings()).to_dict("records")
    assert point["estimated"] is True
    assert (point["overlap_rest_se_mean"], point["overlap_full_se_mean"]) == pytest.approx((0.01, 0.02))
    assert (point["n_sites"], point["n_train"]) == (16, 100)


def test_variational_states_are_rows_of_their_own():
    runs = pd.DataFrame(
        {
            "study": "westerhout2020", "cluster": "kagome18", "j2": 0.4, "network": "dense2", "method": "plain",
            "repeat": [0, 1],
            "status": ["cap", "diverged"], "energy_error": [0.01, 0.03], "overlap_full": [0.9, 0.7],
            "settled": [True, False], "device": "cpu",
        }
    )  # fmt: skip
    runs = pd.concat([runs, runs.assign(method="signs_first", overlap_full=[0.99, 0.99])])
    table = figure_table(pd.DataFrame(rows("square16", SAMPLED, [0.1, 0.2])), settings(), runs)
    assert list(table.series) == ["generalisation", "variational", "signs_first"]
    assert table.iloc[2].overlap_full_mean == pytest.approx(0.99)
    point = table.iloc[1]
    assert (point.lattice, point.n_sites, point.n_members, point.n_diverged) == ("kagome", 18, 2, 1)
    assert table.n_settled.isna().tolist() == [True, False, False]
    assert point.n_settled == 1
    assert point.overlap_full_mean == pytest.approx(0.8)
    assert point.overlap_full_sem == pytest.approx(0.1)
    assert point.energy_error_mean == pytest.approx(0.02)
    assert pd.isna(point.overlap_rest_mean)
    assert pd.isna(point.epsilon_train)


def test_half_a_table_of_overlaps_is_refused():
    cell = dict.fromkeys(CELL, "x") | {"j2": 0.4}
    settings = {"cells": [cell | {"sizes": [(0.05, 3)]}]}
    rows = pd.DataFrame([cell | {"epsilon": 0.05, "repeat": repeat} for repeat in range(3)])
    assert len(complete(rows, settings)) == 3
    with pytest.raises(BrokenFileError, match=r"epsilon = 0\.05: 2 networks instead of 3; delete that table"):
        complete(rows[:2], settings)


def test_variants_are_a_band_about_their_line_and_stuck_networks_are_counted():
    both = [*rows("square16", SAMPLED, [0.01, 0.8]), *rows("square16", SAMPLED, [0.9, 0.7])]
    networks = pd.DataFrame(both).assign(network=["dense2", "dense2", "fast", "fast"])
    asked = settings() | {"bands": {"fast": "dense2"}}
    asked["cells"] = [{**cell, "network": name} for cell in asked["cells"] for name in ("dense2", "fast")]
    table = figure_table(networks, asked).set_index("series")
    assert table.network.tolist() == ["dense2", "dense2"]
    assert table.variant["band"] == "fast"
    assert pd.isna(table.variant["generalisation"])
    assert table.overlap_rest_mean["band"] == pytest.approx(0.8)
    assert table.n_stuck.to_dict() == {"generalisation": 1, "band": 0}
