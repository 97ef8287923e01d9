"""What a booking must be, worked out from its event and the terms: the other side of a tie-out.

    2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD      ; the seller's fee is 0.05

must take 500 CU out of alice's pockets into bob's and book 125.00 USD on bob's receivable, -118.75
on alice's payable and -6.25 on fees. Only the cost of lots is taken from the postings on pockets,
which other tie-outs watch. A reversal must be the mirror image of what it undoes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.month_events import MonthEvents
from beancount_compute.close.tie_outs.overage import Charge, Overage, Use, period_in
from beancount_compute.close.tie_outs.postings import Kinds, Posted, posted
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import REVERSIBLE, Kind
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import ZERO, multiply_money, round_money
from beancount_compute.economy.rules.trade import fee_on
from beancount_compute.economy.terms import TOP_UP, Plan
from beancount_compute.ledger.accounts import Accounts, Roots
from beancount_compute.reports.books import Books

Debits = defaultdict[tuple[Role, str, str], Decimal]  # by role, account and currency
Units = dict[tuple[str, str], Decimal]  # out of pockets, by component and commodity


class Wanted(NamedTuple):
    """What a transaction must post; a debit, and what leaves a pocket, is above zero."""

    debits: Debits
    units: Units | None  # None: whatever its postings on pockets say


class Expected:
    """Works out bookings of a month; its sums need the context `WIDE`."""

    def __init__(self, books: Books, events: Sequence[Event]) -> None:
        self._books, self._terms, self._accounts = books, books.terms, books.accounts
        self._month = MonthEvents(events)
        self.events = self._month.by_id
        self.reversed = self._month.reversed_ids
        self.booked: set[str] = set()  # the ids of events of which a transaction was seen
        self._made: dict[str, Wanted] = {}  # of what is reversed later
        self._overage = Overage(books)
        self._earlier: dict[str, Transaction] | None = None
        self._accounts_of: dict[tuple[Role, str, str], str] = {}
        self._rules: dict[str, Callable[[Transaction, Posted, Event], Wanted | None]] = {
            Kind.GRANT: self._grant,
            Kind.CONSUMPTION: self._consumption,
            Kind.TRADE: self._trade,
            Kind.TRANSFER: self._transfer,
            Kind.SPEND: self._spend,
            Kind.REFUND: self._refund,
            Kind.REVERSAL: self._reversal,
        }

    def account(self, role: Role, holder: str, origin: str = "") -> str:
        """The account on which a role is booked."""
        key = (role, holder, origin)
        known = self._accounts_of.get(key)
        if known is None:
            known = self._accounts_of[key] = self._accounts.account(*key)
        return known

    def pockets(self, holder: str, origin: str) -> tuple[str, str]:
        """The two pockets of a holder."""
        return (
            self.account(Role.ALLOCATIONS, holder, origin),
            self.account(Role.TOKENS, holder, origin),
        )

    def booking(self, entry: Transaction, kind: str, found: Posted) -> Wanted | None:
        """What a transaction must post; None where no event of the month, and no term, says so."""
        event_id = str(entry.meta.get("event", ""))
        if kind in (Kind.MINT, Kind.EXPIRY):
            return self._derived(entry, kind, found)
        if event_id in self.booked:
            return None  # a second time
        event = self.events.get(event_id)
        wanted = None
        if kind == Kind.ALLOCATION:
            wanted = self._allocation(entry, event)
        elif event is not None and event.kind == kind:
            wanted = self._rules[kind](entry, found, event)
        if wanted is not None:
            self.booked.add(event_id)
            if event_id in self.reversed and uses_in(entry) == 1:
                self._made[event_id] = wanted
        return wanted

    def _derived(self, entry: Transaction, kind: str, found: Posted) -> Wanted:
        """A mint keeps units and cost with their holder; a lapsed lot's cost is breakage."""
        debits: Debits = defaultdict(Decimal)
        if kind == Kind.MINT:
            held = dict.fromkeys(found.units, ZERO)
            return Wanted(debits, held)
        for (_, origin, currency), cost in found.costs.items():
            debits[Role.BREAKAGE, self._of(Role.BREAKAGE, entry, origin), currency] -= cost
        return Wanted(debits, None)

    def _of(self, role: Role, entry: Transaction, origin: str) -> str:
        return self.account(role, entry.payee or "", origin)

    def _allocation(self, entry: Transaction, event: Event | None) -> Wanted | None:
        """A top-up's payment, or the price of a plan on the first day of its period."""
        if event is not None and event.kind is Kind.ALLOCATION and not event.plan:
            assert event.paid is not None and event.units is not None
            paid = round_money(event.paid, event.currency)
            return self._billed(
                event.subscriber, TOP_UP, paid, event.currency, event.units, event.commodity
            )
        plan: Plan | None = None
        holder = entry.payee or ""
        if event is not None and event.kind is Kind.ALLOCATION:
            plan, holder = self._terms.plan(event.plan, event.date), event.subscriber
        else:
            period = period_in(entry)
            if period is not None:
                plan = self._terms.plan_of_lot(period.plan, period.first)
        if plan is None:
            return None
        paid = round_money(plan.price, plan.currency)
        (line,) = plan.lines
        return self._billed(holder, plan.name, paid, plan.currency, line.units, line.commodity)

    def _billed(
        self, name: str, origin: str, paid: Decimal, currency: str, units: Decimal, commodity: str
    ) -> Wanted:
        debits: Debits = defaultdict(Decimal)
        debits[Role.RECEIVABLE, self.account(Role.RECEIVABLE, name, origin), currency] += paid
        return Wanted(debits, {(self._component(name), commodity): -units})

    def _component(self, name: str) -> str:
        return self._accounts.component(name)

    def _grant(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        assert event.units is not None
        units = {(self._component(event.subscriber), event.commodity): -event.units}
        return Wanted(defaultdict(Decimal), units)

    def _consumption(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        """Revenue is the cost of the lots; what the lots don't cover is overage."""
        name, component = event.subscriber, self._component(event.subscriber)
        debits = self._earned(name, found)
        covered = {commodity: number for (_, commodity), number in found.units.items()}
        units: Units = {}
        beyond: list[Use] = []
        for use_id, use in self._month.run(str(entry.meta.get("event")), uses_in(entry)):
            assert use.units is not None
            by_lots = min(use.units, max(covered.get(use.commodity, ZERO), ZERO))
            covered[use.commodity] = covered.get(use.commodity, ZERO) - by_lots
            key = (component, use.commodity)
            units[key] = units.get(key, ZERO) + by_lots
            if by_lots < use.units:
                beyond.append(Use(use_id, use, use.units - by_lots))
            self.booked.add(use_id)
        if beyond:
            account = self.account(Role.RECEIVABLE, name)
            billed = {key[1]: number for key, number in found.money.items() if key[0] == account}
            charges = self._overage.charge(beyond, billed)
            for charge in charges or ():
                self._charge(debits, charge, 1)
            if charges is None:  # nothing could bill them, so the lots must have covered them
                for each in beyond:
                    units[component, each.event.commodity] += each.units
        return Wanted(debits, units)

    def _earned(self, name: str, found: Posted) -> Debits:
        """The cost of lots, as revenue."""
        debits: Debits = defaultdict(Decimal)
        for (_, origin, currency), cost in found.costs.items():
            debits[Role.REVENUE, self.account(Role.REVENUE, name, origin), currency] -= cost
        return debits

    def _charge(self, debits: Debits, charge: Charge, sign: int) -> None:
        name, plan, currency = charge.subscriber, charge.plan, charge.currency
        for role, number in ((Role.RECEIVABLE, charge.number), (Role.OVERAGE, -charge.number)):
            debits[role, self.account(role, name, plan), currency] += sign * number

    def _trade(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        """The gross passes between the subscribers, each side's fee is the operator's."""
        assert event.units is not None and event.price is not None
        currency = event.currency
        gross = multiply_money(event.units, event.price, currency)
        seller_rate, buyer_rate, minimum = self._terms.fees(event.date, currency)
        seller_fee = fee_on(gross, seller_rate, minimum, currency)
        buyer_fee = fee_on(gross, buyer_rate, minimum, currency)
        debits: Debits = defaultdict(Decimal)
        for role, name, number in (
            (Role.RECEIVABLE, event.counterparty, gross + buyer_fee),
            (Role.PAYABLE, event.subscriber, seller_fee - gross),
            (Role.FEES, event.subscriber, -seller_fee),
            (Role.FEES, event.counterparty, -buyer_fee),
        ):
            debits[role, self.account(role, name), currency] += number
        return Wanted(debits, self._moved(event))

    def _transfer(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        return Wanted(defaultdict(Decimal), self._moved(event))

    def _moved(self, event: Event) -> Units:
        assert event.units is not None
        return {
            (self._component(event.subscriber), event.commodity): event.units,
            (self._component(event.counterparty), event.commodity): -event.units,
        }

    def _spend(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        """The settlement is the partner's, the rest of the lots' cost is partner income."""
        assert event.units is not None and event.paid is not None
        name, currency = event.subscriber, event.currency
        settlement = round_money(event.paid, currency)
        debits: Debits = defaultdict(Decimal)
        debits[
            Role.PARTNER, self.account(Role.PARTNER, name, event.counterparty), currency
        ] = -settlement
        income = self.account(Role.PARTNER_INCOME, name)
        debits[Role.PARTNER_INCOME, income, currency] += settlement
        for (_, _, cost_currency), cost in found.costs.items():
            debits[Role.PARTNER_INCOME, income, cost_currency] -= cost
        return Wanted(debits, {(self._component(name), event.commodity): event.units})

    def _refund(self, entry: Transaction, found: Posted, event: Event) -> Wanted:
        """The cost of the lots, rounded once per currency; what that leaves is revenue."""
        assert event.units is not None
        name = event.subscriber
        owed: defaultdict[str, Decimal] = defaultdict(Decimal)
        origins: dict[str, str] = {}
        for (_, origin, currency), cost in found.costs.items():
            owed[currency] += cost
            origins.setdefault(currency, origin)
        debits: Debits = defaultdict(Decimal)
        for currency, cost in owed.items():
            payable = round_money(cost, currency)
            for role, number in ((Role.PAYABLE, -payable), (Role.REVENUE, payable - cost)):
                debits[role, self.account(role, name, origins[currency]), currency] += number
        return Wanted(debits, {(self._component(name), event.commodity): event.units})

    def _reversal(self, entry: Transaction, found: Posted, event: Event) -> Wanted | None:
        """The mirror image of what it undoes; for a merged use, its lots tell the revenue."""
        charge = self._overage.undo(event.reverses)
        made = self._made.get(event.reverses)
        if made is not None:
            return mirrored(made)
        original = self._found_earlier(event.reverses)
        if original is not None:
            return mirrored(as_posted(original, self._accounts))
        if entry.meta.get("undoes") != Kind.CONSUMPTION:
            return None
        undone = self.events.get(event.reverses)
        name = undone.subscriber if undone else entry.payee or ""
        debits = self._earned(name, found)
        if charge is not None:
            self._charge(debits, charge, -1)
        elif undone is None:  # of an earlier month, whose overage stands in no event of this one
            self._overage_as_found(debits, found)
        return Wanted(debits, None)

    def _overage_as_found(self, debits: Debits, found: Posted) -> None:
        roots = self._accounts.roots
        for (account, currency), number in found.money.items():
            role = role_of(account, Kind.CONSUMPTION, roots)
            if role is Role.RECEIVABLE or (role, account, currency) not in debits:
                debits[role, account, currency] += number

    def _found_earlier(self, event_id: str) -> Transaction | None:
        """The transaction that booked an event before this month."""
        if self._earlier is None:
            wanted, kinds = self.reversed, Kinds()
            self._earlier = {
                entry.meta["event"]: entry
                for entry in self._books.transactions
                if entry.meta.get("event") in wanted
                and kinds.of(entry) in REVERSIBLE
                and uses_in(entry) == 1
            }
        return self._earlier.get(event_id)


def uses_in(entry: Transaction) -> int:
    """How many uses a transaction holds."""
    return int(entry.meta.get("events", 1))


def mirrored(wanted: Wanted) -> Wanted:
    """The same with its signs turned."""
    debits: Debits = defaultdict(Decimal, {key: -number for key, number in wanted.debits.items()})
    units = wanted.units
    if units is not None:
        units = {key: -number for key, number in units.items()}
    return Wanted(debits, units)


def as_posted(entry: Transaction, accounts: Accounts) -> Wanted:
    """What a transaction posts."""
    found, kind = posted(entry, accounts), Kinds().of(entry)
    debits: Debits = defaultdict(Decimal)
    for (account, currency), number in found.money.items():
        debits[role_of(account, kind, accounts.roots), account, currency] += number
    return Wanted(debits, dict(found.units))


def role_of(account: str, kind: str, roots: Roots) -> Role:
    """What money on an account is, in a transaction of that kind: each root has one use in it.

    Overage counts as revenue, with which it may share its account.
    """
    if account.startswith(roots.assets + ":"):
        return Role.RECEIVABLE
    if account.startswith(roots.liabilities + ":"):
        return Role.PARTNER if kind == Kind.SPEND else Role.PAYABLE
    return _INCOME.get(kind, Role.REVENUE)


_INCOME: dict[str, Role] = {
    Kind.TRADE: Role.FEES,
    Kind.EXPIRY: Role.BREAKAGE,
    Kind.SPEND: Role.PARTNER_INCOME,
}
