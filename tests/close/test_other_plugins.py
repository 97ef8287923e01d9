"""A close with other plugins in the ledger: it loads and verifies as sealed, or is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import gettempdir

import pytest
from beancount import loader

from beancount_compute.close import other_plugins, sealing
from beancount_compute.close.closing import Closing
from beancount_compute.close.loading import Loaded
from tests.close.sealing import HEAD, INCLUDE, begin, contents, run

OURS = 'plugin "beancount_compute"\n'
LEDGER = """\
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-05-01 custom "compute-allocation" "alice" 100 CU 50.00 USD
2026-05-01 custom "compute-allocation" "bob" 10 CU 5.00 USD
2026-05-02 custom "compute-trade" "alice" "bob" 40 CU 0.80 USD
2026-05-03 custom "compute-consumption" "alice" 30 CU
2026-01-01 open Assets:Bank
2026-01-01 open Assets:BankEuro
2026-01-01 open Expenses:Rent
2026-05-11 * "Exchange"
  Assets:BankEuro   100 EUR @ 1.10 USD
  Assets:Bank      -110.00 USD
2026-05-12 * "Rent"
  Expenses:Rent      10.00 USD
  Assets:Bank       -10.00 USD
2026-05-13 * "alice pays"
  Assets:Bank                50.00 USD
  Assets:Receivable:Alice   -50.00 USD
2026-06-10 custom "compute-consumption" "alice" 5 CU
2026-06-12 * "Rent"
  Expenses:Rent      10.00 USD
  Assets:Bank       -10.00 USD
"""
CURRENCIES = 'plugin "beancount.plugins.currency_accounts" "Equity:Currencies"\n'

# Plugins of a kind that others have written, in a module beside the ledger.
RENAMES = """
def rename(entries, options_map):  # accounts of everything that stands before it
    new = []
    for entry in entries:
        if getattr(entry, "postings", None):
            entry = entry._replace(postings=[
                p._replace(account=p.account.replace("Rent", "Office")) for p in entry.postings])
        if getattr(entry, "account", "") == "Expenses:Rent":
            entry = entry._replace(account="Expenses:Office")
        new.append(entry)
    return new, []
__plugins__ = [rename]
"""
INCOME = RENAMES.replace("Rent", "Fees").replace("Expenses:", "Income:").replace("Office", "Shares")
RANDOM = """
from itertools import count
loads = count()
def link(entries, options_map):  # another link on each load
    mark = frozenset([f"load-{next(loads)}"])
    return [e._replace(links=mark) if getattr(e, "narration", "") == "Rent" else e
            for e in entries], []
__plugins__ = [link]
"""
IN_PLACE = """
def change(entries, options_map):  # what others hold in their hands
    for entry in entries:
        for at, p in enumerate(getattr(entry, "postings", ())):
            if p.account == "Income:Fees":
                entry.postings[at] = p._replace(account="Expenses:Rent")
    return entries, []
__plugins__ = [change]
"""
NO_SEALS = """
def drop(entries, options_map):
    return [e for e in entries if getattr(e, "type", "") != "compute-close"], []
__plugins__ = [drop]
"""
NO_CLOSE = """
from collections import namedtuple
Unwanted = namedtuple("Unwanted", "source message entry")
def refuse(entries, options_map):
    return entries, [Unwanted(None, "no seals here", e) for e in entries
                     if getattr(e, "type", "") == "compute-close"]
__plugins__ = [refuse]
"""


def ledger_with(folder: Path, plugins: str, **modules: str) -> Path:
    """A ledger with those plugin lines, and those modules beside it."""
    folder.mkdir()
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    path = folder / "main.beancount"
    option = 'option "insert_pythonpath" "TRUE"\n'
    path.write_text(HEAD.replace(OURS, plugins) + option + INCLUDE + LEDGER)
    begin(path)
    return path


def assert_sound(ledger: Path, *months: str) -> None:
    """Each month closes; after each Beancount loads the ledger without errors and all verifies."""
    for month in months:
        result = run("close", month, ledger)
        assert result.exit_code == 0, result.stderr
        _, errors, _ = loader.load_file(str(ledger))
        assert not errors, errors
        result = run("verify", ledger)
        assert result.exit_code == 0, result.stderr


def refused(ledger: Path, *words: str) -> str:
    """What a close says that is refused, with nothing written."""
    before = contents(ledger.parent / "closed")
    result = run("close", "2026-05", ledger, *words)
    assert result.exit_code == 1 and "Traceback" not in result.stderr
    assert contents(ledger.parent / "closed") == before
    return result.stderr


SHIPPED = """
    auto auto_accounts check_average_cost check_closing check_commodity check_drained close_tree
    coherent_cost implicit_prices leafonly noduplicates nounused onecommodity pedantic sellgains
    unique_prices
"""
NOT_BEFORE = {
    "auto_accounts",
    "auto",
}  # accounts that ours opens would be opened twice, or too late
NOT_BEHIND = {"sellgains", "pedantic"}  # they take fees for a loss
QUIET = LEDGER + "".join(f"2026-01-01 commodity {name}\n" for name in ("CU", "USD", "EUR"))


@pytest.mark.parametrize("name", SHIPPED.split())
@pytest.mark.parametrize("behind", [False, True])
def test_beancounts_own_plugins_stand_where_the_manual_says(
    name: str, behind: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There two months close, load and verify; elsewhere the ledger has errors, or isn't closed."""
    line = f'plugin "beancount.plugins.{name}"\n'
    monkeypatch.setitem(globals(), "LEDGER", QUIET)
    ledger = ledger_with(tmp_path / "books", OURS + line if behind else line + OURS)
    if name in (NOT_BEHIND if behind else NOT_BEFORE):
        assert refused(ledger)
    else:
        assert_sound(ledger, "2026-05", "2026-06")


def test_what_a_plugin_behind_ours_changes_is_not_sealed(tmp_path: Path) -> None:
    """The exchange gets postings on currency accounts, which the frozen copy has and the ledger's
    own lines have not: the close names the plugin and where it may stand; there all is well."""
    ledger = ledger_with(tmp_path / "behind", OURS + CURRENCIES)
    for words in ((), ("--dry-run",)):
        said = refused(ledger, *words)
        assert said.startswith(
            'Error: plugin "beancount.plugins.currency_accounts" stands in the way: write it '
            'before  plugin "beancount_compute"\nwith the month closed the ledger would not load '
            "to the same books: nothing was written\n"
        )
        assert f"{ledger}:" in said and "2026-05-11" in said
        assert gettempdir() not in said.replace(str(ledger.parent), "")  # where it was tried
    assert_sound(ledger_with(tmp_path / "before", CURRENCIES + OURS), "2026-05", "2026-06")


@pytest.mark.parametrize(
    ("module", "name", "advice"),
    [
        (RENAMES, "renames_all", "write it before"),
        (INCOME, "renames_income", "write it before"),
        (IN_PLACE, "changes_in_place", "write it before"),
        (RANDOM, "links_at_random", "remove it, or what it does to closed months"),
        (NO_CLOSE, "wants_no_seals", "remove it, or what it does to closed months"),
    ],
)
def test_a_plugin_in_the_way_is_named(module: str, name: str, advice: str, tmp_path: Path) -> None:
    """Among others that do no harm; with it nothing is written, without it the month is closed."""
    others = 'plugin "beancount.plugins.auto_accounts"\nplugin "beancount.plugins.noduplicates"\n'
    ledger = ledger_with(tmp_path / "books", f'{OURS}plugin "{name}"\n{others}', **{name: module})
    said = refused(ledger)
    assert f'plugin "{name}" stands in the way: {advice}' in said
    assert "auto_accounts" not in said and "noduplicates" not in said
    ledger.write_text(ledger.read_text().replace(f'plugin "{name}"\n', ""))
    assert_sound(ledger, "2026-05")


def test_a_plugin_before_ours_may_be_in_the_way(tmp_path: Path) -> None:
    """One that takes the seals away: the month would be booked anew, and its seal never read."""
    ledger = ledger_with(tmp_path / "books", f'plugin "no_seals"\n{OURS}', no_seals=NO_SEALS)
    said = refused(ledger)
    assert 'plugin "no_seals" stands in the way: write it behind  plugin "beancount_comp' in said
    assert "its seal would not be read" in said


def test_two_plugins_may_stand_in_the_way_together(tmp_path: Path) -> None:
    """Neither taken out alone helps; of three all are named, and none is blamed."""
    two = f'{OURS}{CURRENCIES}plugin "rents_too"\n'
    said = refused(ledger_with(tmp_path / "two", two, rents_too=RENAMES))
    assert (
        'plugin "beancount.plugins.currency_accounts" and plugin "rents_too" stand in the way: '
        'write it before  plugin "beancount_compute"'
    ) in said
    three = f'{two}plugin "fees_too"\n'
    said = refused(ledger_with(tmp_path / "three", three, rents_too=RENAMES, fees_too=INCOME))
    assert "in the way" not in said
    assert said.startswith('Error: the ledger has plugin "beancount.plugins.currency_accounts" and')


def test_without_other_plugins_nothing_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the close has proved is then all that a load does."""
    monkeypatch.setattr(other_plugins, "load", None)
    assert_sound(ledger_with(tmp_path / "books", OURS), "2026-05", "2026-06")


def test_months_that_were_opened_again_close_with_other_plugins(tmp_path: Path) -> None:
    """What was frozen before lies where the trial finds it."""
    ledger = ledger_with(tmp_path / "books", OURS + 'plugin "beancount.plugins.auto_accounts"\n')
    assert_sound(ledger, "2026-05", "2026-06")
    assert run("reopen", "2026-05", ledger, "--reason", "late").exit_code == 0
    assert_sound(ledger, "2026-05", "2026-06")


def test_figures_that_differ_anyway_blame_no_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month that does not tie out without any of them either is told as ever."""
    ledger = ledger_with(tmp_path / "books", OURS + 'plugin "beancount.plugins.auto_accounts"\n')

    def prepare(month: str, loaded: Loaded, *, with_pack: bool = False) -> Closing:
        closing = closing_of_month(month, loaded, with_pack=with_pack)
        wrong = [tie._replace(difference=Decimal(1)) for tie in closing.ties]
        return closing._replace(ties=wrong)

    closing_of_month = sealing.prepare
    monkeypatch.setattr(sealing, "prepare", prepare)
    said = refused(ledger)
    assert "does not tie out: nothing was written" in said and "plugin" not in said
