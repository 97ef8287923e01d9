"""From the journal to Beancount's directives."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from itertools import chain

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Price, Transaction

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import Leg, MoneyLeg, in_full, is_use
from beancount_compute.economy.lots import lot_of
from beancount_compute.economy.roles import Pocket, Role
from beancount_compute.economy.terms import Terms
from beancount_compute.ledger.accounts import Accounts, Roots, default_templates
from beancount_compute.ledger.writing import Writer, open_directives
from tests.economy.building import (
    Books,
    book,
    consumption,
    day,
    grant,
    one_period,
    plan,
    refund,
    reversal,
    spend,
    subscription,
    terms,
    top_up,
    trade,
    transfer,
)
from tests.ledger.docstrings import postings

NOWHERE = ("<beancount_compute>", 0)


def write(books: Books, **components: str) -> tuple[list[Transaction], Writer]:
    writer = Writer(Accounts(default_templates(Roots()), components, Roots()))
    return [writer.transaction(entry) for entry in books.journal], writer


ALICE = top_up("2026-05-01", "alice", "800 CU", "160 USD", id="a", line=3)
BOB = grant("2026-05-01", "bob", "5 CU", id="b", line=4)


def test_a_transaction_says_who_what_and_why() -> None:
    """Date, flag, payee, narration, tag, link, id, file and line
    (manual/language.md, section 5)."""
    (written, _), _ = write(book([ALICE, BOB]))
    assert (written.date, written.flag, written.payee) == (day("2026-05-01"), "*", "alice")
    assert written.narration == "Top-up"
    assert written.tags == {"compute-allocation"}
    assert written.links == {"lot-Alice-2026-05-01-Top-up"}
    assert written.meta["event"] == "a"
    assert (written.meta["filename"], written.meta["lineno"]) == ("books", 3)
    assert postings(written) == [
        "Assets:Receivable:Alice 160.00 USD",
        'Liabilities:DeferredRevenue:Tokens:Alice -800 CU {0.20 USD, 2026-05-01, "top-up"}',
    ]


def test_a_move_carries_the_links_of_both_holders_and_its_price() -> None:
    """One click shows a lot's life, whoever holds it; each leg says what was paid."""
    sale = trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD")
    written, _ = write(book([ALICE, BOB, sale], terms(seller_fee="0.05", buyer_fee="0.01")))
    assert written[-1].links == {"lot-Alice-2026-05-01-Top-up", "lot-Bob-2026-05-01-Top-up"}
    tokens = "Liabilities:DeferredRevenue:Tokens"
    assert postings(written[-1]) == [
        f'{tokens}:Alice 500 CU {{0.20 USD, 2026-05-01, "top-up"}} @ 0.25 USD',
        f'{tokens}:Bob -500 CU {{0.20 USD, 2026-05-01, "top-up"}} @ 0.25 USD',
        "Assets:Receivable:Bob 126.25 USD",
        "Liabilities:Payable:Alice -118.75 USD",
        "Income:Fees -7.50 USD",  # 6.25 of the seller and 1.25 of the buyer
    ]


def test_a_fixed_fee_is_a_posting_of_its_own() -> None:
    """Beside the fees of the rates, 6.25 and 1.25: 0.30 of the seller and 0.20 of the buyer."""
    sale = trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD")
    fixed = {"seller_fixed_fee": {"USD": "0.30"}, "buyer_fixed_fee": {"USD": "0.20"}}
    written, _ = write(
        book([ALICE, BOB, sale], terms(seller_fee="0.05", buyer_fee="0.01", **fixed))
    )
    assert postings(written[-1])[2:] == [
        "Assets:Receivable:Bob 126.45 USD",
        "Liabilities:Payable:Alice -118.45 USD",
        "Income:Fees -7.50 USD",
        "Income:Fees -0.50 USD",
    ]
    said = {key: str(value) for key, value in written[-1].meta.items() if "fee" in key}
    assert said == {
        "buyer-fee": "1.25 USD",
        "seller-fixed-fee": "0.30 USD",
        "buyer-fixed-fee": "0.20 USD",
    }


def test_money_on_one_account_is_one_posting_and_none_where_nothing_is_left() -> None:
    """Revenue of two origins on `Income:Compute`: 200.00 + 5.00; a sum of zero is left out.

    A refund of 2.5 CU at 0.10 (0.25) with no rounding has no revenue posting at all.
    """
    events = [
        top_up("2026-04-01", "alice", "100 CU", "10 USD"),
        one_period("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "1050 CU"),
        refund("2026-05-21", "alice", "2.5 CU"),
    ]
    written, _ = write(book(events, terms(plan())))
    assert postings(written[2])[-1] == "Income:Compute -205.00 USD"
    assert len(written[2].postings) == 3
    assert postings(written[3])[1:] == ["Liabilities:Payable:Alice -0.25 USD"]


def test_sums_of_one_account_stand_apart_by_currency() -> None:
    """Tokens of 20.00 USD for 25.00 EUR; where settlement and cost are the same, no income."""
    events = [
        ALICE,
        spend("2026-06-01", "alice", "shop", "100 CU", "25 EUR"),
        spend("2026-06-02", "alice", "shop", "100 CU", "20 USD"),
    ]
    written, _ = write(book(events))
    assert postings(written[1])[1:] == [
        "Liabilities:Partners:Shop -25.00 EUR",
        "Income:Partners 25.00 EUR",
        "Income:Partners -20.00 USD",
    ]
    assert postings(written[2])[1:] == ["Liabilities:Partners:Shop -20.00 USD"]


def test_sums_that_cancel_have_no_posting() -> None:
    """A receivable pooled with the overage's own mirror: 0.30 charged by one account to itself."""
    templates = default_templates(Roots()) | {
        Role.PAYABLE: "Liabilities:Settlement",
        Role.PARTNER: "Liabilities:Settlement",
    }
    writer = Writer(Accounts(templates, {}, Roots()))
    legs: list[Leg] = [
        MoneyLeg(role, "a", "", Decimal(number), "USD")
        for role, number in ((Role.PAYABLE, "0.30"), (Role.PARTNER, "-0.30"), (Role.FEES, "0"))
    ]
    entry = book([ALICE]).journal[0]._replace(legs=legs)
    assert writer.transaction(entry).postings == []


def test_what_is_derived_has_a_source_and_no_file() -> None:
    """Later periods, mints and expiries: deleting one in an editor can't delete the plan."""
    events = [subscription("2026-05-01", "alice", id="s", line=3)]
    agreed = terms(plan(unused="mint", token_expires="1 month"), as_of="2026-07-01")
    written, _ = write(book(events, agreed))
    places = [
        (str(each.date), sorted(each.tags), (each.meta["filename"], each.meta["lineno"]))
        for each in written
    ]
    assert places == [
        ("2026-05-01", ["compute-allocation"], ("books", 3)),
        ("2026-06-01", ["compute-mint"], NOWHERE),
        ("2026-06-01", ["compute-allocation"], NOWHERE),
        ("2026-07-01", ["compute-mint"], NOWHERE),
        ("2026-07-01", ["compute-expiry"], NOWHERE),
        ("2026-07-01", ["compute-allocation"], NOWHERE),
    ]
    assert "source" not in written[0].meta
    assert [each.meta["source"] for each in written[1:3]] == [
        "plan pro of 2026-01-01, end 2026-06-01",
        "subscription s",
    ]


def test_the_engine_s_order_stands_in_hidden_metadata() -> None:
    """It sorts as text and as it was booked; prices come behind."""
    sale = trade("2026-06-10", "alice", "bob", "5 CU", "0.25 USD")
    books = book([ALICE, BOB, sale])
    written, writer = write(books)
    price = writer.price(books.prices[0])
    orders = [each.meta["__order"] for each in [*written, price]]
    assert orders == sorted(orders)
    assert len(set(orders)) == 4
    assert price == Price(price.meta, day("2026-06-10"), "CU", Amount(Decimal("0.25"), "USD"))
    assert (price.meta["filename"], price.meta["lineno"]) == NOWHERE


def test_a_row_of_a_parquet_file_is_a_source_and_no_place() -> None:
    """Fava can't open it at a line, and must not delete the directive that names the file."""
    row = ALICE._replace(file="main.beancount", line=7, row='"may.parquet" row 2')
    (written,), _ = write(book([row]))
    assert (written.meta["filename"], written.meta["lineno"]) == NOWHERE
    assert written.meta["source"] == '"may.parquet" row 2'


def test_memo_and_columns_of_one_s_own_become_metadata() -> None:
    """In the order of the file."""
    event = ALICE._replace(memo="a note", extra=(("x_team", "red"), ("x_a", "b")))
    (written,), _ = write(book([event]))
    assert list(written.meta.items())[-3:] == [("memo", "a note"), ("x_team", "red"), ("x_a", "b")]


def test_a_reversal_says_what_it_undoes() -> None:
    """The event's id and its kind, so that sums by tag can take it off again."""
    use = consumption("2026-05-02", "alice", "5 CU", id="u")
    written, _ = write(book([ALICE, use, reversal("2026-05-03", "u", id="r", line=9)]))
    meta = written[-1].meta
    assert (meta["event"], meta["reverses"], meta["undoes"]) == ("r", "u", "consumption")
    assert meta["lineno"] == 9
    assert written[-1].tags == {"compute-reversal"}
    assert "reverses" not in written[0].meta


def meaning(entry: Transaction) -> dict[str, str]:
    """The metadata that says what no account or posting does."""
    keys = ("counterparty", "overage", "price", "period", "subscription")
    return {key: str(entry.meta[key]) for key in keys if key in entry.meta}


def test_who_is_on_the_other_side_stands_in_metadata_in_a_reversal_too() -> None:
    """Buyer, receiver and partner; no reader has to take the narration apart."""
    events = [
        ALICE,
        BOB,
        trade("2026-05-02", "alice", "bob", "5 CU", "0.25 USD", id="t"),
        transfer("2026-05-03", "alice", "bob", "5 CU", id="m"),
        spend("2026-05-04", "alice", 'the "shop"', "5 CU", "1 USD", id="s"),
        *(reversal("2026-05-05", name, id=f"r-{name}") for name in ("t", "m", "s")),
    ]
    written, _ = write(book(events))
    others = [{"counterparty": "bob"}, {"counterparty": "bob"}, {"counterparty": 'the "shop"'}]
    by_id = {entry.meta["event"]: meaning(entry) for entry in written}
    assert [by_id[name] for name in ("t", "m", "s")] == others
    assert [by_id[name] for name in ("r-t", "r-m", "r-s")] == others


def test_the_plan_of_an_overage_stands_in_metadata() -> None:
    """2 CU beyond 1000 at 0.30 are pro's; taken back they are -0.60. Of a day's uses merged into
    one, 5 GPU at 9.00 are gpu's beside them, fewer units first. Without overage nothing is said."""
    plans = plan(overage="0.30 USD"), plan("gpu", units="5 GPU", overage="9 USD")
    start = [subscription("2026-05-01", "a"), subscription("2026-05-01", "a", "gpu")]
    use = consumption("2026-05-02", "a", "1002 CU", id="u")
    written, _ = write(book([*start, use, reversal("2026-05-03", "u")], terms(*plans)))
    assert [meaning(entry) for entry in written[2:]] == [
        {"overage": "pro 0.60 USD"},
        {"overage": "pro -0.60 USD"},
    ]
    more = consumption("2026-05-02", "a", "10 GPU", id="v")
    written, _ = write(book([*start, use, more], terms(*plans, grain="day")))
    assert meaning(written[-1]) == {"overage": "gpu 45.00 USD, pro 0.60 USD"}
    written, _ = write(book([*start, consumption("2026-05-02", "a", "10 CU")], terms(*plans)))
    assert meaning(written[-1]) == {}


def test_a_price_that_no_posting_carries_stands_in_metadata() -> None:
    """Lots at cost in USD, sold for EUR: 0.3 EUR. Where one lot of two costs EUR, its posting has
    the price."""
    dear = top_up("2026-05-01", "alice", "1 CU", "1 EUR", id="e", expires="2026-07-01")
    events = [
        ALICE,
        BOB,
        trade("2026-06-10", "alice", "bob", "5 CU", "0.3 EUR", id="t"),
        reversal("2026-06-11", "t", id="r"),
    ]
    written, _ = write(book(events))
    prices = [meaning(entry).get("price") for entry in written]
    assert prices == [None, None, "0.30 EUR", "0.30 EUR"]
    written, _ = write(book([dear, *events]))
    assert [meaning(entry).get("price") for entry in written[3:]] == [None, None]


def test_a_period_says_its_days_and_its_subscription() -> None:
    """The first and last day; one that is allocated by itself belongs to no subscription."""
    events = [
        subscription("2026-05-15", "alice", id="s"),
        one_period("2026-05-16", "alice", id="p"),
        reversal("2026-05-17", "p", id="r"),
        reversal("2026-05-17", "s/2026-05-15", id="q"),
        top_up("2026-05-18", "alice", "1 CU", "1 USD", id="u"),
    ]
    written, _ = write(book(events, terms(plan())))
    of_s = {"period": "2026-05-15/2026-06-14", "subscription": "s"}
    assert {entry.meta["event"]: meaning(entry) for entry in written} == {
        "s/2026-05-15": of_s,
        "p": {"period": "2026-05-16/2026-06-15"},
        "r": {"period": "2026-05-16/2026-06-15"},
        "q": of_s,
        "u": {},
    }


def test_merged_uses_are_counted_and_named_by_the_first() -> None:
    """`event` names the first id, `events` counts them; the place is that of the first."""
    uses = [consumption("2026-05-02", "alice", "5 CU", id=f"u{n}", line=n) for n in (5, 6, 7)]
    written, _ = write(book([ALICE, *uses], terms(grain="day")))
    meta = written[-1].meta
    assert (meta["event"], meta["events"], meta["lineno"]) == ("u5", Decimal(3), 5)
    assert "events" not in written[0].meta


def test_overage_has_two_tags() -> None:
    """`#compute-overage` as well (manual/language.md, section 5)."""
    agreed = terms(plan(overage="0.30 USD"))
    events = [subscription("2026-05-01", "a"), consumption("2026-05-02", "a", "1001 CU")]
    written, _ = write(book(events, agreed))
    assert written[-1].tags == {"compute-consumption", "compute-overage"}


@pytest.mark.parametrize(
    ("name", "plan_name", "link"),
    [
        ("alice", "team 5", f"Alice-2026-05-01-Team-5-{sha256(b'team 5').hexdigest()[:6]}"),
        ("émile", "pro", f"-mile-{sha256('émile'.encode()).hexdigest()[:6]}-2026-05-01-Pro"),
        ("u_8", "pro", "Acme-2026-05-01-Pro"),
    ],
)
def test_links_name_holder_day_and_origin_as_components(
    name: str, plan_name: str, link: str
) -> None:
    """ASCII, with six hex digits of the SHA-256 where that loses something."""
    books = book([one_period("2026-05-01", name, plan_name)], terms(plan(plan_name)))
    (written,), _ = write(books, u_8="Acme")
    assert written.links == {f"lot-{link}"}


def test_units_are_never_taken_for_others_that_are_gone() -> None:
    """Uses of equal units share amounts, found by the identity of a number that stays alive."""
    _, writer = write(book([ALICE, BOB]))
    lot = lot_of(("alice", Pocket.TOKENS, "CU", Decimal("0.20"), "USD", ALICE.date, "top-up", None))
    for _ in range(3):
        for number in range(1, 200):  # each is gone with the next, which may take its place
            units = Decimal(number)
            event = consumption("2026-05-02", "alice", f"{number} CU")._replace(units=units)
            (written,) = writer.transactions([(event, "u", lot, units * lot.cost, "")])
            assert isinstance(written, Transaction)
            assert [str(each.units) for each in written.postings] == [
                f"{number} CU",
                f"{-number * lot.cost} USD",
            ]
            del written, event, units


def test_every_transaction_has_a_metadata_dictionary_of_its_own() -> None:
    """Fava takes equal ones for the same entry."""
    same = transfer("2026-05-02", "alice", "bob", "1 CU")
    written, _ = write(book([ALICE, BOB, same, same, same]))
    assert len({id(each.meta) for each in written}) == len(written)
    metas = [sorted(map(str, each.meta.items())) for each in written]
    assert all(metas.count(meta) == 1 for meta in metas)


def test_accounts_are_opened_on_the_day_of_their_first_posting() -> None:
    """By account, in alphabetical order."""
    events = [ALICE, BOB, transfer("2026-05-02", "alice", "bob", "1 CU")]
    _, writer = write(book(events))
    opened = open_directives(writer.first_used)
    assert [(each.account, str(each.date)) for each in opened] == [
        ("Assets:Receivable:Alice", "2026-05-01"),
        ("Liabilities:DeferredRevenue:Allocations:Bob", "2026-05-01"),
        ("Liabilities:DeferredRevenue:Tokens:Alice", "2026-05-01"),
        ("Liabilities:DeferredRevenue:Tokens:Bob", "2026-05-02"),
    ]
    assert all((each.meta["filename"], each.meta["lineno"]) == NOWHERE for each in opened)


def test_a_price_is_written_with_the_decimals_of_its_currency() -> None:
    """0.3 USD is shown as 0.30, 1.005 stays, yen have none."""
    prices = ("0.3 USD", "1.005 USD", "3 JPY", "2.5 JPY")
    sales = [trade(f"2026-06-0{n}", "alice", "bob", "10 CU", p) for n, p in enumerate(prices, 1)]
    eur = top_up("2026-05-01", "alice", "100 CU", "20 USD")
    written, _ = write(book([eur, BOB, *sales]))
    found = [each.postings[0].price for each in written if "compute-trade" in each.tags]
    numbers = [str(price.number) for price in found if price is not None]
    assert numbers[:2] == ["0.30", "1.005"]


def test_a_price_in_another_currency_than_the_cost_is_not_written_on_the_lot() -> None:
    """Beancount's strict booking refuses `5 CU {0.20 USD} @ 0.25 EUR`: cost and price must match.

    The day's `price` directive says it all the same.
    """
    sale = trade("2026-06-10", "alice", "bob", "5 CU", "0.25 EUR")
    written, _ = write(book([ALICE, BOB, sale]))
    assert [posting.price for posting in written[-1].postings] == [None] * 4


# The short form


def both_ways(events: list[Event], agreed: Terms, own: dict[Role, str]) -> list[Transaction]:
    """The transactions of records, which must be the same in their short form and in full."""
    accounts = Accounts(default_templates(Roots()) | own, {}, Roots())
    short, full = Writer(accounts), Writer(accounts)
    records = list(
        chain.from_iterable(Bookkeeper(Facts(events), agreed, accounts.component).records())
    )
    assert any(is_use(each) for each in records)
    written = short.transactions(records)
    entries = [in_full(each) for each in records]
    assert [repr(each) for each in written] == [repr(each) for each in full.transactions(entries)]
    assert short.first_used == full.first_used
    return [each for each in written if isinstance(each, Transaction)]


@pytest.mark.parametrize("own", [{}, {Role.REVENUE: "Income:Use:{plan}"}])
def test_uses_are_written_as_in_full(own: dict[Role, str]) -> None:
    """Equal numbers at other unit costs, in other digits, of another commodity, of a grant."""
    events = [
        subscription("2026-05-01", "alice", id="s"),
        subscription("2026-05-01", "bob", id="t"),
        subscription("2026-05-01", "carol", "dear", id="u"),
        subscription("2026-05-01", "dora", "gpu", id="v"),
        grant("2026-05-01", "erin", "5 CU", id="w"),
    ]
    numbers = ("1 CU", "1.0 CU", "1 CU", "2 CU")
    for name in ("alice", "bob", "carol", "erin"):
        events += [consumption("2026-05-02", name, number, id="x") for number in numbers]
        events[-4:] = [each._replace(id=f"{name}-{n}") for n, each in enumerate(events[-4:])]
    events += [
        consumption("2026-05-02", "dora", "1 GPU", id="y"),
        consumption("2026-05-02", "alice", "1 CU", id="m", memo="by night"),
        consumption("2026-05-02", "alice", "1 CU", id="e", extra=(("x_a", "b"),)),
        consumption("2026-05-02", "alice", "1 CU", id="r")._replace(
            file="main.beancount", line=7, row='"may.parquet" row 2'
        ),
    ]
    plans = plan(), plan("dear", price="300 USD"), plan("gpu", units="1000 GPU")
    written = both_ways(events, terms(*plans), own)
    assert len(written) == len(events)
