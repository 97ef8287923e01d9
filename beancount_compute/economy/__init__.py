"""The economy: events and terms in, lots and journal out. No files, no clock, no Beancount.

    economy/engine.py     books day by day, in the order of `agenda.py`
    economy/rules/        what each kind of event does, one rule a file

What all that works with (events, kinds, roles, options, terms, lots, journal entries, numbers)
is the vocabulary of every other part, and is named from here.
"""

from beancount_compute.economy.access_by_time import (
    earned_ahead,
    earned_meanwhile,
    evening_of,
    part_earned,
)
from beancount_compute.economy.added_up import Run, added_up
from beancount_compute.economy.agenda import Agenda, Due, Horizon, Stretch, horizon
from beancount_compute.economy.assertions import DEFERRED_REVENUE, FIGURES, Totals
from beancount_compute.economy.capacities import (
    CAPACITY_KEYS,
    Capacity,
    Depreciation,
    of_minor_units,
    opening_depreciation,
)
from beancount_compute.economy.charged_anew import (
    UsedInPeriod,
    UsedInPeriods,
    period_from,
    period_with,
    plan_of_day,
    price_of_use,
)
from beancount_compute.economy.controls import (
    WITH_MONEY,
    WITH_UNITS,
    ControlTotal,
    MonthOfKind,
    Sold,
    check_controls,
    check_sold,
    sold_by_month,
)
from beancount_compute.economy.earned_besides import (
    BESIDES,
    OF_LOTS,
    EarnedBesides,
    MovedOfLot,
    SoldLots,
    earned_besides,
    sale_of,
)
from beancount_compute.economy.events import (
    CONTENT,
    LATER_FIELDS,
    NOWHERE,
    WRITTEN,
    Event,
    Place,
    content_id,
    content_of,
    days_for,
    events_in_order,
    fields_getter,
    flaw_of,
    id_taken,
    is_sound,
    names_of,
    same_content,
    wrong_days,
)
from beancount_compute.economy.inputs import (
    Again,
    Assertion,
    Facts,
    HandPosting,
    Introduction,
    OpeningAccrual,
    by_day_of,
    grouped,
    named_in,
    only_cancellations,
)
from beancount_compute.economy.journal import (
    FIXED_FEE,
    Beyond,
    Exchange,
    GivenBack,
    JournalEntry,
    Leg,
    LotLeg,
    MoneyLeg,
    Moved,
    Record,
    StatedCost,
    Unbalanced,
    Use,
    charge_of,
    check_balance,
    commodity_used,
    cost_by_origin,
    cost_of_lots,
    gives_back,
    holders_of,
    in_full,
    income,
    into,
    lot_leg,
    mirrored,
    money_leg,
    moved_by,
    out_of,
    out_of_lapsed,
    units_used,
)
from beancount_compute.economy.kinds import (
    BOOKED,
    COMING,
    EARNED_BY_LOTS,
    EVENTS,
    GIVING_BACK,
    KINDS,
    MAKES_KNOWN,
    NAMED_BY_REVERSALS,
    OF_PROVIDERS,
    OUTSIDERS,
    PARTNER,
    PHASE,
    RELEASING,
    SIGNED,
    UNITS_RELEASED,
    WAYS,
    Flow,
    Flows,
    Form,
    Kind,
    LegOrigin,
    LegRow,
    Phase,
    Way,
)
from beancount_compute.economy.lot_history import LotChange, LotEnd, LotHistory
from beancount_compute.economy.lots import (
    Draw,
    Holding,
    Key,
    Lot,
    OpenLot,
    cost_of,
    key_of,
    lot_of,
    rank_of,
    received,
)
from beancount_compute.economy.meters import (
    METER_KEYS,
    PROVIDER_KEYS,
    Meter,
    Provider,
    Quote,
    parse_provider,
    parse_term_name,
)
from beancount_compute.economy.money_back import (
    COUNTED_BACK,
    Allocation,
    Family,
    MoneyBack,
    family_of,
)
from beancount_compute.economy.months import (
    MONTH,
    Month,
    Span,
    day_text,
    last_day,
    later,
    parse_span,
    text_of,
)
from beancount_compute.economy.options import (
    AS_OF,
    COST_STEP,
    DRAW_DOWN,
    LATE_MONTHS,
    METER,
    OPTIONS,
    PLAN_KEYS,
    POSTING_GRAIN,
    PRICE_BAND,
    TIME_ZONE,
    UNIT_COST,
    WASH_DAYS,
    TermKey,
)
from beancount_compute.economy.provider_costs import (
    OF_REVERSAL,
    Accrual,
    Billed,
    Drawn,
    ProviderCosts,
    billed_days,
)
from beancount_compute.economy.refusals import (
    Causes,
    Lacking,
    NotRead,
    Refusal,
    Refused,
    never_usable,
    receiver,
)
from beancount_compute.economy.roles import (
    EARNINGS,
    OWED,
    OWED_TO_OPERATOR,
    OWED_TO_OTHERS,
    POCKETS,
    ROLE_OF_EARNING,
    ROLE_OF_POCKET,
    ROLES,
    STOCK,
    SUBSCRIBER,
    Earning,
    Pocket,
    Role,
    Root,
)
from beancount_compute.economy.rounding import (
    EXACT,
    FINEST,
    MOST_DIGITS,
    PRICE_STEP,
    USUAL,
    WIDE,
    ZERO,
    CostStepTooCoarse,
    Share,
    average_price,
    decimals_in,
    decimals_of,
    decimals_written,
    digits_of,
    minor_unit,
    multiply_money,
    must_be_exact,
    part,
    proportion,
    round_half_even,
    round_money,
    shares_of_total,
    split,
    trim,
)
from beancount_compute.economy.scales import TARGETS, Scale, with_scales
from beancount_compute.economy.term_values import (
    AccessBy,
    BilledBy,
    DrawDown,
    Grain,
    Holds,
    Money,
    ScaleTarget,
    Unused,
    chosen,
    life_of,
    money_written,
    not_below_zero,
)
from beancount_compute.economy.terms import (
    ACCESS,
    GRANT,
    RESERVED_ORIGINS,
    TOP_UP,
    Fees,
    Plan,
    PlanLine,
    Terms,
    Timeline,
    is_access,
    no_unit,
)
from beancount_compute.economy.unbilled import Arrears, Commitment, next_invoice
from beancount_compute.economy.words import Hints, amount, like, printable, quoted, shorten
