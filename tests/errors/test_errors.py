"""One broken ledger per refusal, with the message that a person reads.

    ; Use beyond the holdings, under a plan without an overage price.
    plugin "beancount_compute"
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
    2026-05-01 custom "compute-subscription" "alice" "pro"
    2026-05-20 custom "compute-consumption" "alice" 200 CU
    2026-06-01 balance Income:Compute  -40.00 USD          ; the rest of the books stands

    2026-05-21 custom "compute-consumption" "alice" 800.5 CU

    ; error main:8: "alice" uses 800.5 CU and holds 800 CU, and plan "pro" has no ...

Each ledger ends with all its errors: file (`main` is the ledger itself), line, message. After a
change of messages `python tests/errors/test_errors.py` writes them anew; then read the diff.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Balance, Directive, Transaction

HERE = Path(__file__).parent
EXPECTED = re.compile(r"^; error (\S+):(\d+): (.*)$", re.MULTILINE)
LEDGERS = sorted(
    path for path in HERE.rglob("*.beancount") if 'plugin "beancount_compute"' in path.read_text()
)

Shown = tuple[str, int, str]  # file, line, message

every_ledger = pytest.mark.parametrize(
    "ledger", LEDGERS, ids=lambda path: path.relative_to(HERE).with_suffix("").as_posix()
)


@every_ledger
def test_the_errors_of_a_broken_ledger_are_those_it_announces(ledger: Path) -> None:
    """File, line and message of every error, and no other error; each on one line."""
    _, errors, _ = loader.load_file(str(ledger))
    found = shown(errors, ledger)
    assert found == announced(ledger)
    assert all(message.isprintable() for _, _, message in found)


@every_ledger
def test_the_rest_of_the_books_stands(ledger: Path, imbalance: Any) -> None:
    """What is right is booked, to exactly zero, and a `balance` line that holds vouches for it."""
    entries, errors, _ = loader.load_file(str(ledger))
    booked = generated(entries)
    assert booked
    assert all(imbalance(transaction) == {} for transaction in booked)
    used = {posting.account for transaction in booked for posting in transaction.postings}
    vouched = [each for each in entries if isinstance(each, Balance) and each.amount.number]
    assert used.intersection(balance.account for balance in vouched)
    assert not any(balance.diff_amount for balance in vouched)
    assert errors


def test_there_is_a_broken_input_of_each_kind() -> None:
    """Each announced at its line: lines, rows, files and postings."""
    found = [each for ledger in LEDGERS for each in announced(ledger)]
    assert len(found) > 340
    assert len({message for _, _, message in found}) > 250


def announced(ledger: Path) -> list[Shown]:
    """The errors that a ledger says it has."""
    return sorted(
        (file, int(line), message) for file, line, message in EXPECTED.findall(ledger.read_text())
    )


def shown(errors: Iterable[Any], ledger: Path) -> list[Shown]:
    """Errors as ledgers announce them: paths are seen from the ledger's folder."""
    folder = ledger.parent
    return sorted(
        (
            "main"
            if error.source["filename"] == str(ledger)
            else Path(error.source["filename"]).relative_to(folder).as_posix(),
            error.source["lineno"],
            error.message.replace(f"{folder}/{ledger.name}:", "main:").replace(f"{folder}/", ""),
        )
        for error in errors
    )


def generated(entries: Iterable[Directive]) -> list[Transaction]:
    """The transactions that the plugin made."""
    return [
        entry for entry in entries if isinstance(entry, Transaction) and "__order" in entry.meta
    ]


def announce_anew() -> None:
    """Write the errors that each ledger has now to its end."""
    for ledger in LEDGERS:
        _, errors, _ = loader.load_file(str(ledger))
        text = EXPECTED.sub("", ledger.read_text()).rstrip()
        lines = [
            f"; error {file}:{line}: {message}" for file, line, message in shown(errors, ledger)
        ]
        ledger.write_text("\n".join([text, "", *lines, ""]))


if __name__ == "__main__":
    announce_anew()
