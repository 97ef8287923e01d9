"""Paddings of a month whose amount is not settled by its end.

    2026-05-20 pad Assets:Bank Equity:Opening
    2026-06-05 balance Assets:Bank 500.00 USD      ; what May's padding is depends on June

Beancount fills a `pad` up to the first `balance` of each currency behind it. What a closed month
holds must not change with what is written later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from beancount.core.account import parent_matcher
from beancount.core.data import Balance, Directive, Pad


class OpenPadding(NamedTuple):
    """A padding of a month, and the later balance that decides on its amount."""

    pad: Pad
    balance: Balance


def open_paddings(
    entries: Iterable[Directive], after: date, last_day: date
) -> Iterator[OpenPadding]:
    """Those of pads behind a day up to a month's last one, in the order of a loaded ledger.

    A balance holds at the beginning of its day: one on the day after the month is still of it.
    """
    looked_at = [entry for entry in entries if isinstance(entry, Balance | Pad)]
    for at, pad in enumerate(looked_at):
        if not isinstance(pad, Pad) or not after < pad.date <= last_day:
            continue
        within = parent_matcher(pad.account)
        settled: set[str] = set()  # currencies
        for entry in looked_at[at + 1 :]:
            if isinstance(entry, Pad):
                if entry.account == pad.account:
                    break
            elif within(entry.account) and entry.amount.currency not in settled:
                settled.add(entry.amount.currency)
                if entry.date > last_day + timedelta(1):
                    yield OpenPadding(pad, entry)
