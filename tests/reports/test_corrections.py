"""Late events, reversals and reopened months."""

from __future__ import annotations

from datetime import date

from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.reports.books import Books, Selection, read_books
from tests.reports.story import STORY, books_of, figures, rows

REVERSED = STORY.replace("1400", "900") + '2026-06-21 custom "compute-reversal" "trade"\n'


def late_books() -> Books:
    """The story, with bob's first use as a late event would be booked."""
    entries, _, options = loader.load_string(STORY)
    for at, entry in enumerate(entries):
        if isinstance(entry, Transaction) and entry.meta.get("event") == "use-bob":
            meta = {**entry.meta, "occurred": date(2026, 4, 30)}
            entries[at] = entry._replace(tags=entry.tags | {"compute-late"}, meta=meta)
    return read_books(entries, options)


def test_a_late_event_shows_when_it_occurred_and_what_it_changed() -> None:
    """1000 CU used, so 200.00 less deferred and 200.00 earned."""
    (late,) = rows(late_books(), "corrections", "late")
    assert [late[key] for key in ("booked", "occurred", "event", "kind", "subscriber")] == [
        "2026-05-20",
        "2026-04-30",
        "use-bob",
        "consumption",
        "bob",
    ]
    assert figures(late) == {"units": "-1000", "deferred": "-200.00", "income": "200.00"}
    assert rows(late_books(), "corrections", "reversals") == []


def test_a_reversal_names_what_it_undoes() -> None:
    """A trade undone changes no deferred revenue; its fee is gone."""
    (undone,) = rows(books_of(REVERSED), "corrections", "reversals")
    assert (undone["reverses"], undone["kind"]) == ("trade", "trade")
    assert figures(undone) == {"income": "-6.25"}
    assert rows(books_of(REVERSED), "corrections", "late") == []


def test_corrections_outside_the_selection_are_left_out() -> None:
    """By day, and by subscriber."""
    books = books_of(REVERSED)
    for selection in (Selection(end=date(2026, 6, 20)), Selection(date(2026, 6, 22))):
        assert rows(books, "corrections", "reversals", selection) == []
    (of_bob,) = rows(books, "corrections", "reversals", Selection(subscriber="bob"))
    assert figures(of_bob) == {"units": "-500", "deferred": "-100.00"}


def test_a_reopened_month_shows_its_reason() -> None:
    """Read from the index of closed months."""
    text = STORY.replace('plugin "beancount_compute"\n', "")
    entries, _, options = loader.load_string(
        text + '2026-05-31 custom "compute-reopen" "2026-05" "wrong price"\n'
    )
    (row,) = rows(read_books(entries, options), "corrections", "reopened")
    assert (row["date"], row["month"], row["reason"]) == ("2026-05-31", "2026-05", "wrong price")
