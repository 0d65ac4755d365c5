"""Tables of Figs. S1 and S2 against the full density matrix of small rings."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from support.cnn_cells import train
from support.motif_optima_cells import write_optima

from nqs.ansatz.shallow_cnn import ShallowCnn
from nqs.exact.eigenstate import Wavefunction
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import motif_classes, motif_counts
from nqs.runtime.errors import InputError
from nqs.studies.ju2025.tables import entanglement

SIZE, WIDTHS = 12, [3, 4, 6]
SETTINGS = {"size": SIZE, "widths": WIDTHS, "sizes": [8, 12], "seed": 0}


@pytest.fixture(scope="module")
def files(tmp_path_factory, ground_state_file):
    folder = tmp_path_factory.mktemp("cells")
    table, arrays = write_optima(folder, 14, 4)
    stem = train(folder, ShallowCnn(14, 4, "traj"), [(0.01, 5)], [1, 2], iterations=15, samples=500, kind="final")
    states = [ground_state_file(f"ring{n}", 0.0) for n in (4, 8, 12)]
    return {
        "ground_states": states, "optima": [table], "optima_arrays": [arrays],
        "runs": [f"{stem}_runs.csv"], "weights": [f"{stem}.safetensors"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def s1(files):
    return entanglement.figS1(files, SETTINGS)


@pytest.fixture(scope="module")
def s2(files):
    return entanglement.figS2(files, SETTINGS)


@pytest.fixture(scope="module")
def ring(ground_state_file):
    return Wavefunction.read(ground_state_file(f"ring{SIZE}", 0.0)).expand()


def at(table, **cell):
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


def dense_density(ring, length):
    states, psi = ring
    everything = np.zeros(1 << SIZE)
    everything[states] = psi
    block = everything.reshape(1 << length, -1)
    return block @ block.T


def test_probabilities_are_those_of_the_motifs(s1, ring):
    states, psi = ring
    for width in WIDTHS:
        rows = at(s1, series="mev", source="exact", width=width)
        expected = motif_classes(width).means(psi**2 @ motif_counts(states, SIZE, width) / SIZE)
        assert_allclose(rows.probability, expected, atol=1e-13)
        assert_allclose(rows.probability @ rows.class_size, 1, rtol=1e-12)
        assert rows.deviation_in_class.max() < 1e-11
    assert list(at(s1, series="mev", source="exact", width=3).motif) == ["ddd", "udd", "dud"]


def test_variational_states_stand_beside_the_exact_one(s1, files):
    from safetensors.numpy import load_file

    arrays = load_file(files["optima_arrays"][0])
    means = motif_classes(4).means
    for source in ("cps", "cnn"):
        rows = at(s1, series="mev", source=source)
        assert set(rows.width) == {4}
        assert set(rows.n_sites) == {14}
        assert_allclose(rows.probability, means(arrays[f"{source}_expectations"] / 14), rtol=1e-12)
    runs = pd.read_csv(files["runs"][0])
    best = load_file(files["weights"][0])["parameters"][runs.exact_energy.argmin()]
    table = ShallowCnn(SIZE, 4).coefficients(best)
    rows = at(s1, series="mev", source="trained")
    assert_allclose(rows.probability, means(measure(14, table).motif_expectations / 14), rtol=1e-12)


def test_levels_are_the_spectrum_and_what_is_left_out(s1, ring):
    rows = at(s1, series="level", source="exact", width=4).sort_values("rank")
    rho = dense_density(ring, 4)
    values, vectors = (array[..., ::-1] for array in np.linalg.eigh(rho))
    assert_allclose(rows.weight, values, atol=1e-14)
    assert_allclose(rows.level, -np.log(values), rtol=1e-8)
    assert_allclose(rows.weight_above, 1 - np.cumsum(values), atol=1e-13)
    # After whole multiplets the error does not depend on the choice of eigenvectors.
    for kept in (1, 4):
        truncated = np.diag(vectors[:, :kept] @ np.diag(values[:kept]) @ vectors[:, :kept].T) / values[:kept].sum()
        assert_allclose(rows.mev_error.iloc[kept - 1], np.abs(truncated - np.diag(rho)).sum(), rtol=1e-10)
    assert rows.mev_error.iloc[-1] < 1e-13


def test_the_conformal_form_is_close(s1):
    rows = at(s1, series="comparison")
    assert list(rows.width) == WIDTHS
    assert (rows.diagonal_error < 1e-12).all()
    assert (rows.trace_distance < 0.05).all()
    assert (rows.trace_distance_fit < rows.trace_distance).all()
    assert (rows.relative_entropy_fit < rows.relative_entropy).all()
    assert ((rows.beta_fit - rows.beta).abs() < 0.05).all()
    assert ((rows.level_slope - 1).abs() < 0.1).all()
    assert rows.spectrum_overlap.between(0.999, 1).all()
    cft = at(s1, series="level", source="cft", width=4).sort_values("rank")
    assert_allclose(cft.weight.sum(), 1, rtol=1e-12)
    assert (cft.weight.diff().dropna() <= 1e-15).all()


def test_numbers_of_levels_are_counted(s1, ring):
    for share in (0.99, 0.999):
        rows = at(s1, series="truncation", share=share)
        assert list(rows.width) == [2, 3, 4, 5, 6]
        for row in rows.itertuples():
            weights = np.sort(np.linalg.eigvalsh(dense_density(ring, int(row.width))))[::-1]
            levels = int(row.levels)
            assert weights[:levels].sum() >= share > weights[: levels - 1].sum()
        law = at(s1, series="truncation_law", share=share).iloc[0]
        slope, intercept = np.polyfit(np.log(rows.width), np.log(rows.levels), 1)
        assert_allclose([law.exponent, law.prefactor], [slope, np.exp(intercept)])
        local = [
            np.log(b / a) / np.log((k + 1) / k)
            for k, a, b in zip(rows.width, rows.levels, rows.levels[1:], strict=False)
        ]
        assert_allclose([law.exponent_lowest, law.exponent_highest], [min(local), max(local)])


def test_ground_states_are_enough(ground_state_file):
    files = {"ground_states": [ground_state_file("ring4", 0.0)]}
    table = entanglement.figS1(files, {"size": 4, "widths": [2]})
    assert set(table[table.series == "mev"].source) == {"exact"}
    assert not (table.series == "truncation_law").any()


def test_a_missing_ring_is_named(files):
    with pytest.raises(InputError, match="ring10"):
        entanglement.figS1(files, SETTINGS | {"size": 10})
    with pytest.raises(InputError, match="ring6"):
        entanglement.figS2(files, {"sizes": [6, 8]})


def test_entropies_are_those_of_the_schmidt_values(s2, ring):
    states, psi = ring
    everything = np.zeros(1 << SIZE)
    everything[states] = psi
    rows = at(s2, series="entropy", n_sites=SIZE)
    assert list(rows.length) == [1, 2, 3, 4, 5, 6]
    for row in rows.itertuples():
        weights = np.linalg.svd(everything.reshape(1 << int(row.length), -1), compute_uv=False) ** 2
        weights = weights[weights > 1e-16]
        assert_allclose(row.entropy, -(weights * np.log(weights)).sum(), atol=1e-12)
        assert_allclose(row.chord, SIZE / np.pi * np.sin(np.pi * row.length / SIZE))
    assert_allclose(rows.entropy.iloc[0], np.log(2))


def test_the_entropy_grows_as_a_logarithm(s2):
    fits = at(s2, series="fit")
    assert [*fits.n_sites[:-1]] == [8, 12]
    assert np.isnan(fits.n_sites.iloc[-1])
    assert ((fits.central_charge - 1).abs() < 0.1).all()  # an area law would have 0
    assert (fits.central_charge > 10 * fits.central_charge_error).all()
    rows = at(s2, series="entropy", n_sites=SIZE)
    fitted = rows[rows.length >= 2]
    slope, constant = np.polyfit(np.log(fitted.chord), fitted.entropy, 1)
    assert_allclose(fits.iloc[1][["central_charge", "constant"]].astype(float), [3 * slope, constant])
    assert_allclose(rows.entropy_fit, slope * np.log(rows.chord) + constant)
    assert_allclose((rows.entropy_c1 - np.log(rows.chord) / 3), fits.iloc[1].constant_c1)
    curve = at(s2, series="curve", n_sites=SIZE)
    assert_allclose(curve.entropy_fit, slope * np.log(curve.chord) + constant)


def test_a_ring_of_four_sites_has_no_fit(files):
    table = entanglement.figS2(files, {"sizes": [4]})
    assert not (table.series == "fit").any()
    assert table.entropy_fit.isna().all()
