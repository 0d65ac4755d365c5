"""Cells: shared where figures overlap, seeded by what they are."""

import pytest
from support.studies import config_of

from nqs.runtime.errors import ConfigError
from nqs.runtime.seeds import seed_of
from nqs.studies.westerhout2020.cells import (
    DRAWN,
    VARIANT_TABLES,
    DatasetKey,
    dataset_settings,
    datasets,
    figure_cells,
    figure_config,
    figure_summary,
    overlap_settings,
    reconfiguration_cells,
    reconfiguration_settings,
    shown,
    supervised_cells,
    supervised_settings,
)
from nqs.supervised.keys import DISTINCT, SAMPLED, UNIFORM, CellKey, Member
from nqs.vmc.keys import ReconfigurationKey

SMOKE = config_of("westerhout2020", "smoke")
SHARED = CellKey("westerhout2020", "kagome18", 0.4, "dense2", "sign", SAMPLED)


def test_a_cell_of_several_figures_exists_once_with_all_members():
    more = config_of("westerhout2020", "smoke", westerhout2020={"fig5": {"epsilon": 0.1, "repeats": 3}})
    sizes = {0.01: 2, 0.05: 2, 0.1: 3}  # the first from Figs. 3 and S5
    expected = [Member(epsilon, repeat) for epsilon, repeats in sizes.items() for repeat in range(repeats)]
    assert supervised_cells(more)[SHARED] == expected
    for figure in ("fig2", "fig3", "fig5", "figS4", "figS5", "figS6"):
        assert SHARED in figure_cells(more, figure)


def test_a_network_may_be_trained_at_fewer_couplings():
    laptop = config_of("westerhout2020", "laptop")
    square = laptop.block.fig2.panels[0]
    cnn = [key.j2 for key in supervised_cells(laptop) if (key.cluster, key.network) == (square.cluster, "cnn")]
    assert set(cnn) == set(square.j2_of["cnn"]) < set(square.j2)


def test_figures_cover_all_cells_and_nothing_else():
    targets = [figure for figure in (*DRAWN, *VARIANT_TABLES) if figure != "fig1"]
    assert {key for figure in targets for key in figure_cells(SMOKE, figure)} == set(supervised_cells(SMOKE))


def test_settings_change_only_with_what_the_cell_depends_on():
    def settings(**overrides):
        config = config_of("westerhout2020", "smoke", **overrides)
        return supervised_settings(config, SHARED, supervised_cells(config)[SHARED])

    before = settings()
    assert settings(westerhout2020={"expressibility": {"max_updates": 7}}) == before
    assert settings(networks={"dense1": {"learning_rate": 0.5}}) == before
    panels = [{"cluster": "square16", "networks": ["cnn"], "j2": [0.3]}]
    assert settings(westerhout2020={"fig2": {"panels": panels, "variational": {"panels": []}}}) == before
    assert settings(networks={"dense2": {"learning_rate": 0.5}}) != before
    assert settings(westerhout2020={"training": {"max_updates": 7}}) != before
    assert settings(seed=1) != before


def test_a_networks_own_cap_limits_its_updates():
    config = config_of("westerhout2020", "smoke", networks={"dense2": {"max_updates": 50}})
    assert supervised_settings(config, SHARED, [])["training"]["max_updates"] == 50


def test_a_networks_own_batch_replaces_the_studys():
    key = CellKey("westerhout2020", "square24", 0.55, "dense2batch64", "sign", SAMPLED)
    settings = supervised_settings(config_of("westerhout2020", "laptop"), key, [])
    assert settings["training"]["batch"] == 64
    assert not {"batch", "max_updates"} & settings["network"].keys()


def dataset_of(config, data=SAMPLED):
    cluster, j2 = ("kagome18", 0.4) if data == SAMPLED else ("square16", 0.55)
    key = DatasetKey(cluster, j2, data, 0.05)
    return dataset_settings(config, key, datasets(config)[key])


def test_dataset_settings_ask_for_the_most_repeats_of_that_size():
    more = config_of("westerhout2020", "smoke", westerhout2020={"fig5": {"repeats": 3}})
    assert dataset_of(SMOKE)["repeats"] == 2
    assert dataset_of(more)["repeats"] == 3


def test_distinct_data_sets_are_drawn_without_replacement():
    assert dataset_of(SMOKE)["replacement"] is True
    assert dataset_of(SMOKE, DISTINCT)["replacement"] is False


def test_uniform_data_sets_do_not_look_at_amplitudes():
    assert dataset_of(SMOKE, UNIFORM)["power"] == 0
    assert "power" not in dataset_of(SMOKE)


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_overlaps_of_large_clusters_are_estimated(scale):
    config = config_of("westerhout2020", scale)
    block = config.block.overlaps
    exact = overlap_settings(config, "square16")
    assert exact == {"samples": block.samples, "estimated": False}
    large = overlap_settings(config, "square30")
    assert large == {"samples": block.large_samples, "estimated": True}


def test_critical_sizes_come_from_the_cells_of_the_scans():
    laptop = config_of("westerhout2020", "laptop")
    scanned = {**shown(laptop, "figS1"), **shown(laptop, "figS7")}
    critical = shown(laptop, "fig4")
    assert critical == {key: scanned[key] for key in critical}
    assert {key.cluster for key in critical} == set(laptop.block.fig4.clusters)
    assert {key.j2 for key in critical} == set(laptop.block.fig4.j2)


def test_variants_say_what_differs():
    rows = figure_summary(config_of("westerhout2020", "laptop"), "tableX1")["variations"]
    assert [row["variation"] for row in rows] == [
        "reference", "learning_rate = 0.0003", "learning_rate = 0.003", "batch = 64", "last_bias = true",
        "distinct states", "uniform states",
    ]  # fmt: skip
    assert [(row["network"], row["data"]) for row in rows[-2:]] == [("dense2", DISTINCT), ("dense2", UNIFORM)]


def test_variational_cells_and_their_settings():
    cells = reconfiguration_cells(SMOKE)
    assert cells[0] == ReconfigurationKey("westerhout2020", "kagome12", 0.4, "dense2", "plain")
    assert cells[0].path == "westerhout2020/kagome12/j2_0.4/dense2"
    assert cells[1].path == "westerhout2020/kagome12/j2_0.4/dense2-signs_first"
    signs_first = reconfiguration_settings(SMOKE, cells[1])["reconfiguration"]
    assert signs_first == SMOKE.block.reconfiguration.signs_first.model_dump(mode="json")
    settings = reconfiguration_settings(SMOKE, cells[0])
    assert "signs_first" not in settings["reconfiguration"]
    assert settings["network"] == {"architecture": "dense", "hidden": [64, 64]}
    assert settings["reconfiguration"]["iterations"] == SMOKE.block.reconfiguration.iterations
    faster = config_of("westerhout2020", "smoke", networks={"dense2": {"learning_rate": 0.5}})
    assert reconfiguration_settings(faster, cells[0]) == settings


def test_clusters_of_a_summary_are_in_drawing_order():
    clusters = figure_summary(SMOKE, "fig2")["clusters"]
    assert [place["cluster"] for place in clusters] == ["square16", "triangle16", "kagome18", "kagome12"]
    assert clusters[2] == {"cluster": "kagome18", "lattice": "kagome", "n_sites": 18}


@pytest.mark.parametrize("figure", [*DRAWN, *VARIANT_TABLES])
def test_provenance_names_the_blocks_behind_a_figure(figure):
    record = figure_config(SMOKE, figure)
    assert figure in record
    assert ("reconfiguration" in record) == (figure == "fig2")
    assert {"figS1", "figS7"} <= record.keys() or figure != "fig4"


def test_seeds_depend_on_identity():
    assert seed_of("a", 1, 0.5) == seed_of("a", 1, 0.5)
    assert len({seed_of("a", 1), seed_of("a", 2), seed_of("b", 1), seed_of(1, "a")}) == 4


def test_variants_of_a_band_train_on_signs_where_their_line_does():
    config = config_of("westerhout2020", "smoke", westerhout2020={"fig2": {"band": {"dense1": ["dense1slow"]}}})
    cells = figure_cells(config, "fig2")
    places = {name: {key.coupling for key in cells if key.network == name} for name in ("dense1", "dense1slow")}
    assert places["dense1slow"] == places["dense1"]
    assert len(places["dense1"]) == 4
    signs = {(key.network, key.target) for key in figure_cells(config, "fig5")}
    assert signs == {("dense2", "sign"), ("dense2", "amplitude"), ("dense2slow", "sign"), ("dense2fast", "sign")}
    assert figure_summary(config, "fig5")["bands"] == {"dense2slow": "dense2", "dense2fast": "dense2"}


@pytest.mark.parametrize(
    ("band", "message"),
    [
        ({"dense3": ["dense2slow"]}, r"fig5.band: unknown network shown 'dense3'; did you mean 'dense2'"),
        ({"dense2": ["dense2"]}, r"fig5.band: network dense2 listed twice"),
        ({"dense2": ["dense2slow", "dense2slow"]}, r"fig5.band: network dense2slow listed twice"),
        ({"dense2": ["dense2sloow"]}, r"fig5.band: unknown network 'dense2sloow'; did you mean 'dense2slow'"),
    ],
)
def test_bands_are_of_networks_shown(band, message):
    with pytest.raises(ConfigError, match=message):
        config_of("westerhout2020", "smoke", westerhout2020={"fig5": {"band": band}})
