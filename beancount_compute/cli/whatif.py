"""`bean-compute whatif`: the books beside scenarios; nothing is written.

bean-compute whatif LEDGER                                       those that the ledger names
bean-compute whatif LEDGER prices-crash.beancount --by month --format csv
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import click
from beancount.core.data import BeancountError

from beancount_compute.booking import Booking
from beancount_compute.cli.as_json import of_whatif, write_json
from beancount_compute.cli.printing import hand_on, say
from beancount_compute.cli.report import DayOrMonth, days_asked
from beancount_compute.cli.shell import LEDGER, load, progress, refusing, show_errors, width
from beancount_compute.ledger import ComputeError, Errors
from beancount_compute.reports import csv_of, render, wrapped
from beancount_compute.scenarios import (
    CannotCompare,
    DaysAsked,
    PartedBy,
    WhatIf,
    read_scenarios,
    what_if,
)


class WhatIfForm(StrEnum):
    """What the comparison is written as."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


_PARTED = [by.value for by in PartedBy if by is not PartedBy.ALL]


@click.command(
    epilog="\b\nExample:\n  bean-compute whatif main.beancount prices-crash.beancount --by month"
)
@click.argument("ledger", type=LEDGER)
@click.argument("scenario", nargs=-1, type=click.Path(path_type=Path))
@click.option("--from", "start", type=DayOrMonth(last=False), help="First day, or a month.")
@click.option("--to", "end", type=DayOrMonth(last=True), help="Last day, or a month.")
@click.option("--by", type=click.Choice(_PARTED), help="Figures by it, too.")
@click.option(
    "--format", "form", type=click.Choice([each.value for each in WhatIfForm]), default="text"
)
@refusing
def whatif(
    ledger: Path,
    scenario: tuple[Path, ...],
    start: date | None,
    end: date | None,
    by: str | None,
    form: str,
) -> None:
    """Show the books of LEDGER beside each SCENARIO, a file of other terms.

    Without files: those that the ledger's compute-scenario lines name. All events are booked again
    under the terms of each, from the first day; nothing is written. Errors of ledger and scenarios
    go to standard error; any makes the exit code 1, as does a scenario under which nothing can be
    booked.
    """
    days = DaysAsked(*days_asked(None, start, end))
    loaded = load(ledger)
    errors: list[BeancountError] = [*loaded.errors]
    booking = loaded.booked
    files = _files(booking, scenario)
    wrong = Errors()
    scenarios = read_scenarios(booking, files, wrong)
    errors += wrong.in_order()
    show_errors(errors)
    if not scenarios:
        raise click.ClickException("no scenario can be booked: nothing is compared")
    try:
        with progress("Booking the scenarios", still=True):
            asked = PartedBy(by) if by else PartedBy.ALL
            compared = what_if(booking, loaded.entries, scenarios, days, asked)
    except CannotCompare as error:
        raise click.ClickException(str(error)) from None
    nothing = [ComputeError({}, message) for message in compared.nothing_booked()]
    _write(compared, days, WhatIfForm(form), [*errors, *nothing])
    for each in nothing:
        say(f"Error: {each.message}", err=True)
    sys.exit(1 if errors or nothing else 0)


def _files(booking: Booking, given: Sequence[Path]) -> list[tuple[str, str]]:
    """The names and files of the scenarios that are asked for."""
    named = {line.path: line.name for line in booking.scenarios}
    if not given:
        if not named:
            raise click.UsageError(
                "the ledger names no scenario: name a file of one, or add a line such as "
                'custom "compute-scenario" "Prices crash" "scenarios/prices-crash.beancount"'
            )
        return [(line.name, line.path) for line in booking.scenarios]
    paths = dict.fromkeys(os.path.abspath(path) for path in given)
    return [(named.get(path, Path(path).stem), path) for path in paths]


def _write(
    compared: WhatIf, days: DaysAsked, form: WhatIfForm, errors: Sequence[BeancountError]
) -> None:
    match form:
        case WhatIfForm.TEXT:
            for at in range(len(compared.scenarios)):
                say(render(compared.tables_of(at), width()) + "\n")
                for line in compared.refused_of(at):
                    say("\n".join(wrapped(line, width())) + "\n")
        case WhatIfForm.CSV:
            hand_on(csv_of(compared.tables()))
        case WhatIfForm.JSON:
            chosen = {
                "from": str(days.start or ""),
                "to": str(days.end or ""),
                "by": compared.by.value if compared.by is not PartedBy.ALL else "",
            }
            write_json(
                of_whatif(
                    compared.sentence,
                    {name: value for name, value in chosen.items() if value},
                    errors=errors,
                    scenarios=[(each.name, each.path) for each, _ in compared.scenarios],
                    tables=compared.tables(),
                )
            )
        case _:
            assert_never(form)
