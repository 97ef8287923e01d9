"""Imports run one way: economy, ledger, closed, reports, close; and on top the faces.

One word has one meaning over the whole package, and what goes through the members of an
enumeration goes through all of them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable
from enum import Enum, EnumType
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from coverage import Coverage

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
    "insight": {"economy", "reports"},
    "simulation": {"collector", "economy", "reports", "insight", "close"},
    "bulk_books": {"collector", "economy", "ledger", "reports"},
    "review": {"economy", "ledger", "booking", "reports"},
    "price_list": {"economy"},  # and is known to one face only: no load asks it
    "scenarios": {"collector", "economy", "ledger", "closed", "booking", "reports", "close"},
    "close": {
        "bulk_books",
        "collector",
        "economy",
        "ledger",
        "closed",
        "booking",
        "plugin",
        "reports",
        "insight",
        "review",
    },
    "bulk": {"collector", "economy", "ledger", "closed", "booking", "plugin", "reports", "close"},
    "cli": {
        "bulk",
        "bulk_books",
        "collector",
        "economy",
        "ledger",
        "closed",
        "booking",
        "plugin",
        "reports",
        "insight",
        "review",
        "scenarios",
        "simulation",
        "close",
        "manual",
        "price_list",
    },
    "fava_extension": {
        "bulk",
        "bulk_books",
        "economy",
        "ledger",
        "closed",
        "booking",
        "plugin",
        "reports",
        "insight",
        "review",
        "scenarios",
        "close",
        "manual",
    },
    "manual": set(),
    "__init__": {"plugin"},
}
ALIAS = re.compile(r"_?[A-Z][a-z]\w*")
# Tables by some members only, and why the others have no place in them.
PARTIAL_BY_MEANING: dict[str, str] = {
    "economy/rules/late_draws.py": "what takes units of a lot: others take none",
    "economy/kinds.py": "the pockets of an allocation: no subscriber has prepaid credits",
    "economy/rules/__init__.py": "mint and expiry are no events: they are derived",
    "reports/charts/money.py": "the two pockets of deferred revenue",
    "reports/charts/flow.py": "colours of those flows that have one of their own",
    "economy/rules/giving_back.py": "the three ways in which money goes back of an allocation",
    "reports/books.py": "the kinds of income that few ledgers have",
    "reports/provider_statement.py": "what moves a provider's credits, and what a cost stands on",
    "reports/summary.py": "of money, only these three kinds pay for units or take it back",
}


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imports(module: Path) -> set[str]:
    """The modules that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
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
    used = {node.id for node in ast.walk(tree_of(module)) if isinstance(node, ast.Name)}
    assert not used & calls
    assert "today()" not in module.read_text()
    assert "now()" not in module.read_text()


# One word, one meaning


def doubled(found: Iterable[tuple[str, Path]]) -> set[str]:
    """The names that stand in several places."""
    counted = Counter(name for name, _ in found)
    return {name for name, count in counted.items() if count > 1}


def test_a_type_has_a_name_of_its_own() -> None:
    """No two classes or type aliases of the package are called the same; private ones neither."""
    found = []
    for module in MODULES:
        for node in tree_of(module).body:
            if isinstance(node, ast.ClassDef):
                found.append((node.name, module))
            elif isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                found += [(name, module) for name in names if ALIAS.fullmatch(name)]
    assert len(found) > 200
    assert not doubled(found)


def test_a_file_has_a_name_of_its_own() -> None:
    """So that a name in a message, a diff or a talk says which."""
    found = [(m.stem, m) for m in MODULES if m.stem not in ("__init__", "__main__")]
    assert not doubled(found)


# Closed sets are closed


def enums() -> dict[str, type[Enum]]:
    """The enumerations of the package by name."""
    found: dict[str, type[Enum]] = {}
    for module in MODULES:
        if module.stem != "__main__":
            name = ".".join(
                ("beancount_compute", *module.relative_to(PACKAGE).with_suffix("").parts)
            )
            for value in vars(import_module(name.removesuffix(".__init__"))).values():
                if isinstance(value, EnumType) and value.__module__.startswith(OWN):
                    found[value.__name__] = value
    return found


ENUMS = enums()


def member(node: ast.AST) -> tuple[str, str] | None:
    """The enumeration and the member that an expression such as `Kind.TRADE` names."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    return (node.value.id, node.attr) if node.value.id in ENUMS else None


def left_out(named: Iterable[tuple[str, str] | None]) -> set[str]:
    """The members of an enumeration that are not named; none where something else is named."""
    found = list(named)
    kinds = {each[0] if each else "" for each in found}
    if len(kinds) != 1 or "" in kinds:
        return set()
    names = {each[1] for each in found if each}
    return set(ENUMS[kinds.pop()].__members__) - names


def is_closed(switch: ast.Match) -> bool:
    """Whether a `match` on members of an enumeration names all, or ends in `assert_never`."""
    patterns = [pattern for case in switch.cases for pattern in ast.walk(case.pattern)]
    named = [member(each.value) for each in patterns if isinstance(each, ast.MatchValue)]
    if not any(named):
        return True
    last = switch.cases[-1]
    if isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None:
        return "assert_never" in ast.unparse(last.body[0])
    return not left_out(each for each in named if each)


def places(found: Iterable[tuple[Path, ast.AST]]) -> set[str]:
    return {str(module.relative_to(PACKAGE)) for module, _ in found}


def test_every_switch_over_members_is_closed() -> None:
    """Whoever adds a kind is told by mypy where it is forgotten: no `case _` takes the rest."""
    switches = [
        (module, node)
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Match)
    ]
    assert len(switches) > 5
    assert not places(each for each in switches if not is_closed(each[1]))


def test_every_table_by_members_is_whole() -> None:
    """A dictionary that is written out by the members of an enumeration has all of them."""
    tables = [
        (module, node)
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Dict) and len(node.keys) > 1
    ]
    partial = [
        (module, node)
        for module, node in tables
        if left_out(member(key) if key else None for key in node.keys)
    ]
    assert places(partial) == set(PARTIAL_BY_MEANING)


def test_only_the_economys_own_tests_are_measured() -> None:
    """Measuring branches takes as long again as the test: here none goes on."""
    assert Coverage.current() is None
