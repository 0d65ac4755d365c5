"""Files of unfinished trainings."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nqs.runtime.checkpoints import Checkpoints


def test_arrays_come_back_to_the_same_training_only(tmp_path):
    Checkpoints(tmp_path, "this").save("curve_3", values=np.arange(4.0), count=np.int32(7), bound=np.inf, name="x")
    assert (tmp_path / "curve_3.npz").exists()
    stored = Checkpoints(tmp_path, "this").load("curve_3")
    assert stored is not None
    assert stored.keys() == {"values", "count", "bound", "name"}
    assert (stored["count"], stored["bound"], stored["name"]) == (7, np.inf, "x")
    assert set(Checkpoints(tmp_path, "this").load("curve_3", "values") or ()) >= {"values"}
    assert_array_equal(stored["values"], np.arange(4.0))
    assert Checkpoints(tmp_path, "other").load("curve_3") is None
    assert Checkpoints(tmp_path, "this").load("curve_2") is None


@pytest.mark.parametrize("kept", [0, 20, -1])
def test_a_damaged_file_is_as_good_as_none(tmp_path, kept):
    files = Checkpoints(tmp_path, "this")
    files.save("curve_0", values=np.arange(4.0))
    files.path("curve_0").write_bytes(files.path("curve_0").read_bytes()[:kept])
    assert files.load("curve_0") is None


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = Checkpoints(None, "this")
    files.save("curve_0", values=np.arange(4.0))
    files.clear()
    assert files.load("curve_0") is None
    assert not list(tmp_path.iterdir())
