"""A hash of the code a stage runs, so that editing a module reruns what depends on it and nothing else.

The hash covers the stage's module and every module of this package that it imports, directly or not. Comments,
docstrings and layout do not enter: the hash is of the syntax tree.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def module_path(name: str) -> Path | None:
    """File of a module of this package, or None if it is not one."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    stem = PACKAGE.joinpath(*parts[1:])
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if len(parts) > 1 and path.is_file():
            return path
    return None


@cache
def tree(path: Path) -> ast.Module:
    """Syntax tree of a file without docstrings."""
    module = ast.parse(path.read_text())
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            node.body = node.body[documented:] or [ast.Pass()]
    return module


def imports(path: Path) -> set[str]:
    """Names of this package's modules that a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if module_path(name)}


def closure(module: str) -> list[str]:
    """The module and all modules of this package that it reaches, sorted."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            path = module_path(name)
            if path is None:
                raise ValueError(f"code_hash: {name} is not a module of this package")
            todo += imports(path)
    return sorted(seen)


@cache
def code_hash(*modules: str) -> str:
    """Sixteen hexadecimal digits that change when the code behind these modules does."""
    digest = hashlib.sha256()
    for name in sorted({name for module in modules for name in closure(module)}):
        path = module_path(name)
        assert path is not None
        digest.update(name.encode())
        digest.update(ast.dump(tree(path)).encode())
    return digest.hexdigest()[:16]
