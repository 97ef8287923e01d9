"""What booked transactions mean: from Beancount's directives back to the journal.

    2026-06-10 * "alice" "Trade with bob" #compute-trade
      counterparty: "bob"
      buyer-fee: 1.25 USD
      Liabilities:DeferredRevenue:Tokens:Alice    500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Liabilities:DeferredRevenue:Tokens:Bob     -500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Assets:Receivable:Bob                    126.25 USD
      Liabilities:Payable:Alice               -118.75 USD
      Income:Fees                               -7.50 USD

becomes the legs that it was written from, with the fees of alice (6.25) and bob (1.25) apart. This
is the only inverse of `writing.py`. A posting on a lot says holder and pocket by its account. What
a posting of money means follows from the kind: each kind has its legs, and each leg its account.
Where several share one, metadata and the cost of the lots tell them apart. Nothing is taken from
narrations, ids or terms.

What people write carries no such metadata: there the account alone tells (`owed_by_hand`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from itertools import chain
from typing import Any, NamedTuple, assert_never

from beancount.core.amount import Amount
from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    BOOKED,
    FIXED_FEE,
    KINDS,
    OF_PROVIDERS,
    OWED_TO_OTHERS,
    ROLES,
    STOCK,
    WIDE,
    ZERO,
    JournalEntry,
    Kind,
    Leg,
    LegOrigin,
    LegRow,
    Lot,
    LotLeg,
    Money,
    MoneyLeg,
    Pocket,
    Role,
    Root,
    StatedCost,
    Unbalanced,
    check_balance,
    cost_of,
    money_leg,
    moved_by,
)
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.bulk_folders import BULK_TAG
from beancount_compute.ledger.hand_written import OPENING_TAG
from beancount_compute.ledger.metadata import (
    FROM_PLAN,
    TO_PLAN,
    back_of,
    beyond_of,
    date_of,
    exchange_of,
    lapsed_of,
    money_of,
    named_amounts,
    price_of,
    shortfall_of,
    text_in,
)
from beancount_compute.ledger.writing import ORDER

BY_HAND = ""  # the kind of a hand-written transaction
IN_BULK = "bulk"  # that of a month's journal, whose facts stand in Parquet
OPENING = "opening"  # and of one that enters opening lots
CostByOrigin = Mapping[tuple[str, str], Decimal]  # cost that leaves lots, by origin and currency
OnAccount = tuple[str, MoneyLeg]  # a leg of money with the account that it is on
LegKey = tuple[Role, str, str]  # role, holder and origin
# A leg that a transaction may have; the currency, "" for any; and the number, None for what the
# posting holds besides the others
Candidate = tuple[LegKey, str, Decimal | None]

_OF_PROVIDERS = frozenset(OF_PROVIDERS)
_REVERSAL = Kind.REVERSAL  # to name a member of an enum takes longer than to compare it
_NONE, _LAPSED = LegOrigin.NONE, LegOrigin.LAPSED
_MONEY: dict[str, tuple[LegRow, ...]] = {kind: row.money for kind, row in KINDS.items()}
_UNDONE: dict[Any, Kind] = {kind.value: kind for kind in BOOKED if kind is not Kind.REVERSAL}


class OwedByHand(NamedTuple):
    """Money that people wrote on what is owed."""

    account: str
    role: Role
    party: str  # as the role's row says; "" where it can't be told
    number: Decimal
    currency: str


class Meaning:
    """Reads the transactions of one ledger; its sums need `WIDE`."""

    def __init__(self, accounts: Accounts, names: Mapping[str, str]) -> None:
        """`names` gives the subscriber of an account component."""
        self.accounts = accounts
        self.pockets: dict[str, tuple[Pocket, str] | None] = {}  # of all accounts asked for
        self._stock: dict[str, bool] = {}  # of accounts that are no pocket
        self._names = names
        self._known = frozenset(names.values())
        self._kinds: dict[frozenset[str], str] = {}
        self._labels: dict[str | None, tuple[str, date | None]] = {}
        self._accounts_of: dict[tuple[Role, str, str], str] = {}

    def kind(self, tags: frozenset[str] | None, meta: Mapping[str, Any]) -> tuple[str, bool]:
        """What a transaction books, or undoes; and whether it is a reversal."""
        if ORDER not in meta:
            if tags and BULK_TAG in tags:
                return IN_BULK, False
            return (OPENING if tags and OPENING_TAG in tags else BY_HAND), False
        kind = self.booked(tags)
        if kind == _REVERSAL:
            return _UNDONE.get(meta.get("undoes"), BY_HAND), True
        return kind, False

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of all transactions that were read."""
        return frozenset(self._kinds.values())

    def booked(self, tags: frozenset[str] | None) -> str:
        """The kind that the tags of a booked transaction name."""
        tags = tags or frozenset()
        kind = self._kinds.get(tags)
        if kind is None:
            kind = self._kinds[tags] = kind_of_tags(tags)
        return kind

    def pocket(self, account: str) -> tuple[Pocket, str] | None:
        """The pocket that an account is, with its subscriber; None for any other account."""
        if account in self.pockets:
            return self.pockets[account]
        found = self.accounts.pocket_account(account)
        read = None
        if found is not None:
            read = (found.pocket, self._names.get(found.subscriber, found.subscriber))
        self.pockets[account] = read
        return read

    def label(self, label: str | None) -> tuple[str, date | None]:
        """The origin and end that a lot's label names; no end where somebody forged it."""
        read = self._labels.get(label)
        if read is None:
            origin, _, end = (label or "").partition("/")
            read = self._labels[label] = (origin, date_of(end))
        return read

    def lot(self, account: str, commodity: str, cost: Cost) -> Lot | None:
        """The lot that a posting at cost names; None on an account that holds no units."""
        origin, end = self.label(cost.label)
        found = self.pocket(account) or self._in_stock(account, origin)
        if found is None:
            return None
        pocket, holder = found
        number = cost_of(cost.number, cost.currency)
        return Lot(holder, pocket, commodity, number, cost.currency, cost.date, origin, end)

    def _in_stock(self, account: str, provider: str) -> tuple[Pocket, str] | None:
        """Where credits lie, whose label names their provider; None on any other account."""
        if account not in self._stock:
            self._stock[account] = self.accounts.is_stock(account)
        return (STOCK, provider) if self._stock[account] else None

    def _lot_leg(self, posting: Posting, price: Money | None) -> LotLeg | None:
        units = money_of(posting.units)
        if units is None or not isinstance(posting.cost, Cost):
            return None
        lot = self.lot(posting.account, units.currency, posting.cost)
        return None if lot is None else LotLeg(lot, units.number, price)

    def _lapsed_legs(self, entry: Transaction) -> list[LotLeg]:
        """The legs of lots that had lapsed: units that come back, and leave."""
        found: list[LotLeg] = []
        for pocket, number, commodity, cost in lapsed_of(entry.meta):
            key = (cost_of(cost.number, cost.currency), cost.currency, cost.date)
            lot = Lot(entry.payee or "", pocket, commodity, *key, *self.label(cost.label))
            found += [LotLeg(lot, -abs(number)), LotLeg(lot, abs(number))]
        return found

    def entry_of(self, entry: Transaction) -> JournalEntry | None:
        """The journal entry of a booked transaction, its legs in the order of the postings.

        None where its money is on other accounts than in the ledger's terms: accounts were named
        anew since it was booked, which is an error of its own.
        """
        meta = entry.meta
        uses, occurred = meta.get("events"), meta.get("occurred")
        quantity, served = meta.get("quantity"), meta.get("served")
        with localcontext(WIDE):
            legs = self._legs(entry)
            try:
                check_balance(legs)
            except Unbalanced:
                return None
        return JournalEntry(
            entry.date,
            Kind(self.booked(entry.tags)),
            entry.payee or "",
            entry.narration or "",
            legs,
            str(meta.get("event", "")),
            None,
            str(meta.get("source", "")),
            overage="compute-overage" in entry.tags,
            uses=int(uses) if isinstance(uses, Decimal) else 1,
            undoes=str(meta.get("undoes", "")),
            occurred=occurred if isinstance(occurred, date) else None,
            counterparty=text_in(meta.get("counterparty")),
            period=str(meta.get("period", "")),
            subscription=str(meta.get("subscription", "")),
            meter=text_in(meta.get("meter")),
            quantity=quantity if isinstance(quantity, Decimal) else ZERO,
            used=money_of(meta.get("used")),
            served=served if isinstance(served, date) else None,
            beyond=tuple(beyond_of(meta.get("beyond"))),
            prorated=text_in(meta.get("prorated")),
            stated=tuple([StatedCost(*each) for each in named_amounts(meta.get("stated"))]),
            shortfall=shortfall_of(meta.get("shortfall")),
            back=back_of(meta) if "back" in meta else None,
            exchange=exchange_of(meta) if "charge" in meta else None,
        )

    def _legs(self, entry: Transaction) -> list[Leg]:
        price = price_of(entry)
        lots = [self._lot_leg(posting, price) for posting in entry.postings]
        kind, undoes = self.kind(entry.tags, entry.meta)
        of_lapsed = self._lapsed_legs(entry)
        carried, lapsed = _costs([*(leg for leg in lots if leg is not None), *of_lapsed], undoes)
        money: dict[tuple[str, str], list[MoneyLeg]] = {}
        for account, of_money in self.money(entry, kind, carried, lapsed):
            money.setdefault((account, of_money.currency), []).append(of_money)
        of_lots: list[Leg] = []
        found: list[Leg] = []
        for posting, leg in zip(entry.postings, lots, strict=True):
            if leg is not None:
                (of_lots if lapsed else found).append(leg)
            elif posting.units is not None:
                found += money.pop((posting.account, posting.units.currency), [])
        return [*of_lots, *of_lapsed, *found, *chain.from_iterable(money.values())]

    def money(
        self, entry: Transaction, kind: str, carried: CostByOrigin, lapsed: CostByOrigin
    ) -> list[OnAccount]:
        """The legs of money of a booked transaction, each with its account.

        `kind` is what it books or undoes. `carried` counts only for kinds with legs whose origin
        is that of lots; `lapsed` is what had lapsed of it, below zero.
        """
        on_account, shared_by_many = self._candidates(entry, kind, carried, lapsed)
        found: list[OnAccount] = []
        divided: set[tuple[str, str]] = set()
        sums = _sums_on(shared_by_many, entry.postings) if shared_by_many else {}
        units: Any  # an Amount of a Decimal, as is looked at below
        for account, units, _, _, _, _ in entry.postings:
            sharing = on_account.get(account)
            if sharing is None or units.__class__ is not Amount:
                continue
            number, currency = units
            if number.__class__ is not Decimal:
                continue  # an error of Beancount's booking, which it has reported
            if len(sharing) == 1:
                ((role, holder, origin), _, _) = sharing[0]
                found.append((account, money_leg((role, holder, origin, number, currency))))
            elif (account, currency) not in divided:
                divided.add((account, currency))
                _apart(account, sharing, sums[account, currency], currency, found)
        for account in shared_by_many:
            for _, currency, part in on_account[account]:
                if part and (account, currency) not in divided:
                    divided.add((account, currency))
                    if not _known_on(on_account[account], currency):  # together they are nothing
                        _apart(account, on_account[account], ZERO, currency, found)
        return found

    def _candidates(
        self, entry: Transaction, kind: str, carried: CostByOrigin, lapsed: CostByOrigin
    ) -> tuple[dict[str, list[Candidate]], list[str]]:
        """The legs of money that a transaction may have, by account; and who have several."""
        found: dict[str, list[Candidate]] = {}
        shared: list[str] = []
        accounts_of, meta, payee = self._accounts_of, entry.meta, entry.payee or ""
        counterparty = text_in(meta.get("counterparty"))
        for row in _MONEY.get(kind, ()):
            role, origin, of_counterparty, amount_key = row
            holder = counterparty if of_counterparty else payee
            candidates: Iterable[Candidate]
            if origin is _NONE and not amount_key:
                candidates = (((role, holder, ""), "", None),)
            else:
                costs = lapsed if origin is _LAPSED else carried
                candidates = _candidates_of(row, holder, meta, costs)
            for each in candidates:
                key = each[0]
                account = accounts_of.get(key)
                if account is None:
                    account = accounts_of[key] = self.accounts.account(*key)
                if account in found:
                    found[account].append(each)
                    shared.append(account)
                else:
                    found[account] = [each]
        return found, shared

    def owed_by_hand(self, entry: Transaction) -> Iterator[OwedByHand]:
        """Payments, payouts and whatever else people write on what is owed."""
        payee = entry.payee or ""
        for posting in entry.postings:
            amount = money_of(posting.units)
            owed = self.accounts.owed_account(posting.account)
            if amount is None or owed is None or self.pocket(posting.account) is not None:
                continue
            if owed.subscriber and owed.subscriber not in self._names:
                continue  # a template such as Assets:{subscriber} fits other accounts too
            if owed.role in OWED_TO_OTHERS:
                party = owed.other or payee
            elif owed.subscriber:
                party = self._names[owed.subscriber]
            else:
                party = payee if payee in self._known else ""
            yield OwedByHand(posting.account, owed.role, party, *amount)


def is_of_provider(entry: Transaction) -> bool:
    """Whether a booked transaction is of a provider, its payee, and of no subscriber."""
    return not _OF_PROVIDERS.isdisjoint((kind_of_tags(entry.tags), entry.meta.get("undoes")))


def kind_of_tags(tags: frozenset[str]) -> str:
    """The kind that tags name; "" where they name none."""
    return next((kind for kind in BOOKED if f"compute-{kind}" in tags), BY_HAND)


def _costs(legs: Iterable[LotLeg], undoes: bool) -> tuple[CostByOrigin, CostByOrigin]:
    """The cost that leaves lots, and that of lapsed ones which came back for it, below zero.

    A lot that a transaction moves both ways had lapsed; where it is undone, it lapses again.
    """
    carried: dict[tuple[str, str], Decimal] = {}
    lapsed: dict[tuple[str, str], Decimal] = {}
    for each in moved_by(legs):
        key, cost = (each.lot.origin, each.lot.currency), each.lot.cost
        back = (each.lapsed if undoes else -each.lapsed) * cost
        carried[key] = carried.get(key, ZERO) + each.net * cost - back
        if back:
            lapsed[key] = lapsed.get(key, ZERO) + back
    return carried, lapsed


def _sums_on(
    accounts: Sequence[str], postings: Iterable[Posting]
) -> dict[tuple[str, str], Decimal]:
    """What stands on accounts, by currency."""
    sums: dict[tuple[str, str], Decimal] = {}
    for account, units, *_ in postings:
        amount = money_of(units) if account in accounts else None
        if amount is not None:
            key = (account, amount.currency)
            sums[key] = sums.get(key, ZERO) + amount.number
    return sums


def _known_on(sharing: Iterable[Candidate], currency: str) -> Decimal:
    """What the legs that share an account come to, where their numbers are known."""
    return sum([part for _, money, part in sharing if part and money == currency], ZERO)


def _candidates_of(
    row: LegRow, holder: str, meta: Mapping[str, Any], carried: CostByOrigin
) -> list[Candidate]:
    role = row.role
    match row.origin:
        case LegOrigin.LOTS | LegOrigin.LAPSED:
            return [((role, holder, name), money, -cost) for (name, money), cost in carried.items()]
        case LegOrigin.NONE:
            amount = money_of(meta.get(row.key))
            sign = 1 if ROLES[role].root is Root.EXPENSES else -1
            return [((role, holder, ""), amount.currency, sign * amount.number)] if amount else []
        case LegOrigin.FIXED_FEE:
            amount = money_of(meta.get(row.key))
            return [((role, holder, FIXED_FEE), amount.currency, -amount.number)] if amount else []
        case LegOrigin.FIRST:
            firsts: dict[str, str] = {}
            for name, money in carried:
                firsts.setdefault(money, name)
            return [((role, holder, name), money, None) for money, name in firsts.items()]
        case LegOrigin.PARTNER:
            return [((role, holder, text_in(meta.get("counterparty"))), "", None)]
        case LegOrigin.OVERAGE:
            sign = 1 if role in (Role.RECEIVABLE, Role.UNBILLED) else -1
            if role is Role.UNBILLED and row.key == "invoiced":
                sign = -1
            billed = named_amounts(meta.get(row.key or "overage"))
            return [((role, holder, plan), money, sign * number) for plan, number, money in billed]
        case LegOrigin.BACK:
            return [
                ((role, holder, name), of, None) for name, _, of in named_amounts(meta.get("back"))
            ]
        case LegOrigin.EARNED | LegOrigin.FROM_PLAN:
            plan, amount = text_in(meta.get(FROM_PLAN)), money_of(meta.get(row.key))
            if not row.key:
                return [((role, holder, plan), "", None)]
            sign = 1 if role is Role.REFUNDS else -1
            return [((role, holder, plan), amount.currency, sign * amount.number)] if amount else []
        case LegOrigin.TO_PLAN:
            plan, old = text_in(meta.get(TO_PLAN)), text_in(meta.get(FROM_PLAN))
            plan = plan or next((name for name, _ in carried if name != old), "")
            return [((role, holder, plan), "", None)]
        case LegOrigin.METERS:
            text, sign = meta.get(row.key), 1
            if row.key == "accrued":  # nothing was drawn of credits: all of it
                text, sign = text or (None if carried else meta.get("costs")), -1
            by_meter = named_amounts(text)
            return [((role, holder, meter), of, sign * number) for meter, number, of in by_meter]
        case _:
            assert_never(row.origin)


def _apart(
    account: str,
    sharing: Iterable[Candidate],
    number: Decimal,
    currency: str,
    found: list[OnAccount],
) -> None:
    """Add the legs that share a posting: those whose number is known, and one that is the rest."""
    known: list[tuple[LegKey, Decimal]] = []
    of_rest = None
    for key, money, part in sharing:
        if part is None:
            if of_rest is None and money in ("", currency):
                of_rest = key
        elif money == currency:
            known.append((key, part))
            number -= part
    if number and of_rest is None and known:  # edited, which is an error of its own
        of_rest, part = known.pop(0)
        number += part
    if number and of_rest is not None:
        known.insert(0, (of_rest, number))
    for (role, holder, origin), part in known:
        if part:
            found.append((account, money_leg((role, holder, origin, part, currency))))
