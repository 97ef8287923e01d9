"""One request: what it asks for, the books that it may see, and what every view says about it.

    the market under account=Income:Fees   ->  all trades, all tokens, and a note

A price, a turnover and a vintage are made of postings on several accounts: a few of them would add
up to nothing. Such a view shows the figures of all accounts, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Protocol

from beancount.core.data import Directive

from beancount_compute.economy import quoted
from beancount_compute.fava_extension.asked import CONVERSIONS, Asked, BadRequest
from beancount_compute.fava_extension.blocks import Block, FavaNumbers, choice, controls, linked
from beancount_compute.fava_extension.fava_parts import having
from beancount_compute.fava_extension.loaded import LoadedBooks
from beancount_compute.fava_extension.prepared.narrowing import Filter, narrow, with_trades_of
from beancount_compute.reports import Books, Interval


class Addresses(Protocol):
    """Addresses of Fava's own pages."""

    def journal(self, words: str, time: str = "") -> str: ...
    def editor(self, file: str, line: int) -> str: ...
    def context(self, entry: Directive) -> str: ...


@dataclass
class Page:
    """A request to one view; `notes` collects what does not apply to it."""

    loaded: LoadedBooks
    asked: Asked
    accounts: frozenset[str] | None  # those that Fava's account filter keeps; None: all
    entries: list[Directive] | None  # those that Fava's third filter keeps; None: all
    numbers: FavaNumbers
    links: Addresses
    notes: list[str] = field(default_factory=list)
    hides_numbers: bool = False  # an order by amounts would tell them

    @cached_property
    def kept(self) -> Filter:
        """What Fava's filters of accounts and entries keep, and the subscriber that was chosen."""
        places = None
        if self.entries is not None:
            place_of = self.loaded.books.place_of
            found = [place_of.get(id(entry)) for entry in self.entries]
            places = frozenset([at for at in found if at is not None])
        return Filter(self.accounts, places, self.asked.subscriber)

    @cached_property
    def books(self) -> Books:
        """The books that the filters let through, alike facts of a day added up."""
        return narrow(self.loaded.books, self.loaded.summed, self.kept)

    def check_names(self) -> None:
        """Refuse a plan or a subscriber that the ledger does not know."""
        books, asked = self.loaded.books, self.asked
        looked_up = asked.subscriber if self.loaded.first_bulk_day is not None else ""
        if looked_up and asked.view != "subscribers":
            self.ignores("subscriber", because="months in bulk tell one apart on Subscribers alone")
            self.asked = replace(asked, subscriber="")
        for what, name, known in (
            ("plan", asked.selection.plan, self.loaded.origins),
            ("subscriber", "" if looked_up else asked.subscriber, books.subscribers),
        ):
            if name and name not in known:
                raise BadRequest(what, f"the ledger has no {what} {quoted(name)}")

    def interval(self, default: Interval, *allowed: Interval) -> Interval:
        """The interval of the address, as far as the view knows it."""
        asked = self.asked.interval
        if asked is None:
            return default
        if allowed and asked not in allowed:
            names = ", ".join(allowed)
            self.notes.append(f"The interval {asked} does not apply here; these do: {names}.")
            return default
        return asked

    def ignores(self, what: str, *, because: str) -> None:
        """Say that a filter of the address does not apply, if the address has it."""
        asked = self.asked
        given = {
            "time": bool(asked.time),
            "account": self.accounts is not None,
            "filter": self.entries is not None,
            "interval": asked.interval is not None,
            "plan": bool(asked.selection.plan),
            "subscriber": bool(asked.subscriber),
        }
        if given[what]:
            self.notes.append(f"{_NAMES[what]} does not apply here: {because}.")

    def conversion(self, *applies: str, because: str) -> str:
        """The conversion of the address, if the view knows it; else the first that it knows."""
        asked = self.asked.conversion
        if asked in applies:
            return asked
        if asked != "at_cost":
            name = CONVERSIONS.get(asked, asked)
            self.notes.append(f"The conversion {quoted(name)} does not apply here: {because}.")
        return applies[0] if applies else ""

    def plans(self) -> Block:
        """The choice of a plan."""
        options = [("", "All plans"), *[(each, each) for each in sorted(self.loaded.origins)]]
        options = [(value, text) for value, text in options if value or text == "All plans"]
        return choice("plan", "Plan", self.asked.selection.plan, options)

    def with_digits(self, blocks: list[Block]) -> list[Block]:
        """The blocks of a view, with the choice to see figures in full, after its other choices."""
        value = "all" if self.asked.all_digits else ""
        digits = choice("digits", "Digits", value, [("", "As in Fava"), ("all", "All")])
        found: list[Block] = []
        for block in blocks:
            if block["kind"] == "controls":
                block = {**block, "items": [*block["items"], digits]}
            found.append(block)
        if not any(block["kind"] == "controls" for block in found):
            found.insert(0, controls(digits))
        return found

    def intervals(self, default: Interval, *allowed: Interval) -> Block:
        """The choice of an interval."""
        names = allowed or tuple(Interval)
        asked = self.asked.interval
        value = asked if asked in names else default
        shown = [(each.value, _SHOWN[each]) for each in names]
        return choice("interval", "Interval", value or default, shown)

    def conversions(self, names: Iterable[str], value: str) -> Block:
        """The choice of a conversion."""
        shown = [(name, CONVERSIONS[name]) for name in names]
        return choice("conversion", "Conversion", value, shown)


_NAMES = {
    "time": "The time filter",
    "account": "The account filter",
    "filter": "The filter of entries",
    "interval": "The interval",
    "plan": "The plan",
    "subscriber": "The subscriber",
}
_SHOWN = {
    Interval.DAY: "Daily",
    Interval.WEEK: "Weekly",
    Interval.MONTH: "Monthly",
    Interval.QUARTER: "Quarterly",
    Interval.YEAR: "Yearly",
}


def last_shown(page: Page) -> date:
    """The day of which balances are shown: the last one asked for, no later than the books."""
    return min(page.asked.selection.day_of(page.loaded.books), page.loaded.end)


def in_a_sentence(error: Exception) -> str:
    """A message as a sentence of a page."""
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


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


def to_statements(page: Page, block: Block, key: str) -> Block:
    """A table whose subscribers, in one of its columns, lead to their statements."""
    at = next(at for at, column in enumerate(block["columns"]) if column["key"] == key)
    links = [
        {"go": {"view": "subscribers", "subscriber": row[at], "page": ""}}
        if row[at] in page.loaded.books.subscribers
        else None
        for row in block["rows"]
    ]
    return linked(block, key, links)


def place_in_editor(page: Page, file: str, line: int) -> dict[str, str] | None:
    """A link to a line in Fava's editor, which opens files of the ledger only."""
    known = file in page.loaded.options["include"]
    return {"href": page.links.editor(file, line)} if known else None
