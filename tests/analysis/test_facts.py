"""The published curves are read as the paper plots them."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nqs.analysis.facts import PublishedError, read_facts
from nqs.studies.westerhout2020.curves import COLUMNS, read_curves

CURVES = Path(__file__).parents[2] / "reference" / "westerhout2020" / "curves.json"


@pytest.fixture(scope="module")
def curves():
    return read_curves(CURVES)


def pick(curves, **values):
    for column, value in values.items():
        curves = curves[curves[column] == value]
    return curves


def test_every_figure_is_there_with_the_columns_promised(curves):
    assert tuple(curves.columns) == COLUMNS
    assert set(curves.figure) == {"fig2", "fig3", "fig5"}
    panels = curves[curves.figure == "fig2"].groupby("panel").cluster.unique().map(list).to_dict()
    assert panels == {
        "a": ["square24"], "b": ["triangle24"], "c": ["kagome24"],
        "d": ["square24"], "f": ["kagome24"],
    }  # fmt: skip


def test_every_value_of_the_file_is_a_point(curves):
    def points(node):
        if isinstance(node, list):
            return len(node)
        return sum(points(value) for value in node.values()) if isinstance(node, dict) else 0

    content = json.loads(CURVES.read_text())
    signs = len(content["fig2c_kagome24_eps0.01"]["dense2"]["j2"])  # in Fig. 2 and in Fig. 5
    assert len(curves) == points(content) / 2 + signs


def test_the_square_lattice_dips_at_the_published_depth(curves):
    dip = pick(curves, figure="fig2", cluster="square24", network="dense2", series="generalisation")
    assert dip.loc[dip.overlap.idxmin(), ["x", "overlap"]].tolist() == [0.575, 0.645]


def test_the_modulus_is_plotted_and_the_sign_kept(curves):
    signs = pick(curves, figure="fig2", panel="c", network="dense2")
    assert (signs.overlap_signed < 0).sum() == 7
    assert_allclose(signs.overlap, np.abs(signs.overlap_signed))
    assert curves.overlap.between(0, 1).all()


def test_text_is_not_data(curves):
    dense1 = pick(curves, figure="fig2", cluster="kagome24", network="dense1")
    assert dense1.x.min() == 0.52
    assert "expressibility" not in set(curves.series)


def test_signs_of_fig5_are_those_of_fig2(curves):
    fig5 = pick(curves, figure="fig5", target="sign")
    fig2 = pick(curves, figure="fig2", panel="c", network="dense2")
    assert_allclose(fig5[["x", "overlap"]], fig2[["x", "overlap"]])
    assert len(pick(curves, figure="fig5", target="amplitude")) == 11


def test_cnn_is_published_for_the_square_lattice_only(curves):
    assert set(curves[curves.network == "cnn"].cluster) == {"square24"}


def test_x_is_the_coupling_or_the_size(curves):
    fig3 = curves[curves.figure == "fig3"]
    assert_allclose(fig3.x, fig3.epsilon_train)
    assert set(fig3.j2_over_j1) == {0.4, 0.6, 1.0}
    rest = curves[curves.figure != "fig3"]
    assert_allclose(rest.x, rest.j2_over_j1)


@pytest.mark.parametrize("content", [None, "{", "{}"], ids=["missing", "truncated", "empty"])
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "curves.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PublishedError, match=r"curves\.json"):
        read_curves(path)


def test_lists_of_unequal_length_are_an_error(tmp_path):
    content = json.loads(CURVES.read_text())
    content["fig2d_SR_square24"]["ov"].pop()
    path = tmp_path / "curves.json"
    path.write_text(json.dumps(content))
    with pytest.raises(PublishedError):
        read_curves(path)


def test_facts_are_named_numbers(tmp_path):
    path = tmp_path / "published.yaml"
    path.write_text("exponent_alpha2: {value: 0.46, uncertainty: 0.21, unit: k, where: Fig. 10}\n")
    assert read_facts(path)["exponent_alpha2"]["value"] == 0.46


@pytest.mark.parametrize("content", [None, "a: [", "- 1"], ids=["missing", "broken", "list"])
def test_facts_of_a_broken_file_name_it(tmp_path, content):
    path = tmp_path / "published.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PublishedError, match=r"published\.yaml"):
        read_facts(path)


def test_points_know_their_lattice_and_number_of_spins(curves):
    assert set(curves.n_sites) == {24}
    assert all(cluster.startswith(lattice) for cluster, lattice in zip(curves.cluster, curves.lattice, strict=True))
