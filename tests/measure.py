"""How big the package is, and how much of it a module knows: figures to look at, never asserted.

    python -m tests.measure [ROOT]      ; of this checkout, or of another one

Own imports are other modules of the package that a module imports anywhere; `from x import a, b`
is one. 95 % is the smallest figure that at least 95 of 100 do not exceed.
"""

from __future__ import annotations

import ast
import math
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

NAME = "beancount_compute"


def share(numbers: Iterable[int], percent: int) -> int:
    """The smallest figure that so many of 100 do not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(numbers: Iterable[int]) -> str:
    found = list(numbers)
    return f"{share(found, 50)} / {share(found, 95)} / {max(found)}"


def own_imports(tree: ast.AST, modules: set[str]) -> set[str]:
    """The modules of the package that a module imports; of a package, its `__init__`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (within & modules) or {node.module}
    return found & modules


def functions(tree: ast.AST) -> list[int]:
    """The lengths of the functions of a module, in lines."""
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def main(root: Path) -> None:
    """Print the figures of a checkout."""
    paths = sorted((root / NAME).rglob("*.py"))
    dotted = {
        path: ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
    }
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    lines = {path: text.count("\n") for path, text in texts.items()}
    modules = set(dotted.values())
    imports = {path: own_imports(tree, modules) - {dotted[path]} for path, tree in trees.items()}
    users = Counter(name for found in imports.values() for name in found)
    lengths = [length for tree in trees.values() for length in functions(tree)]
    lonely = [p for p in paths if users[dotted[p]] == 1 and lines[p] <= 70 and p.stem[0] != "_"]
    figures = {
        "modules": len(paths),
        "lines": sum(lines.values()),
        "lines of a file, median / 95 % / most": spread(lines.values()),
        "functions": len(lengths),
        "lines of a function, median / 95 % / most": spread(lengths),
        "own imports of a module, median / 95 % / most": spread(map(len, imports.values())),
        "modules of at most 70 lines with one user": len(lonely),
        "lines of tests": sum(
            path.read_text(encoding="utf-8").count("\n") for path in (root / "tests").rglob("*.py")
        ),
    }
    for what, figure in figures.items():
        print(f"{what:48} {figure:>16,}" if isinstance(figure, int) else f"{what:48} {figure:>16}")
    folders = Counter(path.relative_to(root / NAME).parts[0] for path in paths)
    sizes: Counter[str] = Counter()
    for path in paths:
        sizes[path.relative_to(root / NAME).parts[0]] += lines[path]
    for folder, count in sorted(folders.items()):
        print(f"  {folder:20} {count:>4} modules {sizes[folder]:>8,} lines")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[1])
