"""The code hash follows imports and ignores what does not run."""

import pytest

from nqs import codehash


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "nqs"
    root.mkdir()
    (root / "stage.py").write_text('"""Doc."""\nfrom nqs import part\n\ndef run():\n    return part.ONE\n')
    (root / "part.py").write_text("ONE = 1\n")
    (root / "other.py").write_text("TWO = 2\n")
    monkeypatch.setattr(codehash, "PACKAGE", root)
    return root


def fresh(*modules):
    codehash.code_hash.cache_clear()
    codehash.tree.cache_clear()
    return codehash.code_hash(*modules)


def test_closure_follows_imports(package):
    assert codehash.closure("nqs.stage") == ["nqs.part", "nqs.stage"]


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
        codehash.closure("nqs.nothing")


def test_every_stage_of_the_package_has_a_closure():
    for module in (
        "nqs.hamiltonian",
        "nqs.ground_state",
        "nqs.dataset",
        "nqs.supervised",
        "nqs.analysis.overlaps",
    ):
        assert module in codehash.closure(module)
    assert "nqs.dense_kernel" in codehash.closure("nqs.supervised")
    assert "nqs.hamiltonian" not in codehash.closure("nqs.supervised")
    assert not any(name.startswith("nqs.rbm") for name in codehash.closure("nqs.reconfiguration"))
    assert {"nqs.rbm", "nqs.rbm_stack"} <= set(codehash.closure("nqs.vmc"))
