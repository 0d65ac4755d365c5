"""The code hash covers what a stage's code reaches, whatever it is called and wherever it is, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import nqs
from nqs.workflow import code_hash as codehash
from nqs.workflow.code_hash import Sources

FILES = {
    "__init__": "",
    "stage": '''
        """A stage."""
        import numpy as np
        from pkg import sums
        from pkg.config import STEPS
        from pkg.networks import NETWORKS

        def run(name):
            """Run it."""
            network = NETWORKS[name]()
            return sums.measure(network, np.zeros(STEPS))

        def other():
            return 0
    ''',
    "sums": '''
        import numba as nb
        from pkg.kernel import kernel

        FACTOR = 2

        def measure(network, values, scale=1):
            return FACTOR * kernel(values) * scale

        def unused(values):
            return values
    ''',
    "kernel": '''
        import numba as nb

        @nb.njit(cache=True)
        def kernel(values):
            return values.sum()
    ''',
    "config": "STEPS = 3\n",
    "registry": "",
    "networks": '''
        from pkg.registry import Registry

        class Network:
            sites: int = 4

        class Dense(Network):
            width: int = 8

            def weights(self):
                return self.width * WIDTHS

        class Deep(Network):
            depth: int = 2

        WIDTHS = 5
        NETWORKS: Registry[type[Network]] = {"dense": Dense}
    ''',
}  # fmt: skip


def dedent(text: str) -> str:
    """Text without the indentation of FILES."""
    return "\n".join(line.removeprefix(" " * 8) for line in text.split("\n")).rstrip(" ")


class Package:
    """A small package that tests edit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            self.write(name, dedent(text))

    def write(self, name: str, text: str) -> None:
        path = self.root / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / f"{name}.py").read_text()

    def edit(self, name: str, old: str, new: str) -> None:
        assert old in self.read(name)
        self.write(name, self.read(name).replace(old, new))

    @property
    def sources(self) -> Sources:
        return Sources(self.root, "pkg")

    def hash(self, *entries: str) -> str:
        return self.sources.code_hash(*(entries or ("pkg.stage:run", "pkg.networks:Dense")))

    def reached(self, *entries: str) -> list[str]:
        return [str(definition) for definition in self.sources.reach(*entries)]


@pytest.fixture
def package(tmp_path):
    return Package(tmp_path / "pkg")


def hash_of(tmp_path, text, name="f", **modules):
    """Hash of a definition in a package of one module, and perhaps others."""
    for module, content in {"__init__": "", "m": text, **modules}.items():
        (tmp_path / f"{module}.py").write_text(content)
    return Sources(tmp_path, "pkg").code_hash(f"pkg.m:{name}")


def test_what_is_reached(package):
    assert package.reached("pkg.stage:run") == [
        "pkg.config:STEPS", "pkg.kernel:kernel", "pkg.stage:run", "pkg.sums:FACTOR", "pkg.sums:measure",
    ]  # fmt: skip
    assert package.reached("pkg.networks:Dense") == [f"pkg.networks:{name}" for name in ("Dense", "Network", "WIDTHS")]
    files = [path.stem for path in package.sources.files_of("pkg.stage:run")]
    assert files == ["config", "kernel", "stage", "sums"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stage", '"""Run it."""', "# a comment"),
        (
            "stage",
            "sums.measure(network, np.zeros(STEPS))",
            "sums.measure(\n        network, np.zeros((STEPS)),\n    )",
        ),
        ("stage", "def run(name):", "def run(name: str) -> float:"),
        ("stage", "network = NETWORKS", "network: Network = NETWORKS"),
        ("stage", "return 0", "return 1"),
        ("stage", "import numpy as np\n", "import numpy as np\nimport scipy\n"),
        ("stage", "from pkg import sums", "import pkg.sums as sums"),
        ("sums", "FACTOR = 2", "FACTOR: int = 2\n'''Twice.'''"),
        ("sums", "def unused", "def added():\n    return 1\n\ndef unused"),
        ("networks", '{"dense": Dense}', '{"dense": Dense, "deep": Deep}'),
        ("networks", "depth: int = 2", "depth: int = 3"),
        ("networks", "class Deep", "class Added(Network):\n    pass\n\nclass Deep"),
        ("networks", "    sites", '    """A network."""\n\n    sites'),
    ],
)
def test_what_changes_no_hash(package, name, old, new):
    before = package.hash()
    package.edit(name, old, new)
    assert package.hash() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("config", "STEPS = 3", "STEPS = 4"),
        ("config", "STEPS = 3", "STEPS = 3.0"),
        ("config", "STEPS = 3", "STEPS = 3\nSTEPS += 1"),
        ("kernel", "values.sum()", "values.max()"),
        ("kernel", "cache=True", "cache=True, fastmath=True"),
        ("sums", "scale=1", "scale=2"),
        ("sums", "FACTOR = 2", "FACTOR = 2\nprint()"),
        ("sums", "FACTOR = 2", "FACTOR = 2\nif FACTOR:\n    print()"),
        ("stage", "import numpy as np", "import scipy as np"),
        ("networks", "Dense(Network)", "Dense"),
        ("networks", "sites: int", "sites: float"),
        ("networks", "WIDTHS = 5", "WIDTHS = 6"),
        ("__init__", "", "print()"),
    ],
)
def test_what_changes_the_hash(package, name, old, new):
    before = package.hash()
    package.edit(name, old, new)
    assert package.hash() != before


def test_only_those_that_reach_an_edit_change(package):
    entries = ["pkg.stage:run", "pkg.stage:other", "pkg.sums:measure", "pkg.sums:unused", "pkg.networks:Dense"]
    before = {entry: package.hash(entry) for entry in entries}
    package.edit("kernel", "sum()", "max()")
    assert {entry for entry in entries if package.hash(entry) != before[entry]} == {"pkg.stage:run", "pkg.sums:measure"}


def test_moves_change_no_hash(package):
    before = package.hash()
    (package.root / "kernel.py").unlink()
    package.write("deep.__init__", '"""Kernels."""\n')
    package.write("deep.fast", dedent(FILES["kernel"]).replace("kernel(", "other(").replace("def other", "def kernel"))
    package.edit("sums", "from pkg.kernel import kernel", "from pkg.deep import fast as quick")
    package.edit("sums", "kernel(", "quick.kernel(")
    package.edit("sums", "FACTOR = 2\n", "")
    package.edit("sums", "FACTOR *", "config.FACTOR *")
    package.edit("sums", "import numba as nb", "from pkg import config")
    package.write("config", "FACTOR = 2\nSTEPS = 3\n")
    package.write("measures", package.read("sums"))
    package.edit("stage", "from pkg import sums\n", "from .measures import measure as m\n")
    package.edit("stage", "sums.measure", "m")
    assert package.hash() == before


def test_imports_in_functions_and_reexports_change_no_hash(package):
    before = package.hash()
    package.edit("stage", "import numpy as np\nfrom pkg import sums\n", "")
    package.edit("stage", "network =", "import numpy\n    from pkg import api as sums\n    network =")
    package.edit("stage", "np.", "numpy.")
    package.write("api", "from pkg.sums import measure\n")
    assert package.hash() == before


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("def f():\n    from pkg import other\n    return other.a()", {"other:a", "other:C"}),
        ("import pkg.other\n\ndef f():\n    return pkg.other.C", {"other:C"}),
        ("from pkg.other import a as b\n\nclass f:\n    def g(self):\n        return b", {"other:a", "other:C"}),
        ("from pkg import other\n\ndef f(x=other.C):\n    return x", {"other:C"}),
        ("from pkg import other\n\ndef f(C):\n    return C + [C for C in C]", set()),
        ("from pkg.other import C\n\ndef f():\n    return [C for C in C]", {"other:C"}),
        ("from pkg.other import C\n\ndef f(C=C):\n    return C", {"other:C"}),
        ("from pkg import other\n\ndef f(name):\n    return getattr(other, name)", {"other:a", "other:b", "other:C"}),
        ("import pkg.other as o\n\ndef f():\n    return o.anything", {"other:a", "other:b", "other:C"}),
        ("from pkg.other import b\n\ndef f(x: b) -> b:\n    y: b = x\n    return y", set()),
        ("from pkg.other import b\n\nclass f:\n    x: b", {"other:b"}),
        ("def f():\n    return 'pkg.other:b'", set()),
        ("N = 1\n\ndef f():\n    global N\n    N = 2", {"m:N"}),
        ("try:\n    from pkg.other import b as g\nexcept ImportError:\n    g = None\n\ndef f():\n    return g()",
         {"m:g", "other:b"}),
        ("if True:\n    def g(): return 1\nelse:\n    def g(): return 2\n\ndef f():\n    return g()", {"m:g"}),
        ("from pkg.other import a, b\nTABLE = {}\nTABLE[0] = b\n\ndef f():\n    return 1",
         {"m:<import>", "m:TABLE", "other:b"}),
        ("def f():\n    try:\n        from pkg.other import C\n    except ImportError:\n        C = 0\n    return C",
         {"other:C"}),
        ("import typing\nif typing.TYPE_CHECKING:\n    from pkg.other import b\n\ndef f(x: b):\n    return x",
         set()),
    ],
)  # fmt: skip
def test_names_that_are_followed(tmp_path, text, uses):
    other = "C = 1\n\ndef a():\n    return C\n\ndef b():\n    return 2\n"
    hash_of(tmp_path, text, other=other)
    found = {str(definition) for definition in Sources(tmp_path, "pkg").reach("pkg.m:f")}
    assert found == {"pkg.m:f", *(f"pkg.{name}" for name in uses)}


def test_external_names_are_canonical(tmp_path):
    texts = [
        "import numpy as np\n\ndef f():\n    return np.linalg.norm",
        "import numpy\n\ndef f():\n    return numpy.linalg.norm",
        "def f():\n    from numpy.linalg import norm as size\n    return size",
    ]
    assert len({hash_of(tmp_path, text) for text in texts}) == 1
    assert hash_of(tmp_path, texts[0].replace("norm", "det")) != hash_of(tmp_path, texts[0])


def test_which_import_is_tried_matters(tmp_path):
    text = "def f():\n    try:\n        import triton\n    except ImportError:\n        return 0"
    assert hash_of(tmp_path, text) != hash_of(tmp_path, text.replace("triton", "torch"))


def test_definitions_of_one_name_are_told_apart(tmp_path):
    text = "from pkg import a, b\n\ndef f():\n    return a.g() - b.g()"
    deep = {
        "a": "from pkg.c import h\n\ndef g():\n    return h()",
        "b": "from pkg.d import h\n\ndef g():\n    return h()",
    }
    ends = {"c": "def h():\n    return 1", "d": "def h():\n    return 2"}
    once = hash_of(tmp_path, text, **deep, **ends)
    assert once != hash_of(tmp_path, text.replace("a.g() - b", "b.g() - a"))
    assert once != hash_of(tmp_path, text, **deep, c=ends["d"], d=ends["c"])
    assert once != hash_of(tmp_path, text, **deep, c=ends["c"], d=ends["c"])


def test_mutual_recursion_and_order(tmp_path):
    parts = ["def f(n):\n    return g(n)\n", "def g(n):\n    return f(n - 1)\n"]
    assert hash_of(tmp_path, "".join(parts)) == hash_of(tmp_path, "".join(parts[::-1]))


def test_a_whole_module_and_the_order_of_entries(package):
    assert package.reached("pkg.sums") == package.reached("pkg.sums:measure", "pkg.sums:unused")
    assert package.hash("pkg.sums:measure", "pkg.stage:other") == package.hash("pkg.stage:other", "pkg.sums:measure")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("pkg.stages", r"pkg\.stages is not a module of this package; did you mean pkg\.stage\?"),
        ("pkg.stage:runs", r"pkg\.stage does not define runs; did you mean run\?"),
        ("pkg.stage:np", "does not define np"),
        ("pkg.registry", "defines nothing"),
    ],
)
def test_a_wrong_entry_is_an_error(package, entry, message):
    with pytest.raises(ValueError, match=message):
        package.hash(entry)


def test_a_star_import_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"star import from pkg\.other"):
        hash_of(tmp_path, "from pkg.other import *\n\ndef f():\n    return 1", other="")


PACKAGE = Path(nqs.__path__[0])


def entry_of(name: str) -> str:
    """The entry of the first module of this package, wherever it is, that has a definition."""
    known = codehash.sources()
    return next(f"{module}:{name}" for module in known.paths if name in known.module(module).statements)


def test_every_module_of_the_package_has_a_hash():
    known = codehash.sources()
    modules = [name for name in known.paths if known.module(name).definitions]
    hashes = [known.code_hash(name) for name in modules]
    assert len(set(hashes)) == len(modules) > 100


def test_an_edit_of_a_kernel_changes_what_uses_it(tmp_path):
    using = {entry_of(name) for name in ("_add_diagonal", "Neighbours", "lowest_levels")}
    others = {entry_of(name) for name in ("find_neighbours", "aligned_sum", "covering_generators", "DeepCnn")}
    before = {entry: codehash.code_hash(entry) for entry in using | others}
    root = tmp_path / "nqs"
    shutil.copytree(PACKAGE, root, ignore=shutil.ignore_patterns("__pycache__"))
    copy = Sources(root, "nqs")
    assert {entry: copy.code_hash(entry) for entry in before} == before
    path = copy.paths[entry_of("_add_diagonal").split(":")[0]]
    text = path.read_text()
    path.write_text(
        text.replace("def _add_diagonal(aligned, factor, x, y):", "def _add_diagonal(aligned, factor, x, y, /):")
    )
    assert path.read_text() != text
    edited = Sources(root, "nqs")
    assert {entry for entry in before if edited.code_hash(entry) != before[entry]} == using
