"""The chain of seals: each names the one before, and proves all that its own line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.close.sealing import close, load_errors, run, write

ROWS = (
    "t-1,2026-04-02,,allocation,alice,,,100,CU,,10.00,USD,,,,",
    "u-1,2026-05-02,,consumption,alice,,,10,CU,,,,,,,",
    "u-2,2026-06-02,,consumption,alice,,,10,CU,,,,,,,",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """April, May and June are closed; June was opened once in between."""
    path = write(tmp_path, "", *ROWS)
    close(path, "2026-04", "2026-05", "2026-06")
    assert run("reopen", "2026-06", path, "--reason", "x").exit_code == 0
    close(path, "2026-06")
    return path


def index(ledger: Path) -> Path:
    return ledger.parent / "closed" / "index.beancount"


def parts(ledger: Path) -> list[str]:
    """The heading of the index, and its lines: April, May, June, the reopening, June."""
    return index(ledger).read_text().split("\n\n")


def errors_with(ledger: Path, links: list[str]) -> list[str]:
    index(ledger).write_text("\n\n".join(links))
    return load_errors(ledger)


def test_an_index_as_it_was_written_is_no_error(ledger: Path) -> None:
    """Nor is one with its lines in another order, or with comments."""
    head, *links = parts(ledger)
    assert load_errors(ledger) == []
    links = [link.rstrip("\n") for link in links]
    assert errors_with(ledger, [head, "; a note", *reversed(links), ""]) == []


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_a_seal_taken_out_of_the_chain_breaks_it(ledger: Path, gone: int) -> None:
    """Said at the line that follows the gap; what was closed stays closed."""
    head, *links = parts(ledger)
    del links[gone]
    errors = errors_with(ledger, [head, *links])
    assert any("the chain of seals is broken before 2026-0" in error for error in errors)
    assert all(error.startswith("closed/") for error in errors)
    assert run("close", "2026-07", ledger).exit_code == 1


def test_a_seal_twice_breaks_the_chain(ledger: Path) -> None:
    head, *links = parts(ledger)
    errors = errors_with(ledger, [head, *(link.rstrip("\n") for link in links), links[0]])
    assert any("or another follows it too" in error for error in errors)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (1, "100", "1"),
        (1, "events: 1", "events: 2"),
        (1, "events: 1", "events: 1.5"),
        (2, "USD", "EUR"),
        (2, "events: 1", "events: TRUE"),
        (3, "deferred-revenue: 8", "deferred-revenue: 7"),  # of the seal that was opened again
        (4, '"x"', '"y"'),
        (4, "2026-06 sha", "2026-05 sha"),
        (5, "  files:", "  feils:"),
        (5, "  content:", "  also: 5\n  content:"),
        (5, "2026-06-30", "2026-06-29"),
        (5, '"2026-06"', '"2026-07"'),
        (5, '"2026-06"', "5"),
    ],
)
def test_no_part_of_a_line_can_change_alone(ledger: Path, part: int, old: str, new: str) -> None:
    """Deferred revenue, the count of events, a reason, a month, a key: the seal says otherwise."""
    links = parts(ledger)
    if old not in links[part]:
        old, new = "deferred-revenue: ", "deferred-revenue: 1"
    links[part] = links[part].replace(old, new, 1)
    errors = errors_with(ledger, links)
    assert errors and all("Traceback" not in error for error in errors)
    assert any("restore the index as it was" in error for error in errors), errors


def test_an_index_that_is_not_there_or_empty_opens_all(ledger: Path) -> None:
    """Beancount names the first; the second is a new start, which `verify` and a seal kept
    elsewhere tell from one that never was."""
    index(ledger).write_text("; nothing\n")
    assert load_errors(ledger) == []
    result = run("close", "2026-04", ledger)
    assert result.exit_code == 1  # books.beancount and the files are there, of this chain or not
    index(ledger).unlink()
    assert any("index.beancount" in error for error in load_errors(ledger))
