"""Claims of Ju et al. (2025), Sec. V, about the reduced density matrix of K sites and its entropy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.stats import linregress

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, exactly, near, true
from nqs.analysis.ledger.table import Check
from nqs.studies.ju2025.claims.select import each, groups, select

COMPARED_WIDTH = 6  # K of the comparison with conformal field theory
DISTANCE, SLOPE, FALL = 0.05, 0.1, 5.0  # trace distance, deviation of a slope from 1, fall of ln p over 2K levels
FEW_LEVELS_ERROR = 0.05  # weighted relative error of motif expectation values from 2K levels


def mev_is_reduced_diagonal(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Eq. 7 per site."""
    for row in each(select(tables["figS1"], "diagonal_error n_sites width", series="comparison")):
        words, part = "|<m>/N less the diagonal of rho_K|, largest", f"N = {row.n_sites:g}, K = {row.width:g}"
        remark = "per site: as printed, without the factor N, counts add up to N and the diagonal to 1"
        yield exactly(words, row.diagonal_error, 0.0, 1e-12, part=part, remark=remark)


def area_law(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The coefficient of the logarithm in the entropy of blocks, c/3."""
    fits = select(tables["figS2"], "central_charge central_charge_error blocks", series="fit")
    for row in each(fits):
        part = "all rings" if np.isnan(row.n_sites) else f"N = {row.n_sites:g}"
        found = Estimate(row.central_charge / 3, row.central_charge_error / 3, max(int(row.blocks) - 1, 2))
        remark = f"c = {row.central_charge:.3f}, {row.blocks:g} blocks; 1 for a critical chain"
        yield near("coefficient of the logarithm of K in S(K)", found, 0.0, resolution=0.05, part=part, remark=remark)


def spectrum_truncation_linear(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The power of K by which the number of levels grows that hold a share of the weight: at most 1."""
    rows = select(tables["figS1"], "share width levels", series="truncation")
    for share, same in groups(rows, "share"):
        if len(same) >= 3:
            law = linregress(np.log(same.width), np.log(same.levels))
            found = Estimate(float(law.slope), float(law.stderr), len(same) - 1)
            remark = f"{same.levels.iloc[-1]:g} levels of 2^{same.width.iloc[-1]:g} at the longest block"
            words = f"power of K by which the levels with {share:g} of the weight grow"
            one = near(words, found, 0.5, tolerance=0.5, part=f"{share:g} of the weight", remark=remark)
            yield replace(one, published="0 to 1")


def cft_entanglement_spectrum(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """The conformal form at beta = 2 against the exact matrix, and the fall of the exact levels."""
    where = {"width": COMPARED_WIDTH}
    for row in each(select(tables["figS1"], "trace_distance level_slope", series="comparison", **where)):
        close = row.trace_distance < DISTANCE
        yield true("trace distance", close, row.trace_distance, published=f"< {DISTANCE}", part="distance")
        yield exactly("slope of exact against conformal levels", row.level_slope, 1.0, SLOPE, part="slope")
    levels = select(tables["figS1"], "rank level", series="level", source="exact", **where).set_index("rank").level
    if {1, 2 * COMPARED_WIDTH} <= {*levels.index}:
        fall = float(levels[2 * COMPARED_WIDTH] - levels[1])
        yield true("fall of ln p over the first 2K levels", fall > FALL, fall, published=f"> {FALL:g}", part="fall")


def mev_from_few_levels(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Sum of |error| of the motif probabilities from the leading 2K levels."""
    levels = select(tables["figS1"], "rank mev_error width", series="level", source="exact")
    for width, same in groups(levels, "width"):
        errors = same.set_index("rank").mev_error
        if {width, 2 * width} <= {*errors.index} and 2 * width < 2**width:
            error, part = float(errors[2 * width]), f"K = {width:g}"
            remark = f"{errors[width]:.2g} from K levels"
            few = error < FEW_LEVELS_ERROR
            published = f"< {FEW_LEVELS_ERROR}"
            yield true("weighted error from 2K levels", few, error, published=published, part=part, remark=remark)


CHECKS: dict[str, Check] = {
    "mev_is_reduced_diagonal": mev_is_reduced_diagonal,
    "area_law": area_law,
    "spectrum_truncation_linear": spectrum_truncation_linear,
    "cft_entanglement_spectrum": cft_entanglement_spectrum,
    "mev_from_few_levels": mev_from_few_levels,
}
