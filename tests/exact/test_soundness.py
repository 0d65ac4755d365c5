"""Damaged Hamiltonian and ground-state files give an error that names them: no false energy, no segmentation fault."""

import shutil
from typing import Any

import h5py
import numpy as np
import pytest

from nqs.exact import blocks, ground_state
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.soundness import check_energy
from nqs.model.lattices import cluster
from nqs.runtime.errors import BrokenFileError, Unsound

SMALL = "kagome12"


@pytest.fixture(scope="module", params=["quspin", "kernel"])
def hamiltonian(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / f"{request.param}.h5"
    blocks.build(cluster(SMALL), path, backend=request.param)
    return path


@pytest.fixture
def damaged(hamiltonian, tmp_path):
    """A copy, and a function that replaces numbers in it as if its checksums still held."""
    copy = tmp_path / "hamiltonian.h5"
    shutil.copyfile(hamiltonian, copy)

    def put(name, place, value):
        with h5py.File(copy, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            chosen = next(
                found for found in names if found.endswith(name) and (file[found].size > 3 or place == (0, 0))
            )
            file[chosen][place] = value
        return copy

    return put


def datasets(path):
    """Data sets that hold more than one number, by name."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) and item.size else None)
    return found


def test_every_number_has_a_checksum(hamiltonian, tmp_path):
    names = datasets(hamiltonian)
    assert len(names) > 10
    with h5py.File(hamiltonian) as file:
        assert [name for name in names if not file[name].fletcher32] == []
    ground_state.solve(hamiltonian, 0.3, tmp_path / "state.h5")
    with h5py.File(tmp_path / "state.h5") as file:
        assert [name for name in datasets(tmp_path / "state.h5") if not file[name].fletcher32] == []


def flipped(path, copy, name):
    """A copy with one bit of a data set flipped on the disk."""
    shutil.copyfile(path, copy)
    with h5py.File(path) as file:
        place = file[name].id.get_chunk_info(0).byte_offset + file[name].id.get_chunk_info(0).size // 2
    content = bytearray(copy.read_bytes())
    content[place] ^= 64
    copy.write_bytes(content)


def test_one_flipped_bit_is_seen(hamiltonian, tmp_path):
    copy = tmp_path / "flipped.h5"
    sector = [name for name in datasets(hamiltonian) if name.endswith(("indices", "words", "counts", "root_orbit"))]
    for name in sector[:6]:
        flipped(hamiltonian, copy, name)
        with pytest.raises(BrokenFileError, match=r"flipped\.h5: incomplete \(.*(checksum|filter|read).*delete it"):
            ground_state.solve(copy, 0.3, tmp_path / "state.h5")
        assert not (tmp_path / "state.h5").exists()


OUTSIDE: dict[str, list[tuple[str, Any, Any]]] = {
    "quspin": [("indices", 1, 2**31 - 1), ("indptr", 1, 2**40), ("root_orbit", 1, 0.0), ("counts", 1, 99)],
    "kernel": [("words", 1, 2**32 - 1), ("starts", (0, 0), 7), ("sizes", 1, 0), ("permutations", 1, 0)],
}


@pytest.mark.parametrize("number", range(4))
def test_indices_outside_never_reach_compiled_code(hamiltonian, damaged, tmp_path, number):
    name, place, value = OUTSIDE[hamiltonian.stem][number]
    path = damaged(name, place, value)
    with pytest.raises(BrokenFileError, match=r"\.h5: damaged \(.*\); delete it and build it again with"):
        ground_state.solve(path, 0.3, tmp_path / "state.h5")


def test_no_energy_beyond_its_bonds(kagome18):
    couplings = {"j1": 1.0, "j2": kagome18.j2}
    check_energy(kagome18.energy, kagome18.bonds, couplings)
    for energy in (-129.43, 121.8, np.nan):
        with pytest.raises(Unsound, match="outside what any state has"):
            check_energy(energy, kagome18.bonds, couplings)


@pytest.mark.parametrize(("name", "factor"), [("energy", 20.0), ("amplitudes", 1.01), ("orbit_sizes", 2)])
def test_a_ground_state_that_is_none_is_refused(ground_state_file, tmp_path, name, factor):
    path = tmp_path / "state.h5"
    shutil.copyfile(ground_state_file("kagome18", 0.4), path)
    with h5py.File(path, "r+") as file:
        if name == "energy":
            file.attrs[name] *= factor
        else:
            largest = int(np.argmax(np.abs(file[name][...])))
            file[name][largest] *= factor
    with pytest.raises(BrokenFileError, match=r"state\.h5: damaged \(.*delete it"):
        Wavefunction.read(path)
