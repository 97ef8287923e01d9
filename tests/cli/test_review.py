"""`bean-compute review`, and findings in `close` and `check`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.close.sealing import write
from tests.close.test_findings import SOLD


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with a finding of May."""
    return write(tmp_path, SOLD)


def to_paste(result: Result) -> str:
    (line,) = re.findall(r"^  (2026-.* custom .*)$", result.stdout, re.MULTILINE)
    return str(line)


@pytest.mark.parametrize("words", [(), ("--month", "2026-05")])
def test_review_lists_findings_with_their_place_and_the_line_that_answers(
    ledger: Path, words: tuple[str, ...]
) -> None:
    """It exits with 1 until it is answered."""
    result = run("review", ledger, *words)
    assert result.exit_code == 1
    assert re.search(rf"^{ledger}:7: f-[0-9a-f]{{6}} price: 40 CU at 48 USD: ", result.stdout, re.M)
    where = "2026-05" if words else "the open months"
    assert result.stdout.endswith(f"The review has 1 finding in {where}, 1 without an answer.\n")
    ledger.write_text(ledger.read_text() + to_paste(result).replace("...", "real spike") + "\n")
    result = run("review", ledger, *words)
    assert result.exit_code == 0
    assert "real spike" in result.stdout
    assert result.stdout.endswith(f"The review has 1 finding in {where}, all answered.\n")


def test_the_line_as_it_is_pasted_is_no_answer(ledger: Path) -> None:
    """A reason has a letter or a digit."""
    ledger.write_text(ledger.read_text() + to_paste(run("review", ledger)) + "\n")
    result = run("review", ledger)
    assert f'{ledger}:8: "..." is no reason: write what was checked' in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize("command", [("close", "2026-05"), ("close", "2026-05", "--dry-run")])
def test_close_stops_with_the_line_to_paste(ledger: Path, command: tuple[str, ...]) -> None:
    """And goes on when it is there."""
    result = run(*command, ledger)
    assert result.exit_code == 1
    assert "2026-05 has 1 finding without an answer: nothing was written" in result.output
    assert to_paste(result).startswith('2026-05-31 custom "compute-accept" "f-')
    ledger.write_text(ledger.read_text() + to_paste(result).replace("...", "real spike") + "\n")
    result = run(*command, ledger)
    assert result.exit_code == 0
    assert "real spike" in result.stdout


def test_an_answer_to_nothing_is_a_note(ledger: Path) -> None:
    """An unknown id stops nothing by itself; one of another month says where it belongs."""
    line = to_paste(run("review", ledger)).replace("...", "spike")
    idle = '2026-05-31 custom "compute-accept" "f-000000" "what was that?"\n'
    text = ledger.read_text() + line + "\n" + idle
    ledger.write_text(text)
    result = run("review", ledger)
    assert result.exit_code == 0
    assert plain(f"Note: {ledger}:9: f-000000 is no finding of 2026-05.") in joined(result)
    later = '2026-06-02 custom "compute-consumption" "ann" 1 CU\n'
    ledger.write_text(text + later + line.replace("05-31", "06-30") + "\n")
    found = line.split('"')[3]
    note = f"{found} is no finding of 2026-06; it is one of 2026-05: date it in that month."
    assert plain(f"Note: {ledger}:11: {note}") in joined(run("review", ledger))
    note = plain("f-000000 is no finding of 2026-05.")
    assert note in joined(run("close", "2026-05", ledger))


def plain(text: str) -> str:
    return "".join(text.split())


def joined(result: Result) -> str:
    """What was printed, whatever was broken into lines where."""
    return "".join(result.stdout.split())


def test_review_without_findings_and_without_the_plugin(tmp_path: Path) -> None:
    """One sentence; one error."""
    ledger = write(tmp_path, SOLD.replace("48.00", "1.30"))
    result = run("review", ledger)
    assert (result.exit_code, result.stdout) == (
        0,
        "The review finds nothing in the open months.\n",
    )
    ledger.write_text("")
    result = run("review", ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no line plugin" in result.stderr
