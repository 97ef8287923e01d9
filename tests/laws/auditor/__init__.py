"""A naive auditor: it works out the books from manual/language.md alone, beside the plugin.

Slow and obvious on purpose: whole numbers, Decimal and Fraction, plain lists, linear scans, day by
day and phase by phase. It shares no line with the plugin, so that what the two agree on was thought
twice.

    records.py      what it writes down, and the arithmetic of days and money
    rules.py        the books, from facts and terms
    providers.py    those of what uses cost, and of bills
    capacities.py   those of what stands there anyway
    reading.py      a ledger with its event files, into facts and terms
    comparing.py    where the plugin's books differ
    sums.py         what the books add up to, as reports show it
"""
