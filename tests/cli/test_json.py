"""`--format json`: the keys that other programs rely on stay the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.close.sealing import write
from tests.close.test_findings import SOLD

ERROR = ["file", "line", "message"]
FINDING = ["id", "month", "kind", "text", "file", "line", "figures", "answer"]
KEYS = {
    "check": ["command", "agrees", "sentence", "errors", "tables", "findings", "notes"],
    "review": ["command", "agrees", "sentence", "month", "errors", "findings", "notes"],
    "close": [
        *("command", "agrees", "sentence", "month", "dry_run", "written", "seal", "events"),
        *("late", "pack", "errors", "tie_outs", "findings", "differences", "notes"),
    ],
    "verify": ["command", "agrees", "sentence", "closed", "seal", "errors", "differences"],
}
COMMANDS = {"check": ["check"], "review": ["review"], "close": ["close", "2026-05"]}


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def document(*words: object) -> dict[str, Any]:
    """What a command writes to standard output: one object, and nothing else."""
    result = run(*words, "--format", "json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert list(found) == KEYS[str(words[0])]
    assert found["command"] == words[0]
    assert found["sentence"].strip()
    assert result.exit_code == (0 if found["agrees"] else 1)
    return found


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with a finding of May."""
    return write(tmp_path, SOLD)


@pytest.mark.parametrize("command", COMMANDS)
def test_findings_have_the_same_keys_everywhere(ledger: Path, command: str) -> None:
    """Numbers are text; an answer is null until there is one."""
    (found,) = document(*COMMANDS[command], ledger)["findings"]
    assert list(found) == FINDING
    assert found["kind"] == "price"
    assert (found["file"], found["line"]) == (str(ledger), 7)
    assert found["figures"] == [
        {"name": "price", "number": "48", "unit": "USD"},
        {"name": "median", "number": "1.2", "unit": "USD"},
        {"name": "trades", "number": "1", "unit": None},
    ]
    assert found["answer"] is None
    with open(ledger, "a") as file:
        file.write(f'2026-05-31 custom "compute-accept" "{found["id"]}" "real spike"\n')
    (found,) = document(*COMMANDS[command], ledger)["findings"]
    assert found["answer"] == {
        "date": "2026-05-31",
        "reason": "real spike",
        "file": str(ledger),
        "line": 8,
    }


def test_a_close_says_what_it_did(ledger: Path) -> None:
    """Stopped, tried, done, and done before."""
    stopped = document("close", "2026-05", ledger)
    assert stopped["sentence"] == "2026-05 has 1 finding without an answer: nothing was written"
    assert (stopped["agrees"], stopped["written"], stopped["seal"]) == (False, False, None)
    assert (stopped["events"], stopped["late"], stopped["pack"]) == (3, 0, None)
    (finding,) = stopped["findings"]
    with open(ledger, "a") as file:
        file.write(f'2026-05-31 custom "compute-accept" "{finding["id"]}" "real spike"\n')
    tried = document("close", "2026-05", ledger, "--dry-run")
    assert (tried["agrees"], tried["written"], tried["dry_run"]) == (True, False, True)
    done = document("close", "2026-05", ledger)
    assert (done["agrees"], done["written"], done["sentence"]) == (True, True, "2026-05 is closed.")
    assert done["seal"] == tried["seal"]
    assert done["tie_outs"]
    assert list(done["tie_outs"][0]) == [
        *("name", "about", "left", "right", "difference", "holds", "lines"),
    ]
    again = document("close", "2026-05", ledger)
    assert (again["agrees"], again["written"], again["seal"]) == (True, False, done["seal"])
    assert again["sentence"] == "2026-05 is closed already."


def test_the_first_index_has_the_keys_of_a_close(tmp_path: Path) -> None:
    """Of no month; a second one is not written."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\n')
    done = document("close", "--init", ledger)
    assert (done["agrees"], done["written"], done["month"]) == (True, True, None)
    index = tmp_path / "closed" / "index.beancount"
    assert done["sentence"] == (f'Wrote {index}. Add to {ledger}: include "closed/index.beancount"')
    again = document("close", "--init", ledger)
    assert (again["agrees"], again["written"]) == (False, False)
    assert str(index) in again["sentence"]


def test_errors_have_the_same_keys_everywhere(ledger: Path) -> None:
    """File, line and message; a close that they stop says so."""
    with open(ledger, "a") as file:
        file.write('2026-05-21 custom "compute-consumption" "ann" 9999 CU\n')
    for words in (*COMMANDS.values(), ["verify"]):
        found = document(*words, ledger)
        (error,) = found["errors"]
        assert list(error) == ERROR
        assert (error["file"], error["line"], found["agrees"]) == (str(ledger), 8, False)
        assert error["message"].startswith('"ann" uses 9999 CU and holds 920 CU')
        assert "1 error" in found["sentence"]


def test_verify_says_what_differs(tmp_path: Path) -> None:
    """Month, place and text; the seal of the newest month."""
    ledger = write(tmp_path, SOLD.replace("48.00", "1.30"))
    none = document("verify", ledger)
    assert (none["agrees"], none["closed"], none["seal"]) == (True, [], None)
    seal = document("close", "2026-05", ledger)["seal"]
    found = document("verify", ledger)
    assert (found["agrees"], found["closed"], found["seal"]) == (True, ["2026-05"], seal)
    (tmp_path / "closed" / "books.beancount").unlink()
    found = document("verify", ledger)
    assert [list(each) for each in found["differences"]] == [["month", "place", "text"]]
    assert not found["agrees"]


@pytest.mark.parametrize("command", ["review", "verify", "close"])
def test_what_stops_a_command_is_told_as_json_too(tmp_path: Path, command: str) -> None:
    """Beside the line on standard error."""
    ledger = write(tmp_path)
    ledger.write_text("")
    found = document(*COMMANDS.get(command, ["verify"]), ledger)
    assert "plugin" in found["sentence"] or "index" in found["sentence"]
    assert not found["agrees"]


def test_check_has_its_tables_and_notes(ledger: Path) -> None:
    """The tables as reports give them."""
    found = document("check", ledger)
    assert [table["title"] for table in found["tables"]] == ["Books", "Units", "Money"]
    assert found["notes"] == []
    assert found["agrees"]
