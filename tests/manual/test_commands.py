"""The page of commands is what `--help` says today."""

from __future__ import annotations

import click
import pytest

from beancount_compute.cli import main
from tests.manual.update import PAGE, example, reference

GROUP = click.Context(main, info_name="bean-compute")


def test_the_page_of_commands_is_not_stale() -> None:
    """`python -m tests.manual.update` writes it anew."""
    assert PAGE.read_text("utf-8") == reference()


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_shows_an_example(name: str) -> None:
    """In its `--help`, on one line that no terminal of 80 columns breaks."""
    command = main.get_command(GROUP, name)
    assert command is not None
    line = example(command).splitlines()[1]
    assert line.startswith(f"bean-compute {name} ")
    shown = command.get_help(click.Context(command, info_name=name, parent=GROUP))
    assert f"\n    {line}" in shown
    assert len(line) <= 76


def test_the_list_of_commands_shows_how_to_begin() -> None:
    """A ledger to start from, and the page that goes with it."""
    shown = main.get_help(GROUP)
    assert shown.endswith("Example:\n    bean-compute new books\n    bean-compute help start")
