"""What Fig. X2 is made from: exact ground states, no network."""

from __future__ import annotations

from typing import Any

from nqs.studies.protocol import Inputs, StudyConfig, ground_state_file
from nqs.studies.westerhout2020.config import Westerhout2020

Config = StudyConfig[Westerhout2020]


def inputs(config: Config) -> Inputs:
    """Ground states, clusters in drawing order, couplings ascending."""
    return {"ground_states": [ground_state_file(*place) for place in config.block.figX2.places]}


def settings(config: Config) -> dict[str, Any]:
    """Of the rows: the place of each file, and the part of the basis drawn."""
    block = config.block.figX2
    places = [{"cluster": cluster, "j2_over_j1": j2} for cluster, j2 in block.places]
    return {"places": places, "epsilon": block.epsilon}


def used(config: Config) -> dict[str, Any]:
    """The part of the configuration behind the figure, for its provenance."""
    return {"figX2": config.plain["figX2"], "ground_state": config.ground_state}
