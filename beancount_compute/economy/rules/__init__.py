"""What an event does to the economy, and what is booked of it: one rule a file.

A rule plans what its event needs and raises `Refused` where it can't be; only then does it change
anything. Ends of lots and periods are derived: the engine comes by on their day.
"""

from __future__ import annotations

from collections.abc import Callable

from beancount_compute.economy import Event, Kind
from beancount_compute.economy.rules.allocation import allocate, grant
from beancount_compute.economy.rules.billing import bill
from beancount_compute.economy.rules.change import change
from beancount_compute.economy.rules.consumption import consume
from beancount_compute.economy.rules.credits import purchase
from beancount_compute.economy.rules.giving_back import take_back_money
from beancount_compute.economy.rules.recovery import recover
from beancount_compute.economy.rules.refund import refund
from beancount_compute.economy.rules.reversal import reverse
from beancount_compute.economy.rules.spend import spend
from beancount_compute.economy.rules.stated_cost import state_cost
from beancount_compute.economy.rules.subscription import cancel, subscribe
from beancount_compute.economy.rules.trade import trade, transfer
from beancount_compute.economy.state import Economy

Rule = Callable[[Economy, Event, str], None]
RULES: dict[Kind, Rule] = {
    Kind.SUBSCRIPTION: subscribe,
    Kind.CANCELLATION: cancel,
    Kind.CHANGE: change,
    Kind.ALLOCATION: allocate,
    Kind.GRANT: grant,
    Kind.CONSUMPTION: consume,
    Kind.TRADE: trade,
    Kind.TRANSFER: transfer,
    Kind.SPEND: spend,
    Kind.REFUND: refund,
    Kind.CHARGEBACK: take_back_money,
    Kind.WRITE_OFF: take_back_money,
    Kind.RECOVERY: recover,
    Kind.REVERSAL: reverse,
    Kind.PURCHASE: purchase,
    Kind.BILL: bill,
    Kind.COST: state_cost,
}
