"""Memory of what the figures of the primer compute, most of it on whole bases of 2^N states."""

from __future__ import annotations

from collections.abc import Iterator

from nqs.runtime.memory import COMPLEX, DOUBLE, check_fits
from nqs.studies.kufel2024.config import Kufel2024
from nqs.studies.protocol import StudyConfig


def check(config: StudyConfig[Kufel2024]) -> None:
    """Refuse, with a ValueError that names the key, what no memory holds."""
    for key, n_sites, parameters in tangents(config.block):
        check_fits(f"kufel2024.{key}", COMPLEX * 2.0**n_sites * parameters, f"{parameters} parameters on all states")
    for key, numbers in samples(config.block):
        check_fits(f"kufel2024.{key}", DOUBLE * numbers, f"{numbers} numbers")


def tangents(study: Kufel2024) -> Iterator[tuple[str, int, int]]:
    """Key, sites and number of parameters of every network that is summed over its basis."""
    fig1, fig2, fig3, fig5 = study.fig1, study.fig2, study.fig3, study.fig5
    fig6, fig7, fig8 = study.fig6, study.fig7, study.fig8
    yield "fig1.hidden", fig1.n_sites, fig1.n_sites * fig1.hidden
    yield "fig2.densities", fig2.sizes[-1], fig2.sizes[-1] ** 2 * fig2.densities[-1]
    yield "fig3.bonds", fig3.n_sites, 2 * fig3.n_sites * fig3.bonds[-1] ** 2
    yield "fig5.hidden", fig5.n_sites, fig5.n_sites * fig5.hidden[-1]
    yield "fig6.density", fig6.n_sites, fig6.n_sites**2 * fig6.density
    yield "fig7.hidden", fig7.n_sites, fig7.n_sites * fig7.hidden
    yield "fig8.hidden", fig8.n_sites, fig8.n_sites * fig8.hidden


def samples(study: Kufel2024) -> Iterator[tuple[str, int]]:
    """Key and count of the numbers behind every sample, chain or solve."""
    fig1, fig6, fig7, fig8 = study.fig1, study.fig6, study.fig7, study.fig8
    yield "fig1.samples", fig1.samples * fig1.n_sites * fig1.hidden
    yield "fig1.sizes", fig1.sizes[-1] * fig1.sets
    yield "fig6.points", fig6.points * 2**fig6.n_sites
    yield "fig6.samples", fig6.samples[-1] * fig6.n_sites**2 * fig6.density
    yield "fig7.lengths", fig7.lengths[-1] * fig7.chains * fig7.repeats
    yield "fig8.timed", 4 * fig8.timed[-1] ** 2
    yield "fig8.fixed", 4 * fig8.fixed**2
