"""Answers to findings, from `custom "compute-accept"` directives.

2026-05-31 custom "compute-accept" "f-3a91c2" "checked with billing, real spike"
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from beancount.core.data import Custom

from beancount_compute.economy import Place, quoted
from beancount_compute.ledger.directives import metadata_of, place_of, values_of
from beancount_compute.ledger.errors import FieldError

ACCEPT = "compute-accept"
_ID = re.compile(r"f-[0-9a-f]{6}", re.ASCII)
_EXAMPLE = 'a finding and why it is right: "f-3a91c2" "checked with billing, real spike"'


class Answer(NamedTuple):
    """Why a finding of the month that its date lies in is right."""

    date: date
    finding: str  # its id
    reason: str
    place: Place


def answer_of(entry: Custom) -> Answer:
    """The answer that a directive states; raises `FieldError`."""
    finding, reason = values_of(entry, {("text", "text"): ()}, _EXAMPLE)
    metadata_of(entry, ())
    finding, reason = finding.strip(), " ".join(reason.split())
    if not _ID.fullmatch(finding):
        raise FieldError(
            f"{quoted(finding)} is no id of a finding: copy the line from bean-compute review"
        )
    if not any(letter.isalnum() for letter in reason):
        raise FieldError(
            f'{quoted(reason)} is no reason: write what was checked, such as "real spike, billing"'
        )
    return Answer(entry.date, finding, reason, place_of(entry.meta))
