"""Books of the compute-token economy, as a plugin for Beancount.

    plugin "beancount_compute"

The way of an event, from the ledger line to the figure:

    ledger/event_directives.py, event_files.py   a line or row becomes an `Event`
    ledger/term_directives.py                    plans, options and accounts become `Terms`
    closed/                                      closed months as they stand, and their state
    economy/engine.py                            events and terms become a journal and lots
    economy/rules/                               what each kind of event does, one rule a file
    ledger/writing.py                            the journal becomes Beancount's transactions
    reports/                                     loaded transactions become tables
    scenarios/                                   the same events under other terms, beside the books
    close/                                       a month is tied out, frozen, proved and exported
    cli/, fava_extension/                        tables become text, or pages
"""

from beancount_compute.plugin import compute

__plugins__ = (compute,)
