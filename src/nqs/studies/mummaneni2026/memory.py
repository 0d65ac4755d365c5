"""Memory of the machines that the study's configuration asks for."""

from __future__ import annotations

from collections.abc import Iterator

from nqs.runtime.memory import DOUBLE, check_fits
from nqs.studies.mummaneni2026.config import Mummaneni2026
from nqs.studies.protocol import StudyConfig


def check(config: StudyConfig[Mummaneni2026]) -> None:
    """Refuse, with a ValueError that names the key, what no memory holds."""
    vmc, key = config.block.vmc, "mummaneni2026"
    for block, longest, alpha, repeats in machines(config.block):
        hidden = alpha * longest
        parameters = longest * hidden + longest + hidden
        samples = f"{vmc.samples} samples of {longest} spins"
        check_fits(f"{key}.vmc.samples", DOUBLE * vmc.samples * 2 * longest, samples)
        rows = vmc.samples * (hidden + min(vmc.samples, parameters))
        kept = repeats * parameters * (4 + len(vmc.snapshots))
        noun = f"{repeats} machines of {hidden} hidden units"
        check_fits(f"{key}.{block}", DOUBLE * (rows + kept), noun)


def machines(study: Mummaneni2026) -> Iterator[tuple[str, int, int, int]]:
    """Key, sites of the longest ring, hidden units per site and repeats of every kind of cell."""
    sweep, small, density, polarised = study.sweep, study.small, study.density, study.polarised
    yield "sweep.alphas", max(sweep.sizes), max(sweep.alphas), sweep.repeats
    yield "small.alpha", max(small.sizes), small.alpha, small.repeats
    yield "density.alphas", density.size, max(density.alphas), density.repeats
    yield "polarised.alpha", polarised.size, polarised.alpha, polarised.repeats
