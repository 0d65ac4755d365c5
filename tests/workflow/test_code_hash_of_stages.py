"""Hashes of the stages: an edit reruns exactly the stages that use it, and something new reruns nothing."""

import shutil
from pathlib import Path

import pytest

import nqs
from nqs.workflow import code_hash
from nqs.workflow.code_hash import Sources
from nqs.workflow.stages import STAGES


@pytest.fixture(scope="module")
def hashes():
    return {name: code_hash.code_hash(stage.entry) for name, stage in STAGES.items()}


def edited(tmp_path, path, old, new):
    """Hashes of all stages of this package with one file edited."""
    shutil.copytree(Path(nqs.__file__).parent, tmp_path / "nqs", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "nqs" / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    sources = Sources(tmp_path / "nqs", "nqs")
    return {name: sources.code_hash(stage.entry) for name, stage in STAGES.items()}


CHANGES = {  # file, text, new text, stages that must rerun
    "training kernel": (
        "supervised/dense_kernel.py", "EPSILON = np.float32(0.9)", "EPSILON = np.float32(0.8)", {"supervised"},
    ),
    "orbits": (
        "exact/kernel/orbits.py", "def _advance(", "def _advance(extra, ",
        {"hamiltonian", "ground_state", "momentum_check"},
    ),
    "a new cluster": (
        "model/clusters.py", '    "square16"', '    "square2": ("square", (2, 1)),\n    "square16"', set(),
    ),
    "a new key": ("vmc/keys.py", "\n\n@dataclass", "\n\nclass OtherKey:\n    pass\n\n\n@dataclass", set()),
    "a new figure": (
        "studies/ju2025/study.py", '"fig1": target(', '"figX9": target("fig1", "a", "b"), "fig1": target(', set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "stages"), CHANGES.values(), ids=CHANGES)
def test_an_edit_reruns_exactly_the_stages_that_use_it(path, old, new, stages, hashes, tmp_path):
    after = edited(tmp_path, path, old, new)
    assert {name for name in STAGES if after[name] != hashes[name]} == stages


def test_a_new_network_reruns_nothing(hashes, tmp_path):
    shutil.copytree(Path(nqs.__file__).parent, tmp_path / "nqs", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "nqs" / "networks" / "architectures"
    (folder / "other.py").write_text((folder / "dense.py").read_text())
    sources = Sources(tmp_path / "nqs", "nqs")
    assert {name: sources.code_hash(stage.entry) for name, stage in STAGES.items()} == hashes


def modules(stage):
    """Modules that hold what a stage reaches."""
    return {entry.split(":")[0] for entry in code_hash.reached(STAGES[stage].entry)}


def test_stages_reach_what_they_compute_with_and_no_more():
    assert {"nqs.supervised.dense_kernel", "nqs.networks.architectures.dense"} <= modules("supervised")
    assert not {"nqs.exact.blocks", "nqs.vmc.loop", "nqs.networks.architectures.cnn"} & modules("supervised")
    assert not {"nqs.ansatz.rbm", "nqs.ansatz.rbm_kernel"} & modules("reconfiguration")
    assert {"nqs.ansatz.rbm", "nqs.vmc.gpu.rbm"} <= modules("vmc")
    search = {"nqs.exact.kernel.screening", "nqs.exact.lanczos"}
    assert search <= modules("ground_state")
    assert not search & modules("hamiltonian")
