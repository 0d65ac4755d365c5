"""The claim that convolutional networks generalise better because of their translation symmetry (Table X2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from nqs.analysis.ledger.claim import Claim, Tables
from nqs.analysis.ledger.evidence import Estimate, Evidence, above, below
from nqs.studies.westerhout2020.claims.curves import combined

DENSE, TRANSLATES, CNN, SITES = NETWORKS = ("dense2", "dense2translates", "cnn", "cnnsites")
BROKEN, GIVEN = "symmetry taken from the CNN", "translates given to the dense network"


def cnn_gain_from_symmetry(claim: Claim, tables: Tables) -> Iterator[Evidence]:
    """Whether a CNN without symmetry falls, or a dense network trained on translates rises, past half the gap."""
    rows = tables["tableX2"]
    for (cluster, j2), here in rows[rows.n_members > 1].groupby(["cluster", "j2_over_j1"], sort=False):
        values = here.set_index("network")
        if {*NETWORKS} <= {*values.index}:
            columns = (values.overlap_rest_mean, values.overlap_rest_sem, values.n_members)
            found = {
                name: Estimate(float(mean), float(error), int(n))
                for name, mean, error, n in zip(values.index, *columns, strict=True)
            }
            yield from _halves(found, f"{cluster}, J2 = {j2:g}")


def _halves(found: Mapping[str, Estimate], point: str) -> Iterator[Evidence]:
    """Each network against the overlap halfway between the dense one and the CNN, if there is a gap at all."""
    middle = combined([(0.5, found[DENSE]), (0.5, found[CNN])])
    for reading, name, side in ((BROKEN, SITES, below), (GIVEN, TRANSLATES, above)):
        yield above("overlap, cnn - dense2", found[CNN] - found[DENSE], 0.0, part=f"{point}, gap", reading=reading)
        gap = found[CNN].value - found[DENSE].value
        share = (found[CNN].value - found[name].value) / gap if gap else np.nan
        words = f"{found[name].value:.3f} between {found[DENSE].value:.3f} and {found[CNN].value:.3f}"
        remark = f"{words}: {share if name == SITES else 1 - share:.0%} of the gap" if np.isfinite(share) else words
        yield side(
            f"overlap of {name} from half the gap", found[name] - middle, 0.0, remark, part=point, reading=reading
        )
