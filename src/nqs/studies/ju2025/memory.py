"""Memory of the runs that the study's configuration asks for."""

from __future__ import annotations

from collections.abc import Iterator

from nqs.runtime.memory import DOUBLE, check_fits
from nqs.studies.ju2025.config import Ju2025
from nqs.studies.protocol import StudyConfig
from nqs.vmc.keys import DEEP

DERIVATIVES = 64  # parameters of the widest shallow network and its sums, per sample


def check(config: StudyConfig[Ju2025]) -> None:
    """Refuse, with a ValueError that names the key, what no memory holds."""
    study = config.block
    for key, samples in samples_of(study):
        check_fits(f"ju2025.{key}", DOUBLE * samples * DERIVATIVES, f"{samples} samples")
    deep, widest = study.fig3.deep, max(study.fig3.deep.widths)
    samples, longest = max(deep.samples, deep.search.samples), max(*deep.sizes, deep.search.size)
    for name in deep.networks:
        layers, filters = map(int, DEEP.fullmatch(name).groups())  # type: ignore[union-attr]
        parameters = layers * widest * filters**2
        needed = samples * (min(samples, parameters) + layers * filters * longest) + 4 * deep.repeats * parameters
        check_fits("ju2025.fig3.deep.networks", DOUBLE * needed, f"'{name}'")
    traces = study.traces
    kept = traces.repeats * len(traces.snapshots) * DERIVATIVES
    check_fits("ju2025.traces.iterations", DOUBLE * kept, f"{len(traces.snapshots)} sets of parameters")


def samples_of(study: Ju2025) -> Iterator[tuple[str, int]]:
    """Key and number of the samples of every kind of run."""
    fig3 = study.fig3
    yield "training.evaluation", study.training.evaluation
    yield "fig3.samples", fig3.samples
    yield "fig3.search.samples", fig3.search.samples
    yield "fig3.single.samples", fig3.single.samples
    yield "fig3.deep.samples", fig3.deep.samples
    yield "fig3.deep.search.samples", fig3.deep.search.samples
    yield "traces.samples", study.traces.samples
    yield "equal.samples", study.equal.samples
