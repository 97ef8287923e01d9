"""Golden ledgers: a ledger, and the books that it must give, as Beancount text.

    python -m tests.golden.update      ; writes every expected.beancount anew; then read the diff

Each folder beside this file, or in `cases` if it is a published case, holds `ledger.beancount`,
whose figures are traced to their source in its comments and stated again in `compute-assert` lines,
and `expected.beancount`, the booked ledger as `bean-compute print` writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from beancount import loader

from beancount_compute.ledger.text import booked_text

GOLDEN = Path(__file__).parent
CASES = sorted(path.parent for path in GOLDEN.glob("**/ledger.beancount"))
PUBLISHED = [case for case in CASES if case.parent.name == "cases"]


def books(case: Path) -> tuple[str, list[Any]]:
    """The booked ledger of a case as text, and the errors of loading it."""
    entries, errors, options = loader.load_file(str(case / "ledger.beancount"))
    return "".join(booked_text(entries, options)), errors


def main() -> None:
    for case in CASES:
        text, errors = books(case)
        assert not errors, errors
        (case / "expected.beancount").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
