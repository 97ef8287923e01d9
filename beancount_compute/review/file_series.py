"""Event files as series: those whose names differ by digits only.

    events/2026-02.csv  events/2026-03.csv     ->  events/#-#.csv, of February and March
    usage/export-17.csv  usage/export-18.csv   ->  usage/export-#.csv, of the months of their events

A file is of the months in which its events are, and of the one that its name says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from beancount_compute.economy import Month

_DIGITS = re.compile(r"[0-9]+")
_DATED = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12][0-9]|3[01]))?(?![0-9])"
)


class FileSeries(NamedTuple):
    """What came under one pattern of names."""

    files: dict[str, str]  # the last file of each month
    days: list[date]  # that names say


def series_of(file: str) -> str:
    """The pattern of a file's name; "" for events of the ledger itself."""
    return _DIGITS.sub("#", file)


def file_series(files: Iterable[str], months: Iterable[tuple[str, str]]) -> dict[str, FileSeries]:
    """The series of files; `months` are the files with the months of their events."""
    found: dict[str, FileSeries] = {}
    named: list[tuple[str, str]] = []
    for file in sorted(files):
        series = found.setdefault(series_of(file), FileSeries({}, []))
        for year, month, day in _DATED.findall(file):
            named.append((file, f"{year}-{month}"))
            if day and (on := _day(f"{year}-{month}-{day}")):
                series.days.append(on)
    for file, month in sorted({*named, *months}):
        if file:
            found.setdefault(series_of(file), FileSeries({}, [])).files[month] = file
    for series in found.values():
        series.days.sort()
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def stopped(series: FileSeries, month: Month, in_a_row: int) -> str:
    """The last file of a series that does not reach a month's end; "" where it does.

    Of files by day some may be lacking at the end: twice as many days as ever were between two.
    """
    if month.name not in series.files:
        before, many = month, 0
        while many < in_a_row and (before := before.previous).name in series.files:
            many += 1
        return series.files[month.previous.name] if many == in_a_row else ""
    days = [day for day in series.days if day <= month.last]
    if len(days) < 5:
        return ""
    most = max((later - day).days for day, later in pairwise(days))
    return series.files[month.name] if (month.last - days[-1]).days > 2 * most else ""
