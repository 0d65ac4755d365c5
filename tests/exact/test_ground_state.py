"""Ground states against the full space, the literature and each other."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse.linalg
from support.exact_diagonalization import full_hamiltonian

from nqs.exact import momentum_check
from nqs.exact.all_momenta import Beyond
from nqs.exact.blocks import build, build_sectors
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import lowest_levels, solve
from nqs.exact.lanczos import Lanczos
from nqs.model.hamiltonians import j1j2_couplings
from nqs.model.lattices import Cluster, cluster
from nqs.model.symmetry import make_generator
from nqs.runtime.errors import GroundStateError, InputError


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """Hamiltonian file of a cluster, built once per module."""
    folder = tmp_path_factory.mktemp("hamiltonian")

    def path_of(made: Cluster | str):
        made = cluster(made) if isinstance(made, str) else made
        path = folder / f"{made.name}.h5"
        if not path.exists():
            build(made, path)
        return path

    return path_of


def ground_state(path, j2, folder, **options):
    solve(path, j2, folder / "state.h5", **options)
    return Wavefunction.read(folder / "state.h5")


def ring(length: int, next_nearest: bool) -> Cluster:
    """A ring with J1 between neighbours and, if asked for, J2 between next neighbours."""
    site = np.arange(length)

    def bonds(step: int) -> np.ndarray:
        pairs = np.sort(np.column_stack([site, (site + step) % length]), axis=1)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

    return Cluster(
        name=f"{'zigzag' if next_nearest else 'chain'}{length}",
        lattice="square",
        shape=(length, 1),
        n_sites=length,
        positions=np.column_stack([site, 0 * site]).astype(float),
        j1=bonds(1),
        j2=bonds(2) if next_nearest else np.zeros((0, 2), dtype=int),
        translations={"tx": (site + 1) % length},
        point_group={},
    )


def test_four_site_ring(blocks, tmp_path):
    """E0 = -2 J, a singlet; the triplet lies 1 J above."""
    state = ground_state(blocks(ring(4, next_nearest=False)), 0.0, tmp_path)
    assert state.energy == pytest.approx(-2, abs=1e-12)
    assert state.gap == pytest.approx(1, abs=1e-6)
    assert state.spin_flip == 1


def spin_correlations(state: Wavefunction) -> np.ndarray:
    """<S^z_i S^z_j> of all pairs: (site, site)."""
    states, psi = state.expand()
    spins = 0.5 - ((states[:, None] >> np.arange(state.n_sites, dtype=np.uint64)) & np.uint64(1))
    return spins.T @ (psi[:, None] ** 2 * spins)


@pytest.mark.parametrize(
    ("n_sites", "energy"), [(4, -2.0), (6, -(5 + 13**0.5) / 2 + 1.5), (8, -3.651093), (10, -4.515446), (12, -5.387391)]
)
def test_rings_are_singlets_with_alternating_correlations(n_sites, energy, blocks, tmp_path):
    """Momentum 0 or pi as N/2 is even or odd; in a singlet sum_ij <S^z_i S^z_j> = <S^2>/3 vanishes."""
    state = ground_state(blocks(f"ring{n_sites}"), 0.0, tmp_path)
    assert state.energy == pytest.approx(energy, abs=1e-6)
    assert state.momentum == (0 if n_sites % 4 == 0 else n_sites // 2, 0)
    assert state.gap > 0.2
    czz = spin_correlations(state)
    signs = (-1) ** np.arange(n_sites)
    assert (signs * czz[0] > 0).all()
    assert energy / n_sites == pytest.approx(3 * czz[0, 1], abs=1e-6)  # isotropic, one bond per site
    assert total_spin_squared(state) < 1e-9


def total_spin_squared(state: Wavefunction) -> float:
    """<S^2> = |S^+ psi|^2 at Sz = 0."""
    states, psi = state.expand()
    raised: dict[int, float] = {}
    for site in range(state.n_sites):
        down = (states >> np.uint64(site)) & np.uint64(1) == 0
        for target, value in zip(states[down] | np.uint64(1 << site), psi[down], strict=True):
            raised[int(target)] = raised.get(int(target), 0.0) + value
    return sum(value**2 for value in raised.values())


def test_ring_of_20_has_the_published_energy(blocks, tmp_path):
    """E0 = -35.6176 in Pauli units, four times S.S."""
    state = ground_state(blocks("ring20"), 0.0, tmp_path)
    assert 4 * state.energy == pytest.approx(-35.6176, abs=1e-4)


def test_rings_have_no_ground_state_of_complex_momentum(blocks, tmp_path):
    path = tmp_path / "state.h5"
    solve(blocks("ring8"), 0.0, path)
    momentum_check.check(cluster("ring8"), [path], tmp_path / "momenta.csv")
    assert pd.read_csv(tmp_path / "momenta.csv").is_lowest.all()


@pytest.mark.parametrize(
    ("name", "j2"),
    [
        ("kagome12", 0.4),
        ("square16", 0.0),
        ("square16", 0.6),
        ("triangle16", 1.2),
        ("kagome18", 0.8),
    ],
)
def test_sector_search_finds_the_ground_state_of_the_full_space(name, j2, blocks, tmp_path):
    state = ground_state(blocks(name), j2, tmp_path)
    states, matrix = full_hamiltonian(cluster(name), j2)
    found, psi = state.expand()
    lowest = scipy.sparse.linalg.eigsh(matrix, k=1, which="SA")[0][0]
    assert state.energy == pytest.approx(lowest, abs=1e-8)
    assert np.array_equal(found, states)
    assert np.linalg.norm(matrix @ psi - state.energy * psi) < 1e-8
    assert psi @ psi == pytest.approx(1, abs=1e-12)
    assert state.residual <= 1e-9


def test_gap_counts_levels_inside_the_sector_of_the_ground_state(tmp_path):
    """With spin flip as the only symmetry both lowest levels of kagome12 are in one sector."""
    kagome = cluster("kagome12")
    flip = make_generator("spin_flip", np.arange(12), flip=True)
    build_sectors(kagome, [flip], tmp_path / "flip.h5")
    levels = np.linalg.eigvalsh(full_hamiltonian(kagome, 0.4)[1].toarray())
    state = ground_state(tmp_path / "flip.h5", 0.4, tmp_path)
    assert state.energy == pytest.approx(levels[0], abs=1e-9)
    assert state.gap == pytest.approx(levels[1] - levels[0], abs=1e-6)


def test_degenerate_partner_inside_a_sector_is_found(tmp_path):
    """Both dimer coverings of the Majumdar-Ghosh ring are even under spin flip."""
    flip = make_generator("spin_flip", np.arange(8), flip=True)
    build_sectors(ring(8, next_nearest=True), [flip], tmp_path / "flip.h5")
    with pytest.raises(GroundStateError, match="degenerate"):
        solve(tmp_path / "flip.h5", 0.5, tmp_path / "state.h5")


@pytest.mark.parametrize("single", [False, True])
def test_degenerate_ground_state_is_refused_on_large_clusters(single, tmp_path, monkeypatch):
    """The next level starts at a coarse residual there."""
    made = ring(12, next_nearest=True)
    build(made, tmp_path / "ring.h5", backend="kernel")
    monkeypatch.setattr("nqs.exact.kernel.sectors.LARGE", 10)
    monkeypatch.setattr("nqs.exact.kernel.sectors.SINGLE", 10 if single else 1 << 23)
    limit = r"resolution [45]e-06" if single else r"resolution [45]e-09"  # 1e-6 and 1e-9 of |E| = 4.5
    with pytest.raises(GroundStateError, match=limit):
        solve(tmp_path / "ring.h5", 0.5, tmp_path / "state.h5")


def test_degenerate_ground_state_is_refused_unless_allowed(blocks, tmp_path):
    """Majumdar-Ghosh ring: two dimer coverings, momenta 0 and pi, E0 = -3 N / 8."""
    path = blocks(ring(8, next_nearest=True))
    with pytest.raises(GroundStateError, match="degenerate"):
        solve(path, 0.5, tmp_path / "state.h5")
    assert not (tmp_path / "state.h5").exists()
    state = ground_state(path, 0.5, tmp_path, allow_degenerate=True)
    assert state.degenerate
    assert state.energy == pytest.approx(-3, abs=1e-10)


def test_ferrimagnet_has_one_member_at_zero_magnetisation(blocks, tmp_path):
    """Kagome at J2 = 0 has S = 3 at 18 sites: parity (-1)^(N/2 - S) = +1, gap to other spins."""
    state = ground_state(blocks("kagome18"), 0.0, tmp_path)
    assert state.gap > 0.1
    assert state.spin_flip == 1


@pytest.fixture
def real_characters_only(monkeypatch):
    """Leave out the search beyond real characters, to have a state that is not the ground state."""
    monkeypatch.setattr("nqs.exact.ground_state.lowest_beyond", lambda *arguments, **options: Beyond())


def test_complex_momentum_ground_state_is_noticed(blocks, tmp_path, real_characters_only):
    """kagome18 at J2 = 1.5: a pair of momenta +-k lies below all sectors of real characters."""
    state = ground_state(blocks("kagome18"), 1.5, tmp_path)
    with momentum_check.covering_sectors(cluster("kagome18")) as sectors:
        lowest_level = lowest_levels(sectors, j1j2_couplings(1.5), 1e-9)
    energy, gap = lowest_level.energy, lowest_level.gap
    lowest = scipy.sparse.linalg.eigsh(full_hamiltonian(cluster("kagome18"), 1.5)[1], 1, which="SA")
    assert energy == pytest.approx(lowest[0][0], abs=1e-8)
    assert energy < state.energy - 0.05
    assert gap < 1e-8


def test_momentum_check_accepts_good_states_and_names_bad_ones(blocks, tmp_path, real_characters_only):
    path, good, bad = blocks("kagome18"), tmp_path / "good.h5", tmp_path / "bad.h5"
    solve(path, 0.4, good)
    solve(path, 1.5, bad)
    momentum_check.check(cluster("kagome18"), [good], tmp_path / "good.csv")
    assert pd.read_csv(tmp_path / "good.csv").is_lowest.all()
    with pytest.raises(GroundStateError, match=r"J2 = 1\.5 a state of complex momentum"):
        momentum_check.check(cluster("kagome18"), [good, bad], tmp_path / "both.csv")
    assert pd.read_csv(tmp_path / "both.csv").is_lowest.tolist() == [True, False]


def test_momentum_check_refuses_what_is_too_large(tmp_path):
    with pytest.raises(InputError, match=r"up to 32 sites.* square36 use only 32 symmetries .* 284 million orbits"):
        momentum_check.check(cluster("square36"), [], tmp_path / "momenta.csv")


def test_largest_component_is_positive(blocks, tmp_path):
    for j2 in (0.0, 0.6):
        psi = ground_state(blocks("square16"), j2, tmp_path).expand()[1]
        ties = np.abs(psi) > np.abs(psi).max() * (1 - 1e-7)
        assert psi[np.argmax(ties)] > 0


def test_lanczos_handles_invariant_spaces():
    """A start vector inside an eigenspace, and a matrix smaller than the Krylov space."""
    matrix = np.diag([3.0, 1.0, 2.0])
    run = Lanczos(np.array([0.0, 0.0, 1.0]))
    run.extend(lambda x: matrix @ x)
    assert run.energy == pytest.approx(2)
    assert run.residual == 0
    run = Lanczos(np.ones(3), excluded=np.array([0.0, 1.0, 0.0]))
    run.extend(lambda x: matrix @ x)
    assert run.energy == pytest.approx(2)


def test_lanczos_restarts_converge_to_the_lowest_level():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((300, 300))
    matrix = matrix + matrix.T
    run = Lanczos(rng.standard_normal(300))
    for _ in range(40):
        run.extend(lambda x: matrix @ x)
    assert run.energy == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-9)
    assert np.linalg.norm(matrix @ run.vector - run.energy * run.vector) < 1e-7


def test_lower_bounds_fail_as_seldom_as_they_say(monkeypatch):
    """Start vectors at random, across restarts; levels in pairs, so that runs rest on a second one."""
    monkeypatch.setattr("nqs.exact.lanczos.CHANCE", 0.05)
    levels = np.sort(np.concatenate([np.linspace(-1, 1, 60) ** 3, np.linspace(-1, 1, 60) ** 3 + 1e-3]))
    failed = []
    for seed in range(300):
        run = Lanczos(np.random.default_rng(seed).standard_normal(120), size=10, kept=3)
        bounds = [-np.inf]
        for _ in range(8):
            run.extend(lambda x: levels * x)
            bounds.append(run.bound(0.0))
        failed.append(max(bounds) > levels[0])
        assert run.bound(0.0) > levels[0] - 0.05
    assert 0.01 < np.mean(failed) < 0.09


REFERENCE = [
    ("square24", 0.55, -12.4476171264, 5e-10),
    ("kagome24", 0.52, -39.22081 / 4, 2e-6),
    ("square24", 0.0, -16.5525137940, 5e-10),
    ("square24", 0.5, -12.5405984488, 5e-10),
    ("square24", 1.0, -17.7289611124, 5e-10),
    ("kagome24", 0.4, -40.76077 / 4, 2e-6),
    ("kagome24", 0.6, -39.39192 / 4, 2e-6),
    ("kagome24", 0.8, -40.63622 / 4, 2e-6),
    ("kagome24", 1.0, -43.03959 / 4, 2e-6),
    ("triangle24", 0.6, -55.23570 / 4, 2e-6),
    ("triangle24", 1.0, -53.02392 / 4, 2e-6),
    ("triangle24", 1.3, -62.77918 / 4, 2e-6),
]


@pytest.mark.long  # the compiled kernel does two of them every day
@pytest.mark.parametrize(("name", "j2", "energy", "printed"), REFERENCE)
def test_reference_energies_at_24_sites(name, j2, energy, printed, blocks, tmp_path):
    state = ground_state(blocks(name), j2, tmp_path)
    assert state.energy == pytest.approx(energy, abs=printed)
    assert state.momentum == ((0, 2) if name == "kagome24" and j2 >= 0.8 else (0, 0))


@pytest.mark.long
def test_two_close_levels_of_one_sector_are_told_apart(blocks, tmp_path):
    """kagome24 crosses inside the trivial sector near J2 = 0.52; a short search stops too high."""
    state = ground_state(blocks("kagome24"), 0.525, tmp_path)
    assert state.energy == pytest.approx(-9.8039017654, abs=1e-8)
    assert state.momentum == (0, 0)
