"""The configuration: its schema, its defaults' source and its error messages.

config.yaml holds every number of the science at laptop scale; presets/<scale>.yaml overlays it; values given on the
command line come last. `load` merges the three and validates the result before anything runs. This module imports
neither PyTorch nor QuSpin, because every Snakemake call reads it. The block of a study is in its folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError, create_model, field_validator, model_validator

from nqs.model.clusters import BY_BONDS, CLUSTERS, sites
from nqs.networks import registry
from nqs.runtime import yaml_text
from nqs.runtime.errors import ConfigError, InputError
from nqs.runtime.fields import Block, Count, Number, Positive, pick, without_repeats
from nqs.studies.protocol import Study, StudyConfig
from nqs.workflow.configured_clusters import ClusterBlock, with_files
from nqs.workflow.studies import NAME, found_studies

ARCHIVE = "archive"  # the scale that computes nothing and draws archived tables, which are of paper scale
PAPER = "paper"


class NetworkBlock(Block):
    """A network: architecture, size and the learning rate it is trained with."""

    architecture: str = Field(description="dense (ReLU layers) or cnn (two periodic convolutions)")
    hidden: tuple[Positive, ...] = Field((64,), description="dense: widths of the hidden layers")
    channels: tuple[Positive, Positive] = Field((32, 64), description="cnn: channels of the two convolutions")
    kernel: Positive = Field(5, description="cnn: odd width of the square kernel, in sites")
    site_weights: bool = Field(
        False, description="cnn: a weight per site and channel in place of the average over sites; breaks the symmetry"
    )
    last_bias: bool = Field(False, description="dense: bias in the last layer (the published counts have none)")
    learning_rate: Number = Field(gt=0, description="Adam step size")
    l2: Number = Field(0, ge=0, description="L2 regularisation: l2/2 sum of squared parameters is added to the loss")
    dropout: Number = Field(
        0, ge=0, lt=1, description="dense: share of hidden units that each state does without; on the CPU"
    )
    translates: bool = Field(False, description="train on all translates of sampled training states")
    batch: Positive | None = Field(None, description="states per update, in place of the study's")
    max_updates: Positive | None = Field(None, description="updates at most, where fewer than the study's")

    @field_validator("architecture")
    @classmethod
    def known(cls, value: str) -> str:
        return pick(value, registry.known(), "architecture")

    @field_validator("kernel")
    @classmethod
    def odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an even kernel has no centre; choose an odd width")
        return value

    @model_validator(mode="after")
    def options_fit(self) -> NetworkBlock:
        for key, architecture in (("dropout", "dense"), ("site_weights", "cnn")):
            if getattr(self, key) and self.architecture != architecture:
                raise ValueError(f"{key}: '{self.architecture}' has none, only {architecture}; leave it out")
        return self


class GroundStateBlock(Block):
    """Exact diagonalisation."""

    symmetries: tuple[Literal["translations", "spin_flip", "point"], ...] = Field(
        ("translations", "spin_flip"),
        description="symmetries that split the search into sectors; the first two always",
    )
    point_group_above: Count = Field(
        24,
        description="clusters with more sites use the point group as well, without which 36 sites do not fit; those "
        "given by their bonds only where nothing else fits",
    )
    backend: Literal["auto", "quspin", "kernel"] = Field(
        "auto",
        description="what builds the Hamiltonian; auto: QuSpin up to 20 sites, the compiled kernel above and for "
        "clusters given by their bonds",
    )
    tolerance: Number = Field(1e-10, gt=0, le=1e-6, description="residual |H psi - E psi| relative to |E|")
    allow_degenerate: bool = Field(False, description="accept one member of a degenerate ground space")
    levels: Literal["known", "search"] = Field(
        "search",
        description="known: only the state is computed where reference/ground_levels.csv has the cluster and coupling; "
        "that it is the lowest, and its gap, are taken from there; search: all sectors and momenta, always",
    )

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


class Common(Block):
    """What all studies share."""

    scale: str = Field(description="name of the preset and of the results tree")
    seed: Count = Field(0, description="enters every random seed")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where networks train; auto: CUDA if present")
    clusters: dict[str, ClusterBlock] = Field({}, description="clusters of your own, by name")
    networks: dict[str, NetworkBlock] = Field(description="networks by name")
    ground_state: GroundStateBlock

    @model_validator(mode="after")
    def names_are_usable(self) -> Common:
        for name in [*self.clusters, *self.networks]:
            if not NAME.fullmatch(name):
                shown = name if len(name) <= 60 else f"{name[:20]}…"
                raise ValueError(
                    f"'{shown}': names of clusters and networks are letters and digits, a letter first, at most 60"
                )
        for name in sorted({*CLUSTERS} & {*self.clusters}):
            raise ValueError(f"clusters.{name}: this name is built in; choose another")
        return self

    @model_validator(mode="after")
    def studies_can_be_computed(self) -> Common:
        for study in self.studies():
            study.check(self.of(study))
        return self

    @classmethod
    def studies(cls) -> list[Study]:
        """The studies whose blocks this configuration has."""
        return [study for name, study in found_studies().items() if name in cls.model_fields]

    def of(self, study: Study) -> StudyConfig[Any]:
        """The configuration as one study sees it."""
        return StudyConfig(self, getattr(self, study.name))

    def cluster_names(self) -> list[str]:
        """All clusters, built in or of the user's own."""
        return sorted({*CLUSTERS, *self.clusters})

    def n_sites(self, name: str) -> int:
        """Sites of a cluster."""
        return sites(*self.cluster(name))

    def cluster_settings(self, name: str) -> dict[str, Any]:
        """What a cluster is made from, as nqs.model.lattices.cluster_of takes it."""
        lattice, shape = self.cluster(name)
        listed = self.clusters[name].listed if name in self.clusters else {}
        return {"name": name, "lattice": lattice, "shape": list(shape), **listed}

    def ground_state_symmetries(self, name: str) -> list[str]:
        """Kinds of symmetries that the ground-state search of a cluster uses."""
        if name in self.clusters and self.clusters[name].bonds and not self.clusters[name].needs_point_group:
            return [*self.ground_state.symmetries]
        return self.ground_state.symmetries_of(self.n_sites(name))

    def lacks_j2(self, name: str) -> bool:
        """Whether a cluster of the user's own is given by its bonds and has none of J2."""
        return name in self.clusters and self.clusters[name].lacks_j2

    def cluster(self, name: str) -> tuple[str, tuple[int, int]]:
        """Lattice and shape of a cluster, built in or your own."""
        if name in self.clusters:
            return self.clusters[name].lattice or BY_BONDS, self.clusters[name].size
        return CLUSTERS[name]

    if TYPE_CHECKING:  # the blocks of the studies are made from their objects

        def __getattr__(self, name: str) -> Any: ...


def with_studies() -> type[Common]:
    """The schema of the whole configuration: the common part and the block of every study."""
    taken = sorted(found_studies().keys() & Common.model_fields.keys())
    if taken:
        raise ConfigError(f"a study is called '{taken[0]}', which is a key of the configuration already; rename it")
    blocks: dict[str, Any] = {name: (study.block, ...) for name, study in found_studies().items()}
    return create_model("Config", __base__=Common, __doc__="The whole configuration.", **blocks)


Config = with_studies()


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """`overlay` over `base`: mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def load(root: Path, overrides: Mapping[str, Any]) -> Common:
    """config.yaml, then the preset of the chosen scale, then `overrides`; raises ConfigError.

    Scale `archive` has the configuration of paper scale, and no overrides.
    """
    base = read_yaml(root / "config.yaml")
    scale = str(overrides.get("scale", base.get("scale", "laptop")))
    presets = {path.stem: path for path in sorted((root / "presets").glob("*.yaml"))}
    names = sorted({*presets, ARCHIVE, str(base.get("scale", "laptop"))})
    try:
        pick(scale, names, "scale", "scale")
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if scale == ARCHIVE and (changed := sorted(overrides.keys() - {"scale"})):
        raise ConfigError(
            f"scale=archive draws tables of finished runs and computes nothing: {', '.join(changed)} cannot be "
            "changed; use another scale"
        )
    source = PAPER if scale == ARCHIVE else scale
    preset = read_yaml(presets[source]) if source in presets else {}
    return validate(with_files(merge(merge(base, preset), {**overrides, "scale": scale}), root))


def given(settings: Iterable[str], files: Iterable[Path] = ()) -> dict[str, Any]:
    """What a call asks for: files over each other, and words KEY=VALUE over them; ConfigError for any other word.

    Snakemake reads both by itself, but it lets the last of two equal keys win and has 010 for 8.
    """
    values: dict[str, Any] = {}
    for file in files:
        values = merge(values, read_yaml(file))
    for word in settings:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise ConfigError(f"--config {word}: write it as KEY=VALUE")
        try:
            values = merge(values, {key: yaml_text.parse(value)})
        except InputError as error:
            raise ConfigError(f"--config {key}: {error}") from None
    return values


def asked(call: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a call of Snakemake asks for, read by `given`; call: its ConfigSettings; values: what it read by itself.

    Values that came another way, from a workflow that has this one as a module, are taken as they are.
    """
    words = call.config_args
    if values != call.overwrite_config or isinstance(words, str):
        return values
    return given(words or (), call.configfiles)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; raises ConfigError that names the file."""
    try:
        return yaml_text.read_mapping(path)
    except InputError as error:
        raise ConfigError(str(error)) from None


def validate(values: Mapping[str, Any]) -> Common:
    """The validated configuration; raises ConfigError with one line per mistake."""
    if too_large := [f"{key}: an integer of {number.bit_length()} bits, at most 63" for key, number in beyond(values)]:
        raise ConfigError("the configuration is not valid:\n  " + "\n  ".join(too_large))
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [describe(issue) for issue in without_echoes(error.errors())]
        raise ConfigError("the configuration is not valid:\n  " + "\n  ".join(lines)) from None


def beyond(value: Any, key: str = "") -> Iterator[tuple[str, int]]:
    """Keys and values of the integers that are too large to count with: floats of their products overflow."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield key, value
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, part in inner:
        yield from beyond(part, f"{key}.{name}" if key else str(name))


def without_echoes(issues: Sequence[Any]) -> list[Any]:
    """The errors but those that a list is too short, where it is so only because its entries are wrong."""
    places = [issue["loc"] for issue in issues]
    return [
        issue
        for issue in issues
        if issue["type"] != "too_short" or not any(below(issue["loc"], place) for place in places)
    ]


def below(outer: tuple, inner: tuple) -> bool:
    """Whether one place of the configuration lies inside another."""
    return len(inner) > len(outer) and inner[: len(outer)] == outer


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
    if issue["type"] == "model_type":
        message = "should be a block of keys and values"
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
