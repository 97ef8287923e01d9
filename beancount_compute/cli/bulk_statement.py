"""The statement of a subscriber over months in bulk, out of their Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from beancount_compute.bulk import HOW_TO_GET_IT
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import quoted
from beancount_compute.ledger import bulk_folders, first_bulk_day
from beancount_compute.reports import Selection, Table


def statement_in_bulk(options: Mapping[str, Any], selection: Selection) -> list[Table] | None:
    """The tables; None where the days lie in front of the months in bulk, or there are none."""
    first = first_bulk_day(options["include"])
    if first is None or (selection.end or date.max) < first:
        return None
    try:
        from beancount_compute.bulk.looking_up.lookup import Search, files_of
        from beancount_compute.bulk.looking_up.statement_of_months import statement_of_months
    except ImportError as error:
        raise click.ClickException(f"{error.name} is not installed: {HOW_TO_GET_IT}") from None
    try:
        months = files_of(bulk_folders(options["include"]).values())
        name = selection.subscriber
        if not months[-1].knows(name):
            near = [quoted(each.subscriber) for each in months[-1].found(Search(words=name))[:3]]
            hint = f": did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"the months in bulk have no subscriber {quoted(name)}{hint}")
        return statement_of_months(months, name, selection)
    except CloseError as error:
        raise click.ClickException(str(error)) from None
