"""The kinds of events and entries, a row each: what is known of one before it happens.

    2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD

A row says how an event is written, when in its day it is booked, what it moves, and what may become
of it later. Readers, the engine, closed months and reports look it up here; what an event does is a
rule of its own (`rules/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.economy.roles import EARNINGS, Earning, Pocket, Role


class Kind(StrEnum):
    """What an event is (the directive's type without `compute-`), and what an entry books.

    Mints, expiries, access that is earned, invoices, shortfalls, catch-ups, lapses and depreciation
    are no events: they are derived.
    """

    __hash__ = str.__hash__  # the one of Enum is a Python function, and this is a dictionary key

    SUBSCRIPTION = "subscription"
    CANCELLATION = "cancellation"
    CHANGE = "change"  # of plan
    ALLOCATION = "allocation"
    GRANT = "grant"
    CONSUMPTION = "consumption"
    TRADE = "trade"
    TRANSFER = "transfer"
    SPEND = "spend"
    MONEY_REFUND = "money-refund"  # what a refund of money books
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    WRITE_OFF = "write-off"
    RECOVERY = "recovery"
    REVERSAL = "reversal"
    PURCHASE = "purchase"
    BILL = "bill"
    MINT = "mint"
    EXPIRY = "expiry"
    ACCESS = "access"  # that is earned
    INVOICE = "invoice"  # of what was unbilled
    SHORTFALL = "shortfall"  # of a minimum
    CATCH_UP = "catch-up"  # of a price that changes for what was used already
    LAPSE = "lapse"
    COST = "cost"
    DEPRECIATION = "depreciation"

    @property
    def words(self) -> str:
        """What it is called in messages."""
        return "refund of money" if self is Kind.MONEY_REFUND else self.value


class Phase(IntEnum):
    """The part of a day in which an event is booked."""

    CANCELLATIONS = 1
    ALLOCATIONS = 2
    MOVES = 3
    CONSUMPTION = 4
    CORRECTIONS = 5


class Flow(StrEnum):
    """Why units entered or left a pocket, in the order of the roll-forward."""

    __hash__ = str.__hash__

    OPENING = "opening"  # an opening lot, entered by hand
    ENTERED = "entered later"  # one that says why it comes after the books began
    ALLOCATED = "allocated"
    TOPPED_UP = "topped up"
    GRANTED = "granted"
    MINTED = "minted"
    TRADED_IN = "traded in"
    TRADED_OUT = "traded out"
    TRANSFERRED_IN = "transferred in"
    TRANSFERRED_OUT = "transferred out"
    USED = "used"
    SPENT = "spent"
    EXPIRED = "expired"
    EARNED = "earned by time"
    REFUNDED = "refunded"
    VOIDED = "voided"
    RETURNED = "returned by change"
    REMOVED = "removed by hand"

    @property
    def key(self) -> str:
        """The key of its column in tables."""
        return self.value.replace(" ", "_")


class Way(StrEnum):
    """What a flow does to what is held, over all subscribers and pockets."""

    OPENS = "opens"
    ADDS = "adds"
    MOVES = "moves"
    RELEASES = "releases"


WAYS: dict[Flow, Way] = {
    Flow.OPENING: Way.OPENS,
    Flow.ENTERED: Way.ADDS,
    Flow.ALLOCATED: Way.ADDS,
    Flow.TOPPED_UP: Way.ADDS,
    Flow.GRANTED: Way.ADDS,
    Flow.MINTED: Way.MOVES,
    Flow.TRADED_IN: Way.MOVES,
    Flow.TRADED_OUT: Way.MOVES,
    Flow.TRANSFERRED_IN: Way.MOVES,
    Flow.TRANSFERRED_OUT: Way.MOVES,
    Flow.USED: Way.RELEASES,
    Flow.SPENT: Way.RELEASES,
    Flow.EXPIRED: Way.RELEASES,
    Flow.EARNED: Way.RELEASES,
    Flow.REFUNDED: Way.RELEASES,
    Flow.VOIDED: Way.RELEASES,
    Flow.RETURNED: Way.RELEASES,
    Flow.REMOVED: Way.RELEASES,
}
COMING = tuple(flow for flow, way in WAYS.items() if way in (Way.OPENS, Way.ADDS))
RELEASING = tuple(flow for flow, way in WAYS.items() if way is Way.RELEASES)
UNITS_RELEASED = tuple(flow for flow in RELEASING if flow is not Flow.EARNED)  # access is no units


class LegOrigin(Enum):
    """Which legs of a role there are: what stands as their origin."""

    NONE = "one, of no origin"
    LOTS = "one for each origin of the lots, of their cost"
    LAPSED = "one for each origin of the lots that had lapsed and are taken all the same"
    FIRST = "one for each currency of the lots, of the first lot's origin"
    PARTNER = "one, of the partner"
    OVERAGE = "one for each plan in the metadata `overage`, or in that of its key"
    FIXED_FEE = "one, of the fixed fee in the metadata of its key"
    BACK = "one, of the origin in the metadata `back`"
    EARNED = "of access that a change returns, in the metadata of its key: earned before it"
    FROM_PLAN = "one, of the plan in the metadata `from-plan`"
    TO_PLAN = "one, of the plan of the lots that come in, or of that in the metadata `to-plan`"
    METERS = "one for each meter in the metadata of its key"


class LegRow(NamedTuple):
    """The legs of one role that the transactions of a kind may have."""

    role: Role
    origin: LegOrigin = LegOrigin.NONE
    counterparty: bool = False  # whether it is theirs
    key: str = ""  # the metadata that says the amount; without it there is no such leg


class Form(NamedTuple):
    """A way of writing an event. Numbers (units, price, paid) stand with their commodity."""

    values: tuple[str, ...]  # the fields that a directive's values fill, in their order
    optional: tuple[str, ...] = ()  # and those that its metadata may
    needed: tuple[str, ...] = ()  # or must


class Flows(NamedTuple):
    """Why units enter and why they leave a pocket."""

    into: Flow
    out: Flow


class KindRow(NamedTuple):
    """What is known of a kind."""

    phase: Phase | None = None  # None for what is derived
    forms: tuple[Form, ...] = ()  # none for what is derived
    example: str = ""  # the values of a directive
    counterparty: str = ""  # who that is: "" where there is none
    moves: Mapping[Pocket, Flows] = MappingProxyType({})  # no units where empty
    money: tuple[LegRow, ...] = ()  # the legs that it may have, besides those of lots
    books: bool = True  # it books a transaction of its own
    notes: bool = False  # it may book one without postings
    reversible: bool = False
    corrected_by: str = ""  # what to write instead of a reversal
    makes_known: bool = False  # its subscriber is known from then on
    gives: bool = False  # units to somebody, who may need them later in the day
    may_be_late: bool = True  # it may occur in a month that is closed
    signed: bool = False  # its amount may be below zero: a credit


def _both(flow: Flow) -> Mapping[Pocket, Flows]:
    return dict.fromkeys(Pocket, Flows(flow, flow))


def _out(flow: Flow) -> Mapping[Pocket, Flows]:
    """Units leave; what comes back of lots that lapsed, to leave in this way, did not expire."""
    return dict.fromkeys(Pocket, Flows(Flow.EXPIRED, flow))


PARTNER = "partner"
PROVIDER = "provider"
OUTSIDERS = (PARTNER, PROVIDER)  # the counterparties that are no subscribers
_USE = Form(("subscriber", "units"))
_MEASURED = ("meter", "quantity")
_OF_PLAN = Form(("subscriber", "plan"))
_DEAL = ("subscriber", "counterparty", "units")
_OF_AN_EVENT = (Form(("of",), ("void",)), Form(("of", "paid"), ("void",)))
_LOST = (
    LegRow(Role.RECEIVABLE, LegOrigin.BACK),
    LegRow(Role.LOSSES, key=Role.LOSSES),
    LegRow(Role.RECOVERIES, key=Role.RECOVERIES),
)
KINDS: dict[Kind, KindRow] = {
    Kind.SUBSCRIPTION: KindRow(
        Phase.ALLOCATIONS,
        (_OF_PLAN._replace(optional=("started", "discount", "charged", "unbilled")),),
        '"alice" "pro"',
        books=False,
        makes_known=True,
        may_be_late=False,
    ),
    Kind.CANCELLATION: KindRow(
        Phase.CANCELLATIONS,
        (_OF_PLAN._replace(optional=("now",)),),
        '"alice" "pro"',
        moves={Pocket.ALLOCATIONS: Flows(Flow.MINTED, Flow.MINTED)},  # they only end earlier
        books=False,
        notes=True,
        may_be_late=False,
    ),
    Kind.CHANGE: KindRow(
        Phase.ALLOCATIONS,  # before all else of it
        (
            Form(("subscriber", "from_plan", "plan")),
            Form(("subscriber", "from_plan", "plan"), needed=("charge", "credit")),
        ),
        '"alice" "basic" "plus"',
        moves=dict.fromkeys(Pocket, Flows(Flow.ALLOCATED, Flow.RETURNED)),
        money=(
            LegRow(Role.ACCESS_REVENUE, LegOrigin.EARNED, key="earned"),
            LegRow(Role.REVENUE, LegOrigin.FROM_PLAN),
            LegRow(Role.REFUNDS, LegOrigin.FROM_PLAN, key="refunds"),
            LegRow(Role.BREAKAGE, LegOrigin.FROM_PLAN, key="breakage"),
            LegRow(Role.UNBILLED, LegOrigin.TO_PLAN),
        ),
        corrected_by="a change back",
        gives=True,
        may_be_late=False,
    ),
    Kind.ALLOCATION: KindRow(
        Phase.ALLOCATIONS,
        (
            Form(("subscriber", "units", "paid"), ("expires",)),
            _OF_PLAN._replace(optional=("discount",)),
        ),
        '"alice" 500 CU 100.00 USD for a top-up, or "alice" "pro" for a period of a plan',
        moves={
            Pocket.ALLOCATIONS: Flows(Flow.ALLOCATED, Flow.ALLOCATED),
            Pocket.TOKENS: Flows(Flow.TOPPED_UP, Flow.TOPPED_UP),
            Pocket.ACCESS: Flows(Flow.ALLOCATED, Flow.ALLOCATED),
        },
        money=(
            LegRow(Role.RECEIVABLE, LegOrigin.LOTS),
            LegRow(Role.ACCESS_REVENUE, LegOrigin.FIRST),  # earned, and undone
        ),
        reversible=True,
        gives=True,
        makes_known=True,
    ),
    Kind.GRANT: KindRow(
        Phase.ALLOCATIONS,
        (_USE._replace(optional=("expires",)),),
        '"alice" 100 CU',
        moves=_both(Flow.GRANTED),
        reversible=True,
        gives=True,
        makes_known=True,
    ),
    Kind.CONSUMPTION: KindRow(
        Phase.CONSUMPTION,
        (
            _USE._replace(optional=("meter",)),
            _USE._replace(needed=_MEASURED),
            Form(("subscriber",), needed=_MEASURED),
        ),
        '"alice" 200 CU, or "alice" with `meter` and `quantity`',
        moves=_out(Flow.USED),
        money=(
            LegRow(Role.REVENUE, LegOrigin.LOTS),
            LegRow(Role.BREAKAGE, LegOrigin.LAPSED),
            LegRow(Role.RECEIVABLE, LegOrigin.OVERAGE),
            LegRow(Role.UNBILLED, LegOrigin.OVERAGE),
            LegRow(Role.OVERAGE, LegOrigin.OVERAGE),
            LegRow(Role.BREAKAGE, LegOrigin.OVERAGE, key="shortfall"),  # taken back
        ),
        reversible=True,
    ),
    Kind.TRADE: KindRow(
        Phase.MOVES,
        (Form((*_DEAL, "price")),),
        '"seller" "buyer" 500 CU 0.25 USD',
        "buyer",
        dict.fromkeys(Pocket, Flows(Flow.TRADED_IN, Flow.TRADED_OUT)),
        (
            LegRow(Role.RECEIVABLE, counterparty=True),
            LegRow(Role.PAYABLE),
            LegRow(Role.FEES),
            LegRow(Role.FEES, counterparty=True, key="buyer-fee"),
            LegRow(Role.FEES, LegOrigin.FIXED_FEE, key="seller-fixed-fee"),
            LegRow(Role.FEES, LegOrigin.FIXED_FEE, counterparty=True, key="buyer-fixed-fee"),
        ),
        reversible=True,
        gives=True,
    ),
    Kind.TRANSFER: KindRow(
        Phase.MOVES,
        (Form(_DEAL),),
        '"giver" "receiver" 500 CU',
        "receiver",
        dict.fromkeys(Pocket, Flows(Flow.TRANSFERRED_IN, Flow.TRANSFERRED_OUT)),
        reversible=True,
        gives=True,
    ),
    Kind.SPEND: KindRow(
        Phase.MOVES,
        (Form((*_DEAL, "paid")),),
        '"alice" "partner" 100 CU 17.00 USD',
        PARTNER,
        _out(Flow.SPENT),
        (
            LegRow(Role.PARTNER, LegOrigin.PARTNER),
            LegRow(Role.PARTNER_INCOME),
            LegRow(Role.BREAKAGE, LegOrigin.LAPSED),
        ),
        reversible=True,
    ),
    Kind.MONEY_REFUND: KindRow(
        moves=_both(Flow.VOIDED),
        money=(
            LegRow(Role.REFUNDS, LegOrigin.BACK),
            LegRow(Role.PAYABLE),
            LegRow(Role.RECEIVABLE, LegOrigin.BACK),
        ),
        reversible=True,
    ),
    Kind.REFUND: KindRow(
        Phase.CORRECTIONS,
        (_USE, Form(("subscriber", "paid"), ("unpaid",), ("of",))),
        '"alice" 100 CU, or "alice" 20.00 USD with `of`',
        moves=_both(Flow.REFUNDED),
        money=(LegRow(Role.PAYABLE, LegOrigin.FIRST), LegRow(Role.REVENUE, LegOrigin.FIRST)),
        reversible=True,
    ),
    Kind.CHARGEBACK: KindRow(
        Phase.CORRECTIONS,
        _OF_AN_EVENT,
        '"event-id", or "event-id" 20.00 USD',
        moves=_both(Flow.VOIDED),
        money=(LegRow(Role.DISPUTES, LegOrigin.BACK), *_LOST),
        reversible=True,
    ),
    Kind.WRITE_OFF: KindRow(
        Phase.CORRECTIONS,
        _OF_AN_EVENT,
        '"event-id", or "event-id" 20.00 USD',
        moves=_both(Flow.VOIDED),
        money=(LegRow(Role.BAD_DEBT, LegOrigin.BACK), *_LOST),
        reversible=True,
    ),
    Kind.RECOVERY: KindRow(
        Phase.CORRECTIONS,
        (Form(("of",)), Form(("of", "paid"))),
        '"event-id", or "event-id" 20.00 USD',
        money=(
            LegRow(Role.RECEIVABLE, LegOrigin.BACK),
            LegRow(Role.BAD_DEBT, LegOrigin.BACK),
            LegRow(Role.RECOVERIES, key=Role.RECOVERIES),
        ),
        reversible=True,
    ),
    Kind.REVERSAL: KindRow(Phase.CORRECTIONS, (Form(("reverses",)),), '"event-id"'),
    Kind.PURCHASE: KindRow(
        Phase.ALLOCATIONS,
        (Form(("counterparty", "units", "paid"), ("expires",)),),
        '"openai" 1000 OAI 900.00 USD',
        PROVIDER,
        money=(LegRow(Role.PROVIDER),),
        reversible=True,
    ),
    Kind.BILL: KindRow(
        Phase.CORRECTIONS,
        (Form(("counterparty", "paid"), ("from", "to")),),
        '"openai" 1234.56 USD',
        PROVIDER,
        money=(
            LegRow(Role.PROVIDER),
            LegRow(Role.ACCRUED, LegOrigin.METERS, key="cleared"),
            LegRow(Role.VARIANCE),
        ),
        corrected_by="a credit note (a bill below zero, for the same days) and a new bill",
        signed=True,
    ),
    Kind.MINT: KindRow(moves=_both(Flow.MINTED)),
    Kind.EXPIRY: KindRow(moves=_both(Flow.EXPIRED), money=(LegRow(Role.BREAKAGE, LegOrigin.LOTS),)),
    Kind.ACCESS: KindRow(
        moves={Pocket.ACCESS: Flows(Flow.EARNED, Flow.EARNED)},
        money=(LegRow(Role.ACCESS_REVENUE, LegOrigin.LOTS),),
    ),
    Kind.INVOICE: KindRow(
        money=(
            LegRow(Role.RECEIVABLE, LegOrigin.OVERAGE, key="invoiced"),
            LegRow(Role.UNBILLED, LegOrigin.OVERAGE, key="invoiced"),
        )
    ),
    Kind.SHORTFALL: KindRow(
        money=(
            LegRow(Role.RECEIVABLE, LegOrigin.OVERAGE, key="shortfall"),
            LegRow(Role.UNBILLED, LegOrigin.OVERAGE, key="shortfall"),
            LegRow(Role.BREAKAGE, LegOrigin.OVERAGE, key="shortfall"),
        )
    ),
    Kind.CATCH_UP: KindRow(
        money=(
            LegRow(Role.RECEIVABLE, LegOrigin.OVERAGE),
            LegRow(Role.UNBILLED, LegOrigin.OVERAGE),
            LegRow(Role.OVERAGE, LegOrigin.OVERAGE),
            LegRow(Role.BREAKAGE, LegOrigin.OVERAGE, key="shortfall"),
        )
    ),
    Kind.LAPSE: KindRow(money=(LegRow(Role.LAPSED),)),
    Kind.COST: KindRow(
        Phase.CORRECTIONS,
        (Form(("counterparty", "paid"), needed=("meter",)),),
        '"openai" 12.34 USD with `meter`',
        PROVIDER,
        money=(
            LegRow(Role.COST, LegOrigin.METERS, key="costs"),
            LegRow(Role.ACCRUED, LegOrigin.METERS, key="accrued"),
            LegRow(Role.VARIANCE),
        ),
        corrected_by="a compute-cost for the difference",
        signed=True,
    ),
    Kind.DEPRECIATION: KindRow(money=(LegRow(Role.DEPRECIATION), LegRow(Role.CAPACITY))),
}
# What gives back of what an allocation cost, and names it.
GIVING_BACK = (Kind.MONEY_REFUND, Kind.CHARGEBACK, Kind.WRITE_OFF)
PHASE: dict[Kind, int] = {kind: int(row.phase) for kind, row in KINDS.items() if row.phase}
EVENTS = tuple(PHASE)  # the kinds that somebody writes
BOOKED = tuple(kind for kind, row in KINDS.items() if row.books or row.notes)
# What a reversal may name: what it undoes, and what it is told not to.
NAMED_BY_REVERSALS = frozenset(
    kind for kind, row in KINDS.items() if row.reversible or row.corrected_by
)
# of no subscriber: a provider's, whose units are stock of the operator, or a capacity's
OF_PROVIDERS = (Kind.PURCHASE, Kind.LAPSE, Kind.BILL, Kind.COST, Kind.DEPRECIATION)
MAKES_KNOWN = frozenset(kind for kind, row in KINDS.items() if row.makes_known)
DISCOUNTED = frozenset(
    kind for kind, row in KINDS.items() for form in row.forms if "discount" in form.optional
)
SIGNED = frozenset(kind for kind, row in KINDS.items() if row.signed)
NEVER_LATE = frozenset(kind for kind, row in KINDS.items() if not row.may_be_late)
# What the cost of lots becomes as units leave them in one way, and the kind that does it.
EARNED_BY_LOTS: dict[Flow, tuple[Earning, Kind]] = {
    flow: (EARNINGS[leg.role], kind)
    for kind, row in KINDS.items()
    for leg in row.money
    if leg.origin is LegOrigin.LOTS and leg.role in EARNINGS
    for flow in {flows.out for flows in row.moves.values()}
}
