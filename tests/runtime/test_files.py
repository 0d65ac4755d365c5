"""Files appear whole or not at all, and broken ones are explained."""

import os

import h5py
import numpy as np
import pytest

from nqs.runtime.checkpoints import save_arrays
from nqs.runtime.errors import BrokenFileError
from nqs.runtime.files import atomic
from nqs.runtime.hdf5 import open_hdf5


def write_half(target, error):
    with atomic(target) as path:
        path.write_text("half")
        raise error


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "a.txt", KeyboardInterrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(target, RuntimeError)
    assert target.read_text() == "old"


def test_missing_hdf5_says_how_to_build_it(tmp_path):
    with (
        pytest.raises(BrokenFileError, match=r"x\.h5: missing; build it with \./nqs run"),
        open_hdf5(tmp_path / "x.h5"),
    ):
        pass


def test_truncated_hdf5_says_how_to_rebuild_it(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(100_000)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BrokenFileError, match=r"x\.h5: damaged.*delete it and build it again"), open_hdf5(path):
        pass


def test_hdf5_without_the_expected_data_is_incomplete(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"] = 1
    with pytest.raises(BrokenFileError, match=r"x\.h5: incomplete"), open_hdf5(path) as file:
        file["b"]


@pytest.mark.skipif(os.name == "nt", reason="needs /dev/full and POSIX paths")
def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BrokenFileError, match="cannot be written"):
        save_arrays(tmp_path / "file" / "x.npz", a=np.zeros(3))
