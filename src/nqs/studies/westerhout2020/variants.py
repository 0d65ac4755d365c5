"""What the networks of Fig. X1 and of Tables X1 and X2 differ in, for the settings of their rows."""

from __future__ import annotations

import json
from typing import Any

from nqs.studies.protocol import StudyConfig
from nqs.studies.westerhout2020.config import Westerhout2020
from nqs.studies.westerhout2020.tables.training_size import THRESHOLD
from nqs.supervised.keys import SAMPLED


def batches(config: StudyConfig[Westerhout2020]) -> dict[str, Any]:
    """States per update of each network of Fig. X1, and what its critical sizes depend on besides."""
    own = {name: config.common.networks[name].batch for name in config.block.figX1.networks}
    usual = config.block.training.batch
    return {
        "batches": {name: batch or usual for name, batch in own.items()},
        "threshold": THRESHOLD,
        "seed": config.seed,
    }


def variations(config: StudyConfig[Westerhout2020], table: str) -> dict[str, Any]:
    """Rows of a table of variants.

    variations, at each point: network, kind of data, and in words what differs; first none; another architecture
    differs by its name.  lacking: points at which a cluster is compared with one that lacks a bond.
    """
    block = getattr(config.block, table)
    blocks = [config.common.networks[name].model_dump(mode="json") for name in block.networks]
    rows = [{"variation": "reference", "network": block.networks[0], "data": SAMPLED}]
    for name, values in zip(block.networks[1:], blocks[1:], strict=True):
        changed = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value != blocks[0][key]]
        other = values["architecture"] != blocks[0]["architecture"]
        rows.append({"variation": name if other else ", ".join(changed) or name, "network": name, "data": SAMPLED})
    rows += [{"variation": f"{data} states", "network": block.networks[0], "data": data} for data in block.other_draws]
    return {"variations": rows, "lacking": [vars(point) for point in block.points if point.lacking]}
