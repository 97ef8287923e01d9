"""Frozen months that a ledger includes beside their index, so that all of them stands there twice.

include "closed/index.beancount"      ; the seals: this is all that a ledger includes
include "closed/2026-05.beancount"    ; what they seal is read by the plugin
"""

from __future__ import annotations

import os
import re
from typing import Any

from beancount.core.data import Directive

from beancount_compute.closed.frozen_months import INDEX, file_of_month
from beancount_compute.economy import Place
from beancount_compute.ledger import Errors

_NAME = re.compile(r"(\d{4}-\d\d|books)\.beancount", re.ASCII)
_HEAD = re.compile(rb"; (\d{4}-\d\d, closed by|All closed months, .* by) bean-compute close\.")


def without_frozen(
    entries: list[Directive], options_map: dict[str, Any], errors: Errors
) -> list[Directive]:
    """The entries without those of frozen files; the first of these files is an error."""
    ledger = str(options_map.get("filename") or "")
    frozen = [
        path
        for path in options_map["include"]
        if path != ledger
        and _NAME.fullmatch(os.path.basename(path))
        and _HEAD.match(file_of_month(path) or b"")
    ]
    if not frozen:
        return entries
    first, *others = sorted(frozen)
    name = os.path.relpath(first, os.path.dirname(ledger))
    more = f" (and {len(others)} more)" if others else ""
    folder = os.path.dirname(name)
    message = (
        f"{name} is included{more}: nothing of it is taken, as the plugin reads it for its seal; "
        f"of that folder include {os.path.join(folder, INDEX)} only"
    )
    errors.add(Place(ledger, 1), message)
    return [entry for entry in entries if entry.meta.get("filename") not in frozen]
