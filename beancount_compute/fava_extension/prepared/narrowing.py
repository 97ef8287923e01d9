"""The books as far as filters let them through: postings on some accounts, some transactions.

    Filter(accounts=frozenset({"Liabilities:DeferredRevenue:Tokens:Alice"}))

A posting is kept or not by its own account, whatever else its transaction posts to; of a trade,
whose figures belong to no one posting, all is kept if any posting is. Days are not filtered here:
a `Selection` knows what came before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import localcontext
from functools import cache
from typing import NamedTuple

from beancount_compute.economy import ROLE_OF_EARNING, WIDE, ZERO, Earning, Pocket
from beancount_compute.reports import (
    Books,
    Income,
    LotKey,
    MoneyFacts,
    Movement,
    Owed,
    Selection,
    Trade,
    fold,
)


class Filter(NamedTuple):
    """What is kept; None and "" keep all."""

    accounts: frozenset[str] | None = None
    transactions: frozenset[int] | None = None  # places in `Books.transactions`
    subscriber: str = ""


def narrow(books: Books, summed: Books, kept: Filter) -> Books:
    """The coarse books of what a filter keeps; `summed` are those of everything."""
    if kept == Filter():
        return summed
    of = Selection(subscriber=kept.subscriber)
    whole_pockets = _whole_pockets(books, kept)
    if whole_pockets is None:
        movements = _movements(of.movements(books), kept)
    else:
        movements = [each for each in summed.movements if each.pocket in whole_pockets]
    narrowed = replace(books, movements=tuple(movements))
    incomes = of.incomes(books)
    money = MoneyFacts(
        tuple(_incomes(books, incomes, kept)),
        tuple(_trades(books, kept)),
        lambda: tuple(_owed(books, kept)),
    )
    return coarse(replace(narrowed, read_money=lambda: money, lots_earn=False))


def with_trades_of(books: Books, summed: Books, kept: Filter) -> Books:
    """The coarse books with the trades of transactions that a filter keeps, and all movements."""
    whole = narrow(books, summed, Filter(subscriber=kept.subscriber))
    places = kept.transactions
    if places is None:
        return whole
    trades = tuple([each for each in whole.trades if each.at in places])
    return replace(whole, read_money=lambda: whole.money._replace(trades=trades))


def _whole_pockets(books: Books, kept: Filter) -> list[Pocket] | None:
    """The pockets that are kept whole, where each is kept whole or not at all; else None."""
    if kept.accounts is None or kept.transactions is not None or kept.subscriber:
        return None
    found: list[Pocket] = []
    for pocket, accounts in books.pocket_accounts.items():
        if accounts <= kept.accounts:
            found.append(pocket)
        elif not accounts.isdisjoint(kept.accounts):
            return None
    return found


def _movements(movements: Iterable[Movement], kept: Filter) -> list[Movement]:
    accounts, places = kept.accounts, kept.transactions
    return [
        each
        for each in movements
        if (accounts is None or each.account in accounts) and (places is None or each.at in places)
    ]


def _incomes(books: Books, incomes: Iterable[Income], kept: Filter) -> list[Income]:
    accounts, places = kept.accounts, kept.transactions
    if places is not None:
        incomes = [each for each in incomes if each.at in places]
    if accounts is None:
        return list(incomes)
    known: dict[tuple[Earning, str, str], bool] = {}
    found: list[Income] = []
    for each in incomes:
        key = (each.earning, each.subscriber, each.origin)
        keeps = known.get(key)
        if keeps is None:
            account = books.accounts.account(
                ROLE_OF_EARNING[each.earning], each.subscriber, each.origin
            )
            keeps = known[key] = account in accounts
        if keeps:
            found.append(each)
    return found


def _trades(books: Books, kept: Filter) -> Iterable[Trade]:
    for each in books.trades:
        if kept.subscriber and kept.subscriber not in (each.seller, each.buyer):
            continue
        if kept.transactions is not None and each.at not in kept.transactions:
            continue
        postings = books.transactions[each.at].postings
        if kept.accounts is None or any(p.account in kept.accounts for p in postings):
            yield each


def _owed(books: Books, kept: Filter) -> list[Owed]:
    return [
        each
        for each in books.owed
        if (not kept.subscriber or each.party == kept.subscriber)
        and (kept.transactions is None or each.at in kept.transactions)
        and (kept.accounts is None or each.account in kept.accounts)
    ]


def coarse(books: Books) -> Books:
    """The same books, with movements and incomes of a day, plan and vintage added up."""

    @cache
    def vintage(currency: str, month: str, origin: str) -> LotKey:
        """Stands for all lots of a month and origin: no cost, no end, no holder."""
        return LotKey(ZERO, currency, date.min, month, origin, None, None)

    def of(lot: LotKey) -> LotKey:
        return vintage(lot.currency, lot.month, lot.origin)

    moved = [each._replace(lot=of(each.lot)) for each in books.movements_of_all]
    earned = [each._replace(lot=each.lot and of(each.lot)) for each in books.incomes_of_all]
    keys = ("date", "month", "origin", "currency", "lot")
    with localcontext(WIDE):
        movements = fold(moved, (*keys, "flow", "pocket", "commodity", "why"), ("units", "amount"))
        incomes = fold(earned, (*keys, "earning", "kind"), ("amount",))
    money = books.money._replace(earned=tuple(incomes))
    return replace(books, movements=tuple(movements), read_money=lambda: money, lots_earn=False)
