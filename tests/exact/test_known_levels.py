"""Ground states computed again in the sector that an earlier search found, and what makes them search after all."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from nqs.exact.blocks import SYMMETRIES, build
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import solve
from nqs.exact.known_levels import Known, digest, read
from nqs.model.lattices import cluster
from nqs.workflow import known_levels

TABLE = Path(__file__).parents[2] / "reference/ground_levels.csv"
CASES = [("kagome18", 0.8, "quspin", 2), ("square16", 0.6, "kernel", 2), ("triangle16", 1.2, "kernel", 3)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[2]}")
def searched(request, tmp_path_factory):
    """Hamiltonian file, coupling, the state that a search found, and its row."""
    name, j2, backend, count = request.param
    folder = tmp_path_factory.mktemp(name)
    build(cluster(name), folder / "h.h5", SYMMETRIES[:count], backend)
    solve(folder / "h.h5", j2, folder / "state.h5", 1e-10)
    state = Wavefunction.read(folder / "state.h5")
    row = Known(name, j2, digest(state.bonds), state.energy, state.gap, state.sector, state.gap_sector)
    return folder / "h.h5", j2, state, row


def again(searched, known, folder, capsys):
    path, j2, *_ = searched
    solve(path, j2, folder / "again.h5", 1e-10, known=known)
    return Wavefunction.read(folder / "again.h5"), capsys.readouterr().out


def test_the_state_is_that_of_the_search(searched, tmp_path, capsys):
    *_, state, row = searched
    found, printed = again(searched, row, tmp_path, capsys)
    assert "gap from there" in printed
    assert "searching" not in printed
    assert found.energy == pytest.approx(state.energy, abs=1e-10)
    np.testing.assert_allclose(found.amplitudes, state.amplitudes, atol=1e-8)
    for name in ("gap", "gap_sector", "momenta_checked", "sector", "momentum", "spin_flip"):
        assert getattr(found, name) == getattr(state, name)


@pytest.mark.parametrize("wrong", ["energy", "bonds", "sector"])
def test_a_row_that_does_not_fit_is_not_believed(searched, wrong, tmp_path, capsys):
    *_, state, row = searched
    values = {"energy": row.energy + 1e-6, "bonds": "0" * 12, "sector": row.sector.replace("spin_flip", "other")}
    found, printed = again(searched, replace(row, **{wrong: values[wrong]}, gap=7.0), tmp_path, capsys)
    assert "searching all sectors" in printed
    assert found.gap == pytest.approx(state.gap, abs=1e-6)


def test_a_higher_level_is_not_taken_for_the_ground_state(searched, tmp_path, capsys):
    """A row of another sector has another energy."""
    *_, state, row = searched
    flipped = row.sector.replace('"spin_flip": 1', '"spin_flip": -1')
    flipped = flipped if flipped != row.sector else row.sector.replace('"spin_flip": -1', '"spin_flip": 1')
    found, printed = again(searched, replace(row, sector=flipped), tmp_path, capsys)
    assert "searching all sectors" in printed
    assert found.energy == pytest.approx(state.energy, abs=1e-9)


def test_rows_come_back_from_settings_and_by_cluster_and_coupling(searched, monkeypatch):
    *_, row = searched
    assert Known.of(asdict(row)) == row
    shipped = next(read(TABLE))
    monkeypatch.chdir(TABLE.parents[1])
    assert known_levels.known_level(shipped.cluster, shipped.j2) == asdict(shipped)
    assert known_levels.known_level(shipped.cluster, 0.123) is None


def test_the_digest_heeds_bonds_only():
    bonds = {"j1": np.array([[0, 1], [1, 2]]), "j2": np.array([[0, 2]])}
    same = {"j2": np.array([[2, 0]]), "j1": np.array([[2, 1], [0, 1]])}
    assert digest(bonds) == digest(same)
    assert digest(bonds) != digest(bonds | {"j2": np.array([[1, 3]])})


@pytest.mark.parametrize("row", list(read(TABLE)), ids=lambda row: f"{row.cluster} {row.j2:g}")
def test_shipped_rows_are_of_the_shipped_clusters(row):
    made = cluster(row.cluster)
    assert row.bonds == digest({"j1": made.j1, "j2": made.j2})
    assert row.gap > 0
    assert row.energy < 0
