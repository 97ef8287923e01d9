"""The one place that rounds an amount or splits it, losing nothing.

    20.00 USD for 3000 CU at step 0.0001  =  1000 CU at 0.0066 + 2000 CU at 0.0067

Beancount computes with 28 digits, and so do we (`USUAL`). The engine works under `EXACT`, which
refuses to lose one; what is meant to be rounded is rounded here, under `WIDE`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import cache, partial
from typing import NamedTuple

ZERO = Decimal()
USUAL = Context(
    prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow]
)
EXACT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])
WIDE = Context(prec=1000, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])

MOST_DIGITS = 14  # significant ones, of a number that a ledger writes
FINEST = 28  # decimals of such a number

PRICE_STEP = Decimal("0.000001")
LARGEST_COST_STEP = Decimal("0.000001")
_LARGEST_EXPONENT = LARGEST_COST_STEP.adjusted()
_ONE = Decimal(1)
_STEPS = [_ONE.scaleb(-decimals) for decimals in range(5)]
_QUOTIENT = Context(prec=60, rounding=ROUND_HALF_EVEN)  # half a step is told from a bit less
_FLOOR = Context(prec=50, rounding=ROUND_FLOOR)
_FEW = Context(prec=MOST_DIGITS, rounding=ROUND_HALF_EVEN)

# ISO 4217: the currencies whose minor unit is not a hundredth.
_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS = {
    **dict.fromkeys(_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class CostStepTooCoarse(Exception):
    """Part of a paid allocation would cost nothing."""


class Share(NamedTuple):
    """Part of an allocation: units at one unit cost."""

    units: Decimal
    cost: Decimal


# A named tuple's own constructor is a Python function and takes three times as long.
_share = partial(tuple.__new__, Share)


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency that can be paid, by ISO 4217; 0.01 for any other code."""
    return Decimal(1).scaleb(-decimals_of(currency))


@cache
def decimals_of(currency: str) -> int:
    """How many decimals a currency's minor unit has."""
    return _DECIMALS.get(currency, 2)


def round_half_even(number: Decimal, step: Decimal) -> Decimal:
    """A number rounded half-even to a step that is a power of ten."""
    return number.quantize(step, ROUND_HALF_EVEN, WIDE)


def round_money(number: Decimal, currency: str) -> Decimal:
    """Money that changes hands, rounded half-even to the currency's minor unit."""
    return number.quantize(minor_unit(currency), ROUND_HALF_EVEN, WIDE)


def must_be_exact(result: Decimal) -> None:
    """Say that a result is wanted only because it must be exact.

    Working it out under `EXACT` raises `decimal.Inexact` where it takes more than 28 digits, so
    that an event is refused before anything of it is booked.
    """


def multiply_money(number: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Units or a gross times a price or a rate, rounded once to the currency's minor unit."""
    return WIDE.multiply(number, rate).quantize(minor_unit(currency), ROUND_HALF_EVEN, WIDE)


def average_price(trades: Iterable[tuple[Decimal, Decimal]], currency: str) -> Decimal:
    """The volume-weighted average of prices and units, rounded half-even to 0.000001."""
    with localcontext(WIDE):
        trades = list(trades)
        gross = sum((price * units for price, units in trades), ZERO)
        average = gross / sum((units for _, units in trades), ZERO)
        return trim(average.quantize(PRICE_STEP, ROUND_HALF_EVEN), decimals_of(currency))


def trim(number: Decimal, decimals: int) -> Decimal:
    """The same value without trailing zeros, but with at least the given number of decimals."""
    padded = number.quantize(_STEPS[decimals], ROUND_HALF_EVEN, WIDE)
    return padded if padded == number else number.normalize(WIDE)


def digits_of(number: Decimal) -> str:
    """All digits of a number, without an exponent: as `f`, which takes five times as long."""
    text = str(number)
    return f"{number:f}" if "E" in text else text


def decimals_in(number: Decimal) -> int:
    """How many decimals a number has, without idle zeros."""
    exponent = number.normalize(WIDE).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def is_power_of_ten(number: Decimal) -> bool:
    """Whether a number is 1, 10, 100 ... or 0.1, 0.01 ..."""
    return number > 0 and number.normalize(WIDE).as_tuple().digits == (1,)


def has_few_digits(number: Decimal) -> bool:
    """Whether a number is one that a ledger may write: of few digits, and not too fine."""
    _, digits, exponent = number.normalize(WIDE).as_tuple()
    assert isinstance(exponent, int)
    return len(digits) + max(exponent, 0) <= MOST_DIGITS and exponent >= -FINEST


def decimals_written(number: Decimal) -> int:
    """How many decimals a number is written with."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def to_few_digits(number: Decimal) -> Decimal:
    """A number rounded half-even to as many digits as a ledger may write."""
    return trim(_FEW.plus(number).quantize(_ONE.scaleb(-FINEST), ROUND_HALF_EVEN, WIDE), 0)


def default_cost_step(units: Decimal, currency: str) -> Decimal:
    """The largest power of ten at most 0.000001 and at most one minor unit over the units."""
    exponent = _FLOOR.divide(minor_unit(currency), units).adjusted()
    return LARGEST_COST_STEP if exponent >= _LARGEST_EXPONENT else _ONE.scaleb(exponent)


def split(paid: Decimal, units: Decimal, currency: str, step: Decimal | None) -> tuple[Share, ...]:
    """Units at unit costs that are multiples of a power of ten, whose sum is exactly what was paid.

    One share where the unit cost terminates within the step, else two at neighbouring costs, the
    lower first. Raises `CostStepTooCoarse` where part of what was paid for would cost nothing.
    """
    if not paid:
        return (_share((units, trim(ZERO, decimals_of(currency)))),)
    step = step or default_cost_step(units, currency)
    decimals = decimals_of(currency)
    in_steps = paid.scaleb(-step.adjusted(), WIDE)
    whole_units, whole_steps = int(units), int(in_steps)
    if whole_units == units and whole_steps == in_steps:
        return _split_whole(whole_steps, whole_units, -step.adjusted(), decimals)
    with localcontext(WIDE):
        low = paid // (units * step) * step
        rest = paid - units * low
        if not low:
            raise CostStepTooCoarse
        if not rest:
            return (_share((units, trim(low, decimals))),)
        dearer = trim(rest.scaleb(-step.adjusted()), 0)  # rest / step, which takes 1,000 digits
        return (
            _share((units - dearer, trim(low, decimals))),
            _share((dearer, trim(low + step, decimals))),
        )


def _split_whole(paid: int, units: int, places: int, decimals: int) -> tuple[Share, ...]:
    """A fast path for whole units and steps: `paid` counts steps of so many decimal places."""
    low, dearer = divmod(paid, units)
    if not low:
        raise CostStepTooCoarse
    cheap = _share((Decimal(units - dearer), _trimmed(low, places, decimals)))
    if not dearer:
        return (cheap,)
    return (cheap, _share((Decimal(dearer), _trimmed(low + 1, places, decimals))))


def _trimmed(steps: int, places: int, decimals: int) -> Decimal:
    """A number of steps as `trim` would write it."""
    while places > decimals and not steps % 10:
        steps //= 10
        places -= 1
    if places < decimals:
        return Decimal(steps * 10 ** (decimals - places)).scaleb(-decimals, WIDE)
    return Decimal(steps).scaleb(-places, WIDE)


def shares_of_total(total: Decimal, weights: Iterable[Decimal], step: Decimal) -> list[Decimal]:
    """A total split by weights into multiples of a step that add up to exactly the total.

    Each share is what its weight adds to the running total, rounded half-even; the last one takes
    what is left, and all of it where the weights sum to zero. No weights, no shares.
    """
    weights = list(weights)
    if len(weights) < 2:
        return [total] * len(weights)
    with localcontext(WIDE):
        whole = sum(weights, ZERO)
        shares: list[Decimal] = []
        given = so_far = ZERO
        for weight in weights[:-1]:
            so_far += weight
            due = round_half_even(total * so_far / whole, step) if whole else ZERO
            shares.append(due - given)
            given = due
        return [*shares, total - given]


def proportion(total: Decimal, weight: Decimal, whole: Decimal) -> Decimal:
    """The share of a total that a weight is of the whole, rounded half-even to 0.000001."""
    share = _QUOTIENT.divide(WIDE.multiply(total, weight), whole)
    return trim(round_half_even(share, PRICE_STEP), 0)


def part(units: Decimal, rate: Decimal, cost: Decimal) -> Decimal:
    """A fraction of a lot's units; rounded down as little as makes 28 digits hold its cost."""
    exact = taken = trim(WIDE.multiply(units, rate), 0)
    decimals = max(0, len(exact.as_tuple().digits) - 1 - exact.adjusted())
    while decimals and not (_fit(taken, cost) and _fit(WIDE.subtract(units, taken), cost)):
        decimals -= 1
        taken = trim(exact.quantize(_ONE.scaleb(-decimals), ROUND_FLOOR, WIDE), 0)
    return taken


def _fit(units: Decimal, cost: Decimal) -> bool:
    """Whether Beancount's digits hold what units cost."""
    return len(WIDE.multiply(units, cost).normalize(WIDE).as_tuple().digits) <= EXACT.prec
