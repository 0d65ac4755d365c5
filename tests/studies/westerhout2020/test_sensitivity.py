"""Settings of the training compared: differences in pairs, and networks that learnt nothing."""

import pandas as pd
import pytest
from support.studies import build_rows

from nqs.studies.westerhout2020.tables.sensitivity import sensitivity_table
from nqs.supervised.keys import DISTINCT, SAMPLED, CellKey

VARIATIONS = [
    {"variation": "reference", "network": "dense2", "data": SAMPLED},
    {"variation": "batch = 64", "network": "dense2small", "data": SAMPLED},
    {"variation": "distinct states", "network": "dense2", "data": DISTINCT},
]
CLUSTERS = [{"cluster": "kagome18", "lattice": "kagome", "n_sites": 18}]


def networks(network, data, overlaps, updates=100):
    key = CellKey("westerhout2020", "kagome18", 0.4, network, "sign", data)
    return pd.DataFrame(
        [
            {
                **vars(key), "epsilon": 0.05, "repeat": repeat, "overlap_rest": value, "overlap_full": value / 2,
                "sample_weight": 0.3, "device": "cpu", "training_wall_s": 1.0, "updates": updates,
            }
            for repeat, value in enumerate(overlaps)
        ]
    )  # fmt: skip


@pytest.fixture
def parts():
    return [
        networks("dense2", SAMPLED, [0.5, 0.7, 0.9]),
        networks("dense2small", SAMPLED, [0.52, 0.73, 0.94], updates=300),
        networks("dense2", DISTINCT, [0.5, 0.7, 0.01]),
    ]


@pytest.fixture
def settings(parts):
    names = ("study", "cluster", "j2", "network", "target", "data")
    cells = [{**part.loc[0, list(names)].to_dict(), "sizes": [(0.05, 3)]} for part in parts]
    return {"cells": cells, "clusters": CLUSTERS, "variations": VARIATIONS, "lacking": []}


def test_differences_are_of_pairs(parts, settings):
    table = sensitivity_table(pd.concat(parts), settings).set_index("variation")
    assert list(table.index) == [variation["variation"] for variation in VARIATIONS]
    row = table.loc["batch = 64"]
    assert row.difference == pytest.approx(0.03)
    assert row.difference_se == pytest.approx(0.01 / 3**0.5)
    assert row.overlap_rest_sem == pytest.approx(0.21 / 3**0.5, rel=0.01)  # the scatter of repeats is much larger
    assert (row.updates_mean, row.n_members) == (300, 3)
    assert table.loc["reference", ["difference", "difference_se"]].isna().all()


def test_stuck_networks_are_counted(parts, settings):
    table = sensitivity_table(pd.concat(parts), settings)
    assert list(table.n_stuck) == [0, 0, 1]


def test_updates_come_from_the_histories(parts, settings, tmp_path):
    overlaps, histories = [], []
    for number, part in enumerate(parts):
        overlaps.append(tmp_path / f"o{number}.csv")
        histories.append(tmp_path / f"h{number}.csv")
        part.drop(columns="updates").to_csv(overlaps[-1], index=False)
        part[["epsilon", "repeat", "updates"]].iloc[::-1].to_csv(histories[-1], index=False)
    files = {"overlaps": overlaps, "histories": histories}
    written = build_rows("westerhout2020_tableX1", files, settings, tmp_path)
    pd.testing.assert_frame_equal(written, sensitivity_table(pd.concat(parts), settings), check_dtype=False)


def test_cluster_without_a_bond_is_compared_by_means(parts, settings):
    lacking = networks("dense2", SAMPLED, [0.8, 0.9, 1.0]).assign(cluster="triangle24b47")
    settings["lacking"] = [{"cluster": "kagome18", "j2": 0.4, "lacking": "triangle24b47"}]
    table = sensitivity_table(pd.concat([*parts, lacking]), settings)
    assert len(table) == len(VARIATIONS) + 1
    row = table.iloc[-1]
    assert (row.variation, row.cluster) == ("one bond missing", "triangle24b47")
    assert row.difference == pytest.approx(0.2)
    assert row.difference_se == pytest.approx((0.01 / 3 + 0.04 / 3) ** 0.5)
