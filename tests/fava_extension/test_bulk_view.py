"""Subscribers of a ledger whose months were booked in bulk: the page looks them up in Parquet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.bulk.looking_up import lookup
from tests.bulk import small_months as small
from tests.fava_extension.serving import EXAMPLES, EXTENSION, Site, rows, tables, totals

PEOPLE = ("alice", "bob", "Zoë <i>")


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """May and June: alice uses 620 of her 1000 CU and buys 100, bob cancels, Zoë sells him 50."""
    folder = tmp_path_factory.mktemp("bulk")
    small.month(
        folder,
        "2026-05",
        *[small.subscription("01", name) for name in PEOPLE],
        small.use("20", "alice", 620),
        small.top_up("03", PEOPLE[2], 60, "6.00"),
    )
    small.month(
        folder,
        "2026-06",
        small.top_up("02", "alice", 100, "25.00"),
        {"event": "cancellation", "date": "09", "subscriber": "bob", "plan": "pro"},
        small.trade("10", PEOPLE[2], "bob", 50, "0.25"),
        small.use("12", "alice", 250),
    )
    (folder / "main.beancount").write_text(small.LEDGER + EXTENSION)
    return Site(folder / "main.beancount")


def listed(page: dict[str, Any]) -> list[dict[str, str]]:
    return rows(tables(page)["subscribers"])


def test_the_table_is_of_the_last_month_s_end(bulk: Site) -> None:
    """Alice: 380 minted and 100 bought, 750 left of June's: a quarter of it is used."""
    page = bulk.page("subscribers")
    zoe, alice, bob = listed(page)
    assert [zoe["subscriber"], bob["subscriber"]] == ["Zoë <i>", "bob"]
    shown = ("plan", "status", "units", "share_used", "carrying_amount", "market_value")
    assert [alice[key] for key in shown] == ["pro", "running", "1230", "0.25", "251.00", "120.00"]
    assert (bob["status"], bob["units"], bob["next_expiry"]) == ("cancelled", "2050", "2026-07-01")
    assert totals(tables(page)["subscribers"])[0]["units"] == "5290"
    assert page["notes"] == [
        "What is owed is left out: payments are not told by subscriber in bulk."
    ]


def test_a_month_can_be_chosen(bulk: Site) -> None:
    """May's end; in the course of a month its end is shown, and said."""
    page = bulk.page("subscribers", time="2026-05")
    assert [row["units"] for row in listed(page)] == ["1060", "380", "1000"]
    assert len(page["notes"]) == 1
    page = bulk.page("subscribers", time="2026-05-10")
    assert tables(page)["subscribers"]["title"].startswith("Subscribers on 2026-05-31")
    assert page["notes"][0] == "Months in bulk are known at their ends: on 2026-05-31."
    assert not listed(bulk.page("subscribers", time="2026-04"))


def test_names_can_be_searched_sorted_and_paged(
    bulk: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By part of a name, by a figure; a list that has an end says so."""
    assert [row["subscriber"] for row in listed(bulk.page("subscribers", q="ZOE"))] == ["Zoë <i>"]
    assert not listed(bulk.page("subscribers", q="nobody"))
    by_units = listed(bulk.page("subscribers", sort="units", order="desc"))
    assert [row["units"] for row in by_units] == ["2050", "2010", "1230"]
    falling = listed(bulk.page("subscribers", order="desc", page="7"))
    assert [row["subscriber"] for row in falling] == ["bob", "alice", "Zoë <i>"]
    of_plan = listed(bulk.page("subscribers", plan="top-up"))
    assert [row["units"] for row in of_plan] == ["60", "100"]
    fixed = {
        c["key"] for c in tables(bulk.page("subscribers"))["subscribers"]["columns"] if "fixed" in c
    }
    assert fixed == {"share_used", "market_value"}
    assert "sort by subscriber, plan" in bulk.refusal("subscribers", sort="share_used")["error"]
    monkeypatch.setattr(lookup, "MOST_FOUND", 2)
    page = bulk.page("subscribers", sort="next_expiry")
    assert len(listed(page)) == 2
    assert page["notes"][0] == "Only the first 2 in this order are listed."


def test_a_statement_is_by_month(bulk: Site) -> None:
    """Newest first, with what was charged, and no payments; of some months, of one plan."""
    page = bulk.page("subscribers", subscriber="alice")
    found = tables(page)
    assert page["about"] == "alice"
    assert [*found] == ["money", "subscriptions", "lots", "bills", "lines", "revenue"]
    line = rows(found["lines"])[0]
    assert (line["month"], line["flow"], line["units"]) == ("2026-06", "used", "-250")
    assert (line["units_held"], line["amount_held"]) == ("1230", "251.00")
    assert [row["amount"] for row in rows(found["bills"])] == ["25.00", "200.00", "200.00"]
    june = tables(bulk.page("subscribers", subscriber="alice", time="2026-06"))
    assert rows(june["money"])[0]["opening"] == "76.00"
    top_up = tables(bulk.page("subscribers", subscriber="alice", plan="top-up"))
    assert [row["units"] for row in rows(top_up["lots"])] == ["100"]
    assert "Nothing in these days." in str(
        bulk.page("subscribers", subscriber="alice", time="2027")
    )


def test_a_name_that_nobody_has_is_refused(bulk: Site) -> None:
    """With a way back; on other pages, too."""
    refused = bulk.refusal("subscribers", subscriber="nobody")
    assert refused["error"] == 'the months in bulk have no subscriber "nobody"'
    assert refused["blocks"][1]["text"] == "All subscribers"
    assert "no plan" in bulk.refusal("subscribers", plan="none")["error"]


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_on_other_views_nobody_is_chosen(bulk: Site, name: str) -> None:
    """Their figures are of all; an address that names somebody says so."""
    for view in ("overview", "market", "close", "vintages"):
        page = bulk.page(view, subscriber=name)
        said = "The subscriber does not apply here: months in bulk tell one apart on Subscribers"
        assert [each for each in page["notes"] if "subscriber" in each] == [f"{said} alone."]
        assert page["blocks"] == bulk.page(view)["blocks"]


def test_filters_of_postings_do_not_apply(bulk: Site) -> None:
    """Fava's filters of accounts and entries: the note says why."""
    notes = bulk.page("subscribers", account="Income", filter="#x", subscriber="bob")["notes"]
    assert sum("have no postings in the ledger" in note for note in notes) == 2


def test_figures_order_nothing_where_they_are_hidden(bulk: Site) -> None:
    """Under `--incognito` rows stand in the order of names."""
    hidden = Site(bulk.ledger, incognito=True)
    page = hidden.page("subscribers", sort="units", order="desc")
    assert listed(page)[-1]["subscriber"] == "Zoë <i>"
    assert any("an order by amounts would tell them" in note for note in page["notes"])


def test_closed_months_count_the_rows_that_were_booked(tmp_path: Path) -> None:
    """The pilot of the example; where its folder can't be read nothing is counted."""
    ledger = shutil.copytree(EXAMPLES / "bulk-month", tmp_path / "copy") / "main.beancount"
    ledger.write_text(ledger.read_text() + EXTENSION)
    (sealed,) = rows(tables(Site(ledger).page("close"))["seals"])
    assert (sealed["month"], sealed["events"]) == ("2026-03", "500")
    (ledger.parent / "bulk" / "2026-03" / "control.csv").write_text("what\nrows\n")
    assert rows(tables(Site(ledger).page("close"))["seals"])[0]["events"] == ""


def test_without_the_extra_a_sentence_says_how_to_get_it(
    bulk: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has the sentence, and nothing else fails."""
    for name in [each for each in sys.modules if each.startswith("beancount_compute.bulk.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    (block,) = [each for each in Site(bulk.ledger).page("subscribers")["blocks"] if "text" in each]
    assert block["text"].startswith("duckdb is not installed")
    assert block["text"].endswith('pip install "beancount_compute[bulk]"')


def test_a_file_that_is_cut_off_is_told(bulk: Site, tmp_path: Path) -> None:
    """Which month, and what to do."""
    small.month(tmp_path, "2026-05", small.subscription("01", "alice"))
    (tmp_path / "main.beancount").write_text(small.LEDGER + EXTENSION)
    path = tmp_path / "bulk" / "2026-05" / "lots.parquet"
    path.write_bytes(path.read_bytes()[:30])
    (block,) = [
        each
        for each in Site(tmp_path / "main.beancount").page("subscribers")["blocks"]
        if "text" in each
    ]
    assert "book that month anew" in block["text"]
