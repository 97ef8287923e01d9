"""All that the commands print: nothing in it can move a cursor or give a terminal orders."""

from __future__ import annotations

import re
import sys
from typing import TextIO

import click

# What moves a terminal's cursor, talks to it, or turns the direction of text; and what is no text.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str) -> str:
    r"""A text as a terminal may show it: control characters as codes, such as \x1b."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def in_one_line(message: str) -> str:
    """A message of several lines, as one."""
    return " ".join(filter(None, [line.strip() for line in message.splitlines()]))


def say(text: str = "", *, err: bool = False) -> None:
    """Print a line, or several; all that is for people to read is printed here."""
    click.echo(shown(text), err=err)


def hand_on(text: str) -> None:
    """Write out what other programs read: as it is, but shown where it goes to a terminal."""
    output: TextIO | None = sys.stdout  # None where the shell closed it
    on_terminal = output is not None and output.isatty()
    click.echo(shown(text) if on_terminal else text.encode(), nl=False)
