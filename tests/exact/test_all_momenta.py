"""The ground state is that of all momenta and representations: compared with the whole Sz = 0 space."""

import numpy as np
import pytest
from scipy.sparse.linalg import eigsh

from nqs.exact import blocks, ground_state
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.sparse_states import make_basis, matrix
from nqs.model.hamiltonians import j1j2
from nqs.model.lattices import make_cluster
from nqs.runtime.errors import GroundStateError

SHAPES = {
    "square16": ("square", (4, 4)), "square12": ("square", (4, 3)), "triangle12": ("triangle", (4, 3)),
    "kagome12": ("kagome", (2, 2)), "ring10": ("ring", (10, 1)), "kagome18": ("kagome", (2, 3)),
}  # fmt: skip


def solved(name, j2, folder, symmetries=("translations", "spin_flip"), backend="auto", **options):
    """Ground state of a cluster as the stages find it."""
    blocks.build(make_cluster(name, *SHAPES[name]), folder / "h.h5", symmetries, backend)
    ground_state.solve(folder / "h.h5", j2, folder / "s.h5", 1e-10, **options)
    return Wavefunction.read(folder / "s.h5")


def lowest(name, j2, k=4):
    """Lowest energies of the whole Sz = 0 space, ascending, with their multiplicities."""
    cluster = make_cluster(name, *SHAPES[name])
    hamiltonian = j1j2(cluster.n_sites, {"j1": cluster.j1, "j2": cluster.j2}, j2)
    whole = matrix(hamiltonian, make_basis(hamiltonian, 0, None))
    start = np.random.default_rng(0).standard_normal(whole.shape[0])
    return np.sort(eigsh(whole, k=k, which="SA", v0=start, tol=1e-10, return_eigenvectors=False))


@pytest.mark.parametrize("backend", ["quspin", "kernel"])
@pytest.mark.parametrize("symmetries", [("translations", "spin_flip"), ("translations", "spin_flip", "point")])
@pytest.mark.parametrize(
    ("name", "j2"),
    [("square12", 0.0), ("square16", 0.4), ("square16", -0.5), ("triangle12", 0.3), ("kagome12", 0.4), ("ring10", 0.0)],
)
def test_energy_and_gap_are_those_of_the_whole_space(name, j2, symmetries, backend, tmp_path):
    energies = lowest(name, j2)
    if energies[1] - energies[0] < 1e-6:
        with pytest.raises(GroundStateError):
            solved(name, j2, tmp_path, symmetries, backend)
        return
    state = solved(name, j2, tmp_path, symmetries, backend)
    assert state.energy == pytest.approx(energies[0], abs=1e-8)
    assert state.gap == pytest.approx(energies[1] - energies[0], abs=2e-6)


def test_the_gap_of_the_square_of_four_by_three_has_a_complex_momentum(tmp_path):
    assert solved("square12", 0.0, tmp_path).gap == pytest.approx(0.89, abs=0.01)  # 1.31 among real characters


@pytest.mark.parametrize("symmetries", [("translations", "spin_flip"), ("translations", "spin_flip", "point")])
@pytest.mark.parametrize(("j2", "energy"), [(1.4, -9.3318230), (2.0, -12.1163786)])
def test_a_ground_state_of_complex_momentum_is_refused_with_its_momentum(j2, energy, symmetries, tmp_path):
    np.testing.assert_allclose(lowest("kagome18", j2)[:2], energy, atol=1e-6)
    for allowed in (False, True):  # no member of such a pair has real characters
        with pytest.raises(GroundStateError, match=rf"kagome18 at J2 = {j2}: .*momentum.* E = {str(energy)[:8]}"):
            solved("kagome18", j2, tmp_path, symmetries, allow_degenerate=allowed)


def test_the_limit_of_a_degeneracy_grows_with_the_energy():
    levels = [ground_state.Levels("", np.ones(1), energy, gap=5e-9, residual=0.0, resolution=1e-9 * abs(energy))
              for energy in (-1.0, -10.0)]  # fmt: skip
    assert [level.degenerate for level in levels] == [False, True]
    assert pytest.approx(1e-8) == ground_state.DEGENERATE * 10
