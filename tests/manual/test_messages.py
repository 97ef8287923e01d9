"""The messages that the manual explains are messages of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import beancount_compute
from beancount_compute import manual

PACKAGE = Path(beancount_compute.__file__).parent
OF_BEANCOUNT = "Invalid reference to unknown account"
CHANGING = re.compile(r"\.\.\.|'[^']*'|\"[^\"]*\"|\d[\d.-]*|\b[A-Z][A-Za-z]*\b")


@cache
def texts() -> str:
    """All texts of the package's code, with a mark where a value is put in."""
    found: list[str] = []
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [str(p.value) if isinstance(p, ast.Constant) else "\0" for p in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def messages() -> Iterator[str]:
    """What stands as code in the first column of the tables of errors, but for names."""
    for name in ("errors", "closing"):
        for cell in re.findall(r"(?m)^\| (`.*?) \|", manual.pages()[name].text):
            yield from (each for each in re.findall(r"`([^`]+)`", cell) if " " in each)


@pytest.mark.parametrize("message", sorted(messages()))
def test_a_message_is_as_the_code_says_it(message: str) -> None:
    """Part by part: what changes from case to case is left out."""
    parts = [each.strip(" :,") for each in CHANGING.split(message)]
    parts = [each for each in parts if len(each) > 4 and each not in OF_BEANCOUNT]
    assert parts or message.startswith(OF_BEANCOUNT)
    assert [each for each in parts if each not in texts()] == []


def test_the_tables_hold_messages() -> None:
    """Else the test above looks at nothing."""
    assert len(list(messages())) >= 15
