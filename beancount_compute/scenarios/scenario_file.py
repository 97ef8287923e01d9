"""The file of a scenario: terms as in a ledger, and scales; anything else is refused.

2026-06-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
2026-06-01 custom "compute-scale" "cost" "openai" 2
2026-06-01 open Assets:Bank                 ->  an error: a scenario holds terms only
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from beancount.core.data import Custom, Directive
from beancount.parser import parser
from beancount.parser.options import OPTIONS_DEFAULTS

from beancount_compute.economy import AS_OF, TIME_ZONE, Place, Refused, Scale, quoted
from beancount_compute.ledger import (
    EVENT_TYPES,
    PREFIX,
    SCALE,
    TERM_TYPES,
    Errors,
    FieldError,
    place_of,
    scale_of,
)

OF_THE_BOOKS = ("compute-account", "compute-subscriber")  # terms that no scenario changes
SCENARIO_TYPES = tuple(each for each in TERM_TYPES if each not in OF_THE_BOOKS)
# Options that decide what the books hold and how files are read, before any scenario is.
_NOT_TO_CHANGE = (AS_OF.name, TIME_ZONE.name)
_NO_OPTIONS = ("filename", "include", "plugin", "input_hash", "dcontext")


class Scenario(NamedTuple):
    """What holds in place of the ledger's terms."""

    name: str
    path: str
    lines: list[Custom]
    scales: list[Scale]


def read_scenario(name: str, path: str, errors: Errors) -> Scenario:
    """A scenario as its file states it; each line that can't be is an error."""
    scenario = Scenario(name, path, [], [])
    top = Place(path, 1)
    if why := _unreadable(Path(path)):
        errors.add(top, f"can't read the scenario: {why}")
        return scenario
    entries, wrong, options = parser.parse_file(path)
    for each in wrong:
        errors.add(place_of(each.source), each.message)
    for message in _beyond_terms(options):
        errors.add(top, message)
    for entry in entries:
        try:
            _read_line(entry, scenario)
        except (FieldError, Refused) as error:
            errors.add(place_of(entry.meta), str(error))
    _check_scales(scenario.scales, errors)
    return scenario


def _unreadable(path: Path) -> str:
    """Why a file can't be read; "" where it can. A pipe would be waited for for ever."""
    try:
        if path.exists() and not path.is_file():
            return "it is no plain file"
        path.read_text(encoding="utf-8")
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "it is not UTF-8 text"
    return ""


def _beyond_terms(options: dict[str, object]) -> Iterator[str]:
    """What a file says besides directives, which a scenario may not."""
    if options["include"]:
        yield "a scenario stands alone: write its lines here in place of `include`"
    if options["plugin"]:
        yield "a scenario holds terms only: remove `plugin`, the ledger's are at work"
    for name, default in OPTIONS_DEFAULTS.items():
        if name not in _NO_OPTIONS and options.get(name) != default:
            yield f"a scenario holds terms only: remove `option {quoted(name)}`"


def _read_line(entry: Directive, scenario: Scenario) -> None:
    if not isinstance(entry, Custom):
        what = type(entry).__name__.lower()
        raise FieldError(
            f"a scenario holds terms only, such as compute-plan: remove this {what}, which "
            "belongs into the ledger"
        )
    if entry.type == SCALE:
        scenario.scales.append(scale_of(entry))
    elif entry.type in SCENARIO_TYPES:
        _check_option(entry)
        scenario.lines.append(entry)
    else:
        raise FieldError(_no_term(entry.type))


def _check_option(entry: Custom) -> None:
    name = entry.values[0].value if entry.values else ""
    if entry.type == "compute-option" and isinstance(name, str) and name in _NOT_TO_CHANGE:
        raise FieldError(
            f"option {quoted(name)} says what the books hold, under a scenario too: remove it"
        )


def _no_term(type_: str) -> str:
    """What to say of a `custom` line that is no term of a scenario."""
    known = ", ".join((*SCENARIO_TYPES, SCALE))
    if type_ in EVENT_TYPES:
        return (
            f"a scenario holds terms only, and {type_} is an event: remove it; all events of the "
            "ledger are booked again"
        )
    if type_ in OF_THE_BOOKS:
        return f"{type_} names what the books have, under a scenario too: remove it"
    if type_.startswith(PREFIX):
        return f"a scenario holds terms only, and no {type_}: remove it; known: {known}"
    return f"unknown directive {quoted(type_)}; known in a scenario: {known}"


def _check_scales(scales: list[Scale], errors: Errors) -> None:
    """Two factors of one name from one day on: which of the two?"""
    first: dict[tuple[object, ...], Scale] = {}
    for each in scales:
        known = first.setdefault(each[:3], each)
        if known.factor != each.factor:
            whose = f" of {quoted(each.name)}" if each.name else ""
            errors.add(
                each.place,
                f"{each.target}{whose} of {each.since} is multiplied by {known.factor:f} at "
                f"{known.place}: remove one of the two",
            )
