"""Imports run one way: economy, ledger, closed, reports, close; and on top the faces."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import beancount_compute

PACKAGE = Path(beancount_compute.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
OWN = "beancount_compute."
# What reads events or books them: `reports` reads the entries that are loaded.
NOT_FOR_REPORTS = {"plugin", "event_directives", "event_files", "parquet", "engine", "state"}
# Which folders of the package each of them may know, besides itself.
KNOWS: dict[str, set[str]] = {
    "collector": set(),
    "economy": set(),
    "ledger": {"economy"},
    "closed": {"economy", "ledger"},
    "booking": {"economy", "ledger", "closed"},
    "plugin": {"collector", "economy", "ledger", "closed", "booking"},
    "reports": {"collector", "economy", "ledger"},
    "close": {"collector", "economy", "ledger", "closed", "booking", "plugin", "reports"},
    "cli": {"collector", "economy", "ledger", "closed", "plugin", "reports", "close", "manual"},
    "fava_extension": {
        "economy",
        "ledger",
        "closed",
        "booking",
        "plugin",
        "reports",
        "close",
        "manual",
    },
    "manual": set(),
    "__init__": {"plugin"},
}


def imports(module: Path) -> set[str]:
    """The modules that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(module: Path) -> None:
    """A module knows its own folder and those below it; `reports` reads no files and no events."""
    part = part_of(module)
    known = {name.split(".")[1] for name in imports(module) if name.startswith(OWN)}
    assert known <= KNOWS[part] | {part}
    if part == "reports":
        assert not {word for name in imports(module) for word in name.split(".")} & NOT_FOR_REPORTS


@pytest.mark.parametrize(
    "module", [m for m in MODULES if part_of(m) == "economy"], ids=lambda path: path.stem
)
def test_the_economy_knows_nobody(module: Path) -> None:
    """Only Python's own library, and of that neither files nor the clock nor chance."""
    others = {name for name in imports(module) if not name.startswith(OWN)}
    assert {name.split(".")[0] for name in others} <= sys.stdlib_module_names
    assert not {name.split(".")[0] for name in others} & {"os", "pathlib", "time", "random", "io"}
    calls = {"open", "print", "input"}
    used = {
        node.id for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Name)
    }
    assert not used & calls
    assert "today()" not in module.read_text()
    assert "now()" not in module.read_text()
