"""Books of the compute-token economy, as a plugin for Beancount.

    plugin "beancount_compute"

The way of an event, from the ledger line to the figure:

    ledger/event_directives.py, event_files.py   a line or row becomes an `Event`
    ledger/term_directives.py                    plans, options and accounts become `Terms`
    economy/engine.py                            events and terms become a journal and lots
    ledger/writing.py                            the journal becomes Beancount's transactions
    reports/                                     loaded transactions become tables
    cli.py                                       tables become text and an exit code
"""

from beancount_compute.ledger.plugin import compute

__plugins__ = (compute,)
