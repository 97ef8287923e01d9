"""`bean-compute prices`: what it prints loads, whatever the list's figures are today."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from beancount_compute.close.loading import load
from beancount_compute.price_list import published_prices
from tests.close.sealing import add, close, load_errors, run, write
from tests.price_list.lists import LIST

LEDGER = """\
2026-01-01 custom "compute-meter" "chat"
  units: 12 CU
  per: 1000000
  provider: "maker"
2026-02-01 custom "compute-grant" "alice" 100 CU
"""
USE = '2026-05-02 custom "compute-consumption" "alice"\n  meter: "chat"\n  quantity: 250000\n'


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of these tests, and no network."""
    monkeypatch.setattr(published_prices, "bundled", lambda: LIST)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("no network is asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A meter without a cost."""
    return write(tmp_path, LEDGER)


def prices(ledger: Path, *more: str, meter: str = "chat", provider: str = "maker") -> Result:
    words = ["--provider", provider, "--model", "flat", "--kind", "output", *more]
    return run("prices", ledger, meter, *words)


def costs(ledger: Path, meter: str = "chat") -> list[str]:
    """What a ledger says that a meter costs, line by line."""
    terms = load(ledger).booked.terms.terms
    return [f"{each.since} {each.cost}" for each in terms.meters[meter]]


def test_lines_are_pasted_and_load(ledger: Path) -> None:
    """The meter's own keys stay; nothing but the lines is on standard output."""
    result = prices(ledger, "--date", "2026-05-01")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "; the provider's own page: https://maker.example/prices\n"
        '2026-05-01 custom "compute-meter" "chat"\n'
        "  units: 12 CU\n"
        "  per: 1000000\n"
        "  cost: 10.00 USD\n"
        '  provider: "maker"\n'
        '  source: "prices 1.0 on 2026-05-01: maker flat output, 10.00 USD a 1000000"\n'
    )
    add(ledger, result.stdout)
    assert load_errors(ledger) == []
    assert len(costs(ledger)) == 2


def test_a_quote_and_a_new_meter_load_too(ledger: Path) -> None:
    """The ledger's name of a provider may be another than the list's."""
    result = prices(ledger, "--called", "Llama EU", "--date", "2026-05-01")
    assert result.stdout.endswith('custom "compute-quote" "chat" "Llama EU" 10.00 USD\n')
    new = prices(ledger, meter="search", provider=" MAKER ")
    assert '  provider: "maker"\n' in new.stdout
    assert new.stderr.startswith('Note: "search" is a new meter')
    unknown = prices(ledger, "--model", "own", meter="search", provider="LLAMA")
    assert '  provider: "llama"\n' in unknown.stdout  # as the list spells it
    add(ledger, result.stdout + new.stdout)
    assert load_errors(ledger) == []
    again = prices(ledger, "--called", "Llama EU", "--date", "2026-05-01")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == 'Note: the quote of "Llama EU" is 10.00 USD on 2026-05-01 already.\n'


def test_without_a_date_it_is_the_first_open_day(ledger: Path) -> None:
    """Of a ledger that closed nothing its first, else the one behind the last closed month."""
    first = prices(ledger)
    assert '\n2026-01-01 custom "compute-meter" "chat"\n' in first.stdout
    assert f"in the place of that at {ledger}:4." in first.stderr
    close(ledger, "2026-02", "2026-03")
    result = prices(ledger)
    assert '\n2026-04-01 custom "compute-meter" "chat"\n' in result.stdout
    closed = prices(ledger, "--date", "2026-03-31")
    assert (closed.exit_code, closed.stdout) == (1, "")
    assert closed.stderr == (
        "Error: 2026-03-31 is in a closed month: the first open day is 2026-04-01\n"
    )
    assert prices(ledger, "--date", "2026-04-01").stdout == result.stdout


def test_a_closed_month_stays_as_it_is(ledger: Path) -> None:
    """What was pasted for the days after it is no matter of its seal."""
    close(ledger, "2026-02", "2026-03")
    add(ledger, prices(ledger).stdout + USE)
    assert load_errors(ledger) == []
    assert run("verify", ledger).exit_code == 0
    close(ledger, "2026-04", "2026-05")
    assert run("verify", ledger).exit_code == 0


def test_a_ledger_without_a_day_has_no_first(tmp_path: Path) -> None:
    """One must be said."""
    path = write(tmp_path)
    result = prices(path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no compute- directives, and so no first day: say --date" in result.stderr
    assert prices(path, "--date", "2026-05-01").exit_code == 0


def test_errors_of_the_ledger_are_shown_and_the_line_all_the_same(ledger: Path) -> None:
    """It may be what mends them; the exit code says that there are some."""
    add(ledger, '2026-03-01 custom "compute-consumption" "bob" 1 CU\n')
    result = prices(ledger, "--date", "2026-05-01")
    assert result.exit_code == 1
    assert result.stderr.startswith(f'{ledger}:9: unknown subscriber "bob"')
    assert "  cost: 10.00 USD\n" in result.stdout


def test_a_ledger_without_the_plugin_is_one_error(tmp_path: Path) -> None:
    """Nothing is known of its meters."""
    path = tmp_path / "main.beancount"
    path.write_text("2026-01-01 open Assets:Bank\n")
    result = prices(path)
    assert result.exit_code == 1
    assert 'no line plugin "beancount_compute"' in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--kind", "ouput"], 1, 'no price of "ouput" for maker flat on 2026-01-01'),
        (["--model", "flta"], 1, '"flta" of maker; did you mean "flat"?'),
        (["--provider", "mkaer"], 1, 'has no provider "mkaer"; did you mean "maker"?'),
        (["--called", "a/b"], 1, "\"a/b\" can't be a provider's name"),
        (["--date", "May"], 2, "'May' is no day: write one such as 2026-05-01"),
        (["--variant", "batch"], 2, "'batch' is no variant: write one such as processing=batch"),
        (["--variant", "=x"], 2, "'=x' is no variant"),
        (["--variant", "mode=batch"], 1, "has no mode=batch for maker flat"),
        (["--context", "-1"], 2, "-1 is not in the range"),
        (["--as", "x"], 2, "'x' is not one of"),
    ],
)
def test_what_can_t_be_asked(ledger: Path, more: list[str], code: int, said: str) -> None:
    """One error, and nothing to paste."""
    result = prices(ledger, *more)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_variant_context_and_form_reach_the_list(ledger: Path) -> None:
    """Each changes the line."""
    batch = prices(ledger, "--model", "batch", "--variant", "mode = batch", "--date", "2026-07-01")
    assert "  cost: 5.00 USD\n" in batch.stdout
    assert "  cost: 9.00 USD\n" in prices(ledger, "--model", "long", "--context", "201").stdout
    assert '"compute-quote" "chat" "maker"' in prices(ledger, "--as", "quote").stdout


def test_without_the_extra_one_sentence_says_which(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else works without it."""
    monkeypatch.delitem(sys.modules, "beancount_compute.price_list.published_prices")
    monkeypatch.delattr("beancount_compute.price_list.published_prices")
    for name in [name for name in sys.modules if name.split(".")[0] == "genai_prices"]:
        monkeypatch.setitem(sys.modules, name, None)
    result = prices(ledger)
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        'Error: published prices need genai-prices: pip install "beancount_compute[prices]"\n',
    )
    assert run("prices", "--help").exit_code == 0
    assert run("check", ledger).exit_code == 0


def test_no_load_ever_asks_the_list(ledger: Path) -> None:
    """Neither the plugin nor a command that works with a ledger imports it."""
    code = (
        "import sys; from beancount import loader; from beancount_compute.cli import main\n"
        f"loader.load_file({str(ledger)!r})\n"
        f"try: main(['check', {str(ledger)!r}])\n"
        "except SystemExit: pass\n"
        "assert 'beancount_compute.booking' in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith('genai_prices')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
