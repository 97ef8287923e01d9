"""The next year's ledger: the same terms, opening lots and balances, as ordinary text.

2026-12-31 * "Opening lots" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}
  Equity:Opening-Balances                160.00 USD
2027-01-01 custom "compute-subscription" "alice" "pro"
  started: 2026-05-01
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from beancount.core.account import TYPE as ACCOUNT
from beancount.core.data import (
    Close,
    Commodity,
    Custom,
    Directive,
    Open,
    Price,
    Query,
)

from beancount_compute.booking import Booking
from beancount_compute.close.closing import INDEX_HEAD
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.opening_balances import (
    holds_lots,
    openings,
)
from beancount_compute.close.proving import balances
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import INDEX, capacity_written
from beancount_compute.economy import (
    ZERO,
    Capacity,
    Depreciation,
    Money,
    Month,
    Role,
    amount,
    money_written,
    quoted,
)
from beancount_compute.economy.carried import Carried, Running
from beancount_compute.ledger import (
    CAPACITY,
    TERM_TYPES,
    Accounts,
    directive_text,
    option_lines,
    string,
)
from beancount_compute.reports import read_books
from beancount_compute.review import NO_OPENING_LOT, review_open

MAIN = "main.beancount"
FAVA = "fava-"  # how Fava's own lines begin
BUDGET = "budget"  # another of them


def carry(loaded: Loaded, year: int, folder: Path) -> Path:
    """Write the ledger of a year from the one before; raises `CloseError`, and proves its lots."""
    booking = loaded.booking
    last_month = f"{year - 1:04}-12"
    closed = loaded.closed
    if booking is not None and (bulk_from := booking.terms.bulk_from):
        raise CloseError(
            f"from {bulk_from} on months are booked in bulk: what subscribers hold goes on from "
            "one month's folder to the next; stay in this ledger"
        )
    if booking is None or not closed or closed[-1].month != last_month:
        now = f"{closed[-1].month} is" if closed else "none is"
        raise CloseError(
            f"the year {year} begins where {last_month} is the last closed month; {now}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CloseError(f"{folder} is there already and not empty: name another folder")
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "closed").mkdir(parents=True)
        (partial / "closed" / INDEX).write_text(INDEX_HEAD, encoding="utf-8")
        text = "".join(_ledger(loaded, booking, Month.parse(last_month).last))
        (partial / MAIN).write_text(text, encoding="utf-8")
        again = _check(partial / MAIN, loaded, Month.parse(last_month).last)
        with open(partial / MAIN, "a", encoding="utf-8") as file:
            file.writelines(_section("Answers", _answers(again, booking)))
        if folder.exists():
            folder.rmdir()
        os.replace(partial, folder)
    except OSError as error:
        raise CloseError(f"can't write to {folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / MAIN


def _ledger(loaded: Loaded, booking: Booking, last_day: date) -> Iterator[str]:
    assert booking.state is not None  # a month is closed
    carried = booking.state.carried
    first_day = last_day + timedelta(1)
    entries = [entry for entry in loaded.entries if entry.date <= last_day]
    yield f"; The books from {first_day} on, carried over by bean-compute carry.\n\n"
    for name, config in loaded.options["plugin"]:
        yield f'plugin "{name}"' + (f" {string(config)}" if config else "") + "\n"
    yield from option_lines(loaded.options)
    yield f'\ninclude "closed/{INDEX}"\n'
    yield '; custom "compute-events" "events/*.csv"  ; as soon as there are some\n'
    yield from _section("Terms", _terms(booking, last_day))
    yield from _section("Capacities", _capacities(carried, booking, first_day))
    yield from _section("Subscribers", _subscribers(carried, booking, last_day))
    yield from _section("Subscriptions", _subscriptions(carried, booking.accounts, first_day))
    equity = _equity(loaded)
    needed = {equity, *_receivables(carried, booking.accounts, first_day)}
    yield from _section("Commodities and accounts", _accounts(entries, needed, last_day))
    yield from _section(
        "Opening lots and balances", openings(entries, booking, loaded.options, equity, last_day)
    )
    yield from _section("Prices", _prices(entries, last_day))
    yield from _section("Fava and queries", _faces(loaded.entries))


def _equity(loaded: Loaded) -> str:
    """The account that opening lots and balances stand against."""
    return f"{loaded.options['name_equity']}:{loaded.options['account_previous_balances']}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"\n; {title}\n\n"
        yield from found


def _terms(booking: Booking, last_day: date) -> Iterator[str]:
    """The term lines as they stand; an as-of day that is over has no meaning any more."""
    for entry in booking.entries:
        if not isinstance(entry, Custom) or entry.type not in TERM_TYPES:
            continue
        values = [value for value, _ in entry.values or ()]
        over = values[0] == "as-of" and isinstance(values[1], date) and values[1] <= last_day
        over = over or (entry.type == CAPACITY and entry.date <= last_day + timedelta(1))
        if entry.type != "compute-subscriber" and not over:
            yield directive_text(entry)


def _capacities(carried: Carried, booking: Booking, first_day: date) -> Iterator[str]:
    """The capacity lines in force on the first day, with what was depreciated under them."""
    for name, timeline in sorted(booking.terms.terms.capacities.items()):
        line, known = timeline.on(first_day), carried.depreciations.get(name)
        if line is None:
            continue
        if known is not None and line.since == first_day:
            line = line._replace(depreciated=Money(known.so_far, known.currency))
        elif known is not None:
            line = _gone_on(line, known)
        values, keys = capacity_written(line)
        yield f'{first_day} custom "{CAPACITY}" {values}\n'
        yield from (f"  {key}\n" for key in keys)


def _gone_on(line: Capacity, known: Depreciation) -> Capacity:
    """A line that goes on in other books as it would have in these."""
    before = Money(known.before, known.currency) if known.before else None
    if line.quantity is None:
        return line._replace(started=line.started or line.since, depreciated=before)
    served = max(ZERO, min(known.served, line.quantity.number))
    units = Money(served, line.quantity.currency) if served else None
    return line._replace(served=units, depreciated=before)


def _subscribers(carried: Carried, booking: Booking, last_day: date) -> Iterator[str]:
    since = dict.fromkeys(carried.known, last_day)
    for each in booking.written_by_hand.introductions:
        since.setdefault(each.name, max(each.date, last_day))  # nothing was booked for them yet
    terms = booking.terms.terms
    groups = {"related": terms.related, "group": terms.segments}
    grouped = {name: last_day for of in groups.values() for name in of}
    for name, day in sorted({**grouped, **since}.items()):
        component = booking.accounts.component(name)
        yield f'{day} custom "compute-subscriber" {string(name)} {string(component)}\n'
        for key, of in groups.items():
            if name in of and (group := of[name].on(day)):
                yield f"  {key}: {string(group)}\n"
        for key, of in groups.items():
            for later, group in of[name].items() if name in of else ():
                if later > day:
                    yield f'{later} custom "compute-subscriber" {string(name)}\n'
                    yield f"  {key}: {string(group)}\n"


def _charges(each: Running, first_day: date) -> Iterator[str]:
    """What the running period was charged for use, and what is not invoiced."""
    for made in each.commitments:
        if made.start < first_day < made.end and made.charged:
            yield f"  charged: {money_written(Money(made.charged, made.minimum.currency))}\n"
    unbilled = each.arrears.unbilled.items() if each.arrears is not None else ()
    amounts = [
        money_written(Money(number, currency)) for currency, number in sorted(unbilled) if number
    ]
    if len(amounts) > 1:
        raise CloseError(
            f"subscription {quoted(each.id)} has {' and '.join(amounts)} in unbilled: the new year "
            "can begin with one of them alone; stay in this ledger until they are invoiced"
        )
    yield from (f"  unbilled: {each}\n" for each in amounts)


def _last_invoice(each: Running, accounts: Accounts, first_day: date) -> Iterator[str]:
    """The invoice of a subscription that ended with the old year, as text."""
    if each.arrears is None:
        return
    for currency, number in sorted(each.arrears.unbilled.items()):
        if number:
            yield f'{first_day} * {string(each.subscriber)} "Invoice {each.plan}"\n'
            for role, sign in ((Role.RECEIVABLE, 1), (Role.UNBILLED, -1)):
                account = accounts.account(role, each.subscriber, "")
                yield f"  {account}  {money_written(Money(sign * number, currency))}\n"


def runs_since(each: Running) -> date:
    """The day from which its periods run: of one that changed plans, that of the running one.

    Where its day of the month is cut off there, a month that has it.
    """
    if each.whole_since is None:
        return each.start
    month = Month.of(each.whole_since)
    if each.counted_in_days or each.whole_since.day == each.day_of_month:
        return each.whole_since
    months = Month.of(each.period_end).ordinal - month.ordinal
    while month.last.day < each.day_of_month:
        month = Month.from_ordinal(month.ordinal - months)
    return month.first.replace(day=each.day_of_month)


def _refuse_cut_short(carried: Carried, first_day: date) -> None:
    """Refuse to begin a year within what no other ledger can say of a change of plan."""
    cut_short = {(name, key[3]) for name, key in carried.by_days}
    for each in carried.subscriptions:
        if not each.earlier or each.period_end <= first_day:
            continue
        changed = each.earlier[-1].until
        running = [made for made in each.commitments if made.start == changed and not made.over]
        minimum = bool(running) and changed != each.whole_since
        if minimum or (each.subscriber, each.plan) in cut_short:
            what = "a minimum" if minimum else "access by even months"
            raise CloseError(
                f"subscription {quoted(each.id)} changed plans on {changed}, within a period of "
                f"{what}, which the new year can't say: stay in this ledger until {each.period_end}"
            )


def _subscriptions(carried: Carried, accounts: Accounts, first_day: date) -> Iterator[str]:
    """The subscriptions of which a period runs on, or starts on the first day."""
    _refuse_cut_short(carried, first_day)
    for each in carried.subscriptions:
        if each.ended and each.period_end <= first_day:
            yield from _last_invoice(each, accounts, first_day)
            continue
        names = f"{string(each.subscriber)} {string(each.plan)}"
        yield f'{first_day} custom "compute-subscription" {names}\n'
        yield f"  id: {string(each.id)}\n  started: {runs_since(each)}\n"
        if each.discount:
            yield f"  discount: {amount(each.discount, each.currency)}\n"
        yield from _charges(each, first_day)
        if each.ended:
            yield f'{first_day + timedelta(1)} custom "compute-cancellation" {names}\n'


def _receivables(carried: Carried, accounts: Accounts, first_day: date) -> Iterator[str]:
    """The accounts of invoices that are due on the first day, and may be the first ones."""
    for each in carried.subscriptions:
        if each.arrears is not None and each.arrears.next_invoice == first_day:
            yield accounts.account(Role.RECEIVABLE, each.subscriber, "")


def _accounts(entries: Iterable[Directive], needed: set[str], last_day: date) -> Iterator[str]:
    held = {account for account, lots in balances(entries).items() if lots}
    for entry in entries:
        if isinstance(entry, Commodity):
            yield directive_text(entry._replace(date=last_day))
    opened = {entry.account: entry for entry in entries if isinstance(entry, Open)}
    closed = {entry.account for entry in entries if isinstance(entry, Close)}
    for account in sorted((opened.keys() - closed) | held | needed):
        entry = opened.get(account) or Open({}, last_day, account, [], None)
        yield directive_text(entry._replace(date=last_day, meta={}))


def _prices(entries: Iterable[Directive], last_day: date) -> Iterator[str]:
    """The last price of each pair: what market values go on from."""
    last: dict[tuple[str, str], Price] = {}
    for entry in entries:
        if isinstance(entry, Price):
            last[entry.currency, entry.amount.currency] = entry
    for _, price in sorted(last.items()):
        yield directive_text(price._replace(date=last_day, meta={}))


def _faces(entries: Iterable[Directive]) -> Iterator[str]:
    """How the books are looked at: queries, and Fava's options, extensions, links and budgets.

    They have days, of which none is over with the year; a budget on a closed account is.
    """
    closed = {entry.account for entry in entries if isinstance(entry, Close)}
    for entry in entries:
        if isinstance(entry, Query):
            yield directive_text(entry)
        elif isinstance(entry, Custom) and (entry.type.startswith(FAVA) or entry.type == BUDGET):
            values = entry.values or ()
            if closed.isdisjoint(each.value for each in values if each.dtype == ACCOUNT):
                yield directive_text(entry)


def _answers(again: Loaded, booking: Booking) -> Iterator[str]:
    """Answers to what the carrying over explains, and to what was answered in the old year."""
    assert again.booking is not None  # it has the plugin's line
    review = review_open(again.booking, read_books(again.entries, again.options))
    reasons = {answer.finding: answer.reason for answer in booking.answers}
    for finding in review.unanswered:
        reason = reasons.get(finding.id, "")
        if finding.kind == NO_OPENING_LOT:
            reason = "carried over: nothing was left of this period"
        if reason:
            yield finding.line(reason) + "\n"


def _check(ledger: Path, loaded: Loaded, last_day: date) -> Loaded:
    """Prove that the new ledger loads without errors, to the same pockets."""
    again = load(ledger)
    if again.errors:
        raise CloseError(f"the carried ledger would have errors: {again.errors[0].message}")
    assert loaded.booking is not None
    before, after = _pockets(loaded, last_day), _pockets(again, last_day)
    if before != after:
        raise CloseError("the carried ledger would not hold the same lots")
    return again


def _pockets(loaded: Loaded, last_day: date) -> dict[str, Any]:
    held = balances(entry for entry in loaded.entries if entry.date <= last_day)
    accounts = loaded.booked.accounts
    return {name: lots for name, lots in held.items() if lots and holds_lots(accounts, name)}
