"""Exposure: what hangs on each provider, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from rich.cells import cell_len

from beancount_compute.reports.bill_match import BILL_MATCH
from beancount_compute.reports.books import Selection
from beancount_compute.reports.exposure import EXPOSURE
from beancount_compute.reports.figures import CellAsked, NotSummed, Report
from beancount_compute.reports.tables import NOT_NAMED
from beancount_compute.reports.text_face import render
from tests.reports.showing import Shown, added, at_cost, books_of, figures, unexplained

HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
"""
# The year on one screen, with a quote from the start and one from June on.
YEAR = """\
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-plan" "wrap" 120.00 USD 100 CU
2026-05-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-06-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "llama"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-quote" "chat" "mistral" 0.50 USD
2026-06-01 custom "compute-quote" "chat" "openai" 1.00 USD
2026-05-01 custom "compute-purchase" "openai" 200 OAI 200.00 USD
  expires: "12 months"
2026-05-01 custom "compute-subscription" "alice" "wrap"
2026-05-20 custom "compute-consumption" "alice" 80 CU
2026-06-10 custom "compute-consumption" "alice" 50 CU
"""
# Of a use that nobody measured, of films in EUR, and of what is of no meter: a bill that is 2.00
# more, credits that lapse.
MORE = """\
option "operating_currency" "EUR"
2026-05-01 custom "compute-plan" "gpus" 10.00 USD 10 GPU
  overage: 3.00 USD
2026-06-01 custom "compute-meter" "films"
  units: 2 GPU
  per: 10
  cost: 25.00 EUR
  provider: "llama"
2026-05-01 custom "compute-subscription" "bob" "gpus"
2026-05-02 custom "compute-purchase" "openai" 3 OAI 6.00 USD
  expires: 2026-05-10
2026-05-21 custom "compute-consumption" "bob" 4 GPU
2026-06-11 custom "compute-consumption" "bob"
  id: "films"
  meter: "films"
  quantity: 60
2026-06-12 custom "compute-consumption" "bob"
  id: "wrong"
  meter: "films"
  quantity: 10
2026-06-12 custom "compute-bill" "llama" 22.00 USD
  from: 2026-06-01
  to: 2026-06-11
2026-06-13 custom "compute-reversal" "wrong"
"""
ALL_DAYS, JUNE = Selection(), Selection(end=date(2026, 6, 30))


def table(ledger: str, name: str, selection: Selection = ALL_DAYS) -> Shown:
    return figures(EXPOSURE, books_of(HEAD + ledger), selection, name)


def test_units_by_provider() -> None:
    """80 and 50 of 130."""
    assert table(YEAR, "units-by-provider") == {
        ("openai", "CU"): {"units": "80", "share_of_units": "0.615385"},
        ("llama", "CU"): {"units": "50", "share_of_units": "0.384615"},
    }


def test_cost_and_margin_by_provider() -> None:
    """80.00 and 20.00 of cost, 96.00 and 60.00 of revenue; and if either asks more."""
    assert table(YEAR, "money-by-provider") == {
        ("openai", "USD"): {
            "cost": "80.00",
            "share_of_cost": "0.8",
            "revenue": "96.00",
            "margin": "16.00",
            "share_of_margin": "0.285714",
            "margin_at_10_percent": "8.00",
            "margin_at_50_percent": "-24.00",
            "margin_at_100_percent": "-64.00",
        },
        ("llama", "USD"): {
            "cost": "20.00",
            "share_of_cost": "0.2",
            "revenue": "60.00",
            "margin": "40.00",
            "share_of_margin": "0.714286",
            "margin_at_10_percent": "38.00",
            "margin_at_50_percent": "30.00",
            "margin_at_100_percent": "20.00",
        },
    }
    (shown,) = EXPOSURE.tables(books_of(HEAD + YEAR), ALL_DAYS, "money-by-provider")
    (total,) = shown.totals
    assert [str(cell or "") for cell in total] == [
        *("total", "USD", "100.00", "", "156.00", "56.00", "", "46.00", "6.00", "-44.00")
    ]


def test_what_is_of_no_meter_or_provider_has_its_row() -> None:
    """6.00 lapsed, 2.00 of variance; 4 GPU of nobody; 6 films took 12 GPU, 6 of June's 10 beyond
    those held at 3.00 each, and cost 150.00 EUR."""
    found = table(YEAR + MORE, "money-by-meter")
    assert {row: {k: v for k, v in of.items() if k in ("cost", "revenue")}
            for row, of in found.items()} == {
        ("openai", "chat", "USD"): {"cost": "80.00", "revenue": "96.00"},
        ("openai", NOT_NAMED, "USD"): {"cost": "6.00"},
        ("llama", "chat", "USD"): {"cost": "20.00", "revenue": "60.00"},
        ("llama", NOT_NAMED, "USD"): {"cost": "2.00"},
        ("llama", "films", "USD"): {"revenue": "16.00"},
        ("llama", "films", "EUR"): {"cost": "150.00"},
        (NOT_NAMED, NOT_NAMED, "USD"): {"revenue": "4.00"},
    }  # fmt: skip
    assert found["llama", "films", "EUR"]["margin_at_50_percent"] == "-225.00"
    assert table(YEAR + MORE, "units-by-meter")[NOT_NAMED, NOT_NAMED, "GPU"] == {
        "units": "4", "share_of_units": "0.25"
    }  # fmt: skip


def test_a_subscriber_a_plan_and_days_select() -> None:
    """What is of no subscriber is then left out."""
    for chosen in (Selection(subscriber="bob"), Selection(plan="gpus")):
        found = table(YEAR + MORE, "money-by-provider", chosen)
        assert {row: of["cost"] for row, of in found.items() if "cost" in of} == {
            ("llama", "EUR"): "150.00"
        }
    may = table(YEAR, "money-by-provider", Selection(end=date(2026, 5, 31)))
    assert [row for row, _ in may] == ["openai"]


def test_the_same_uses_at_the_quotes_of_others() -> None:
    """80 and 50 at 0.50; openai's own price would hold for June's 50 alone."""
    assert table(YEAR, "quotes") == {
        ("openai", "chat", "mistral", "USD"): {
            "cost": "80.00",
            "quoted": "40.00",
            "difference": "-40.00",
        },
        ("llama", "chat", "mistral", "USD"): {
            "cost": "20.00",
            "quoted": "25.00",
            "difference": "5.00",
        },
        ("llama", "chat", "openai", "USD"): {
            "cost": "20.00",
            "quoted": "50.00",
            "difference": "30.00",
        },
    }


def test_a_quote_is_for_a_quantity_as_the_cost_is() -> None:
    """60 films at 1.111 for 10: 6.666; the 10 that were undone are nothing."""
    quote = '2026-06-01 custom "compute-quote" "films" "reels" 1.111 USD\n'
    found = table(YEAR + MORE + quote, "quotes")
    assert found["llama", "films", "reels", "USD"]["quoted"] == "6.67"
    assert found["llama", "films", "reels", "EUR"] == {"cost": "150.00", "difference": "-150.00"}


def test_a_ledger_without_providers_has_no_rows() -> None:
    ledger = (
        '2026-01-01 custom "compute-plan" "wrap" 120.00 USD 100 CU\n'
        '2026-05-01 custom "compute-subscription" "alice" "wrap"\n'
        '2026-05-20 custom "compute-consumption" "alice" 80 CU\n'
    )
    assert not any(shown.rows for shown in EXPOSURE.tables(books_of(HEAD + ledger), ALL_DAYS))


# 182 of 282 are drawn in the 91 days to 30 June: 2 a day. 100 are left with 31 days, which take 62;
# of 100 more with 62 days the next 62 are taken. What was drawn in February and March is no pace.
CREDITS = """\
2026-01-01 custom "compute-option" "as-of" 2026-06-30
2026-01-01 custom "compute-provider" "openai"
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 1 OAI
  provider: "openai"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-allocation" "alice" 1000 CU 1000.00 USD
2026-02-10 custom "compute-purchase" "openai" 50 OAI 50.00 USD
2026-03-20 custom "compute-consumption" "alice" 50 CU
2026-04-01 custom "compute-purchase" "openai" 282 OAI 282.00 USD
  expires: 2026-08-01
2026-04-01 custom "compute-purchase" "openai" 100 OAI 90.00 USD
  expires: 2026-09-01
2026-04-02 custom "compute-purchase" "openai" 10 OAI 7.00 USD
2026-04-20 custom "compute-consumption" "alice" 100 CU
2026-06-20 custom "compute-consumption" "alice" 82 CU
"""
ENDS = [("2026-08-01", "2026-04-01", "1.00"), ("2026-09-01", "2026-04-01", "0.90")]


def unused(ledger: str, selection: Selection = JUNE) -> list[tuple[str, ...]]:
    (shown,) = EXPOSURE.tables(books_of(HEAD + ledger), selection, "unused")
    return [tuple([str(cell) for cell in row]) for row in shown.rows]


def test_credits_that_cannot_be_used_before_they_end() -> None:
    """38 of either lot; one without an end is never lost."""
    assert unused(CREDITS) == [
        ("openai", "OAI", *ENDS[0], "USD", "100", "38", "38.00"),
        ("openai", "OAI", *ENDS[1], "USD", "100", "38", "34.20"),
        ("openai", "OAI", "no end", "2026-04-02", "0.70", "USD", "10", "0", "0.00"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "row", "pace"),
    [
        (None, "2026-06-30", ("2026-04-01", "2026-06-30"), ("182", "91", "2")),
        (None, "2026-06-29", ("2026-03-01", "2026-05-31"), ("150", "92", "1.630435")),
        ("2026-05-15", "2026-06-30", ("2026-06-01", "2026-06-30"), ("82", "30", "2.733333")),
        ("2026-05-01", "2026-06-30", ("2026-05-01", "2026-06-30"), ("82", "61", "1.344262")),
        ("2026-06-11", "2026-06-30", ("2026-06-11", "2026-06-30"), ("82", "20", "4.1")),
        (None, "2026-02-20", ("2026-02-10", "2026-02-20"), ("", "11", "")),
        (None, "2026-02-28", ("2026-02-10", "2026-02-28"), ("", "19", "")),
        (None, "2026-03-31", ("2026-03-01", "2026-03-31"), ("50", "31", "1.612903")),
    ],
)
def test_the_pace_is_that_of_three_whole_months_or_fewer(
    start: str | None, end: str, row: tuple[str, str], pace: tuple[str, str, str]
) -> None:
    """Whole ones within the days that are asked for, since credits are held."""
    selection = Selection(date.fromisoformat(start) if start else None, date.fromisoformat(end))
    found = table(CREDITS, "pace", selection)
    figures_ = dict(zip(("drawn", "days", "a_day"), pace, strict=True))
    assert found == {("openai", "OAI", *row): {k: v for k, v in figures_.items() if v}}


def test_credits_that_come_back_are_no_pace_below_zero() -> None:
    """In June only those of April came back: all 382 that end are lost."""
    ledger = CREDITS.replace('20 custom "compute-consumption" "alice" 100 CU\n', (
        '20 custom "compute-consumption" "alice" 100 CU\n  id: "wrong"\n'
    )).replace(
        '2026-06-20 custom "compute-consumption" "alice" 82 CU',
        '2026-06-20 custom "compute-reversal" "wrong"',
    )  # fmt: skip
    assert [row[-2:] for row in unused(ledger, JUNE._replace(start=date(2026, 6, 1)))] == [
        ("282", "282.00"),
        ("100", "90.00"),
        ("0", "0.00"),
    ]


def test_a_lot_that_ends_tomorrow_is_lost() -> None:
    """On 31 July no day is left for the first, and 31 for the second."""
    first, second, _ = unused(CREDITS, Selection(end=date(2026, 7, 31)))
    # drawn 82 in the 92 days of May to July
    assert first[-3:] == ("100", "100", "100.00")
    assert second[-3:-1] == ("100", "72.369565")


def test_a_forecast_has_no_transactions() -> None:
    """It is worked out from a pace; the pace itself is explained."""
    books = books_of(HEAD + CREDITS)
    row = ("openai", "OAI", *ENDS[0][:2], Decimal("1.00"), "USD")
    with pytest.raises(NotSummed, match="pace"):
        EXPOSURE.trace(books, JUNE, CellAsked("unused", row, "unused"))
    row = ("openai", "OAI", "2026-04-01", "2026-06-30")
    traced = EXPOSURE.trace(books, JUNE, CellAsked("pace", row, "a_day"))
    assert [str(number) for _, number in traced] == ["1.098901", "0.901099"]


@pytest.mark.parametrize("ledger", [YEAR, YEAR + MORE, CREDITS])
def test_rows_add_up_to_what_is_booked(ledger: str) -> None:
    """The cost of all rows is the first bill, with what lapsed and what bills differ by."""
    books = books_of(HEAD + ledger)
    sums = added(EXPOSURE, books, "money-by-provider")
    assert sums["cost"] == at_cost(books, "Expenses:Compute")
    assert sums["revenue"] == -at_cost(books, "Income:Compute") - at_cost(books, "Income:Overage")
    by_meter = added(EXPOSURE, books, "money-by-meter")
    shares = {key for key in sums if key.startswith("share")}
    assert {key: sums[key] for key in sums.keys() - shares} == {
        key: by_meter[key] for key in by_meter.keys() - shares
    }


@pytest.mark.parametrize("ledger", [YEAR, YEAR + MORE, CREDITS])
def test_transactions_add_up_to_each_figure(ledger: str) -> None:
    """Rows and totals, of all tables; but for days and forecasts."""
    forecast = {f"unused {key}" for key in ("held", "unused", "lost")}
    assert unexplained(EXPOSURE, books_of(HEAD + ledger)) == {"pace days", *forecast}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("report", [EXPOSURE, BILL_MATCH], ids=lambda report: report.name)
def test_reports_of_providers_fit_a_terminal(report: Report, width: int) -> None:
    """No line is longer, and nothing is cut."""
    text = render(report.tables(books_of(HEAD + YEAR + MORE), ALL_DAYS), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
