"""Cells: shared where figures overlap, seeded by what they are."""

from pathlib import Path

from nqs.cells import dataset_settings, figure_cells, supervised_cells, supervised_settings
from nqs.config import load
from nqs.identity import SAMPLED, CellKey, Member, seed_of

ROOT = Path(__file__).parents[1]
SMOKE = load(ROOT, {"scale": "smoke"})
SHARED = CellKey("westerhout2020", "kagome18", 0.4, "dense2", "sign", SAMPLED)


def test_a_cell_of_two_figures_exists_once_with_all_members():
    more = load(ROOT, {"scale": "smoke", "westerhout2020": {"fig5": {"epsilon": 0.1, "repeats": 3}}})
    expected = [Member(0.05, 0), Member(0.05, 1), Member(0.1, 0), Member(0.1, 1), Member(0.1, 2)]
    assert supervised_cells(more)[SHARED] == expected
    for figure in ("fig2", "fig5"):
        assert SHARED in figure_cells(more, "westerhout2020", figure)


def test_a_network_may_be_trained_at_fewer_couplings():
    laptop = load(ROOT, {})
    square = laptop.westerhout2020.fig2.panels[0]
    cnn = [key.j2 for key in supervised_cells(laptop) if (key.cluster, key.network) == (square.cluster, "cnn")]
    assert set(cnn) == set(square.j2_of["cnn"]) < set(square.j2)


def test_figures_cover_all_cells_and_nothing_else():
    shown = {key for figure in ("fig2", "fig5") for key in figure_cells(SMOKE, "westerhout2020", figure)}
    assert shown == set(supervised_cells(SMOKE))


def test_settings_change_only_with_what_the_cell_depends_on():
    def settings(**overrides):
        config = load(ROOT, {"scale": "smoke", **overrides})
        return supervised_settings(config, SHARED, supervised_cells(config)[SHARED])

    before = settings()
    assert settings(westerhout2020={"expressibility": {"max_updates": 7}}) == before
    assert settings(networks={"dense1": {"learning_rate": 0.5}}) == before
    assert (
        settings(westerhout2020={"fig2": {"panels": [{"cluster": "square16", "networks": ["cnn"], "j2": [0.3]}]}})
        == before
    )
    assert settings(networks={"dense2": {"learning_rate": 0.5}}) != before
    assert settings(westerhout2020={"training": {"max_updates": 7}}) != before
    assert settings(seed=1) != before


def test_a_networks_own_cap_limits_its_updates():
    config = load(ROOT, {"scale": "smoke", "networks": {"dense2": {"max_updates": 50}}})
    assert supervised_settings(config, SHARED, [])["training"]["max_updates"] == 50


def test_dataset_settings_ask_for_the_most_repeats_of_that_size():
    more = load(ROOT, {"scale": "smoke", "westerhout2020": {"fig5": {"repeats": 3}}})
    assert dataset_settings(SMOKE, "westerhout2020", "kagome18", 0.4, 0.05)["repeats"] == 2
    assert dataset_settings(more, "westerhout2020", "kagome18", 0.4, 0.05)["repeats"] == 3


def test_seeds_depend_on_identity():
    assert seed_of("a", 1, 0.5) == seed_of("a", 1, 0.5)
    assert len({seed_of("a", 1), seed_of("a", 2), seed_of("b", 1), seed_of(1, "a")}) == 4
