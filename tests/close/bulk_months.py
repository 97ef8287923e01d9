"""A small ledger whose months are booked in bulk, for tests.

May: alice and bob take 1000 CU each for 200.00; alice uses 200 CU, bob 0.5. 359.90 is deferred.
"""

from __future__ import annotations

from pathlib import Path

from tests.bulk.small_months import LEDGER, Row, begin, book, events, subscription, use
from tests.close.sealing import INCLUDE
from tests.close.sealing import begin as begin_to_close

MAY = (
    subscription("01", "alice"),
    subscription("01", "bob"),
    use("20", "alice", 200),
    use("20", "bob", "0.5"),
)


def booked(folder: Path, *months: tuple[str, tuple[Row, ...]]) -> Path:
    """A ledger with months in bulk, of which none is closed."""
    ledger = begin(folder)
    begin_to_close(ledger)
    for month, rows in months or (("2026-05", MAY),):
        book(folder, month, events(folder, month, *rows), prove=0)
        ledger.write_text(LEDGER + INCLUDE)
    return ledger
