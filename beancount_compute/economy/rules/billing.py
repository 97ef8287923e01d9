"""A provider's bill for some days: what was accrued for them is owed now, the rest is variance.

    2026-06-02 * "openai" "Bill for 2026-05-01 to 2026-05-31" #compute-bill
      period: "2026-05-01/2026-05-31"
      Liabilities:Providers:Openai   -1234.56 USD
      Liabilities:Accrued:Openai      1200.00 USD
      Expenses:Compute:Variance         34.56 USD

Bills may overlap: each clears what is still accrued for its days, so that one for days that are
billed already is variance, and so is a credit note. Without `from` and `to` a bill is for the
calendar month before its date.
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import (
    ZERO,
    Billed,
    Event,
    JournalEntry,
    Kind,
    Leg,
    MoneyLeg,
    Refused,
    Role,
    amount,
    days_for,
    quoted,
    round_money,
)
from beancount_compute.economy.rules.credits import check_provider
from beancount_compute.economy.state import Economy


def bill(economy: Economy, event: Event, event_id: str) -> None:
    """Book what a provider invoices."""
    assert event.paid is not None
    provider, currency = event.counterparty, event.currency
    check_provider(economy, provider)
    owed = round_money(event.paid, currency)
    if not owed:
        raise Refused(
            f"a bill of {amount(event.paid, currency)} rounds to zero: write what the provider "
            "invoices, or remove this line"
        )
    if not _is_money(economy, currency):
        raise Refused(
            f"a bill in {currency}, which is no money: write what {quoted(provider)} invoices in "
            "money, such as 1234.56 USD; credits that are bought are a compute-purchase"
        )
    first, last = days = Billed(*days_for(event.date, event.first_day, event.last_day))
    cleared = economy.costs.accrued_for(provider, currency, days)
    by_meter: dict[str, Decimal] = {}
    for (_, meter, _, _), number in cleared.items():
        by_meter[meter] = by_meter.get(meter, ZERO) + number
    legs: list[Leg] = [MoneyLeg(Role.PROVIDER, provider, "", -owed, currency)]
    legs += [
        MoneyLeg(Role.ACCRUED, provider, meter, number, currency)
        for meter, number in by_meter.items()
        if number
    ]
    variance = owed - sum(by_meter.values(), ZERO)
    if variance:
        legs.append(MoneyLeg(Role.VARIANCE, provider, "", variance, currency))
    economy.post(
        JournalEntry(
            economy.today,
            Kind.BILL,
            provider,
            f"{'Bill' if owed > 0 else 'Credit note'} for {first} to {last}",
            legs,
            event_id,
            event,
            period=f"{first}/{last}",
        )
    )
    for key, number in cleared.items():
        economy.costs.accrue(key, -number)
    economy.costs.bill(provider, currency, days)


def _is_money(economy: Economy, currency: str) -> bool:
    """Whether a currency is neither what subscribers hold nor the credits of a provider."""
    terms = economy.terms
    costs = {each.cost.currency for line in terms.meters.values() for each in line if each.cost}
    return currency in terms.money or currency not in {*economy.provider_of, *terms.units, *costs}
