"""Table I of Ju et al. (2025): the identities hold, the check can fail, and each side is worked out for itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from support.exact_diagonalization import full_hamiltonian

from nqs.ansatz.maximum_entropy import maximum_entropy
from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.model.lattices import make_cluster
from nqs.runtime.errors import ConfigError, InputError
from nqs.studies.ju2025 import markdown as ju2025_markdown
from nqs.studies.ju2025.tables import identities
from nqs.studies.ju2025.tables.identities import (
    FAILS,
    HOLDS,
    NO_VERDICT,
    SPREAD,
    ground_energy,
    maxent,
    motif_sum,
    table1,
    theorem1,
)
from nqs.studies.ju2025.tables.identity_ring import Ring

SETTINGS = {"size": 8, "width": 4, "seed": 0}


@pytest.fixture(scope="module")
def table():
    return table1({}, SETTINGS).set_index("identity")


@pytest.fixture(scope="module")
def ring():
    return Ring(8, 4, 0)


def test_what_the_paper_says_holds(table):
    claimed = table[~table.index.str.startswith("kept by") & (table.equation != "not claimed")]
    assert len(claimed) == 13
    assert (claimed.verdict == HOLDS).all()
    assert (claimed.deviation <= claimed.allowed).all()


def test_the_converse_of_theorem_1_is_false(table):
    assert table.verdict["converse of theorem 1"] == FAILS
    assert table.deviation["converse of theorem 1"] > 1
    assert table.deviation["theorem 1"] < 1e-12


def test_only_the_exact_plain_gradient_keeps_the_grand_sum(table):
    kept = table[table.index.str.startswith("kept by")]
    assert kept.verdict["kept by plain gradient, exact slope"] == HOLDS
    others = kept.drop("kept by plain gradient, exact slope")
    assert set(others.verdict) == {NO_VERDICT}
    assert others.allowed.isna().all()
    assert (others.deviation[others.index.str.endswith("sampled")] > 1e-3).all()  # noise, not rounding
    assert np.isfinite(others.deviation).all()


@pytest.mark.parametrize("width", [3, 12])
def test_drift_is_measured_by_the_spread_of_random_networks(width):
    family, rng = ShallowCnn(24, width), np.random.default_rng(0)
    sums = [family.grand_sum(family.initial(rng)) for _ in range(4000)]
    assert np.std(sums) == pytest.approx(SPREAD, rel=0.05)


@pytest.mark.parametrize(("size", "width"), [(8, 3), (10, 4)])
def test_maximum_entropy_agrees_as_far_as_rounding_lets_it(monkeypatch, size, width):
    """A change of ln P by 1e-5 in a single state is seen."""

    def compared():
        return {row.identity: row for row in maxent(Ring(size, width, 0))}["MaxEnt is exponential"]

    assert compared().verdict == HOLDS
    correct = identities._log_p
    changed = 1e-5 * (np.arange(len(Ring(size, width, 0).states)) == 0)
    monkeypatch.setattr(identities, "_log_p", lambda *known: correct(*known) + changed)
    assert compared().verdict == FAILS


@pytest.mark.parametrize("check", [motif_sum, theorem1])
def test_same_seed_same_numbers(check):
    first, again, other = (list(check(Ring(8, 4, seed))) for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("check", "method"), [(motif_sum, "multipliers"), (theorem1, "network")])
def test_a_broken_identity_is_seen(monkeypatch, check, method):
    correct = getattr(Ring, method)
    wrong = {"multipliers": 1e-6 * np.arange(16), "network": 1e-6 * np.arange(70)}[method]
    monkeypatch.setattr(Ring, method, lambda ring, theta: correct(ring, theta) + wrong)
    first = next(iter(check(Ring(8, 4, 0))))
    assert first.verdict == FAILS
    assert first.deviation > 1e-7


def test_hamiltonian_and_ground_state(ring):
    states, heisenberg = full_hamiltonian(make_cluster("ring", "ring", (8, 1)), 0.0)
    assert np.array_equal(states, ring.states)
    exact = ring.gauge[:, None] * (2 * heisenberg.toarray() + 4 * np.eye(70)) * ring.gauge
    assert_allclose(ring.hamiltonian, exact, atol=1e-14)
    assert_allclose(ring.ground_state @ ring.hamiltonian @ ring.ground_state, -3.302186817874, atol=1e-11)


def test_slopes_are_finite_differences(ring):
    def energy(theta):
        psi = np.exp(ring.network(theta))
        return psi @ ring.hamiltonian @ psi / (psi @ psi)

    theta = next(ring.random_networks("slopes"))
    differences = [(energy(theta + step) - energy(theta - step)) / 2e-6 for step in 1e-6 * np.eye(len(theta))]
    assert_allclose(ring.slope(theta), differences, atol=1e-8)


def test_moved_states(ring):
    assert np.array_equal(ring.spins[ring.flipped], 1 - ring.spins)
    assert np.array_equal(ring.spins[ring.reflected], ring.spins[:, ::-1])


def test_ground_state_of_the_pipeline_is_compared(ground_state_file):
    path = ground_state_file("ring8", 0.0)
    row = ground_energy(Ring(8, 4, 0), {"ground_states": [path]})
    assert "exact diagonalisation" in row.remark
    assert row.verdict == HOLDS
    with pytest.raises(InputError, match="no ground state of a ring of 10 sites"):
        ground_energy(Ring(10, 4, 0), {"ground_states": [path]})


def test_largest_entropy_is_that_of_the_dual(ring, table):
    found = maximum_entropy(8, ring.ground_state**2 @ ring.counts)
    assert f"entropy {found.entropy:.6f}" in table.remark["MaxEnt is exponential"]


def test_markdown_shows_the_correspondence_and_every_identity(table):
    text = ju2025_markdown.markdown(table.reset_index())
    assert "10, of which 5 act" in text
    assert "all 70 states of a ring of 8 sites with K = 4" in text
    assert all(statement in text for statement in table.statement)
    assert "nan" not in text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 9}, "table1.size: 9"),
        ({"size": 14}, "table1.size: 14; the identities are checked on even rings of 6 to 12"),
        ({"width": 5}, "table1.width: 5; choose 2 to 4"),
    ],
)
def test_rings_that_are_too_large_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        table1({}, SETTINGS | settings)
