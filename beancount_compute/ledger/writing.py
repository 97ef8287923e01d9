"""From the journal to Beancount's directives.

    2026-05-20 * "alice" "Consumption" #compute-consumption ^lot-Alice-2026-05-01-Pro
      event: "use-17"
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

This is a fast path: named tuples are made by `tuple.__new__` (their own constructor is a Python
function), and accounts, costs, links and tags are made once and shared. Each transaction has a
metadata dictionary of its own: Fava takes equal ones for the same entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Open, Posting, Price, Transaction
from beancount.core.position import Cost

from beancount_compute.economy.engine import PriceOfDay
from beancount_compute.economy.events import NOWHERE, Event, fields_getter
from beancount_compute.economy.journal import JournalEntry, LotLeg
from beancount_compute.economy.kinds import BOOKED, Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import WIDE
from beancount_compute.economy.short_forms import Mint, Record, Sale, Supply, Use, in_full
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.metadata import add_meaning, add_metadata, price_of_no_posting
from beancount_compute.ledger.shared_parts import MOST_SHARED, SharedParts
from beancount_compute.ledger.transaction_parts import (
    one_money_posting_each,
    orders,
)

ORDER = "__order"  # the engine's own order: Beancount sorts a day by line number
_USE_TAGS = frozenset(["compute-consumption"])
_ALLOCATION_TAGS = frozenset(["compute-allocation"])
_MINT_TAGS = frozenset(["compute-mint"])
_TRADE_TAGS = frozenset(["compute-trade"])
LATE_TAGS = frozenset(["compute-late"])
NO_LINKS: frozenset[str] = frozenset()
_new = tuple.__new__
_told = fields_getter("date", "units", "memo", "extra", "file", "line", "row")
# a lot's account, cost and link, and the account of the money that goes with it
WithMoney = tuple[str, Cost, frozenset[str], str]
# by the identity of the number of units, which is quicker than its text: the units, the posting of
# the income, and the number itself, kept so that no other takes its identity
KnownUses = dict[int, tuple[Amount, Posting, Decimal | None]]
# a lot's account, cost, link and holder, the account of the income, and uses that cost the same
SharedByUses = tuple[str, Cost, frozenset[str], str, str, KnownUses]


class Writer(SharedParts):
    """Writes journal entries as transactions, on the accounts of one ledger."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(accounts)
        self._uses: dict[Lot, SharedByUses] = {}
        # by income account, unit cost, currency and commodity
        self._known_uses: defaultdict[tuple[str, str, str, str], KnownUses] = defaultdict(dict)
        self._only_fees = ""  # the account of everybody's fees, once they have one
        self._sold: dict[Lot, WithMoney] = {}
        self._bought: dict[Lot, WithMoney] = {}
        self._tags: dict[Kind, frozenset[str]] = {
            kind: frozenset([f"compute-{kind}"]) for kind in BOOKED
        }
        self._overage_tags = _USE_TAGS | {"compute-overage"}
        self.next_order = orders().__next__

    def transactions(self, records: Iterable[Record]) -> list[Directive]:
        """The transactions of a journal, in the engine's order; most records are uses."""
        written: list[Directive] = []
        add, next_order, known_lots = written.append, self.next_order, self._uses
        for record in records:
            if type(record) is not tuple:  # `is_use`, without a call for each
                add(self.transaction(record))
                continue
            use: Any = record  # a Use: mypy can't tell, and a cast would be a call for each
            event, event_id, lot, cost = use
            day, number, memo, extra, file, line, row = _told(event)
            if not cost or memo or row or extra:
                add(self._entry(in_full(use)))
                continue
            account, lot_cost, link, holder, revenue, known = known_lots.get(
                lot
            ) or self._shared_by_uses(lot, day)
            units, income, _ = known.get(id(number)) or self._used(use, revenue, known)
            add(
                _new(
                    Transaction,
                    (
                        {
                            "filename": file,
                            "lineno": line,
                            "event": event_id,
                            ORDER: next_order(),
                        },
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

    def transaction(self, record: Record) -> Transaction:
        """The transaction of a record of the journal, next in the engine's order."""
        if isinstance(record, Sale):
            return self._sale_of_lot(record)
        if isinstance(record, Supply):
            return self._supply(record)
        if isinstance(record, Mint):
            return self._mint(record)
        return self._entry(in_full(record))

    def _sale_of_lot(self, sale: Sale) -> Transaction:
        event, event_id, lot, bought, due, owed, seller_fee, buyer_fee = sale
        day, number, currency = event.date, event.units, event.currency
        if event.row or event.memo or event.extra or not owed:
            return self._entry(sale.entry)
        account, cost, link, payable = self._sold.get(lot) or self._beside(
            self._sold, (Role.PAYABLE, lot.holder, ""), lot, day
        )
        other, _, to_link, receivable = self._bought.get(bought) or self._beside(
            self._bought, (Role.RECEIVABLE, bought.holder, ""), bought, day
        )
        income = self._fees_account(sale, day)
        if income is None or income in (payable, receivable) or payable == receivable:
            return self._entry(sale.entry)
        assert number is not None and event.price is not None
        out, into = self._there_and_back(number, lot.commodity)
        price = self._price(event.price, currency) if currency == lot.currency else None
        postings = [
            _new(Posting, (account, out, cost, price, None, None)),
            _new(Posting, (other, into, cost, price, None, None)),
            _new(Posting, (receivable, _new(Amount, (due, currency)), None, None, None, None)),
            _new(Posting, (payable, _new(Amount, (owed, currency)), None, None, None, None)),
        ]
        if income:
            earned = _new(Amount, (WIDE.add(seller_fee, buyer_fee).copy_negate(), currency))
            postings.append(_new(Posting, (income, earned, None, None, None, None)))
        meta = self._stated(event, event_id)
        meta["counterparty"] = bought.holder
        if buyer_fee:
            meta["buyer-fee"] = _new(Amount, (buyer_fee, currency))
        if price is None:
            meta["price"] = self._price(event.price, currency)
        return _new(
            Transaction,
            (
                meta,
                day,
                "*",
                lot.holder,
                f"Trade with {bought.holder}",
                _TRADE_TAGS,
                link | to_link,
                postings,
            ),
        )

    def _fees_account(self, sale: Sale, day: date) -> str | None:
        """The account of a sale's fees; "" if there are none, None if each has its own."""
        if self._only_fees:
            return self._only_fees if sale.seller_fee or sale.buyer_fee else ""
        accounts = self._accounts_of
        of_seller = of_buyer = ""
        if sale.seller_fee:
            key = (Role.FEES, sale.lot.holder, "")
            of_seller = accounts.get(key) or self._account(key, day)
        if sale.buyer_fee:
            key = (Role.FEES, sale.bought.holder, "")
            of_buyer = accounts.get(key) or self._account(key, day)
        if of_seller and of_buyer and of_seller != of_buyer:
            return None
        account = of_seller or of_buyer
        if account and self.accounts.is_shared(Role.FEES):
            self._only_fees = account
        return account

    def _supply(self, supply: Supply) -> Transaction:
        day, subscriber, narration, paid, lots, event_id, event, source, period, running = supply
        if event is None:
            meta = self._derived(event_id, source)
        else:
            if event.row or event.memo or event.extra:
                return self._entry(supply.entry)
            meta = self._stated(event, event_id)
        if period:
            meta["period"] = period
        if running:
            meta["subscription"] = running
        first, _ = lots[0]
        postings: list[Posting] = []
        if paid:
            key = (Role.RECEIVABLE, subscriber, first.origin)
            account = self._accounts_of.get(key) or self._account(key, day)
            owed = _new(Amount, (paid, first.currency))
            postings.append(_new(Posting, (account, owed, None, None, None, None)))
        known = self._amounts[first.commodity]
        link = NO_LINKS
        for lot, number in lots:
            account, cost, link = self._lots.get(lot) or self._lot(lot, day)
            text = "-" + str(number)
            units = known.get(text)
            if units is None:
                units = self._amount(number.copy_negate(), first.commodity, text)
            postings.append(_new(Posting, (account, units, cost, None, None, None)))
        return _new(
            Transaction,
            (meta, day, "*", subscriber, narration, _ALLOCATION_TAGS, link, postings),
        )

    def _mint(self, mint: Mint) -> Transaction:
        day, lot, token, number, mint_id, source = mint
        account, cost, link = self._lots.get(lot) or self._lot(lot, day)
        to_account, to_cost, _ = self._lots.get(token) or self._lot(token, day)
        out, into = self._there_and_back(number, lot.commodity)
        postings = [
            _new(Posting, (account, out, cost, None, None, None)),
            _new(Posting, (to_account, into, to_cost, None, None, None)),
        ]
        meta = self._derived(mint_id, source)
        return _new(Transaction, (meta, day, "*", lot.holder, "Mint", _MINT_TAGS, link, postings))

    def _stated(self, event: Event, event_id: str) -> dict[str, Any]:
        """The metadata of what a line causes."""
        return {
            "filename": event.file,
            "lineno": event.line,
            "event": event_id,
            ORDER: self.next_order(),
        }

    def _derived(self, event_id: str, source: str) -> dict[str, Any]:
        """The metadata of what a policy causes rather than a line."""
        return {
            "filename": NOWHERE.file,
            "lineno": NOWHERE.line,
            "event": event_id,
            "source": source,
            ORDER: self.next_order(),
        }

    def _entry(self, entry: JournalEntry) -> Transaction:
        day, kind, subscriber, narration, legs, event_id, event, source, overage, uses, *_ = entry
        lots, accounts, amounts = self._lots, self._accounts_of, self._amounts
        postings: list[Posting] = []
        links: frozenset[str] = NO_LINKS
        money_legs = 0
        for leg in legs:
            if isinstance(leg, LotLeg):
                lot, number, price = leg
                account, cost, link = lots.get(lot) or self._lot(lot, day)
                links = link if links is NO_LINKS or links is link else links | link
                text = str(number)
                units = amounts[lot.commodity].get(text)
                if units is None:
                    units = self._amount(number, lot.commodity, text)
                paid = self._price(*price) if price and price[1] == lot.currency else None
                postings.append(_new(Posting, (account, units, cost, paid, None, None)))
            else:
                role, holder, origin, number, currency = leg
                key = (role, holder, origin)
                account = accounts.get(key) or self._account(key, day)
                units = _new(Amount, (number, currency))
                postings.append(_new(Posting, (account, units, None, None, None, None)))
                money_legs += 1
        if money_legs > 1:
            postings = one_money_posting_each(postings)
        meta = self._derived(event_id, source) if event is None else self._stated(event, event_id)
        if overage or entry.counterparty or entry.period or entry.undoes:
            add_meaning(meta, entry)
            unsaid = price_of_no_posting(legs)
            if unsaid is not None:
                meta["price"] = self._price(*unsaid)
        if event is not None and (
            event.row or event.memo or event.extra or uses > 1 or entry.undoes or entry.occurred
        ):
            add_metadata(meta, entry, event)
        tags = self._overage_tags if overage else self._tags[kind]
        if entry.occurred is not None:
            tags |= LATE_TAGS
        return _new(Transaction, (meta, day, "*", subscriber, narration, tags, links, postings))

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
        event, _, lot, cost = use
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

    def _beside(
        self, known: dict[Lot, WithMoney], money: tuple[Role, str, str], lot: Lot, day: date
    ) -> WithMoney:
        """What all sales or purchases of a lot share, from now on known."""
        account = self._accounts_of.get(money) or self._account(money, day)
        shared = known[lot] = (*(self._lots.get(lot) or self._lot(lot, day)), account)
        return shared


def open_directives(first_used: dict[str, date]) -> list[Open]:
    """The accounts that the plugin opens, each on the first day on which it is used."""
    return [
        Open({"filename": NOWHERE.file, "lineno": NOWHERE.line}, day, account, [], None)
        for account, day in sorted(first_used.items())
    ]
