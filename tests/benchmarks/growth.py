"""How the load and each report grow with what there is more of: a table of exponents.

    python -m tests.benchmarks.growth                       # some five minutes
    python -m tests.benchmarks.growth events --scale 0.5

Each ledger has n of one thing and then four times as many, and little of all else. Both the CPU
time and the instructions of the interpreter are counted: exponents e of n^e. Below a few
milliseconds a time says nothing, and large ones grow a little as memory does not fit the caches;
instructions leave out what is done in C. `all` are the statements of everybody, as a close pack has
them, `text` is the text of all tables.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from functools import partial
from math import log
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import click
from beancount import loader

from beancount_compute.reports import Books, Selection, read_books, render
from beancount_compute.reports.figures import Report
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.statement import STATEMENT

HEAD = """\
option "operating_currency" "USD"
plugin "beancount_compute"
2026-01-01 open Assets:Bank
2026-01-01 open Income:Gone
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "unit-cost" 0.04 USD
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-01-01 custom "compute-plan" "pro" 2000.00 USD 1000000 CU
  unused: "mint"
  token-expires: "24 months"
2026-01-01 custom "compute-subscription" "alice" "pro"
2026-01-01 custom "compute-subscription" "bob" "pro"
2026-01-01 custom "compute-subscriber" "carol" "Carol"
"""
TIMES = 4  # as many
REPEATED = 3  # of which the quickest counts


def _lines(many: int, line: str) -> str:
    """That many lines, over the months from February on."""
    return "".join(
        line.format(at=at, next=(at + 1) % many, day=f"2026-{at % 11 + 2:02}-{at % 28 + 1:02}")
        for at in range(many)
    )


LEDGERS: dict[str, tuple[int, Callable[[int], str]]] = {
    "events": (
        2000,
        partial(_lines, line='{day} custom "compute-consumption" "alice" 2 CU\n'),
    ),
    "subscribers": (
        400,
        partial(
            _lines,
            line='2026-01-02 custom "compute-allocation" "s{at}" 100 CU 50.00 USD\n'
            '2026-01-03 custom "compute-subscription" "s{at}" "pro"\n'
            '2026-01-04 custom "compute-cancellation" "s{at}" "pro"\n'
            '{day} custom "compute-trade" "s{at}" "s{next}" 5 CU 0.4 USD\n',
        ),
    ),
    "lots of one subscriber": (
        1000,
        partial(
            _lines,
            line='{day} custom "compute-allocation" "carol" 1{at} CU 1.00 USD\n'
            '2026-12-30 custom "compute-consumption" "carol" 1{at} CU\n',
        ),
    ),
    "trades of one pair": (
        1000,
        partial(_lines, line='{day} custom "compute-trade" "alice" "bob" 20 CU 0.{at}1 USD\n'),
    ),
    "reversed trades of one pair": (
        500,
        partial(
            _lines,
            line='{day} custom "compute-trade" "alice" "bob" 20 CU 0.{at}1 USD\n  id: "t{at}"\n'
            '2026-12-30 custom "compute-reversal" "t{at}"\n',
        ),
    ),
    "assertions": (
        2000,
        partial(_lines, line='{day} custom "compute-assert" "tokens" "carol" 0 CU\n'),
    ),
    "hand-written postings": (
        1000,
        partial(
            _lines,
            line='{day} * "alice" "Paid"\n  Assets:Bank  {at}.01 USD\n  Assets:Receivable:Alice\n'
            '{day} * "alice" "Gone"\n  Liabilities:DeferredRevenue:Tokens:Alice  1 CU '
            '{{0.002 USD, 2026-01-01, "pro/2028-02-01"}}\n  Income:Gone  -0.002 USD\n',
        ),
    ),
    "prices": (4000, partial(_lines, line="{day} price CU  0.{at}1 USD\n")),
}


def _counted(work: Callable[[Any], object], thing: Any) -> int:
    """The instructions of the package's own functions, and of what is made in them."""
    count = 0

    def within(frame: Any, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "opcode"
        return within

    def entered(frame: Any, event: str, arg: object) -> Any:
        if "beancount_compute" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        return within

    sys.settrace(entered)
    try:
        work(thing)
    finally:
        sys.settrace(None)
    return count


def _tables_of(report: Report, selection: Selection, books: Books) -> object:
    return report.tables(books, selection)


def _measured(work: Callable[[Any], object], made: Callable[[], Any]) -> tuple[float, int]:
    return _quickest(work, made), _counted(work, made())


def _quickest(work: Callable[[Any], object], made: Callable[[], Any]) -> float:
    """The least CPU time of some runs, each on something that was made before."""
    found = []
    for _ in range(REPEATED):
        thing = made()
        gc.collect()
        gc.disable()
        before = process_time()
        work(thing)
        found.append(process_time() - before)
        gc.enable()
    return min(found)


def _everybody(books: Books) -> None:
    for name in sorted(books.subscribers):
        STATEMENT.tables(books, Selection(subscriber=name))


def _figures(text: str) -> Iterator[tuple[str, tuple[float, int]]]:
    """The seconds and instructions of the load, of reading the books, and of each report."""
    loader.initialize(use_cache=False)
    with TemporaryDirectory() as folder:
        ledger = f"{folder}/main.beancount"
        with open(ledger, "w") as file:
            file.write(HEAD + text)
        yield "load", _measured(loader.load_file, lambda: ledger)
        entries, errors, options = loader.load_file(ledger)
    if errors:
        raise click.ClickException(errors[0].message)
    books = partial(read_books, entries, options)
    yield "read", _measured(lambda call: call(), lambda: books)
    selection = Selection(subscriber="alice")
    for name, report in REPORTS.items():
        chosen = selection if report.needs_subscriber else Selection()
        yield name, _measured(partial(_tables_of, report, chosen), books)
    yield "all", _measured(_everybody, books)
    tables = [
        table
        for report in REPORTS.values()
        for table in report.tables(books(), selection if report.needs_subscriber else Selection())
    ]
    yield "text", _measured(lambda each: render(each, 80), lambda: tables)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(LEDGERS)))
@click.option("--scale", default=1.0, help="Larger or smaller ledgers.")
def main(names: tuple[str, ...], scale: float) -> None:
    """Print milliseconds for four times n, and the exponents from n to there."""
    for name in names or LEDGERS:
        first, text = LEDGERS[name]
        many = int(first * scale)
        small, large = (dict(_figures(text(number))) for number in (many, TIMES * many))
        click.echo(f"{name}, {many:,} and {TIMES * many:,}")
        for what, (seconds, count) in large.items():
            of_time = log(seconds / small[what][0], TIMES)
            of_count = log(count / small[what][1], TIMES)
            figures = f"{seconds * 1000:9.1f} ms   time n^{of_time:.2f}"
            click.echo(f"  {what:14}{figures}   instructions n^{of_count:.2f}")


if __name__ == "__main__":
    main()
