"""What stopped coming: events of a kind, events at all, files of a series.

    events/2026-02.csv  events/2026-03.csv  and none of April        ; a month that is over

A kind that came in every month since its first one is missed: uses after one month, trades and
top-ups after two, others after more. What people decide once in a while (to subscribe, to cancel,
to correct) has no rhythm. A file is missed after two months. A month without any event is told
once; what came by a file that stopped is not told again.
"""

from __future__ import annotations

from collections.abc import Iterator

from beancount_compute.economy import Kind, Month, Place
from beancount_compute.review.file_series import series_of, stopped
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt

NO_RHYTHM = 0
# After how many months in a row a kind is missed.
RHYTHM: dict[Kind, int] = {
    Kind.SUBSCRIPTION: NO_RHYTHM,
    Kind.CANCELLATION: NO_RHYTHM,
    Kind.CHANGE: NO_RHYTHM,
    Kind.ALLOCATION: 2,
    Kind.GRANT: 4,
    Kind.CONSUMPTION: 1,
    Kind.TRADE: 2,
    Kind.TRANSFER: 3,
    Kind.SPEND: 4,
    Kind.MONEY_REFUND: NO_RHYTHM,
    Kind.REFUND: NO_RHYTHM,
    Kind.CHARGEBACK: NO_RHYTHM,
    Kind.WRITE_OFF: NO_RHYTHM,
    Kind.RECOVERY: NO_RHYTHM,
    Kind.REVERSAL: NO_RHYTHM,
    Kind.PURCHASE: NO_RHYTHM,
    Kind.BILL: NO_RHYTHM,
    Kind.MINT: NO_RHYTHM,
    Kind.EXPIRY: NO_RHYTHM,
    Kind.ACCESS: NO_RHYTHM,
    Kind.INVOICE: NO_RHYTHM,
    Kind.SHORTFALL: NO_RHYTHM,
    Kind.CATCH_UP: NO_RHYTHM,
    Kind.LAPSE: NO_RHYTHM,
    Kind.COST: NO_RHYTHM,
    Kind.DEPRECIATION: NO_RHYTHM,
}
FILES_IN_A_ROW = 2
_SCHEDULE = frozenset([Kind.SUBSCRIPTION, Kind.CHANGE, Kind.CANCELLATION])


def no_events_at_all(look: LookedAt, month: str) -> Iterator[Finding]:
    """A month without any event, behind one with more than subscriptions."""
    before = [name for name, kinds in look.kinds_in.items() if name < month and kinds - _SCHEDULE]
    if month not in look.by_month and month not in look.bulk and before:
        text = f"no event at all in {month}; {max(before)} had some"
        yield Finding("empty-month", month, look.ledger, text, (month,))


def no_file(look: LookedAt, month: str) -> Iterator[Finding]:
    """The series of files that do not reach a month's end."""
    for series, last in _stopped(look, month).items():
        text = f"files {series} stopped coming: none reaches the end of {month}, the last is {last}"
        place = Place(f"{look.folder}/{last}", 1)
        yield Finding("no-file", month, place, text, (month, series))


def no_event_of_a_kind(look: LookedAt, month: str) -> Iterator[Finding]:
    """The kinds that a month lacks, and every month before had."""
    kinds, gone = look.kinds_in.get(month, frozenset()), _stopped(look, month)
    for kind in RHYTHM:
        if not kinds or kind in kinds or not _in_a_row(look, kind, month):
            continue
        previous = Month.parse(month).previous.name
        before = [each for each in look.by_month[previous] if each.kind is kind]
        if {series_of(look.file_of(each)) for each in before} <= gone.keys():
            continue
        text = f"no {kind} in {month}; {previous} had {len(before):,}"
        first = min(name for name, kinds in look.kinds_in.items() if kind in kinds)
        if first < previous:
            text += f", and each month since {first} had some"
        yield Finding("no-event", month, look.ledger, text, (month, kind.value))


def _in_a_row(look: LookedAt, kind: Kind, month: str) -> bool:
    """Whether a kind came in every month from its first one to the one before."""
    months = [name for name, kinds in look.kinds_in.items() if kind in kinds and name < month]
    if not RHYTHM[kind] or len(months) < RHYTHM[kind]:
        return False
    return Month.parse(month).ordinal - Month.parse(min(months)).ordinal == len(months)


def _stopped(look: LookedAt, month: str) -> dict[str, str]:
    """The series that stopped, with the last file of each; none in a month without events."""
    if month not in look.by_month:
        return {}
    named = Month.parse(month)
    found = {name: stopped(each, named, FILES_IN_A_ROW) for name, each in look.series.items()}
    return {name: last for name, last in sorted(found.items()) if last}
