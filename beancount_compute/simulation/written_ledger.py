"""A simulated economy as an ordinary ledger: plans and options, a CSV file of events a month.

    two/main.beancount, two/assumptions.toml, two/events/2026-01.csv ...

It is loaded, reported and closed as any other; nothing in it says that it is simulated but its
title.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from beancount_compute.economy import Grain, Month, quoted
from beancount_compute.simulation.assumptions import MILLION, Assumptions
from beancount_compute.simulation.simulated_months import Regime, SimulatedMonth, simulated

MOST_ROWS = 300_000  # past which a ledger is slow, and `bulk` is for it
_EVENTS = '{first} custom "compute-events" "events/*.csv"\n'
_HEAD = "id,date,event,subscriber,counterparty,plan,units,commodity,price,currency\n"


class SimulationAsked(NamedTuple):
    """What is to be simulated."""

    assumed: Assumptions
    regime: Regime
    subscribers: int
    months: int
    seed: int


def write_simulation(folder: Path, asked: SimulationAsked) -> int:
    """Write the ledger into an empty folder; how many events it has."""
    (folder / "events").mkdir(parents=True, exist_ok=True)
    assumed = asked.assumed
    rows = 0
    for month in simulated(*asked):
        rows += month.rows
        _write(folder / "events" / f"{month.month}.csv", _HEAD, *_lines(month, assumed))
    _write(
        folder / "main.beancount",
        *terms_text(asked),
        _EVENTS.format(first=assumed.first_month.first),
    )
    _write(folder / "assumptions.toml", assumed.text)
    return rows


def _write(path: Path, *pieces: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def name_of(number: int) -> str:
    """The name of a subscriber."""
    return f"s{number:06}"


def terms_text(asked: SimulationAsked, grain: Grain = Grain.MONTH) -> Iterator[str]:
    """The ledger but for its events; uses are merged to be loaded quickly."""
    last = Month.from_ordinal(asked.assumed.first_month.ordinal + asked.months - 1)
    assumed, market = asked.assumed, asked.regime is Regime.MARKET
    first = assumed.first_month.first
    yield (
        f"; A simulated economy: {asked.subscribers} subscribers at first, {asked.months} months, "
        f"seed {asked.seed}, regime {asked.regime}.\n"
        "; What it assumes stands in assumptions.toml. Written by bean-compute simulate.\n"
    )
    yield f'option "title" {quoted(f"Simulated {asked.regime}, seed {asked.seed}")}\n'
    yield f'option "operating_currency" "{assumed.currency}"\n'
    yield 'plugin "beancount_compute"\n'
    yield f'{first} custom "fava-extension" "beancount_compute.fava_extension"\n'
    for plan in assumed.plans:
        yield (
            f'\n{first} custom "compute-plan" "{plan.name}" {plan.price:.2f} {assumed.currency} '
            f"{plan.units} {assumed.commodity}\n"
        )
        if plan.overage:
            yield f"  overage: {plan.overage:f} {assumed.currency}\n"
        if market:
            yield '  unused: "mint"\n'
            yield f'  token-expires: "{assumed.token_months} months"\n'
    yield "\n"
    if market:
        for name, fee in (("seller-fee", assumed.seller_fee), ("buyer-fee", assumed.buyer_fee)):
            yield f'{first} custom "compute-option" "{name}" {_share(fee)}\n'
    yield f'{first} custom "compute-option" "posting-grain" "{grain.value}"\n'
    yield f'{first} custom "compute-option" "as-of" {last.last}\n'


def _share(millionths: int) -> str:
    whole, rest = divmod(millionths, MILLION)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _lines(month: SimulatedMonth, assumed: Assumptions) -> Iterator[str]:
    """The rows of a month: who came and left, what was traded and used."""
    name = month.month.name
    first, last = month.month.first, month.month.last
    tail = f",{assumed.commodity},,\n"
    plans = [plan.name for plan in assumed.plans]
    for who, plan in zip(month.came.tolist(), month.plans.tolist(), strict=True):
        yield f"c{name}-{who},{first},subscription,{name_of(who)},,{plans[plan]},,,,\n"
    for who, plan in zip(month.left.tolist(), month.plans_left.tolist(), strict=True):
        yield f"l{name}-{who},{last},cancellation,{name_of(who)},,{plans[plan]},,,,\n"
    days = [f"{name}-{day:02}" for day in range(1, last.day + 1)]
    for day, deals in month.deals:
        price = f"{deals.price // MILLION}.{deals.price % MILLION:06}"
        end = f"{assumed.commodity},{price},{assumed.currency}\n"
        three = (deals.seller.tolist(), deals.buyer.tolist(), deals.units.tolist())
        for at, (seller, buyer, units) in enumerate(zip(*three, strict=True)):
            head = f"t{days[day]}-{at},{days[day]},trade,{name_of(seller)},{name_of(buyer)}"
            yield f"{head},,{units},{end}"
    columns = (month.used_on.tolist(), month.used_by.tolist(), month.used.tolist())
    for day, who, units in zip(*columns, strict=True):
        yield f"u{days[day]}-{who},{days[day]},consumption,s{who:06},,,{units}{tail}"
