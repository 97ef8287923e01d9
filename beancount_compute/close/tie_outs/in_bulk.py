"""Tie-outs of a month in bulk: what its journal says, and what stands behind it in Parquet.

    journal by day and account  =  days.parquet  =  movements.parquet
    opening lots + movements    =  lots.parquet, lot by lot
    deferred revenue, ledger    =  cost of lots.parquet

The run compared the same before it wrote the month. Here it is asked of the files as they lie.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Posting, Transaction

from beancount_compute.close.bulk_month import BookedInBulk
from beancount_compute.close.month_in_parquet import LOT, MonthInParquet
from beancount_compute.close.tie_outs.postings import place_of_entry, weight_at_cost
from beancount_compute.close.tie_outs.tie_out import TieOut, count, of_money, of_units
from beancount_compute.economy import POCKETS, ROLES, WIDE, ZERO, Role, trim
from beancount_compute.ledger import BULK_TAG, Accounts

_POCKETS = ", ".join(f"'{pocket}'" for pocket in POCKETS.values())
_KEY = "kind, undoes, role, currency, coalesce(commodity, '')"
_LOT = ", ".join(f'"{each}"' for each in LOT)
_MOST = 21  # lots that differ, of which all but one are named

ByAccount = defaultdict[tuple[Any, ...], Decimal]


def bulk_ties(
    bulk: BookedInBulk, parquet: MonthInParquet, entries: Iterable[Directive], accounts: Accounts
) -> list[TieOut]:
    """The tie-outs of a month in bulk; `entries` are the books, up to its last day at least."""
    last = bulk.month.last
    booked = [each for each in entries if isinstance(each, Transaction) and each.date <= last]
    in_bulk = [each for each in booked if BULK_TAG in each.tags]
    of_month = [each for each in in_bulk if each.date >= bulk.month.first]
    with localcontext(WIDE):
        return [
            *_journal(parquet, of_month, accounts),
            _days(parquet),
            *_roll_forward(parquet),
            _lots(parquet),
            *_deferred(bulk, parquet, booked, accounts),
            _refused(bulk, parquet),
        ]


def _journal(
    parquet: MonthInParquet, of_month: Iterable[Transaction], accounts: Accounts
) -> Iterator[TieOut]:
    """The journal's money and units, by day and account, against the days."""
    money, units, places = _of_journal(of_month)
    days: tuple[ByAccount, ByAccount] = ByAccount(Decimal), ByAccount(Decimal)
    for day, role, holder, origin, currency, commodity, units_in, units_out, amount in parquet.ask(
        "SELECT date, role, coalesce(holder, ''), origin, currency, coalesce(commodity, ''), "
        "sum(units_in), sum(units_out), sum(amount) FROM days GROUP BY ALL ORDER BY ALL"
    ):
        account = accounts.pooled(Role(role), holder, origin)
        days[0][day, account, currency] += amount
        if ROLES[Role(role)].pocket is not None:
            days[1][day, account, commodity, "units-in"] += units_in
            days[1][day, account, commodity, "units-out"] += units_out
    for what, one, other in (("amounts", money, days[0]), ("units", units, days[1])):
        keys = sorted(key for key in one.keys() | other.keys() if one[key] or other[key])
        bad = [
            f"{places.get(key[:2], key[0])}: {key[1]} {_said(one[key])} {key[2]}, "
            f"days.parquet {_said(other[key])}"
            for key in keys
            if one[key] != other[key]
        ]
        yield count(f"journal in bulk, {what}", "days and accounts", "days.parquet", len(keys), bad)


def _of_journal(
    of_month: Iterable[Transaction],
) -> tuple[ByAccount, ByAccount, dict[tuple[Any, ...], str]]:
    money, units = ByAccount(Decimal), ByAccount(Decimal)
    places: dict[tuple[Any, ...], str] = {}
    for entry in of_month:
        for posting in entry.postings:
            number, currency = _amount(posting)
            money[entry.date, posting.account, currency] += number
            places.setdefault((entry.date, posting.account), place_of_entry(entry))
            for key in ("units-in", "units-out"):
                said = (posting.meta or {}).get(key)
                if isinstance(said, Amount):
                    units[entry.date, posting.account, said.currency, key] += said.number or ZERO
    return money, units, places


def _amount(posting: Posting) -> tuple[Decimal, str]:
    units = posting.units
    assert units is not None and units.number is not None  # as Beancount has booked it
    return units.number, str(units.currency)


def _days(parquet: MonthInParquet) -> TieOut:
    """The days of a kind, role and currency are what all subscribers' movements come to."""
    found = parquet.ask(
        f"SELECT {_KEY}, sum(d_in), sum(d_out), sum(d_amount), sum(m_in), sum(m_out), "
        "sum(m_amount) FROM (SELECT kind, undoes, role, currency, commodity, units_in AS d_in, "
        "units_out AS d_out, amount AS d_amount, 0 AS m_in, 0 AS m_out, 0 AS m_amount FROM "
        "days UNION ALL SELECT kind, undoes, role, currency, commodity, 0, 0, 0, "
        "coalesce(units_in, 0), coalesce(units_out, 0), amount FROM movements) "
        "GROUP BY ALL ORDER BY ALL"
    )
    bad = [
        f"{' '.join(filter(None, row[:5]))}: days.parquet {_said(*row[5:8])}, movements.parquet "
        f"{_said(*row[8:])}"
        for row in found
        if row[5:8] != row[8:]
    ]
    return count(
        "days in bulk = movements", "kinds and roles", "movements.parquet", len(found), bad
    )


def _said(*found: Any) -> str:
    """Cells in words; numbers without idle zeros."""
    told = [f"{trim(each, 0):f}" if isinstance(each, Decimal) else f"{each}" for each in found]
    return " ".join(told)


def _roll_forward(parquet: MonthInParquet) -> Iterator[TieOut]:
    """Opening lots + movements = closing lots, in units by pocket, in money by currency."""
    units: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    money: defaultdict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for side, table in ((0, "lots_before"), (1, "lots")):
        for pocket, commodity, currency, cost, number in parquet.ask(
            f"SELECT pocket, commodity, currency, cost, sum(units) FROM {table} "
            f"WHERE pocket IN ({_POCKETS}) GROUP BY ALL"
        ):
            units[pocket, commodity][side] += number
            money[currency][side] += number * cost
    for pocket, commodity, currency, number, amount in parquet.ask(
        "SELECT role, commodity, currency, sum(units_in) - sum(units_out), sum(amount) FROM "
        f"movements WHERE role IN ({_POCKETS}) GROUP BY ALL"
    ):
        units[pocket, commodity][0] += number
        money[currency][0] -= amount
    for (pocket, commodity), (left, right) in sorted(units.items()):
        sides = ("opening + movements.parquet", left), ("lots.parquet", right)
        yield of_units(f"units in {pocket}, in bulk", commodity, *sides)
    for currency, (left, right) in sorted(money.items()):
        sides = ("opening + movements.parquet", left), ("cost of lots.parquet", right)
        yield of_money("deferred revenue, roll-forward in bulk", currency, *sides)


def _lots(parquet: MonthInParquet) -> TieOut:
    """The same, lot by lot."""
    of_pockets = f"WHERE pocket IN ({_POCKETS})"
    ((held,),) = parquet.ask(f"SELECT count(*) FROM lots {of_pockets}")
    differing = (
        f"SELECT {_LOT}, sum(units) AS units FROM (SELECT {_LOT}, units FROM lots_before "
        f"{of_pockets} UNION ALL "
        'SELECT subscriber, role, commodity, cost, currency, date, origin, "end", units_in - '
        f"units_out FROM movements WHERE role IN ({_POCKETS}) UNION ALL "
        f"SELECT {_LOT}, -units FROM lots {of_pockets}) GROUP BY {_LOT} "
        f"HAVING sum(units) <> 0 ORDER BY {_LOT}"
    )
    ((many,),) = parquet.ask(f"SELECT count(*) FROM ({differing})")
    bad = [
        f"{_said(*(each for each in row[:-1] if each is not None))}: opening and movements have "
        f"{_said(row[-1])} more"
        for row in parquet.ask(f"{differing} LIMIT {_MOST}")
    ]
    bad += [""] * (many - len(bad))
    return count("lots in bulk, each rolled forward", "lots", "lots.parquet", held, bad)


def _deferred(
    bulk: BookedInBulk,
    parquet: MonthInParquet,
    booked: Iterable[Transaction],
    accounts: Accounts,
) -> Iterator[TieOut]:
    """Deferred revenue of the general ledger, whoever booked it, is the cost of the lots."""
    ledger = _on_pockets(booked, accounts)
    lots: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, cost, number in parquet.ask(
        f"SELECT currency, cost, sum(units) FROM lots WHERE pocket IN ({_POCKETS}) GROUP BY ALL"
    ):
        lots[currency] += number * cost
    said = {each.currency: each.number or ZERO for each in bulk.held}
    for currency in sorted(ledger.keys() | lots.keys() | said.keys()):
        right = ("cost of lots.parquet", lots[currency])
        if ledger[currency] or right[1]:
            left = ("balance of the accounts", ledger[currency])
            yield of_money("deferred revenue = lots.parquet", currency, left, right)
            left = ("control.csv", said.get(currency, ZERO))
            yield of_money("deferred revenue under the seal", currency, left, right)


def _on_pockets(booked: Iterable[Transaction], accounts: Accounts) -> defaultdict[str, Decimal]:
    """What is on the accounts of pockets, each subscriber's or pooled, at cost."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in booked:
        in_bulk = BULK_TAG in entry.tags
        for posting in entry.postings:
            if accounts.is_stock(posting.account):
                continue
            if in_bulk and "cohort" in (posting.meta or {}):
                number, currency = _amount(posting)
                found[currency] -= number
            elif not in_bulk and accounts.pocket_account(posting.account):
                number, currency = weight_at_cost(posting)
                found[currency] -= number
    return found


def _refused(bulk: BookedInBulk, parquet: MonthInParquet) -> TieOut:
    ((rows,),) = parquet.ask("SELECT count(*) FROM refused")
    sides = ("control.csv", Decimal(bulk.refused)), ("refused.parquet", Decimal(rows))
    return of_units("rows refused", "rows", *sides)
