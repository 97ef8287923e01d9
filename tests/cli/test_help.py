"""`bean-compute help`: the manual on a terminal, and in a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections import Counter

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from rich.console import Console

from beancount_compute import manual
from beancount_compute.cli import main
from beancount_compute.cli.help import on_terminal


def test_without_a_page_all_are_listed() -> None:
    """Each with its title, in the order of reading."""
    shown = CliRunner().invoke(main, ["help"])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()[: len(manual.NAMES)]
    assert [line.split()[0] for line in lines] == list(manual.NAMES)
    assert lines[0].split() == ["start", "Start"]


@pytest.mark.parametrize("name", manual.NAMES)
def test_a_piped_page_is_its_source(name: str) -> None:
    """Plain text, byte for byte: blocks can be copied, nothing is wrapped."""
    shown = CliRunner().invoke(main, ["help", name])
    assert shown.exit_code == 0
    assert shown.output == manual.pages()[name].text


def words_of(text: str) -> str:
    """Letters and digits only: what a terminal breaks or frames is the same text."""
    return re.sub(r"[\W_]+", "", text)


def shown_words(name: str) -> list[str]:
    """The words of a page that a reader must see, whatever wraps them."""
    found: list[str] = []
    for token in MarkdownIt().enable("table").parse(manual.pages()[name].text):
        if token.type in ("fence", "code_block"):
            found += token.content.split()
        for child in token.children or []:
            if child.type in ("text", "code_inline"):
                found += child.content.split()
    return [word for word in map(words_of, found) if word]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", manual.NAMES)
def test_a_page_fits_a_terminal_and_nothing_is_cut(name: str, width: int) -> None:
    """No line is longer, and every word of the page is there."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(on_terminal(manual.pages()[name].text))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "](" not in file.getvalue()
    assert "\u2026" not in file.getvalue()
    # Cells of a table stand side by side, so that its words are broken up: letters are counted.
    lost = Counter("".join(shown_words(name))) - Counter(words_of(file.getvalue()))
    assert lost == Counter()


def test_a_link_says_which_page_to_ask_for() -> None:
    """A terminal follows none."""
    file = io.StringIO()
    text = "See [the\nterms](terms.md#plans), and [below](#here)."
    Console(file=file, width=80, color_system=None).print(on_terminal(text))
    assert file.getvalue().strip() == "See the terms (help terms), and below."


def test_a_terminal_gets_the_page_set() -> None:
    """Headings without marks, in the width that the terminal has."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "beancount_compute.cli", "help", "growing"]
    env = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    done = subprocess.Popen(command, stdout=slave, env=env)
    os.close(slave)
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    assert done.wait() == 0
    os.close(master)
    text = b"".join(parts).decode()
    assert "Growing" in text
    assert "# Growing" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("term", "no page 'term': did you mean terms?"),
        ("verify", "no page 'verify', but a command: bean-compute verify --help"),
        ("xyzzy", "no page 'xyzzy': there are start, terms, "),
    ],
)
def test_an_unknown_page_is_guessed(name: str, said: str) -> None:
    """With exit code 2, as any wrong argument."""
    shown = CliRunner().invoke(main, ["help", name])
    assert shown.exit_code == 2
    assert said in shown.output
