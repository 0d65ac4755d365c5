"""The checks of all claims of Ju et al. (2025), by claim."""

from __future__ import annotations

from nqs.analysis.ledger.table import Check
from nqs.studies.ju2025.claims import ansatzes, convergence, energies, entanglement, regression, states, symmetry

CHECKS: dict[str, Check] = {
    **states.CHECKS,
    **symmetry.CHECKS,
    **ansatzes.CHECKS,
    **entanglement.CHECKS,
    **regression.CHECKS,
    **convergence.CHECKS,
    **energies.CHECKS,
}
