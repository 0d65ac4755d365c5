"""The symmetry-reduced state: file, expansion, sampling and lookup agree."""

import subprocess
import sys
from math import comb

import numpy as np
import pytest

from nqs.exact.blocks import build
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.ground_state import solve
from nqs.model.lattices import cluster
from nqs.runtime.errors import BrokenFileError

# (0.8, kagome18) has momentum (pi, 0) and odd spin-flip parity: characters of both signs.
CASES = [("square16", 0.5), ("triangle16", 1.2), ("kagome18", 0.8), ("kagome12", 0.6)]


@pytest.fixture(scope="module")
def state_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    files = {}
    for name, j2 in CASES:
        build(cluster(name), folder / f"{name}_blocks.h5")
        files[name] = folder / f"{name}.h5"
        solve(folder / f"{name}_blocks.h5", j2, files[name])
    return files


@pytest.fixture(params=[name for name, _ in CASES])
def state(request, state_files):
    return Wavefunction.read(state_files[request.param])


def moved(states, permutation, flip):
    """g s, one bit at a time."""
    image = np.zeros_like(states)
    for site, target in enumerate(permutation):
        image |= (states >> np.uint64(site) & np.uint64(1)) << np.uint64(target)
    return image ^ np.uint64((1 << len(permutation)) - 1) if flip else image


def test_every_symmetry_multiplies_psi_by_its_character(state):
    states, psi = state.expand()
    rows = zip(state.permutations, state.flips, state.characters, strict=True)
    for permutation, flip, character in rows:
        image = np.searchsorted(states, moved(states, permutation, flip))
        np.testing.assert_allclose(psi[image], character * psi, atol=1e-13)


def test_momentum_and_parity_are_those_of_the_expanded_state(state):
    states, psi = state.expand()
    made = cluster(state.cluster)
    for key, momentum, length in zip(("tx", "ty"), state.momentum, state.shape, strict=True):
        shifted = np.searchsorted(states, moved(states, made.translations[key], False))
        phase = np.cos(2 * np.pi * momentum / length)
        np.testing.assert_allclose(psi[shifted], phase * psi, atol=1e-13)
    flipped = np.searchsorted(states, moved(states, np.arange(state.n_sites), True))
    np.testing.assert_allclose(psi[flipped], state.spin_flip * psi, atol=1e-13)


def test_orbits_cover_the_basis_once(state):
    states, psi = state.expand()
    assert len(states) == state.dimension == comb(state.n_sites, state.n_sites // 2)
    assert np.all(np.diff(states.astype(np.int64)) > 0)
    assert state.orbit_sizes.sum() == state.dimension
    assert state.orbit_sizes @ state.amplitudes**2 == pytest.approx(1, abs=1e-13)
    total = np.zeros(state.dimension)
    for members, values, weights in state.orbits(5000):
        rank = np.searchsorted(states, members)
        np.testing.assert_array_equal(states[rank], members)
        np.testing.assert_allclose(values, psi[rank], atol=1e-14)
        np.add.at(total, rank, weights)
    np.testing.assert_allclose(total, 1)


def test_lookup_equals_expansion(state):
    states, psi = state.expand()
    np.testing.assert_array_equal(state.lookup(states), psi)
    with pytest.raises(ValueError, match="Sz = 0"):
        state.lookup(np.array([1], dtype=np.uint64))


def test_samples_follow_psi_squared(state):
    states, psi = state.expand()
    n = 200_000
    drawn, values = state.sample(n, np.random.default_rng(7))
    rank = np.searchsorted(states, drawn)
    np.testing.assert_array_equal(values, psi[rank])
    expected = n * psi**2
    common = expected > 10
    observed = np.bincount(rank, minlength=len(states))
    rest = max(expected[~common].sum(), 1e-300)
    chi2 = ((observed - expected)[common] ** 2 / expected[common]).sum()
    chi2 += (observed[~common].sum() - rest) ** 2 / rest if rest > 10 else 0
    degrees = common.sum()
    assert abs(chi2 - degrees) < 5 * np.sqrt(2 * degrees)


def test_samples_of_other_powers(state):
    """Power 1 follows |psi|; power 0 is uniform, also over states of amplitude 0."""
    states, psi = state.expand()
    n = 20_000
    for power in (0, 1):
        drawn, values = state.sample(n, np.random.default_rng(8), power)
        rank = np.searchsorted(states, drawn)
        np.testing.assert_array_equal(values, psi[rank])
        weight = np.abs(psi) ** power
        assert state.orbit_weights(power).sum() == pytest.approx(weight.sum())
        counts = np.bincount(rank, minlength=len(states))
        half = np.arange(len(states)) < len(states) // 3
        expected = weight[half].sum() / weight.sum()
        assert counts[half].sum() / n == pytest.approx(expected, abs=4 * np.sqrt(expected / n))
        if power == 0 and (psi == 0).any():
            assert (values == 0).any()


def test_samples_are_reproducible(state):
    first, _ = state.sample(100, np.random.default_rng(3))
    again, _ = state.sample(100, np.random.default_rng(3))
    np.testing.assert_array_equal(first, again)


def test_writing_and_reading_changes_nothing(state, tmp_path):
    state.write(tmp_path / "copy.h5")
    copy = Wavefunction.read(tmp_path / "copy.h5")
    for name, value in vars(state).items():
        if name in Wavefunction.__dataclass_fields__ and name != "bonds":
            np.testing.assert_array_equal(getattr(copy, name), value)
    assert list(copy.bonds) == list(state.bonds) == ["j1", "j2"]
    for name, pairs in state.bonds.items():
        np.testing.assert_array_equal(copy.bonds[name], pairs)
    assert [path.name for path in tmp_path.iterdir()] == ["copy.h5"]


def test_missing_and_truncated_files_say_how_to_rebuild(state, tmp_path):
    with pytest.raises(BrokenFileError, match=r"missing; build it with \./nqs run"):
        Wavefunction.read(tmp_path / "missing.h5")
    state.write(tmp_path / "state.h5")
    whole = (tmp_path / "state.h5").read_bytes()
    (tmp_path / "state.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BrokenFileError, match=r"state\.h5: (damaged|incomplete).*nqs run"):
        Wavefunction.read(tmp_path / "state.h5")


def test_reading_and_sampling_need_no_quspin(state_files):
    code = (
        "import sys; sys.modules['quspin'] = None; import numpy as np;"
        "from nqs.exact.eigenstate import Wavefunction;"
        f"state = Wavefunction.read({str(state_files['square16'])!r});"
        "state.sample(10, np.random.default_rng(0)); print(state.n_sites)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "16"
