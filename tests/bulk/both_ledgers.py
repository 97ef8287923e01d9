"""One economy in two ledgers: booked by the plugin from its event files, and by months in bulk."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from beancount.core.data import Custom, Directive, Open, Transaction
from beancount.parser.printer import format_entry

from beancount_compute.bulk_books import journal_errors, read_all_books
from beancount_compute.close.loading import Loaded, load
from beancount_compute.economy import AS_OF, Month
from beancount_compute.ledger import ORDER, TERM_TYPES, option_lines
from beancount_compute.reports import Books, read_books
from tests.bulk.months_of_a_ledger import book_in_months, within_a_month
from tests.laws.captured import Captured, capture

_OPEN = re.compile(r"^[0-9-]{10} open (\S+)", re.MULTILINE)


class BothLedgers(NamedTuple):
    """What is loaded of either."""

    plugin: Loaded
    bulk: Loaded

    def books(self) -> tuple[Books, Books]:
        """Both read for reports; the journals say what their days do."""
        months = read_all_books(self.bulk.entries, self.bulk.options)
        assert not journal_errors(months, self.bulk.options)
        return read_books(self.plugin.entries, self.plugin.options), months


def both_ledgers(original: Path, folder: Path) -> BothLedgers:
    """The two ledgers of an economy."""
    ledger = capture(original)
    facts = ledger.facts
    events = within_a_month([each for each in ledger.facts.events if not each.flaw])
    days = [each.date for each in (*events, *facts.openings, *facts.removals, *facts.accruals)]
    days += [each.since for line in ledger.terms.capacities.values() for each in line]
    months = list(Month.of(min(days)).to(Month.of(max(days))))
    book_in_months(ledger, events, folder, months, all_in_files=True)
    journals = "".join(each.read_text() for each in (folder / "bulk").glob("*/*.beancount"))
    terms = _terms(ledger, months[-1], {*_OPEN.findall(journals)})
    (folder / "terms.beancount").write_text(terms, encoding="utf-8")
    head = "".join(option_lines(ledger.options)) + 'plugin "beancount_compute"\n'
    head += 'include "terms.beancount"\n'
    plugin, bulk = folder / "plugin.beancount", folder / "main.beancount"
    plugin.write_text(head + '2000-01-01 custom "compute-events" "*.parquet"\n', encoding="utf-8")
    bulk.write_text(head + 'include "bulk/*/journal.beancount"\n', encoding="utf-8")
    return BothLedgers(load(plugin), load(bulk))


def _terms(ledger: Captured, last: Month, opened: set[str]) -> str:
    """What people wrote, without events, and without what the plugin made of it."""
    kept = [each for each in ledger.entries if _is_kept(each, opened)]
    written = [each for each in kept if isinstance(each, Transaction)]
    opened = opened | {each.account for each in kept if isinstance(each, Open)}
    used = {posting.account for each in written for posting in each.postings} - opened
    lines = [f"1990-01-01 open {account}" for account in sorted(used)]
    lines += [_text_of(each) for each in kept]
    return "\n".join([*lines, f'2000-01-01 custom "compute-option" "as-of" {last.last}', ""])


def _text_of(entry: Directive) -> str:
    """A directive; what has numbers as it is written, for a printer leaves digits out."""
    if isinstance(entry, Open):
        return format_entry(entry)
    lines = Path(entry.meta["filename"]).read_text(encoding="utf-8").splitlines()
    first, *others = lines[entry.meta["lineno"] - 1 :]
    return "\n".join([first, *takewhile(lambda line: line[:1].isspace(), others), ""])


def _is_kept(entry: Directive, opened: set[str]) -> bool:
    if ORDER in entry.meta or not Path(str(entry.meta.get("filename"))).is_file():
        return False
    if isinstance(entry, Custom):
        option = [each.value for each in entry.values or ()][:1]
        is_as_of = entry.type == "compute-option" and option == [AS_OF.name]
        return entry.type in TERM_TYPES and not is_as_of
    if isinstance(entry, Open):
        return entry.account not in opened
    return isinstance(entry, Transaction)
