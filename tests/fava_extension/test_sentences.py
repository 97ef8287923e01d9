"""What pages say about figures is true of them: sentences, titles, notes, and what is left out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.close.sealing import close, write
from tests.close.test_closing import ROWS, TERMS
from tests.fava_extension.serving import EXTENSION, Site, exact, journal, report, rows, tables
from tests.reports.story import STORY


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The story of the language in Fava."""
    ledger = tmp_path_factory.mktemp("story") / "main.beancount"
    ledger.write_text(STORY + EXTENSION)
    return Site(ledger)


def said(page: dict[str, Any], name: str) -> str:
    """What a picture says in words; names begin as given."""
    (text,) = [
        block["caption"]
        for block in page["blocks"]
        if block["kind"] == "chart" and block["name"].startswith(name)
    ]
    return str(text)


def words(page: dict[str, Any]) -> list[str]:
    """The paragraphs of a page."""
    return [block["text"] for block in page["blocks"] if block["kind"] == "words"]


def titles(page: dict[str, Any]) -> list[str]:
    """The titles of a page."""
    return [block["title"] for block in page["blocks"] if "title" in block]


def written(folder: Path, text: str) -> Site:
    """A ledger of its own, in Fava."""
    (folder / "main.beancount").write_text(text)
    return Site(folder / "main.beancount")


@pytest.mark.parametrize("sort", ["", "receivable", "payable"])
def test_a_plan_shows_no_column_of_what_is_owed(story: Site, sort: str) -> None:
    """bob owes 525.00 under whatever plan: a 0.00 would deny it. By name, where that was sorted."""
    page = story.page("subscribers", plan="pro", sort=sort, order="desc" if sort else "")
    assert page["notes"] == ["What is owed is left out: a bill may be for several plans."]
    keys = {column["key"] for column in tables(page)["subscribers"]["columns"]}
    assert {"units", "carrying_amount"} <= keys
    assert keys.isdisjoint({"receivable", "payable"})
    block = tables(page)["subscribers"]
    assert block["sort"]["key"] == "subscriber"
    assert {row["subscriber"]: row["units"] for row in rows(block)} == {
        "alice": "1300",
        "bob": "100",
    }
    assert exact(tables(story.page("subscribers"))["subscribers"]["footer"][0][-2]) == "925.00"


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        ({"time": "2026-05-10 - 2026-05-20"}, "160.00 USD at the end of 2026-05-20."),
        ({"time": "2026-05-10 - 2026-05-20", "interval": "week"}, "at the end of 2026-05-20."),
        ({"time": "2026-05"}, "160.00 USD at the end of 2026-05."),
        ({}, "280.00 USD at the end of 2026-06-20."),
        ({"interval": "year"}, "280.00 USD at the end of 2026-06-20."),
        ({"time": "2026"}, "280.00 USD at the end of 2026-06-20."),
    ],
)
def test_the_end_of_a_period_that_is_not_over_is_a_day(
    story: Site, asked: dict[str, str], end: str
) -> None:
    """800 CU x 0.20 after 20 May; 1,400 CU x 0.20 on 20 June, where the books end."""
    assert said(story.page("overview", **asked), "deferred-revenue").endswith(end)


def test_income_of_a_month_so_far_says_so(story: Site) -> None:
    """20 days of June against the 31 of May; a month that is over needs no word."""
    page = story.page("overview")
    assert "Income, 2026-06-01 to 2026-06-20, so far, against 2026-05-01 to 2026-05-31, in USD" in (
        titles(page)
    )
    assert "The books end on 2026-06-20: 20 days stand against 31." in words(page)
    page = story.page("overview", time="2026-05")
    assert "Income, 2026-05-01 to 2026-05-31, against 2026-04-01 to 2026-04-30, in USD" in (
        titles(page)
    )
    assert words(page) == []


@pytest.mark.parametrize("view", ["overview", "subscribers", "market", "vintages", "economics"])
def test_days_behind_the_books_are_no_facts(story: Site, view: str) -> None:
    """A note names the day on which they end; the as-of option moves it."""
    note = "The books end on 2026-06-20; nothing after it is derived."
    assert note in story.page(view, time="2027")["notes"]
    assert story.page(view, time="2026-06-01 - 2026-06-20")["notes"] == []


def test_the_as_of_day_is_the_end_of_the_books(tmp_path: Path) -> None:
    """Set to 30 June, June is over; balances are those of that day."""
    option = '2026-01-01 custom "compute-option" "as-of" 2026-06-30\n'
    site = written(tmp_path, STORY + option + EXTENSION)
    assert site.page("overview", time="2026-06")["notes"] == []
    (note,) = site.page("overview", time="2026-Q3")["notes"]
    assert note.startswith("The books end on 2026-06-30;")


def test_what_is_held_is_named_by_a_day_of_the_books(story: Site) -> None:
    """Nobody knows what is held at the end of 2027."""
    assert "Held on 2026-06-20" in titles(story.page("overview", time="2027"))
    assert "Subscribers on 2026-06-20, in CU, USD" in titles(story.page("subscribers", time="2027"))


def test_units_are_not_called_revenue(story: Site) -> None:
    """1,000 CU of June with alice and 400 tokens with both."""
    page = story.page("overview", conversion="units", time="2026-06")
    assert said(page, "deferred-revenue") == "Open units are 1,400 CU at the end of 2026-06-20."


def test_a_long_time_filter_shows_the_days_of_the_books(story: Site) -> None:
    """51 days from 1 May to 20 June, of eight thousand years; one period where none is booked."""
    page = story.page("overview", interval="day", time="1000 - 9000")
    assert len(rows(tables(page)["deferred-revenue-USD"])) == 51
    (row,) = rows(tables(story.page("overview", time="2027"))["deferred-revenue-USD"])
    assert (row["month"], row["opening"], row["closing"]) == ("2027-01", "280.00", "280.00")


def test_too_many_periods_are_refused(tmp_path: Path) -> None:
    """A payment of the year 0202, a typo: 1,800 years are drawn year by year, but not by day."""
    typo = (
        "0202-05-01 open Assets:Bank\n0202-05-01 open Equity:Other\n"
        '0202-05-01 * "typo"\n  Assets:Bank  1 USD\n  Equity:Other\n'
    )
    site = written(tmp_path, STORY + EXTENSION + typo)
    refused = site.refusal("overview", interval="day", time="0100 - 9000")["error"]
    days = (date(2026, 6, 20) - date(202, 5, 1)).days
    assert refused.startswith(f"these are over {days:,} days, ")
    assert refused.endswith(
        "and a page shows 4,000 at most: choose fewer days in the time filter, or a longer interval"
    )
    assert site.page("overview", interval="year", time="0100 - 9000")["blocks"]
    assert site.page("overview", interval="day")["blocks"]


@pytest.mark.parametrize("share", ["1e-99999999", "1e-3", "0.1234567890123", "2", "-0", "+.5"])
def test_a_share_is_a_plain_number(story: Site, share: str) -> None:
    """An exponent of a few letters would make hundreds of millions of digits."""
    assert "is no share" in story.refusal("economics", displaced=share)["error"]


@pytest.mark.parametrize("share", ["0", "1", "1.0", ".5", "0.123456789012"])
def test_a_plain_share_is_taken(story: Site, share: str) -> None:
    """With up to twelve decimals."""
    assert story.page("economics", displaced=share)["blocks"]


def test_a_closed_month_reaches_to_its_end(closed_quarter: Site) -> None:
    """The last booking of June is of its middle; June is sealed, so it is over."""
    page = closed_quarter.page("overview", time="2026-06")
    assert page["notes"] == []
    assert "Held on 2026-06-30" in titles(page)
    (note,) = closed_quarter.page("overview", time="2026-07")["notes"]
    assert note.startswith("The books end on 2026-07-08;")


@pytest.mark.parametrize("account", ["Alice", "Income:Fees", "Liabilities:DeferredRevenue:Tokens"])
def test_views_of_several_accounts_say_that_the_filter_does_not_apply(
    market_year: Site, account: str
) -> None:
    """The figures are those of all accounts: each row of vintages adds up, 25 trades of March have
    tokens to be of, and their fees are those that Overview shows without the filter.
    """
    for view in ("vintages", "market"):
        asked = {"time": "2026-03", **({"interval": "month"} if view == "market" else {})}
        page, whole = (
            market_year.page(view, account=account, **asked),
            market_year.page(view, **asked),
        )
        (note,) = page["notes"]
        assert note.startswith("The account filter does not apply here: ")
        assert page["blocks"] == whole["blocks"]
    for row in rows(tables(market_year.page("vintages", account=account))["recognised"]):
        added = Decimal(row["added"])
        parts = [Decimal(n) for key, n in row.items() if key not in ("vintage", "added") and n]
        assert added == sum(parts)


def test_a_filter_of_entries_chooses_trades_of_the_whole_market(tmp_path: Path) -> None:
    """bob sells 100 of his 500 on to carl and uses 400: alice keeps 300, carl 100."""
    more = '2026-06-15 custom "compute-subscriber" "carl" "Carl"\n'
    more += '2026-06-15 custom "compute-trade" "bob" "carl" 100 CU 0.30 USD\n  id: "on"\n'
    site = written(tmp_path, STORY + more + EXTENSION)
    page = site.page("market", filter='payee:"bob"', interval="month")
    (row,) = rows(tables(page)["by-month"])
    assert (row["trades"], row["units"], row["outstanding"]) == ("1", "100", "400")
    assert row["turnover"] == "0.25"
    assert page["notes"] == [
        "The filter of entries chooses trades; tokens outstanding are of the whole market."
    ]
    (row,) = rows(tables(site.page("market", interval="month"))["by-month"])
    assert (row["trades"], row["units"], row["outstanding"]) == ("2", "600", "400")


def test_a_price_is_an_average_and_may_not_be_what_values_are_made_at(market_year: Site) -> None:
    """On 31 December (40 x 0.243 + 330 x 0.247) / 370; the ledger's own price says 0.247."""
    text = said(market_year.page("market", interval="day"), "market-")
    assert text == (
        "The average price of 2026-12-31, the last day with trades, is 0.246568 USD per CU. "
        "Tokens that are held are valued at 0.247 USD per CU, the ledger's own price of 2026-12-31."
    )
    text = said(market_year.page("market", interval="year"), "market-")
    assert text.startswith("The average price of 2026, the last year with trades, is 0.2")
    assert text.endswith("valued at 0.247 USD per CU, the ledger's own price of 2026-12-31.")


def test_a_price_that_is_the_average_is_said_once(story: Site) -> None:
    """One trade, 500 CU at 0.25; its fee is 5 % of 125.00."""
    page = story.page("market", interval="day")
    price = "The average price of 2026-06-10, the last day with trades, is 0.25 USD per CU."
    assert said(page, "market-") == price
    assert said(page, "fees-") == "The fees are 6.25 USD on 2026-06-10."


def test_fees_are_those_of_all_days_shown(market_year: Site) -> None:
    """As the report by month adds them up, not those of the last day."""
    by_month = report("market", market_year.ledger, "--table", "by-month")["by-month"]
    total = sum(Decimal(row["fees"]) for row in by_month)
    text = said(market_year.page("market"), "fees-")
    assert text == f"The fees are {total:.2f} USD in all, from 2026-01 to 2026-12."


def test_a_sentence_rounds_as_its_tile_does(market_year: Site) -> None:
    """14404.449 USD, of which the tile shows 14,404.45."""
    text = said(market_year.page("overview"), "deferred-revenue")
    assert text == "Deferred revenue is 14,404.45 USD at the end of 2026-12."


def test_rates_of_a_column_have_as_many_places(story: Site) -> None:
    """500 of 800 are sold: 62.5 %; 6.25 of 125.00: 5 %. The tooltip holds the number."""
    table = tables(story.page("market", interval="day"))["by-day"]
    keys = [column["key"] for column in table["columns"]]
    assert table["rows"][0][keys.index("take_rate")] == ["5.00 %", "0.05"]
    assert table["rows"][0][keys.index("turnover")] == ["62.50 %", "0.625"]


def test_a_unit_stands_before_its_currency(story: Site) -> None:
    """In whatever order the columns of a report are."""
    shown = titles(story.page("subscribers", subscriber="alice"))
    assert "Lots held by alice at the end, in CU, USD" in shown
    assert "Lines, in CU, USD" in shown


def deltas(page: dict[str, Any]) -> dict[str, str]:
    """What the headlines say about the time before, by label."""
    return {
        item["label"]: item["delta"]
        for block in page["blocks"]
        if block["kind"] == "figures"
        for item in block["items"]
    }


def test_headlines_say_more_or_less_than_before_by_sign_and_word(story: Site) -> None:
    """May closed with 800 CU, 160.00 and no token; June has 1,400, 280.00 and 400 tokens at 0.25.
    Use earned 240.00 in May and 280.00 in June, fees 6.25: 46.25 of 240.00 are 19.27 %.
    """
    assert deltas(story.page("overview")) == {
        "Units outstanding": "\u25b2 +600 (+75.0 %), more than on 2026-05-31",
        "Deferred revenue, at carrying amount": "\u25b2 +120.00 (+75.0 %), more than on 2026-05-31",
        "Tokens, at market price": "\u25b2 +100.00, more than on 2026-05-31",
        "Income": "\u25b2 +46.25 (+19.3 %), more than in 2026-05",
        "Compute": "\u25b2 +40.00 (+16.7 %), more than in 2026-05",
        "Breakage": "= as in 2026-05",
        "Fees": "\u25b2 +6.25, more than in 2026-05",
    }
    of_days = deltas(story.page("overview", time="2026-05-21 - 2026-05-31"))
    assert of_days["Income"] == "\u25bc -240.00 (-100.0 %), less than in 2026-05-10 to 2026-05-20"
    assert of_days["Units outstanding"] == "= as on 2026-05-20"


def test_an_error_of_fava_alone_stops_no_close(tmp_path: Path) -> None:
    """The extension named twice: Beancount has no error, and no other view warns."""
    site = written(tmp_path, STORY + EXTENSION + EXTENSION)
    page = site.page("close")
    assert not [text for text in words(page) if "a close stops" in text]
    assert "The ledger has no errors." in words(page)
    assert "errors" not in tables(page)
    (row,) = rows(tables(page)["errors-of-fava"])
    assert row["place"] == "main.beancount:22"
    assert site.page("overview")["blocks"][0]["kind"] == "controls"


def test_errors_of_both_are_counted_apart(tmp_path: Path) -> None:
    """Two uses beyond the holdings are the ledger's; in an included file, named by its path."""
    (tmp_path / "more").mkdir()
    use = '2026-06-21 custom "compute-consumption" "alice" 9999 CU\n'
    (tmp_path / "more" / "uses.beancount").write_text(use + use.replace("9999", "9998"))
    site = written(tmp_path, f'{STORY}{EXTENSION}{EXTENSION}include "more/uses.beancount"\n')
    page = site.page("close")
    assert "The ledger has 2 errors: a close stops until all are mended." in words(page)
    places = [row["place"] for row in rows(tables(page)["errors"])]
    assert places == ["more/uses.beancount:1", "more/uses.beancount:2"]
    assert len(tables(page)["errors-of-fava"]["rows"]) == 1
    warning = site.page("market")["blocks"][0]
    assert warning["text"].startswith("The ledger has 2 errors;")
    assert warning["link"] == "Show them"


def test_a_month_that_is_not_over_is_not_offered_without_a_word(
    closed_quarter: Site, market_year: Site
) -> None:
    """July's last event is of the 8th; January has eleven months behind it."""
    said_of_july = "The books end on 2026-07-08 so far: close 2026-07 when the month is over."
    assert said_of_july in words(closed_quarter.page("close"))
    assert not [text for text in words(market_year.page("close")) if "is over" in text]


def test_a_month_that_has_not_begun_is_not_offered(tmp_path: Path) -> None:
    """May and June are closed: of July the page says what the command says, and no tie-outs."""
    ledger = write(tmp_path / "books", TERMS, *ROWS)
    close(ledger, "2026-05", "2026-06")
    site = written(ledger.parent, ledger.read_text() + EXTENSION)
    page = site.page("close")
    assert (
        "2026-07 has not begun in this ledger: nothing happened on 2026-07-01 or later. Close it "
        "when it is over; if nothing happens in it, set the option as-of to 2026-07-31."
    ) in words(page)
    assert not [block for block in page["blocks"] if block["kind"] == "copy"]
    assert site.page("close", endpoint="ties")["blocks"] == []


def test_what_causes_a_difference_is_a_tie_out_at_a_place(tmp_path: Path) -> None:
    """A posting of a lot that nobody holds, on line 24, of a transaction on line 23; no path."""
    hand = (
        '2026-05-02 open Equity:Other\n2026-05-25 * "odd"\n'
        "  Liabilities:DeferredRevenue:Tokens:Alice  5 CU {0.99 USD, 2026-01-01}\n"
        "  Equity:Other\n"
    )
    page = written(tmp_path, STORY + EXTENSION + hand).page("close", endpoint="ties")
    table = tables(page)["differences"]
    assert [column["title"] for column in table["columns"]] == ["place", "tie-out"]
    assert {row["place"].partition(": ")[0] for row in rows(table)} == {
        "main.beancount:23",
        "main.beancount:24",
    }
    assert all(row[0]["href"] for row in table["rows"])


def test_a_tick_beside_a_difference_is_explained(market_year: Site, story: Site) -> None:
    """The ledger's own price of 1 January is 0.20, the day's average 0.239."""
    page = market_year.page("close", endpoint="ties")
    (row,) = [row for row in tables(page)["tie-outs"]["rows"] if exact(row[6]) == "0.039"]
    assert row[0]["label"] == "only shown, does not stop a close"
    assert [text for text in words(page) if "a price which the ledger gives itself" in text]
    assert not [text for text in words(story.page("close", endpoint="ties")) if "tick" in text]


def test_tiles_of_several_currencies_are_told_apart(tmp_path: Path) -> None:
    """eve's 300 CU for 90.00 EUR beside the 1,400 CU that cost dollars."""
    euro = (
        '2026-01-01 custom "compute-plan" "euro" 90.00 EUR 300 CU\n  unused: "mint"\n'
        '2026-06-15 custom "compute-subscription" "eve" "euro"\n'
    )
    page = written(tmp_path, STORY + euro + EXTENSION).page("overview")
    tiles = [block for block in page["blocks"] if block["kind"] == "figures"][:2]
    assert [block["title"] for block in tiles] == [
        "Held on 2026-06-20: CU of lots in EUR",
        "Held on 2026-06-20: CU of lots in USD",
    ]
    shown = [[exact(item["value"]) for item in block["items"]] for block in tiles]
    assert shown == [["300", "90.00", "-"], ["1400", "280.00", "100.00"]]


def test_access_has_words_of_its_own(tmp_path: Path) -> None:
    """eve's seat of 90.00 USD beside units: it is paid for, and has no lots to name."""
    seat = (
        '2026-01-01 custom "compute-plan" "seat" 90.00 USD\n'
        '2026-06-15 custom "compute-subscription" "eve" "seat"\n'
    )
    site = written(tmp_path, STORY + seat + EXTENSION)
    page = site.page("overview")
    tiles = [block for block in page["blocks"] if block["kind"] == "figures"][:2]
    assert [block["title"] for block in tiles] == [
        "Held on 2026-06-20: access in USD",
        "Held on 2026-06-20: CU of lots in USD",
    ]
    # of access, and with the 280.00 of units
    assert [exact(item["value"]) for item in tiles[0]["items"]] == ["90.00", "370.00"]
    assert said(site.page("vintages"), "recognised").startswith("Each row is what was paid for in")


def test_what_is_unbilled_has_a_tile_a_bar_and_a_table(tmp_path: Path) -> None:
    """750 CU at 0.02 are used on 10 June, and invoiced a month later."""
    payg = (
        '2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU\n'
        '  overage: 0.02 USD\n  bill: "month"\n'
        '2026-06-05 custom "compute-subscription" "eve" "payg"\n'
        '2026-06-10 custom "compute-consumption" "eve" 750 CU\n'
    )
    site = written(tmp_path, STORY + payg + EXTENSION)
    page = site.page("owed")
    (tiles,) = [block for block in page["blocks"] if block["kind"] == "figures"]
    shown = {item["label"]: exact(item["value"]) for item in tiles["items"]}
    assert shown["Unbilled, not invoiced yet"] == "15.00"
    assert said(page, "by-age").endswith("What is unbilled is as old as its use.")
    (row,) = rows(tables(page)["unbilled"])
    assert (row["subscriber"], row["days_1_30"]) == ("eve", "15.00")
    (eve,) = rows(tables(site.page("subscribers", q="eve"))["subscribers"])
    owed = eve["receivable"], eve["unbilled"], eve["payable"]
    assert owed == ("0.00", "15.00", "0.00")


def test_what_was_lost_stands_below_the_overview(story: Site, tmp_path: Path) -> None:
    """zoe's top-up of 20.00 is used, and never paid; within other days there is nothing of it."""
    unpaid = (
        '2026-06-01 custom "compute-allocation" "zoe" 100 CU 20.00 USD\n  id: "top"\n'
        '2026-06-02 custom "compute-consumption" "zoe" 100 CU\n'
        '2026-06-19 custom "compute-write-off" "top"\n'
    )
    site = written(tmp_path, STORY + unpaid + EXTENSION)
    (row,) = rows(tables(site.page("overview"))["lost"])
    assert (row["month"], row["bad_debt"], row["total"]) == ("2026-06", "20.00", "20.00")
    assert "lost" not in tables(site.page("overview", time="2026-05"))
    assert "lost" not in tables(story.page("overview"))


@pytest.mark.parametrize("interval", ["month", "quarter", "year"])
def test_breakage_or_market_is_named_by_its_interval_and_days(
    market_year: Site, interval: str
) -> None:
    """Tables by quarter say so; tiles name what they add up."""
    page = market_year.page("economics", interval=interval)
    assert f"Breakage or market, by {interval}, in USD" in titles(page)
    assert tables(page)["money-by-month"]["columns"][0]["title"] == interval
    assert "Breakage or market, by plan, in USD" in titles(page)
    first, last = {
        "month": ("2026-01", "2026-12"),
        "quarter": ("2026-Q1", "2026-Q4"),
        "year": ("2026", "2026"),
    }[interval]
    wanted = f"Left unused in {first}" + (f" to {last}" if first != last else "")
    assert f"{wanted} (USD)" in titles(page)
    assert "Left unused in 2026-03 (USD)" in titles(market_year.page("economics", time="2026-03"))


@pytest.mark.parametrize(
    ("time", "costs"),
    [
        ("", ["unit cost from 2025-01-01", "unit cost from 2026-07-01"]),
        ("2026-03", ["unit cost from 2025-01-01"]),
        ("2026-06-30", ["unit cost from 2025-01-01"]),
        ("2026-06-15 - 2026-07-01", ["unit cost from 2025-01-01", "unit cost from 2026-07-01"]),
        ("2026-07-15", ["unit cost from 2026-07-01"]),
    ],
)
def test_assumptions_are_those_of_the_days(market_year: Site, time: str, costs: list[str]) -> None:
    """0.045 from 2025 on, 0.041 from July; and no option of the command line."""
    page = market_year.page("economics", time=time)
    found = rows(tables(page)["assumptions"])
    assert [row["assumption"] for row in found] == ["displaced sales", *costs]
    assert found[0]["value"] == "none"
    assert "--displaced" not in str(page)


def test_every_trade_is_on_a_page(market_year: Site) -> None:
    """Twenty a page, the largest first: the 269 of the event files, of which 1 was reversed."""
    first = tables(market_year.page("market"))["largest"]
    assert first["title"] == "Trades, the largest first, in CU, USD"
    gross: list[Decimal] = []
    for number in range(1, first["pages"] + 1):
        block = tables(market_year.page("market", page=str(number)))["largest"]
        assert block["page"] == number
        gross += [Decimal(row["gross"]) for row in rows(block)]
    assert gross == sorted(gross, reverse=True)
    by_month = report("market", market_year.ledger, "--table", "by-month")["by-month"]
    assert len(gross) == first["found"] == sum(int(row["trades"]) for row in by_month) + 1 == 269
    last = tables(market_year.page("market", page="99"))["largest"]
    assert last["page"] == first["pages"]


@pytest.mark.parametrize(("interval", "count"), [("day", 2), ("month", 28), ("year", 270)])
def test_a_row_of_the_market_leads_to_its_trades(
    market_year: Site, interval: str, count: int
) -> None:
    """2 and 28 rows of the event file of December; 269 of all, and a reversal, in the year."""
    block = tables(market_year.page("market", interval=interval))[f"by-{interval}"]
    found = journal(market_year, block["rows"][0][0]["href"])
    assert len(found) == count
    times = [-1 if "compute-reversal" in entry.tags else 1 for entry in found]
    assert sum(times) == int(rows(block)[0]["trades"])


@pytest.mark.parametrize("interval", ["day", "week", "month", "quarter", "year"])
def test_a_row_leads_to_the_trades_of_the_days_asked_for(market_year: Site, interval: str) -> None:
    """From 10 February to 12 May, the day of a reversal: rows of parts of intervals too."""
    time = "2026-02-10 - 2026-05-12"
    page = market_year.page("market", interval=interval, time=time)
    block = tables(page)[f"by-{interval}"]
    for row, link in zip(rows(block), block["rows"], strict=True):
        found = journal(market_year, link[0]["href"])
        times = [-1 if "compute-reversal" in entry.tags else 1 for entry in found]
        assert sum(times) == int(row["trades"])


def test_a_trade_with_marks_in_its_id_leads_to_itself_alone(tmp_path: Path) -> None:
    """An id is any text: a quotation mark, a bracket and a dot mean nothing to the filter."""
    terms, _, _ = STORY.partition('2026-06-10 custom "compute-trade"')
    (tmp_path / "t.csv").write_text(
        "date,event,subscriber,counterparty,units,commodity,price,currency,id\n"
        '2026-06-10,trade,alice,bob,100,CU,0.25,USD,"a""b(.\'*&#"\n'
        '2026-06-11,trade,alice,bob,90,CU,0.25,USD,"a""b(x\'*&#"\n'
    )
    site = written(tmp_path, f'{terms}{EXTENSION}2026-01-01 custom "compute-events" "t.csv"\n')
    block = tables(site.page("market"))["largest"]
    assert [exact(row[1]) for row in block["rows"]] == ["a\"b(.'*&#", "a\"b(x'*&#"]
    for row in block["rows"]:
        (entry,) = journal(site, row[1]["href"])
        assert entry.meta["event"] == exact(row[1])


@pytest.mark.parametrize("asked", [{}, {"time": "2026-06"}, {"plan": "pro"}])
def test_a_statement_shows_what_was_earned(story: Site, asked: dict[str, str]) -> None:
    """alice used 200 CU at 0.20 in May, and paid 5 % of 125.00 in June."""
    page = story.page("subscribers", subscriber="alice", **asked)
    shown = {row["month"]: row["total"] for row in rows(tables(page)["revenue"])}
    earned = {"2026-05": "40.00", "2026-06": "6.25"}
    assert shown == {month: n for month, n in earned.items() if asked.get("time", month) == month}
    options = [part for key, value in asked.items() for part in (_OPTIONS[key], value)]
    said_of = report("revenue", story.ledger, "--subscriber", "alice", *options)["by-month"]
    assert shown == {row["month"]: row["total"] for row in said_of}


_OPTIONS = {"time": "--month", "plan": "--plan"}
