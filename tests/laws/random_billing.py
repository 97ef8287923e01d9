"""Random ledgers that bill in arrears, ask for a minimum, or cancel at once.

A third of the ledgers has them: each by itself, or all together. The others stay what they are, as
everything here is drawn by a chance of its own.
"""

from __future__ import annotations

import datetime
import random

from tests.laws.random_ledgers import UNIT_PRICES, Item, World, has_all

FEATURES = ("bill", "minimum", "now")
MINIMA = {
    "USD": ["0.01", "5.00", "100.00", "999.99"],
    "EUR": ["1.00", "77.77"],
    "JPY": ["1", "5000"],
    "KWD": ["0.005", "30.000"],
}


class Billing:
    """What a ledger has of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        text = f"billing {world.profile} {world.start} {world.days} {world.subscribers}"
        self.chance = chance = random.Random(text)
        self.has: set[str] = set()
        if chance.random() < 0.4:
            self.has = {chance.choice(FEATURES)} if chance.random() < 0.6 else set(FEATURES)
        if has_all(world):
            self.has = set(FEATURES)

    # Terms

    def change_plans(self) -> None:
        """Give plans a bill, a minimum, or no price and units at all."""
        header = self.world.header
        plans = [at for at, text in enumerate(header) if '"compute-plan"' in text]
        if not self.has & {"bill", "minimum"}:
            return
        if not any("  overage:" in header[at] for at in plans):
            header[plans[0]] += self.overage_of(header[plans[0]])
        for at in plans:
            if "  overage:" in header[at]:
                header[at] = self.billed(header[at])

    def overage_of(self, plan: str) -> str:
        currency = currency_of(plan)
        return f"\n  overage: {self.chance.choice(UNIT_PRICES[currency])} {currency}"

    def billed(self, plan: str) -> str:
        chance, currency = self.chance, currency_of(plan)
        if chance.random() < 0.6 and "access-by" not in plan and "-ssp" not in plan:
            plan = without_price(plan)
        if "bill" in self.has and chance.random() < 0.8:
            bills = ["period", "period", "use"] + ([] if 'days"' in plan else ["month", "month"])
            plan += f'\n  bill: "{chance.choice(bills)}"'
        if "minimum" in self.has and chance.random() < 0.8:
            plan += f"\n  minimum: {chance.choice(MINIMA[currency])} {currency}"
        return plan

    def add_accounts(self) -> None:
        world = self.world
        if self.has & {"bill"} and (world.accounts or self.chance.random() < 0.1):
            account = self.chance.choice(["Assets:Unbilled", "Assets:Open:{subscriber}:Unbilled"])
            world.header.append(f'{world.start} custom "compute-account" "unbilled" "{account}"')
            world.accounts["unbilled"] = account

    # Events

    def add_events(self) -> None:
        if "now" in self.has:
            self.cancel_at_once()
        if self.has & {"bill", "minimum"}:
            subscribed = [i for i in self.world.items if i.cells.get("event") == "subscription"]
            for item in self.chance.sample(subscribed, min(len(subscribed), 4)):
                self.add_uses(item)

    def cancel_at_once(self) -> None:
        """Some cancellations are at once, and some of these are undone on their day."""
        world, chance = self.world, self.chance
        for item in [i for i in world.items if i.cells.get("event") == "cancellation"]:
            if chance.random() < 0.8:
                item.cells["now"] = "true"
                if "id" in item.cells and chance.random() < 0.3:
                    later = chance.choice([0, 0, 0, 1])
                    day = day_of(item) + datetime.timedelta(days=later)
                    self.reverse(item, day)
        subscribed = [i for i in world.items if i.cells.get("event") == "subscription"]
        for item in subscribed:
            if chance.random() < 0.3:
                day = day_of(item) + datetime.timedelta(days=chance.randint(1, 200))
                plan, name = item.cells["plan"], item.cells["subscriber"]
                self.add("cancellation", day, subscriber=name, plan=plan, now="true")
                if chance.random() < 0.4:
                    again = day + datetime.timedelta(days=chance.choice([0, 1, 1, 9]))
                    self.add("subscription", again, subscriber=name, plan=plan)

    def add_uses(self, item: Item) -> None:
        """Uses over some months, of which some are reversed later."""
        world, chance = self.world, self.chance
        commodity = world.plans[item.cells["plan"]][0]
        for _ in range(chance.randint(3, 10)):
            day = day_of(item) + datetime.timedelta(days=chance.randint(0, 150))
            units = {"units": chance.choice(["1", "3", "17", "0.5", "250", "1000", "2.5"])}
            name = item.cells["subscriber"]
            use = self.add("consumption", day, subscriber=name, commodity=commodity, **units)
            if use is not None and "id" in use.cells and chance.random() < 0.6:
                later = chance.choice([0, 1, 5, 20, 30, 40, 60, 100])
                self.reverse(use, day + datetime.timedelta(days=later))

    def reverse(self, item: Item, day: datetime.date) -> None:
        self.add("reversal", day, reverses=item.cells["id"])

    def add(self, kind: str, day: datetime.date, **cells: str) -> Item | None:
        world, chance = self.world, self.chance
        if day > world.start + datetime.timedelta(days=world.days):
            return None
        item = Item({"event": kind, "date": day.isoformat()} | cells)
        if chance.random() < 0.7:
            item.cells["id"] = f"b-{len(world.items)}"
        if chance.random() < 0.1:
            item.cells["time"] = chance.choice(["00:00:00", "12:30:00"])
        world.items.append(item)
        return item


def day_of(item: Item) -> datetime.date:
    return datetime.date.fromisoformat(item.cells["date"])


def currency_of(plan: str) -> str:
    """Of the text of a plan: `2026-01-01 custom "compute-plan" "Team 5" 1.00 USD 10 CU`."""
    return plan.split("\n")[0].rsplit('" ', 1)[1].split(" ")[1]


def without_price(plan: str) -> str:
    first, *keys = plan.split("\n")
    front, terms = first.rsplit('" ', 1)
    units = terms.split(" ")[2:]
    if not units:
        return plan
    return "\n".join([f'{front}" 0 {terms.split(" ")[1]} 0 {units[1]}', *keys])
