"""What a closed month says otherwise than it was sealed, or is worked out again."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """What a month says otherwise than it was worked out again."""

    month: str
    place: str  # file and line, where there is one
    text: str
