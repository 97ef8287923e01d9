"""The fast way to read a month: text that still is what was written, as its digest says.

Block by block, with every repeated piece read once: a head, a posting, what is held at which cost.
A block that is not in the one form of `month_text` is left to Beancount's own parser.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Posting, Price, Transaction
from beancount.core.position import Cost
from beancount.parser import parser

from beancount_compute.closed.content import FROZEN
from beancount_compute.closed.frozen_text import Copy, FrozenText, as_found, by_beancount
from beancount_compute.economy import Place
from beancount_compute.ledger import MOST_SHARED, ORDER

COPIED = f'\n  {FROZEN}: "'
_STRING = r'"((?:[^"\\]|\\.)*)"'
_HEAD = re.compile(rf"(\S+) (?:{_STRING} )?{_STRING}")
_BEHIND = re.compile(
    rf"(\S+)(?: \{{(\S+) (\S+), ([0-9-]{{10}})(?:, {_STRING})?\}})?(?: @ (\S+) (\S+))?"
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_new = tuple.__new__


class NotAsWritten(Exception):
    """A block that is not in the one form in which months are written."""


class FrozenReader:
    """Reads the text of closed months; what they repeat is read once for all of them."""

    def __init__(self, next_order: Callable[[], str]) -> None:
        self._next_order = next_order
        self._days: dict[str, date] = {}
        self._heads: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, tuple[str, str | None, str]] = {}
        self._words: dict[frozenset[str], frozenset[str]] = {}  # tags and links
        self._keys: dict[str, str] = {}
        self._amounts: defaultdict[str, dict[str, Amount]] = defaultdict(dict)
        self._behind: dict[str, tuple[str, Cost | None, Amount | None]] = {}
        self._accounts: dict[str, str] = {}
        self._postings: dict[str, Posting] = {}  # most are on the accounts of all, or come twice

    def month(self, path: str, text: str) -> FrozenText:
        """A month from the text that was written."""
        found = FrozenText([], [], [], [])
        self._behind.clear()
        self._postings.clear()
        head, _, rest = text.partition("\n\n")
        options = [line for line in head.split("\n") if line.startswith("option ")]
        line, terms, so_far = head.count("\n") + 3, "", 1
        try:
            for block in rest.split("\n\n"):
                if block[11:18] == "custom ":
                    terms += "\n" * (line - so_far) + block + "\n"
                    so_far = line + block.count("\n") + 1
                else:
                    self._block(block, path, line, options, found)
                line += block.count("\n") + 2
            if by_beancount(terms, path, 1, found, self._next_order):
                raise NotAsWritten
        except NotAsWritten:  # a text of several lines holds a blank one, say
            return as_found(path, text, self._next_order)
        return found

    def _block(
        self, block: str, path: str, line: int, options: list[str], month: FrozenText
    ) -> None:
        before = len(month.booked), len(month.copies)
        try:
            if block[11:17] == "price ":
                for at, text in enumerate(block.rstrip("\n").split("\n")):
                    if text[0] != " ":
                        self._price(text, path, line + at, block, month)
                return
            copied = COPIED in block
            entry = self._transaction(block, path, line)
        except (ValueError, IndexError, InvalidOperation, KeyError, NotAsWritten):
            del month.booked[before[0] :], month.copies[before[1] :]
            text = "\n".join([*options, block]) + "\n"
            if by_beancount(text, path, line - len(options), month, self._next_order):
                raise NotAsWritten from None
            return
        if copied:
            month.copies.append(Copy(block.rstrip("\n"), Place(path, line), None))
        else:
            entry.meta[ORDER] = self._next_order()
            month.booked.append(entry)

    def _day(self, text: str) -> date:
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = date.fromisoformat(text)
        return day

    def _transaction(self, block: str, path: str, line: int) -> Transaction:
        head, *lines = block.rstrip("\n").split("\n")
        day = self._day(head[:10])
        known = self._heads.get(head[11:]) or self._head(head[11:])
        meta: dict[str, Any] = {"filename": path, "lineno": line}
        postings: list[Posting] = []
        read, keys = self._postings.get, self._keys
        for text in lines:
            first = text[2]
            if first == " ":  # metadata of a copy's posting
                continue
            if "a" <= first <= "z":
                key, _, value = text[2:].partition(": ")
                plain = value[:1] == '"' and "\\" not in value
                meta[keys.get(key) or self._key(key)] = value[1:-1] if plain else _value(value)
                continue
            postings.append(read(text) or self._posting(text))
        return _new(Transaction, (meta, day, *known, postings))

    def _posting(self, text: str) -> Posting:
        account, number, rest = text.split(None, 2)
        if len(account) == 1:  # the flag of a copy's posting
            account, number, rest = text[4:].split(None, 2)
        commodity, cost, price = self._behind.get(rest) or self._held_at(rest)
        units = self._amounts[commodity].get(number) or self._amount(number, commodity)
        account = self._accounts.setdefault(account, account)
        posting = self._postings[text] = _new(Posting, (account, units, cost, price, None, None))
        return posting

    def _key(self, text: str) -> str:
        """A key of metadata; one text for all that have it."""
        key = self._keys[text] = text.rstrip(":")
        return key

    def _amount(self, number: str, commodity: str) -> Amount:
        known, amount = self._amounts[commodity], Amount(Decimal(number), commodity)
        if len(known) < MOST_SHARED:
            known[number] = amount
        return amount

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
        if len(tags) + len(links) < len(words):  # a comment, say
            raise NotAsWritten
        known = self._heads[text] = (
            *said,
            self._words.setdefault(tags, tags),
            self._words.setdefault(links, links),
        )
        return known

    def _held_at(self, text: str) -> tuple[str, Cost | None, Amount | None]:
        """Commodity, cost and price behind a number."""
        found = _BEHIND.fullmatch(text)
        if found is None:
            raise NotAsWritten
        commodity, number, currency, day, label, price, price_currency = found.groups()
        cost = None
        if number:
            name = None if label is None else _unescaped(label)
            cost = Cost(Decimal(number), currency, self._day(day), name)
        at = Amount(Decimal(price), price_currency) if price else None
        known = self._behind[text] = (commodity, cost, at)
        return known

    def _price(self, text: str, path: str, line: int, block: str, month: FrozenText) -> None:
        day, _, commodity, number, currency = text.split()
        if f"{text}{COPIED}" in block:
            month.copies.append(Copy(_copied(block, text), Place(path, line), None))
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
    entries, errors, _ = parser.parse_string(f'2000-01-01 custom "a"\n  value: {text}\n')
    if errors:
        raise NotAsWritten
    return entries[0].meta.get("value")
