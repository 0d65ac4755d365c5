"""Networks by architecture name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nqs.networks.dense import dense
from nqs.networks.periodic_cnn import cnn
from nqs.networks.protocol import Geometry, Network
from nqs.runtime.registry import Registry

# architecture name -> how to build it from its block of the configuration
NETWORKS: Registry[str, Callable[[Geometry, str, Mapping[str, Any]], Network]] = {
    "dense": dense,
    "cnn": cnn,
}
