"""From the journal to Beancount's directives.

    2026-05-20 * "alice" "Consumption" #compute-consumption ^lot-Alice-2026-05-01-Pro
      event: "use-17"
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

This is a fast path: named tuples are made by `tuple.__new__` (their own constructor is a Python
function), and accounts, costs, links, amounts and tags are made once, when they are first asked
for, and shared: that keeps transactions small too. Each has a metadata dictionary of its own: Fava
takes equal ones for the same entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import chain, count, islice
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Open, Posting, Price, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    BOOKED,
    NOWHERE,
    ROLE_OF_POCKET,
    WIDE,
    JournalEntry,
    Key,
    Kind,
    Leg,
    Lot,
    LotLeg,
    MoneyLeg,
    Record,
    Role,
    Use,
    decimals_of,
    fields_getter,
    in_full,
    key_of,
    moved_by,
    text_of,
    trim,
)
from beancount_compute.economy.engine import PriceOfDay
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.metadata import add_metadata
from beancount_compute.ledger.names import component_of, in_link

ORDER = "__order"  # the engine's own order: Beancount sorts a day by line number
_FEES = Role.FEES  # to name a member of an enum takes longer
_USE_TAGS = frozenset(["compute-consumption"])
MOST_SHARED = 1 << 14  # amounts of a currency that are kept to be shared
LATE_TAGS = frozenset(["compute-late"])
NO_LINKS: frozenset[str] = frozenset()
_new = tuple.__new__
_told = fields_getter("date", "units", "memo", "extra", "file", "line", "row", "quantity")
# by the identity of the number of units, which is quicker than its text: the units, the posting of
# the income, and the number itself, kept so that no other takes its identity
KnownUses = dict[int, tuple[Amount, Posting, Decimal | None]]
# a lot's account, cost, link and holder, the account of the income, and uses that cost the same
SharedByUses = tuple[str, Cost, frozenset[str], str, str, KnownUses]


class Writer:
    """Writes journal entries as transactions, on the accounts of one ledger."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.first_used: dict[str, date] = {}  # accounts, with the day of their first posting
        self._lots: dict[Lot, tuple[str, Cost, frozenset[str]]] = {}  # account, cost, link
        self._costs: dict[Key, Cost] = {}
        self._links: dict[tuple[str, date, str], frozenset[str]] = {}
        self._accounts_of: dict[tuple[Role, str, str], str] = {}
        self._amounts: defaultdict[str, dict[str, Amount]] = defaultdict(dict)
        self._prices: defaultdict[str, dict[str, Amount]] = defaultdict(dict)
        self._uses: dict[Lot, SharedByUses] = {}
        # by income account, unit cost, currency and commodity
        self._known_uses: defaultdict[tuple[str, str, str, str], KnownUses] = defaultdict(dict)
        self._tags: dict[Kind, frozenset[str]] = {
            kind: frozenset([f"compute-{kind}"]) for kind in BOOKED
        }
        self._tags[Kind.MONEY_REFUND] |= self._tags[Kind.REFUND]
        self._overage_tags = _USE_TAGS | {"compute-overage"}
        self.next_order = orders().__next__

    def transactions(self, records: Iterable[Record]) -> list[Directive]:
        """The transactions of a journal, in the engine's order; most records are uses."""
        written: list[Directive] = []
        add, next_order, known_lots = written.append, self.next_order, self._uses
        for record in records:
            if type(record) is not tuple:  # `is_use`, without a call for each
                add(self.transaction(in_full(record)))
                continue
            use: Any = record  # a Use: mypy can't tell, and a cast would be a call for each
            event, event_id, lot, cost, meter = use
            day, number, memo, extra, file, line, row, quantity = _told(event)
            if not cost or memo or row or extra:
                add(self.transaction(in_full(use)))
                continue
            account, lot_cost, link, holder, revenue, known = known_lots.get(
                lot
            ) or self._shared_by_uses(lot, day)
            units, income, _ = known.get(id(number)) or self._used(use, revenue, known)
            # fmt: off
            meta = {
                "filename": file, "lineno": line, "event": event_id, ORDER: next_order(),
            }
            # fmt: on
            if meter:
                meta["meter"] = meter
                if quantity:
                    meta["quantity"] = quantity
            add(
                _new(
                    Transaction,
                    (
                        meta,
                        day,
                        "*",
                        holder,
                        "Consumption",
                        _USE_TAGS,
                        link,
                        [_new(Posting, (account, units, lot_cost, None, None, None)), income],
                    ),
                )
            )
        return written

    def transaction(self, entry: JournalEntry) -> Transaction:
        """The transaction of an entry, next in the engine's order."""
        day, kind, subscriber, narration, legs, event_id, event, source, overage, *_ = entry
        if entry.occurred is not None or entry.undoes:
            legs, of_lapsed = self._without_lapsed(day, legs)
            postings, links = self._postings(day, legs)
            links = links.union(*of_lapsed)
        else:
            postings, links = self._postings(day, legs)
        # fmt: off
        if event is None:
            meta = {
                "filename": NOWHERE.file, "lineno": NOWHERE.line, "event": event_id,
                "source": source, ORDER: self.next_order(),
            }
        else:
            meta = {
                "filename": event.file, "lineno": event.line, "event": event_id,
                ORDER: self.next_order(),
            }
        # fmt: on
        add_metadata(meta, entry)
        tags = self._overage_tags if overage else self._tags[kind]
        if entry.occurred is not None:
            tags |= LATE_TAGS
        return _new(Transaction, (meta, day, "*", subscriber, narration, tags, links, postings))

    def _without_lapsed(self, day: date, legs: list[Leg]) -> tuple[list[Leg], list[frozenset[str]]]:
        """The legs without units that only come back to leave; and the links of their lots."""
        moved = {tuple(each.lot): each for each in moved_by(legs) if each.lapsed}
        if not moved:
            return legs, []
        kept: list[Leg] = [LotLeg(each.lot, each.net) for each in moved.values() if each.net]
        kept += [leg for leg in legs if not isinstance(leg, LotLeg) or tuple(leg.lot) not in moved]
        kept.sort(key=lambda leg: isinstance(leg, MoneyLeg))
        return kept, [self._lot(each.lot, day)[2] for each in moved.values()]

    def _postings(self, day: date, legs: list[Leg]) -> tuple[list[Posting], frozenset[str]]:
        """The postings of legs, money on one account and currency added up, and their links.

        A fixed fee stands apart from that of a rate.
        """
        lots, accounts, amounts = self._lots, self._accounts_of, self._amounts
        postings: list[Any] = []  # of amounts, where to mypy they may have none
        links: frozenset[str] = NO_LINKS
        places: dict[tuple[str, str, str], int] = {}  # of money, by account and currency
        to_nothing, paid_for, paid = False, None, None
        for leg in legs:
            if isinstance(leg, LotLeg):
                lot, number, price = leg
                account, cost, link = lots.get(lot) or self._lot(lot, day)
                links = link if links is NO_LINKS or links is link else links | link
                text = str(number)
                units = amounts[lot.commodity].get(text)
                if units is None:
                    units = self._amount(number, lot.commodity, text)
                if price is not paid_for:  # one for all lots of a trade
                    paid_for, paid = price, self._price(*price) if price else None
                at_price = paid if paid and paid[1] == lot.currency else None
                postings.append(_new(Posting, (account, units, cost, at_price, None, None)))
                continue
            role, holder, origin, number, currency = leg
            key = (role, holder, origin)
            account = accounts.get(key) or self._account(key, day)
            last = len(postings)
            at = places.setdefault((account, currency, origin if role is _FEES else ""), last)
            if at == last:
                units = _new(Amount, (number, currency))
                postings.append(_new(Posting, (account, units, None, None, None, None)))
            else:
                number = WIDE.add(postings[at][1][0], number)
                units = _new(Amount, (number, currency))
                postings[at] = _new(Posting, (account, units, None, None, None, None))
            if not number:
                to_nothing = True
        if to_nothing:
            postings = [each for each in postings if each.cost or each.units.number]
        return postings, links

    def price(self, price: PriceOfDay) -> Price:
        """The price that a day's trades leave behind, next in the engine's order."""
        meta = {"filename": NOWHERE.file, "lineno": NOWHERE.line, ORDER: self.next_order()}
        return Price(meta, price.date, price.commodity, Amount(price.price, price.currency))

    def _shared_by_uses(self, lot: Lot, day: date) -> SharedByUses:
        key = (Role.REVENUE, lot.holder, lot.origin)
        revenue = self._accounts_of.get(key) or self._account(key, day)
        known = self._known_uses[revenue, str(lot.cost), lot.currency, lot.commodity]
        of_lot = self._lots.get(lot) or self._lot(lot, day)
        shared = self._uses[lot] = (*of_lot, lot.holder, revenue, known)
        return shared

    def _used(
        self, use: Use, revenue: str, known: KnownUses
    ) -> tuple[Amount, Posting, Decimal | None]:
        """The units of a use and the posting of its income, shared with uses that cost the same."""
        event, _, lot, cost, _ = use
        number = event.units
        assert number is not None
        text = str(number)
        units = self._amounts[lot.commodity].get(text)
        if units is None:
            units = self._amount(number, lot.commodity, text)
        earned = _new(Amount, (-cost, lot.currency))
        found = units, _new(Posting, (revenue, earned, None, None, None, None)), number
        if len(known) < MOST_SHARED:
            known[id(number)] = found
        return found

    def _lot(self, lot: Lot, day: date) -> tuple[str, Cost, frozenset[str]]:
        holder, pocket, _, number, currency, lot_date, origin, _ = lot
        key = (ROLE_OF_POCKET[pocket], holder, origin)
        account = self._accounts_of.get(key) or self._account(key, day)
        cost_key = key_of(lot)
        cost = self._costs.get(cost_key)
        if cost is None:
            cost = self._costs[cost_key] = _new(Cost, (number, currency, lot_date, lot.label))
        link_key = (holder, lot_date, origin)
        link = self._links.get(link_key)
        if link is None:
            link = self._links[link_key] = frozenset([lot_link(self.accounts, *link_key)])
        written = self._lots[lot] = (account, cost, link)
        return written

    def _amount(self, number: Decimal, commodity: str, text: str) -> Amount:
        """Units that are shared from now on, by the number's text."""
        known = self._amounts[commodity]
        amount: Amount = _new(Amount, (number, commodity))
        if len(known) < MOST_SHARED:
            known[text] = amount
        return amount

    def _price(self, number: Decimal, currency: str) -> Amount:
        """A trade's price, written with the decimals of its currency at least."""
        known = self._prices[currency]
        amount = known.get(str(number))
        if amount is None:
            amount = _new(Amount, (trim(number, decimals_of(currency)), currency))
            if len(known) < MOST_SHARED:
                known[str(number)] = amount
        return amount

    def _account(self, key: tuple[Role, str, str], day: date) -> str:
        account = self._accounts_of[key] = self.accounts.account(*key)
        self._use(account, day)
        return account

    def _use(self, account: str, day: date) -> None:
        if account not in self.first_used or day < self.first_used[account]:
            self.first_used[account] = day


def open_directives(first_used: dict[str, date]) -> list[Open]:
    """The accounts that the plugin opens, each on the first day on which it is used."""
    return [
        Open({"filename": NOWHERE.file, "lineno": NOWHERE.line}, day, account, [], None)
        for account, day in sorted(first_used.items())
    ]


def orders() -> Iterator[str]:
    """The numbers of transactions: ten digits, so that the texts sort as the numbers do.

    Put together from two halves, which takes half as long as writing each number out.
    """
    last = [f"{number:03}" for number in range(1000)]
    texts = chain.from_iterable(map(str(first).__add__, last) for first in count(10**6))
    return islice(texts, 1, None)


def lot_link(accounts: Accounts, holder: str, lot_date: date, origin: str) -> str:
    """The link that all transactions of a holder's lot of a day and origin carry."""
    component = in_link(accounts.component(holder), holder)
    return f"lot-{component}-{text_of(lot_date)}-{in_link(component_of(origin), origin)}"
