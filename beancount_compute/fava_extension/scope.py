"""What a view covers where a filter would take away half of what it compares.

    the market under account=Income:Fees   ->  all trades, all tokens, and a note

A price, a turnover and a vintage are made of postings on several accounts: a few of them would add
up to nothing. Such a view shows the figures of all accounts, and says so.
"""

from __future__ import annotations

from datetime import date

from beancount_compute.fava_extension.fava_parts import having
from beancount_compute.fava_extension.page import Page
from beancount_compute.fava_extension.prepared.narrowing import narrow, with_trades_of
from beancount_compute.reports.books import Books


def last_shown(page: Page) -> date:
    """The day of which balances are shown: the last one asked for, no later than the books."""
    return min(page.asked.selection.day_of(page.loaded.books), page.loaded.end)


def beyond_the_books(page: Page) -> list[str]:
    """A note where the time filter asks for days that the books do not reach."""
    end, asked = page.loaded.derived_until, page.asked.selection.end
    if asked is None or asked <= end:
        return []
    return [f"The books end on {end}; nothing after it is derived."]


def of_all_accounts(page: Page, *, because: str) -> Books:
    """The books under all filters but that of accounts."""
    page.ignores("account", because=because)
    return narrow(page.loaded.books, page.loaded.summed, page.kept._replace(accounts=None))


def of_the_market(page: Page) -> Books:
    """The books with the trades that filters keep, and with all tokens."""
    page.ignores("account", because="prices and tokens outstanding are of the whole market")
    if page.entries is not None:
        page.notes.append(
            "The filter of entries chooses trades; tokens outstanding are of the whole market."
        )
    return with_trades_of(page.loaded.books, page.loaded.summed, page.kept)


def transaction(page: Page, place: int) -> dict[str, str]:
    """A link to a transaction: in the journal by its event, or in Fava's overlay."""
    entry = page.loaded.books.transactions[place]
    event = entry.meta.get("event")
    if not event:
        return {"href": page.links.context(entry)}
    return {"href": page.links.journal(having("event", str(event))), "title": "In the journal"}
