"""All that this extension takes from Fava beyond the documented extension class, in one file.

    time=2026-05  account=Alice  filter=#compute-trade   ->  FavaFilters(...)

Fava calls none of this a public interface; the version is pinned, and `tests/fava_extension/
test_fava_parts.py` says which part has changed when Fava does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import repeat
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlencode

from beancount.core.account import has_component
from beancount.core.data import Directive
from fava.beans.abc import Directive as FavaDirective
from fava.beans.funcs import hash_entry
from fava.context import g
from fava.core import FavaLedger
from fava.core.filters import FilterSyntaxLexer, Match
from fava.ext import extension_endpoint
from fava.helpers import FavaAPIError
from fava.template_filters import replace_numbers
from fava.util.date import parse_date
from flask import current_app, request, url_for

from beancount_compute.fava_extension.asked import BadRequest
from beancount_compute.fava_extension.patterns import Costly, check_pattern

INTERVALS = {  # the names that Fava's own selection writes into addresses
    "day": "day",
    "daily": "day",
    "week": "week",
    "weekly": "week",
    "month": "month",
    "monthly": "month",
    "quarter": "quarter",
    "quarterly": "quarter",
    "year": "year",
    "yearly": "year",
}


_USUAL_LENGTH = 60  # characters of a payee or a narration
_MOST_SHOWN = 200  # characters of what was refused
_USUAL_DECIMALS = 2  # of what Fava knows nothing about
_MILLION = Decimal(1_000_000)

Method = TypeVar("Method", bound=Callable[..., Any])


def endpoint(name: str) -> Callable[[Method], Method]:
    """Mark a method as what answers to an address; Fava's own mark, with a type."""
    return cast(Callable[[Method], Method], extension_endpoint(name))


class FilterRefused(BadRequest):
    """A filter that Fava can't read; says why."""


class Days(NamedTuple):
    """The days of Fava's time filter, both included."""

    start: date
    end: date


def days_of(ledger: FavaLedger, time: str) -> Days | None:
    """The days that a time filter such as "2026-Q2" names; None where there is no filter."""
    if not time.strip():
        return None
    try:
        begin, end = parse_date(time, ledger.fava_options.fiscal_year_end)
    except (ValueError, OverflowError) as error:
        raise FilterRefused("time", f"Fava can't read the time filter {time!r}: {error}") from None
    if begin is None or end is None or begin >= end:
        raise FilterRefused(
            "time",
            f"Fava can't read the time filter {time!r}: "
            "write 2026-05, 2026-Q2 or 2026-01 - 2026-05",
        )
    return Days(begin, end - timedelta(1))


def accounts_kept(accounts: Iterable[str], account: str) -> frozenset[str] | None:
    """The accounts that an account filter keeps, as Fava understands it; None: all of them."""
    if not account.strip():
        return None
    accounts = list(accounts)
    try:
        check_pattern(account, map(len, accounts))
    except Costly as error:
        raise FilterRefused("account", _too_costly("account filter", account, error)) from None
    matches = Match(account)
    try:
        return frozenset(
            [each for each in accounts if has_component(each, account) or matches(each)]
        )
    except re.error as error:
        raise FilterRefused(
            "account",
            f"Fava can't read the account filter {account!r}: "
            f"as a regular expression, {_fault(account, error)}",
        ) from None


def _too_costly(what: str, words: str, error: Costly) -> str:
    return (
        f"the {what} {_shortened(words)!r} could take very long to try: {error}; write a part of "
        "the name as it is"
    )


def _shortened(words: str) -> str:
    return words if len(words) <= _MOST_SHOWN else f"{words[:_MOST_SHOWN]}..."


def _fault(words: str, error: re.error) -> str:
    """What is wrong with an expression, counted in what was typed and not in what was searched."""
    try:
        re.compile(words)
    except re.error as own:
        return str(own)
    return error.msg


def entries_kept(ledger: FavaLedger, words: str) -> list[Directive] | None:
    """The directives of the whole ledger that Fava's third filter keeps; None: all of them."""
    if not words.strip():
        return None
    many = len(ledger.all_entries)
    try:
        for token in FilterSyntaxLexer().lex(words):
            if token.type == "STRING":
                check_pattern(token.value, repeat(_USUAL_LENGTH, many))
        return _directives(ledger.get_filtered(account="", filter=words, time="").entries)
    except Costly as error:
        raise FilterRefused("filter", _too_costly("filter", words, error)) from None
    except FavaAPIError as error:
        raise FilterRefused("filter", str(error)) from None


def entries_of(ledger: FavaLedger) -> list[Directive]:
    """All directives, unfiltered."""
    return _directives(ledger.all_entries)


def _directives(entries: Iterable[object]) -> list[Directive]:
    """The same objects: Fava's types of entries describe Beancount's tuples by other names."""
    return cast("list[Directive]", list(entries))


def options_of(ledger: FavaLedger) -> dict[str, Any]:
    """Beancount's options."""
    return dict(ledger.options)


def errors_of(ledger: FavaLedger) -> list[tuple[str, int, str, bool]]:
    """All errors: file, line, message, and whether it is Fava's own, of its options or modules."""
    found: list[tuple[str, int, str, bool]] = []
    of_ledger = {id(error) for error in ledger.load_errors}
    for error in ledger.errors:
        source: Mapping[str, Any] = error.source or {}
        file, line = str(source.get("filename", "")), source.get("lineno", 0)
        line = line if isinstance(line, int) else 0
        found.append((file, line, error.message, id(error) not in of_ledger))
    return found


def having(key: str, value: str) -> str:
    """Fava's filter of entries whose metadata holds just this value, whatever characters it has."""
    exact = re.escape(value).replace(
        '"', r"\x22"
    )  # a quoted text of Fava's filter ends at the mark
    return f'{key}:"^{exact}\\Z"'


def decimals_shown(ledger: FavaLedger, unit: str) -> int:
    """How many decimals Fava shows of a unit."""
    return ledger.format_decimal.precisions.get(unit, _USUAL_DECIMALS)


def grouped_text(ledger: FavaLedger, number: Decimal) -> str:
    """A number with all its digits, and the separators of Fava's locale.

    Where the ledger names none, and Fava parts no thousands, a comma does.
    """
    whole, _, fraction = f"{abs(number):f}".partition(".")
    shown = ledger.format_decimal(Decimal(whole))[: -_USUAL_DECIMALS - 1]
    both = separators(ledger)
    mark, between = both[0], both[1]
    if between not in ledger.format_decimal(_MILLION):
        shown = f"{Decimal(whole):,f}".replace(",", between)
    return f"{'-' if number < 0 else ''}{shown}{mark + fraction if fraction else ''}"


def separators(ledger: FavaLedger) -> str:
    """The decimal mark of Fava's locale, and what stands between thousands."""
    shown = ledger.format_decimal(_MILLION)  # for no currency: with two decimals
    mark = shown[-_USUAL_DECIMALS - 1]
    between = [each for each in shown[: -_USUAL_DECIMALS - 1] if not each.isdecimal()]
    return mark + (between[0] if between else "." if mark == "," else ",")


def hides_numbers() -> bool:
    """Whether Fava was started with `--incognito`."""
    return bool(current_app.config["INCOGNITO"])


def hidden(text: str) -> str:
    """A text as Fava obscures it."""
    return replace_numbers(text) or ""


def opened_directly() -> bool:
    """Whether a browser loads the whole page, and not Fava's frontend its article into another."""
    return not request.args.get("partial")


class Links:
    """Addresses within Fava; of the whole ledger, without the filters of this page."""

    def __init__(self) -> None:
        self._base = url_for("index", bfile=g.beancount_file_slug)

    def journal(self, words: str, time: str = "") -> str:
        """The journal under Fava's third filter, and its time filter."""
        days = {"time": time} if time else {}
        return f"{self._base}journal/?{urlencode({'filter': words, **days})}"

    def editor(self, file: str, line: int) -> str:
        """A place in Fava's editor."""
        return f"{self._base}editor/?{urlencode({'file_path': file, 'line': line})}"

    def endpoint(self, extension: str, name: str, **asked: str) -> str:
        """What answers to a name of an extension."""
        return f"{self._base}extension/{extension}/{name}?{urlencode(asked)}"

    @staticmethod
    def context(entry: Directive) -> str:
        """The overlay in which Fava shows one directive, on whatever page."""
        return f"#context-{hash_entry(cast('FavaDirective', entry))}"
