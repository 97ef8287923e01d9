"""The subscribers of a simulated economy: what they want, hold and decide. Whole numbers only.

Each has a level: the percentile of the wish for units at which it stays, give or take, from month
to month. Shares are millionths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.simulation.assumptions import MILLION, Assumptions

WholeNumbers = npt.NDArray[np.int64]


class Streams(NamedTuple):
    """Chance, a stream for each use of it: one more draw of one does not change the others."""

    people: np.random.Generator
    use: np.random.Generator
    churn: np.random.Generator


def streams_of(seed: int) -> Streams:
    """The streams of a seed."""
    sequences = np.random.SeedSequence(seed).spawn(len(Streams._fields))
    return Streams(*[np.random.Generator(np.random.PCG64(each)) for each in sequences])


class People:
    """All who ever came, by number."""

    def __init__(self, assumed: Assumptions, streams: Streams) -> None:
        self._assumed, self._streams = assumed, streams
        self.plan = np.empty(0, np.int64)
        self.level = np.empty(0, np.int64)
        self.ask = np.empty(0, np.int64)  # of the price of a unit of the plan
        self.bid = np.empty(0, np.int64)  # of the overage price
        self.there = np.empty(0, bool)
        # tokens by the months that they still live: those of column 0 have ended
        self.tokens = np.empty((0, assumed.token_months + 1), np.int64)

    @property
    def units(self) -> WholeNumbers:
        """What a month of each one's plan holds."""
        of_plans = np.array([plan.units for plan in self._assumed.plans], np.int64)
        return of_plans[self.plan]

    def come(self, count: int) -> WholeNumbers:
        """So many more, and their numbers."""
        dice, assumed = self._streams.people, self._assumed
        among = np.cumsum([plan.among for plan in assumed.plans])
        first = len(self.plan)
        self.plan = np.append(self.plan, np.searchsorted(among, _drawn(dice, count), "right"))
        self.level = np.append(self.level, _drawn(dice, count))
        for name, (low, high) in (("ask", assumed.ask), ("bid", assumed.bid)):
            drawn = dice.integers(low, high + 1, count)
            setattr(self, name, np.append(getattr(self, name), drawn))
        self.there = np.append(self.there, np.ones(count, bool))
        more = np.zeros((count, assumed.token_months + 1), np.int64)
        self.tokens = np.concatenate([self.tokens, more])
        return np.arange(first, first + count)

    def arriving(self) -> int:
        """How many come in a month after the first: a share of who is there."""
        exact = int(self.there.sum()) * self._assumed.arrivals
        whole, rest = divmod(exact, MILLION)
        return whole + int(_drawn(self._streams.people, 1)[0] < rest)

    def wanted(self, month: int) -> WholeNumbers:
        """The units that each wants in a month of the year, from 0; zero for who has left."""
        dice, assumed = self._streams.use, self._assumed
        swing = dice.integers(-assumed.varies, assumed.varies + 1, len(self.level))
        level = np.clip(self.level + swing, 0, MILLION)
        curves = np.array([plan.wanted for plan in assumed.plans], np.int64)[self.plan]
        step = MILLION // (curves.shape[1] - 1)
        place = np.minimum(level // step, curves.shape[1] - 2)
        row = np.arange(len(level))
        low, high = curves[row, place], curves[row, place + 1]
        share = low + (high - low) * (level - place * step) // step
        share = share * assumed.season[month] // MILLION
        return np.where(self.there, self.units * share // MILLION, 0)

    def days_of(self, wanted: WholeNumbers, days: int) -> WholeNumbers:
        """What each uses on each day of a month, of what it wants."""
        dice = self._streams.use
        times = dice.integers(1, 2 * self._assumed.days, len(wanted))
        times = np.where(wanted > 0, np.minimum(times, wanted), 0)
        who = np.repeat(np.arange(len(wanted)), times)
        each = np.repeat(wanted // np.maximum(times, 1), times)
        last = np.cumsum(times)[times > 0] - 1
        each[last] += (wanted - (wanted // np.maximum(times, 1)) * times)[times > 0]
        used = np.zeros((len(wanted), days), np.int64)
        np.add.at(used, (who, dice.integers(0, days, len(who))), each)
        return used

    def draw_tokens(self, who: WholeNumbers, units: WholeNumbers) -> None:
        """Take tokens of those who end first."""
        before = np.cumsum(self.tokens[who], axis=1)
        taken = np.clip(units[:, None] - (before - self.tokens[who]), 0, self.tokens[who])
        self.tokens[who] -= taken

    def month_ends(self, unused: WholeNumbers, *, minted: bool) -> None:
        """Tokens become older; what is unused becomes tokens, or lapses."""
        self.tokens = np.roll(self.tokens, -1, axis=1)
        self.tokens[:, 0] = 0
        self.tokens[:, -1] = unused if minted else 0

    def leaving(self, unused: WholeNumbers) -> WholeNumbers:
        """Who leaves at the end of a month, of which so much is left."""
        assumed = self._assumed
        share = unused * MILLION // self.units
        ends = np.array([end for end, _ in assumed.unused])
        added = np.array([added for _, added in assumed.unused])
        chance = assumed.base + added[np.searchsorted(ends, share)]
        holds = self.tokens.sum(axis=1) > 0
        chance = np.where(holds, chance * (MILLION - assumed.tokens) // MILLION, chance)
        gone: WholeNumbers = np.flatnonzero(
            self.there & (_drawn(self._streams.churn, len(chance)) < chance)
        )
        self.there[gone] = False
        return gone


def _drawn(dice: np.random.Generator, count: int) -> WholeNumbers:
    """Millionths, each as likely as any other."""
    return dice.integers(0, MILLION, count)
