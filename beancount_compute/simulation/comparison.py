"""Replications of two regimes side by side, kept one by one, and what they show.

    replications.csv     # market and breakage, 1000 subscribers, 24 months, assumptions 3f2a...
                         seed,regime,subscribers,...,lifetime_value
                         1,market,1873,...

Each seed is one economy under both regimes: the same people come, want and use alike, as far as the
regime lets them. What was stopped goes on behind the last whole line.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from decimal import Decimal, InvalidOperation, localcontext
from hashlib import sha256
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from beancount_compute.economy import WIDE, ZERO, round_half_even, round_money, trim
from beancount_compute.reports import Column, Measure, Table
from beancount_compute.reports.tables import Row
from beancount_compute.simulation.assumptions import Assumptions
from beancount_compute.simulation.economy_figures import EconomyFigures
from beancount_compute.simulation.replication import replicate
from beancount_compute.simulation.simulated_months import Regime
from beancount_compute.simulation.written_ledger import SimulationAsked

_STEP = Decimal("0.0001")  # of shares of seeds
_TENTH, _CENT = Decimal("0.1"), Decimal("0.01")
# what is no money: to which step it is shown, and how often
_SHOWN = {"subscribers": (_TENTH, 1), "left": (_TENTH, 1), "churn": (_CENT, 100)}
Done = dict[tuple[int, Regime], EconomyFigures]


class KeptElsewhere(Exception):
    """A file of other replications, or of none."""


class ComparisonAsked(NamedTuple):
    """Which economies are to be compared."""

    assumed: Assumptions
    regimes: Sequence[Regime]
    subscribers: int
    months: int
    replications: int

    @property
    def head(self) -> str:
        """What tells their file from others."""
        digest = sha256(self.assumed.text.encode()).hexdigest()[:16]
        return (
            f"# {self.subscribers} subscribers at first, {self.months} months, "
            f"assumptions {digest}\n"
        )


def replications(
    asked: ComparisonAsked, kept: Path, told: Callable[[int], None], processes: int = 0
) -> Done:
    """All outcomes, those included that stand in the file already; `told` hears how many more."""
    done = _read(asked, kept)
    wanted = [
        (seed, regime)
        for seed in range(1, asked.replications + 1)
        for regime in asked.regimes
        if (seed, regime) not in done
    ]
    told(asked.replications * len(asked.regimes) - len(wanted))
    if not kept.exists():
        _append(kept, asked.head + _line(["seed", "regime", *EconomyFigures._fields]))
    for (seed, regime), outcome in _worked(asked, wanted, processes or os.cpu_count() or 1):
        _append(kept, _line([str(seed), regime.value, *(f"{each:f}" for each in outcome)]))
        done[seed, regime] = outcome
        told(1)
    return done


def _worked(
    asked: ComparisonAsked, wanted: Sequence[tuple[int, Regime]], processes: int
) -> Iterator[tuple[tuple[int, Regime], EconomyFigures]]:
    """The outcomes of some, as they come."""
    if processes < 2 or len(wanted) < 2:
        for seed, regime in wanted:
            yield (seed, regime), replicate(_one(asked, seed, regime))
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        running: dict[Future[EconomyFigures], tuple[int, Regime]] = {}
        todo = iter(wanted)
        try:
            while True:
                for seed, regime in todo:
                    running[pool.submit(replicate, _one(asked, seed, regime))] = seed, regime
                    if len(running) > processes:
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _one(asked: ComparisonAsked, seed: int, regime: Regime) -> SimulationAsked:
    return SimulationAsked(asked.assumed, regime, asked.subscribers, asked.months, seed)


def _read(asked: ComparisonAsked, kept: Path) -> Done:
    """The outcomes of a file; what was cut off at its end is dropped, and worked out again."""
    if not kept.exists():
        return {}
    text = kept.read_text(encoding="utf-8")
    if not text.startswith(asked.head):
        raise KeptElsewhere(
            f"{kept} holds no replications of this economy: name another file by --keep"
        )
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        with open(kept, "r+", encoding="utf-8") as file:
            file.truncate(len(whole.encode()))
    done: Done = {}
    for row in list(csv.reader(StringIO(whole[len(asked.head) :])))[1:]:
        try:
            seed, regime, *figures = row
            done[int(seed), Regime(regime)] = EconomyFigures(*map(Decimal, figures))
        except (ValueError, TypeError, InvalidOperation):
            raise KeptElsewhere(f"{kept}: {','.join(row)!r} is no replication") from None
    return done


def _append(kept: Path, text: str) -> None:
    with open(kept, "a", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\n"


def compared(asked: ComparisonAsked, done: Done) -> list[Table]:
    """The means of each regime, with the interval of 95 % of the replications; and who wins."""
    seeds = range(1, asked.replications + 1)
    columns = [
        Column("figure", "figure"),
        Column("regime", "regime"),
        *[
            Column(name, title, Measure.PRICE)
            for name, title in (("mean", "mean"), ("low", "low 95 %"), ("high", "high 95 %"))
        ],
    ]
    both = set(asked.regimes) == set(Regime)
    if both:
        columns.append(Column("wins", "market is\nhigher in", Measure.RATE))
    rows: list[Row] = []
    for name in EconomyFigures._fields:
        of = {
            regime: [getattr(done[seed, regime], name) for seed in seeds]
            for regime in asked.regimes
        }
        for regime, numbers in of.items():
            row = [_title(name), regime.value, *_spread(name, numbers, asked)]
            if both:
                row.append(_share_won(of) if regime is Regime.MARKET else None)
            rows.append(tuple(row))
    title = (
        f"{asked.replications} replications of {asked.subscribers} subscribers over "
        f"{asked.months} months, money in {asked.assumed.currency}"
    )
    tables = [Table(title, tuple(columns), rows, "outcome")]
    if both:
        pairs = [(done[seed, Regime.MARKET], done[seed, Regime.BREAKAGE]) for seed in seeds]
        tables.append(_break_even(pairs))
    return tables


def _break_even(pairs: Sequence[tuple[EconomyFigures, EconomyFigures]]) -> Table:
    """What would have to be otherwise for the market to earn what breakage does, seed by seed."""
    fees, more = [], []
    for market, breakage in pairs:
        lacking = breakage.revenue - market.revenue
        if market.traded:
            fees.append(WIDE.divide(market.fees + lacking, market.traded))
        if market.revenue:
            more.append(WIDE.divide(lacking, market.revenue))
    rows: list[Row] = []
    for name, found, most in (
        ("fee, of the gross", fees, 1),
        ("subscribers more, as a share", more, None),
    ):
        in_order = sorted(round_half_even(each, _STEP) for each in found)
        ends = _ends(in_order) if len(found) == len(pairs) else (None, None)
        middle = in_order[(len(in_order) - 1) // 2] if in_order else None
        feasible = _share_of(sum(each <= most for each in in_order), len(pairs)) if most else None
        rows.append((name, middle, *ends, feasible))
    columns = (
        Column("figure", "at which both earn the same"),
        *[
            Column(key, title, Measure.RATE)
            for key, title in (
                ("median", "median"),
                ("low", "low 95 %"),
                ("high", "high 95 %"),
                ("feasible", "possible\nin"),
            )
        ],
    )
    return Table("Break-even of revenue", columns, rows, "break-even")


def _title(name: str) -> str:
    return "churn, %" if name == "churn" else name.replace("_", " ")


def _share_won(of: Mapping[Regime, Sequence[Decimal]]) -> Decimal:
    """The share of the seeds in which the market's figure is higher."""
    pairs = list(zip(of[Regime.MARKET], of[Regime.BREAKAGE], strict=True))
    won = sum(one > other for one, other in pairs)
    return _share_of(won, len(pairs))


def _share_of(part: int, whole: int) -> Decimal:
    return trim(round_half_even(WIDE.divide(Decimal(part), Decimal(whole)), _STEP), 2)


def _spread(
    name: str, numbers: Sequence[Decimal], asked: ComparisonAsked
) -> list[str | Decimal | None]:
    """The mean, and what 95 % of the numbers lie between."""

    def shown(number: Decimal) -> Decimal:
        if name in _SHOWN:
            step, times = _SHOWN[name]
            return round_half_even(number * times, step)
        return round_money(number, asked.assumed.currency)

    with localcontext(WIDE):
        mean = shown(sum(numbers, ZERO) / Decimal(len(numbers)))
    return [mean, *(None if end is None else shown(end) for end in _ends(sorted(numbers)))]


def _ends(in_order: Sequence[Decimal]) -> tuple[Decimal, Decimal] | tuple[None, None]:
    """What 95 % of the numbers lie between; of fewer than 40 nothing."""
    beyond = len(in_order) // 40
    return (in_order[beyond], in_order[-beyond - 1]) if beyond else (None, None)
