"""The terms that a closed month's bookings used, and whether the ledger still says the same.

    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"
      first-used: 2026-05-01
      last-used: 2026-05-31

A term holds from its day until the next of its name. So where the ledger's terms are those that
were frozen on the first and on the last day of use, and wherever another of its name stands between
them, they are so on every day between; any other term may be added or changed freely.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom
from beancount.parser import parser

from beancount_compute.closed.chain import Seal
from beancount_compute.closed.content import item_of
from beancount_compute.economy import (
    CAPACITY_KEYS,
    METER_KEYS,
    OPTIONS,
    PLAN_KEYS,
    PROVIDER_KEYS,
    ROLES,
    ZERO,
    Capacity,
    Meter,
    Money,
    Place,
    Plan,
    Provider,
    Role,
    TermKey,
    Terms,
    flag_written,
    money_written,
    quoted,
)
from beancount_compute.ledger import Errors, LedgerTerms, place_of, string

FIRST, LAST = "first-used", "last-used"
ASSERT = "compute-assert"
OVERAGE, OVERAGE_SINCE = "overage", "overage-since"
_BY_ITSELF = (OVERAGE, OVERAGE_SINCE)  # of a plan
LinesOf = Mapping[object, Sequence[Custom]]  # the ledger's terms by their name


class UsedTerm(NamedTuple):
    """A term that bookings used: which, and on which days first and last."""

    type: str
    name: str
    key: str  # what tells it from others of its name: a currency, or `OVERAGE` of a plan
    first: date
    last: date


def term_text(use: UsedTerm, terms: LedgerTerms) -> str:
    """A used term as it is frozen."""
    since, values, meta = _in_force(use, use.first, terms)
    lines = [f'{since} custom "{use.type}" {values}\n', *[f"  {line}\n" for line in meta]]
    return "".join([*lines, f"  {FIRST}: {use.first}\n", f"  {LAST}: {use.last}\n"])


def _in_force(use: UsedTerm, day: date, terms: LedgerTerms) -> tuple[date, str, list[str]]:
    """What the ledger says of a term on a day: since when, its values, its metadata."""
    agreed = terms.terms
    name = string(use.name)
    match use.type:
        case "compute-plan":
            plan = agreed.plan_of_lot(use.name, day)
            if plan is None:
                return (day, f"{name} no plan", [])
            return (plan.since, _plan_values(plan), _plan_meta(plan, use.key == OVERAGE))
        case "compute-meter":
            meter = _meter(use.name, day, agreed)
            if meter is None:
                return (day, f"{name} no meter", [])
            return (meter.since, name, _keys_written(meter, METER_KEYS))
        case "compute-capacity":
            capacity = _capacity(use.name, day, agreed)
            if capacity is None:
                return (day, f"{name} no capacity", [])
            return (capacity.since, *capacity_written(capacity))
        case "compute-provider":
            provider = _provider(use.name, day, agreed)
            if provider is None:
                return (day, f"{name} no provider", [])
            return (provider.since, name, _keys_written(provider, PROVIDER_KEYS))
        case "compute-account":
            return (use.first, f"{name} {string(terms.templates[Role(use.name)])}", [])
        case "compute-subscriber":
            component = terms.components.get(use.name)
            return (use.first, f"{name} {string(component or '')}", [])
        case _:
            option = OPTIONS[use.name]
            value = agreed.on(option, day, use.key)
            if value is None and option.by_currency:
                value = Money(ZERO, use.key)
            return (use.first, f"{name} {option.write(value)}", [])


def _since(use: UsedTerm, day: date, terms: Terms) -> date:
    """The day from which a term is in force on a day; it may have said the same before."""
    if use.type == "compute-plan":
        plan = terms.plan_of_lot(use.name, day)
        return plan.since if plan else date.min
    if use.type == "compute-meter":
        meter = _meter(use.name, day, terms)
        return meter.since if meter else date.min
    if use.type == "compute-capacity":
        capacity = _capacity(use.name, day, terms)
        return capacity.since if capacity else date.min
    if use.type == "compute-provider":
        provider = _provider(use.name, day, terms)
        return provider.since if provider else date.min
    if use.type != "compute-option":
        return date.min  # of the whole ledger
    return terms.timeline(OPTIONS[use.name], use.key).since(day)


def _plan_values(plan: Plan) -> str:
    price = money_written(Money(plan.price, plan.currency))
    units = [f"{line.units:f} {line.commodity}" for line in plan.lines]
    return " ".join([string(plan.name), price, *units])


def _plan_meta(plan: Plan, with_overage: bool) -> list[str]:
    """What a plan says otherwise than plans do; always what is left at a period's end.

    Its price of overage is used by itself, or not at all.
    """
    return [
        f"{name}: {key.write(value)}"
        for name, key in PLAN_KEYS.items()
        if (
            (name not in _BY_ITSELF or with_overage)
            and key.used_by
            and ((value := getattr(plan, key.field)) != Plan._field_defaults[key.field])
        )
        or name == "unused"
    ]


def _meter(name: str, day: date, terms: Terms) -> Meter | None:
    timeline = terms.meters.get(name)
    return timeline.on(day) if timeline else None


def _capacity(name: str, day: date, terms: Terms) -> Capacity | None:
    timeline = terms.capacities.get(name)
    return timeline.on(day) if timeline else None


def capacity_written(capacity: Capacity) -> tuple[str, list[str]]:
    """The values and the metadata of a capacity's line."""
    values = f"{string(capacity.name)} {money_written(capacity.cost)}"
    return values, _keys_written(capacity, CAPACITY_KEYS)


def _keys_written(stated: Meter | Capacity | Provider, keys: Mapping[str, TermKey]) -> list[str]:
    """What a line of terms says otherwise than such lines do."""
    return [
        f"{name}: {key.write(value)}"
        for name, key in keys.items()
        if (value := getattr(stated, key.field)) != stated._field_defaults.get(key.field)
    ]


def _provider(name: str, day: date, terms: Terms) -> Provider | None:
    timeline = terms.providers.get(name)
    return timeline.on(day) if timeline else None


def use_of(entry: Custom) -> UsedTerm | None:
    """The use that a frozen term line states; None for an assertion."""
    if entry.type == ASSERT or FIRST not in entry.meta:
        return None
    values = [value for value, _ in entry.values or ()]
    option = OPTIONS.get(str(values[0])) if entry.type == "compute-option" else None
    key = values[1].currency if option is not None and option.by_currency else ""
    key = OVERAGE if OVERAGE in entry.meta else key
    return UsedTerm(entry.type, str(values[0]), key, entry.meta[FIRST], entry.meta[LAST])


def by_name(lines: Iterable[Custom]) -> LinesOf:
    """The ledger's terms by what they name."""
    found: dict[object, list[Custom]] = {}
    for line in lines:
        if line.values:
            found.setdefault(line.values[0].value, []).append(line)
    return found


def check_terms(
    seal: Seal,
    frozen: Iterable[Custom],
    terms: LedgerTerms,
    lines_of: LinesOf,
    first_open: date,
    errors: Errors,
) -> None:
    """Refuse terms that say something else than those a closed month used."""
    used: list[tuple[UsedTerm, Custom]] = []
    for entry in frozen:
        try:
            use = use_of(entry)
        except (IndexError, AttributeError, KeyError):
            continue  # was forged
        if use is not None and (use.type != "compute-option" or use.name in OPTIONS):
            used.append((use, entry))
    for use, entry in [*used, *_unnamed(used)]:
        lines = lines_of.get(use.name, ())
        found = _differing(use, entry, terms, lines)
        if found is None:
            continue
        day, said = found
        place = _place_of(use, day, lines) or seal.place
        instead = f"restore it, and date the new terms {first_open} or later"
        if _of_whole_ledger(use):
            instead = "restore it: whatever its date, it holds for the whole ledger"
        message = (
            f"{use.type.removeprefix('compute-')} {quoted(use.name)} says {said} on {day}, and the "
            f"closed month {seal.month} was booked with {_said(entry)}: {instead}"
        )
        errors.add(place, message)


def check_catch_ups(
    frozen: Iterable[Custom], terms: Terms, last_day: date, first_open: date, errors: Errors
) -> None:
    """Refuse lines that charge anew in a closed month, which doesn't know them."""
    known = {
        (str(entry.values[0].value), entry.date)
        for entry in frozen
        if entry.type == "compute-plan" and entry.values and OVERAGE_SINCE in entry.meta
    }
    for name in sorted(terms.charged_anew):
        for plan in terms.plans[name]:
            closed = plan.overage_since is not None and plan.since <= last_day
            if closed and (name, plan.since) not in known:
                errors.add(
                    plan.place,
                    f"`overage-since` of plan {quoted(name)} would charge anew on {plan.since}, in "
                    f"a closed month: date the line {first_open} or later",
                )


def _unnamed(used: Iterable[tuple[UsedTerm, Custom]]) -> Iterator[tuple[UsedTerm, Custom]]:
    """The options that came later, of a closed month in which nothing named them yet."""
    days: dict[tuple[str, str], list[date]] = {}
    for use, _ in used:
        if use.type == "compute-option":
            days.setdefault((use.name, use.key), []).extend((use.first, use.last))
    for (name, key), of_use in days.items():
        for option in OPTIONS.values():
            if option.beside == name and (option.name, key) not in days:
                silent_about = Money(ZERO, key) if option.by_currency else option.default
                values = f"{string(option.name)} {option.write(silent_about)}"
                silent = UsedTerm("compute-option", option.name, key, min(of_use), max(of_use))
                yield silent, _parsed(silent.type, values, ())


def _of_whole_ledger(use: UsedTerm) -> bool:
    """Whether a term has no days, so that no other can follow it."""
    if use.type == "compute-option":
        return OPTIONS[use.name].whole_ledger
    dated = ("compute-plan", "compute-meter", "compute-capacity", "compute-provider")
    return use.type not in dated


def _differing(
    use: UsedTerm, entry: Custom, terms: LedgerTerms, lines: Iterable[Custom]
) -> tuple[date, str] | None:
    days = {use.first, use.last}
    days |= {line.date for line in lines if use.first < line.date < use.last}
    for day in sorted(days):
        since, values, meta = _in_force(use, day, terms)
        now = _now(since, use.type, values, tuple(meta))
        then = _without_days(entry, since)
        same = (
            now.meta.get(OVERAGE) == then.meta.get(OVERAGE)
            and then.meta.get(OVERAGE_SINCE) in (None, now.meta.get(OVERAGE_SINCE))
            if use.key == OVERAGE  # the rest of the plan is used, and told, by itself
            else item_of(now) == item_of(then)
        )
        if not same:
            return day, _said(now)
    return None


def _now(since: date, type_: str, values: str, meta: tuple[str, ...]) -> Custom:
    return _parsed(type_, values, meta)._replace(date=since)


@lru_cache(1 << 10)  # the same few terms are in force in every month
def _parsed(type_: str, values: str, meta: tuple[str, ...]) -> Custom:
    text = "\n  ".join([f'{date.min} custom "{type_}" {values}', *meta]) + "\n"
    entries, _, _ = parser.parse_string(text)
    if not entries:  # a plan that is gone
        return Custom({}, date.min, type_, [])
    (entry,) = entries
    assert isinstance(entry, Custom)
    return entry


def _without_days(entry: Custom, since: date) -> Custom:
    meta = {key: value for key, value in entry.meta.items() if key not in (FIRST, LAST)}
    return entry._replace(meta=meta, date=since)


def _said(entry: Custom) -> str:
    values = [_written(value) for value, _ in (entry.values or ())[1:]]
    meta = [
        f"{key}: {_written(value)}"
        for key, value in entry.meta.items()
        if key not in ("filename", "lineno", FIRST, LAST) and not key.startswith("__")
    ]
    return " ".join([*values, *meta]) or "nothing"


def _written(value: Any) -> str:
    if isinstance(value, Amount):
        return f"{value.number:f} {value.currency}"
    if isinstance(value, bool):
        return flag_written(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _place_of(use: UsedTerm, day: date, lines: Iterable[Custom]) -> Place | None:
    """The line of the ledger that now says what holds on a day."""
    whole = _of_whole_ledger(use)
    found: Custom | None = None
    for line in lines:
        values = [value for value, _ in line.values or ()]
        same = line.type == use.type and values[:1] == [use.name]
        if same and use.type == "compute-option" and use.key:
            same = getattr(values[-1], "currency", "") == use.key
        if same and (whole or line.date <= day) and (found is None or line.date >= found.date):
            found = line
    return place_of(found.meta) if found else None


class Uses:
    """Collects the terms that bookings use, by the version of the term that was in force."""

    def __init__(self, terms: LedgerTerms, first_month: str) -> None:
        self._terms, self._first_month = terms, first_month
        self._days: dict[tuple[str, str, str, str, str], tuple[date, date]] = {}
        self._seen: set[tuple[str, str, str, str, date]] = set()

    def add(self, booked: date, type_: str, name: str, day: date, key: str = "") -> None:
        """Note that what was booked on a day used a term, under its version of a day."""
        month = max(booked.isoformat()[:7], self._first_month)
        if (month, type_, name, key, day) in self._seen:
            return
        self._seen.add((month, type_, name, key, day))
        use = UsedTerm(type_, name, key, day, day)
        _, values, meta = _in_force(use, day, self._terms)
        since = _since(use, day, self._terms.terms)
        version = (month, type_, name, key, " ".join([since.isoformat(), values, *meta]))
        first, last = self._days.get(version, (day, day))
        self._days[version] = (min(first, day), max(last, day))

    def texts(self) -> dict[str, list[str]]:
        """The used terms of each month as they are frozen, in order."""
        found: dict[str, list[str]] = {}
        used: dict[tuple[str, str, str, str], list[tuple[date, date]]] = {}
        for (month, type_, name, key, _), days in sorted(self._days.items()):
            used.setdefault((month, type_, name, key), []).append(days)
        for (month, type_, name, key), versions in used.items():
            if not self._is_unnamed(type_, name, key, max(last for _, last in versions)):
                for days in versions:
                    text = term_text(UsedTerm(type_, name, key, *days), self._terms)
                    found.setdefault(month, []).append(text)
        return found

    def _is_unnamed(self, type_: str, name: str, key: str, last: date) -> bool:
        """Whether a term is an option that came later, and nothing names it up to a day."""
        if type_ != "compute-option" or not OPTIONS[name].beside:
            return False
        return self._terms.terms.timeline(OPTIONS[name], key).on(last) is None


def frozen_accounts(
    terms: LedgerTerms, used: Iterable[Custom]
) -> tuple[dict[Role, str], dict[str, str]]:
    """The accounts' templates as the closed months used them, and their named components.

    The books stand on them, whatever the ledger says now.
    """
    templates: dict[Role, str] = dict(terms.templates)
    components: dict[str, str] = {}
    for entry in used:
        name, value, *_ = [*(str(value) for value, _ in entry.values or ()), "", ""]
        if entry.type == "compute-account" and _can_serve(name, value):
            templates[Role(name)] = value
        elif entry.type == "compute-subscriber" and value:
            components[name] = value
    return templates, components


def _can_serve(role: str, template: str) -> bool:
    """Whether a template can be that of a role: whoever forged it may have written anything."""
    if role not in set(Role):
        return False
    row = ROLES[Role(role)]
    return f"{{{row.holder}}}" in template or (bool(template) and not row.pocket)


def lost_plans(said: LedgerTerms, used: Iterable[Custom]) -> list[Custom]:
    """The plans of closed months that the ledger does not name any more, as they were used.

    That is an error; but whoever subscribed to them goes on, as everything else does.
    """
    found: dict[tuple[str, date], Custom] = {}
    for entry in used:
        name = str(entry.values[0].value) if entry.values else ""
        if entry.type != "compute-plan" or name in said.terms.plans:
            continue
        meta = {key: value for key, value in entry.meta.items() if key not in (FIRST, LAST)}
        key = (name, entry.date)
        if key not in found or OVERAGE in meta:
            found[key] = entry._replace(meta=meta)
    return list(found.values())
