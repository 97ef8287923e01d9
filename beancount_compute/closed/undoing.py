"""Closed transactions read back as journal entries: to reverse them, and to count totals.

2026-05-20 * "alice" "Consumption" #compute-consumption   ->  the legs that it was written from
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext

from beancount.core.amount import Amount
from beancount.core.data import Directive, Posting, Transaction

from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.closed.holders import Holders, lot_posting, lot_postings
from beancount_compute.economy.assertions import Totals
from beancount_compute.economy.events import Event, content_id
from beancount_compute.economy.journal import JournalEntry, Leg, LotLeg, MoneyLeg
from beancount_compute.economy.kinds import BOOKED, REVERSIBLE, Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.options import Money
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import WIDE, ZERO, multiply_money
from beancount_compute.economy.state import Undo
from beancount_compute.economy.terms import RESERVED_ORIGINS, Terms
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.writing import ORDER


def kind_of(entry: Transaction) -> str:
    """What a booked transaction books."""
    tags = {tag.removeprefix("compute-") for tag in entry.tags}
    return next((kind.value for kind in BOOKED if kind in tags), "")


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
        lots = list(lot_postings(entry, self._holders))
        legs: list[Leg] = []
        for posting in entry.postings:
            held = lot_posting(posting, self._holders)
            if held is not None:
                legs.append(LotLeg(*held, _money_of(posting.price or entry.meta.get("price"))))
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
            Kind(kind) if kind else Kind.ALLOCATION,
            entry.payee or "",
            entry.narration or "",
            legs,
            str(entry.meta.get("event", "")),
            event,
            uses=int(entry.meta.get("events", 1)),
            counterparty=str(entry.meta.get("counterparty", "")),
            period=str(entry.meta.get("period", "")),
            subscription=str(entry.meta.get("subscription", "")),
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
