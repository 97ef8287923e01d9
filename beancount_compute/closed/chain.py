"""The chain of seals: which months are closed, and what proves it.

    2026-05-31 custom "compute-close" "2026-05" "sha256:9f2c..."
      previous: "sha256:..."            ; the seal before: a chain
      content: "sha256:..."             ; of transactions, prices, events and terms, by value
      files: "sha256:..."               ; of the two frozen files, byte by byte
      deferred-revenue: 280.00 USD
      events: 124

    2026-05-31 custom "compute-reopen" "2026-05" "a late invoice"
      previous: "sha256:..."
      seals: "2026-05 sha256:9f2c..."
      seal: "sha256:..."

A seal is the SHA-256 of all that its line says otherwise, so that no part of it can change alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.closed.content import digest, plain
from beancount_compute.economy import ZERO, Month, Place, quoted
from beancount_compute.ledger import Errors, FieldError, place_of

CLOSE, REOPEN = "compute-close", "compute-reopen"
SEAL_TYPES = (CLOSE, REOPEN)
NO_SEAL = "none"  # what stands before the first
DEFERRED = "deferred-revenue"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Seal(NamedTuple):
    """A closed month."""

    month: str
    previous: str
    content: str
    files: str
    deferred: tuple[Amount, ...]  # at the month's end, by currency
    events: int
    digest: str = ""
    place: Place = Place("", 0)

    @property
    def statement(self) -> str:
        """All that the seal says; its digest is the seal."""
        deferred = [
            f"{DEFERRED} {plain(each.number or ZERO)} {each.currency}" for each in self.deferred
        ]
        lines = [
            f"{CLOSE} {self.month} {Month.parse(self.month).last}",
            f"previous {self.previous}",
            f"content {self.content}",
            f"files {self.files}",
            *deferred,
            f"events {self.events}",
        ]
        return "\n".join(lines)


class Reopening(NamedTuple):
    """A month opened again, and those after it, with the seals that no longer hold."""

    month: str
    reason: str
    previous: str
    seals: tuple[tuple[str, str], ...]  # months and their old seals
    digest: str = ""
    place: Place = Place("", 0)

    @property
    def statement(self) -> str:
        """All that the line says; its digest is its seal."""
        old = [f"seal {month} {seal}" for month, seal in self.seals]
        reason = self.reason.replace("\n", " ")
        lines = [f"{REOPEN} {self.month} {reason}", f"previous {self.previous}", *old]
        return "\n".join(lines)


Link = Seal | Reopening


class Chain(NamedTuple):
    """All seals in their order, and the months that are closed by them."""

    links: list[Link]
    closed: list[Seal]
    folder: str
    sound: int = 0  # how many of the closed months the chain leads to without a gap

    @property
    def last_day(self) -> date:
        """The last day of the last closed month; the first of all days where none is closed."""
        return Month.parse(self.closed[-1].month).last if self.closed else date.min

    def month_of(self, day: date) -> str:
        """The month in which a day was closed; the first one holds what was written before it."""
        month = Month.of(day).name
        return max(month, self.closed[0].month) if self.closed else month

    @property
    def head(self) -> str:
        """The seal that the next one names."""
        return self.links[-1].digest if self.links else NO_SEAL


def can_close(text: str) -> bool:
    """Whether a text names a month that a ledger can close; the calendar needs one behind it."""
    try:
        return Month.parse(text) < Month.of(date.max)
    except ValueError:
        return False


def with_digest(link: Seal | Reopening) -> Any:
    """The link with its own digest worked out."""
    return link._replace(digest=digest(link.statement))


def read_chain(entries: Iterable[Custom], errors: Errors) -> Chain:
    """The chain that the index holds; a line that does not fit into it is an error."""
    links: list[Link] = []
    folder = ""
    for entry in entries:
        place = place_of(entry.meta)
        try:
            links.append(_link(entry, place))
            folder = folder or os.path.dirname(place.file)
        except FieldError as error:
            errors.add(place, str(error))
    ordered, loose = _in_order(links, errors)
    closed: list[Seal] = []
    for link in (*ordered, *loose):
        if isinstance(link, Seal):
            closed.append(link)
        else:
            closed = [seal for seal in closed if seal.month < link.month]
    closed = sorted({seal.month: seal for seal in closed}.values())
    for link in (*ordered, *loose):  # a closed month's is compared with its files
        if link not in closed and link.digest != digest(link.statement):
            message = f"this line for {link.month} is not what its seal says"
            errors.add(link.place, f"{message}: restore the index as it was")
    _check_gaps(closed, errors)
    sound = 0
    while sound < len(closed) and closed[sound] in ordered:
        if sound and closed[sound].month != Month.parse(closed[sound - 1].month).next.name:
            break
        sound += 1
    return Chain([*ordered, *loose], closed, folder, sound)


def _in_order(links: list[Link], errors: Errors) -> tuple[list[Link], list[Link]]:
    """The links that follow each other from the first on, and those that follow none of them."""
    by_previous: dict[str, Link] = {}
    loose: list[Link] = []
    for link in links:
        if by_previous.setdefault(link.previous, link) is not link:
            loose.append(link)
    ordered: list[Link] = []
    at = NO_SEAL
    while at in by_previous:
        ordered.append(by_previous.pop(at))
        at = ordered[-1].digest
    loose += by_previous.values()
    for link in loose:
        message = (
            f"the chain of seals is broken before {link.month}: no line has the seal "
            f"{quoted(link.previous)} that this one follows, or another follows it too; "
            "restore the index as it was"
        )
        errors.add(link.place, message)
    return ordered, sorted(loose, key=lambda link: (link.month, link.place))


def _check_gaps(closed: list[Seal], errors: Errors) -> None:
    for before, seal in pairwise(closed):
        if seal.month != Month.parse(before.month).next.name:
            message = f"{seal.month} is closed and {Month.parse(before.month).next.name} is not"
            errors.add(seal.place, f"{message}: restore the index as it was")


def _link(entry: Custom, place: Place) -> Link:
    values = [value for value, _ in entry.values or ()]
    meta = {
        key: value
        for key, value in entry.meta.items()
        if key not in ("filename", "lineno") and not key.startswith("__")
    }
    try:
        link = (
            _seal(values, meta, place) if entry.type == CLOSE else _reopening(values, meta, place)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        link = None
    if link is None or meta or entry.date != Month.parse(link.month).last:
        raise FieldError(
            f"not a {entry.type} as bean-compute writes it: restore the index as it was"
        )
    return link


def _seal(values: list[Any], meta: dict[str, Any], place: Place) -> Seal | None:
    month, found = values
    deferred = [meta.pop(key) for key in list(meta) if key.startswith(DEFERRED)]
    seal = Seal(
        month,
        meta.pop("previous"),
        meta.pop("content"),
        meta.pop("files"),
        tuple(sorted(deferred, key=lambda each: str(each.currency))),
        _whole(meta.pop("events")),
        found,
        place,
    )
    texts = (seal.content, seal.files, seal.digest)
    sound = (
        can_close(month)
        and all(map(_DIGEST.fullmatch, texts))
        and all(isinstance(each.number, Decimal) for each in deferred)
    )
    return seal if sound else None


def _whole(number: object) -> int:
    if not isinstance(number, Decimal) or number != int(number):
        raise ValueError(number)
    return int(number)


def _reopening(values: list[Any], meta: dict[str, Any], place: Place) -> Reopening | None:
    month, reason = values
    old = [part.split(" ") for part in meta.pop("seals").split(", ")]
    seals = tuple((each, seal) for each, seal in old)
    link = Reopening(month, reason, meta.pop("previous"), seals, meta.pop("seal"), place)
    return link if can_close(month) and isinstance(reason, str) else None


def link_text(link: Link) -> str:
    """The line of a link in the index."""
    day = Month.parse(link.month).last
    if isinstance(link, Reopening):
        reason = link.reason.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        seals = ", ".join(f"{month} {seal}" for month, seal in link.seals)
        return (
            f'{day} custom "{REOPEN}" "{link.month}" "{reason}"\n'
            f'  previous: "{link.previous}"\n  seals: "{seals}"\n  seal: "{link.digest}"\n'
        )
    many = len(link.deferred) > 1
    deferred = [
        f"  {DEFERRED}{f'-{_key(each.currency)}' if many else ''}: "
        f"{each.number:f} {each.currency}\n"
        for each in link.deferred
    ]
    return (
        f'{day} custom "{CLOSE}" "{link.month}" "{link.digest}"\n'
        f'  previous: "{link.previous}"\n  content: "{link.content}"\n  files: "{link.files}"\n'
        f"{''.join(deferred)}  events: {link.events}\n"
    )


def _key(currency: str) -> str:
    """A currency as part of a metadata key."""
    return re.sub(r"[^a-z0-9_-]", "-", currency.lower())
