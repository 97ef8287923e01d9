"""What this extension takes from Fava that is not public: each test names the part that changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from fava.core import FavaLedger

from beancount_compute.fava_extension import fava_parts
from tests.fava_extension.serving import DIGITS_AS_X, Site


@pytest.fixture(scope="module")
def fava(market_year: Site) -> FavaLedger:
    found: FavaLedger = market_year.app.config["LEDGERS"].ledgers[0]
    return found


def test_the_time_filter(fava: FavaLedger) -> None:
    """`fava.util.date.parse_date` gives a first day and the day after the last."""
    changed = "Fava reads time filters in another way: see fava_parts.days_of"
    days = fava_parts.days_of(fava, "2026-Q2")
    assert days == (date(2026, 4, 1), date(2026, 6, 30)), changed
    assert fava_parts.days_of(fava, " ") is None, changed
    with pytest.raises(fava_parts.FilterRefused):
        fava_parts.days_of(fava, "soon-ish")


def test_the_account_filter(fava: FavaLedger) -> None:
    """`fava.core.filters.Match` and components of accounts keep what Fava's own filter keeps."""
    changed = "Fava filters accounts in another way: see fava_parts.accounts_kept"
    for words in ("Alice", "Tokens", "receivable", "^Income:(Fees|Breakage)$"):
        kept = fava_parts.accounts_kept(sorted(fava.accounts), words)
        of_fava = fava.get_filtered(account=words).entries
        opened = {each.account for each in of_fava if type(each).__name__ == "Open"}
        assert kept == opened, changed
    with pytest.raises(fava_parts.FilterRefused):
        fava_parts.accounts_kept(["Income:Fees"], "(")


def test_the_filter_of_entries(fava: FavaLedger) -> None:
    """`FavaLedger.get_filtered` keeps directives as they are, of all days."""
    changed = "Fava filters entries in another way: see fava_parts.entries_kept"
    kept = fava_parts.entries_kept(fava, "#compute-refund")
    assert kept, changed
    everything = {id(entry) for entry in fava_parts.entries_of(fava)}
    assert all(id(entry) in everything for entry in kept), changed
    with pytest.raises(fava_parts.FilterRefused):
        fava_parts.entries_kept(fava, "any(")


def test_a_filter_of_metadata(fava: FavaLedger) -> None:
    """`key:"pattern"` keeps entries by their metadata."""
    changed = "Fava filters metadata in another way: see fava_parts.having"
    (entry,) = fava_parts.entries_kept(fava, fava_parts.having("event", "t-2026-02-10-03")) or []
    assert entry.meta["event"] == "t-2026-02-10-03", changed


def test_numbers(fava: FavaLedger) -> None:
    """`format_decimal` gives two decimals where it knows no currency, and knows those of units."""
    changed = "Fava writes numbers in another way: see fava_parts.grouped_text"
    assert fava_parts.decimals_shown(fava, "USD") == 2, changed
    assert fava_parts.decimals_shown(fava, "CU") == 0, changed
    assert fava_parts.grouped_text(fava, Decimal("-1234567.5678")) == "-1,234,567.5678", changed
    assert fava_parts.grouped_text(fava, Decimal("0.5")) == "0.5", changed
    assert fava_parts.separators(fava) == ".,", changed


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("de", "-1.234.567,5"), ("en_IN", "-12,34,567.5"), ("fr_CH", None), ("pl", None)],
)
def test_numbers_of_a_locale(tmp_path: Path, locale: str, shown: str | None) -> None:
    """With its marks and groups, whatever they are, and every digit."""
    (tmp_path / "main.beancount").write_text(f'2026-01-01 custom "fava-option" "locale" "{locale}"')
    fava = FavaLedger(str(tmp_path / "main.beancount"))
    text = fava_parts.grouped_text(fava, Decimal("-1234567.5"))
    assert "".join(filter(str.isdecimal, text)) == "12345675"
    assert not text[2].isdecimal() or locale == "en_IN"
    assert shown in (None, text)


def test_errors(fava: FavaLedger) -> None:
    """`FavaLedger.errors` are named tuples of a source and a message."""
    assert fava_parts.errors_of(fava) == [], "Fava keeps errors elsewhere: see errors_of"


def test_intervals_of_addresses() -> None:
    """Those that Fava writes are those that we read."""
    from fava.util.date import INTERVALS

    assert set(INTERVALS) == set(fava_parts.INTERVALS), "Fava names intervals in another way"


def test_hidden_numbers(market_year: Site) -> None:
    """`replace_numbers` puts X for digits; `INCOGNITO` of the application says when."""
    changed = "Fava hides numbers in another way: see fava_parts.hides_numbers and hidden"
    assert fava_parts.hidden("-1,234.50 USD") == "-1,234.50 USD".translate(DIGITS_AS_X), changed
    with market_year.app.app_context():
        assert not fava_parts.hides_numbers(), changed
        market_year.app.config["INCOGNITO"] = True
        try:
            assert fava_parts.hides_numbers(), changed
        finally:
            market_year.app.config["INCOGNITO"] = False


def test_pages_and_articles(market_year: Site) -> None:
    """Fava's frontend asks for an article alone by `partial`, a browser for a whole page."""
    changed = "Fava asks for articles in another way: see fava_parts.opened_directly"
    page = market_year.get(market_year.path).get_data(as_text=True)
    article = market_year.get(f"{market_year.path}?partial=true").get_data(as_text=True)
    assert "<html" in page, changed
    assert "<html" not in article, changed


def test_endpoints(market_year: Site) -> None:
    """Fava answers at the addresses that we give to our endpoints."""
    changed = "Fava serves endpoints elsewhere: see fava_parts.Links.endpoint"
    with market_year.app.test_request_context(market_year.path):
        market_year.app.preprocess_request()
        address = fava_parts.Links().endpoint("ComputeBooks", "data", view="close")
    assert market_year.get(address).get_json()["view"] == "close", changed
