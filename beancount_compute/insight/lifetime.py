"""Lifetime: how long subscribers will stay, and what they are worth until then.

    of all     120 subscribers, 31 left    alpha 0.7041   beta 1.1820
    months to come, discounted   5.4       a month earns 42.00    lifetime value 268.80

`fit` is the shifted beta-geometric model (`lifetime_model.py`) of all renewals, of those of each
month of start, and by what was used and done with tokens in the months before each renewal; where
renewals are fewer than a month apart, a month's count once. `value` is what a subscriber earns from
the first month on: the margin of a month, times one and the months to come, each discounted by
`--discount` a year. The margin is all that the books earned with the group, less the first bill, by
month in which they were subscribed. Intervals are those of 200 draws of as many subscribers, with
replacement (bootstrap).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import numpy as np

from beancount_compute.economy import ZERO, round_money
from beancount_compute.insight.estimates import HIGH, LOW, SAID, Estimate, band, few, rate
from beancount_compute.insight.lifetime_model import LifetimeModel, RenewalsSeen, fit_lifetime
from beancount_compute.insight.watched import (
    TOKEN_GROUPS,
    USE_GROUPS,
    DatedSums,
    Decision,
    decisions,
)
from beancount_compute.reports import Books, Column, Measure, Selection, Table, counted
from beancount_compute.reports.margin import parts_in_money
from beancount_compute.reports.tables import Row

DISCOUNT = Decimal("0.1")  # a year
DRAWS = 200
_FEWEST_LEFT = 5
ALL = "all"
_COUNT = Measure.COUNT
_FIT = (
    Column("by", "by"),
    Column("group", "group"),
    Column("subscribers", "subscribers", _COUNT),
    Column("left", "left", _COUNT),
    Column("alpha", "alpha", Measure.NUMBER),
    Column("beta", "beta", Measure.NUMBER),
    Column("log_likelihood", "log\nlikelihood", Measure.NUMBER),
    Column("stay_12", "stay 12\nmonths", Measure.RATE),
    LOW,
    HIGH,
    SAID,
)
_VALUE = (
    Column("by", "by"),
    Column("group", "group"),
    Column("currency", "currency"),
    Column("margin", "margin of\na month", Measure.MONEY),
    Column("months", "months\nto come", Measure.NUMBER),
    Column("value", "lifetime\nvalue", Measure.MONEY),
    Column("low", "low\n95 %", Measure.MONEY),
    Column("high", "high\n95 %", Measure.MONEY),
    SAID,
)


class _Group(NamedTuple):
    """Decisions of one group, and what was fitted to them."""

    by: str
    name: str
    among: list[Decision]
    model: LifetimeModel | None
    drawn: list[LifetimeModel]

    @property
    def people(self) -> set[str]:
        """Whose decisions they are."""
        return {each.subscriber for each in self.among}


def lifetime(discount: Decimal = DISCOUNT) -> Estimate:
    """The report, with a discount of future months, as a share a year."""
    return Estimate(
        "lifetime",
        ("fit", "value", "notes"),
        partial(_tables, discount=discount),
    )


def _tables(books: Books, selection: Selection, discount: Decimal) -> Iterator[Table]:
    found = decisions(books, selection)
    groups = [_fitted(*each) for each in _groups(found)]
    yield Table("Shifted beta-geometric model", _FIT, [*map(_fit_row, groups)], "fit")
    monthly = float(1 + discount) ** (1 / 12) - 1
    earned = _earned(books, selection)
    rows = [row for group in groups for row in _value_rows(group, earned, monthly)]
    yield Table(f"Lifetime value, discounted by {discount:%} a year", _VALUE, rows, "value")
    notes: list[Row] = [(each,) for each in _notes(groups, earned)]
    yield Table("What to bear in mind", (Column("note", "note"),), notes, "notes")


def _groups(found: Sequence[Decision]) -> Iterator[tuple[str, str, list[Decision]]]:
    if not found:
        return
    yield ALL, "", [*found]
    for cohort in sorted({each.cohort for each in found}):
        yield "started", cohort, [each for each in found if each.cohort == cohort]
    for name in USE_GROUPS:
        yield "share used", name, [each for each in found if each.use == name]
    for name in TOKEN_GROUPS:
        yield "tokens", name, [each for each in found if each.tokens == name]
    for name in sorted({each.group for each in found} - {""}):
        yield "group", name, [each for each in found if each.group == name]


def _fitted(by: str, name: str, among: list[Decision]) -> _Group:
    """A model of a group, and those of its draws; groups too small for an interval have none."""
    seen = _seen(among)
    model = fit_lifetime(seen.counted()) if among else None
    drawn: list[LifetimeModel] = []
    if model and not few(len({each.subscriber for each in among})):
        dice = np.random.default_rng(np.random.SeedSequence([1, len(among)]))
        fits = (fit_lifetime(seen.resampled(dice), model) for _ in range(DRAWS))
        drawn = [each for each in fits if each]
    return _Group(by, name, among, model, drawn)


def _seen(among: Sequence[Decision]) -> RenewalsSeen:
    place: dict[str, int] = {}
    person = [place.setdefault(each.subscriber, len(place)) for each in among]
    return RenewalsSeen(
        np.array(person, np.int64),
        np.array([each.age for each in among], np.int64),
        np.array([each.left for each in among], bool),
    )


def _many(group: _Group) -> bool:
    """Whether so many left that it is no chance if all did so at one age."""
    return sum(each.left for each in group.among) >= _FEWEST_LEFT


def _fit_row(group: _Group) -> Row:
    head = group.by, group.name, len(group.people), sum(each.left for each in group.among)
    if group.model is None:
        return (*head, *[None] * 6, "nothing to fit")
    alpha, beta, likelihood = group.model
    stay = float(group.model.survival(12))
    ends = _ends([float(each.survival(12)) for each in group.drawn])
    figures = rate(alpha), rate(beta), rate(likelihood, 2), rate(stay)
    return (*head, *figures, *band(*ends, len(group.people), _months(group.among)))


def _ends(numbers: Sequence[float]) -> tuple[float, float]:
    """The ends of the interval that holds 95 % of them."""
    if not numbers:
        return float("nan"), float("nan")
    low, high = np.quantile(numbers, (0.025, 0.975))
    return float(low), float(high)


def _months(among: Sequence[Decision]) -> int:
    """For how many months the longest-watched was seen."""
    return max((each.age for each in among), default=0)


def _earned(books: Books, selection: Selection) -> Mapping[tuple[str, str], DatedSums]:
    """What was earned with each subscriber less the first bill, by currency, on each day."""
    earned: defaultdict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    for part in parts_in_money(books, selection):
        if part.subscriber and part.what != "second":
            number = -part.number if part.what == "first" else part.number
            earned[part.subscriber, part.currency].append((part.date, number))
    return {key: DatedSums(dated) for key, dated in earned.items()}


def _value_rows(
    group: _Group, earned: Mapping[tuple[str, str], DatedSums], monthly: float
) -> Iterator[Row]:
    if group.model is None:
        return
    months = sum(each.age - each.since for each in group.among)
    people, come = len(group.people), group.model.remaining(0, monthly)
    ends = _ends([each.remaining(0, monthly) for each in group.drawn])
    said = band(*ends, people, _months(group.among))[2]
    of_whom = group.people
    for currency in sorted({currency for name, currency in earned if name in of_whom}):
        total = ZERO
        for each in group.among:
            sums = earned.get((each.subscriber, currency))
            if sums is not None:
                total += sums.between(each.first, each.last)
        margin = total / months
        value, low, high = (_amount(margin, factor, currency) for factor in (come, *ends))
        if low is not None and high is not None:
            low, high = sorted((low, high))
        shown = (value, None, None) if said else (value, low, high)
        of_month = _amount(margin, 0, currency)
        yield group.by, group.name, currency, of_month, rate(come, 2), *shown, said


def _amount(margin: Decimal, to_come: float, currency: str) -> Decimal | None:
    """The margin of a month, now and in so many months to come, to the minor unit."""
    factor = rate(1 + to_come, 6)
    return None if factor is None else round_money(margin * factor, currency)


def _notes(groups: Sequence[_Group], earned: Mapping[tuple[str, str], DatedSums]) -> Iterator[str]:
    for group in groups[:1]:
        if group.model is None:
            left = any(each.left for each in group.among)
            yield (
                "Everybody left at the first renewal: no lifetime can be fitted."
                if left
                else ("Nobody has left yet: no lifetime can be fitted.")
            )
        elif len(ages := {each.age for each in group.among if each.left}) == 1 and _many(group):
            yield (
                f"All who left did so after {counted(max(ages), 'month')}: the model spreads that "
                "over all months, and its figures and intervals say little."
            )
        elif group.model.alpha <= 1:
            yield (
                "Some of them would stay for ever: without a discount their lifetime has no end "
                "(alpha is at most 1)."
            )
        if not earned:
            yield "Nothing was earned with them yet."
    if not groups:
        yield "No period is over yet: nobody is known to stay or to leave."
    else:
        yield (
            "Groups are those of the months before each renewal, and nobody was put into them by "
            "chance: a difference between them is no effect of what they did."
        )
