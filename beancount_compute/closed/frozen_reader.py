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

_STRING = r'"((?:[^"\\]|\\.)*)"'
_HEAD = re.compile(rf"(\S+) (?:{_STRING} )?{_STRING}")
_BEHIND = re.compile(
    rf"(\S+)(?: \{{(\S+) (\S+) ?, ([0-9-]{{10}})(?:, {_STRING})?\}})?(?: @ (\S+) (\S+))?"
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_new = tuple.__new__


class NotAsWritten(Exception):
    """A block that is not in the one form in which months are written."""


_NOT_AS_WRITTEN = (ValueError, IndexError, InvalidOperation, KeyError, NotAsWritten)


class FrozenReader:
    """Reads the text of closed months; what they repeat is read once for all of them."""

    def __init__(self, next_order: Callable[[], str]) -> None:
        self._next_order = next_order
        self._days: dict[str, date] = {}
        self._heads: dict[str, tuple[Any, ...]] = {}
        self._texts: dict[str, tuple[str, str | None, str]] = {}
        self._words: dict[frozenset[str], frozenset[str]] = {}  # tags and links
        self._keys: dict[str, str] = {}
        self._said: dict[str, tuple[str, Any]] = {}  # lines of metadata
        self._amounts: defaultdict[str, dict[str, Amount]] = defaultdict(dict)
        self._behind: dict[str, tuple[str, Cost | None, Amount | None]] = {}
        self._accounts: dict[str, str] = {}
        self._postings: dict[str, Posting] = {}  # most are on the accounts of all, or come twice

    def month(self, path: str, text: str) -> FrozenText:
        """A month from the text that was written."""
        found = FrozenText([], [], [], [])
        self._behind.clear()
        self._postings.clear()
        lines = [*text.split("\n"), ""]
        at = lines.index("")
        options = [line for line in lines[:at] if line.startswith("option ")]
        terms, next_order, add = [""] * (at + 1), self._next_order, found.booked.append
        try:
            while at < len(lines):
                stop = lines.index("", at)
                head = lines[at]
                if head[11:18] == "custom ":
                    terms += [""] * (at - len(terms)) + lines[at:stop]
                elif head[11:17] == "price ":
                    self._prices(lines[at:stop], path, at + 1, options, found)
                elif head:
                    try:
                        entry = self._transaction(lines[at:stop], path, at + 1)
                    except _NOT_AS_WRITTEN:
                        self._slowly(lines[at:stop], path, at + 1, options, found)
                    else:
                        if FROZEN in entry.meta:
                            block = "\n".join(lines[at:stop])
                            found.copies.append(Copy(block, Place(path, at + 1), None))
                        else:
                            entry.meta[ORDER] = next_order()
                            add(entry)
                at = stop + 1
            self._slowly(terms, path, 1, [], found)
        except NotAsWritten:  # a text of several lines holds a blank one, say
            return as_found(path, text, self._next_order)
        return found

    def _slowly(
        self, block: list[str], path: str, line: int, options: list[str], month: FrozenText
    ) -> None:
        """Read a block by Beancount's own parser."""
        text = "\n".join([*options, *block]) + "\n"
        if by_beancount(text, path, line - len(options), month, self._next_order):
            raise NotAsWritten

    def _day(self, text: str) -> date:
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = date.fromisoformat(text)
        return day

    def _transaction(self, lines: list[str], path: str, line: int) -> Transaction:
        head = lines[0]
        day = self._days.get(head[:10]) or self._day(head[:10])
        known = self._heads.get(head[11:]) or self._head(head[11:])
        meta: dict[str, Any] = {"filename": path, "lineno": line}
        postings: list[Posting] = []
        read, said = self._postings.get, self._said.get
        for text in lines[1:]:
            first = text[2]
            if first >= "a":
                key, value = said(text) or self._metadata(text)
                meta[key] = value
            elif first != " ":  # metadata of a copy's posting
                postings.append(read(text) or self._posting(text))
        return _new(Transaction, (meta, day, *known, postings))

    def _metadata(self, text: str) -> tuple[str, Any]:
        """A key and its value; most of them, but for the ids of events, come again."""
        key, _, value = text[2:].partition(": ")
        plain = value[:1] == '"' and "\\" not in value
        key = self._keys.get(key) or self._key(key)
        read = (key, value[1:-1] if plain else _value(value))
        if key != "event" and len(self._said) < MOST_SHARED:
            self._said[text] = read
        return read

    def _posting(self, text: str) -> Posting:
        account, number, rest = text.split(None, 2)
        if len(account) == 1:  # the flag of a copy's posting
            account, number, rest = text[4:].split(None, 2)
        commodity, cost, price = self._behind.get(rest) or self._held_at(rest)
        units = self._amounts[commodity].get(number) or self._amount(number, commodity)
        account = self._accounts.setdefault(account, account)
        posting = _new(Posting, (account, units, cost, price, None, None))
        if cost is None:
            self._postings[text] = posting
        return posting

    def _key(self, text: str) -> str:
        """A key of metadata; one text for all that have it."""
        key = self._keys[text] = text.rstrip(":")
        return key

    def _amount(self, number: str, commodity: str) -> Amount:
        known, amount = self._amounts[commodity], _new(Amount, (Decimal(number), commodity))
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
            cost = _new(Cost, (Decimal(number), currency, self._day(day), name))
        at = Amount(Decimal(price), price_currency) if price else None
        known = self._behind[text] = (commodity, cost, at)
        return known

    def _prices(
        self, lines: list[str], path: str, line: int, options: list[str], month: FrozenText
    ) -> None:
        """A block of prices, of which copies have metadata below them."""
        found: list[Price | Copy] = []
        try:
            for at, text in enumerate(lines):
                if text[0] == " ":
                    continue
                day, _, commodity, number, currency = text.split()
                behind = at + 1
                while behind < len(lines) and lines[behind][0] == " ":
                    behind += 1
                if behind > at + 1:
                    place = Place(path, line + at)
                    found.append(Copy("\n".join(lines[at:behind]), place, None))
                    continue
                meta = {"filename": path, "lineno": line + at, ORDER: self._next_order()}
                amount = Amount(Decimal(number), currency)
                found.append(Price(meta, self._day(day), commodity, amount))
        except _NOT_AS_WRITTEN:
            self._slowly(lines, path, line, options, month)
            return
        month.booked.extend(each for each in found if isinstance(each, Price))
        month.copies.extend(each for each in found if isinstance(each, Copy))


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
