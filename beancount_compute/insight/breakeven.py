"""Break-even: at which fee, share sold and retention gain do market and breakage earn the same?

    over 12 months     in the books   break-even   95 %
    fee                      0.0500       0.1280   0.1010 to 0.1620
    share sold               0.6250               the market earns less whatever it is
    retention gain           0.0012       0.0031   0.0009 to 0.0055

The model and its formulas stand in `regime_values.py`; its terms are averages of the books: of all
months that were billed, of all units that were left unused (as in `economics`, what is still held
lapses in the end), of all that were sold. Churn is who left over the months watched; without a
market all would have left as did who neither traded nor held tokens. That is an assumption: nobody
was put into that group by chance. Intervals are those of 200 draws of as many subscribers, with
replacement (bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from functools import partial
from typing import NamedTuple

import numpy as np

from beancount_compute.economy import WIDE, ZERO, round_money
from beancount_compute.insight.estimates import HIGH, LOW, SAID, TOO_FEW, Estimate, rate
from beancount_compute.insight.lifetime import DISCOUNT
from beancount_compute.insight.months_of_subscribers import (
    BareDecisions,
    SubscriberSums,
    Summed,
    SummedRows,
    sums_by_currency,
)
from beancount_compute.insight.regime_values import (
    MonthsCompared,
    RegimeTerms,
    Solution,
    break_even_fee,
    break_even_gain,
    break_even_share,
    difference,
    worths,
)
from beancount_compute.insight.terms_of_books import drawn_terms, terms_of_all
from beancount_compute.reports import Books, Column, Measure, Selection, Table, counted
from beancount_compute.reports.tables import CURRENCY, Cell, Row

MONTHS = 12
_ENOUGH = 0.95  # so many of the draws must have a break-even, for it to have an interval
_STEP = 0.2  # by which an assumption is varied that has no interval
_MONEY, _RATE = Measure.MONEY, Measure.RATE
_BREAK_EVEN = (
    CURRENCY,
    Column("what", ""),
    Column("in_books", "in the\nbooks", _RATE),
    Column("break_even", "break-even", _RATE),
    LOW,
    HIGH,
    SAID,
)
_REGIMES = (
    CURRENCY,
    Column("what", ""),
    Column("amount", "amount", _MONEY),
    Column("low", "low\n95 %", _MONEY),
    Column("high", "high\n95 %", _MONEY),
    SAID,
)
_TORNADO = (
    CURRENCY,
    Column("assumption", "assumption"),
    Column("value", "in the\nbooks", _RATE),
    Column("low", "low", _RATE),
    Column("high", "high", _RATE),
    Column("varied_by", "varied by"),
    Column("at_low", "difference\nat low", _MONEY),
    Column("at_high", "difference\nat high", _MONEY),
    Column("swing", "swing", _MONEY),
)
_MONTH = (
    CURRENCY,
    Column("line", "a month of a subscription"),
    Column("amount", "amount", _MONEY),
    Column("share", "of what\nis billed", _RATE),
)
_NAMES = {
    "margin": "margin of a month",
    "unused": "left unused a month",
    "share": "share sold",
    "price": "price over carrying amount",
    "fee": "fee",
    "cost": "cost of what is sold",
    "kept": "cost of what is kept",
    "churn": "churn a month",
    "gain": "retention gain a month",
}
_OF_SALES = ("price", "fee", "cost")  # of which draws without any sale say nothing
_NO_EFFECT = "no effect of tokens: see notes"
_SHARES = ("share", "fee", "churn")  # of 1 at most
_SOLVED: tuple[tuple[str, str, Callable[[RegimeTerms, MonthsCompared], Solution]], ...] = (
    ("fee", _NAMES["fee"], break_even_fee),
    ("fee", "fee, without retention gain", lambda t, o: break_even_fee(t._replace(gain=0), o)),
    ("share", _NAMES["share"], break_even_share),
    ("gain", _NAMES["gain"], break_even_gain),
)


def breakeven(
    discount: Decimal = DISCOUNT, horizon: int = MONTHS, displaced: Decimal = ZERO
) -> Estimate:
    """The report: with a discount a year, over so many months, and a share of displaced sales."""
    return Estimate(
        "breakeven",
        ("break-even", "regimes", "tornado", "month", "notes"),
        partial(_tables, discount=discount, months=horizon, displaced=displaced),
    )


class _Varied(NamedTuple):
    """An assumption, between what it is varied, and the difference at both ends."""

    name: str
    by: str
    value: float
    low: float
    high: float
    differences: tuple[float, float]

    @property
    def swing(self) -> float:
        return abs(self.differences[1] - self.differences[0])


class BreakEven(NamedTuple):
    """What books say of both regimes, in a currency."""

    currency: str
    over: MonthsCompared
    sums: SubscriberSums
    terms: RegimeTerms
    drawn: list[RegimeTerms]  # none where they are too few for an interval

    def solutions(self) -> Iterator[Row]:
        """Fee, share sold and retention gain at which both earn the same."""
        for key, name, solve in _SOLVED:
            beside = [_NO_EFFECT] if key == "gain" and self.sums.bare.number else []
            found = solve(self.terms, self.over)
            row = self.currency, name, rate(getattr(self.terms, key))
            if found.at is None:
                yield *row, None, None, None, "; ".join([found.said, *beside])
                continue
            drawn = [solve(each, self.over).at for each in self.drawn]
            known = [each for each in drawn if each is not None]
            if not drawn:
                ends: tuple[Cell, ...] = (None, None, TOO_FEW)
            elif len(known) < _ENOUGH * len(drawn):
                ends = (
                    None,
                    None,
                    f"in {len(drawn) - len(known)} of {len(drawn)} draws there is none",
                )
            else:
                low, high = np.quantile(known, (0.025, 0.975))
                ends = rate(float(low)), rate(float(high)), ""
            *interval, said = ends
            yield *row, rate(found.at), *interval, "; ".join(filter(None, [str(said), *beside]))

    def regimes(self) -> Iterator[Row]:
        """What a subscriber is worth with a market and without."""
        drawn = [worths(each, self.over) for each in self.drawn]
        pairs = [*zip(*drawn, strict=True)] or [(), ()]
        less = [one - other for one, other in drawn]
        names = "with a market", "without, all breakage", "difference"
        now = worths(self.terms, self.over)
        for name, amount, of_draws in zip(
            names, (*now, now[0] - now[1]), (*pairs, less), strict=True
        ):
            said = "" if of_draws else TOO_FEW
            if of_draws and name == names[-1]:
                more = sum(each > 0 for each in less)
                said = f"the market earns more in {more} of {len(less)} draws"
            ends = np.quantile(of_draws, (0.025, 0.975)) if of_draws else (None, None)
            yield self.currency, name, *[self._money(each) for each in (amount, *ends)], said

    def tornado(self) -> Iterator[Row]:
        """What the difference is at both ends of each assumption, the most important one first."""
        for each in sorted(self._varied(), key=lambda each: -each.swing):
            swing = self._money(each.swing)
            if swing:
                name, by, *numbers = each[:5]
                ends = [self._money(end) for end in each.differences]
                yield self.currency, name, *[rate(n) for n in numbers], by, *ends, swing

    def _varied(self) -> Iterator[_Varied]:
        for key, name in _NAMES.items():
            value = float(getattr(self.terms, key))
            low, high, by = self._ends(key, value)
            terms = [self.terms._replace(**{key: each}) for each in (low, high)]
            differences = (difference(terms[0], self.over), difference(terms[1], self.over))
            yield _Varied(name, by, value, low, high, differences)
        value = self.over.discount
        low, high = value * (1 - _STEP), value * (1 + _STEP)
        over = [self.over._replace(discount=each) for each in (low, high)]
        differences = (difference(self.terms, over[0]), difference(self.terms, over[1]))
        yield _Varied("discount a month", _BY_STEP, value, low, high, differences)

    def _ends(self, key: str, value: float) -> tuple[float, float, str]:
        """Between what an assumption is varied, and what that is."""
        known = [each for each in self.drawn if each.share or key not in _OF_SALES]
        if known:
            low, high = np.quantile([getattr(each, key) for each in known], (0.025, 0.975))
            return float(low), float(high), "its interval"
        if key == "gain":
            step = _STEP * self.terms.churn
            return value - step, value + step, f"{_BY_STEP} of churn"
        low, high = sorted((value * (1 - _STEP), value * (1 + _STEP)))
        return low, min(1.0, high) if key in _SHARES else high, _BY_STEP

    def month(self) -> Iterator[Row]:
        """A month of a subscription on average, and what each line is of what is billed."""
        total = self.sums.sums.sum(axis=0)
        billed, months = total[Summed.BILLED], total[Summed.MONTHS]
        for line, amount in (
            ("billed", billed),
            ("overage", total[Summed.OVERAGE]),
            ("cost of use", total[Summed.OF_UNUSED] - total[Summed.COST]),
            ("margin without a market", self.terms.margin * months),
            ("left unused", total[Summed.UNUSED]),
            ("of that sold", total[Summed.SOLD]),
            ("fees", total[Summed.FEES]),
            ("cost as sold units don't lapse", -total[Summed.FORGONE_SOLD]),
            ("cost as kept units don't lapse", -total[Summed.FORGONE_KEPT]),
            ("what the market brings", self.terms.brings * months),
            ("breakage, so far", total[Summed.BREAKAGE]),
        ):
            share = rate(float(amount / billed)) if billed else None
            yield self.currency, line, self._money(amount / months), share

    def _money(self, number: float | None) -> Decimal | None:
        if number is None:
            return None
        return round_money(Decimal(f"{number:.9f}"), self.currency) + 0  # no -0.00


_BY_STEP = f"± {_STEP:.0%}"


def break_evens(
    books: Books, selection: Selection, over: MonthsCompared, displaced: Decimal = ZERO
) -> list[BreakEven]:
    """Both regimes in each currency in which periods were billed."""
    whole = selection._replace(start=None)
    with localcontext(WIDE):
        by_currency = sums_by_currency(books, whole, displaced)
    return [
        BreakEven(currency, over, sums, terms_of_all(sums), drawn_terms(sums))
        for currency, sums in by_currency.items()
    ]


def _tables(
    books: Books, selection: Selection, discount: Decimal, months: int, displaced: Decimal
) -> Iterator[Table]:
    over = MonthsCompared(months, float(1 + discount) ** (1 / 12) - 1)
    found = break_evens(books, selection, over, displaced)
    until = f"over {months} months" if months > 1 else "over a month"
    of = f"of a subscriber {until}, discounted by {discount:%} a year"
    for title, columns, rows, name in (
        (
            f"Where market and breakage earn the same {until}",
            _BREAK_EVEN,
            "solutions",
            "break-even",
        ),
        (f"Worth {of}", _REGIMES, "regimes", "regimes"),
        ("What the difference rests on, the most important first", _TORNADO, "tornado", "tornado"),
        ("A month of a subscription, on average", _MONTH, "month", "month"),
    ):
        yield Table(title, columns, [row for each in found for row in getattr(each, rows)()], name)
    notes: list[Row] = [(each,) for each in _notes(found)]
    yield Table("What to bear in mind", (Column("note", "note"),), notes, "notes")


def _notes(found: Sequence[BreakEven]) -> Iterator[str]:
    if not found:
        yield "No period of a subscription was billed: there is nothing to compare."
        return
    for each in found:
        people, total = len(each.sums.sums), each.sums.sums.sum(axis=0)
        if not each.drawn:
            yield (
                f"{each.currency}: {counted(people, 'subscriber')} over "
                f"{counted(each.sums.months_seen, 'month')} are too few for intervals: 30 and 6 "
                "are needed."
            )
        if not total[Summed.GROSS]:
            yield (
                f"{each.currency}: no unit left unused was sold: of a market nothing can be told, "
                "and the retention gain is taken as 0."
            )
        elif not total[Summed.COST]:
            yield f"{each.currency}: no use costs anything here: neither provider nor unit-cost."
        yield from _of_churn(each.currency, total)
        if each.sums.bare.number:
            yield f"{each.currency}: {_of_gain(each.sums.bare)}"


def _of_gain(bare: BareDecisions) -> str:
    """Whom the retention gain compares, and what it therefore is not."""
    used = ""
    if bare.used is not None and bare.others_used is not None:
        used = f"; they used {bare.used:.0%} of their allocation, the others {bare.others_used:.0%}"
    return (
        "the retention gain of the books compares kinds of people; it is not what tokens do, and "
        "even its sign may be wrong. It is the churn of who neither traded nor held tokens less "
        f"that of all: of {counted(bare.number, 'such decision')} {bare.of_newcomers:,} "
        f"{'is' if bare.of_newcomers == 1 else 'are'} a newcomer's first, when there is hardly "
        f"anything to hold{used}. Nobody was put into these groups by chance. What does not rest "
        "on it is the fee without retention gain; the difference does."
    )


def _of_churn(currency: str, total: SummedRows) -> Iterator[str]:
    watched, left = total[Summed.WATCHED], total[Summed.LEFT]
    if not watched:
        yield f"{currency}: no period is over yet: nobody is known to stay or to leave."
    elif not left:
        yield f"{currency}: nobody has left yet: churn is taken as 0."
    elif left == watched:
        yield f"{currency}: everybody left at the first renewal: churn is 1 a month."
    if watched and not total[Summed.WATCHED_BARE]:
        yield f"{currency}: everybody traded or held tokens: the retention gain is taken as 0."
