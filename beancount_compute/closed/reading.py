"""The fast way to read a month: text that still is what was written, as its digest says.

Block by block, with every repeated piece read once: a head, what is held at which cost, an amount.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Directive, Posting, Price, Transaction
from beancount.core.position import Cost
from beancount.parser import parser

from beancount_compute.closed.content import FROZEN
from beancount_compute.closed.held import Held, lot_text, nothing_held
from beancount_compute.closed.month_files import Month
from beancount_compute.economy.events import Place
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.shared_parts import MOST_SHARED
from beancount_compute.ledger.writing import ORDER

_STRING = r'"((?:[^"\\]|\\.)*)"'
_HEAD = re.compile(rf"(\S+) (?:{_STRING} )?{_STRING}")
_BEHIND = re.compile(
    rf"(\S+)(?: (\{{(\S+) (\S+), ([0-9-]{{10}})(?:, {_STRING})?\}}))?(?: @ (\S+) (\S+))?"
)
_COPIED = f'\n  {FROZEN}: "'
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_AMOUNT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ([A-Z][A-Z0-9'._-]*)", re.ASCII)
_new = tuple.__new__


class NotAsWritten(Exception):
    """Text that is not in the one form in which months are written."""


class Reader:
    """Reads the text of closed months; what they repeat is read once for all of them."""

    def __init__(self, accounts: Accounts, next_order: Callable[[], str]) -> None:
        self._accounts = accounts
        self._next_order = next_order
        self._days: dict[str, date] = {}
        self._heads: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, tuple[str, str | None, str]] = {}
        self._words: dict[frozenset[str], frozenset[str]] = {}  # tags and links
        self._keys: dict[str, str] = {}
        self._amounts: defaultdict[str, dict[str, tuple[Amount, Decimal]]]
        self._amounts = defaultdict(dict)
        self._behind: dict[str, tuple[str, str, Cost | None, Amount | None]] = {}
        self._costs: dict[str, tuple[str, Cost]] = {}  # with the text of the lot, by the text read
        self._names: dict[str, tuple[str, bool]] = {}  # accounts, and whether they are pockets

    def as_written(self, path: str, text: str, held: Held) -> Month:
        """A month from the very text that was written; raises `NotAsWritten` for any other."""
        month, found = Month([], [], [], []), nothing_held()
        self._names.clear()  # accounts are noted anew for each month
        self._costs.clear()
        self._behind.clear()
        line = 1
        try:
            for block in text.split("\n\n"):
                self._block(block, path, line, month, found)
                line += block.count("\n") + 2
        except (ValueError, IndexError, InvalidOperation, KeyError):
            raise NotAsWritten from None
        held.take_over(found)
        return month

    def _block(self, block: str, path: str, line: int, month: Month, held: Held) -> None:
        kind = block[11:18]
        if kind == "custom ":
            return  # the terms are read with the file's head
        if kind == "price C" or kind.startswith("price "):
            for at, text in enumerate(block.rstrip("\n").split("\n")):
                if text[0] != " ":
                    self._price(text, path, line + at, block, month)
        elif block[0] != ";":
            copied = _COPIED in block
            entry = self._transaction(block, path, line, held, copied)
            if copied:
                month.copies.append((block.rstrip("\n"), Place(path, line), None))
            else:
                entry.meta[ORDER] = self._next_order()
                month.booked.append(entry)

    def _day(self, text: str) -> date:
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = date.fromisoformat(text)
        return day

    def _transaction(
        self, block: str, path: str, line: int, held: Held, copied: bool
    ) -> Transaction:
        head, *lines = block.rstrip("\n").split("\n")
        day = self._day(head[:10])
        known = self._heads.get(head[11:]) or self._head(head[11:])
        meta: dict[str, Any] = {"filename": path, "lineno": line}
        postings: list[Posting] = []
        behind, names, lots, amounts = self._behind, self._names, held.lots, self._amounts
        keys = self._keys
        for text in lines:
            first = text[2]
            if first == " ":  # metadata of a copy's posting
                continue
            if "a" <= first <= "z":
                key, _, value = text[2:].partition(": ")
                plain = value[:1] == '"' and "\\" not in value
                meta[keys.get(key) or self._key(key)] = value[1:-1] if plain else _value(value)
                continue
            account, number, rest = text.split(None, 2)
            if len(account) == 1:  # the flag of a copy's posting
                account, number, rest = text[4:].split(None, 2)
            commodity, lot, cost, price = behind.get(rest) or self._held_at(rest, held)
            if copied:  # its accounts are for the ledger to open
                pocket = self._accounts.pocket_account(account) is not None
            else:
                account, pocket = names.get(account) or self._name(account, day, held)
            units, amount = amounts[commodity].get(number) or self._amount(number, commodity)
            if pocket and lot:
                lots[account, lot] -= amount
            postings.append(_new(Posting, (account, units, cost, price, None, None)))
        return _new(Transaction, (meta, day, *known, postings))

    def _key(self, text: str) -> str:
        """A key of metadata; one text for all that have it."""
        key = self._keys[text] = text.rstrip(":")
        return key

    def _amount(self, number: str, commodity: str) -> tuple[Amount, Decimal]:
        known, amount = self._amounts[commodity], Decimal(number)
        units = (_new(Amount, (amount, commodity)), amount)
        if len(known) < MOST_SHARED:
            known[number] = units
        return units

    def _name(self, account: str, day: date, held: Held) -> tuple[str, bool]:
        pocket = self._accounts.pocket_account(account) is not None
        known = self._names[account] = (account, pocket)
        held.first_used.setdefault(account, day)
        return known

    def _head(self, text: str) -> tuple[Any, ...]:
        """Flag, payee, narration, tags and links behind a date."""
        behind = text.rfind('"') + 1  # names hold no quotes
        texts, names = text[:behind], text[behind:]
        said = self._texts.get(texts)
        if said is None:
            found = _HEAD.fullmatch(texts)
            if found is None:
                raise NotAsWritten
            flag, payee, narration = found.groups()
            said = self._texts[texts] = (
                flag,
                None if payee is None else _unescaped(payee),
                _unescaped(narration),
            )
        words = names.split()
        tags = frozenset([word[1:] for word in words if word[0] == "#"])
        links = frozenset([word[1:] for word in words if word[0] == "^"])
        known = self._heads[text] = (
            *said,
            self._words.setdefault(tags, tags),
            self._words.setdefault(links, links),
        )
        return known

    def _held_at(self, text: str, held: Held) -> tuple[str, str, Cost | None, Amount | None]:
        """Commodity, lot, cost and price behind a number."""
        found = _BEHIND.fullmatch(text)
        if found is None:
            raise NotAsWritten
        commodity, at_cost, number, currency, day, label, price, price_currency = found.groups()
        lot, cost = "", None
        if at_cost:
            known_cost = self._costs.get(f"{commodity} {at_cost}")
            if known_cost is None:
                name = None if label is None else _unescaped(label)
                cost = Cost(Decimal(number), currency, self._day(day), name)
                lot = lot_text(commodity, cost)
                self._costs[f"{commodity} {at_cost}"] = (lot, cost)
                held.costs[lot] = (commodity, cost)
            else:
                lot, cost = known_cost
        at = Amount(Decimal(price), price_currency) if price else None
        known = self._behind[text] = (commodity, lot, cost, at)
        return known

    def _price(self, text: str, path: str, line: int, block: str, month: Month) -> None:
        day, _, commodity, number, currency = text.split()
        if f"{text}{_COPIED}" in block:
            month.copies.append((_copied(block, text), Place(path, line), None))
            return
        meta = {"filename": path, "lineno": line, ORDER: self._next_order()}
        amount = Amount(Decimal(number), currency)
        month.booked.append(Price(meta, self._day(day), commodity, amount))


def _copied(block: str, head: str) -> str:
    """A copied price with the metadata below it."""
    lines = block.rstrip("\n").split("\n")
    at = lines.index(head)
    behind = at + 1
    while behind < len(lines) and lines[behind].startswith(" "):
        behind += 1
    return "\n".join(lines[at:behind])


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: _UNESCAPED.get(found[1], found[1]), text)


def _value(text: str) -> Any:
    """A metadata value that is no plain text; what only copies hold is left to Beancount."""
    if text[:1] == '"':
        return _unescaped(text[1:-1])
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if text.isdecimal():
        return Decimal(text)
    amount = _AMOUNT.fullmatch(text)
    if amount is not None:
        return Amount(Decimal(amount[1]), amount[2])
    (entry,) = _parsed(f'2000-01-01 custom "a"\n  value: {text}\n', "", 1)
    return entry.meta.get("value")


def _parsed(text: str, path: str, line: int) -> list[Directive]:
    entries, errors, _ = parser.parse_string(text, report_filename=path, report_firstline=line)
    if errors:
        raise NotAsWritten
    return list(entries)
