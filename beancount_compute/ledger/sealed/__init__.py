"""Sealed months: frozen text and its seals, read back on load.

    closed/index.beancount       the chain of seals, included by the ledger
    closed/2026-05.beancount     the month's terms, transactions and prices
    closed/2026-05.events.csv    the events that were booked in it

`chain` reads the seals, `month_files` the frozen text, `content` says what of it counts, `loading`
puts a closed month into the books, `carrying` hands its state on, and `differences` names what does
not hold.
"""
