"""What a ledger shows that has nothing to show: what is missing, and what to write."""

from __future__ import annotations

from pathlib import Path

from beancount_compute.fava_extension.blocks import Block, FavaNumbers, copied, linked, words
from beancount_compute.fava_extension.loaded import LoadedBooks
from beancount_compute.fava_extension.page import Addresses
from beancount_compute.plugin import PLUGIN
from beancount_compute.reports import Column, Table

_EXAMPLE = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
2026-05-01 custom "compute-subscription" "alice" "pro"
2026-05-20 custom "compute-consumption" "alice" 200 CU"""


def empty_view(loaded: LoadedBooks, links: Addresses) -> list[Block] | None:
    """The page of a ledger that has nothing to show; None for any other."""
    if not loaded.has_plugin:
        return [
            words("This ledger does not use the plugin, so there are no compute books to show."),
            copied("Add this line to the ledger", f'plugin "{PLUGIN}"'),
            words("It must stand in the main file: Beancount ignores it in an included one."),
        ]
    if loaded.has_bookings:
        why = loaded.unreadable
        return [words(f"{why}.", tone="bad")] if why else None
    found = [
        words("Nothing was booked yet: the ledger has the plugin, and no event that it could book.")
    ]
    if loaded.errors:
        found += _errors(loaded, links)
    found.append(copied("A plan, a subscription, and a first use", _EXAMPLE))
    return [*found, words("A whole example: bean-compute new FOLDER")]


def _errors(loaded: LoadedBooks, links: Addresses) -> list[Block]:
    columns = (Column("place", "place"), Column("message", "error"))
    rows = [
        (f"{Path(each.file).name}:{each.line}" if each.file else "", each.message)
        for each in loaded.errors
    ]
    table = Table(f"Errors: {len(rows):,}", columns, list(rows), "errors")
    block = FavaNumbers(lambda number, _: f"{number:f}", lambda number: f"{number:f}").table(table)
    hrefs = [
        {"href": links.editor(each.file, each.line)} if each.file else None
        for each in loaded.errors
    ]
    return [linked(block, "place", hrefs)]
