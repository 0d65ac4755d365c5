"""Kufel 2024: neural networks for quantum many-body physics, a primer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nqs.runtime.fields import pick
from nqs.studies.kufel2024 import memory
from nqs.studies.kufel2024.config import Kufel2024
from nqs.studies.protocol import Inputs, Study, StudyConfig, Target, ground_state_file

HERE = "nqs.studies.kufel2024"
THEMES = {
    "fig1": "method",
    "fig2": "universality",
    "fig3": "tensor_networks",
    "fig4": "entanglement",
    "fig5": "ground_states",
    "fig6": "dynamics",
    "fig7": "sampling",
    "fig8": "optimisation",
}


def settings(config: StudyConfig[Kufel2024], figure: str) -> Mapping[str, Any]:
    """The figure's own block, and the seed."""
    return {**config.plain[figure], "seed": config.seed}


def ground_states(config: StudyConfig[Kufel2024], figure: str) -> Inputs:
    """Exact ground states that Fig. 8 counts the amplitudes of."""
    clusters = config.block.fig8.exact if figure == "fig8" else ()
    return {"ground_states": [ground_state_file(name, 0) for name in clusters]}


def check(config: StudyConfig[Kufel2024]) -> None:
    """Refuse, with a ValueError that names the key, a cluster that is not there and what no memory holds."""
    for name in config.block.fig8.exact:
        pick(name, config.common.cluster_names(), "cluster", "kufel2024.fig8.exact", "clusters")
    memory.check(config)


STUDY = Study(
    name="kufel2024",
    citation="Kufel 2024",
    block=Kufel2024,
    targets={
        name: Target(
            rows=f"{HERE}.tables.{theme}:rows",
            inputs=partial(ground_states, figure=name),
            settings=partial(settings, figure=name),
            used=partial(settings, figure=name),
            draw=f"{HERE}.figures.{theme}:draw",
        )
        for name, theme in THEMES.items()
    },
    check=check,
    claims=f"{HERE}.claims.ledger:CHECKS",
)
