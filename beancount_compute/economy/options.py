"""Options and keys of plans, a row each: how it is read, written, and what rests on it.

    2026-01-01 custom "compute-option" "seller-fee" 0.05
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"

A row is all that there is to an option: reading, freezing, comparing and printing follow from it.
What can't be read raises `Refused`, which says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from beancount_compute.economy.kinds import GIVING_BACK, Kind
from beancount_compute.economy.rounding import ZERO
from beancount_compute.economy.term_values import (
    AccessBy,
    BilledBy,
    DrawDown,
    Grain,
    Holds,
    Money,
    Unused,
    choice,
    cost_step,
    flag_written,
    fraction,
    late_months,
    life_of,
    meter_name,
    money_written,
    not_below_zero,
    number_written,
    or_absent,
    overage_price,
    price_band,
    selling_price,
    text_written,
    time_zone,
    wash_days,
    whole_fee,
)

T = TypeVar("T")


class Option(NamedTuple, Generic[T]):
    """What a `compute-option` line may set. Values are Decimals, `Money`, texts or dates."""

    name: str
    holds: Holds
    example: str
    parse: Callable[[Any], T]  # of a value of that type
    write: Callable[[T], str]  # as a ledger writes it
    default: T  # where no line sets it
    meaning: str
    used_by: frozenset[Kind] = frozenset()  # the entries that rest on it
    whole_ledger: bool = False  # holds whatever its date
    by_currency: bool = False  # one value for each currency
    # another that the same entries rest on, where this one came later: months that closed before it
    # was first named say nothing of it, and used its default
    beside: str = ""


class TermKey(NamedTuple):
    """What a line of terms, such as `compute-plan`, may say in its metadata."""

    name: str
    field: str  # of `terms.Plan`, or of whatever the line states: there is its default
    holds: Holds
    example: str
    parse: Callable[[Any], Any]
    write: Callable[[Any], str]
    meaning: str
    used_by: frozenset[Kind] = frozenset()  # the entries that rest on it
    needs: Unused | None = None  # what `unused` must be for it to mean anything; None for any


_MOVES = (Kind.TRADE, Kind.TRANSFER, Kind.SPEND)
_DRAWS = frozenset([Kind.CONSUMPTION, *_MOVES, Kind.REFUND, *GIVING_BACK])
_TRADES = frozenset([Kind.TRADE])
_OF_GROSS = "it is a fraction of the gross, 5 % is written 0.05"

SELLER_FEE: Option[Decimal] = Option(
    "seller-fee",
    Holds.NUMBER,
    "a fraction, such as 0.05",
    fraction("seller-fee", _OF_GROSS),
    number_written,
    ZERO,
    "fraction of a trade's gross that the seller pays, 0 to 1",
    _TRADES,
)
BUYER_FEE: Option[Decimal] = Option(
    "buyer-fee",
    Holds.NUMBER,
    "a fraction, such as 0.01",
    fraction("buyer-fee", _OF_GROSS),
    number_written,
    ZERO,
    "fraction of a trade's gross that the buyer pays, 0 to 1",
    _TRADES,
)
MINIMUM_FEE: Option[Money | None] = Option(
    "minimum-fee",
    Holds.AMOUNT,
    "an amount, such as 0.10 USD",
    whole_fee("minimum-fee"),
    or_absent(money_written, "none"),
    None,
    "least fee of each side whose rate is above zero; one per currency",
    _TRADES,
    by_currency=True,
)
SELLER_FIXED_FEE: Option[Money | None] = Option(
    "seller-fixed-fee",
    Holds.AMOUNT,
    "an amount, such as 0.30 USD",
    whole_fee("seller-fixed-fee"),
    or_absent(money_written, "none"),
    None,
    "what the seller of a trade pays besides the rate's fee; one per currency",
    _TRADES,
    by_currency=True,
    beside=MINIMUM_FEE.name,
)
BUYER_FIXED_FEE: Option[Money | None] = Option(
    "buyer-fixed-fee",
    Holds.AMOUNT,
    "an amount, such as 0.10 USD",
    whole_fee("buyer-fixed-fee"),
    or_absent(money_written, "none"),
    None,
    "what the buyer of a trade pays besides the rate's fee; one per currency",
    _TRADES,
    by_currency=True,
    beside=MINIMUM_FEE.name,
)
DRAW_DOWN: Option[DrawDown] = Option(
    "draw-down",
    Holds.TEXT,
    'an order in quotes, such as "fifo"',
    choice(DrawDown, "draw-down"),
    text_written,
    DrawDown.EXPIRY,
    "which lot goes first",
    _DRAWS,
)
UNIT_COST: Option[Money | None] = Option(
    "unit-cost",
    Holds.AMOUNT,
    "an amount, such as 0.04 USD",
    not_below_zero("unit-cost"),
    or_absent(money_written, "none"),
    None,
    "what a used unit costs to serve: for reports, never booked",
)
COST_STEP: Option[Decimal | None] = Option(
    "cost-step",
    Holds.NUMBER,
    "a number, such as 0.000001",
    cost_step,
    or_absent(number_written, "default"),
    None,
    "smallest step of a unit cost, a power of ten",
    frozenset([Kind.ALLOCATION, Kind.PURCHASE]),
    whole_ledger=True,
)
POSTING_GRAIN: Option[Grain] = Option(
    "posting-grain",
    Holds.TEXT,
    'a grain in quotes, such as "day"',
    choice(Grain, "posting-grain"),
    text_written,
    Grain.EVENT,
    "how much consumption of a subscriber one transaction may hold",
    frozenset([Kind.CONSUMPTION]),
    whole_ledger=True,
)
AS_OF: Option[date | None] = Option(
    "as-of",
    Holds.DATE,
    "a date, such as 2026-06-30",
    lambda day: day,
    or_absent(str, "none"),
    None,
    "derived entries at least up to this day",
    whole_ledger=True,
)
TIME_ZONE: Option[str] = Option(
    "time-zone",
    Holds.TEXT,
    'a zone in quotes, such as "Europe/Berlin"',
    time_zone,
    text_written,
    "UTC",
    "where days begin: times of event files with a zone of their own are read in it",
    whole_ledger=True,
)
METER: Option[str] = Option(
    "meter",
    Holds.TEXT,
    'a meter in quotes, such as "chat/output"',
    meter_name,
    text_written,
    "",
    "the meter of uses that name none, of those in its unit; a plan's own wins",
)
PRICE_BAND: Option[Decimal] = Option(
    "price-band",
    Holds.NUMBER,
    "a factor, such as 3",
    price_band,
    number_written,
    Decimal(3),
    "how far a trade's price may be from the median of the 30 days before: for the review",
)
WASH_DAYS: Option[Decimal] = Option(
    "wash-days",
    Holds.NUMBER,
    "a number of days, such as 7",
    wash_days,
    number_written,
    Decimal(7),
    "within how many days units that come back to their seller are told: for the review",
)
LATE_MONTHS: Option[int] = Option(
    "late-months",
    Holds.NUMBER,
    "a number, such as 12",
    late_months,
    str,
    12,
    "how many months before its booking an event of a closed month may have occurred",
)
TOP_UPS_REFUNDABLE: Option[bool] = Option(
    "top-ups-refundable",
    Holds.FLAG,
    "TRUE or FALSE",
    bool,
    flag_written,
    default=False,
    meaning="whether a top-up can be had back on demand: for the disclosure",
    used_by=COST_STEP.used_by,
    beside=COST_STEP.name,
)
OPTIONS: dict[str, Option[Any]] = {
    option.name: option
    for option in (
        SELLER_FEE,
        BUYER_FEE,
        MINIMUM_FEE,
        SELLER_FIXED_FEE,
        BUYER_FIXED_FEE,
        DRAW_DOWN,
        UNIT_COST,
        COST_STEP,
        POSTING_GRAIN,
        AS_OF,
        TIME_ZONE,
        METER,
        PRICE_BAND,
        WASH_DAYS,
        LATE_MONTHS,
        TOP_UPS_REFUNDABLE,
    )
}

_PERIODS = frozenset([Kind.ALLOCATION])
_ENDS = frozenset([Kind.MINT, Kind.EXPIRY])
PLAN_KEYS: dict[str, TermKey] = {
    key.name: key
    for key in (
        TermKey(
            "every",
            "every",
            Holds.TEXT,
            '"month"',
            life_of,
            lambda span: text_written(str(span)),
            'length of a period: "month", "quarter", "year", "N months", "N days"',
            _PERIODS,
        ),
        TermKey(
            "unused",
            "unused",
            Holds.TEXT,
            '"mint"',
            choice(Unused, "`unused`"),
            text_written,
            'what is left at a period\'s end: "expire", "rollover" or "mint"',
            _PERIODS | _ENDS,
        ),
        TermKey(
            "mint-rate",
            "mint_rate",
            Holds.NUMBER,
            "0.5",
            fraction("`mint-rate`", "write a fraction, such as 0.5"),
            number_written,
            "fraction of each unused lot that is minted, 0 to 1; the rest lapses",
            _ENDS,
            Unused.MINT,
        ),
        TermKey(
            "expires",
            "expires",
            Holds.TEXT,
            '"12 months"',
            life_of,
            lambda span: text_written(str(span)),
            "with rollover: life of a lot, counted from its allocation",
            _PERIODS,
            Unused.ROLLOVER,
        ),
        TermKey(
            "token-expires",
            "token_expires",
            Holds.TEXT,
            '"12 months"',
            life_of,
            lambda span: text_written(str(span)),
            "life of minted tokens, counted from the mint",
            _ENDS,
            Unused.MINT,
        ),
        TermKey(
            "overage",
            "overage",
            Holds.AMOUNT,
            "0.30 USD",
            overage_price,
            money_written,
            "price per unit of use beyond the holdings; absent: such use is an error",
            frozenset([Kind.CONSUMPTION]),
        ),
        TermKey(
            "overage-since",
            "overage_since",
            Holds.DATE,
            "2026-01-01",
            lambda day: day,
            str,
            "since when `overage` holds for what running periods used already: a catch-up",
            frozenset([Kind.CATCH_UP]),
        ),
        TermKey(
            "meter",
            "meter",
            Holds.TEXT,
            '"chat/output"',
            meter_name,
            text_written,
            "the meter of uses that name none, of subscribers on the plan",
            _PERIODS,
        ),
        TermKey(
            "access-ssp",
            "access_ssp",
            Holds.AMOUNT,
            "150.00 USD",
            selling_price("access-ssp"),
            money_written,
            "stand-alone selling price of a period's access, where the price is for units too",
            _PERIODS,
        ),
        TermKey(
            "units-ssp",
            "units_ssp",
            Holds.AMOUNT,
            "100.00 USD",
            selling_price("units-ssp"),
            money_written,
            "stand-alone selling price of a period's units, beside `access-ssp`",
            _PERIODS,
        ),
        TermKey(
            "access-by",
            "access_by",
            Holds.TEXT,
            '"even-month"',
            choice(AccessBy, "`access-by`"),
            text_written,
            'how access is earned: "day" by day, or "even-month"',
            frozenset([Kind.ACCESS]),
        ),
        TermKey(
            "bill",
            "bill",
            Holds.TEXT,
            '"period"',
            choice(BilledBy, "`bill`"),
            text_written,
            'when overage is invoiced: at its "use", behind its "period", or by its "month"',
            frozenset([Kind.INVOICE]),
        ),
        TermKey(
            "minimum",
            "minimum",
            Holds.AMOUNT,
            "100.00 USD",
            whole_fee("`minimum`"),
            money_written,
            "what a period's overage is charged at least; the rest is breakage on its last day",
            frozenset([Kind.SHORTFALL]),
        ),
        TermKey(
            "refundable",
            "refundable",
            Holds.FLAG,
            "TRUE",
            bool,
            flag_written,
            "whether a period's payment can be had back on demand: for the disclosure",
            _PERIODS,
        ),
    )
}
