"""Economies that are made up, to see what would be: written as ordinary ledgers.

    assumptions.toml  ->  assumptions.py  what is assumed, as whole numbers
                      ->  people.py, call_auction.py, simulated_months.py    month by month
                      ->  written_ledger.py    plans, options and a file of events a month
                      ->  replication.py, comparison.py    many of them, by the engine alone
    a ledger          ->  seen_economy.py, assumption_fits.py, likeness.py    assumptions like it

The books of it are the plugin's: nothing is booked here. numpy is of the extra `[insight]`; draws
and sums are whole numbers, so that a seed gives the same bytes on any machine.
"""
