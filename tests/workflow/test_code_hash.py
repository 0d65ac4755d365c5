"""Hashes of the code: they change with what computes, and with nothing else."""

import shutil
from pathlib import Path

import pytest

import nqs
from nqs.workflow import code_hash
from nqs.workflow.code_hash import Sources
from nqs.workflow.stages import STAGES

KERNEL = '''"""Doc."""
import numpy as np

SCALE = 2.0

def helper(x):
    return np.exp(x) * SCALE

def unused():
    return 1
'''
STAGE = '''from pkg.kernel import helper

def run(x):
    """Doc."""
    return helper(x)
'''
ENTRY = "pkg.stage:run"


def write(root, files):
    """A package `pkg` below `root`."""
    for name, text in {"__init__.py": "", "kernel.py": KERNEL, "stage.py": STAGE, **files}.items():
        (root / "pkg" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "pkg" / name).write_text(text)
    return Sources(root / "pkg", "pkg")


def hashed(root, files=(), entry=ENTRY):
    return write(root, dict(files)).hash([entry])


SAME = {
    "a comment and a docstring": {"kernel.py": KERNEL.replace("SCALE = 2.0", "# why\nSCALE = 2.0")},
    "layout": {"kernel.py": KERNEL.replace("np.exp(x) * SCALE", "(\n        np.exp( x )*SCALE)")},
    "annotations": {"kernel.py": KERNEL.replace("helper(x)", "helper(x: float) -> float")},
    "what is not reached": {"kernel.py": KERNEL.replace("return 1", "return 2")},
    "a new definition": {"kernel.py": KERNEL + "\nclass Key:\n    a: int = 1\n"},
    "a new module": {"other.py": "from pkg.kernel import helper\nX = 1\n"},
    "another name for a foreign module": {
        "kernel.py": KERNEL.replace("np", "numpy").replace("numpy as numpy", "numpy")
    },
    "a definition that moves": {
        "scales.py": "SCALE = 2.0\n",
        "kernel.py": KERNEL.replace("SCALE = 2.0\n", "from pkg.scales import SCALE\n"),
    },
    "a module that is renamed": {
        "sub/__init__.py": "",
        "sub/numerics.py": KERNEL,
        "stage.py": STAGE.replace("pkg.kernel", "pkg.sub.numerics"),
    },
    "a module taken whole": {"stage.py": "from pkg import kernel\n\ndef run(x):\n    return kernel.helper(x)\n"},
    "an alias": {"stage.py": "from pkg.kernel import helper as h\n\ndef run(x):\n    return h(x)\n"},
    "a re-export": {"kernel.py": "from pkg.deep import helper\n", "deep.py": KERNEL},
    "an import only for the type checker": {
        "stage.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.kernel import unused\n" + STAGE
    },
}
OTHER = {
    "a kernel's body": {"kernel.py": KERNEL.replace("np.exp", "np.expm1")},
    "a constant": {"kernel.py": KERNEL.replace("2.0", "3.0")},
    "a foreign function of the same name": {"kernel.py": KERNEL.replace("import numpy as np", "import scipy as np")},
    "a default": {"stage.py": STAGE.replace("run(x)", "run(x=1)")},
    "a decorator": {"stage.py": STAGE.replace("def run", "@print\ndef run")},
    "what runs on import": {"kernel.py": KERNEL + "\nprint(SCALE)\n"},
    "a later change of a constant": {"kernel.py": KERNEL + "\nSCALE += 1\n"},
    "a branch": {"kernel.py": KERNEL + "\nif np:\n    SCALE = 4.0\n"},
}


@pytest.mark.parametrize("files", SAME.values(), ids=SAME)
def test_does_not_change_with(files, tmp_path):
    assert hashed(tmp_path / "after", files) == hashed(tmp_path / "before")


@pytest.mark.parametrize("files", OTHER.values(), ids=OTHER)
def test_changes_with(files, tmp_path):
    assert hashed(tmp_path / "after", files) != hashed(tmp_path / "before")


def test_imports_inside_functions_and_attributes_of_modules_are_followed(tmp_path):
    imports = "    import pkg.kernel\n    from pkg import kernel as k\n"
    inside = f"def run(x):\n{imports}    return pkg.kernel.helper(x) + k.SCALE\n"
    before = hashed(tmp_path / "a", {"stage.py": inside})
    after = hashed(tmp_path / "b", {"stage.py": inside, "kernel.py": KERNEL.replace("np.exp", "np.sin")})
    assert before != after
    reached = write(tmp_path / "c", {"stage.py": inside}).reached([ENTRY])
    assert reached == {("pkg.stage", "run"), ("pkg.kernel", "helper"), ("pkg.kernel", "SCALE")}


def test_base_classes_and_field_types_of_a_class_are_followed(tmp_path):
    text = "from pkg.kernel import helper\nclass Base:\n    x: int = 1\nclass Cell(Base):\n    y: 'Base'\n"
    sources = write(tmp_path, {"cells.py": text})
    assert sources.reached(["pkg.cells:Cell"]) == {("pkg.cells", "Cell"), ("pkg.cells", "Base")}


def test_two_definitions_of_one_name_both_count(tmp_path):
    files = {"a.py": "def f():\n    return 1\n", "b.py": "def f():\n    return 2\n"}
    both = "from pkg.a import f as g\nfrom pkg.b import f\n\ndef run():\n    return f() + g()\n"
    before = hashed(tmp_path / "x", {**files, "stage.py": both})
    for name in files:
        changed = {**files, "stage.py": both, name: "def f():\n    return 3\n"}
        assert hashed(tmp_path / name, changed) != before


def test_entries_of_a_registry_count_only_where_they_are_named(tmp_path):
    table = "from pkg.kernel import helper, unused\nALL: Registry[str, object] = {'helper': helper}\n"
    stage = "from pkg.table import ALL\n\ndef run(name):\n    return ALL[name]()\n"
    first = {"table.py": table, "stage.py": stage}
    more = {"table.py": table.replace("helper}", "helper, 'unused': unused}"), "stage.py": stage}
    assert hashed(tmp_path / "more", more) == hashed(tmp_path / "first", first)
    edited = write(tmp_path / "edited", {**first, "kernel.py": KERNEL.replace("np.exp", "np.sin")})
    named = [ENTRY, "pkg.kernel:helper"]
    assert edited.hash([ENTRY]) == hashed(tmp_path / "again", first)
    assert edited.hash(named) != write(tmp_path / "other", first).hash(named)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("pkg.kernels:helper", "pkg.kernels is no module of pkg; did you mean pkg.kernel?"),
        ("pkg.kernel:help", "pkg.kernel has no help; did you mean helper?"),
    ],
)
def test_an_entry_that_is_not_there_offers_the_nearest(entry, message, tmp_path):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        write(tmp_path, {}).hash([entry])


def test_star_imports_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"import \*"):
        hashed(tmp_path, {"stage.py": "from pkg.kernel import *\n\ndef run(x):\n    return helper(x)\n"})


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
    return {name: sources.hash([stage.entry]) for name, stage in STAGES.items()}


CHANGES = {  # file, text, new text, stages that must rerun
    "training kernel": (
        "supervised/dense_kernel.py", "EPSILON = np.float32(0.9)", "EPSILON = np.float32(0.8)", {"supervised"},
    ),
    "orbits": (
        "exact/kernel/orbits.py", "def _advance(", "def _advance(extra, ", {"hamiltonian", "momentum_check"},
    ),
    "a new cluster": (
        "model/clusters.py", '    "square16"', '    "square2": ("square", (2, 1)),\n    "square16"', set(),
    ),
    "a new network": (
        "networks/registry.py", '    "cnn": cnn,\n', '    "cnn": cnn,\n    "other": cnn,\n', set(),
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


def test_stages_reach_what_they_compute_with_and_no_more():
    supervised = code_hash.reached(STAGES["supervised"].entry)
    assert {"train", "forward", "backward"} <= {*supervised["nqs.supervised.dense_kernel"]}
    assert not {"nqs.exact.blocks", "nqs.vmc.loop", "nqs.networks.registry"} & supervised.keys()
    reconfiguration = code_hash.reached(STAGES["reconfiguration"].entry)
    assert not {"nqs.ansatz.rbm", "nqs.ansatz.rbm_kernel"} & reconfiguration.keys()
    vmc = code_hash.reached(STAGES["vmc"].entry)
    assert {"nqs.ansatz.rbm", "nqs.vmc.gpu.rbm"} <= vmc.keys()
    hamiltonian, ground_state = (code_hash.reached(STAGES[name].entry) for name in ("hamiltonian", "ground_state"))
    assert {"nqs.exact.kernel.screening", "nqs.exact.lanczos"} <= ground_state.keys() - hamiltonian.keys()
