"""What the closed months hand on, read back from their frozen text.

closed/2026-05.beancount   -1000 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}   ->  an open lot
closed/2026-05.events.csv  s-1,2026-05-01,,subscription,alice,,pro             ->  it runs on
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Directive, Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy.assertions import Totals
from beancount_compute.economy.carried import Carried
from beancount_compute.economy.events import Event, Kind, content_id, names_of
from beancount_compute.economy.facts import Facts, Introduction
from beancount_compute.economy.journal import Booked, JournalEntry, Leg, LotLeg, MoneyLeg, Role
from beancount_compute.economy.lots import Key, Lot, cost_of, key_of
from beancount_compute.economy.rounding import WIDE, ZERO, multiply_money
from beancount_compute.economy.state import REVERSIBLE, Undo
from beancount_compute.economy.terms import RESERVED_ORIGINS, Money, Terms
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.sealed.event_rows import FrozenEvent
from beancount_compute.ledger.sealed.month_files import Held
from beancount_compute.ledger.term_directives import LedgerTerms
from beancount_compute.ledger.writing import ORDER


class Holders:
    """From accounts and costs back to lots."""

    def __init__(self, accounts: Accounts, names: Iterable[str]) -> None:
        self._accounts = accounts
        self._names = {accounts.component(name): name for name in sorted(names)}

    def lot(self, account: str, commodity: str, cost: Cost) -> Lot | None:
        """The lot that a posting at cost names; None on an account that is no pocket."""
        pocket = self._accounts.pocket_account(account)
        if pocket is None:
            return None
        origin, _, end = (cost.label or "").partition("/")
        return Lot(
            self._names.get(pocket.subscriber, pocket.subscriber),
            pocket.pocket,
            commodity,
            cost_of(cost.number, cost.currency),
            cost.currency,
            cost.date,
            origin,
            _end(end),
        )

    def strangers(self, held: Held) -> set[str]:
        """The components that hold a pocket and that no name has."""
        pockets = (self._accounts.pocket_account(account) for account, _ in held.lots)
        return {each.subscriber for each in pockets if each is not None} - self._names.keys()

    def lots(self, held: Held) -> list[tuple[Lot, Decimal]]:
        """The open lots; what is empty is gone."""
        found: list[tuple[Lot, Decimal]] = []
        for (account, text), units in held.lots.items():
            if units:
                lot = self.lot(account, *held.costs[text])
                assert lot is not None  # only pockets are counted
                found.append((lot, units))
        return found


_MAKE_KNOWN = (Kind.SUBSCRIPTION, Kind.ALLOCATION, Kind.GRANT)


def _end(text: str) -> date | None:
    """The end that a label names; none in a label that somebody forged, which is told elsewhere."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


class Seen:
    """What to remember of frozen events, which are let go one by one."""

    def __init__(self, events: Iterable[FrozenEvent] = ()) -> None:
        self.first: dict[str, tuple[date, int, str]] = {}  # names, by when they come first
        self.names: set[str] = set()  # of subscribers
        self.known: dict[str, date] = {}  # those that an event made known, and since when
        self._scheduled: list[Event] = []
        for event in events:
            self.add(event)

    def add(self, frozen: FrozenEvent) -> None:
        """Remember of one event what it says of subscribers."""
        event, booked = frozen
        for name in names_of(event):
            place = (event.date, event.phase, name)
            if name not in self.first or place < self.first[name]:
                self.first[name] = place
            self.names.add(name)
        if event.kind in _MAKE_KNOWN:
            _earliest(self.known, event.subscriber, booked or event.date)
        if event.kind in (Kind.SUBSCRIPTION, Kind.CANCELLATION):
            self._scheduled.append(event)

    @property
    def schedule(self) -> list[tuple[Event, str]]:
        """The subscriptions and cancellations, with their ids, in the order of the books."""
        return [(event, event.id or content_id(event)) for event in sorted(self._scheduled)]


def known_since(
    seen: Seen, holders: Iterable[str], introductions: Iterable[Introduction], last_day: date
) -> dict[str, date]:
    """Whoever the closed months know, with the day since which they do.

    `holders` had opening lots: who is in the books of a closed month without an event of their own.
    """
    known = dict(seen.known)
    for introduction in introductions:
        _earliest(known, introduction.name, introduction.date)
    for name in holders:
        _earliest(known, name, last_day)
    return known


def _earliest(known: dict[str, date], name: str, day: date) -> None:
    if name not in known or day < known[name]:
        known[name] = day


def terms_days(entries: Iterable[Directive], holders: Holders) -> dict[tuple[str, Key], date]:
    """The day of the terms of lots that came late, read back from the metadata."""
    days: dict[tuple[str, Key], date] = {}
    for entry in entries:
        if not isinstance(entry, Transaction) or "occurred" not in entry.meta:
            continue
        for lot, units in _lot_postings(entry, holders):
            if units < 0 and lot.origin not in RESERVED_ORIGINS and kind_of(entry) == "allocation":
                days[lot.holder, key_of(lot)] = entry.meta["occurred"]
    return days


def kind_of(entry: Transaction) -> str:
    """What a booked transaction books."""
    tags = {tag.removeprefix("compute-") for tag in entry.tags}
    return next((kind.value for kind in Booked if kind in tags), "")


def _lot_postings(entry: Transaction, holders: Holders) -> Iterator[tuple[Lot, Decimal]]:
    for posting in entry.postings:
        held = _lot_posting(posting, holders)
        if held is not None:
            yield held


def _lot_posting(posting: Posting, holders: Holders) -> tuple[Lot, Decimal] | None:
    """The lot that a posting is on, with its units; None where it is on no pocket."""
    if not isinstance(posting.cost, Cost) or posting.units is None:
        return None
    lot = holders.lot(posting.account, posting.units.currency, posting.cost)
    return None if lot is None else (lot, posting.units.number or ZERO)


class Undoing:
    """Reads closed transactions back as journal entries: to reverse them, and to count totals."""

    def __init__(
        self, accounts: Accounts, holders: Holders, terms: Terms, events: Mapping[str, Event]
    ) -> None:
        self._accounts, self._holders, self._events = accounts, holders, events
        self._origins = sorted({*terms.plans, *RESERVED_ORIGINS})

    def undo(self, entries: Iterable[Directive], wanted: frozenset[str]) -> dict[str, Undo]:
        """What a reversal needs to know of the closed events that it may name."""
        found: dict[str, Undo] = {}
        if not wanted:
            return found
        for entry in entries:
            if not isinstance(entry, Transaction) or ORDER not in entry.meta:
                continue
            if entry.meta.get("event") in wanted and kind_of(entry) in REVERSIBLE:
                found[entry.meta["event"]] = Undo(self.entry(entry))
        for event_id in wanted - found.keys():
            merged = self._merged(event_id, entries)
            if merged is not None:
                found[event_id] = Undo(self.entry(merged))
        for entry in entries:
            if isinstance(entry, Transaction) and entry.meta.get("reverses") in found:
                found[entry.meta["reverses"]].done = True
        return found

    def _merged(self, event_id: str, entries: Iterable[Directive]) -> Transaction | None:
        """The transaction of a use that was merged into those before it."""
        event = self._events.get(event_id)
        if event is None or event.kind is not Kind.CONSUMPTION:
            return None
        runs = (
            entry
            for entry in entries
            if isinstance(entry, Transaction)
            and entry.payee == event.subscriber
            and "events" in entry.meta
            and entry.date >= event.date
        )
        return min(runs, key=lambda entry: entry.date, default=None)

    def totals(self, entries: Iterable[Directive]) -> Totals:
        """The figures to date."""
        totals = Totals()
        with localcontext(WIDE):
            for entry in entries:
                if isinstance(entry, Transaction):
                    totals.add(self.entry(entry).legs)
        return totals

    def entry(self, entry: Transaction) -> JournalEntry:
        """A booked or copied transaction as the journal entry that it was written from."""
        kind = kind_of(entry) if ORDER in entry.meta else ""
        lots = list(_lot_postings(entry, self._holders))
        legs: list[Leg] = []
        for posting in entry.postings:
            held = _lot_posting(posting, self._holders)
            if held is not None:
                legs.append(LotLeg(*held, _money_of(posting.price)))
            elif kind:
                legs.append(self._money(entry, kind, posting, lots))
        of_kind = str(entry.meta.get("undoes") or kind)
        if kind and of_kind == "trade":
            legs = self._with_fees_by_side(entry, legs)
        elif kind and of_kind == "consumption":
            legs = _with_overage_apart(legs)
        event = self._events.get(str(entry.meta.get("event")))
        return JournalEntry(
            entry.date,
            Booked(kind) if kind else Booked.ALLOCATION,
            entry.payee or "",
            entry.narration or "",
            legs,
            str(entry.meta.get("event", "")),
            event,
            uses=int(entry.meta.get("events", 1)),
        )

    def _with_fees_by_side(self, entry: Transaction, legs: list[Leg]) -> list[Leg]:
        """The legs with a fee posting that both sides share taken apart: whose is which."""
        event = self._event(entry)
        fees = [leg for leg in legs if isinstance(leg, MoneyLeg) and leg.role is Role.FEES]
        if event is None or len(fees) != 1 or event.units is None or event.price is None:
            return legs
        (fee,) = fees
        gross = multiply_money(event.units, event.price, event.currency)
        gross = -gross if "undoes" in entry.meta else gross
        paid = [
            leg.number for leg in legs if isinstance(leg, MoneyLeg) and leg.role is Role.PAYABLE
        ]
        of_seller = -(gross + sum(paid, ZERO))
        sides = ((event.subscriber, of_seller), (event.counterparty, fee.number - of_seller))
        at = legs.index(fee)
        apart = [
            MoneyLeg(Role.FEES, name, "", number, fee.currency) for name, number in sides if number
        ]
        return [*legs[:at], *apart, *legs[at + 1 :]]

    def _event(self, entry: Transaction) -> Event | None:
        """The event that a transaction books, or undoes."""
        return self._events.get(str(entry.meta.get("reverses") or entry.meta.get("event")))

    def _money(
        self, entry: Transaction, kind: str, posting: Posting, lots: list[tuple[Lot, Decimal]]
    ) -> MoneyLeg:
        assert posting.units is not None and posting.units.number is not None
        number, currency = posting.units.number, posting.units.currency
        of_kind = str(entry.meta.get("undoes") or kind)
        origins = [*dict.fromkeys(lot.origin for lot, _ in lots), *self._origins]
        for role, holder, origin in self._candidates(entry, of_kind, origins):
            named = holder and (origin or role is not Role.PARTNER)
            if named and self._accounts.account(role, holder, origin) == posting.account:
                return MoneyLeg(role, holder, origin, number, currency)
        # terms were changed, which is an error of its own
        return MoneyLeg(Role.REVENUE, entry.payee or "", "", number, currency)

    def _candidates(
        self, entry: Transaction, kind: str, origins: list[str]
    ) -> Iterator[tuple[Role, str, str]]:
        name = entry.payee or ""
        event = self._event(entry)
        other = event.counterparty if event else ""
        match kind:
            case "trade":
                yield from ((Role.RECEIVABLE, other, ""), (Role.PAYABLE, name, ""))
                yield (Role.FEES, name, "")
                yield (Role.FEES, other, "")
            case "spend":
                yield from ((Role.PARTNER, name, other), (Role.PARTNER_INCOME, name, ""))
            case _:
                roles = {
                    "allocation": (Role.RECEIVABLE,),
                    "consumption": (Role.REVENUE, Role.RECEIVABLE, Role.OVERAGE),
                    "expiry": (Role.BREAKAGE,),
                    "refund": (Role.PAYABLE, Role.REVENUE),
                }
                for role in roles.get(kind, ()):
                    yield from ((role, name, origin) for origin in origins)


def _with_overage_apart(legs: list[Leg]) -> list[Leg]:
    """The legs of a use with the overage out of the posting that it shares with revenue.

    What is billed is overage: the rest of that posting is the cost of the lots.
    """
    money = [leg for leg in legs if isinstance(leg, MoneyLeg)]
    found: list[Leg] = list(legs)
    for bill in money:
        if bill.role is not Role.RECEIVABLE:
            continue
        if any(leg.role is Role.OVERAGE and leg.currency == bill.currency for leg in money):
            continue
        for leg in money:
            if leg.role is Role.REVENUE and leg.currency == bill.currency:
                at = found.index(leg)
                rest = leg._replace(number=WIDE.add(leg.number, bill.number))
                over = leg._replace(role=Role.OVERAGE, number=-bill.number)
                found[at : at + 1] = [rest, over] if rest.number else [over]
                break
    return found


def _money_of(price: Amount | None) -> Money | None:
    if price is None or price.number is None:
        return None
    return Money(price.number, price.currency)


def events_by_id(events: Iterable[FrozenEvent]) -> dict[str, Event]:
    """The closed events by the id under which they were booked."""
    found: dict[str, Event] = {}
    repeats: Counter[str] = Counter()
    for event, _ in events:
        event_id = event.id
        if not event_id:
            event_id = content_id(event)
            repeats[event_id] += 1
            if repeats[event_id] > 1:
                event_id = f"{event_id}-{repeats[event_id]}"
        found[event_id] = event
    return found


class State(NamedTuple):
    """The closed months, as the open ones go on from them."""

    last_day: date
    seen: Seen
    events: Callable[[], list[FrozenEvent]]  # only looked at where need be
    booked: list[Directive]
    copies: Callable[[], list[Directive]]  # what people wrote; likewise
    held: Held


def carried_state(
    state: State,
    facts: Facts,
    terms: LedgerTerms,
    accounts: Accounts,
    wanted: frozenset[str],
    holder_of: Callable[[], Mapping[str, str]],
) -> Carried:
    """What the engine goes on from; `wanted` are the ids that open events reverse.

    `holder_of` gives the subscribers by component, whatever their day: whoever had opening lots in
    a closed month may be named by an open event only.
    """
    last_day, known = state.last_day, state.seen.names
    introductions = [each for each in facts.introductions if each.date <= last_day]
    names = known | {each.name for each in introductions} | set(terms.components)
    holders = Holders(accounts, names)
    strangers = holders.strangers(state.held)
    if strangers:
        found = holder_of()
        strangers = {found.get(component, component) for component in strangers}
        holders = Holders(accounts, names | strangers)
    lots = holders.lots(state.held)
    assertions = any(facts.assertions)
    undoing = None
    if wanted or assertions:
        undoing = Undoing(accounts, holders, terms.terms, events_by_id(state.events()))
    all_of_it = [*state.booked, *state.copies()] if assertions else []
    return Carried(
        last_day,
        lots,
        known_since(state.seen, known | strangers, introductions, last_day),
        state.seen.schedule,
        undoing.undo(state.booked, wanted) if undoing else {},
        terms_days(state.booked, holders),
        undoing.totals(all_of_it) if undoing and assertions else None,
    )
