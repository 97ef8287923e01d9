"""Providers in random ledgers: meters, credits, what uses cost, stated costs, bills, capacity.

A third of all ledgers have them, whatever their profile; they are drawn apart from all else, so
that the others stay as they are.
"""

from __future__ import annotations

import datetime
import random
import re
from typing import Any

from tests.laws.auditor.records import add_months, component
from tests.laws.random_ledgers import VALID, Item, World, event, quoted

PROVIDERS = {"openai": "OAI", "llama cpp": "LC"}  # with their credits
METERS = ["chat/output", "pictures", "gpu-hours"]
MONEY = ["0.40", "0.0333", "1.005", "2.00", "0.0007"]
CREDITS = ["1", "0.7", "3", "0.333333"]
QUANTITIES = ["1", "250000", "1.5", "33", "7777", "0.25"]


def has_providers(seed: int) -> bool:
    """Whether the ledger of a seed has providers."""
    return seed % 3 == 1


def add_providers(world: World, seed: int) -> None:
    """Add terms and events of providers; turn some uses into those of meters."""
    chance, world.chance = world.chance, random.Random(seed + 2_000_003)
    names = world.chance.sample(METERS, world.chance.randint(1, 3))
    for provider in sorted(PROVIDERS):
        beyond = f"\n  beyond: {_price(world)}" if world.likely(0.7) else ""
        day = world.start - datetime.timedelta(days=20)
        world.header.append(f'{day} custom "compute-provider" "{provider}"{beyond}')
    for name in names:
        world.header.append(_meter(world, name, world.start - datetime.timedelta(days=15)))
        if world.likely(0.5):  # the price changes, or the provider is swapped
            world.header.append(_meter(world, name, world.day(0.2, 0.8)))
    _add_defaults(world, names)
    for item in world.items:
        if item.cells.get("event") == "consumption" and world.likely(0.5):
            _measure(world, item, names)
    for _ in range(world.chance.randint(3, 15)):
        cells = {"units": world.pick(["1", "2", "0.5", "10"]), "commodity": world.commodities[0]}
        subscriber = world.pick(world.subscribers)
        item = event(world, "consumption", world.day(), subscriber=subscriber, **cells)
        _measure(world, item, names)
        world.items.append(item)
    for _ in range(world.chance.randint(1, 5)):
        world.items.append(_purchase(world))
    if world.profile == "opening":
        world.items += _openings(world, names)
    for _ in range(world.chance.randint(0, 4)):
        world.items.append(_stated(world, names))
    for _ in range(world.chance.randint(1, 6)):
        world.items.append(_bill(world))
    world.chance = random.Random(seed + 3_000_017)
    for name in world.chance.sample(["gpu-1", "rack", "émile"], world.chance.randint(0, 3)):
        _add_capacity(world, name, names)
    _add_capacity_accounts(world)
    world.chance = chance


def _price(world: World) -> str:
    return f"{world.pick(MONEY)} {world.pick(world.currencies)}"


def _meter(world: World, name: str, day: datetime.date) -> str:
    provider = world.pick(sorted(PROVIDERS))
    cost = _price(world)
    if world.likely(0.5):
        cost = f"{world.pick(CREDITS)} {PROVIDERS[provider]}"
    lines = [
        f'{day} custom "compute-meter" "{name}"',
        f"  units: {world.pick(['1', '12', '0.5'])} {world.pick(world.commodities)}",
        f"  per: {world.pick(['1', '1', '1000', '1000000'])}",
    ]
    if world.likely(0.9):
        lines += [f"  cost: {cost}", f"  provider: {quoted(provider)}"]
    return "\n".join(lines)


def _add_capacity(world: World, name: str, names: list[str]) -> None:
    """What stands there, later another line of it, and meters that it serves without a cost."""
    provider, unit = _served(world)
    currency = world.pick(world.currencies)
    first, worth = world.day(0, 0.5), world.pick(["1000", "77", "4800"])
    lines = [_capacity(world, name, first, f"{worth} {currency}", provider, unit)]
    if world.likely(0.3):
        lines[0] += (
            f"\n  served: 2.5 {unit}"
            if "quantity" in lines[0]
            else f"\n  started: {first - datetime.timedelta(days=world.pick([20, 75]))}"
        )
    if world.likely(0.3):
        lines[0] += f"\n  depreciated: 12 {currency}"
    cheaper = [] if world.profile in VALID else ["10"]  # than what is depreciated by then
    for low, high in ((0.5, 0.7), (0.75, 0.9)):
        if world.likely(0.4):
            later, worth = world.day(low, high), world.pick(["5000", "7777", *cheaper])
            of = world.pick(_providers_of(world, unit) or [provider])  # maybe another's from now on
            lines.append(_capacity(world, name, later, f"{worth} {currency}", of, unit))
    world.header += lines
    if world.likely(0.5):
        day, free = world.day(0.2, 0.8), world.pick(names)
        line = f'{day} custom "compute-meter" "{free}"'
        if not any(each.startswith(line) for each in world.header):
            units = f"\n  units: 3 {unit or world.commodities[0]}" if world.likely(0.8) else ""
            world.header.append(f'{line}{units}\n  provider: "{provider}"')


def _served(world: World) -> tuple[str, str]:
    """A provider, and units that a meter of it takes, if any; of a ledger with errors whatever."""
    pairs = _pairs(world)
    if world.profile in VALID:
        return world.pick(pairs) if pairs else (world.pick(sorted(PROVIDERS)), "")
    return world.pick(sorted(PROVIDERS)), world.pick(world.commodities)


def _providers_of(world: World, unit: str) -> list[str]:
    """Whose meters take units, in the order of their lines."""
    return [provider for provider, taken in _pairs(world) if taken == unit]


def _pairs(world: World) -> list[tuple[str, str]]:
    """Providers of meters, with the units that these take."""
    return [
        (provider, units.split()[1])
        for line in world.header
        if '"compute-meter"' in line
        for units in re.findall(r"^  units: (.*)$", line, re.MULTILINE)
        for provider in re.findall(r'^  provider: "(.*)"$', line, re.MULTILINE)
    ]


def _add_capacity_accounts(world: World) -> None:
    """Accounts of capacity that are pooled, or named in another way."""
    for role, root in (("capacity", "Assets"), ("depreciation", "Expenses")):
        if world.likely(0.3):
            account = root + world.pick([":Machines", ":Machines:{capacity}:Gross"])
            world.header.append(f'{world.day()} custom "compute-account" "{role}" "{account}"')


def _capacity(
    world: World, name: str, day: datetime.date, cost: str, provider: str, unit: str
) -> str:
    life = world.pick(['life: "1 months"', 'life: "3 months"', 'life: "7 months"'])
    if unit and world.likely(0.4):
        life = f"quantity: {world.pick(['3', '40', '700', '60000'])} {unit}"
    residual = (
        f"\n  residual: {world.pick(['5', '9'])} {cost.split()[1]}" if world.likely(0.3) else ""
    )
    return (
        f'{day} custom "compute-capacity" "{name}" {cost}\n  provider: "{provider}"\n  {life}'
        + residual
        + (f"\n  can-serve: 500 {unit}" if unit and world.likely(0.3) else "")
    )


def _add_defaults(world: World, names: list[str]) -> None:
    """The meter of uses that name none: of the ledger, and of plans."""
    if world.likely(0.6):
        day = world.day(0, 0.4)
        world.header.append(f'{day} custom "compute-option" "meter" "{world.pick(names)}"')
    if world.likely(0.3):
        world.header = [
            f'{line}\n  meter: "{world.pick(names)}"' if '"compute-plan"' in line else line
            for line in world.header
        ]


def _measure(world: World, item: Item, names: list[str]) -> None:
    """Let a use name a meter, with a quantity or without."""
    item.cells["meter"] = world.pick(names)
    if world.likely(0.5):
        item.cells["quantity"] = world.pick(QUANTITIES)
    if "quantity" in item.cells and world.likely(0.5):
        del item.cells["units"], item.cells["commodity"]


def _purchase(world: World) -> Item:
    provider = world.pick(sorted(PROVIDERS))
    cells: dict[str, Any] = {"units": world.pick(["5", "100", "33.3", "1000"])}
    cells |= {"commodity": PROVIDERS[provider], "currency": world.pick(world.currencies)}
    cells["paid"] = world.pick(["1.00", "20", "99", "180.00"])
    if world.likely(0.4):
        cells["expires"] = world.pick(["1 months", "45 days", "12 months"])
    return event(world, "purchase", world.day(0, 0.8), counterparty=provider, **cells)


def _openings(world: World, names: list[str]) -> list[Item]:
    """Credits that are held when the ledger begins, and what no bill has come for."""
    day = world.start - datetime.timedelta(days=10)
    served, made = day - datetime.timedelta(days=8), component("llama cpp")
    credit, currency = f"{{0.9 {world.currencies[0]}, {served}, ", world.currencies[0]
    accrued = f"{world.pick(names)} 20 {currency}, {world.pick(['old', names[0]])} 0.5 {currency}"
    return [
        Item(
            text=f'{day} * "Credits" #compute-opening\n'
            f'  Assets:Prepaid:Openai  12.5 OAI {credit}"openai/{add_months(day, 3)}"}}\n'
            f'  Assets:Prepaid:{made}  7 LC {credit}"llama cpp"}}\n'
            "  Equity:Opening-Balances"
        ),
        Item(
            text=f'{day} * "openai" "Accrued" #compute-opening\n'
            f'  served: {served}\n  accrued: "{accrued}"\n'
            f"  Liabilities:Accrued:Openai  -20.5 {currency}\n  Equity:Opening-Balances"
        ),
    ]


def _stated(world: World, names: list[str]) -> Item:
    cells = {"counterparty": world.pick(sorted(PROVIDERS)), "meter": world.pick(names)}
    cells |= {"paid": world.pick(["12.34", "0", "-1.00", "3"])}
    uses = [i.cells["date"] for i in world.items if i.cells.get("event") == "consumption"]
    item = event(world, "cost", world.day(), currency=world.pick(world.currencies), **cells)
    if uses and world.likely(0.7):
        item.cells["date"] = world.pick(uses)
    return item


def _bill(world: World) -> Item:
    cells = {"counterparty": world.pick(sorted(PROVIDERS))}
    cells |= {"paid": world.pick(["20", "3.50", "1234.56", "-5"])}
    item = event(world, "bill", world.day(0.1, 1.0), currency=world.pick(world.currencies), **cells)
    dated = datetime.date.fromisoformat(item.cells["date"])
    last = dated - datetime.timedelta(days=world.chance.randint(1, 40))
    if world.likely(0.6):
        item.cells["to"] = last.isoformat()
    if "to" in item.cells and world.likely(0.6):
        first = last - datetime.timedelta(days=world.chance.randint(0, 60))
        item.cells["from"] = first.isoformat()
    return item
