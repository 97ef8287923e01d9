"""Events of a month in bulk that were refused: nothing of them is in the books.

    bulk/2026-05/refused.parquet:1   37 of 20,000,000 rows were refused

An answer holds as long as it is these; who books the month anew is asked again where others are.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256

from beancount_compute.economy import Place
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt


def refused_in_bulk(look: LookedAt, month: str) -> Iterator[Finding]:
    """The refused events of a month in bulk, all together."""
    folder = look.bulk.get(month)
    if folder is None:
        return
    rows: dict[str, str] = {}
    with (
        suppress(OSError, UnicodeError, csv.Error, KeyError),  # a close says what is gone
        open(os.path.join(folder, "control.csv"), encoding="utf-8", newline="") as file,
    ):
        rows = {row["of"]: row["figure"] for row in csv.DictReader(file) if row["what"] == "rows"}
    refused = rows.get("refused", "0")
    if refused == "0":
        return
    path = os.path.join(folder, "refused.parquet")
    which = ""
    with suppress(OSError), open(path, "rb") as data:
        which = sha256(data.read()).hexdigest()
    text = f"{refused} of {rows.get('read')} rows of {month} were refused, and are not booked"
    yield Finding("refused", month, Place(path, 1), text, (month, refused, which))
