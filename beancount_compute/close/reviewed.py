"""The review of a loaded ledger, whole or of one month as the books stood at its end."""

from __future__ import annotations

from beancount_compute.close.loading import Loaded
from beancount_compute.close.storage import CloseError
from beancount_compute.reports import Books, read_books
from beancount_compute.review import Review, review_month, review_open


def reviewed(loaded: Loaded, month: str = "", books: Books | None = None) -> Review:
    """The findings of a month, or of all open ones; raises `CloseError` without the plugin."""
    booking = loaded.booking
    if booking is None:
        raise CloseError('the ledger has no line plugin "beancount_compute": nothing is booked')
    books = books or read_books(loaded.entries, loaded.options)
    if month:
        return review_month(booking, books, month)
    return review_open(booking, books)
