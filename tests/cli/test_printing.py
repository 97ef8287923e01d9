"""What the commands print: nothing that a name or a file holds gives a terminal orders."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from beancount_compute.cli.printing import hand_on, say, shown

ORDERS = "\x1b]0;owned\x07\x9b2J\r\u202e"  # a title, a clear, a line anew, a turn


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def harmless(result: Result) -> bool:
    """Whether nothing but text and the ends of lines was printed."""
    return all(character.isprintable() or character == "\n" for character in result.output)


class Terminal(StringIO):
    """A standard output that is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\rb", r"a\rb"),
        ("a\x9bb\x7f", r"a\x9bb\x7f"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("a\udcffb", r"a\udcffb"),  # a byte that is no UTF-8
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("żółć 計算 1 234 می\u200cخواهم", "żółć 計算 1 234 می\u200cخواهم"),
    ],
)
def test_control_characters_are_shown_as_codes(text: str, printed: str) -> None:
    """Text of any script, lines and tabs stay as they are."""
    assert shown(text) == printed


def test_what_other_programs_read_is_exact_but_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file gets every character; a person never gets an order for the terminal."""
    monkeypatch.setattr(sys, "stdout", Terminal())
    hand_on("a\x1bb\n")
    say("c\x1bd")
    assert sys.stdout.getvalue() == "a\\x1bb\nc\\x1bd\n"


@pytest.mark.parametrize(
    "words",
    [
        ("check", "LEDGER"),
        ("print", "LEDGER"),
        ("verify", "LEDGER"),
        ("report", "lots", "LEDGER"),
        ("close", "2026-05", "LEDGER"),
        ("export", "2026-05", "LEDGER", "--format", "csv"),
        ("check", f"no{ORDERS}file"),
        ("report", f"no{ORDERS}report", "LEDGER"),
        ("report", "lots", "LEDGER", "--subscriber", f"a{ORDERS}"),
        ("report", "lots", "LEDGER", "--table", f"a{ORDERS}"),
        ("close", f"2026{ORDERS}", "LEDGER"),
        ("help", f"a{ORDERS}"),
        (f"--no{ORDERS}option",),
        (f"no{ORDERS}command",),
    ],
)
def test_no_command_prints_the_orders_of_a_name(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Of files, of arguments, and of what Beancount says of a ledger."""
    ledger = tmp_path / f"books{ORDERS}.beancount"
    ledger.write_text(
        f'plugin "beancount_compute"\n2026-05-01 * "a" "b"\n  Assets:A{ORDERS}  1 USD\n'
        f'include "no{ORDERS}.beancount"\noption "a{ORDERS}" "b"\n'
        '2026-05-01 custom "compute-nothing" "alice" 5 CU\n'
    )
    result = run(*[str(ledger) if word == "LEDGER" else word for word in words])
    assert result.exit_code in (1, 2)
    assert harmless(result), ascii(result.output)


def test_a_name_in_a_report_is_shown_on_a_terminal(tmp_path: Path) -> None:
    """In the text face, which is for people; JSON keeps the name as it is."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-05-01 custom "compute-grant" "al\u202eice" 5 CU\n'
    )
    text = run("report", "rollforward", ledger)
    assert text.exit_code == 0 and harmless(text)
    assert r"al\u202eice" in text.stdout
    document = run("report", "rollforward", ledger, "--format", "json")
    assert "al\u202eice" in document.stdout


def test_a_reason_that_is_no_utf8_is_a_wrong_argument(tmp_path: Path) -> None:
    """Bytes of another encoding reach a program so; they could not be written to the index."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text('plugin "beancount_compute"\n')
    result = run("reopen", "2026-05", ledger, "--reason", "caf\udce9")
    assert result.exit_code == 2
    assert r"caf\udce9 is not UTF-8 text" in result.output


def test_a_name_is_found_however_its_characters_are_composed(tmp_path: Path) -> None:
    """A terminal may send an accent as a character of its own; the ledger composes both."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-05-01 custom "compute-grant" "Zo\u00eb" 5 CU\n'
    )
    for name in ("Zo\u00eb", "Zoe\u0308"):
        result = run("report", "statement", ledger, "--subscriber", name)
        assert result.exit_code == 0, result.output
        assert "Zo\u00eb" in result.stdout
