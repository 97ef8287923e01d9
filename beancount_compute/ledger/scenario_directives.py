"""Scenarios from `custom` directives: which files a ledger names, and what one of them multiplies.

2026-01-01 custom "compute-scenario" "Prices crash" "scenarios/prices-crash.beancount"  ; the ledger
2026-06-01 custom "compute-scale" "plan-price" "pro" 0.50                         ; such a file only
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import normalize

from beancount.core.data import Custom

from beancount_compute.economy import TARGETS, Place, Scale, ScaleTarget, chosen, quoted
from beancount_compute.ledger.directives import metadata_of, place_of, values_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import check_number, check_text

SCENARIO, SCALE = "compute-scenario", "compute-scale"
_SCALE_EXAMPLE = 'what is multiplied, perhaps of whom, and a factor: "plan-price" "pro" 0.50'


class ScenarioLine(NamedTuple):
    """A scenario that a ledger names."""

    name: str
    path: str  # of its file, seen from nowhere
    place: Place


def scenario_of(entry: Custom) -> ScenarioLine:
    """The scenario that a line names; its file must be there."""
    example = 'a name and a file: "Prices crash" "scenarios/prices-crash.beancount"'
    name, written = values_of(entry, {("text", "text"): ()}, example)
    metadata_of(entry, ())
    place = place_of(entry.meta)
    name = " ".join(normalize("NFC", check_text(name)).split())
    if not name:
        raise FieldError(f"the name of a scenario is empty: write {example}")
    path = os.path.normpath(os.path.join(os.path.dirname(place.file), check_text(written)))
    if not os.path.isfile(path):
        raise FieldError(
            f"scenario {quoted(name)}: no file {quoted(written)} here: write its path as seen from "
            "the folder of this file"
        )
    return ScenarioLine(name, path, place)


def named_once(lines: Iterable[ScenarioLine], errors: Errors) -> list[ScenarioLine]:
    """The scenarios of a ledger, the first of each name."""
    first: dict[str, ScenarioLine] = {}
    for line in lines:
        known = first.setdefault(line.name, line)
        if known.path != line.path:
            message = (
                f"scenario {quoted(line.name)} is another file at {known.place}: "
                "give one of the two another name"
            )
            errors.add(line.place, message)
    return list(first.values())


def scale_of(entry: Custom) -> Scale:
    """What a line of a scenario multiplies; raises `FieldError` or `Refused`."""
    shapes = {("text", "number"): (), ("text", "text", "number"): ()}
    what, *whose, factor = values_of(entry, shapes, _SCALE_EXAMPLE)
    metadata_of(entry, ())
    target = chosen(ScaleTarget, what, "what is scaled,")
    name = normalize("NFC", whose[0]).strip() if whose else ""
    of = TARGETS[target].of
    if whose and not of:
        raise FieldError(f"{target} is scaled as a whole: leave {quoted(name)} out")
    if whose and not name:
        raise FieldError(f"a name is empty: write that of a {' or '.join(of)}, or leave it out")
    if check_number(factor) <= 0:
        raise FieldError(f"a factor of {factor:f} is not above zero: write such as 0.50")
    return Scale(entry.date, target, name, check_number(factor), place_of(entry.meta))


def not_in_a_ledger() -> FieldError:
    """What to say of a scale that stands in a ledger."""
    return FieldError(
        f"{SCALE} stands in the file of a scenario only, and changes no books: move it there"
    )
