"""The primer at smoke scale: rows, figures, facts with an exact answer, and verdicts that wrong tables flip."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from pydantic import ValidationError
from scipy.sparse.linalg import eigsh

from nqs.analysis.ledger.claim import Tables, read_claims
from nqs.analysis.ledger.verdict import judge
from nqs.ansatz.symmetrised import carried_by
from nqs.runtime.errors import ConfigError, InputError
from nqs.runtime.job import function
from nqs.studies.kufel2024 import fitting
from nqs.studies.kufel2024.claims.ledger import CHECKS
from nqs.studies.kufel2024.config import Kufel2024
from nqs.studies.kufel2024.fitting import fit
from nqs.studies.kufel2024.roc import curve
from nqs.studies.kufel2024.study import STUDY, settings
from nqs.studies.kufel2024.systems import ground_state, heisenberg_ring, ising_ring
from nqs.studies.kufel2024.tables.further_models import families
from nqs.studies.kufel2024.tables.ground_states import groups
from nqs.studies.kufel2024.tables.tensor_networks import energies
from nqs.vmc.natural_gradient import shifted
from nqs.vmc.tangent_space import Problem
from nqs.workflow.configuration import load

ROOT = Path(__file__).parents[3]
CLAIMS = {c.slug: c for c in read_claims(ROOT / "reference/claims.yaml").values() if c.study == "kufel2024"}
ELSEWHERE = {"generalization_not_an_issue"}
# figures whose smoke tables are too small for the test of a claim
TOO_SMALL = {
    "chains_polynomial_or_exponential", "more_parameters_stop_helping", "qgt_rank_saturates", "runtime_efficiency",
    "sr_cost",
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(ground_state_file):
    """Rows of all figures at smoke scale."""
    config = load(ROOT, {"scale": "smoke"}).of(STUDY)
    assert STUDY.targets["fig8"].inputs(config) == {"ground_states": ["ground_state/ring8/j2_0.h5"]}
    files = {"ground_states": [ground_state_file("ring8", 0)]}
    return {name: function(target.rows)(files, settings(config, name)) for name, target in STUDY.targets.items()}


@pytest.mark.parametrize("name", STUDY.targets)
def test_rows_draw(name, tables, tmp_path):
    table = tables[name]
    table.to_csv(tmp_path / "rows.csv", index=False)
    figure = function(STUDY.targets[name].draw)(pd.read_csv(tmp_path / "rows.csv"), {}, "smoke scale")
    axes = [ax for ax in figure.axes if ax.axison]
    assert all(ax.get_xlabel() and ax.get_ylabel() for ax in axes)
    assert all(ax.lines or ax.collections for ax in axes)


def test_every_claim_has_a_check():
    assert {*CLAIMS} == {*CHECKS}


def verdict(slug, tables):
    return judge(list(CHECKS[slug](CLAIMS[slug], Tables(tables)))).verdict


def scaled(column, factor, **where):
    """A change of a table: one column times a factor where others have these values."""

    def change(table):
        chosen = np.logical_and.reduce([table[name] == value for name, value in where.items()])
        changed = table.copy()
        changed.loc[chosen, column] = factor(changed.loc[chosen, column]) if callable(factor) else factor
        return changed

    return change


# slug: (figure, change that turns the verdict to "not reproduced" or away from it)
FLIPS = {
    "variational_bound": ("fig1", scaled("energy", -1e3, series="run")),
    "local_energy_identity": ("fig1", scaled("sampled", 1.0, series="identity")),
    "local_energy_sparse": ("fig1", scaled("connected", 64, quantity="ising")),
    "sampled_energy": ("fig1", scaled("sampled", 1.0, series="sets")),
    "one_layer_universal": ("fig2", scaled("infidelity", 0.1, series="fit", target="haar")),
    "rbm_as_feedforward": ("fig2", scaled("difference", 0.1, series="identity")),
    "mps_parameters_area_law": ("fig3", scaled("n_parameters", 7, series="count")),
    "nqs_more_expressive_than_tn": ("fig3", scaled("infidelity", 0.5, series="explicit")),
    "mps_best_in_1d": ("fig3", scaled("relative_error", 1e12, series="energy", family="rbm")),
    "local_rbm_area_law": ("fig4", scaled("entropy", lambda e: e + 9, series="local")),
    "nonlocal_rbm_volume_law": ("fig4", scaled("entropy", 0.1, series="pairs")),
    "overlapping_convolutions": ("fig4", scaled("entropy", 1.0, series="circuit", stride=1)),
    "approximate_symmetry_suffices": (
        "fig5",
        scaled(
            "relative_error", lambda e: 1e-13 * (1 + 0.1 * np.sin(e.index)), series="broken", symmetry="approximate"
        ),
    ),
    "no_sign_problem_in_principle": ("fig5", scaled("variance", 1.0, series="sign")),
    "sign_structure_harder": (
        "fig5",
        scaled("relative_error", lambda e: 1e-14 * np.ones(len(e)), series="run", rotated=False),
    ),
    "local_minima": ("fig5", lambda table: table.assign(relative_error=0.5 * table.seed * (table.j2 > 0))),
    "symmetry_improves_orders": ("fig5", scaled("relative_error", lambda e: 0.1 + e, series="symmetry")),
    "qng_imaginary_time": ("fig6", scaled("infidelity", lambda e: e**0.5, series="step")),
    "real_time_factor_i": ("fig6", scaled("difference", 1.0, series="factor")),
    "dynamics_needs_phases": ("fig6", scaled("modulus_overlap", 1.0, series="trajectory")),
    "dynamics_harder": ("fig6", scaled("infidelity", 1e-14, series="ground")),
    "regularization_diverts": ("fig6", scaled("infidelity", lambda e: 1e-8 / e, series="trajectory")),
    "infinite_shift_is_gradient": ("fig8", scaled("cosine", 0.5, series="large")),
    "zero_amplitude_bias": ("fig6", scaled("sampled", 9.0, series="bias", amplitude=0.1)),
    "metropolis_stationary": ("fig7", scaled("breach", 1.0, series="balance")),
    "diagnostics_detect_bad_sampling": ("fig7", lambda table: table.assign(rhat=table.deviation, time=table.deviation)),
    "autoregressive_direct": ("fig7", scaled("norm", 1.1, series="direct")),
    "sgd_falls_short": ("fig8", scaled("infidelity", 1e-12, series="run", rule="SGD")),
    "minsr_same_step": ("fig8", scaled("difference", 1.0, series="equal")),
    "exact_limit_20_qubits": ("fig8", scaled("n_sites", 30, series="exact")),
    "s_ill_conditioned": ("fig8", scaled("condition", lambda c: c * 1e6, series="condition")),
}


@pytest.mark.parametrize("slug", FLIPS)
def test_changed_table_flips_the_verdict(slug, tables):
    figure, change = FLIPS[slug]
    before = verdict(slug, tables)
    after = verdict(slug, tables | {figure: change(tables[figure])})
    assert before != after


def test_all_claims_are_flipped_or_named():
    assert {*FLIPS} | ELSEWHERE | TOO_SMALL == {*CHECKS}


def relaxation(gapped, cat):
    sizes = np.arange(4, 12)
    return pd.concat(
        pd.DataFrame({"series": "relaxation", "n_sites": sizes, "model": name, "time": time(sizes)})
        for name, time in (("gapped", gapped), ("cat", cat))
    )


def test_power_laws_and_exponentials_of_relaxation_are_told_apart():
    noise = np.random.default_rng(0).normal(0, 0.01, 8)

    def power(n):
        return n**1.5 * np.exp(noise)

    def exponential(n):
        return np.exp(0.8 * n + noise)

    slug = "chains_polynomial_or_exponential"
    assert verdict(slug, {"fig7": relaxation(power, exponential)}) == "reproduced"
    assert verdict(slug, {"fig7": relaxation(exponential, power)}) == "not reproduced"


def widths(error, rank):
    sizes, noise = np.array([10, 20, 40, 80, 160, 320]), np.random.default_rng(0)
    rows = [
        {"series": "run", "j2": 0.5, "rotated": False, "n_parameters": size, "seed": seed, "rank": rank(size),
         "relative_error": error(size) * np.exp(0.02 * noise.normal())}
        for size in sizes for seed in range(5)
    ]  # fmt: skip
    return {"fig5": pd.DataFrame(rows)}


def test_plateau_of_the_error_and_of_the_rank():
    def flat(size):
        return 1.0 / min(size, 40) ** 2

    def falling(size):
        return 1.0 / size**2

    def saturated(size):
        return min(size, 40)

    assert verdict("more_parameters_stop_helping", widths(flat, saturated)) == "reproduced"
    assert verdict("more_parameters_stop_helping", widths(falling, saturated)) == "not reproduced"
    assert verdict("qgt_rank_saturates", widths(flat, saturated)) == "reproduced"
    assert verdict("qgt_rank_saturates", widths(flat, lambda size: min(size, 160))) != "reproduced"


@pytest.mark.parametrize(("swap", "expected"), [(False, "reproduced"), (True, "not reproduced")])
def test_exponents_of_both_solves(swap, expected):
    sizes = np.array([64, 128, 256, 512])
    noise = 1 + 0.01 * np.array([1, -1, 1, -1])
    rows = [
        pd.DataFrame({"series": "time", "rule": rule, "varied": varied, "n_parameters": sizes, "n_samples": sizes,
                      "seconds": (1.0 * sizes) ** exponent * noise})
        for rule, varied, exponent in (("SR", "P", 2.5), ("SR", "n", 1), ("minSR", "n", 2.5), ("minSR", "P", 1))
    ]  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    if swap:
        table["varied"] = table.varied.map({"P": "n", "n": "P"})
    assert verdict("sr_cost", {"fig8": table}) == expected


@pytest.mark.parametrize(("exponent", "expected"), [(2.0, "reproduced"), (6.0, "not reproduced")])
def test_cost_of_an_iteration(exponent, expected):
    sizes = np.array([16, 25, 36, 49, 64])
    noise = 1 + 0.01 * np.array([1, -1, 1, -1, 1])
    rows = {"series": "iteration", "n_sites": sizes, "seconds": sizes**exponent * noise, "megabytes": sizes**2 * noise}
    assert verdict("runtime_efficiency", {"fig8": pd.DataFrame(rows)}) == expected


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"fig1": {"samples": 1}}, "fig1.samples"),
        ({"fig2": {"sizes": [5]}}, "fig2.sizes.0"),
        ({"fig3": {"bonds": [0]}}, "fig3.bonds.0"),
        ({"fig4": {"n_sites": 22}}, "fig4.n_sites"),
        ({"fig4": {"n_sites": 8, "widths": [2, 8]}}, "fig4.widths"),
        ({"fig4": {"widths": [1, 2, 3, 4, 5]}}, "fig4.widths"),
        ({"fig5": {"n_sites": 7}}, "fig5.n_sites"),
        ({"fig5": {"seeds": 2}}, "fig5.seeds"),
        ({"fig5": {"frustration": 0.5}}, "fig5.frustration"),
        ({"fig6": {"step": 0}}, "fig6.step"),
        ({"fig6": {"time": 1.0, "points": 11, "step": 0.11}}, "fig6.step"),
        ({"fig7": {"lengths": [2]}}, "fig7.lengths.0"),
        ({"fig8": {"rates": [0.1, 0.1]}}, "fig8.rates"),
        ({"fig8": {"exact": []}}, "fig8.exact"),
        ({"fig8": {"exact": ["ring8", "ring8"]}}, "fig8.exact"),
    ],
)
def test_wrong_configurations_name_the_key(change, key):
    with pytest.raises(ValidationError) as error:
        Kufel2024.model_validate(change)
    assert ".".join(map(str, error.value.errors()[0]["loc"])) == key


def test_unknown_cluster_names_the_key():
    with pytest.raises(ConfigError, match=r"kufel2024\.fig8\.exact: unknown cluster 'ring9'; did you mean 'ring"):
        load(ROOT, {"scale": "smoke", "kufel2024": {"fig8": {"exact": ["ring9"]}}})


def test_a_number_in_place_of_a_block_is_refused_in_plain_words():
    with pytest.raises(ConfigError, match="kufel2024: should be a block of keys and values \\(given: 5\\)"):
        load(ROOT, {"scale": "smoke", "kufel2024": 5})


@pytest.mark.parametrize("hidden", [1, 4, 7])
def test_networks_of_broken_symmetry_differ_by_at_most_one_parameter(hidden):
    sizes = [ansatz.n_parameters for ansatz in families(8, hidden, groups(8)["and reflections"]).values()]
    assert max(sizes) - min(sizes) <= 1


def test_machines_beside_matrix_product_states_have_no_more_parameters():
    table = pd.DataFrame(energies({"n_sites": 6, "bonds": [2, 4], "restarts": 1, "iterations": 1, "seed": 0}))
    sizes = table.pivot_table(index=["target", "bond"], columns="family", values="n_parameters")
    assert (sizes.rbm <= sizes.mps).all()
    assert (sizes.rbm > sizes.mps / 2).all()


@pytest.mark.parametrize(("n_sites", "sign"), [(6, -1), (8, 1)])
def test_ground_states_are_projected_on_their_own_characters(n_sites, sign):
    problem = Problem.of(heisenberg_ring(n_sites, 0.8, marshall=True), magnetisation=0)
    psi = ground_state(problem)[1]
    group = carried_by(psi, problem.states, groups(n_sites)["and spin flip"])
    assert group.characters[1] == sign  # of a turn by one site
    images = psi[np.searchsorted(problem.states, group.images(problem.states))]
    np.testing.assert_allclose((group.characters[:, None] * images).mean(axis=0), psi, atol=1e-12)


def test_a_state_of_a_degenerate_level_has_no_characters():
    problem = Problem.of(heisenberg_ring(6, 0.5, marshall=True), magnetisation=0)  # two products of dimers
    with pytest.raises(InputError, match="its level is degenerate"):
        carried_by(ground_state(problem)[1], problem.states, groups(6)["translations"])


def test_rotation_removes_the_signs_of_the_heisenberg_ring_alone():
    for j2, positive in ((0.0, True), (0.6, False)):
        plain, rotated = (Problem.of(heisenberg_ring(8, j2, turn), 0) for turn in (False, True))
        assert ground_state(plain)[0] == pytest.approx(ground_state(rotated)[0], abs=1e-12)
        psi = ground_state(rotated)[1]
        assert bool(np.abs(psi.sum()) == pytest.approx(np.abs(psi).sum())) == positive


def test_fit_finds_a_state_of_the_family():
    from nqs.ansatz.complex_rbm import ComplexRbm

    problem, ansatz = Problem.of(ising_ring(4, 1.0)), ComplexRbm.full(4, 4, 0.3)
    rng = np.random.default_rng(0)
    target = problem.amplitudes(ansatz.at(ansatz.initial(rng)))
    _, reached = fit(problem, ansatz, target, ansatz.initial(rng), 200)
    assert reached < 1e-10


def test_fit_goes_on_where_the_tensor_is_singular(monkeypatch):
    from nqs.ansatz.complex_rbm import ComplexRbm

    def inverted_above(shift):
        if shift < 1e-7:
            raise InputError("singular")
        return shifted(shift)

    monkeypatch.setattr(fitting, "shifted", inverted_above)
    problem, ansatz = Problem.of(ising_ring(4, 1.0)), ComplexRbm.full(4, 8, 0.2)
    target = ground_state(problem)[1].astype(complex)
    _, reached = fit(problem, ansatz, target, ansatz.initial(np.random.default_rng(0)), 100)
    assert reached < 1e-10


@pytest.mark.parametrize("field", [1.0, 2.0])
def test_ground_state_beyond_whole_matrices_is_the_free_fermion_one(field):
    momenta = np.pi * (2 * np.arange(12) + 1) / 12
    energy = -np.sqrt(1 + field**2 - 2 * field * np.cos(momenta)).sum()
    lowest, psi = ground_state(Problem.of(ising_ring(12, field)))
    assert lowest == pytest.approx(energy, rel=1e-10)
    assert np.abs(psi.sum()) == pytest.approx(np.abs(psi).sum())


def kron_ising(side, field):
    """Ising model on a torus from Pauli matrices: (2^N, 2^N)."""
    n_sites, one = side**2, sp.identity(2)

    def at(matrix, *sites):
        return functools.reduce(sp.kron, [matrix if site in sites else one for site in range(n_sites)])

    z, x = sp.diags([1.0, -1.0]), sp.csr_matrix([[0.0, 1.0], [1.0, 0.0]])
    bonds = [(side * i + j, side * k + m) for i in range(side) for j in range(side)
             for k, m in (((i + 1) % side, j), (i, (j + 1) % side))]  # fmt: skip
    return -sum(at(z, *bond) for bond in bonds) - field * sum(at(x, site) for site in range(n_sites))


def test_square_lattice_is_compared_with_its_exact_ground_state(tables):
    rows = tables["fig5"]
    rows = rows[rows.series == "square"]
    assert len(rows) == 2
    for _, row in rows.iterrows():
        energies, states = eigsh(kron_ising(3, row.field), 1, which="SA")
        assert row.exact_energy == pytest.approx(energies[0], rel=1e-10)
        x = kron_ising(3, 1.0) - kron_ising(3, 0.0)
        assert row.exact_sx == pytest.approx(-(states[:, 0] @ (x @ states[:, 0])) / 9, abs=1e-8)
        assert row.exact_energy <= row.energy < row.exact_energy * 0.95
        assert row.sx == pytest.approx(row.exact_sx, abs=0.05)


def test_exact_symmetry_has_an_error_that_its_breaking_sets(tables):
    rows = tables["fig5"]
    broken = rows[(rows.series == "broken") & (rows.strength > 0)]
    median = broken.groupby("symmetry").relative_error.median()
    assert median["approximate"] < median["exact"] / 10


def test_area_below_the_curve_is_the_rank_statistic():
    rng = np.random.default_rng(0)
    wrong = rng.random(200) < 0.3
    score = rng.normal(size=200) + wrong
    pairs = score[wrong][:, None] > score[~wrong]
    assert curve(score, wrong)[2] == pytest.approx(pairs.mean())
    assert np.isnan(curve(score, np.zeros(200, bool))[2])
