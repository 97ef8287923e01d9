"""What a page is asked for: its address, read once and checked.

    view=market&time=2026-05&interval=week&plan=pro   ->  Asked("market", Selection(...), ...)

Fava's filters and its two choices, interval and conversion, keep their names; the others are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from beancount_compute import manual
from beancount_compute.economy import ZERO, quoted
from beancount_compute.reports import Interval, Selection
from beancount_compute.scenarios import PartedBy

VIEWS = {
    "overview": "Overview",
    "subscribers": "Subscribers",
    "people": "Subscribers over time",
    "retention": "Retention",
    "owed": "What is owed",
    "market": "Market",
    "growth": "Growth",
    "vintages": "Vintages",
    "economics": "Breakage or market",
    "bills": "Two bills",
    "whatif": "What if",
    "close": "Close",
    "help": "Help",
}
FIRST_VIEW = "overview"
AT_COST, AT_VALUE, IN_UNITS = "at_cost", "at_value", "units"
_SHARE = re.compile(r"[01]?(?:\.[0-9]{0,12})?", re.ASCII)  # no exponent: 1e-99999 has many digits
CONVERSIONS = {AT_COST: "At cost", AT_VALUE: "At market value", IN_UNITS: "Units"}


class BadRequest(Exception):
    """A parameter that names something that is not there; says what to write instead."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Asked:
    """What a page is asked for, apart from Fava's account filter and its filter of entries."""

    view: str
    selection: Selection  # days and plan
    interval: Interval | None  # None: the address names none
    conversion: str
    subscriber: str
    words: str  # to search for
    sort: str
    falling: bool
    page: int
    displaced: Decimal
    margin: Decimal | None  # that is wished for
    by: PartedBy  # of the figures of scenarios
    all_digits: bool
    time: str  # the time filter, as written
    account: str
    entries: str
    topic: str  # the page of the manual


def read_address(
    args: Mapping[str, str], days: tuple[date, date] | None, intervals: Mapping[str, str]
) -> Asked:
    """Read an address; raises `BadRequest`."""
    start, end = days or (None, None)
    return Asked(
        _view(args.get("view", "")),
        Selection(start, end, plan=args.get("plan", "")),
        _interval(args.get("interval", ""), intervals),
        args.get("conversion", "") or AT_COST,
        args.get("subscriber", ""),
        args.get("q", "").strip(),
        args.get("sort", ""),
        _falling(args.get("order", "")),
        _page(args.get("page", "")),
        _share("displaced", args.get("displaced", "")) or ZERO,
        _margin(args.get("margin", "")),
        _parted_by(args.get("by", "")),
        _all_digits(args.get("digits", "")),
        args.get("time", ""),
        args.get("account", ""),
        args.get("filter", ""),
        _topic(args.get("topic", "")),
    )


def _view(name: str) -> str:
    if name and name not in VIEWS:
        raise BadRequest("view", f"no view {quoted(name)}: there are {', '.join(VIEWS)}")
    return name or FIRST_VIEW


def _topic(name: str) -> str:
    if name and name not in manual.NAMES:
        raise BadRequest(
            "topic", f"no page {quoted(name)} of the manual: there are {', '.join(manual.NAMES)}"
        )
    return name or manual.NAMES[0]


def _interval(name: str, intervals: Mapping[str, str]) -> Interval | None:
    if not name:
        return None
    if name.lower() not in intervals:
        raise BadRequest(
            "interval", f"no interval {quoted(name)}: write day, week, month, quarter or year"
        )
    return Interval(intervals[name.lower()])


def _falling(order: str) -> bool:
    if order not in ("", "asc", "desc"):
        raise BadRequest("order", f"no order {quoted(order)}: write asc or desc")
    return order == "desc"


def _parted_by(name: str) -> PartedBy:
    if not name:
        return PartedBy.ALL
    known = [each.value for each in PartedBy]
    if name not in known:
        raise BadRequest("by", f"no figures by {quoted(name)}: write {', '.join(known)}")
    return PartedBy(name)


def _all_digits(digits: str) -> bool:
    if digits not in ("", "all"):
        raise BadRequest("digits", f"no digits {quoted(digits)}: write all, or leave it out")
    return digits == "all"


def _page(number: str) -> int:
    if not number:
        return 1
    if not (number.isascii() and number.isdecimal() and 0 < len(number) < 9 and int(number)):
        raise BadRequest("page", f"page {quoted(number)} is no page: write a number from 1 on")
    return int(number)


def _margin(number: str) -> Decimal | None:
    """A margin from 0 to just below 1: no price leaves all of itself."""
    share = _share("margin", number)
    if share == 1:
        raise BadRequest("margin", f"{quoted(number)} is all of the price: write a number below 1")
    return share


def _share(parameter: str, number: str) -> Decimal | None:
    """A share from 0 to 1; None where there is none."""
    if not number:
        return None
    try:
        share = Decimal(number) if _SHARE.fullmatch(number) else None
    except InvalidOperation:
        share = None
    if share is None or share > 1:
        raise BadRequest(
            parameter,
            f"{quoted(number)} is no share: write a number from 0 to 1, such as 0.3, with at most "
            "12 decimals",
        )
    return share
