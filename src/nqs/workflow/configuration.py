"""The configuration: its schema, its defaults' source and its error messages.

config.yaml holds every number of the science at laptop scale; presets/<scale>.yaml overlays it; values given on the
command line come last. `load` merges the three and validates the result before anything runs. This module imports
neither PyTorch nor QuSpin, because every Snakemake call reads it. The blocks of a study are in config_<study>.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from nqs.model.clusters import BY_BONDS, CLUSTERS, dimension, sites
from nqs.runtime.errors import ConfigError
from nqs.runtime.fields import Block, Count, Positive, pick, without_repeats
from nqs.studies.ju2025.config import Ju2025
from nqs.studies.mummaneni2026.config import Mummaneni2026
from nqs.studies.westerhout2020.config import Westerhout2020
from nqs.workflow.configured_clusters import MOST_LISTED_SITES, ClusterBlock, with_files

ARCHITECTURES = ("dense", "cnn")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
CONVOLVED = ("square", "triangle", "ring")  # lattices with one site per unit cell


class NetworkBlock(Block):
    """A network: architecture, size and the learning rate it is trained with."""

    architecture: str = Field(description="dense (ReLU layers) or cnn (two periodic convolutions)")
    hidden: tuple[Positive, ...] = Field((64,), description="dense: widths of the hidden layers")
    channels: tuple[Positive, Positive] = Field((32, 64), description="cnn: channels of the two convolutions")
    kernel: Positive = Field(5, description="cnn: odd width of the square kernel, in sites")
    last_bias: bool = Field(False, description="dense: bias in the last layer (the published counts have none)")
    learning_rate: float = Field(gt=0, description="Adam step size")
    batch: Positive | None = Field(None, description="states per update, in place of the study's")
    max_updates: Positive | None = Field(None, description="updates at most, where fewer than the study's")

    @field_validator("architecture")
    @classmethod
    def known(cls, value: str) -> str:
        return pick(value, ARCHITECTURES, "architecture")

    @field_validator("kernel")
    @classmethod
    def odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an even kernel has no centre; choose an odd width")
        return value


class GroundStateBlock(Block):
    """Exact diagonalisation."""

    symmetries: tuple[Literal["translations", "spin_flip", "point"], ...] = Field(
        ("translations", "spin_flip"),
        description="symmetries that split the search into sectors; the first two always",
    )
    point_group_above: Count = Field(
        24, description="clusters with more sites use the point group as well, without which 36 sites do not fit"
    )
    backend: Literal["auto", "quspin", "kernel"] = Field(
        "auto",
        description="what builds the Hamiltonian; auto: QuSpin up to 24 sites, the compiled kernel above and for "
        "clusters given by their bonds",
    )
    tolerance: float = Field(1e-10, gt=0, le=1e-6, description="residual |H psi - E psi| relative to |E|")
    allow_degenerate: bool = Field(False, description="accept one member of a degenerate ground space")

    @field_validator("symmetries")
    @classmethod
    def label_the_ground_state(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        missing = [name for name in ("translations", "spin_flip") if name not in values]
        if missing:
            raise ValueError(f"must contain {' and '.join(missing)}, which label the ground state")
        return without_repeats(values, "symmetry")

    def symmetries_of(self, n_sites: int) -> list[str]:
        """Symmetries used on clusters of so many sites."""
        point = n_sites > self.point_group_above and "point" not in self.symmetries
        return [*self.symmetries, *(["point"] if point else [])]


class Config(Block):
    """The whole configuration."""

    scale: str = Field(description="name of the preset and of the results tree")
    seed: int = Field(0, ge=0, description="enters every random seed")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where networks train; auto: CUDA if present")
    clusters: dict[str, ClusterBlock] = Field({}, description="clusters of your own, by name")
    networks: dict[str, NetworkBlock] = Field(description="networks by name")
    ground_state: GroundStateBlock
    westerhout2020: Westerhout2020
    mummaneni2026: Mummaneni2026
    ju2025: Ju2025

    @model_validator(mode="after")
    def names_exist(self) -> Config:
        for name in [*self.clusters, *self.networks]:
            if not NAME.fullmatch(name):
                raise ValueError(f"'{name}': names of clusters and networks are letters and digits, a letter first")
        for name in sorted({*CLUSTERS} & {*self.clusters}):
            raise ValueError(f"clusters.{name}: this name is built in; choose another")
        known = sorted({*CLUSTERS, *self.clusters})
        study = self.westerhout2020
        for key, name in study.cluster_names():
            pick(name, known, "cluster", key)
            if self.cluster(name)[0] == "ring":
                raise ValueError(f"{key}: ring '{name}' has no J2 bonds; choose a square, triangle or kagome cluster")
        for key, name, couplings in study.coupled():
            if any(couplings) and name in self.clusters and self.clusters[name].lacks_j2:
                raise ValueError(f"{key}: '{name}' has no J2 bonds; give it some, or couplings of 0 only")
        for key, name in study.network_names():
            pick(name, sorted(self.networks), "network", key)
        return self

    @model_validator(mode="after")
    def clusters_carry_what_is_computed(self) -> Config:
        study = self.westerhout2020
        for key, cluster, name in study.trained_on():
            if self.networks[name].architecture == "cnn" and self.cluster(cluster)[0] not in CONVOLVED:
                raise ValueError(
                    f"{key}: network '{name}' needs a torus with one site per unit cell and cannot run on "
                    f"'{cluster}'; choose a dense network"
                )
        for key, cluster in study.on_the_whole_basis():
            if sites(*self.cluster(cluster)) > MOST_LISTED_SITES:
                raise ValueError(
                    f"{key}: the basis states of '{cluster}' are too many to list; "
                    f"choose a cluster of at most {MOST_LISTED_SITES} sites"
                )
        return self

    @model_validator(mode="after")
    def variational_states_have_a_network_and_a_place(self) -> Config:
        key, block = "westerhout2020.fig2.variational", self.westerhout2020.fig2.variational
        network = self.networks[block.network]
        if network.architecture != "dense":
            raise ValueError(f"{key}.network: '{block.network}' is not dense; choose a dense network")
        if not network.hidden:
            raise ValueError(
                f"{key}.network: '{block.network}' has no hidden layer; "
                f"give networks.{block.network}.hidden a width or choose another network"
            )
        for place, below, above in self.westerhout2020.same_lattices():
            if self.cluster(below)[0] != self.cluster(above)[0]:
                raise ValueError(
                    f"{place}: '{below}' is not of the lattice of '{above}' above it; choose another cluster"
                )
        lattices = [self.cluster(panel.cluster)[0] for panel in self.westerhout2020.fig2.panels]
        twice = [lattice for lattice in dict.fromkeys(lattices) if lattices.count(lattice) > 1]
        if block.panels and twice:
            raise ValueError(
                f"westerhout2020.fig2.panels: two of the lattice '{twice[0]}' above variational states; "
                f"keep one of them, or leave {key}.panels empty"
            )
        return self

    @model_validator(mode="after")
    def critical_sizes_are_of_one_lattice(self) -> Config:
        lattices = {name: self.cluster(name)[0] for name in self.westerhout2020.fig4.clusters}
        if len(set(lattices.values())) > 1:
            given = ", ".join(f"'{name}' ({lattice})" for name, lattice in lattices.items())
            raise ValueError(f"westerhout2020.fig4.clusters: {given} are of several lattices; keep those of one")
        return self

    @model_validator(mode="after")
    def training_sets_have_states(self) -> Config:
        ratio = self.westerhout2020.dataset.validation_ratio
        for key, cluster, epsilon in self.westerhout2020.training_sets():
            n = sites(*self.cluster(cluster))
            states = dimension(n)
            if min(round(epsilon * states), round(epsilon * ratio * states)) < 1:
                raise ValueError(
                    f"{key}: {epsilon:g} gives {round(epsilon * states)} training and "
                    f"{round(epsilon * ratio * states)} validation states on '{cluster}' (K = {states}); "
                    "both need at least one: raise it or dataset.validation_ratio"
                )
        return self

    def cluster(self, name: str) -> tuple[str, tuple[int, int]]:
        """Lattice and shape of a cluster, built in or your own."""
        if name in self.clusters:
            return self.clusters[name].lattice or BY_BONDS, self.clusters[name].size
        return CLUSTERS[name]

    def cluster_settings(self, name: str) -> dict[str, Any]:
        """What a cluster is made from, as nqs.model.lattices.cluster_of takes it."""
        lattice, shape = self.cluster(name)
        listed = self.clusters[name].listed if name in self.clusters else {}
        return {"name": name, "lattice": lattice, "shape": list(shape), **listed}


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """`overlay` over `base`: mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def load(root: Path, overrides: Mapping[str, Any]) -> Config:
    """config.yaml, then the preset of the chosen scale, then `overrides`; raises ConfigError."""
    base = read_yaml(root / "config.yaml")
    scale = str(overrides.get("scale", base.get("scale", "laptop")))
    presets = {path.stem: path for path in sorted((root / "presets").glob("*.yaml"))}
    names = sorted({*presets, str(base.get("scale", "laptop"))})
    try:
        pick(scale, names, "scale", "scale")
    except ValueError as error:
        raise ConfigError(str(error)) from None
    preset = read_yaml(presets[scale]) if scale in presets else {}
    return validate(with_files(merge(merge(base, preset), {**overrides, "scale": scale}), root))


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; raises ConfigError that names the file."""
    try:
        content = yaml.load(path.read_text(), Loader=NumberLoader)
    except FileNotFoundError:
        raise ConfigError(f"{path.name}: not found in {path.parent}; run from the project's folder") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name}: not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name}: must be a mapping of keys to values")
    return content


class NumberLoader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-3 as text and lets the last of two equal keys win; here both are mended."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {', '.join(twice)} given twice", node.start_mark)
        return super().construct_mapping(node, deep)


NumberLoader.yaml_implicit_resolvers = {k: list(v) for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
NumberLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def validate(values: Mapping[str, Any]) -> Config:
    """The validated configuration; raises ConfigError with one line per mistake."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [describe(issue) for issue in error.errors()]
        raise ConfigError("the configuration is not valid:\n  " + "\n  ".join(lines)) from None


def describe(issue: Mapping[str, Any]) -> str:
    """One line for one validation error: the key, what is wrong, what to do."""
    location = [str(part) for part in issue["loc"]]
    key = ".".join(location)
    if issue["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], sorted(keys_beside(issue["loc"])), n=1, cutoff=0.0)
        return f"{key}: unknown key" + (f"; did you mean '{near[0]}'?" if near else "")
    if issue["type"] == "missing":
        return f"{key}: missing; config.yaml must set it"
    message = issue["msg"].removeprefix("Value error, ")
    if issue["type"] == "value_error" and not key:
        return message
    given = "" if isinstance(issue.get("input"), dict) else f" (given: {issue.get('input')!r})"
    return f"{key}: {message[0].lower() + message[1:]}{given}"


def keys_beside(location: Iterable[Any]) -> Iterable[str]:
    """Field names valid where an unknown key was found."""
    block: Any = Config
    for part in list(location)[:-1]:
        if isinstance(part, str) and part in getattr(block, "model_fields", {}):
            block = block.model_fields[part].annotation
        for argument in getattr(block, "__args__", ()):  # dict[str, X] or tuple[X, ...]
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                block = argument
    return getattr(block, "model_fields", {})
