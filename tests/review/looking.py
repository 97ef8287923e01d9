"""Reviews of small ledgers, for tests: in this process, without the command line.

found = findings(folder, PLANS + "...", month="2026-05")
"""

from __future__ import annotations

from pathlib import Path

from beancount_compute.cli.review import reviewed
from beancount_compute.close.loading import load
from beancount_compute.review import Finding, Review

HEAD = 'plugin "beancount_compute"\noption "operating_currency" "USD"\n'


def review(
    folder: Path, text: str, month: str = "", *, files: dict[str, str] | None = None
) -> Review:
    """The review of a ledger of these lines, without errors; of one month if it is named."""
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    ledger = folder / "main.beancount"
    ledger.write_text(HEAD + text)
    loaded = load(ledger)
    assert [error.message for error in loaded.errors] == []
    return reviewed(loaded, month)


def findings(
    folder: Path, text: str, month: str = "", *, files: dict[str, str] | None = None
) -> list[Finding]:
    """What is found, and has no answer."""
    return review(folder, text, month, files=files).unanswered


def lines(found: list[Finding]) -> list[tuple[str, int]]:
    """The kinds of findings, with the lines where they stand."""
    return [(each.kind, each.place.line) for each in found]
