"""Where the plugin's books of a ledger differ from the auditor's.

audit(path)       ; the auditor's figures
compare(path)     ; a line for each difference: balances, lots, prices, errors

python -m tests.laws.auditor.comparing LEDGER...
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core import data

from tests.laws.auditor.reading import Reading
from tests.laws.auditor.records import (
    ZERO,
    Day,
    Event,
    HandPosting,
    Leg,
    Lot,
    Transaction,
    component,
    exact,
    rounded,
)
from tests.laws.auditor.rules import Books


class Posting(NamedTuple):
    """A posting of the finished books."""

    date: Day
    account: str
    number: Decimal
    currency: str
    cost: tuple[Decimal, str, Day, str | None] | None


@dataclass(frozen=True)
class Audit:
    """What the books must show."""

    balances: dict[tuple[Day, str, str], Decimal]
    lots: dict[tuple[str, str, Decimal, str, Day, str | None], Decimal]
    prices: dict[tuple[Day, str, str], Decimal]
    errors: set[tuple[str, int]]
    messages: list[str]
    aliases: dict[tuple[str, int], tuple[str, int]]  # lines that count as one for errors
    found: dict[tuple[str, int], Decimal]  # assertions: the figure in the books
    parse_errors: list[Any]  # what Beancount itself says of the ledger
    journal: list[Transaction]
    held: dict[tuple[str, str], dict[Lot, Decimal]]  # by holder and pocket
    accounts: dict[str, str]  # the account of each role, with its placeholders
    components: dict[str, str]  # of the subscribers that are known
    no_lots: list[HandPosting]  # hand-written postings on the pockets that are refused
    refundable: set[Lot]  # of those held, what can be had back on demand


# The finished books


def account_of(accounts: dict[str, str], books: Books, leg: Leg) -> str:
    account = accounts[leg.role]
    account = account.replace("{subscriber}", books.known.get(leg.subscriber, "?"))
    account = account.replace("{partner}", component(leg.partner) if leg.partner else "?")
    account = account.replace("{provider}", component(leg.partner) if leg.partner else "?")
    account = account.replace("{capacity}", component(leg.partner) if leg.partner else "?")
    account = account.replace("{meter}", component(leg.origin) if leg.origin else "?")
    return account.replace("{plan}", component(leg.origin) if leg.origin else "?")


def generated_postings(accounts: dict[str, str], books: Books) -> list[Posting]:
    postings = []
    for transaction in books.journal:
        for leg in transaction.legs:
            lot = leg.lot
            cost = (lot.cost, lot.currency, lot.date, lot.label) if lot else None
            account = account_of(accounts, books, leg)
            postings.append(Posting(transaction.date, account, leg.number, leg.currency, cost))
    return postings


def loaded_postings(entries: list[Any]) -> list[Posting]:
    postings = []
    for entry in entries:
        written: list[Any] = entry.postings if isinstance(entry, data.Transaction) else []
        for posting in written:
            held = posting.cost
            cost = (held.number, held.currency, held.date, held.label) if held else None
            units = posting.units
            postings.append(
                Posting(entry.date, posting.account, units.number, units.currency, cost)
            )
    return postings


def balances_of(postings: list[Posting]) -> dict[tuple[Day, str, str], Decimal]:
    running: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    balances = {}
    for posting in sorted(postings, key=lambda p: p.date):
        running[posting.account, posting.currency] += posting.number
        key = (posting.date, posting.account, posting.currency)
        balances[key] = running[posting.account, posting.currency]
    return balances


def lots_of(
    postings: list[Posting],
) -> dict[tuple[str, str, Decimal, str, Day, str | None], Decimal]:
    lots: dict[tuple[str, str, Decimal, str, Day, str | None], Decimal] = defaultdict(Decimal)
    for posting in postings:
        if posting.cost is not None:
            lots[(posting.account, posting.currency, *posting.cost)] += posting.number
    return {key: units for key, units in lots.items() if units != 0}


def written_prices(entries: list[Any]) -> dict[tuple[Day, str, str], Decimal]:
    return {
        (e.date, e.currency, e.amount.currency): e.amount.number or ZERO
        for e in entries
        if isinstance(e, data.Price)
    }


def market_prices(books: Books) -> dict[tuple[Day, str, str], Decimal]:
    """The day's averages, weighted by units."""
    trades: dict[tuple[Day, str, str], list[Event]] = defaultdict(list)
    for trade in books.trades:
        assert trade.commodity and trade.currency
        trades[trade.date, trade.commodity, trade.currency].append(trade)
    prices: dict[tuple[Day, str, str], Decimal] = {}
    known: set[str] = set()
    for transaction in books.journal:
        for leg in transaction.legs:
            if leg.role == "access" and leg.currency not in known:
                known.add(leg.currency)
                prices[transaction.date, leg.currency, leg.currency[7:]] = Decimal(1)
    for key, events in trades.items():
        units = sum(Fraction(e.units or 0) for e in events)
        worth = Fraction(0) + sum(Fraction(e.units or 0) * Fraction(e.price or 0) for e in events)
        prices[key] = rounded(worth / Fraction(units), Decimal("0.000001"))
    return prices


def audit(path: Path | str) -> Audit:
    """What the books of this ledger must show."""
    with exact():
        reading = Reading(Path(path))
        books = Books(reading.facts, reading.terms)
        books.run()
        postings = generated_postings(reading.accounts, books) + loaded_postings(reading.entries)
        return Audit(
            balances_of(postings),
            lots_of(postings),
            market_prices(books) | written_prices(reading.entries),  # the ledger's own prices win
            reading.refusals.places | books.refusals.places,
            reading.refusals.messages + books.refusals.messages,
            books.aliases | reading.aliases,
            books.found,
            reading.parse_errors,
            books.journal,
            books.held,
            reading.accounts,
            books.known,
            [p for p in reading.facts.reductions if p.place in books.refusals.places],
            {lot for lots in books.held.values() for lot in lots if books.is_refundable(lot)},
        )


# The comparison


def carried(
    balances: dict[tuple[Day, str, str], Decimal], keys: set[tuple[Day, str, str]]
) -> dict[tuple[Day, str, str], Decimal]:
    """The balances on all these days; where nothing was booked, the one before."""
    running: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    found = {}
    for key in sorted(keys):
        running[key[1:]] = balances.get(key, running[key[1:]])
        found[key] = running[key[1:]]
    return found


def differing(what: str, ours: dict[Any, Decimal], theirs: dict[Any, Decimal]) -> list[str]:
    lines = []
    for key in sorted(set(ours) | set(theirs), key=str):
        if ours.get(key) != theirs.get(key):
            shown = " ".join(str(part) for part in key)
            lines.append(f"{what} {shown}: auditor {ours.get(key)}, plugin {theirs.get(key)}")
    return lines


def unbalanced(entries: list[Any]) -> list[str]:
    """Transactions of the plugin that do not sum to exactly zero."""
    lines = []
    for entry in entries:
        tags = getattr(entry, "tags", None) or ()
        if not any(t.startswith("compute-") and t != "compute-opening" for t in tags):
            continue
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for posting in entry.postings:
            units, cost = posting.units, posting.cost
            if cost is None:
                sums[units.currency] += units.number
            else:
                sums[cost.currency] += units.number * cost.number
        lines += [f"sum of {entry.date} {tags}: {n} {c}" for c, n in sums.items() if n != 0]
    return lines


def is_from_plugin(error: Any) -> bool:
    return type(error).__module__.startswith("beancount_compute")


def following(message: str) -> int:
    """How many errors are counted behind this one, from which they follow."""
    counted = re.search(r"\((\d+) more errors? follows? from this, ", message)
    return int(counted[1]) if counted else 0


def compare(ledger_path: Path | str) -> list[str]:
    """Every difference between the plugin's books and the auditor's."""
    ours = audit(ledger_path)
    entries, errors, _ = loader.load_file(str(ledger_path))
    expected = {(type(e).__name__, e.message) for e in ours.parse_errors}
    lines = []
    theirs_at: dict[tuple[str, int], str] = {}
    for error in errors:
        if is_from_plugin(error):
            place = (Path(error.source["filename"]).name, error.source["lineno"])
            theirs_at[ours.aliases.get(place, place)] = error.message
        elif (type(error).__name__, error.message) not in expected:
            lines.append(f"beancount says: {type(error).__name__} {error.message}")
    said = {m.split(": ", 1)[0]: m for m in ours.messages}
    ours_at = {ours.aliases.get(p, p): said[f"{p[0]}:{p[1]}"] for p in ours.errors}
    untold = sorted(set(ours_at) - set(theirs_at))
    if len(untold) == sum(map(following, theirs_at.values())):
        untold = []
    for place in untold:
        lines.append(f"error only of the auditor: {ours_at[place]}")
    for place in sorted(set(theirs_at) - set(ours_at)):
        lines.append(f"error only of the plugin: {place[0]}:{place[1]}: {theirs_at[place]}")
    with exact():
        postings = loaded_postings(entries)
        theirs = balances_of(postings)
        every = set(ours.balances) | set(theirs)
        lines += differing("balance", carried(ours.balances, every), carried(theirs, every))
        lines += differing("lot", ours.lots, lots_of(postings))
        lines += differing("price", ours.prices, written_prices(entries))
        lines += unbalanced(entries)
    return lines


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print("\n".join(compare(argument)) or f"{argument}: no difference")
