"""The reference page of all configuration keys, generated from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal

from pydantic import BaseModel

from nqs.workflow.configuration import Config

HEAD = """# Configuration

Every key of `config.yaml`, generated from the schema by `./nqs exec python -m nqs config-reference`; do not edit.
`presets/<scale>.yaml` overlays the file, `--config key=value` on the command line comes last. A key without a default
must be set in `config.yaml`.

| key | type | default | meaning |
|---|---|---|---|
"""


def rows(block: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """One table row per key, depth first; `<name>` and `[]` stand for the entries of mappings and lists."""
    for name, field in block.model_fields.items():
        key, inner = prefix + name, nested(field.annotation)
        if inner is None or field.description:
            meaning = (field.description or "").replace("|", "\\|")  # a bar would end the column
            default = "" if field.is_required() else f"`{shown(field.default)}`"
            yield f"| `{key}` | {type_name(field.annotation)} | {default} | {meaning} |"
        if inner is not None:
            kind, model = inner
            yield from rows(model, key + {"block": ".", "dict": ".<name>.", "tuple": "[]."}[kind])


def nested(annotation: Any) -> tuple[str, type[BaseModel]] | None:
    """How a type holds a block: directly, in a mapping or in a list; None if it does not."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "block", annotation
    for argument in getattr(annotation, "__args__", ()):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return annotation.__origin__.__name__, argument
    return None


def type_name(annotation: Any) -> str:
    """A type in words."""
    if nested(annotation):
        return {"block": "block", "dict": "blocks by name", "tuple": "list of blocks"}[nested(annotation)[0]]  # type: ignore[index]
    origin = getattr(annotation, "__origin__", None)
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if isinstance(annotation, UnionType):
        return type_name(arguments[0])
    if origin is dict:
        return f"{type_name(arguments[1])} by name"
    if origin is tuple:
        words = [type_name(argument) for argument in arguments if argument is not Ellipsis]
        return f"list of {words[0]}" if Ellipsis in arguments else "[" + ", ".join(words) + "]"
    if arguments and origin is not None and getattr(origin, "__name__", "") != "Annotated":
        if origin is Literal:
            return " or ".join(f"`{argument}`" for argument in arguments)
        return type_name(arguments[0])
    return {float: "number", int: "integer", bool: "true or false", str: "text"}.get(annotation, str(annotation))


def shown(value: Any) -> str:
    """A default as it would stand in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(rows(Config)) + "\n"


def main(path: Path, check: bool) -> int:
    """Write the page, or say whether it is up to date; returns an exit code."""
    if not check:
        path.write_text(page())
        return 0
    fresh = path.exists() and path.read_text() == page()
    print(f"{path}: {'up to date' if fresh else 'out of date; run ./nqs exec python -m nqs config-reference'}")
    return 0 if fresh else 1
