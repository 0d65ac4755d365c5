"""Files of clusters: JSON, YAML and the input of SpinED, and that every mistake names file and key."""

import json
from pathlib import Path

import pytest
import yaml

from nqs.model.cluster_files import EXCHANGE, read
from nqs.model.lattices import cluster
from nqs.runtime.errors import InputError

REFERENCE = Path(__file__).parents[2] / "reference" / "lattices"
LISTED = sorted(path.stem for path in REFERENCE.glob("*.json"))
MATRIX = [list(row) for row in EXCHANGE]
RING = [[i, (i + 1) % 6] for i in range(6)]
SECOND = [[i, (i + 2) % 6] for i in range(6)]


@pytest.fixture
def file(tmp_path):
    """Path of a file with this content, text as it is."""

    def path_of(content, name="my.yaml"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return path_of


def spined(*terms, **basis):
    """Input of SpinED for a ring of six."""
    terms = terms or ({"matrix": MATRIX, "sites": RING}, {"matrix": MATRIX, "sites": SECOND})
    return {"basis": {"number_spins": 6} | basis, "hamiltonian": {"name": "ring", "terms": [*terms]}}


@pytest.mark.parametrize("name", LISTED)
def test_reference_files_are_the_built_in_clusters(name):
    listed, built = read(REFERENCE / f"{name}.json"), cluster(name)
    assert listed.n_sites == built.n_sites
    assert [list(pair) for pair in listed.bonds["j1"]] == built.j1.tolist()
    assert [list(pair) for pair in listed.bonds["j2"]] == built.j2.tolist()


def test_bonds_stand_at_the_top_or_in_a_block(file):
    lists = {"j1": RING, "j2": SECOND}
    assert read(file(lists)) == read(file({"bonds": lists})) == read(file(json.dumps(lists), "my.json"))


def test_input_of_spined(file):
    text = """
    basis:
      number_spins: 6
      hamming_weight: 3
      spin_inversion: null
      symmetries:
        - permutation: [1, 2, 3, 4, 5, 0]
          sector: 3
        - permutation: [5, 4, 3, 2, 1, 0]
          sector: 0
    hamiltonian:
      name: "Heisenberg Hamiltonian"
      terms:
        - matrix: &exchange [[1,  0,  0,  0],
                             [0, -1,  2,  0],
                             [0,  2, -1,  0],
                             [0,  0,  0,  1]]
          sites: [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 0]]
        - matrix: *exchange
          sites: [[0, 2], [1, 3], [2, 4], [3, 5], [4, 0], [5, 1]]
    observables: []
    number_vectors: 1
    """
    listed = read(file(text))
    assert listed.bonds == read(file({"j1": RING, "j2": SECOND})).bonds
    assert listed.symmetries == {"0": (1, 2, 3, 4, 5, 0), "1": (5, 4, 3, 2, 1, 0)}


@pytest.mark.parametrize("factor", [1, 0.25, 0.1, 4])
def test_a_common_factor_of_the_matrices_is_a_unit(file, factor):
    scaled = [[factor * value for value in row] for row in EXCHANGE]
    terms = [{"matrix": scaled, "sites": sites} for sites in (RING, SECOND)]
    assert read(file(spined(*terms))) == read(file(spined()))


def test_symmetries_of_spined_are_found_where_none_are_given(file):
    assert read(file(spined(symmetries=[]))).symmetries is None


FIRST = {"matrix": MATRIX, "sites": RING}
ISING = [[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]]
MARSHALL = [[1, 0, 0, 0], [0, -1, -2, 0], [0, -2, -1, 0], [0, 0, 0, 1]]
MISTAKES: dict[str, tuple[object, str]] = {
    "neither JSON nor YAML": ("j1: [[0, 1]\nj2:", r"line 2, column 1: not valid YAML"),
    "list": ("[[0, 1]]", "must be a mapping"),
    "nothing": ("", "bonds: missing"),
    "key twice": ("j1: [[0, 1]]\nj1: [[1, 2]]\n", "key j1 given twice"),
    "no bonds": ({"sites": 6}, "bonds: missing"),
    "empty bonds": ({"bonds": {}}, "bonds: missing"),
    "fewer sites than in bonds": ({"sites": 4, "j1": RING}, r"j1\.3: site 4 is out of range"),
    "bond twice": ({"j1": [*RING, [1, 0]]}, r" j1\.6: sites 0 and 1 are joined already by j1\.0"),
    "bond twice in a block": ({"bonds": {"j1": [*RING, [1, 0]]}}, r"bonds\.j1\.6: sites 0 and 1"),
    "bonds twice": ({"bonds": {"j1": RING}, "j2": SECOND}, "j2: stands at the top and bonds are given as well"),
    "no number of spins": ({"hamiltonian": {"terms": []}}, r"basis\.number_spins: missing"),
    "other magnetisation": (spined(hamming_weight=2), r"basis\.hamming_weight: 2 of 6"),
    "no terms": ({"basis": {"number_spins": 6}, "hamiltonian": {}}, r"hamiltonian\.terms: must be a list"),
    "three terms": (spined(FIRST, FIRST, FIRST), r"hamiltonian\.terms: must be a list of one or two"),
    "Ising bonds": (spined(FIRST, {"matrix": ISING, "sites": SECOND}), r"hamiltonian\.terms\.1\.matrix: must be"),
    "rotated exchange": (spined({"matrix": MARSHALL, "sites": RING}), r"hamiltonian\.terms\.0\.matrix: must be"),
    "ferromagnet": (
        spined({"matrix": [[-value for value in row] for row in MATRIX], "sites": RING}),
        r"terms\.0\.matrix: must be a positive multiple",
    ),
    "field": (spined({"matrix": [[1, 0], [0, -1]], "sites": [[0]]}), r"terms\.0\.matrix: must be"),
    "expression": (spined({"expression": "S+ S-", "sites": RING}), r"terms\.0\.matrix: must be"),
    "word for a term": (spined("J1"), r"terms\.0\.matrix: must be"),
    "coupling in the matrix": (
        spined(FIRST, {"matrix": [[value / 2 for value in row] for row in MATRIX], "sites": SECOND}),
        r"terms\.1: its matrix is 0\.5 times that of term 0; J2/J1 is set by the configuration",
    ),
    "bond twice in a term": (
        spined({"matrix": MATRIX, "sites": [*RING, [0, 1]]}), r"hamiltonian\.terms\.0\.sites\.6: sites 0 and 1"
    ),
    "symmetry that is none": (
        spined(symmetries=[{"permutation": [1, 0, 2, 3, 4, 5], "sector": 0}]),
        r"basis\.symmetries\.0: moves the j1 bond",
    ),
    "symmetry without permutation": (spined(symmetries=[{"sector": 0}]), r"basis\.symmetries\.0: must be a list"),
    "word for symmetries": (spined(symmetries="all"), r"basis\.symmetries: must be a list"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_name_the_file_and_the_key(file, mistake):
    content, message = MISTAKES[mistake]
    path = file(content)
    with pytest.raises(InputError, match=message) as error:
        read(path, "clusters/my.yaml")
    assert str(error.value).startswith("clusters/my.yaml: ")


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(InputError, match=r"lost\.json: there is no such file; run from the project's folder"):
        read(tmp_path / "lost.json", "lost.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="line 1: byte 0xff is not UTF-8"):
        read(tmp_path / "binary")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read(tmp_path)
