"""The close pack: files with the reports' figures, and a page that fetches and runs nothing."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from beancount_compute.close.pack import pack_digests, pack_files
from beancount_compute.close.pack.estimates_in_pack import is_estimate
from beancount_compute.close.pack.pack_page import (
    PackPage,
    page_text,
    plotly_bundle,
)
from beancount_compute.close.tie_outs import TieOut, tie_outs
from beancount_compute.insight.all_estimates import INSIGHTS
from beancount_compute.reports.books import Selection
from beancount_compute.reports.charts import charts, plotly_file
from beancount_compute.reports.exchange import csv_of
from beancount_compute.reports.registry import REPORTS
from tests.close.tie_outs.ledgers import Ledger, load
from tests.close.tie_outs.test_tie_outs import STORY

MAY = Selection(date(2026, 5, 1), date(2026, 5, 31))
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
SEAL = "sha256:9f2c"
ESTIMATED = ["cohorts", "groups", "growth-CU-USD", "forecast-CU-USD"]  # pictures of estimates


def packed(ledger: Ledger) -> dict[str, bytes]:
    of_month = [event for event in ledger.events if event.date.month == 5]
    ties = tie_outs(ledger.books(), "2026-05", of_month)
    return pack_files(ledger.entries, ledger.options, "2026-05", SEAL, ties)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return load(f'option "title" "Books & Co"\n{STORY}')


@pytest.fixture(scope="module")
def pack(ledger: Ledger) -> dict[str, bytes]:
    return packed(ledger)


@pytest.fixture
def no_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotly_file, "path", lambda: None)


class Seen(HTMLParser):
    """What a page holds: elements, what it refers to, text outside scripts, figures."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.refers: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.refers += [str(found[name]) for name in ("src", "href") if name in found]
        self.handlers += [name for name in found if name.startswith("on")]
        self.labels += [str(found["aria-label"])] if "aria-label" in found else []
        if tag == "script":
            self.scripts.append((found, ""))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attrs, before = self.scripts[-1]
            self.scripts[-1] = (attrs, before + data)
        elif self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def all_text(self) -> str:
        return " ".join(self.text)


def seen(pack: dict[str, bytes]) -> Seen:
    page = Seen()
    page.feed(pack["index.html"].decode())
    page.close()
    assert page.open == []  # every element is closed, in order
    return page


def test_every_table_of_every_report_is_a_file(pack: dict[str, bytes], ledger: Ledger) -> None:
    """Beside them the page, the tie-outs, the journal and what the charts show; nothing else."""
    books = ledger.books()
    names = {
        f"{report.name}-{layout.name}.csv"
        for report in REPORTS.values()
        for layout in report.layouts(books, MAY)
    }
    drawn = {f"chart-{chart.name}.csv" for chart in charts(books, MAY)}
    assert {name for name in pack if not is_estimate(name)} == {
        "index.html",
        "tie-outs.csv",
        "findings.csv",
        "journal.csv",
    } | names | drawn
    assert list(pack) == sorted(pack)


def test_estimates_stand_beside_them_at_the_month_s_end(
    pack: dict[str, bytes], ledger: Ledger
) -> None:
    """Those of retention, growth and the forecast, under no seal; the page says what they are."""
    to_date = Selection(None, MAY.end)
    expected = {
        f"estimate-{name}-{table.name}.csv": csv_of([table]).encode()
        for name in ("retention", "growth", "forecast")
        for table in INSIGHTS[name].tables(ledger.books(), to_date)
    }
    assert {name: pack[name] for name in pack if is_estimate(name)} == expected
    assert not expected.keys() & pack_digests(pack).keys()
    page = seen(pack)
    assert "An estimate: it is not booked" in page.all_text
    assert any(label.startswith("Who is still there") for label in page.labels)
    assert any(label.startswith("Subscribers by month") for label in page.labels)


def test_without_numpy_there_are_no_estimates(
    ledger: Ledger, pack: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is sealed is the same."""
    monkeypatch.setitem(sys.modules, "beancount_compute.insight.all_estimates", None)
    without = packed(ledger)
    assert not any(map(is_estimate, without))
    assert pack_digests(without) == pack_digests(pack)
    assert "An estimate" not in seen(without).all_text


def test_cells_are_the_figures_of_the_reports(pack: dict[str, bytes], ledger: Ledger) -> None:
    """Flows are those of May; balances and cohorts stand as at its end."""
    books = ledger.books()
    (flows,) = REPORTS["rollforward"].tables(books, MAY, "money-by-plan")
    assert pack["rollforward-money-by-plan.csv"].decode() == csv_of([flows])
    (lots,) = REPORTS["lots"].tables(books, Selection(None, MAY.end), "lots")
    assert pack["lots-lots.csv"].decode() == csv_of([lots])
    (fees,) = [
        row["fees"]
        for row in csv.DictReader(io.StringIO(pack["revenue-by-month.csv"].decode()))
        if row["month"] == "2026-05"
    ]
    assert fees == "1.89"


def test_the_statement_is_of_everyone_with_names_in_front(pack: dict[str, bytes]) -> None:
    """Alice's lines come before bob's; bob's last line leaves him 71 CU and 16.15 USD."""
    rows = list(csv.DictReader(io.StringIO(pack["statement-lines.csv"].decode())))
    names = [row["subscriber"] for row in rows]
    assert names == sorted(names)
    assert set(names) == {"alice", "bob"}
    assert (rows[-1]["units_held"], rows[-1]["amount_held"]) == ("71", "16.15")


def test_the_journal_is_that_of_the_export(pack: dict[str, bytes]) -> None:
    """Debits are credits, in minor units."""
    rows = list(csv.DictReader(io.StringIO(pack["journal.csv"].decode())))
    cents = [
        (int(row[side].replace(".", "")) if row[side] else 0)
        for side in ("debit", "credit")
        for row in rows
    ]
    assert sum(cents[: len(rows)]) == sum(cents[len(rows) :]) > 0


def test_the_page_holds_the_figures_the_proof_and_the_seal(pack: dict[str, bytes]) -> None:
    """The story's own figures, in tables with captions and headers; the title is text."""
    page = seen(pack)
    for figure in ("Books & Co", "16.15 USD", "32.00", SEAL, "fees = sum over trades", "0.42 USD"):
        assert figure in page.all_text
    assert "35 of 35 hold." in page.all_text
    assert page.tags.count("caption") == page.tags.count("table") > 10
    assert page.tags.count("h1") == 1


DISPUTE = """\
2026-05-01 custom "compute-subscriber" "bob"
2026-05-02 custom "compute-allocation" "alice" 100 CU 20.00 USD
  id: "top"
2026-05-03 custom "compute-consumption" "alice" 20 CU
2026-05-04 custom "compute-transfer" "alice" "bob" 50 CU
2026-05-10 custom "compute-chargeback" "top"
  id: "dispute"
2026-05-20 custom "compute-recovery" "dispute" 3.00 USD
"""


def test_the_page_tells_what_was_voided_lost_and_recovered() -> None:
    """Of 100 CU 30 are void, 6.00; 20 were used, 4.00; bob keeps 50: 10.00 are lost, less 3.00."""
    text = seen(packed(load(DISPUTE))).all_text
    assert "0.00 + 20.00 added - 4.00 released - 6.00 voided" in text
    assert "Lost, less recovered 7.00 USD losses 10.00, recoveries -3.00" in text
    assert "Lost and recovered, by month" in text


def test_each_chart_has_a_text_alternative_and_its_table(
    pack: dict[str, bytes], ledger: Ledger
) -> None:
    """A label says what it shows; its figures stand below it, and it is drawn from the same."""
    page = seen(pack)
    found = charts(ledger.books(), MAY)
    assert page.tags.count("figure") == page.tags.count("details") == len(found) + len(ESTIMATED)
    assert len(found) == 11
    drawn = [json.loads(text) for attrs, text in page.scripts if "data-figure" in attrs]
    assert drawn[: len(found)] == [chart.figure for chart in found]
    assert [f'id="{name}"' in pack["index.html"].decode() for name in ESTIMATED] == [True] * 4
    for chart in found:
        assert any(chart.caption in label for label in page.labels)


def test_nothing_is_fetched_and_no_other_script_may_run(pack: dict[str, bytes]) -> None:
    """What the page refers to are its own headings and files; its policy forbids the rest."""
    page = seen(pack)
    assert all(each.startswith("#") or each in pack for each in page.refers)
    assert page.handlers == []
    own = pack["index.html"].decode().replace(plotly_bundle() or "", "")
    assert not re.search(r"https?://", own)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', own)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert policy[1].count("sha256-") == 2


def test_markup_in_names_is_text() -> None:
    """A title, a subscriber, a partner and a note that would be scripts are text."""
    ledger = load(
        f'option "title" "{NASTY}"\n'
        f'2026-05-01 custom "compute-allocation" "{NASTY}" 40 CU 10.00 USD\n'
        f'  x-note: "{NASTY}"\n'
        f'2026-05-02 custom "compute-spend" "{NASTY}" "{NASTY}" 4 CU 0.50 USD\n'
    )
    page = seen(packed(ledger))
    assert NASTY in page.all_text
    assert "img" not in page.tags
    assert page.handlers == []
    scripts = [attrs for attrs, _ in page.scripts]
    assert len(scripts) == 2 + len([attrs for attrs in scripts if "data-figure" in attrs])


def test_markup_in_what_differs_is_text(ledger: Ledger) -> None:
    """A file's name stands in the lines of a tie-out."""
    tie = TieOut(NASTY, NASTY, "", Decimal(1), "", Decimal(0), Decimal(1), (f"{NASTY}:7",))
    page = seen(pack_files(ledger.entries, ledger.options, "2026-05", NASTY, [tie]))
    assert f"{NASTY}:7" in page.all_text
    assert "0 of 1 hold." in page.all_text
    assert "img" not in page.tags


def test_markup_in_a_figure_is_text(ledger: Ledger) -> None:
    """What would end the script that holds the figure stands there as a JSON escape."""
    (chart,) = [each for each in charts(ledger.books(), MAY) if each.name == "flow-CU"]
    chart = chart._replace(title=NASTY, caption=NASTY, figure={"data": [NASTY]})
    page = seen({"index.html": page_text(PackPage("", "", "", [], [], [chart], []), "1;").encode()})
    assert [json.loads(text) for attrs, text in page.scripts if "data-figure" in attrs] == [
        {"data": [NASTY]}
    ]
    assert "img" not in page.tags


def test_the_same_ledger_gives_the_same_bytes(pack: dict[str, bytes]) -> None:
    """Loaded a second time, file by file."""
    assert packed(load(f'option "title" "Books & Co"\n{STORY}')) == pack


@pytest.mark.usefixtures("no_plotly")
def test_without_plotly_the_page_shows_tables_and_says_how_to_get_pictures(
    ledger: Ledger, pack: dict[str, bytes]
) -> None:
    """No script at all; each table is open, and every other file is the same."""
    without = packed(ledger)
    page = seen(without)
    assert page.scripts == []
    assert plotly_file.HOW_TO_GET_IT in page.all_text
    assert page.tags.count("details") == 11 + len(ESTIMATED)
    assert b"<details open>" in without["index.html"]
    assert {**pack, "index.html": b""} == {**without, "index.html": b""}


def test_a_month_without_anything_has_a_pack(ledger: Ledger) -> None:
    """No journal and no charts, but every report and a page."""
    empty = load("")
    found = pack_files(empty.entries, empty.options, "2026-05", "", [])
    assert "journal.csv" not in found
    page = seen(found)
    assert "Not sealed yet" in page.all_text
    assert "figure" not in page.tags


def test_a_commodity_with_a_slash_names_no_folder() -> None:
    """The files of a pack lie in one folder."""
    ledger = load('2026-05-01 custom "compute-allocation" "bob" 40 /CU 10.00 USD\n')
    assert "chart-flow-_CU.csv" in packed(ledger)
    assert not [name for name in packed(ledger) if "/" in name]
