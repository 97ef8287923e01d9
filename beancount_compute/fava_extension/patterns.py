"""Whether a regular expression of a filter can be tried on all names without taking for ever.

    Assets:.*:Alice     one part that is repeated without end: some thousand steps a name
    (a+)+               a repetition within a repetition: refused
    .*.*.*.*x           four such parts: refused where many names would be tried

Whoever sends an address chooses its expressions, and one that runs can't be stopped. So the steps
that it may take are counted from above before it is tried; nothing here depends on a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import factorial

# a pattern as Python parsed it: nothing public tells its parts
from re import _constants as code  # type: ignore[attr-defined]  # typeshed has no private modules
from re import _parser as parser  # type: ignore[attr-defined]  # likewise
from typing import Any, NamedTuple

LONGEST = 5000  # characters of an expression
MOST_TIMES = 1000  # that a part of it may be asked for
MOST_STEPS = 400_000_000  # some seconds
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT)


class Costly(Exception):
    """An expression that may take for ever; says why."""


class _Cost(NamedTuple):
    """What makes an expression costly on a name that it does not match in the end."""

    open: int = 0  # parts that share the name's characters out among them
    ways: int = 1  # in which the other parts may match

    def times(self, number: int) -> _Cost:
        return _Cost(self.open * number, self.ways**number)


def check_pattern(words: str, lengths: Iterable[int]) -> None:
    """Raise `Costly` for an expression that takes long on names of these lengths.

    What is no expression is left to whoever tries it.
    """
    if len(words) > LONGEST:
        raise Costly(f"it has more than {LONGEST:,} characters")
    try:
        parsed = parser.parse(words)
    except (OverflowError, RecursionError):
        raise Costly("a part of it is to be repeated too often, or nested too deeply") from None
    except parser.error:
        return
    cost = _cost(parsed)
    factor = cost.open + 1  # it may begin anywhere
    steps = 0
    for length in lengths:
        steps += cost.ways * max(length, 1) ** factor // factorial(factor)
        if steps > MOST_STEPS:
            raise Costly("it has too many parts that match in many ways, such as .* or a?")


def _cost(parsed: Any) -> _Cost:
    """The cost of parts that stand behind each other."""
    whole = _Cost()
    for operation, argument in parsed:
        if operation in _REPEATS:
            cost = _of_repeat(*argument)
        elif operation is code.BRANCH:
            costs = [_cost(inner) for inner in _parts(argument)]
            cost = _Cost(max(each.open for each in costs), sum(each.ways for each in costs))
        else:
            cost = _Cost()
            for inner in _parts(argument):
                one = _cost(inner)
                cost = _Cost(cost.open + one.open, cost.ways * one.ways)
        whole = _Cost(whole.open + cost.open, min(whole.ways * cost.ways, MOST_STEPS + 1))
    return whole


def _of_repeat(least: Any, most: Any, inner: Any) -> _Cost:
    within = _cost(inner)
    if most is not code.MAXREPEAT and most > MOST_TIMES:
        raise Costly(f"a part of it is to be repeated more than {MOST_TIMES:,} times")
    if least == most:
        return within.times(int(most))
    if most == 1:
        return _Cost(within.open, within.ways + 1)
    if within != _Cost():
        raise Costly("a repetition or a choice stands within a repetition")
    return _Cost(open=1)


def _parts(argument: Any) -> Iterator[Any]:
    """The expressions within what an operation was given: groups, choices, conditions."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for each in argument:
            yield from _parts(each)
