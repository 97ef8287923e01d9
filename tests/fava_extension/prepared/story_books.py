"""The books of the story, as pages use them."""

from __future__ import annotations

from beancount_compute.fava_extension.prepared.narrowing import coarse
from beancount_compute.reports.books import Books
from tests.reports.story import STORY, books_of


def story() -> tuple[Books, Books]:
    """The books of the story, and the same with alike facts added up."""
    books = books_of(STORY)
    return books, coarse(books)
