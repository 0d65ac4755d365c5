"""Mappings in YAML or JSON files, read strictly: numbers and words as YAML 1.2 has them, and no key twice.

YAML 1.1, which PyYAML reads, takes 010 for 8, 1:30 for 90, `yes` for true and 1e-3 for text, and lets the last of two
equal keys win.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from nqs.runtime.errors import InputError

NUMBER = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
WHOLE = re.compile(r"[-+]?[0-9][0-9_]*")


QuickLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same YAML 1.1; ten times faster where libyaml is


class StrictLoader(yaml.SafeLoader):
    """PyYAML with the words and numbers of YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {', '.join(twice)} given twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_whole(self, node: yaml.ScalarNode) -> int:
        return int(node.value)  # 010 is 10


StrictLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", re.compile("true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("null", re.compile("~|null|Null|NULL|"), "~nN"),
    ("int", WHOLE, "-+0123456789"),
    ("float", NUMBER, "-+.0123456789"),
    ("float", re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), "-+."),
    ("merge", re.compile("<<"), "<"),
):
    StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern.pattern})$"), [*first])
StrictLoader.yaml_implicit_resolvers[""] = StrictLoader.yaml_implicit_resolvers["~"]
StrictLoader.add_constructor("tag:yaml.org,2002:int", StrictLoader.construct_whole)


def number(text: str) -> int | float | None:
    """The number that a text is; None if it is none."""
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else None


def read_mapping(path: Path, shown: str = "") -> dict[str, Any]:
    """The mapping in a file, empty for an empty one; InputError that names the file, as `shown`, and the way out."""
    try:
        content = parse(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        reason = f"line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
    except FileNotFoundError:
        reason = "there is no such file; run from the project's folder, or give the whole path"
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); check its permissions and the disk"
    except InputError as error:
        reason = str(error)
    else:
        if content is None:
            return {}
        if isinstance(content, dict):
            return content
        reason = "must be a mapping of keys to values"
    raise InputError(f"{shown or path}: {reason}")


def parse(text: str) -> Any:
    """What a YAML or JSON text says; InputError with line and reason."""
    try:
        return parse_json(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{where}not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InputError("blocks or lists inside each other hundreds of times; write them flat") from None
    except ValueError as error:  # a number of ten thousand digits, a date that does not exist behind a tag
        raise InputError(f"not valid YAML: {error}") from None


def parse_json(text: str) -> Any:
    """What a JSON text says; YAML in braces, which is no JSON, is read as YAML."""
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError:
        return yaml.load(text, Loader=StrictLoader)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without a key given twice."""
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise InputError(f"key {', '.join(twice)} given twice")
    return dict(pairs)


def main(files: list[str]) -> int:
    """2 and a line that says why if one of the files cannot be read, else 0."""
    try:
        for file in files:
            read_mapping(Path(file))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
