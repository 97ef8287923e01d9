"""Random ledgers in which money goes back.

Two fifths of the ledgers have it: refunds of money, chargebacks or write-offs, each by itself or
all together. The others stay what they are, as everything here is drawn by a chance of its own.
"""

from __future__ import annotations

import datetime
import random
from decimal import ROUND_DOWN, Decimal

from tests.laws.auditor.records import add_months, minor_unit
from tests.laws.random_ledgers import Item, World, has_all

FEATURES = ("refund", "chargeback", "write-off")
SOLD = ("subscription", "allocation", "change")
PARTS = ["0.1", "0.25", "0.3333", "0.5", "0.9", "1", "1"]
LATER = [0, 0, 1, 5, 17, 31, 60, 100]  # days


class Returns:
    """What a ledger has of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        text = f"returns {world.profile} {world.start} {world.days} {world.subscribers}"
        self.chance = chance = random.Random(text)
        self.has: set[str] = set()
        if chance.random() < 0.4:
            self.has = {chance.choice(FEATURES)} if chance.random() < 0.7 else set(FEATURES)
        if has_all(world):
            self.has = set(FEATURES)

    def add_events(self) -> None:
        if self.has:
            self.share_lots()
        for kind in sorted(self.has):
            self.take_back(kind)

    # Money back

    def share_lots(self) -> None:
        """Two of the same on one day: a seat beside a subscription, a top-up again."""
        chance = self.chance
        for item in self.items("subscription"):
            if chance.random() < 0.15:
                name = item.cells["subscriber"]
                self.add("allocation", day_of(item), subscriber=name, plan=item.cells["plan"])
        for item in self.items("allocation"):
            if chance.random() < 0.15 and "plan" not in item.cells:
                same = ("subscriber", "units", "commodity", "paid", "currency", "expires")
                self.add(
                    "allocation",
                    day_of(item),
                    **{k: item.cells[k] for k in same if k in item.cells},
                )

    def take_back(self, kind: str) -> None:
        sold = [each for name in SOLD for each in self.items(name)]
        for item in self.chance.sample(sold, min(len(sold), 8)):
            item.cells.setdefault("id", f"s-{self.world.items.index(item)}")
            if self.chance.random() < 0.8:
                for _ in range(self.chance.choice([1, 1, 2])):
                    self.take_one(kind, item)

    def take_one(self, kind: str, item: Item) -> None:
        chance, of, day = self.chance, item.cells["id"], day_of(item)
        if item.cells["event"] == "subscription":
            began = item.cells.get("started", item.cells["date"])
            day = add_months(datetime.date.fromisoformat(began), chance.randint(0, 3))
            of += f"/{day}"
        day += datetime.timedelta(days=chance.choice(LATER))
        cells = {"of": of}
        if kind == "refund" or chance.random() < 0.5:
            cells |= self.money(item, 1 if kind == "refund" else chance.choice([1, 1, 3]))
        if kind == "refund":
            cells["subscriber"] = item.cells["subscriber"]
            if chance.random() < 0.3:
                cells["unpaid"] = "true"
        elif chance.random() < 0.3:
            cells["void"] = "true"
        taking = self.add(kind, day, **cells)
        if taking is None or "id" not in taking.cells:
            return
        day += datetime.timedelta(days=chance.choice(LATER))
        if kind != "refund" and chance.random() < 0.5:
            cells = self.money(item, 1) if chance.random() < 0.5 else {}
            came = self.add("recovery", day, of=taking.cells["id"], **cells)
            if came is None or chance.random() < 0.7:
                return
            taking = came
        if chance.random() < 0.5 and "id" in taking.cells:
            day += datetime.timedelta(days=chance.choice(LATER))
            self.add("reversal", day, reverses=taking.cells["id"])

    def money(self, item: Item, times: int) -> dict[str, str]:
        """A part of what was paid, as far as the lines tell."""
        cells, world = item.cells, self.world
        if "plan" in cells:
            currency = world.plans[cells["plan"]][1]
            line = next(each for each in world.header if f'"{cells["plan"]}"' in each)
            price = Decimal(line.split("\n")[0].rsplit('" ', 1)[1].split(" ")[0])
        else:
            currency, price = cells["currency"], Decimal(cells["paid"])
        paid = price * Decimal(self.chance.choice(PARTS)) * times
        paid = paid.quantize(minor_unit(currency), rounding=ROUND_DOWN)
        return {"paid": f"{max(paid, minor_unit(currency)):f}", "currency": currency}

    # Items

    def items(self, kind: str) -> list[Item]:
        return [each for each in self.world.items if each.cells.get("event") == kind]

    def add(self, kind: str, day: datetime.date, **cells: str) -> Item | None:
        world, chance = self.world, self.chance
        if day > world.start + datetime.timedelta(days=world.days):
            return None
        item = Item({"event": kind, "date": day.isoformat()} | cells)
        if chance.random() < 0.8:
            item.cells["id"] = f"r-{len(world.items)}"
        if chance.random() < 0.15:
            item.cells["time"] = chance.choice(["00:00:00", "09:30:00", "18:00:00"])
        world.items.append(item)
        return item


def day_of(item: Item) -> datetime.date:
    return datetime.date.fromisoformat(item.cells["date"])
