"""Files of unfinished trainings."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nqs.runtime.checkpoints import ArrayFiles


class Curves(ArrayFiles):
    noun = "curve"


def test_arrays_come_back_to_the_same_training_only(tmp_path):
    Curves(tmp_path, "this").write(3, values=np.arange(4.0), count=7)
    assert (tmp_path / "curve_3.npz").exists()
    stored = Curves(tmp_path, "this").read(3)
    assert stored is not None
    assert stored.keys() == {"values", "count"}
    assert_array_equal(stored["values"], np.arange(4.0))
    assert Curves(tmp_path, "other").read(3) is None
    assert Curves(tmp_path, "this").read(2) is None


@pytest.mark.parametrize("kept", [0, 20, -1])
def test_a_damaged_file_is_as_good_as_none(tmp_path, kept):
    files = Curves(tmp_path, "this")
    files.write(0, values=np.arange(4.0))
    files.path(0).write_bytes(files.path(0).read_bytes()[:kept])
    assert files.read(0) is None


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = Curves(None, "this")
    files.write(0, values=np.arange(4.0))
    files.clear()
    assert files.read(0) is None
    assert not list(tmp_path.iterdir())
