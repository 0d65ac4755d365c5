"""Weights that no network has are refused, unless their model is marked as diverged."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from nqs.runtime.errors import BrokenFileError
from nqs.runtime.tensors import read_tensors, read_with_header, refuse_absurd


def saved(folder, theta):
    path = folder / "x.safetensors"
    save_file({"theta": theta}, path, {"device": "cpu"})
    return path


def test_tensors_come_back(tmp_path):
    theta = np.arange(6.0).reshape(2, 3)
    tensors, header = read_with_header(saved(tmp_path, theta), ["theta"], ["device"])
    assert np.array_equal(tensors["theta"], theta)
    assert header == {"device": "cpu"}


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_one_absurd_weight_is_refused(tmp_path, value):
    path = saved(tmp_path, theta := np.ones((3, 4), np.float32))
    theta[1, 2] = value
    with pytest.raises(BrokenFileError, match=r"x\.safetensors: damaged \(model 1 is not marked as diverged"):
        refuse_absurd(path, theta)
    refuse_absurd(path, theta, [False, True, False])


@pytest.mark.parametrize("cut", [0, 5, 60, -3])
def test_a_truncated_file_is_refused(tmp_path, cut):
    path = saved(tmp_path, np.ones((3, 4)))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BrokenFileError, match=r"x\.safetensors: damaged.*delete it"):
        read_tensors(path)


def test_a_missing_file_or_tensor_is_named(tmp_path):
    with pytest.raises(BrokenFileError, match=r"y\.safetensors: missing; build it with"):
        read_tensors(tmp_path / "y.safetensors")
    with pytest.raises(BrokenFileError, match="without parameters"):
        read_tensors(saved(tmp_path, np.ones(3)), ["parameters"])
