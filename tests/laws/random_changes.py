"""Random ledgers in which subscribers go over to other plans, in mid-period or on a first day.

Two fifths of the ledgers have it, with whatever else they have: bills, minimums, access, discounts,
money back. The others stay what they are, as everything here is drawn by a chance of its own.
"""

from __future__ import annotations

import datetime
import random

from tests.laws.auditor.records import add_months
from tests.laws.random_ledgers import PRICES, Item, World, has_all, plan_text, with_access


class Changes:
    """What a ledger has of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        text = f"changes {world.profile} {world.start} {world.days} {world.subscribers}"
        self.chance = chance = random.Random(text)
        self.has = chance.random() < 0.35 or has_all(world)

    def add_plans(self) -> None:
        """Something to change to: other plans of the same unit and money."""
        world = self.world
        if not self.has:
            return
        chance, world.chance = world.chance, self.chance
        of = sorted(world.plans)[0]
        for name in ("plus", "max"):
            world.plans[name] = world.plans[of]
            day = world.start - datetime.timedelta(days=self.chance.randint(0, 40))
            text = plan_text(world, name, day)
            if self.chance.random() < 0.5:
                text = with_access(text, self.chance)
            world.header.append(text)
        world.chance = chance

    def add_events(self) -> None:
        """Some changes of each subscription, of which some are cancelled behind them."""
        chance = self.chance
        subscribed = [i for i in self.world.items if i.cells.get("event") == "subscription"]
        for item in subscribed if self.has else ():
            if chance.random() < 0.2:
                continue
            plan, day = item.cells["plan"], day_of(item)
            for _ in range(chance.choice([1, 1, 2, 3])):
                day = self.later_than(day, item)
                plan = self.change(item, plan, day)
                if chance.random() < 0.15:
                    plan = self.change(item, plan, day)
            if chance.random() < 0.3:
                end = day + datetime.timedelta(days=chance.choice([0, 1, 10, 40]))
                cells = {"now": "true"} if chance.random() < 0.4 else {}
                name = item.cells["subscriber"]
                self.add("cancellation", end, subscriber=name, plan=plan, **cells)

    def later_than(self, day: datetime.date, item: Item) -> datetime.date:
        """Some time later; sometimes a first day of a month of the subscription."""
        if self.chance.random() < 0.25:
            return add_months(day, self.chance.randint(0, 3), day_of(item).day)
        return day + datetime.timedelta(days=self.chance.choice([1, 3, 10, 15, 20, 29, 50]))

    def change(self, item: Item, plan: str, day: datetime.date) -> str:
        """Change to a plan; return it, or the old one where the day is behind the books."""
        world, chance = self.world, self.chance
        same = [name for name, of in world.plans.items() if of == world.plans[plan]]
        others = sorted(set(same if chance.random() < 0.9 else world.plans) - {plan})
        if not others:
            return plan
        new, cells = chance.choice(others), {"subscriber": item.cells["subscriber"]}
        if chance.random() < 0.25:
            currency = world.plans[new][1]
            cells["charge"] = chance.choice(PRICES[currency])
            cells["credit"] = chance.choice(PRICES[currency])
            cells["currency"] = currency
        return new if self.add("change", day, from_plan=plan, plan=new, **cells) else plan

    def add(self, kind: str, day: datetime.date, **cells: str) -> Item | None:
        world, chance = self.world, self.chance
        if day > world.start + datetime.timedelta(days=world.days):
            return None
        item = Item({"event": kind, "date": day.isoformat()} | cells)
        if chance.random() < 0.8:
            item.cells["id"] = f"c-{len(world.items)}"
        if chance.random() < 0.15:
            item.cells["time"] = chance.choice(["00:00:00", "09:30:00", "18:00:00"])
        world.items.append(item)
        return item


def day_of(item: Item) -> datetime.date:
    return datetime.date.fromisoformat(item.cells["date"])
