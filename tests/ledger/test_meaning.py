"""What booked transactions mean: the legs that they were written from, whatever the accounts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Transaction
from beancount.core.position import Cost
from beancount.parser import parser

from beancount_compute.economy.capacities import Capacity
from beancount_compute.economy.journal import JournalEntry, LotLeg
from beancount_compute.economy.kinds import BOOKED, Kind
from beancount_compute.economy.meters import Meter, Provider
from beancount_compute.economy.months import Span
from beancount_compute.economy.roles import Pocket, Role
from beancount_compute.economy.term_values import BilledBy, Money
from beancount_compute.economy.terms import Timeline
from beancount_compute.ledger.accounts import Accounts, Roots, default_templates
from beancount_compute.ledger.component_holders import names_in
from beancount_compute.ledger.meaning import (
    Meaning,
    OwedByHand,
)
from beancount_compute.ledger.metadata import PeriodBooked, lapsed_of, period_of, price_of
from beancount_compute.ledger.writing import Writer
from tests.economy.building import (
    bill,
    book,
    cancellation,
    change,
    chargeback,
    consumption,
    grant,
    measured,
    money_refund,
    one_period,
    plan,
    purchase,
    recovery,
    refund,
    reversal,
    seat,
    spend,
    stated_cost,
    subscription,
    terms,
    top_up,
    trade,
    transfer,
    write_off,
)

POOLED: dict[Role, str] = {
    Role.RECEIVABLE: "Assets:Owed",
    Role.PAYABLE: "Liabilities:Owed",
    Role.PARTNER: "Liabilities:Owed",
    Role.REVENUE: "Income:All",
    Role.BREAKAGE: "Income:All",
    Role.FEES: "Income:All",
    Role.PARTNER_INCOME: "Income:All",
    Role.OVERAGE: "Income:All",
    Role.ACCESS_REVENUE: "Income:All",
    Role.REFUNDS: "Income:All",
    Role.DISPUTES: "Income:All",
    Role.RECOVERIES: "Income:All",
    Role.BAD_DEBT: "Expenses:Lost",
    Role.LOSSES: "Expenses:Lost",
}
BY_PLAN: dict[Role, str] = {
    Role.TOKENS: "Liabilities:Tokens:{plan}:{subscriber}",
    Role.REVENUE: "Income:Use:{plan}",
    Role.OVERAGE: "Income:Use:{plan}",
    Role.BREAKAGE: "Income:Lapsed:{plan}",
    Role.FEES: "Income:Fees:{subscriber}",
    Role.REFUNDS: "Income:Refunds:{plan}",
    Role.BAD_DEBT: "Expenses:BadDebt:{plan}",
}
SHARED: dict[Role, str] = {Role.OVERAGE: "Income:Compute", Role.FEES: "Income:Compute"}
BY_METER: dict[Role, str] = {
    Role.COST: "Expenses:Cost:{provider}:{meter}",
    Role.ACCRUED: "Liabilities:Accrued:{meter}",
}
TEMPLATES = [{}, POOLED, BY_PLAN, SHARED, BY_METER]

# alice: 1000 CU of pro at 0.20, 5 GPU of gpu at 2.00, tokens at 0.10 USD and 0.1 EUR
EVENTS = [
    subscription("2026-05-01", "alice", id="s"),
    subscription("2026-05-02", "alice", "gpu", id="g"),
    one_period("2026-05-02", "bob", "split", id="p"),
    grant("2026-05-02", "carol", "1 CU", id="known"),
    grant("2026-05-02", "dora", "7 CU", id="free"),
    top_up("2026-05-03", "alice", "100 CU", "10 USD", id="u", expires="2026-06-20"),
    top_up("2026-05-03", "alice", "100 CU", "10 EUR", id="e", expires="2026-06-25"),
    top_up("2026-05-03", "dora", "3000 CU", "20 USD", id="d"),
    trade("2026-05-04", "alice", "bob", "20 CU", "0.50 USD", id="t"),
    trade("2026-05-04", "alice", "carol", "5 CU", "0.125 EUR", id="x"),
    trade("2026-05-04", "dora", "carol", "1 CU", "0.01 USD", id="tiny"),
    transfer("2026-05-05", "alice", "carol", "5 CU", id="m"),
    spend("2026-05-05", "alice", 'the "shop"', "60 CU", "5 EUR", id="w"),
    refund("2026-05-06", "dora", "1 CU", id="r"),
    refund("2026-05-06", "alice", "20 CU", id="rr"),
    consumption("2026-05-07", "alice", "1150 CU", id="c"),
    consumption("2026-05-07", "alice", "7 GPU", id="cc"),
    consumption("2026-05-08", "dora", "8 CU", id="mixed"),
    consumption("2026-05-08", "dora", "1 CU", meter="chat/output", id="metered"),
    measured("2026-05-08", "dora", "chat/output", "250000", id="measured"),
    reversal("2026-05-09", "measured", id="back-measured"),
    *(reversal("2026-05-20", name, id=f"back-{name}") for name in ("cc", "c", "rr", "w", "x", "t")),
    reversal("2026-05-21", "p", id="back-p"),
    one_period("2026-05-21", "dora", "seat", id="seat"),
    purchase("2026-05-22", "open ai", "3000 OAI", "20 USD", id="credits", expires="2026-06-22"),
    purchase("2026-05-22", "open ai", "3000 OAI", "20 EUR", id="more"),
    reversal("2026-05-23", "more", id="back-more"),
    measured("2026-05-24", "dora", "words", "2000", units="1 CU"),
    measured("2026-05-24", "dora", "calls", "3100", units="1 CU", id="calls"),
    stated_cost("2026-05-25", "open ai", "words", "0.30 USD"),
    reversal("2026-05-26", "calls"),
    subscription("2026-05-27", "eve", "commit", id="committed"),
    consumption("2026-05-27", "eve", "2 CU", id="charged"),
    subscription("2026-05-27", "fay", "seat", id="seated"),
    change("2026-05-30", "fay", "seat", "commit", charge="1 USD", credit="1 USD", id="changed"),
    subscription("2026-05-27", "gil", "split", id="splitting"),
    consumption("2026-05-28", "gil", "2999 CU"),
    change("2026-05-30", "gil", "split", "seat", charge="0 USD", credit="5 USD", id="reduced"),
    bill("2026-06-02", "open ai", "70.25 USD", id="bill"),
    subscription("2026-06-03", "dora", "seat", id="seats"),
    cancellation("2026-06-04", "dora", "seat", id="at-once", now="true"),
    top_up("2026-06-03", "erin", "100 CU", "10 USD", id="z"),
    top_up("2026-06-04", "erin", "100 CU", "20 USD", id="y"),
    trade("2026-06-05", "erin", "carol", "50 CU", "0.10 USD"),
    consumption("2026-06-06", "erin", "10 CU"),
    write_off("2026-06-07", "z", paid="12.25 USD", id="off"),
    recovery("2026-06-08", "off", id="in"),
    money_refund("2026-06-09", "erin", "5 USD", "y", id="money"),
    money_refund("2026-06-09", "erin", "1 USD", "y", unpaid="true"),
    reversal("2026-06-10", "money", id="back-money"),
    chargeback("2026-06-11", "y", paid="10 USD", void="true", id="disputed"),
    reversal("2026-06-12", "disputed", id="back-disputed"),
    chargeback("2026-06-13", "seat", id="disputed-too"),
    bill("2026-06-03", "open ai", "-0.25 EUR", "2026-05-30", "2026-06-01", id="credit-note"),
    reversal("2026-06-28", "charged"),
]
COMMIT = plan(
    "commit",
    price="10 USD",
    units="1 CU",
    overage="2 USD",
    bill=BilledBy.PERIOD,
    minimum=Money(Decimal(9), "USD"),
)
PLANS = (
    plan(overage="0.305 USD"),
    plan("gpu", price="10 USD", units="5 GPU", overage="9 USD"),
    seat(),
    plan("split", price="19.99 USD", units="3000 CU"),
    COMMIT,
    COMMIT._replace(
        since=date(2026, 5, 28),
        overage=Money(Decimal("1.50"), "USD"),
        overage_since=date(2026, 5, 27),
    ),
)
OPTIONS: dict[str, Any] = {
    "seller_fee": "0.05",
    "buyer_fee": "0.01",
    "minimum_fee": {"USD": "0.02"},
    "seller_fixed_fee": {"USD": "0.03"},
    "buyer_fixed_fee": {"USD": "0.01"},
    "as_of": "2026-07-10",
}
METER = Meter("chat/output", date(2026, 1, 1), Money(Decimal(12), "CU"), Decimal(1000000))
# 2.00 x 0.70 accrued; 3,100 OAI, of which 3,000 are held and 100 cost 0.02
WORDS = Meter("words", METER.since, None, Decimal(1000), Money(Decimal("0.7"), "USD"), "open ai")
CALLS = Meter("calls", METER.since, None, Decimal(1), Money(Decimal(1), "OAI"), "open ai")
METERS = {each.name: Timeline([(each.since, each)]) for each in (METER, WORDS, CALLS)}
OPEN_AI = Provider("open ai", METER.since, Money(Decimal("0.02"), "USD"))
PROVIDERS = {"open ai": Timeline([(METER.since, OPEN_AI)])}
GPU = Capacity("gpu 1", date(2026, 5, 1), Money(Decimal(100), "USD"), "open ai", Span(3, 0))
CAPACITIES = {GPU.name: Timeline([(GPU.since, GPU)])}
OTHERS: dict[str, Any] = {"meters": METERS, "providers": PROVIDERS, "capacities": CAPACITIES}
OTHERS["money"] = frozenset(["USD", "EUR"])
AGREED = terms(*PLANS, **OPTIONS)._replace(**OTHERS)


def legs_of(entry: JournalEntry) -> list[str]:
    """The legs by value: a lot is equal to itself alone."""
    return sorted(
        f"{tuple(leg.lot)} {leg.units} {leg.price}" if isinstance(leg, LotLeg) else str(tuple(leg))
        for leg in entry.legs
    )


def reader(own: dict[Role, str], written: list[Transaction]) -> Meaning:
    accounts = Accounts(default_templates(Roots()) | own, {}, Roots())
    return Meaning(accounts, names_in(written, accounts, {}))


@pytest.mark.parametrize("grain", ["event", "day"])
@pytest.mark.parametrize("own", TEMPLATES)
def test_what_was_written_is_read_back(own: dict[Role, str], grain: str) -> None:
    """Every leg with its role, holder, origin and digits, and what the transaction says besides."""
    books = book(EVENTS, terms(*PLANS, **OPTIONS, grain=grain)._replace(**OTHERS))
    assert books.refusals == []
    writer = Writer(Accounts(default_templates(Roots()) | own, {}, Roots()))
    written = [writer.transaction(entry) for entry in books.journal]
    meaning = reader(own, written)
    for entry, transaction_ in zip(books.journal, written, strict=True):
        found = meaning.entry_of(transaction_)
        assert found is not None
        assert legs_of(found) == legs_of(entry)
        assert found._replace(legs=[], source="") == entry._replace(
            legs=[], event=None, source="", overage=found.overage
        )
        assert found.overage is entry.overage


@pytest.mark.parametrize("own", TEMPLATES)
def test_a_late_use_of_lapsed_units_and_of_a_minimum_is_read_back(own: dict[Role, str]) -> None:
    """Both come out of breakage; each is told by metadata of its own."""
    used = consumption("2026-05-20", "eve", "4 CU", id="late")
    events = [subscription("2026-05-01", "eve", "commit"), reversal("2026-07-02", "late")]
    books = book(events, AGREED, late={date(2026, 7, 1): [used]})
    writer = Writer(Accounts(default_templates(Roots()) | own, {}, Roots()))
    written = [writer.transaction(entry._replace(occurred=used.date)) for entry in books.journal]
    meaning = reader(own, written)
    for entry, transaction_ in zip(books.journal, written, strict=True):
        found = meaning.entry_of(transaction_)
        assert found is not None
        assert legs_of(found) == legs_of(entry)
        assert found.shortfall == entry.shortfall
    told = [each.meta["shortfall"] for each in written if "shortfall" in each.meta]
    assert "commit -6.00 USD" in told and "commit 6.00 USD" in told


def test_the_kinds_that_are_read_back_are_all_there_are() -> None:
    """So that the test above tests them."""
    assert {entry.kind for entry in book(EVENTS, AGREED).journal} == set(BOOKED) - {Kind.MINT}


def test_money_on_other_accounts_is_not_understood() -> None:
    """Overage went to `Income:Overage` before somebody named another account."""
    books = book(EVENTS, AGREED)
    writer = Writer(Accounts(default_templates(Roots()), {}, Roots()))
    written = {str(entry.id): writer.transaction(entry) for entry in books.journal}
    meaning = reader({Role.OVERAGE: "Income:Beyond"}, list(written.values()))
    assert meaning.entry_of(written["cc"]) is None
    assert meaning.entry_of(written["t"]) is not None


@pytest.mark.parametrize(
    "meta",
    [
        {"overage": "pro"},
        {"overage": "pro many USD"},
        {"overage": Amount(Decimal(1), "USD")},
        {"counterparty": None},
        {"counterparty": Decimal(5)},
        {"buyer-fee": "1.25"},
        {"seller-fixed-fee": "1.25"},
        {"price": date(2026, 5, 1)},
        {"undoes": "nothing"},
        {"period": "2026-05-01"},
        {"events": "many", "occurred": "yesterday"},
        {"back": "top-up", "moved-on": "10.00"},
        {"back": None, "of": None, "losses": "1.00"},
    ],
)
def test_metadata_that_somebody_edited_is_no_exception(meta: dict[str, Any]) -> None:
    """In a month that is closed: an error of its own."""
    writer = Writer(Accounts(default_templates(Roots()), {}, Roots()))
    written = [writer.transaction(entry) for entry in book(EVENTS, AGREED).journal]
    for entry in written:
        entry.meta.update(meta)
    meaning = reader({}, written)
    for entry in written:
        meaning.entry_of(entry)
        period_of(entry)
        price_of(entry)


def test_a_period_says_its_plan_days_and_subscription() -> None:
    """One that is allocated by itself is of no subscription; a top-up is no period."""
    writer = Writer(Accounts(default_templates(Roots()), {}, Roots()))
    written = {each.id: writer.transaction(each) for each in book(EVENTS, AGREED).journal}
    assert period_of(written["s/2026-06-01"]) == PeriodBooked(
        "pro", date(2026, 6, 1), date(2026, 6, 30), "s"
    )
    assert period_of(written["p"]) is None
    assert period_of(written["u"]) is None


def test_the_price_of_a_trade_is_on_its_postings_or_in_metadata() -> None:
    """0.50 USD of lots in USD; 0.125 EUR of lots in USD."""
    writer = Writer(Accounts(default_templates(Roots()), {}, Roots()))
    written = {each.id: writer.transaction(each) for each in book(EVENTS, AGREED).journal}
    assert price_of(written["t"]) == price_of(written["back-t"]) == Money(Decimal("0.50"), "USD")
    assert price_of(written["x"]) == price_of(written["back-x"]) == Money(Decimal("0.125"), "EUR")
    assert price_of(written["m"]) is None


def test_names_are_those_of_subscribers_not_of_partners() -> None:
    """Sellers, buyers, givers and receivers; a partner is none, in a reversal neither."""
    writer = Writer(Accounts(default_templates(Roots()), {}, Roots()))
    written = [writer.transaction(entry) for entry in book(EVENTS, AGREED).journal]
    accounts = Accounts(default_templates(Roots()), {}, Roots())
    assert names_in(written, accounts, {"zoe": "Z"}) == {
        "Alice": "alice",
        "Bob": "bob",
        "Carol": "carol",
        "Dora": "dora",
        "Eve": "eve",
        "Fay": "fay",
        "Gil": "gil",
        "Erin": "erin",
        "Z": "zoe",
    }


def test_what_people_write_on_what_is_owed_is_told_by_the_account() -> None:
    """The subscriber's or partner's account; where it is pooled, the payee."""
    text = """
2026-05-15 * "bob" "Paid"
  Assets:Bank                5.00 USD
  Assets:Receivable:Alice   -2.00 USD
  Liabilities:Partners:Shop -3.00 USD
"""
    ((entry,), _, _) = parser.parse_string(text)
    assert isinstance(entry, Transaction)
    names = {"Alice": "alice", "Bob": "bob"}
    own = Accounts(default_templates(Roots()), {}, Roots())
    assert list(Meaning(own, names).owed_by_hand(entry)) == [
        OwedByHand("Assets:Receivable:Alice", Role.RECEIVABLE, "alice", Decimal("-2.00"), "USD"),
        OwedByHand("Liabilities:Partners:Shop", Role.PARTNER, "Shop", Decimal("-3.00"), "USD"),
    ]
    pooled = Accounts(
        default_templates(Roots()) | {Role.RECEIVABLE: "Assets:Receivable:Alice"}, {}, Roots()
    )
    first, _ = Meaning(pooled, names).owed_by_hand(entry)
    assert first.party == "bob"


def test_what_had_lapsed_is_read_whatever_the_label_says_and_nothing_of_an_edited_one() -> None:
    """One key for each lot, the label last, so that no character of it is taken for an end."""
    sound = "tokens 60 CU {0.50 USD, 2026-06-01, a, {b}/2026-06-30}"
    (read,) = lapsed_of({"lapsed": sound})
    assert (read.pocket, read.number, read.commodity) == (Pocket.TOKENS, 60, "CU")
    assert read.cost == Cost(Decimal("0.50"), "USD", date(2026, 6, 1), "a, {b}/2026-06-30")
    edited = {"lapsed": "60 CU", "lapsed-2": sound.replace("06-01", "13-01"), "lapsed-3": 7}
    assert list(lapsed_of({**edited, "lapsed-4": sound.replace("60", "6.0.0")})) == []
