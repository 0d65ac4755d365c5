"""The code hash follows imports and ignores what does not run."""

import pytest

from nqs.workflow import code_hash


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "nqs"
    root.mkdir()
    (root / "stage.py").write_text('"""Doc."""\nfrom nqs import part\n\ndef run():\n    return part.ONE\n')
    (root / "part.py").write_text("ONE = 1\n")
    (root / "other.py").write_text("TWO = 2\n")
    monkeypatch.setattr(code_hash, "PACKAGE", root)
    return root


def fresh(*modules):
    code_hash.code_hash.cache_clear()
    code_hash.tree.cache_clear()
    return code_hash.code_hash(*modules)


def test_closure_follows_imports(package):
    assert code_hash.closure("nqs.stage") == ["nqs.part", "nqs.stage"]


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("part.py", "ONE = 1  # a comment\n", False),
        ("part.py", '"""A docstring."""\n\nONE = 1\n', False),
        ("part.py", "ONE = 3\n", True),
        ("other.py", "TWO = 3\n", False),
    ],
)
def test_hash_changes_with_the_code_that_runs(package, file, text, changes):
    before = fresh("nqs.stage")
    (package / file).write_text(text)
    assert (fresh("nqs.stage") != before) is changes


def test_unknown_module_is_an_error():
    with pytest.raises(ValueError, match=r"nqs\.nothing is not a module"):
        code_hash.closure("nqs.nothing")


def test_every_stage_of_the_package_has_a_closure():
    for module in (
        "nqs.exact.blocks",
        "nqs.exact.ground_state",
        "nqs.supervised.dataset",
        "nqs.supervised.stage",
        "nqs.analysis.overlaps",
    ):
        assert module in code_hash.closure(module)
    assert "nqs.supervised.dense_kernel" in code_hash.closure("nqs.supervised.stage")
    assert "nqs.exact.blocks" not in code_hash.closure("nqs.supervised.stage")
    assert not any(name.startswith("nqs.ansatz.rbm") for name in code_hash.closure("nqs.vmc.stages.amplitude_phase"))
    assert {"nqs.ansatz.rbm", "nqs.vmc.gpu.rbm"} <= set(code_hash.closure("nqs.vmc.stages.rbm"))
