"""Ground states of clusters given by their bonds, each against a route that knows nothing of symmetries."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse.linalg as sparse_linalg
from support.exact_diagonalization import full_hamiltonian, heisenberg_matrix

from nqs.exact import bethe, blocks, ground_state
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.momentum_check import covering_sectors
from nqs.model.lattices import bond_cluster, cluster
from nqs.runtime.errors import GroundStateError

REFERENCE = Path(__file__).parents[2] / "reference" / "lattices"
POINT = ("translations", "spin_flip", "point")


def ring(n_sites, step=1):
    return [[i, (i + step) % n_sites] for i in range(n_sites)]


def chain(n_sites, step=1):
    return [[i, i + step] for i in range(n_sites - step)]


def ladder(length):
    """Two open chains and their rungs; J2 along the diagonals of the plaquettes."""
    rails = [[leg + i, leg + i + 1] for leg in (0, length) for i in range(length - 1)]
    rungs = [[i, length + i] for i in range(length)]
    diagonals = [[i, length + i + 1] for i in range(length - 1)] + [[i + 1, length + i] for i in range(length - 1)]
    return {"j1": rails + rungs, "j2": diagonals}


def tilted_torus(n_sites, step):
    """A square lattice in which a step along y equals `step` steps along x, which return after all sites."""
    steps = {"j1": (1, step), "j2": (step + 1, step - 1)}
    pairs = {
        name: {tuple(sorted((i, (i + d) % n_sites))) for i in range(n_sites) for d in moves}
        for name, moves in steps.items()
    }
    pairs["j2"] -= pairs["j1"]
    return {name: [[*pair] for pair in sorted(bonds)] for name, bonds in pairs.items()}


def irregular():
    """Ten sites, drawn at random: a tree and some more bonds."""
    rng = np.random.default_rng(5)
    tree = [[int(rng.integers(site)), site] for site in range(1, 10)]
    others = [[*pair] for pair in combinations(range(10), 2) if [*pair] not in tree]
    drawn = rng.permutation(len(others))
    return {"j1": tree + [others[k] for k in drawn[:6]], "j2": [others[k] for k in drawn[6:12]]}


def solve(folder, bonds, j2, symmetries=POINT[:2], backend="auto", **options):
    """Ground state of a cluster of these bonds."""
    blocks.build(bond_cluster("mine", bonds), folder / "matrices.h5", symmetries, backend)
    ground_state.solve(folder / "matrices.h5", j2, folder / "state.h5", **options)
    return Wavefunction.read(folder / "state.h5")


def lowest(bonds, j2, count=1):
    """Lowest energies of the whole Sz = 0 space."""
    matrix = full_hamiltonian(bond_cluster("mine", bonds), j2)[1]
    if matrix.shape[0] < 1000:  # Lanczos from one vector may miss a member of a degenerate level
        return np.linalg.eigvalsh(matrix.toarray())[:count]
    return np.sort(sparse_linalg.eigsh(matrix, k=count, which="SA", return_eigenvectors=False))


CLUSTERS = {
    "open chain of 12": {"j1": chain(12), "j2": chain(12, 2)},
    "ladder of 2 x 6": ladder(6),
    "tilted torus of 10": tilted_torus(10, 3),
    "tilted torus of 16": tilted_torus(16, 6),
    "irregular 10": irregular(),
    "star of rings": {"j1": ring(6) + [[i, i + 6] for i in range(6)]},
}


@pytest.mark.parametrize("j2", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize("name", CLUSTERS)
def test_energy_is_that_of_the_whole_space(tmp_path, name, j2):
    bonds = CLUSTERS[name]
    state = solve(tmp_path, bonds, j2, allow_degenerate=True)
    assert state.energy == pytest.approx(lowest(bonds, j2)[0], abs=1e-9)
    assert (state.lattice, state.shape, state.momentum) == ("bonds", (state.n_sites, 1), (0, 0))


@pytest.mark.parametrize("name", ["ladder of 2 x 6", "irregular 10"])
def test_amplitudes_are_an_eigenvector_of_the_whole_space(tmp_path, name):
    bonds = CLUSTERS[name]
    state = solve(tmp_path, bonds, 0.3)
    _, psi = state.expand()
    image = full_hamiltonian(bond_cluster("mine", bonds), 0.3)[1] @ psi
    assert np.linalg.norm(psi) == pytest.approx(1)
    assert np.linalg.norm(image - state.energy * psi) < 1e-7
    assert [state.bonds[key].tolist() for key in ("j1", "j2")] == [sorted(map(sorted, bonds[k])) for k in ("j1", "j2")]


@pytest.mark.parametrize("name", ["open chain of 12", "ladder of 2 x 6", "irregular 10"])
def test_gap_is_that_of_the_whole_space(tmp_path, name):
    ground, excited = lowest(CLUSTERS[name], 0.3, 2)
    assert solve(tmp_path, CLUSTERS[name], 0.3).gap == pytest.approx(excited - ground, abs=1e-6)


def test_a_ring_has_the_energy_of_the_bethe_equations(tmp_path):
    assert solve(tmp_path, {"j1": ring(10)}, 0.0).energy == pytest.approx(
        bethe.heisenberg_energies(10).ground, abs=1e-9
    )


def test_an_open_chain_in_the_space_of_any_magnetisation(tmp_path):
    energies = np.linalg.eigvalsh(heisenberg_matrix(8, np.array(chain(8))))
    assert solve(tmp_path, {"j1": chain(8)}, 0.0).energy == pytest.approx(energies[0], abs=1e-9)


@pytest.mark.parametrize("j2", [-0.5, 0.0, 0.55, 1.2])
@pytest.mark.parametrize("name", ["square16", "triangle16"])
def test_bonds_of_a_built_in_cluster_give_its_ground_state(tmp_path, ground_state_file, name, j2):
    if name == "triangle16":  # as it was published
        listed = json.loads((REFERENCE / f"{name}.json").read_text())
        bonds = {key: listed[key] for key in ("j1", "j2")}
    else:
        made = cluster(name)
        bonds = {"j1": made.j1.tolist(), "j2": made.j2.tolist()}
    mine, built = solve(tmp_path, bonds, j2), Wavefunction.read(ground_state_file(name, j2))
    assert mine.energy == pytest.approx(built.energy, abs=1e-9)
    assert abs(mine.expand()[1] @ built.expand()[1]) == pytest.approx(1, abs=1e-9)


def test_negative_j2_of_a_built_in_cluster(ground_state_file):
    state = Wavefunction.read(ground_state_file("square16", -0.5))
    energies = np.sort(
        sparse_linalg.eigsh(full_hamiltonian(cluster("square16"), -0.5)[1], k=2, which="SA", return_eigenvectors=False)
    )
    assert (state.j2, state.energy) == (-0.5, pytest.approx(energies[0], abs=1e-9))
    assert state.gap == pytest.approx(energies[1] - energies[0], abs=1e-6)


@pytest.mark.parametrize("symmetries", [POINT[:2], POINT])
def test_both_backends_agree(tmp_path, symmetries):
    bonds = CLUSTERS["tilted torus of 10"]
    kernel, quspin = (solve(tmp_path, bonds, 0.3, symmetries, backend) for backend in ("kernel", "quspin"))
    assert kernel.energy == pytest.approx(quspin.energy, abs=1e-9)
    assert abs(kernel.expand()[1] @ quspin.expand()[1]) == pytest.approx(1, abs=1e-8)


def test_further_symmetries_make_larger_orbits(tmp_path):
    bonds = {"j1": ring(10), "j2": ring(10, 2)}
    few, many = (solve(tmp_path, bonds, 0.2, symmetries) for symmetries in (POINT[:2], POINT))
    assert (len(few.characters), len(many.characters)) == (8, 40)
    assert few.energy == pytest.approx(many.energy, abs=1e-9)


def test_levels_of_complex_momentum_count(tmp_path):
    """The second level of this ring is a pair of states that turn either way: no character of the rotation is real."""
    bonds = {"j1": ring(10), "j2": ring(10, 2)}
    ground, second, third = lowest(bonds, 1.2, 3)
    assert third - second < 1e-9
    assert solve(tmp_path, bonds, 1.2).gap == pytest.approx(second - ground, abs=1e-6)


def wheel(rim):
    """A hub joined to all sites of a ring by J1; J2 along the ring."""
    return {"j1": [[0, i] for i in range(1, rim + 1)], "j2": [[i, i % rim + 1] for i in range(1, rim + 1)]}


@pytest.mark.parametrize("backend", ["kernel", "quspin"])
def test_real_characters_of_odd_turns_are_not_all(tmp_path, backend, capsys):
    """Two ground states turn either way around the rim; the sectors of its turns hold neither."""
    ground, second = lowest(wheel(7), 1.0, 2)
    with pytest.raises(GroundStateError, match="degenerate"):
        solve(tmp_path, wheel(7), 1.0, POINT[:2], backend)
    state = solve(tmp_path, wheel(7), 1.0, POINT, backend)
    assert second - ground < 1e-9
    assert state.energy > ground + 1
    assert state.momenta_checked.startswith("real characters only")
    assert "may lie lower" in capsys.readouterr().out


@pytest.mark.parametrize("symmetries", [POINT[:2], POINT])
def test_a_unique_ground_state_is_not_taken_for_two(tmp_path, symmetries):
    """Turns of a third are the only symmetries; the sum of their representations holds the ground state itself."""
    arms = {"j1": [[0, 1], [1, 2], [0, 2], [0, 3], [1, 4], [2, 5]], "j2": [[1, 3], [2, 4], [0, 5]]}
    assert solve(tmp_path, arms, 0.5, symmetries).energy == pytest.approx(lowest(arms, 0.5)[0], abs=1e-9)


def test_a_degenerate_ground_state_is_refused(tmp_path):
    """Two states of dimers on a ring with J2 = J1 / 2."""
    with pytest.raises(GroundStateError, match=r"mine at J2 = 0\.5: the ground state is degenerate"):
        solve(tmp_path, {"j1": ring(8), "j2": ring(8, 2)}, 0.5)


def test_the_check_of_all_momenta_takes_bond_clusters():
    bonds = CLUSTERS["tilted torus of 10"]
    with covering_sectors(bond_cluster("mine", bonds)) as file:
        levels = ground_state.lowest_levels(file, {"j1": 1.0, "j2": 0.3}, 1e-10)
    assert levels.energy == pytest.approx(lowest(bonds, 0.3)[0], abs=1e-9)


def test_without_symmetries_the_spin_flip_is_left(tmp_path):
    assert bond_cluster("mine", irregular()).point_group == {}
    assert len(solve(tmp_path, irregular(), 0.3).characters) == 2
