"""Assumptions like a ledger: what can be fitted of it, and in words what could not.

    base = 0.0213    # fitted from the ledger, 163 subscribers, 12 months
    tokens = 0.5     # from the default: nobody holds tokens

Prices, units and fees are those of the ledger's terms. What is estimated needs 30 subscribers and 6
months, else the usual number stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from beancount_compute.economy import POSTING_GRAIN, Grain, Plan, Unused
from beancount_compute.insight.estimates import FEWEST_MONTHS, FEWEST_PEOPLE
from beancount_compute.reports import Books, Selection, counted
from beancount_compute.simulation.assumption_fits import (
    fit_arrivals,
    fit_curve,
    fit_days,
    fit_range,
    fit_season,
    fit_swing,
)
from beancount_compute.simulation.assumption_text import (
    NotFitted,
    Said,
    amount,
    interval,
    listed,
    number,
    of_one,
    section,
    share,
)
from beancount_compute.simulation.assumptions import (
    COMMODITY,
    MILLION,
    PLAN_NAME,
    Assumptions,
    read_assumptions,
    usual_text,
)
from beancount_compute.simulation.churn_like import churn_like
from beancount_compute.simulation.seen_economy import (
    SeenEconomy,
    months_of,
    see,
    unit_price,
    units_of,
)

_FEWEST_TRADES = 30
_LEAST_PRICE = Decimal("0.0001")  # of a unit, so that six decimals tell prices apart


class Likeness(NamedTuple):
    """The assumptions, and what is to be said of them."""

    text: str
    not_fitted: tuple[str, ...]
    there: int  # at the end of the ledger


def like(books: Books, name: str) -> Likeness:
    """Assumptions like a ledger of that name; raises `NothingSeen`."""
    seen = see(books)
    notes = NotFitted(seen.left_out)
    writer = _Writer(books, seen, read_assumptions(usual_text()), notes)
    sections = [*writer.sections()]
    head = [
        f"What a simulated economy like {name} assumes: {writer.source}.",
        "Shares are of 1. Change any number.",
    ]
    said = tuple(notes.lines())
    if said:
        head += ["Not fitted, or not like it:", *[f"- {note}" for note in said]]
    text = "".join(f"# {line}\n" for line in head) + "".join(sections)
    read_assumptions(text)
    return Likeness(text, said, seen.there)


class _Writer:
    """Writes the sections, and notes what could not be fitted."""

    def __init__(
        self, books: Books, seen: SeenEconomy, usual: Assumptions, notes: NotFitted
    ) -> None:
        self._books, self._seen, self._usual, self._notes = books, seen, usual, notes
        self.source = (
            f"fitted from the ledger, {counted(seen.people, 'subscriber')}, "
            f"{counted(seen.months, 'month')}"
        )
        self._too_few = ""
        if seen.people < FEWEST_PEOPLE or seen.months < FEWEST_MONTHS:
            self._too_few = (
                f"{counted(seen.people, 'subscriber')} and {counted(seen.months, 'month')} are "
                f"too few, {FEWEST_PEOPLE} and {FEWEST_MONTHS} are needed"
            )
        periods = seen.periods
        usual_season = np.array(usual.season) / MILLION
        months = np.unique(periods.month)
        self._has_season = not self._too_few and len(months) == 12
        # what is wanted is that of a month as others, so far as it can be told
        found = fit_season(periods.person, periods.month, periods.wanted)
        if not self._has_season and len(months):
            found = found * usual_season[months].mean()
        self._season = np.minimum(found, 10) if self._has_season else usual_season
        self._wanted = periods.wanted / np.maximum(found[periods.month], 1e-6)

    def sections(self) -> Iterator[str]:
        """All of the file below its head."""
        seen = self._seen
        yield from section(
            "[economy]",
            first_month=Said(f'"{seen.first_month}"', "the ledger's first"),
            commodity=self._matching(seen.commodity, self._usual.commodity),
            currency=self._matching(seen.currency, self._usual.currency),
        )
        yield from self._plans()
        yield from section("[use]", **self._use())
        yield from section("[arrivals]", monthly=self._arrivals())
        yield from section("[churn]", **self._churn())
        yield from section("[market]", **self._market())

    def _matching(self, name: str, usual: str) -> Said:
        if COMMODITY.fullmatch(name):
            return Said(f'"{name}"', "the ledger's")
        self._notes.add(f"{name} is called {usual} here")
        return Said(f'"{usual}"', f"{name} in the ledger")

    def _plans(self) -> Iterator[str]:
        seen = self._seen
        shares, scale = of_one(seen.came_for), self._scale()
        for at, plan in enumerate(seen.plans):
            name = self._plan_name(at)
            units = units_of(plan, seen.commodity)
            whole = min(10**9, max(1, round(units / scale)))
            if whole * scale != units:
                self._notes.add(f"{plan.name}: {amount(units)} units a month are {whole} here")
            if plan.unused is Unused.ROLLOVER:
                self._notes.add(f"{plan.name}: rollover is no part of a simulated economy")
            elif plan.unused is Unused.MINT and plan.mint_rate != 1:
                rate = amount(plan.mint_rate)
                self._notes.add(f"{plan.name}: all that is left is minted here, not {rate} of it")
            price = plan.price / months_of(plan.every)
            overage = plan.overage.number * scale if plan.overage else Decimal(0)
            per_month = "" if months_of(plan.every) == 1 else f", by months of {plan.every}"
            yield from section(
                "[[plan]]",
                name=Said(f'"{name}"', "" if name == plan.name else f"{plan.name} in the ledger"),
                among=Said(number(shares[at]), f"{self.source}: {seen.came_for[at]} came for it"),
                price=Said(f"{price:.2f}", f"the ledger's terms{per_month}"),
                units=Said(f"{whole}", f"the ledger's terms{per_month}"),
                overage=Said(amount(overage), "the ledger's terms"),
                wanted=self._curve(at, plan),
            )

    def _scale(self) -> int:
        """How many units of the ledger are one here: prices of a unit have six decimals."""
        seen, scale = self._seen, 1
        prices = [unit_price(plan, seen.commodity) for plan in seen.plans]
        prices += [plan.overage.number for plan in seen.plans if plan.overage]
        least = min((price for price in prices if price), default=_LEAST_PRICE)
        while least * scale < _LEAST_PRICE:
            scale *= 1000
        if scale > 1:
            self._notes.add(f"a unit here is {scale:,} {seen.commodity} of the ledger")
        return scale

    def _plan_name(self, at: int) -> str:
        names = [re.sub(r"[^a-z0-9]+", "-", each.name.lower()) for each in self._seen.plans]
        name = names[at].strip("-")
        alike = names.count(names[at]) > 1 or not PLAN_NAME.fullmatch(name)
        return f"plan-{at + 1}" if alike else name

    def _curve(self, at: int, plan: Plan) -> Said:
        usual = next((p for p in self._usual.plans if p.name == plan.name), self._usual.plans[0])
        periods = self._seen.periods
        mine = periods.plan == at
        why = self._too_few
        if not why and plan.overage is None:
            self._notes.add(f"{plan.name}: no overage, so what is wanted beyond can't be seen")
        source = f"{self.source}: {counted(int(mine.sum()), 'month')} of "
        people = len(np.unique(periods.person[mine]))
        if not why and people < FEWEST_PEOPLE:
            self._notes.add(
                f"{plan.name}: {counted(people, 'subscriber')} of its own are too few, so that its "
                "`wanted` is that of all"
            )
            mine, source = np.ones(len(mine), bool), f"{self.source}: all plans, "
            people = len(np.unique(periods.person))
            if people < FEWEST_PEOPLE:
                why = f"{counted(people, 'subscriber')} with a period that is over are too few"
        if why:
            values = np.array(usual.wanted) / MILLION
            return Said(listed(values), self._notes.usual(f"{plan.name}: `wanted`", why))
        values = fit_curve(periods.person[mine], np.minimum(self._wanted[mine], 999))
        return Said(listed(values), source + counted(people, "subscriber"))

    def _use(self) -> dict[str, Said]:
        usual, seen = self._usual, self._seen
        grain = self._books.terms.of_ledger(POSTING_GRAIN)
        used = seen.use_days[seen.use_days > 0]
        why = self._too_few
        if not why and grain is Grain.MONTH:
            why = "the ledger merges the uses of a month"
        if not why and not len(used):
            why = "nothing is used"
        if why:
            days = Said(f"{usual.days}", self._notes.usual("`days`", why))
        else:
            days = Said(f"{fit_days(used)}", f"{self.source}: {np.mean(used):.1f} different days")
        if self._too_few:
            varies = Said(share(usual.varies), self._notes.usual("`varies`", self._too_few))
        else:
            varies = Said(number(fit_swing(seen.periods.person, self._wanted)), self.source)
        source = self.source
        if not self._has_season:
            needed = "whole periods of all 12 calendar months are needed"
            source = self._notes.usual("`season`", self._too_few or needed)
        return {"days": days, "varies": varies, "season": Said(listed(self._season), source)}

    def _arrivals(self) -> Said:
        found = None if self._too_few else fit_arrivals(self._seen.by_month)
        if found is None:
            why = self._too_few or "nobody is there when months begin"
            return Said(share(self._usual.arrivals), self._notes.usual("`monthly`", why))
        return Said(number(min(found.number, 10)), f"{self.source}{interval(found)}")

    def _churn(self) -> dict[str, Said]:
        decided = self._seen.periods.decided
        return churn_like(decided, self._usual, self._too_few, self.source, self._notes)

    def _market(self) -> dict[str, Said]:
        usual, seen = self._usual, self._seen
        last = Selection().day_of(self._books)
        fees = self._books.terms.fees(last, seen.currency)
        found: dict[str, Said] = {}
        trades = len(seen.trades.asked) + len(seen.trades.bid)
        for key, fee, default in (
            ("seller_fee", fees.seller_rate, usual.seller_fee),
            ("buyer_fee", fees.buyer_rate, usual.buyer_fee),
        ):
            if trades:
                found[key] = Said(amount(fee), "the ledger's terms")
            else:
                found[key] = Said(share(default), self._notes.usual(f"`{key}`", "nobody trades"))
        if trades and (fees.minimum or fees.seller_fixed or fees.buyer_fixed):
            self._notes.add("minimum and fixed fees: no part of a simulated economy")
        found["token_months"] = self._token_months()
        for key, shares, both in (
            ("ask", seen.trades.asked, usual.ask),
            ("bid", seen.trades.bid, usual.bid),
        ):
            if len(shares) < _FEWEST_TRADES:
                why = f"{counted(len(shares), 'trade')}, {_FEWEST_TRADES} are needed"
                value = listed([each / MILLION for each in both])
                found[key] = Said(value, self._notes.usual(f"`{key}`", why))
            else:
                value = listed([min(each, 100) for each in fit_range(shares)])
                found[key] = Said(value, f"{self.source}: prices of {len(shares)} trades")
        if trades >= _FEWEST_TRADES:
            self._notes.add(
                "`ask` and `bid`: books have no offers, so both are the range in which nine in "
                "ten prices lie; volume follows from who lacks units"
            )
        return found

    def _token_months(self) -> Said:
        minting = [each for each in self._seen.plans if each.unused is Unused.MINT]
        if not minting:
            why = "no plan mints"
            return Said(f"{self._usual.token_months}", self._notes.usual("`token_months`", why))
        spans = {months_of(each.token_expires) if each.token_expires else 120 for each in minting}
        if len(spans) > 1:
            self._notes.add("`token_months`: plans differ; the longest stands")
        return Said(f"{min(120, max(1, round(max(spans))))}", "the ledger's terms")
