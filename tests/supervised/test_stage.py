"""The stage `supervised` as a process: killed, asked to stop, resumed, and given broken input."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pandas as pd
import psutil
import pytest

from nqs.exact.eigenstate import Wavefunction
from nqs.runtime.errors import BrokenFileError
from nqs.supervised import dataset
from nqs.supervised.keys import SAMPLED, WHOLE
from nqs.supervised.stage import member_seed, network_for
from nqs.supervised.weights import read_weights
from nqs.workflow.fork_server import JOB

KEY = {
    "study": "westerhout2020",
    "cluster": "square16",
    "j2": 0.4,
    "network": "dense2",
    "target": "sign",
    "data": SAMPLED,
}
NETWORK = {
    "architecture": "dense", "hidden": [32, 32], "last_bias": False, "learning_rate": 1e-3,
    "channels": [4, 6], "kernel": 3, "site_weights": False, "l2": 0.0, "dropout": 0.0, "translates": False,
}  # fmt: skip


def cell(updates=60_000, data=SAMPLED, **network):
    training = {"batch": 64, "check_every": 50, "patience": 10**6, "max_updates": updates, "validation_states": 500}
    members = [{"epsilon": 0.05 if data == SAMPLED else 1.0, "repeat": repeat} for repeat in range(2)]
    settings = {"key": {**KEY, "data": data}, "members": members, "network": {**NETWORK, **network}}
    return {**settings, "training": training, "seed": 0}


@pytest.fixture(scope="module")
def inputs(ground_state_file, tmp_path_factory):
    """Ground state and data sets."""
    state = ground_state_file("square16", 0.4)
    data = tmp_path_factory.mktemp("data") / "data.h5"
    options = {"cluster": "square16", "j2": 0.4, "epsilon": 0.05, "repeats": 2, "seed": 0}
    dataset.build(Wavefunction.read(state), {**options, "replacement": True, "validation_ratio": 0.1}, data)
    return state, data


def command(settings, inputs, folder, *options):
    state, data = inputs
    return [
        sys.executable, "-m", "nqs", "stage", "supervised", "--settings", json.dumps(settings),
        f"--input=ground_state={state}", f"--input=data={data}", f"--output=weights={folder / 'w.safetensors'}",
        f"--output=history={folder / 'h.csv'}", f"--checkpoints={folder / 'checkpoints'}", "--save-every=0.2", *options,
    ]  # fmt: skip


def complete(settings, inputs, folder, *options):
    folder.mkdir(exist_ok=True)
    return subprocess.run(command(settings, inputs, folder, *options), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def reference(inputs, tmp_path_factory):
    """The uninterrupted training."""
    folder = tmp_path_factory.mktemp("reference")
    done = complete(cell(), inputs, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(params=["alone", "forked"])
def surroundings(request):
    """A job by itself, and one that a fork server runs."""
    if request.param == "forked":
        request.getfixturevalue("fork_server")


def forks_of(process):
    """Processes that a fork server runs for a job."""
    return [one for one in psutil.process_iter(["name"]) if one.info["name"] == f"{JOB}{process.pid}"]


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_interrupted_training_resumes_to_the_same_numbers(inputs, reference, tmp_path, kind, surroundings):
    process = subprocess.Popen(command(cell(), inputs, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "checkpoints" / "member_0.npz"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    forks = forks_of(process)
    process.send_signal(kind)
    assert process.wait(30) == (143 if kind == signal.SIGTERM else -kind)
    psutil.wait_procs(forks, 30)
    assert not any(fork.is_running() for fork in forks)
    assert not (tmp_path / "w.safetensors").exists()
    with np.load(checkpoint) as stored:
        updates = json.loads(str(stored["scalars"]))["updates"]
    assert 0 < updates < 60_000 or (forks and updates == 60_000)  # a server that still loads libraries answers late
    assert complete(cell(), inputs, tmp_path).returncode == 0
    np.testing.assert_array_equal(
        read_weights(tmp_path / "w.safetensors").theta, read_weights(reference / "w.safetensors").theta
    )
    assert not checkpoint.exists()
    columns = ["epsilon", "repeat", "seed", "updates", "best_updates", "best_validation_loss"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "h.csv")[columns], pd.read_csv(reference / "h.csv")[columns])


def test_two_threads_give_the_same_numbers_as_one(inputs, reference, tmp_path):
    assert complete(cell(), inputs, tmp_path, "--threads", "2").returncode == 0
    np.testing.assert_array_equal(
        read_weights(tmp_path / "w.safetensors").theta, read_weights(reference / "w.safetensors").theta
    )


@pytest.mark.parametrize("network", [{}, {"architecture": "cnn"}], ids=["dense", "cnn"])
def test_training_on_the_whole_state(inputs, tmp_path, network):
    settings = cell(updates=100, data=WHOLE, **network)
    done = complete(settings, inputs, tmp_path)
    assert done.returncode == 0, done.stderr
    weights = read_weights(tmp_path / "w.safetensors")
    assert weights.settings == settings
    assert weights.theta.shape[0] == 2
    assert pd.read_csv(tmp_path / "h.csv").n_train.tolist() == [12870, 12870]


def test_seeds_come_from_the_cell_and_member():
    one, other = cell(), cell()
    other["key"] = {**KEY, "j2": 0.5}
    seeds = {member_seed(settings, member) for settings in (one, other) for member in one["members"]}
    assert len(seeds) == 4


def test_parity_comes_from_the_ground_states_momentum(square16):
    network = network_for(cell(architecture="cnn"), square16)
    assert network.geometry.momentum == square16.momentum


def test_missing_ground_state_says_how_to_build_it(inputs, tmp_path):
    done = complete(cell(), (tmp_path / "nothing.h5", inputs[1]), tmp_path)
    assert done.returncode == 1
    assert "nothing.h5" in done.stderr.splitlines()[-1]
    assert "./nqs run" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_truncated_data_set_is_named(inputs, tmp_path):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(inputs[1].read_bytes()[:3000])
    done = complete(cell(), (inputs[0], broken), tmp_path / "run")
    assert done.returncode == 1
    assert "broken.h5" in done.stderr
    assert "delete it" in done.stderr


def test_data_set_without_a_repeat_is_incomplete(inputs, tmp_path):
    fewer = tmp_path / "fewer.h5"
    fewer.write_bytes(inputs[1].read_bytes())
    with h5py.File(fewer, "a") as file:
        del file["repeat_1"]
    done = complete(cell(), (inputs[0], fewer), tmp_path / "run")
    assert done.returncode == 1
    assert "fewer.h5: incomplete" in done.stderr


def test_damaged_weights_are_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"not weights")
    with pytest.raises(BrokenFileError, match=r"w\.safetensors: damaged.*\./nqs run"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
def test_unwritable_output_is_named(inputs, tmp_path):
    (tmp_path / "w.safetensors").mkdir()
    done = complete(cell(updates=50), inputs, tmp_path)
    assert done.returncode == 1
    assert "w.safetensors: cannot be written" in done.stderr


def test_cuda_asked_for_but_absent_ends_with_one_line(inputs, tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    done = complete(cell(), inputs, tmp_path, "--device", "cuda")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: device: cuda was asked for")
