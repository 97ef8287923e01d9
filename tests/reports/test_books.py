"""The reading of a loaded ledger: each fact once, with its sources, whatever the accounts are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.roles import Earning, Role
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import Trade
from tests.reports.story import HEAD, STORY, books_of, figures, rows

PARTIES = """\
2026-01-01 custom "compute-allocation" "alice" 1000 CU 200.00 USD
2026-01-01 custom "compute-grant" "bob" 1 CU
"""


def earned(books: Books) -> list[tuple[str, str, str, str]]:
    """Income: kind, subscriber, plan, amount."""
    return [(i.earning, i.subscriber, i.origin, f"{i.amount:f}") for i in books.incomes]


def owed(books: Books) -> list[tuple[str, str, str, str]]:
    return [(o.role, o.party, f"{o.amount:f}", o.kind) for o in books.owed]


def fees(trade: Trade) -> tuple[str, str, str]:
    return f"{trade.gross:f}", f"{trade.seller_fee:f}", f"{trade.buyer_fee:f}"


def test_the_story_is_read_in_the_order_of_the_books() -> None:
    """Each movement with its flow, holder and what it adds to deferred revenue."""
    books = books_of(STORY)
    assert [
        (str(m.date), m.flow, m.subscriber, m.pocket, int(m.units), f"{m.amount:f}")
        for m in books.movements
    ] == [
        ("2026-05-01", "allocated", "alice", "allocations", 1000, "200.00"),
        ("2026-05-01", "allocated", "bob", "allocations", 1000, "200.00"),
        ("2026-05-20", "used", "alice", "allocations", -200, "-40.00"),
        ("2026-05-20", "used", "bob", "allocations", -1000, "-200.00"),
        ("2026-06-01", "minted", "alice", "allocations", -800, "-160.00"),
        ("2026-06-01", "minted", "alice", "tokens", 800, "160.00"),
        ("2026-06-01", "allocated", "alice", "allocations", 1000, "200.00"),
        ("2026-06-01", "allocated", "bob", "allocations", 1000, "200.00"),
        ("2026-06-10", "traded out", "alice", "tokens", -500, "-100.00"),
        ("2026-06-10", "traded in", "bob", "tokens", 500, "100.00"),
        ("2026-06-20", "used", "bob", "allocations", -1000, "-200.00"),
        ("2026-06-20", "used", "bob", "tokens", -400, "-80.00"),
    ]
    assert books.subscribers == {"alice", "bob"}
    assert books.origins == {"pro"}
    assert books.last_day == date(2026, 6, 20)


def test_a_movement_knows_its_lot_and_its_transaction() -> None:
    """The lot is the same object in every hand; `at` finds the event."""
    books = books_of(STORY)
    sold, bought = (each for each in books.movements if each.date == date(2026, 6, 10))
    assert sold.lot is bought.lot
    assert (sold.lot.month, sold.lot.origin, sold.lot.end) == (
        "2026-05",
        "pro",
        date(2027, 6, 1),
    )
    assert books.transactions[sold.at].meta["event"] == "trade"


def test_income_and_what_is_owed_follow_from_the_kind() -> None:
    """40 + 200 in May; fee 6.25, then 200 + 80 of two lots in June; four bills and a trade."""
    books = books_of(STORY)
    assert earned(books) == [
        ("compute", "alice", "pro", "40.00"),
        ("compute", "bob", "pro", "200.00"),
        ("fees", "alice", "pro", "6.25"),
        ("compute", "bob", "pro", "200.00"),
        ("compute", "bob", "pro", "80.00"),
    ]
    assert owed(books) == [
        ("receivable", "alice", "200.00", "allocation"),
        ("receivable", "bob", "200.00", "allocation"),
        ("receivable", "alice", "200.00", "allocation"),
        ("receivable", "bob", "200.00", "allocation"),
        ("receivable", "bob", "125.00", "trade"),
        ("payable", "alice", "-118.75", "trade"),
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # 30 CU at 0.25 is 7.50: 5 % is 0.375, half-even 0.38; 1 % is 0.075, half-even 0.08
        ('"seller-fee" 0.05\n2026-01-01 custom "compute-option" "buyer-fee" 0.01', "0.38 0.08"),
        ('"buyer-fee" 0.01', "0 0.08"),
        (
            (
                '"seller-fee" 0.05\n2026-01-01 custom "compute-option" "buyer-fee" 0.01\n'
                '2026-01-01 custom "compute-option" "minimum-fee" 0.50 USD'
            ),
            "0.50 0.50",
        ),
        ('"seller-fee" 1', "7.50 0"),  # no payable is left
    ],
)
def test_each_side_of_a_trade_pays_its_own_fee(options: str, expected: str) -> None:
    """One posting of fees holds both; units x price tells them apart."""
    books = books_of(
        HEAD + PARTIES + f'2026-01-01 custom "compute-option" {options}\n'
        '2026-02-01 custom "compute-trade" "alice" "bob" 30 CU 0.25 USD\n'
    )
    (trade,) = books.trades
    seller, buyer = expected.split()
    assert (trade.gross, trade.seller_fee, trade.buyer_fee) == tuple(
        map(Decimal, ("7.50", seller, buyer))
    )
    assert [(i.subscriber, i.amount) for i in books.incomes] == [
        (name, Decimal(fee)) for name, fee in (("alice", seller), ("bob", buyer)) if fee != "0"
    ]


def test_a_trade_in_another_currency_than_the_lots_is_worked_out_from_its_money() -> None:
    """100 CU at 0.30 EUR: 30.00; fees 1.50 and 0.30; the lots cost USD, and show no price."""
    books = books_of(
        HEAD + PARTIES + '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
        '2026-01-01 custom "compute-option" "buyer-fee" 0.01\n'
        '2026-02-01 custom "compute-trade" "alice" "bob" 100 CU 0.30 EUR\n'
    )
    (trade,) = books.trades
    assert fees(trade) == ("30.00", "1.50", "0.30")
    assert (trade.price, trade.currency) == (Decimal("0.3"), "EUR")


def test_a_fee_on_several_lots_is_split_by_their_units() -> None:
    """100 of pro and 200 of a top-up for 30.00 at 5 %: 1.50, of which 0.50 and 1.00."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
        '2026-01-01 custom "compute-plan" "pro" 10.00 USD 100 CU\n  unused: "mint"\n'
        '  token-expires: "1 month"\n'
        '2026-01-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-01-15 custom "compute-cancellation" "alice" "pro"\n'
        '2026-01-01 custom "compute-allocation" "alice" 200 CU 40.00 USD\n'
        '2026-01-01 custom "compute-grant" "bob" 1 CU\n'
        '2026-02-02 custom "compute-trade" "alice" "bob" 300 CU 0.10 USD\n'
    )
    assert earned(books) == [
        ("fees", "alice", "pro", "0.50"),
        ("fees", "alice", "top-up", "1.00"),
    ]


def test_partner_income_is_each_lots_cost_less_its_share_of_the_settlement() -> None:
    """40 CU at 0.20 and 60 at 0.10, settled for 5.00: 8.00 - 2.00 and 6.00 - 3.00."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-allocation" "alice" 40 CU 8.00 USD\n'
        '2026-01-02 custom "compute-allocation" "alice" 60 CU 6.00 USD\n'
        '2026-02-01 custom "compute-spend" "alice" "shop" 100 CU 5.00 USD\n'
    )
    by_lot: dict[str, Decimal] = {}
    for income in books.incomes:
        assert income.earning is Earning.PARTNER_INCOME
        assert income.lot is not None
        by_lot[str(income.lot.date)] = by_lot.get(str(income.lot.date), Decimal()) + income.amount
    assert by_lot == {"2026-01-01": Decimal("6.00"), "2026-01-02": Decimal("3.00")}
    assert owed(books)[-1] == ("partner", "shop", "-5.00", "spend")


def test_what_the_rounding_of_a_refund_leaves_is_revenue() -> None:
    """1 CU of 20.00 for 3000 is 0.006666: 0.01 is given back, -0.003334 is left."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-allocation" "alice" 3000 CU 20.00 USD\n'
        '2026-02-01 custom "compute-refund" "alice" 1 CU\n'
    )
    assert earned(books) == [("compute", "alice", "top-up", "-0.003334")]
    assert [each.flow for each in books.movements][-1] is Flow.REFUNDED


def test_overage_belongs_to_the_plan_that_priced_it() -> None:
    """Alice has two plans; the newer one's price holds: 10 CU at 0.50."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-plan" "old" 10.00 USD 100 CU\n  overage: 0.30 USD\n'
        '2026-01-01 custom "compute-plan" "new" 10.00 USD 100 CU\n  overage: 0.50 USD\n'
        '2026-01-01 custom "compute-account" "overage" Income:Compute\n'
        '2026-01-01 custom "compute-subscription" "alice" "old"\n'
        '2026-01-03 custom "compute-subscription" "alice" "new"\n'
        '2026-01-05 custom "compute-consumption" "alice" 210 CU\n'
    )
    assert earned(books) == [
        ("compute", "alice", "old", "10.00"),
        ("compute", "alice", "new", "10.00"),
        ("overage", "alice", "new", "5.00"),
    ]


def test_overage_in_another_unit_belongs_to_the_plan_of_that_unit() -> None:
    """The newer plan sells GPU, in the same currency; 100 CU beyond 1000 fall under the older one,
    at 0.30."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  overage: 0.30 USD\n'
        '2026-01-01 custom "compute-plan" "gpu" 10.00 USD 100 GPU\n  overage: 9.00 USD\n'
        '2026-01-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-01-03 custom "compute-subscription" "alice" "gpu"\n'
        '2026-01-05 custom "compute-consumption" "alice" 1100 CU\n'
    )
    assert earned(books)[-1] == ("overage", "alice", "pro", "30.00")
    pro, *others = rows(books, "revenue", "by-plan")
    assert (pro["plan"], others) == ("pro", [])
    assert figures(pro) == {"compute": "200.00", "overage": "30.00", "total": "230.00"}


def test_an_opening_lot_stands_before_what_is_booked_on_its_day() -> None:
    """It can be used on the day itself."""
    books = books_of(
        HEAD + "2026-01-01 open Equity:Opening\n"
        '2026-01-02 custom "compute-consumption" "Zoe" 4 CU\n'
        '2026-01-02 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Zoe  -10 CU {0.20 USD, 2025-12-01, "pro"}\n'
        "  Equity:Opening\n"
    )
    assert [each.flow for each in books.movements] == ["opening", "used"]


def test_a_reversal_is_the_negative_of_what_it_undoes() -> None:
    """The trade of the story and bob's first use, undone."""
    books = books_of(
        STORY.replace("1400", "900") + '2026-06-21 custom "compute-reversal" "trade"\n'
        '2026-06-22 custom "compute-reversal" "use-bob"\n'
    )
    trade, undone = books.trades
    assert undone == trade._replace(
        date=date(2026, 6, 21),
        units=-trade.units,
        gross=-trade.gross,
        seller_fee=-trade.seller_fee,
        buyer_fee=-trade.buyer_fee,
        lots=((trade.lots[0][0], Decimal(-500)),),
        times=-1,
        at=undone.at,
    )
    flows = [(m.flow, m.subscriber, int(m.units)) for m in books.movements if m.undoes]
    assert flows[:2] == [("traded out", "alice", 500), ("traded in", "bob", -500)]
    assert flows[2] == ("used", "bob", 1000)
    assert [f"{i.amount:f}" for i in books.incomes if i.undoes] == ["-6.25", "-200.00"]


def test_pooled_and_shared_accounts_are_told_apart_by_kind() -> None:
    """One income account for all, one receivable for all, payable and partners in one."""
    pooled = "".join(
        f'2026-01-01 custom "compute-account" "{role}" "{account}"\n'
        for role, account in {
            "receivable": "Assets:Owed",
            "payable": "Liabilities:Owed",
            "partner": "Liabilities:Owed",
            "revenue": "Income:All",
            "breakage": "Income:All",
            "fees": "Income:All",
            "overage": "Income:All",
            "partner-income": "Income:All",
        }.items()
    )
    plain, shared = books_of(STORY), books_of(STORY + pooled)
    assert earned(shared) == earned(plain)
    assert owed(shared) == owed(plain)
    assert str(shared.trades) == str(plain.trades)  # lots are of their own books


def test_payments_by_hand_belong_to_who_the_account_or_the_payee_names() -> None:
    """By account; by payee where receivables are pooled; nobody's where neither names one."""
    payments = (
        "2026-05-01 open Assets:Bank\n"
        '2026-05-10 * "Payment"\n  Assets:Bank  200.00 USD\n  Assets:Receivable:Alice\n'
        '2026-05-11 * "bob" "Payment"\n  Assets:Bank  150.00 USD\n  Assets:Receivable\n'
        '2026-05-12 * "Payment"\n  Assets:Bank  50.00 USD\n  Assets:Receivable\n'
    )
    template = '2026-01-01 custom "compute-account" "receivable" "Assets:{}"\n'
    own = books_of(
        STORY + payments.split("2026-05-11")[0] + template.format("Receivable:{subscriber}")
    )
    pooled = books_of(
        STORY + payments.replace("Receivable:Alice", "Receivable") + template.format("Receivable")
    )
    by_hand = [(o.role, o.party, f"{o.amount:f}") for o in own.owed if not o.kind]
    assert by_hand == [("receivable", "alice", "-200.00")]
    by_hand = [(o.role, o.party, f"{o.amount:f}") for o in pooled.owed if not o.kind]
    assert by_hand == [
        (Role.RECEIVABLE, "", "-200.00"),
        (Role.RECEIVABLE, "bob", "-150.00"),
        (Role.RECEIVABLE, "", "-50.00"),
    ]


def test_a_template_of_bare_subscribers_takes_no_other_account() -> None:
    """With Assets:{subscriber}, Assets:Bank is still no subscriber's."""
    books = books_of(
        STORY + '2026-01-01 custom "compute-account" "receivable" "Assets:{subscriber}"\n'
        "2026-05-01 open Assets:Bank\n2026-05-01 open Equity:Own\n"
        '2026-05-10 * "Capital"\n  Assets:Bank  200.00 USD\n  Equity:Own\n'
    )
    assert [each for each in books.owed if not each.kind] == []


def test_openings_and_removals_are_movements_too() -> None:
    """10 CU come and 1 goes by hand; the account names the holder where nothing else does."""
    books = books_of(
        HEAD + "2026-01-01 open Equity:Opening\n"
        '2026-01-01 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Zoe  -10 CU {0.20 USD, 2025-12-01, "pro"}\n'
        "  Equity:Opening\n"
        '2026-01-09 * "Write-off"\n'
        '  Liabilities:DeferredRevenue:Tokens:Zoe  1 CU {0.20 USD, 2025-12-01, "pro"}\n'
        "  Equity:Opening\n"
    )
    assert [(m.flow, m.subscriber, int(m.units)) for m in books.movements] == [
        ("opening", "Zoe", 10),
        ("removed by hand", "Zoe", -1),
    ]


def test_merged_movements_of_all_add_up_to_the_single_ones() -> None:
    """The quick form holds the same units and money, day by day."""
    books = books_of(STORY)
    assert sum(m.units for m in books.movements_of_all) == 1400
    assert sum(m.amount for m in books.movements_of_all) == Decimal("280.00")
    assert sum(i.amount for i in books.incomes_of_all) == Decimal("526.25")
    allocated = [m for m in books.movements_of_all if m.flow is Flow.ALLOCATED]
    assert [int(each.units) for each in allocated] == [2000, 2000]


def test_a_selection_keeps_its_days_subscriber_and_plan() -> None:
    """Both days are included; a trade belongs to seller and buyer."""
    books = books_of(STORY)
    june = Selection(date(2026, 6, 10), date(2026, 6, 10))
    assert [each.subscriber for each in june.incomes(books)] == ["alice"]
    assert len(june.movements(books)) == 10  # what came before counts too
    assert len(june._replace(subscriber="bob").trades(books)) == 1
    assert june._replace(subscriber="carol").trades(books) == []
    assert june._replace(plan="free").trades(books) == []
    assert june.covers(date(2026, 6, 10)) and not june.covers(date(2026, 6, 11))


def test_the_price_on_a_day_is_the_last_one_up_to_it() -> None:
    """The trade of 10 June sets it; before, there is none."""
    books = books_of(STORY)
    assert books.price_on(date(2026, 6, 9), "CU", "USD") is None
    assert books.price_on(date(2026, 6, 10), "CU", "USD") == Decimal("0.25")
    assert books.price_on(date(2026, 6, 10), "CU", "EUR") is None


def test_an_empty_ledger_has_empty_books() -> None:
    """Nothing to read, and no last day."""
    books = books_of(HEAD)
    assert (books.movements, books.incomes, books.last_day) == ((), (), None)
