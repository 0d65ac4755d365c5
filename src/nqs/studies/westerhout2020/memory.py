"""Memory of the networks that the study's configuration trains, and of their samples."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from nqs.model.clusters import dimension
from nqs.runtime.memory import DOUBLE, check_fits
from nqs.studies.protocol import StudyConfig
from nqs.studies.westerhout2020.config import Westerhout2020
from nqs.vmc.keys import PLAIN

COPIES = 4  # of a network's parameters: they themselves, two moments, the best ones so far


def check(config: StudyConfig[Westerhout2020]) -> None:
    """Refuse, with a ValueError that names the key, what no memory holds."""
    study = config.block
    for name in sorted({name for _, name in study.network_names()}):
        check_network(config, name)
    for key, samples in (
        ("expressibility.validation_states", study.expressibility.validation_states),
        ("overlaps.samples", study.overlaps.samples),
        ("overlaps.large_samples", study.overlaps.large_samples),
    ):
        check_fits(f"westerhout2020.{key}", 8 * DOUBLE * samples, f"{samples} samples")
    ratio = study.dataset.validation_ratio
    for key, cluster, epsilon in study.training_sets():
        states = epsilon * dimension(config.common.n_sites(cluster))
        check_fits(f"westerhout2020.dataset.validation_ratio, {key}", 4 * DOUBLE * states * (1 + ratio), "a data set")
    check_variational(config)


def check_network(config: StudyConfig[Westerhout2020], name: str) -> None:
    """A network's parameters, and the outputs of its layers for one batch."""
    study, network = config.block, config.common.networks[name]
    clusters = [cluster for _, cluster, trained in study.trained_on() if trained == name]
    n_sites = max((config.common.n_sites(cluster) for cluster in clusters), default=24)
    size = ".hidden" if network.architecture == "dense" else ".channels"
    parameters, outputs = parameters_of(network, n_sites), outputs_of(network, n_sites)
    check_fits(f"networks.{name}{size}", COPIES * DOUBLE * parameters, f"{parameters} parameters")
    batch = network.batch or max(study.training.batch, study.expressibility.batch)
    check_fits(f"networks.{name}.batch", DOUBLE * batch * outputs, f"batches of {batch} states")


def check_variational(config: StudyConfig[Westerhout2020]) -> None:
    """Derivatives of the samples by the parameters of two networks, or the kernel of the samples."""
    name, block = config.block.fig2.variational.network, config.block.reconfiguration
    parameters = 2 * parameters_of(config.common.networks[name], 24)
    for method in config.block.fig2.variational.methods:
        key, samples = f"{'' if method == PLAIN else f'{method}.'}samples", block.of(method).samples
        needed = DOUBLE * samples * min(samples, parameters)
        check_fits(f"westerhout2020.reconfiguration.{key}", needed, f"{samples} samples")


def parameters_of(network: Any, n_sites: int) -> int:
    """Number of parameters, biases aside."""
    if network.architecture == "dense":
        return sum(one * two for one, two in pairwise((n_sites, *network.hidden, 2)))
    first, second = network.channels
    return network.kernel**2 * first * (1 + second)


def outputs_of(network: Any, n_sites: int) -> int:
    """Numbers that all layers put out for one state."""
    return sum(network.hidden) if network.architecture == "dense" else n_sites * sum(network.channels)
