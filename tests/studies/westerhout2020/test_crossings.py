"""Rows and drawing of Fig. X2: held weights, fidelities and crossings of exact ground states."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.drawn_marks import check_layout, legend, small_print

from nqs.exact.eigenstate import Wavefunction
from nqs.figures.table import TableError
from nqs.runtime.errors import BrokenFileError
from nqs.studies.westerhout2020.figures.crossings import figX2
from nqs.studies.westerhout2020.tables.crossings import crossings, fidelity, held_weight, rows

PLACES = [("kagome18", 0.4), ("kagome18", 0.6), ("square16", 0.0), ("square16", 0.4), ("square16", 1.0)]


@pytest.fixture(scope="module")
def files(ground_state_file):
    return [ground_state_file(*place) for place in PLACES]


@pytest.fixture(scope="module")
def table(files):
    settings = {"places": [{"cluster": name, "j2_over_j1": j2} for name, j2 in PLACES], "epsilon": 0.02}
    return rows({"ground_states": files}, settings)


def test_held_weight_is_the_mean_over_draws(square16):
    rng, n = np.random.default_rng(0), round(0.02 * square16.dimension)
    held = []
    for _ in range(400):
        states, psi = square16.sample(n, rng)
        held.append((psi[np.unique(states, return_index=True)[1]] ** 2).sum())
    assert held_weight(square16, 0.02) == pytest.approx(np.mean(held), abs=4 * np.std(held) / 20)


def test_fidelity_is_that_of_the_expanded_states(files):
    one, other = (Wavefunction.read(path) for path in files[2:4])
    expected = (one.expand()[1] @ other.expand()[1]) ** 2
    assert fidelity(one, other) == pytest.approx(expected, abs=1e-12)
    assert fidelity(one, one) == pytest.approx(1)
    odd = dataclasses.replace(other, characters=np.where(other.flips, -1, 1))
    assert fidelity(one, odd) == 0


def test_states_of_unlike_symmetries_are_refused(files):
    one, other = (Wavefunction.read(path) for path in files[2:4])
    fewer = dataclasses.replace(other, representatives=other.representatives[1:])
    with pytest.raises(BrokenFileError, match=r"J2 = 0 and 0\.4 have unlike symmetries"):
        fidelity(one, fewer)


def test_rows_pair_neighbours_of_one_cluster(table, files):
    assert list(zip(table.cluster, table.j2_over_j1, strict=True)) == PLACES
    assert table.j2_next.isna().tolist() == [False, True, False, False, True]
    assert table.fidelity_next.isna().tolist() == table.j2_next.isna().tolist()
    last = Wavefunction.read(files[-1])
    assert table.energy_per_site.iloc[-1] == pytest.approx(last.energy / 16)
    assert table.gap.iloc[-1] == last.gap
    assert (table.fidelity_next.dropna() <= 1).all()


def made(fidelities):
    """Four couplings with these squared overlaps between neighbours."""
    j2 = np.array([0.4, 0.5, 0.6, 0.8])
    return pd.DataFrame(
        {"cluster": "kagome24", "lattice": "kagome", "n_sites": 24, "j2_over_j1": j2, "energy_per_site": -0.4,
         "gap": [0.1, 0.01, 0.02, 0.2], "momentum_x": 0, "momentum_y": [0, 0, 0, 2], "spin_flip": 1,
         "next_level": "", "held_weight": [0.2, 0.2, 0.5, 0.6], "epsilon_train": 0.01,
         "j2_next": [*j2[1:], np.nan], "fidelity_next": [*fidelities, np.nan]}
    )  # fmt: skip


def test_a_crossing_is_half_way_between_nearly_orthogonal_neighbours():
    found = crossings(made([0.97, 0.1, 0.0]))
    assert found.j2_crossing.tolist() == pytest.approx([0.55, 0.7])
    assert found.half_width.tolist() == pytest.approx([0.05, 0.1])


def test_figx2_breaks_lines_at_crossings_and_names_momenta():
    fig = figX2(made([0.97, 0.1, 0.0]), note="laptop scale")
    left, right = fig.axes
    lines = [line for line in left.lines if line.get_label() == "_level"]
    assert [len(np.asarray(line.get_xdata())) for line in lines] == [2, 1, 1]
    marked = [float(np.asarray(line.get_xdata())[0]) for line in right.lines if line.get_label() == "_crossing"]
    assert marked == pytest.approx([0.55, 0.7])
    assert {"momentum (0, 0)", "momentum (0, 2)", "crossing"} <= set(legend(fig))
    assert "kagome24: 0.5 to 0.6, 0.6 to 0.8" in small_print(fig)
    check_layout(fig)


def test_figx2_without_a_crossing_and_without_a_column():
    assert "No crossing between the couplings shown" in small_print(figX2(made([0.97, 0.9, 0.8])))
    with pytest.raises(TableError, match="held_weight"):
        figX2(made([1, 1, 1]).drop(columns="held_weight"))
