"""Revenue: what was earned, by month, plan and subscriber.

    month              compute  breakage   fees  partner income  overage   total
    2026-05  USD        240.00      0.00   0.00            0.00     0.00  240.00
    2026-06  USD        280.00      0.00   6.25            0.00     0.00  286.25

Compute is the carrying amount of units used (ASC 606-10-55-46), with what the rounding of refunds
leaves; breakage that of units that lapsed. Fees, partner income and overage go to the plan of the
lots or of the overage price; the fee of a trade to the subscriber who paid it.

What was earned and is never paid is no negative revenue, nor what was sold on before a payment was
taken back (ASC 326-20, 450-20): `lost` has these beside it, less what came back after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from beancount_compute.economy import Earning, Role
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import Adding, Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import CURRENCY, MONTH, Column, Measure

_LOST = (
    Figure("bad_debt", "bad debt", Measure.MONEY, (Role.BAD_DEBT.value,)),
    Figure("losses", "losses", Measure.MONEY),
    Figure("recoveries", "recoveries", Measure.MONEY),
    Figure("total", "total", Measure.MONEY, (Role.BAD_DEBT.value, "losses", "recoveries")),
)
_BY = {"month": Measure.DATE, "plan": Measure.TEXT, "subscriber": Measure.TEXT}


def revenue_figures(earnings: Iterable[Earning]) -> tuple[Figure, ...]:
    """A figure for each kind of income, and their total."""
    kinds = tuple(each.value for each in earnings)
    return (
        *[
            Figure(each.replace(" ", "_"), each.replace(" ", "\n"), Measure.MONEY, (each,))
            for each in kinds
        ],
        Figure("total", "total", Measure.MONEY, kinds),
    )


def _layouts(books: Books, _: object) -> list[Layout]:
    figures = revenue_figures(books.earnings)
    found = [
        Layout(f"by-{by}", f"Revenue by {by}", (Column(by, by, kind), CURRENCY), figures)
        for by, kind in _BY.items()
    ]
    if books.gives_back:
        found.append(Layout("lost", "Lost and recovered, by month", (MONTH, CURRENCY), _LOST))
    return found


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    by_subscriber = request.wants("by-subscriber")
    incomes = selection.incomes(books, each=request.each or by_subscriber)
    found = request.fold(incomes, ("earning", "month", "origin", "currency"), ("amount",))
    yield Adding("by-month", found, ("month", "currency"), "earning", "amount")
    yield Adding("by-plan", found, ("origin", "currency"), "earning", "amount")
    if by_subscriber:
        found = request.fold(incomes, ("earning", "subscriber", "currency"), ("amount",))
        yield Adding("by-subscriber", found, ("subscriber", "currency"), "earning", "amount")
    if request.wants("lost"):
        yield Adding("lost", selection.lost(books), ("month", "currency"), "role", "amount")


REVENUE = Report("revenue", "Revenue by kind", _layouts, _contributions, of_sums=True)
