"""The page of commands, made from what `--help` says; then read the diff.

python -m tests.manual.update
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import click

from beancount_compute.cli import main
from tests.manual.blocks import MANUAL

PAGE = MANUAL / "commands.md"
WIDTH = 120
HEAD = """# Commands

Made from `bean-compute COMMAND --help`. All take `-h` and `--help`. Exit codes: [start](start.md).
"""


def reference() -> str:
    """The page."""
    group = click.Context(main, info_name="bean-compute")
    return "\n".join([HEAD, *(section(group, name) for name in sorted(main.commands))])


def section(group: click.Context, name: str) -> str:
    """One command: its usage as the heading, what it does, its options, an example."""
    command = main.get_command(group, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=group)
    usage = [word for word in command.collect_usage_pieces(context) if word != "[OPTIONS]"]
    paragraphs = (command.help or "").split("\n\n")
    text = "\n\n".join(fill(" ".join(each.split()), WIDTH) for each in paragraphs)
    lines = [line for line in map(option, command.params) if line]
    parts = [f"## {' '.join([name, *usage])}", text, "\n".join(lines), example(command)]
    return "\n\n".join(part for part in parts if part) + "\n"


def option(parameter: click.Parameter) -> str:
    """An option as a line of a list; an argument stands in the heading."""
    if not isinstance(parameter, click.Option):
        return ""
    context: Any = click.Context(click.Command("none"))
    record = parameter.get_help_record(context)
    assert record is not None
    names, said = record
    return f"- `{names}`: {said}" if said else f"- `{names}`"


def example(command: click.Command) -> str:
    """The example of a command, as a block that the tests run."""
    _, _, text = (command.epilog or "").partition("Example:\n")
    lines = [line.strip() for line in text.splitlines()]
    return "```sh\n" + "\n".join(lines) + "\n```"


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
