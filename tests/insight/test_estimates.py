"""Reports of estimates over small ledgers whose figures are worked out by hand."""

from __future__ import annotations

import builtins
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beancount_compute.cli import main as command
from beancount_compute.insight.all_estimates import INSIGHTS, lifetime
from beancount_compute.insight.watched import decisions
from beancount_compute.reports import Books, Selection
from beancount_compute.reports.tables import Cell
from tests.reports.story import HEAD, STORY, books_of, by_key
from tests.reports.test_subscribers import LIFE

TENTH, HALF = Decimal("0.1"), Decimal("0.5")


@pytest.fixture(scope="module")
def life() -> Books:
    return books_of(LIFE)


def rows(books: Books, report: str, table: str) -> list[dict[str, Cell]]:
    (found,) = INSIGHTS[report].tables(books, Selection(), table)
    return by_key(found)


def many(people: int, leaving: dict[int, list[int]], months: int, more: str = "") -> Books:
    """People who subscribe in January, and those who leave after so many months."""
    lines = [HEAD, '2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU']
    lines += [f'2026-01-01 custom "compute-subscription" "u{n:02}" "pro"' for n in range(people)]
    for month, names in leaving.items():
        lines += [
            f'2026-{month:02}-10 custom "compute-cancellation" "u{n:02}" "pro"' for n in names
        ]
    lines += [more, f'2026-01-01 custom "compute-option" "as-of" 2026-{months:02}-28']
    return books_of("\n".join(lines))


def test_ends_of_periods_are_decisions(life: Books) -> None:
    """Quarters are three months at once; who comes back begins anew; April's aren't over."""
    found = [
        (each.subscriber, each.cohort, each.since, each.age, each.left)
        for each in decisions(life, Selection())
    ]
    assert found == [
        ("alice", "2026-01", 0, 1, False),
        ("alice", "2026-01", 1, 2, False),
        ("alice", "2026-01", 2, 3, False),
        ("bob", "2026-01", 0, 1, True),
        ("bob", "2026-03", 0, 1, False),
        ("carol", "2026-01", 0, 3, False),
        ("dave", "2026-02", 0, 1, False),
        ("dave", "2026-02", 1, 2, False),
        ("eve", "2026-02", 0, 1, False),
        ("eve", "2026-02", 1, 2, False),
    ]


def test_groups_are_those_of_the_months_before(life: Books) -> None:
    """alice used 200 of January's 1000; of January's and February's 2000 that is a tenth."""
    alice = [each for each in decisions(life, Selection()) if each.subscriber == "alice"]
    assert [each.used for each in alice] == [Decimal("0.2"), Decimal("0.1"), Decimal(200) / 3000]
    assert {each.use for each in alice} == {"0-20 %"}


def test_who_uses_more_than_was_allocated_is_beyond_and_who_sells_has_sold() -> None:
    """In June bob uses 1400 of 2000 with what alice sold to him; she sold on the 10th."""
    story = books_of(STORY + '2026-01-01 custom "compute-option" "as-of" 2026-07-01\n')
    found = {(each.subscriber, each.age): each for each in decisions(story, Selection())}
    assert (found["alice", 1].tokens, found["alice", 2].tokens) == ("none", "sold")
    assert (found["bob", 1].tokens, found["bob", 2].tokens) == ("none", "bought")
    assert (found["alice", 1].use, found["bob", 1].use) == ("0-20 %", "80-100 %")
    assert found["bob", 2].used == Decimal("1.2") and found["bob", 2].use == "beyond"
    assert found["alice", 2].left and found["bob", 2].left


def test_tokens_that_are_kept_are_held() -> None:
    kept = STORY.replace(
        '2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD\n  id: "trade"\n', ""
    )
    kept = kept.replace('"bob" 1400 CU', '"bob" 900 CU')
    story = books_of(kept + '2026-01-01 custom "compute-option" "as-of" 2026-07-01\n')
    found = {(each.subscriber, each.age): each.tokens for each in decisions(story, Selection())}
    assert (found["alice", 2], found["bob", 2]) == ("holds", "none")


def test_cohorts_show_who_is_there_and_what_they_pay(life: Books) -> None:
    """Of January's three, bob is missing in February and there again in March."""
    january, february = rows(life, "retention", "cohorts")
    share = Decimal("0.6667")
    assert [*january.values()] == ["2026-01", 3, 1, share, 1, 1]
    assert [*february.values()] == ["2026-02", 2, 1, 1, 1, None]
    january, february = rows(life, "retention", "revenue")
    assert [*january.values()][2:] == [280, 1, Decimal("0.6429"), 1, 1]
    assert [*february.values()][2:] == [400, 1, 1, 1, None]  # dave's 200 more are eve's 200 less


def test_survival_by_hand(life: Books) -> None:
    """At one month six are at risk (bob twice), and one leaves: 5/6; too few for a band."""
    (point,) = rows(life, "retention", "survival")
    assert (point["age"], point["at_risk"], point["left"]) == (1, 6, 1)
    assert (point["stay"], point["low"], point["said"]) == (Decimal("0.8333"), None, "too few")


def test_a_larger_ledger_has_bands_and_a_fit() -> None:
    """40 people; 10 leave on 1 February, 6 on 1 March: 30/40, then 24/40."""
    books = many(40, {1: [*range(10)], 2: [*range(10, 16)]}, 9)
    one, two = rows(books, "retention", "survival")
    assert (one["stay"], two["stay"]) == (Decimal("0.75"), Decimal("0.6"))
    for each in (one, two):
        low, stay, high = (each[key] for key in ("low", "stay", "high"))
        assert isinstance(low, Decimal) and isinstance(high, Decimal) and isinstance(stay, Decimal)
        assert low < stay < high
    fit = rows(books, "lifetime", "fit")[0]
    assert (fit["subscribers"], fit["left"], fit["said"]) == (40, 16, "")


def test_lifetime_value_is_the_margin_now_and_in_the_months_to_come() -> None:
    """Nothing is used: each period's 100.00 lapse on the day after it, so a month earns 100.00."""
    books = many(40, {1: [*range(10)], 2: [*range(10, 16)]}, 9)
    value, worth = (rows_of(lifetime(discount), books, "value")[0] for discount in (TENTH, HALF))
    assert value["margin"] == Decimal("100.00") == worth["margin"]
    months, of_them = value["months"], value["value"]
    assert isinstance(months, Decimal) and isinstance(of_them, Decimal)
    assert abs(of_them - 100 * (1 + months)) <= Decimal("0.50")  # months are shown to 0.01
    assert isinstance(worth["value"], Decimal) and 100 < worth["value"] < of_them
    low, high = value["low"], value["high"]
    assert isinstance(low, Decimal) and isinstance(high, Decimal) and low < of_them < high


def rows_of(report: Any, books: Books, table: str) -> list[dict[str, Cell]]:
    (found,) = report.tables(books, Selection(), table)
    return by_key(found)


@pytest.mark.parametrize(
    ("leaving", "note"),
    [
        ({}, "Nobody has left yet"),
        ({1: [*range(40)]}, "Everybody left at the first renewal"),
    ],
)
def test_nobody_and_everybody_are_said(leaving: dict[int, list[int]], note: str) -> None:
    books = many(40, leaving, 4)
    assert any(str(each["note"]).startswith(note) for each in rows(books, "lifetime", "notes"))
    assert rows(books, "lifetime", "fit")[0]["said"] == "nothing to fit"
    for name in INSIGHTS:
        for table in INSIGHTS[name].tables(books, Selection()):
            cells = [cell for row in table.rows for cell in row if isinstance(cell, Decimal)]
            assert all(cell.is_finite() for cell in cells)


def test_what_tokens_earn_after_their_holder_left_is_earned_with_them() -> None:
    """Bob's 1000 CU of January become tokens and lapse in March, after he left: 100.00 in a month.

    Alice stays: her January lapses in March, and no more is known by then: 100.00 in two months.
    Bob is back on 10 March and uses 500 CU of what runs on: of no decision yet.
    """
    books = books_of(
        HEAD
        + """\
2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
  unused: "mint"
  token-expires: "1 month"
2026-01-01 custom "compute-option" "as-of" 2026-03-20
2026-01-01 custom "compute-subscription" "alice" "pro"
2026-01-01 custom "compute-subscription" "bob" "pro"
2026-01-20 custom "compute-cancellation" "bob" "pro"
2026-03-10 custom "compute-subscription" "bob" "pro"
2026-03-15 custom "compute-consumption" "bob" 500 CU
"""
    )
    of_bob = [each for each in decisions(books, Selection()) if each.subscriber == "bob"]
    assert [(each.left, str(each.last)) for each in of_bob] == [(True, "2026-03-09")]
    value = rows(books, "lifetime", "value")[0]
    assert (value["group"], value["margin"]) == ("", Decimal("66.67"))  # 200.00 in 3 months


def test_who_all_left_at_one_age_fit_no_model() -> None:
    """Six of forty leave, all after two months."""
    notes = rows(many(40, {2: [*range(6)]}, 8), "lifetime", "notes")
    assert str(notes[0]["note"]).startswith("All who left did so after 2 months")


def test_where_no_period_is_over_it_is_said() -> None:
    books = many(2, {}, 1)
    for name in ("retention", "lifetime"):
        (note,) = rows(books, name, "notes")
        assert note["note"] == "No period is over yet: nobody is known to stay or to leave."


def test_nothing_is_deferred_on_no_day() -> None:
    for table in INSIGHTS["forecast"].tables(books_of(HEAD), Selection()):
        assert "0001" not in table.title


def test_a_ledger_without_a_market_has_no_growth_and_a_single_trade_no_exponent() -> None:
    assert rows(books_of(LIFE), "growth", "months") == []
    (month,) = rows(books_of(STORY), "growth", "months")
    assert [*month.values()] == [
        *("2026-06", "CU", "USD"),
        *(2, 1, 1, 1, 500, Decimal("125.00"), Decimal("6.25")),
    ]
    assert {each["one"] for each in rows(books_of(STORY), "growth", "exponent")} == {"too few"}


def test_each_group_has_its_curve() -> None:
    """Two of forty leave after a month, two after the next; all used nothing and hold no tokens."""
    books = many(40, {1: [0, 1], 2: [2, 3]}, 4)
    found = rows(books, "retention", "curves")
    assert [
        (row["by"], row["group"], row["age"], row["at_risk"], row["stay"]) for row in found
    ] == [
        ("share used", "0-20 %", 1, 40, Decimal("0.9500")),
        ("share used", "0-20 %", 2, 38, Decimal("0.9000")),
        ("tokens", "none", 1, 40, Decimal("0.9500")),
        ("tokens", "none", 2, 38, Decimal("0.9000")),
    ]
    of_all = [tuple(row.values()) for row in rows(books, "retention", "survival")]
    assert [tuple(row.values())[2:] for row in found[:2]] == of_all


def test_the_line_of_few_months_has_no_band() -> None:
    """One trade of 500 units between two: no line at all."""
    (month,) = rows(books_of(STORY), "growth", "line")
    assert [*month.values()] == ["2026-06", "CU", "USD", 2, 500, None, None, None]


@pytest.mark.parametrize("name", [*INSIGHTS])
def test_the_command_shows_them_and_nothing_of_an_empty_ledger(name: str, tmp_path: Path) -> None:
    ledger = tmp_path / "main.beancount"
    for text in (LIFE, HEAD):
        ledger.write_text(text, encoding="utf-8")
        done = CliRunner().invoke(command, ["report", name, str(ledger)])
        assert done.exit_code == 0, done.output
    explained = CliRunner().invoke(command, ["report", name, str(ledger), "--format", "beancount"])
    assert explained.exit_code == 2 and "is estimated, not summed" in explained.output


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "main.beancount"
    ledger.write_text(LIFE, encoding="utf-8")
    found = builtins.__import__

    def importing(name: str, *more: Any) -> Any:
        if name.endswith("all_estimates"):
            raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
        return found(name, *more)

    monkeypatch.setattr(builtins, "__import__", importing)
    done = CliRunner().invoke(command, ["report", "growth", str(ledger)])
    assert done.exit_code == 1
    assert 'scipy is not installed: pip install "beancount_compute[insight]"' in done.output


def test_a_ledger_s_own_groups_stand_beside_the_others() -> None:
    """alice and bob are an agency, eve from March on: of its six decisions one is to leave."""
    groups = """\
2026-01-01 custom "compute-subscriber" "alice"
  group: "agency"
2026-01-01 custom "compute-subscriber" "bob"
  group: "agency"
2026-03-01 custom "compute-subscriber" "eve"
  group: "agency"
"""
    books = books_of(LIFE + groups)
    (row,) = (each for each in rows(books, "retention", "groups") if each["by"] == "group")
    assert (row["group"], row["decisions"], row["left"]) == ("agency", 6, 1)
    assert [each["group"] for each in rows(books, "lifetime", "fit") if each["by"] == "group"] == [
        "agency"
    ]


def test_a_group_that_nobody_is_in_is_named() -> None:
    """ghost is an agency and never subscribed; dora's first period goes on beyond the books."""
    groups = """\
2026-01-01 custom "compute-subscriber" "ghost"
  group: "agency"
2026-04-20 custom "compute-subscription" "dora" "basic"
2026-01-01 custom "compute-subscriber" "dora"
  group: "reseller"
"""
    notes = [str(row["note"]) for row in rows(books_of(LIFE + groups), "retention", "notes")]
    assert notes[-2:] == [
        'Nobody of group "agency" has come to the end of a period.',
        'Nobody of group "reseller" has come to the end of a period.',
    ]
