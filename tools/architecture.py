"""Write docs/architecture.md: the wings of the package and who imports whom, read off the imports.

python tools/architecture.py [--check]
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "nqs"
PAGE = ROOT / "docs" / "architecture.md"
# From the top of the house to its ground: a wing imports from wings below it, and from itself.
WINGS = {
    "workflow": "configuration, code hash, stages, targets, command line; knows studies by their STUDY object only",
    "studies": "one folder a paper: configuration, cells, tables, claims, figures",
    "figures": "what figures of all studies share: style, helpers, saving",
    "analysis": "arrays in, tidy tables out: overlaps, ablation, statistics, power laws, rules of claims",
    "vmc": "variational Monte Carlo: samplers, local energies, the loop; stages and GPU engines below it",
    "ansatz": "variational wave functions",
    "supervised": "data sets, and training of many networks at once",
    "networks": "networks trained with supervision",
    "exact": "exact answers: ground states, ring sums, Bethe ansatz, transfer matrices",
    "model": "what is being solved: clusters, lattices, symmetries, Hamiltonians, basis states",
    "runtime": "errors, files, checkpoints, progress, seeds, provenance; knows no physics",
}
HEAD = """# Architecture

The package is a house of eleven wings, one folder each below `src/nqs`. A wing imports only from wings below it, no
study imports another, and no two modules import each other in a circle: `tests/test_architecture.py` says so. This page
is made from the imports by `python tools/architecture.py` and tested to be current.

"""
FLOW = """
## How a figure comes about

1. `config.yaml`, the preset of the scale and `--config` make the configuration (`workflow/configuration.py`), each
   study's block checked by the schema in its own folder.
2. Every study says which cells it asks for and which targets it shows (`studies/<study>/study.py`). `workflow/work.py`
   collects them; `rules/stages.smk` makes one rule per stage and `rules/targets.smk` two per target from that.
3. A cell is one job: `python -m nqs stage NAME` calls the stage's function with settings, input and output files.
   Exact ground states come first, then data sets and trainings or variational Monte Carlo, then overlaps or sums.
4. `python -m nqs table NAME` makes the rows behind a target, `python -m nqs figure NAME` draws them with provenance.

What a job depends on enters its rule's `params`: its settings and the hash of the definitions it reaches
(`workflow/code_hash.py`). So a changed number or an edited function reruns what uses it, and nothing else.
"""


def modules() -> dict[str, Path]:
    """Modules of the package by dotted name without `nqs.`."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in files}


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Modules of the package that a file imports, wherever in it; not those only a type checker imports."""
    for node in ast.walk(without_type_checking(ast.parse(path.read_text()))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nqs":
            base = (node.module or "").removeprefix("nqs").removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".removeprefix(".")
                yield from (name for name in (inner, base) if name in known)
        elif isinstance(node, ast.Import):
            yield from (alias.name[4:] for alias in node.names if alias.name[4:] in known)


def without_type_checking(tree: ast.Module) -> ast.Module:
    """A module without the blocks that only a type checker reads."""
    tree.body = [one for one in tree.body if not (isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test))]
    return tree


def graph() -> dict[str, set[str]]:
    """Module -> modules it imports."""
    known = modules()
    return {name: set(imports(path, known)) - {name} for name, path in known.items()}


def wing(module: str) -> str:
    """The folder a module stands in."""
    return module.split(".")[0]


def arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one wing to another."""
    found = ((wing(one), wing(two)) for one, targets in graph().items() for two in targets)
    return Counter(pair for pair in found if pair[0] != pair[1])


def picture() -> str:
    """The wings as a Mermaid graph, arrows with their number of imports."""
    lines = ["```mermaid", "graph TD"]
    lines += [f"    {name}[{name}]" for name in WINGS]
    lines += [f"    {one} -->|{count}| {two}" for (one, two), count in sorted(arrows().items(), key=by_height)]
    return "\n".join([*lines, "```"])


def by_height(item: tuple[tuple[str, str], int]) -> tuple[int, int]:
    """Place of an arrow: from the top of the house down."""
    order = list(WINGS)
    return order.index(item[0][0]), order.index(item[0][1])


def table() -> str:
    """The wings with their size."""
    lines = ["| wing | what is in it | modules | lines |", "|---|---|---:|---:|"]
    for name, words in WINGS.items():
        paths = [path for module, path in modules().items() if wing(module) == name]
        total = sum(len(path.read_text().splitlines()) for path in paths)
        lines.append(f"| `{name}/` | {words} | {len(paths)} | {total} |")
    return "\n".join(lines)


def contents() -> str:
    """Every module with the first line of its docstring, by wing."""
    parts = ["## Modules"]
    for name in WINGS:
        parts.append(f"\n### {name}\n")
        for module, path in modules().items():
            if wing(module) == name:
                first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
                parts.append(f"- `{module.removeprefix(name + '.')}`: {first}")
    return "\n".join(parts) + "\n"


def page() -> str:
    """The whole page."""
    return (
        HEAD
        + table()
        + "\n\nArrows are imports between wings, with their number; all run down.\n\n"
        + picture()
        + ("\n" + FLOW + "\n" + contents())
    )


def main() -> int:
    """Write the page; with --check only say whether it is current."""
    if "--check" not in sys.argv:
        PAGE.write_text(page())
        return 0
    fresh = PAGE.exists() and PAGE.read_text() == page()
    print(f"{PAGE.name}: {'current' if fresh else 'not current; run python tools/architecture.py'}")
    return int(not fresh)


if __name__ == "__main__":
    sys.exit(main())
