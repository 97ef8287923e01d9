"""Sealed months: frozen text and its seals, read back on load.

    closed/index.beancount       the chain of seals, included by the ledger
    closed/2026-05.beancount     the month's terms, transactions and prices
    closed/2026-05.events.csv    the events that were booked in it

The way of a closed month into the books, module by module:

    chain -> files -> months -> carrying    seals, bytes, their text, the state behind it
                      months reads with `reading` where a digest holds, by value where not
    sources, copies, used_terms             what the ledger says beside it, compared
    rebooking, restoring                    what it said before somebody touched it
    content, month_files, event_rows        what is written, and what of it counts
"""
