"""Tables of Figs. S1 and S2 of Ju et al. (2025): the reduced density matrix of K sites, its levels and their conformal
form, and how its entropy grows.

Each function takes files by kind (Fig. S1 takes optima, runs and weights where there are any) and the settings `size`,
`widths` (Fig. S1) and `sizes` (Fig. S2). Levels are -ln p of the eigenvalues p of rho_K, ascending; entropies are in
nats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import linregress

from nqs.exact.eigenstate import Wavefunction
from nqs.exact.entanglement import (
    BETA,
    BlockOperator,
    block_density,
    chord,
    conformal_hamiltonian,
    conformal_law,
    entropy,
    fit_entropies,
    fitted_beta,
    relative_entropy,
    thermal,
    trace_distance,
)
from nqs.exact.transfer_matrix import measure
from nqs.model.motifs import class_counts, motif_classes, spell
from nqs.runtime.job import Files
from nqs.studies.ju2025.files import best_networks, read_optima, ring_ground_state

Settings = Mapping[str, Any]
SHARES = (0.99, 0.999)  # of the weight, that the counted levels hold
RESOLVED = 1e-13  # eigenvalues of rho below this are rounding
LEADING = 10  # levels whose slope against the conformal ones is fitted
FIRST_BLOCK = 2  # shortest block in the fits: a single spin is free, whatever the ring
CURVE_POINTS = 60


def figS1(files: Files, settings: Settings) -> pd.DataFrame:
    """Motif probabilities, levels of rho_K against the conformal form, and how few of them matter, on one ring.

    series: "mev", one row per class of motifs and source (exact, cps, cnn: optima; trained: the network of lowest
    energy), with the probability of one motif of the class at a site;  "level", one row per source (exact, cft) and
    level, of the exact ones with the weight of all higher levels and the error of the motif probabilities without
    these, sum |difference|;  "comparison", one row per K;  "truncation", the number of levels that hold a share of the
    weight, K = 2 ... N/2;  "truncation_law", the power of K by which that number grows, least squares on logarithms,
    with the smallest and largest power from one K to the next: whole numbers have no statistical error, and whether
    there is a power at all shows in this range.
    """
    size, widths = int(settings["size"]), [int(width) for width in settings["widths"]]
    state = ring_ground_state(files, size)
    _, psi = state.expand()
    parts: list[pd.DataFrame] = []
    for width in widths:
        density, conformal = block_density(psi, size, width), conformal_hamiltonian(size, width)
        parts.append(_probabilities("exact", size, density.diagonal))
        parts += _variational(files, width)
        parts += [_levels(density, conformal, size), _comparison(state, density, conformal)]
    parts += _truncations(psi, size)
    return pd.concat(parts, ignore_index=True)


def _probabilities(source: str, n_sites: int, probabilities: np.ndarray) -> pd.DataFrame:
    """Rows "mev" from the probability of each motif at a site: (2^K,)."""
    width = len(probabilities).bit_length() - 1
    classes = motif_classes(width)
    means = classes.means(probabilities)
    deviation = np.abs(probabilities - classes.spread(means))
    return pd.DataFrame({
        "series": "mev", "source": source, "n_sites": n_sites, "width": width, "motif_class": np.arange(len(classes)),
        "motif": [spell(code, width) for code in classes.representatives],
        "class_size": classes.sizes, "probability": means,
        "deviation_in_class": [deviation[classes.labels == number].max() for number in range(len(classes))],
    })  # fmt: skip


def _variational(files: Files, width: int) -> Iterator[pd.DataFrame]:
    for optima in read_optima(files):
        if optima.length == width:
            for family in ("cps", "cnn"):
                expectations = optima.arrays.get(f"{family}_expectations")
                if expectations is not None:  # no start may have been in range
                    yield _probabilities(family, optima.n_sites, expectations / optima.n_sites)
    for network, parameters in best_networks(files, width):
        coefficients = parameters[0] * np.maximum(network.inputs(parameters), 0)
        expectations = measure(network.n_sites, coefficients).motif_expectations
        yield _probabilities("trained", network.n_sites, expectations / network.n_sites)


def _levels(density: BlockOperator, conformal: BlockOperator, n_sites: int) -> pd.DataFrame:
    """Rows "level", as far as the exact ones are resolved."""
    values, vectors = (array[..., ::-1] for array in density.eigen)  # the heaviest first
    resolved = int((values > RESOLVED).sum())
    lost = np.append(np.cumsum(values[::-1])[::-1][1:], 0.0)  # weight of all higher levels
    kept = np.cumsum(vectors**2 * values, axis=1) / np.cumsum(values)  # (motif, levels kept)
    exact = pd.DataFrame({
        "source": "exact", "weight": values, "weight_above": np.maximum(lost, 0),
        "mev_error": np.abs(kept - density.diagonal[:, None]).sum(axis=0),
    })  # fmt: skip
    cft = pd.DataFrame({"source": "cft", "weight": thermal(conformal).eigenvalues[::-1]})
    rows = pd.concat([table.assign(rank=np.arange(1, len(values) + 1)).head(resolved) for table in (exact, cft)])
    return rows.assign(series="level", n_sites=n_sites, width=density.length, level=-np.log(rows.weight))


def _comparison(state: Wavefunction, density: BlockOperator, conformal: BlockOperator) -> pd.DataFrame:
    """Row "comparison" of rho_K and its conformal form, at beta = 2 and at the beta that fits best."""
    beta, image = fitted_beta(density, conformal), thermal(conformal)
    exact, cft = density.eigenvalues[::-1], image.eigenvalues[::-1]
    leading = -np.log(np.maximum([exact[:LEADING], cft[:LEADING]], RESOLVED))
    return pd.DataFrame([{
        "series": "comparison", "n_sites": state.n_sites, "width": density.length, "beta": BETA, "beta_fit": beta,
        "trace_distance": trace_distance(density, image),
        "trace_distance_fit": trace_distance(density, thermal(conformal, beta)) if np.isfinite(beta) else np.nan,
        "relative_entropy": relative_entropy(density, conformal),
        "relative_entropy_fit": relative_entropy(density, conformal, beta) if np.isfinite(beta) else np.nan,
        "spectrum_overlap": float(np.sqrt(np.maximum(exact, 0) * cft).sum()),
        "level_slope": float(linregress(leading[1], leading[0]).slope),
        "entropy": entropy(exact), "entropy_cft": entropy(cft), "diagonal_error": _diagonal_error(state, density),
    }])  # fmt: skip


def _diagonal_error(state: Wavefunction, density: BlockOperator) -> float:
    """Largest difference of a class of motifs between the diagonal of rho_K and its counts in the state."""
    counts = class_counts(state.representatives, state.n_sites, density.length)
    expected = (state.orbit_sizes * state.amplitudes**2) @ counts / state.n_sites
    return float(np.abs(motif_classes(density.length).sums(density.diagonal) - expected).max())


def _truncations(psi: np.ndarray, n_sites: int) -> Iterator[pd.DataFrame]:
    """Rows "truncation" and, from three blocks on, "truncation_law"."""
    lengths = np.arange(FIRST_BLOCK, n_sites // 2 + 1)
    held = [np.cumsum(block_density(psi, n_sites, int(length)).eigenvalues[::-1]) for length in lengths]
    for share in SHARES:
        levels = np.array([int((weights < share).sum()) + 1 for weights in held])
        yield pd.DataFrame(
            {"series": "truncation", "n_sites": n_sites, "width": lengths, "share": share, "levels": levels}
        )
        if len(lengths) >= 3:
            law, local = linregress(np.log(lengths), np.log(levels)), np.diff(np.log(levels)) / np.diff(np.log(lengths))
            found = {"exponent": law.slope, "prefactor": np.exp(law.intercept)}
            found |= {"exponent_lowest": local.min(), "exponent_highest": local.max()}
            yield pd.DataFrame([{"series": "truncation_law", "n_sites": n_sites, "share": share, **found}])


def figS2(files: Files, settings: Settings) -> pd.DataFrame:
    """Entropy of blocks of K = 1 ... N/2 sites of several rings, and the logarithmic law.

    series: "entropy", one row per ring and block, with the law at its fitted c and at c = 1;  "curve", both laws
    between the blocks;  "fit", c and the constants of each ring of six sites or more and, without n_sites, of all.
    """
    parts, chords, entropies = [], [], []
    for size in sorted(int(size) for size in settings["sizes"]):
        _, psi = ring_ground_state(files, size).expand()
        lengths = np.arange(1, size // 2 + 1)
        found = np.array([entropy(block_density(psi, size, int(length)).eigenvalues) for length in lengths])
        fitted = lengths >= FIRST_BLOCK
        chords.append(chord(size, lengths)[fitted])
        entropies.append(found[fitted])
        rows = pd.DataFrame({"series": "entropy", "length": lengths, "entropy": found})
        curve = pd.DataFrame({"series": "curve", "length": np.linspace(1, size / 2, CURVE_POINTS)})
        rows = pd.concat([rows, curve], ignore_index=True).assign(n_sites=size)
        rows = rows.assign(chord=chord(size, rows.length.to_numpy()))
        parts += [rows.assign(**_laws(rows.chord, chords[-1], entropies[-1])), _fit(chords[-1:], entropies[-1:], size)]
    parts.append(_fit(chords, entropies, np.nan))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _laws(chords: pd.Series, fitted: np.ndarray, entropies: np.ndarray) -> dict[str, np.ndarray]:
    """The law with fitted c, NaN for fewer than three blocks, and with c = 1."""
    places = chords.to_numpy()
    free = fit_entropies(fitted, entropies).entropy(places) if len(fitted) >= 3 else np.full(len(places), np.nan)
    return {"entropy_fit": free, "entropy_c1": conformal_law(fitted, entropies).entropy(places)}


def _fit(chords: Sequence[np.ndarray], entropies: Sequence[np.ndarray], n_sites: float) -> pd.DataFrame:
    """Row "fit"; none for fewer than three blocks."""
    x, y = np.concatenate(chords), np.concatenate(entropies)
    if len(x) < 3:
        return pd.DataFrame()
    law, fixed = fit_entropies(x, y), conformal_law(x, y)
    return pd.DataFrame([{
        "series": "fit", "n_sites": n_sites, "first_block": FIRST_BLOCK, "blocks": len(x),
        "central_charge": law.central_charge, "central_charge_error": law.error, "constant": law.constant,
        "constant_c1": fixed.constant, "rms_residual": float(np.sqrt(np.mean((law.entropy(x) - y) ** 2))),
        "rms_residual_c1": float(np.sqrt(np.mean((fixed.entropy(x) - y) ** 2))),
    }])  # fmt: skip
