"""The frozen text of a month: written once, read back on every load.

    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU      ; a term that was used
      first-used: 2026-05-01
      last-used: 2026-05-31

    2026-05-01 * "alice" "Allocation pro 2026-05-01/2026-05-31" #compute-allocation ^lot-...
      event: "s-alice/2026-05-01"
      ...

It is plain Beancount, in full digits and in the engine's order. Text that is what was written, as
its digest says, is read by `FrozenReader`; any other by Beancount's own parser, so that it may be
formatted anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom, Directive, Price, Transaction
from beancount.core.position import Cost, CostSpec
from beancount.parser import parser

from beancount_compute.closed.content import FROZEN, item_of
from beancount_compute.economy import Place
from beancount_compute.ledger import ORDER, directive_text

HEADER = "; {month}, closed by bean-compute close. The ledger's index seals it: don't edit it.\n"


class Copy(NamedTuple):
    """A copy of what a person or another plugin wrote; the original stays in the ledger."""

    text: str
    place: Place
    entry: Directive | None  # None where the text is as it is written here

    @property
    def read(self) -> Directive:
        """The copy as a directive."""
        if self.entry is not None:
            return self.entry
        month = FrozenText([], [], [], [])
        by_beancount(self.text + "\n", self.place.file, self.place.line, month, lambda: "")
        (found,) = month.copies
        assert found.entry is not None
        return found.entry


class FrozenText(NamedTuple):
    """A frozen month as it stands in its file."""

    terms: list[Custom]  # those that it used, and its assertions
    booked: list[Directive]  # what the plugin booked: transactions and prices
    copies: list[Copy]
    unreadable: list[tuple[Place, str]]

    def items(self) -> Counter[str]:
        """All that the text says, by value."""
        items = Counter(map(item_of, (*self.terms, *self.booked)))
        items.update(item_of(copy.read) for copy in self.copies)
        items.update(f"unreadable {place.line}" for place, _ in self.unreadable)
        return items


def month_text(
    month: str, options: Iterable[str], terms: Iterable[str], entries: Iterable[Directive]
) -> str:
    """The text of a month: its terms, then its entries in the order given.

    `options` are the lines that name the roots otherwise than Beancount does: a file that is
    included must say that for itself.
    """
    pieces = [HEADER.format(month=month), *options]
    pieces += [f"\n{text}" for text in terms]
    before: type | None = None
    for entry in entries:
        if isinstance(entry, Transaction) or type(entry) is not before:
            pieces.append("\n")
        before = type(entry)
        pieces.append(directive_text(entry))
    return "".join(pieces)


def copy_of(entry: Directive, whose: str) -> Directive:
    """What stays in the ledger, as its frozen copy; a key of its own never hides the mark."""
    own = {f"{key}-" if key.startswith(FROZEN) else key: each for key, each in entry.meta.items()}
    return entry._replace(meta={FROZEN: whose, **own})


def by_beancount(
    text: str, path: str, line: int, month: FrozenText, next_order: Callable[[], str]
) -> list[Any]:
    """Read text by Beancount's own parser, and add what it holds; the errors."""
    entries, errors, _ = parser.parse_string(text, report_filename=path, report_firstline=line)
    for entry in entries:
        place = Place(path, int(entry.meta["lineno"]))
        if isinstance(entry, Custom):
            month.terms.append(entry)
            continue
        if isinstance(entry, Transaction):
            entry, whole = _with_costs(entry)
            if not whole:
                month.unreadable.append((place, "a posting is not written in full"))
                continue
        if FROZEN in entry.meta:
            month.copies.append(Copy(directive_text(entry).rstrip("\n"), place, entry))
        elif isinstance(entry, Transaction | Price):
            meta = {key: value for key, value in entry.meta.items() if not key.startswith("__")}
            month.booked.append(entry._replace(meta={**meta, ORDER: next_order()}))
        else:
            month.unreadable.append((place, "this has no place in a closed month"))
    return list(errors)


def as_found(path: str, text: str, next_order: Callable[[], str]) -> FrozenText:
    """A month from text that may have been changed; what can't be read is told in it."""
    month = FrozenText([], [], [], [])
    for error in by_beancount(text, path, 1, month, next_order):
        at = Place(path, int(error.source.get("lineno", 1)))
        month.unreadable.append((at, f"not Beancount text: {error.message}"))
    return month


def _cost_of_spec(cost: Any) -> Cost | None:
    """A lot's cost as it was written in full; None where none was, or not in full."""
    if isinstance(cost, CostSpec):
        if not isinstance(cost.number_per, Decimal) or not isinstance(cost.currency, str):
            return None
        if cost.date is None or cost.number_total is not None:
            return None
        return Cost(cost.number_per, cost.currency, cost.date, cost.label)
    return cost if isinstance(cost, Cost) else None


def _with_costs(entry: Transaction) -> tuple[Transaction, bool]:
    postings = [
        posting._replace(cost=_cost_of_spec(posting.cost), meta=_own(posting.meta))
        for posting in entry.postings
    ]
    whole = all(
        isinstance(posting.units, Amount)
        and isinstance(posting.units.number, Decimal)
        and isinstance(posting.units.currency, str)
        and (old.cost is None) == (posting.cost is None)
        and (posting.price is None or isinstance(posting.price.number, Decimal))
        for old, posting in zip(entry.postings, postings, strict=True)
    )
    return entry._replace(postings=postings), whole


def _own(meta: dict[str, Any] | None) -> dict[str, Any] | None:
    kept = {
        key: value
        for key, value in (meta or {}).items()
        if key not in ("filename", "lineno") and not key.startswith("__")
    }
    return kept or None


def terms_in(text: str) -> list[Custom]:
    """The terms that a text states."""
    entries, _, _ = parser.parse_string(text)
    return [entry for entry in entries if isinstance(entry, Custom)]
