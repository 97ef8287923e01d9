"""The one way in which rows are written as CSV: RFC 4180, but lines end in LF.

    "al\\rice",500,CU

A cell that holds a comma, a quote, or a line's end of any kind stands in quotes: whoever reads it
gets back what was written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from types import SimpleNamespace


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """The rows as text. A lone CR is quoted too, which Python's writer forgets for lines in LF."""
    lines: list[str] = []
    csv.writer(SimpleNamespace(write=lines.append), lineterminator="\r\n").writerows(rows)
    return "".join([line[:-2] + "\n" for line in lines])
