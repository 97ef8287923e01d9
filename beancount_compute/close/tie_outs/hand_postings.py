"""Hand-written postings that bend a pocket: a month that holds one can't be closed.

    2026-05-31 * "Correction"
      Liabilities:DeferredRevenue:Tokens:Alice   100 CU        ; names no lot
      Expenses:Other                           20.00 USD

Allowed are opening lots, and units taken out of a lot that is named in full. The plugin says the
same of what it is given; this looks at the loaded ledger, where plugins that come later have had
their say too. Whether a lot held what was taken out is the subject of the lots' own tie-out.
"""

from __future__ import annotations

from beancount_compute.close.tie_outs.tie_out import TieOut, count
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.hand_written import pocket_postings, read_hand_written
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import Books


def hand_written(books: Books) -> TieOut:
    """Hand-written postings on pockets beside those that bend none."""
    by_hand = [entry for entry in books.transactions if ORDER not in entry.meta]
    postings, errors = pocket_postings(by_hand, books.accounts), Errors()
    written = read_hand_written(postings, {}, errors)
    bent = [
        f"{error.source['filename']}:{error.source['lineno']}: {error.message}"
        for error in errors.in_order()
    ]
    for lot, _, place, flaw in [each[1:] for each in (*written.removals, *written.openings)]:
        if not flaw and (lot.commodity in books.terms.money or lot.commodity == lot.currency):
            flaw = f"{lot.commodity} is money, not a unit of compute"
        if flaw:
            bent.append(f"{place.file}:{place.line}: {flaw}")
    name = "hand-written on pockets"
    return count(name, "postings", "opening lots and removals", len(postings), bent)
