"""Choice of the device."""

import pytest
import torch

from nqs.runtime import device


def test_cpu_is_always_there():
    assert device.choose("cpu") == "cpu"


def test_auto_takes_what_is_there():
    assert device.choose("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_asked_for_but_absent_says_so_and_what_to_do():
    with pytest.raises(ValueError, match=r"device: cuda was asked for, but.*set device: auto or cpu"):
        device.choose("cuda")
