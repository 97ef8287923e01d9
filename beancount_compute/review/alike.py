"""Names that differ by case, blanks or look-alike letters only: one customer, or two?

2026-05-20 custom "compute-consumption" "Ann@x.io" 20 CU      ; "ann@x.io" is known since April
"""

from __future__ import annotations

from collections.abc import Iterator

from beancount_compute.economy import quoted
from beancount_compute.review.finding import Finding
from beancount_compute.review.looked_at import LookedAt


def alike(look: LookedAt, month: str) -> Iterator[Finding]:
    """The names of a month's newcomers that look like known ones."""
    for what, name, other, place in look.lookalikes.get(month, ()):
        text = f"{what} {quoted(name)} looks like {quoted(other)}: if they are one, write one name"
        yield Finding("name", month, place, text, (what, *sorted((name, other))))
