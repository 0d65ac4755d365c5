"""What the study asks of the clusters and networks that its configuration names."""

from __future__ import annotations

from nqs.model.clusters import LATTICES, dimension
from nqs.runtime.fields import pick
from nqs.studies.protocol import StudyConfig
from nqs.studies.westerhout2020 import memory
from nqs.studies.westerhout2020.config import Westerhout2020

MOST_LISTED_SITES = 24  # 2.7 million basis states

Config = StudyConfig[Westerhout2020]


def check(config: Config) -> None:
    """Refuse, with a ValueError that names the key, what cannot be computed or drawn."""
    names_exist(config)
    clusters_carry_what_is_computed(config)
    variational_states_have_a_network_and_a_place(config)
    bands_are_of_lines_shown(config)
    critical_sizes_are_of_one_lattice(config)
    training_sets_have_states(config)
    memory.check(config)


def names_exist(config: Config) -> None:
    """Clusters and networks are there; clusters have J2 bonds."""
    common = config.common
    for key, name in config.block.cluster_names():
        pick(name, common.cluster_names(), "cluster", key, "clusters")
        lattice = common.cluster(name)[0]
        if lattice in LATTICES and not LATTICES[lattice].j2:
            raise ValueError(f"{key}: {lattice} '{name}' has no J2 bonds; choose a square, triangle or kagome cluster")
    for key, name, couplings in config.block.coupled():
        if any(couplings) and common.lacks_j2(name):
            raise ValueError(f"{key}: '{name}' has no J2 bonds; give it some, or couplings of 0 only")
    for key, name in config.block.network_names():
        pick(name, sorted(common.networks), "network", key, "networks")


def clusters_carry_what_is_computed(config: Config) -> None:
    """Convolutions have one site per cell; listed bases are short enough."""
    common = config.common
    for key, cluster, name in config.block.trained_on():
        lattice = LATTICES.get(common.cluster(cluster)[0])
        if common.networks[name].architecture == "cnn" and (lattice is None or len(lattice.basis) > 1):
            raise ValueError(
                f"{key}: network '{name}' needs a torus with one site per unit cell and cannot run on '{cluster}'; "
                "choose a dense network"
            )
        if common.networks[name].translates:
            translates_are_known(config, key, cluster, name)
    for key, cluster in config.block.on_the_whole_basis():
        if common.n_sites(cluster) > MOST_LISTED_SITES:
            raise ValueError(
                f"{key}: the basis states of '{cluster}' are too many to list; "
                f"choose a cluster of at most {MOST_LISTED_SITES} sites"
            )


def translates_are_known(config: Config, key: str, cluster: str, network: str) -> None:
    """Ground states of a lattice, stored by its translations alone."""
    common = config.common
    if common.cluster(cluster)[0] not in LATTICES:
        raise ValueError(f"{key}: '{network}' trains on translates, of which '{cluster}' has none; choose a lattice")
    if "point" in common.ground_state.symmetries_of(common.n_sites(cluster)):
        raise ValueError(
            f"{key}: '{network}' trains on translates, but '{cluster}' is stored by its point group; "
            f"choose a smaller cluster, leave `point` out of ground_state.symmetries, or set "
            f"ground_state.point_group_above to {common.n_sites(cluster)}"
        )


def variational_states_have_a_network_and_a_place(config: Config) -> None:
    """A dense network with a hidden layer, and panels below those of their lattice."""
    common, block = config.common, config.block.fig2.variational
    key, network = "westerhout2020.fig2.variational", common.networks[block.network]
    if network.architecture != "dense":
        raise ValueError(f"{key}.network: '{block.network}' is not dense; choose a dense network")
    unheard = [name for name in ("l2", "dropout", "translates") if getattr(network, name)]
    if unheard:
        raise ValueError(
            f"{key}.network: {unheard[0]} of '{block.network}' is for training on samples; choose a network without"
        )
    if not network.hidden:
        raise ValueError(
            f"{key}.network: '{block.network}' has no hidden layer; "
            f"give networks.{block.network}.hidden a width or choose another network"
        )
    for place, below, above in config.block.same_lattices():
        if common.cluster(below)[0] != common.cluster(above)[0]:
            raise ValueError(f"{place}: '{below}' is not of the lattice of '{above}' above it; choose another cluster")
    lattices = [common.cluster(panel.cluster)[0] for panel in config.block.fig2.panels]
    twice = [lattice for lattice in dict.fromkeys(lattices) if lattices.count(lattice) > 1]
    if block.panels and twice:
        raise ValueError(
            f"westerhout2020.fig2.panels: two of the lattice '{twice[0]}' above variational states; "
            f"keep one of them, or leave {key}.panels empty"
        )


def bands_are_of_lines_shown(config: Config) -> None:
    """Bands are about networks that their figure shows."""
    for figure, block in config.block.banded.items():
        try:
            block.check_bands()
        except ValueError as error:
            raise ValueError(f"westerhout2020.{figure}.{error}") from None


def critical_sizes_are_of_one_lattice(config: Config) -> None:
    """Fig. 4 compares sizes of one lattice."""
    lattices = {name: config.common.cluster(name)[0] for name in config.block.fig4.clusters}
    if len(set(lattices.values())) > 1:
        given = ", ".join(f"'{name}' ({lattice})" for name, lattice in lattices.items())
        raise ValueError(f"westerhout2020.fig4.clusters: {given} are of several lattices; keep those of one")


def training_sets_have_states(config: Config) -> None:
    """Training and validation sets hold at least one state each."""
    ratio = config.block.dataset.validation_ratio
    for key, cluster, epsilon in config.block.training_sets():
        states = dimension(config.common.n_sites(cluster))
        if min(round(epsilon * states), round(epsilon * ratio * states)) < 1:
            raise ValueError(
                f"{key}: {epsilon:g} gives {round(epsilon * states)} training and "
                f"{round(epsilon * ratio * states)} validation states on '{cluster}' (K = {states}); "
                "both need at least one: raise it or dataset.validation_ratio"
            )
