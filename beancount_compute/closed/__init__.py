"""Closed months: frozen text, events and state, and the seals that prove them, read on load.

    closed/index.beancount       the chain of seals, included by the ledger
    closed/2026-05.beancount     the month's story: terms, transactions and prices
    closed/2026-05.events.csv    the events that were booked in it
    closed/2026-05.state.csv     the state at its end, from which the next month goes on

The way of a closed month into the books, module by module:

    chain -> frozen_months          seals and bytes: which months say what was sealed
    frozen_text, frozen_reader      the story
    frozen_rows, frozen_state       the events and the state
    own_events, copies, used_terms  what the ledger says beside it, compared
    touched                         what a month that does not hold says otherwise
    rebooking, reversing            a month booked again; what open reversals undo of it
    content                         what of all this counts
"""
