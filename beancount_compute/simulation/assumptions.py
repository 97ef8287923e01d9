"""What a simulated economy assumes: `assumptions.toml` as whole numbers, or what is wrong with it.

    churn.base = 0.02    ->    20_000 millionths

Shares are read as decimals and kept in millionths, so that the same file gives the same economy on
any machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any, NamedTuple

from beancount_compute.economy import Month

MILLION = 1_000_000
_YEARS = 1900, 2999
_MOST_MONEY = 10**9
_STEPS = 11  # of `wanted`: the percentiles 0, 10, ... 100
COMMODITY = re.compile(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]")
PLAN_NAME = re.compile(r"(?!(?:top-up|grant)$)[a-z][a-z0-9-]*")  # those two are taken


class AssumptionError(Exception):
    """What is wrong with the file, with its line."""


class SoldPlan(NamedTuple):
    """A plan that people come for."""

    name: str
    among: int  # millionths of those who come
    price: Decimal
    units: int
    overage: Decimal  # per unit
    wanted: tuple[int, ...]  # millionths of the allocation, by percentile


class Assumptions(NamedTuple):
    """All of it; shares are millionths."""

    text: str
    first_month: Month
    commodity: str
    currency: str
    plans: tuple[SoldPlan, ...]
    days: int
    varies: int
    season: tuple[int, ...]
    arrivals: int
    base: int
    unused: tuple[tuple[int, int], ...]  # up to a share unused, what is added
    tokens: int
    seller_fee: int
    buyer_fee: int
    token_months: int
    ask: tuple[int, int]
    bid: tuple[int, int]


def usual_text() -> str:
    """The assumptions that a new simulation is given."""
    return (files("beancount_compute") / "simulation" / "assumptions.toml").read_text("utf-8")


def read_assumptions(text: str) -> Assumptions:
    """Assumptions from their text; raises `AssumptionError` with the line of what is wrong."""
    try:
        found = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        raise AssumptionError(f"no TOML: {error}") from None
    except InvalidOperation:
        raise AssumptionError(
            f"{_line_of_endless(text)}inf and nan are no numbers of an economy"
        ) from None
    usual = tomllib.loads(usual_text(), parse_float=_decimal)
    _check_keys(found, usual, text)
    return _AssumptionReader(found, text).assumptions()


def _line_of_endless(text: str) -> str:
    values = [line.partition("#")[0].partition("=")[2] for line in text.splitlines()]
    found = [at for at, value in enumerate(values, 1) if re.search(r"\b(?:inf|nan)\b", value)]
    return f"line {found[0]}: " if found else ""


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise InvalidOperation
    return number


def _check_keys(found: Mapping[str, Any], usual: Mapping[str, Any], text: str) -> None:
    """Every key is known, and none is missing."""
    for name in found:
        if name not in usual:
            raise _wrong(text, name, "", f"no part of the assumptions: they are {_listed(usual)}")
    for name, known in usual.items():
        if name not in found:
            raise AssumptionError(f"no [{name}]: take it from a new assumptions.toml")
        tables = found[name] if isinstance(known, list) else [found[name]]
        keys = known[0] if isinstance(known, list) else known
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise _wrong(text, name, "", "no table as it is in a new assumptions.toml")
        for at, table in enumerate(tables):
            for key in table:
                if key not in keys:
                    why = f"no key of [{name}]: they are {_listed(keys)}"
                    raise _wrong(text, key, name, why, at)
            for key in keys:
                if key not in table:
                    raise _wrong(text, name, "", f"{key} is missing", at)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _wrong(text: str, key: str, table: str, what: str, nth: int = 0) -> AssumptionError:
    """An error with the line on which a key, or the head of a table, stands; `nth` is which of
    the tables of that name it is."""
    line, current, seen = 0, "", -1
    head = re.compile(r"\s*\[+\s*([A-Za-z_.-]+)\s*\]+")
    for at, each in enumerate(text.splitlines(), start=1):
        if opened := head.match(each):
            current = opened[1]
            seen += current == (table or key)
            if (not table and current == key and seen == nth) or current == f"{table}.{key}":
                return AssumptionError(f"line {at}: {key}: {what}")
        elif re.match(rf"\s*\"?{re.escape(key)}\"?\s*[=.]", each) and (current, seen) == (
            table,
            nth,
        ):
            line = at
            break
    return AssumptionError(f"line {line}: {key}: {what}" if line else f"{key}: {what}")


class _AssumptionReader:
    """Reads a file whose keys are all there."""

    def __init__(self, found: Mapping[str, Any], text: str) -> None:
        self._found, self._text = found, text
        self._plan_read = 0  # which of the plans

    def assumptions(self) -> Assumptions:
        """All of them, checked."""
        plans: tuple[SoldPlan, ...] = ()
        for at, table in enumerate(self._found["plan"]):
            self._plan_read = at
            plan = self._plan(table)
            if any(plan.name == each.name for each in plans):
                raise self._error("name", "plan", "two plans have one name")
            plans += (plan,)
        if sum(each.among for each in plans) != MILLION:
            raise self._error("among", "plan", "the shares of all plans must add up to 1")
        unit, currency = (self._matching(key, COMMODITY) for key in ("commodity", "currency"))
        if unit == currency:
            raise self._error("currency", "economy", "the same as the commodity")
        return Assumptions(
            self._text,
            self._month(),
            unit,
            currency,
            plans,
            self._whole("use", "days", 1, 28),
            self._share("use", "varies"),
            self._shares("use", "season", 12, most=10 * MILLION),
            self._share("arrivals", "monthly", most=10 * MILLION),
            self._share("churn", "base"),
            self._bands(),
            self._share("churn", "tokens"),
            self._share("market", "seller_fee"),
            self._share("market", "buyer_fee"),
            self._whole("market", "token_months", 1, 120),
            self._range("ask"),
            self._range("bid"),
        )

    def _error(self, key: str, table: str, what: str) -> AssumptionError:
        return _wrong(self._text, key, table, what, self._plan_read if table == "plan" else 0)

    def _month(self) -> Month:
        try:
            month = Month.parse(str(self._found["economy"]["first_month"]))
        except ValueError:
            raise self._error("first_month", "economy", "no month such as 2026-01") from None
        if not _YEARS[0] <= month.year <= _YEARS[1]:
            raise self._error("first_month", "economy", f"no year from {_YEARS[0]} to {_YEARS[1]}")
        return month

    def _matching(self, key: str, pattern: re.Pattern[str]) -> str:
        text = self._found["economy"][key]
        if not isinstance(text, str) or not pattern.fullmatch(text):
            raise self._error(key, "economy", f"no {key} such as CU or USD")
        return text

    def _plan(self, table: Mapping[str, Any]) -> SoldPlan:
        name = table["name"]
        if not isinstance(name, str) or not PLAN_NAME.fullmatch(name):
            raise self._error(
                "name",
                "plan",
                "no name of small letters and digits, or a taken one (top-up, grant)",
            )
        units = table["units"]
        if isinstance(units, bool) or not isinstance(units, int) or not 0 < units <= 10**9:
            raise self._error("units", "plan", "no whole number from 1 to 1000000000")
        price, overage = (self._money(table, key) for key in ("price", "overage"))
        among = self._millionths(table["among"], "among", "plan", MILLION)
        wanted = self._listed(table["wanted"], "wanted", "plan", _STEPS, 1000 * MILLION)
        if list(wanted) != sorted(wanted):
            raise self._error("wanted", "plan", "shares must not fall from one to the next")
        return SoldPlan(name, among, price, units, overage, wanted)

    def _money(self, table: Mapping[str, Any], key: str) -> Decimal:
        number = table[key]
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise self._error(key, "plan", "no number")
        if not 0 <= number <= _MOST_MONEY:
            raise self._error(key, "plan", f"{number} is not between 0 and {_MOST_MONEY}")
        found = Decimal(number)
        places = 2 if key == "price" else 6
        if found != round(found, places):
            raise self._error(key, "plan", f"more than {places} decimals")
        return found

    def _whole(self, table: str, key: str, least: int, most: int) -> int:
        number = self._found[table][key]
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise self._error(key, table, f"no whole number from {least} to {most}")
        return number

    def _share(self, table: str, key: str, most: int = MILLION) -> int:
        return self._millionths(self._found[table][key], key, table, most)

    def _shares(self, table: str, key: str, count: int, most: int = MILLION) -> tuple[int, ...]:
        return self._listed(self._found[table][key], key, table, count, most)

    def _listed(
        self, numbers: object, key: str, table: str, count: int, most: int
    ) -> tuple[int, ...]:
        if not isinstance(numbers, list) or len(numbers) != count:
            raise self._error(key, table, f"no list of {count} numbers")
        return tuple(self._millionths(each, key, table, most) for each in numbers)

    def _millionths(self, number: object, key: str, table: str, most: int) -> int:
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise self._error(key, table, "no number")
        if not 0 <= number <= most // MILLION:
            raise self._error(key, table, f"{number} is not between 0 and {most // MILLION}")
        found = Decimal(number) * MILLION
        if found != int(found):
            raise self._error(key, table, "more than six decimals")
        return int(found)

    def _bands(self) -> tuple[tuple[int, int], ...]:
        bands = self._found["churn"]["unused"]
        if not isinstance(bands, list) or not bands:
            raise self._error("unused", "churn", "no list of pairs")
        found = [self._listed(each, "unused", "churn", 2, MILLION) for each in bands]
        ends: Sequence[int] = [end for end, _ in found]
        if list(ends) != sorted(set(ends)) or ends[-1] != MILLION:
            raise self._error("unused", "churn", "the shares must rise up to 1")
        return tuple((end, added) for end, added in found)

    def _range(self, key: str) -> tuple[int, int]:
        low, high = self._shares("market", key, 2, most=100 * MILLION)
        if low > high:
            raise self._error(key, "market", "the first is the least, the second the most")
        return low, high
