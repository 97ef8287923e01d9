"""`bean-compute help`: the manual on a terminal; as it is written where it is piped.

bean-compute help                 all pages
bean-compute help closing         one of them
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from typing import ClassVar

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

from beancount_compute import manual
from beancount_compute.cli.printing import hand_on, say

WIDEST = 120  # columns: longer lines are hard to follow
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<page>[a-z]*)(?:\.md)?(?:#[^)]*)?\)")


@click.command(
    name="help",
    epilog="\b\nExample:\n  bean-compute help closing",
)
@click.argument("page", default="")
@click.pass_context
def help_(context: click.Context, page: str) -> None:
    """Show a PAGE of the manual; without one, list them.

    Piped, it comes as it is written, in Markdown.
    """
    found = manual.pages()
    if not page:
        _list(found)
    elif page in found:
        _show(found[page])
    else:
        raise click.UsageError(_no_page(page, context))


def _list(found: dict[str, manual.ManualPage]) -> None:
    for each in found.values():
        say(f"{each.name:<12}{each.title}")
    say("\nbean-compute help PAGE shows one; bean-compute COMMAND --help is of a command.")


def _no_page(name: str, context: click.Context) -> str:
    """What there is instead: a command of that name, a page like it, or all of them."""
    commands = context.find_root().command
    if isinstance(commands, click.Group) and name in commands.commands:
        return f"no page {name!r}, but a command: bean-compute {name} --help"
    near = get_close_matches(name.lower(), manual.NAMES, n=1)
    if near:
        return f"no page {name!r}: did you mean {near[0]}?"
    return f"no page {name!r}: there are {', '.join(manual.NAMES)}"


def _show(page: manual.ManualPage) -> None:
    if sys.stdout is None or not sys.stdout.isatty():
        hand_on(page.text)
        return
    console = Console()
    console.print(on_terminal(page.text), width=min(console.width, WIDEST))


def on_terminal(text: str) -> Markdown:
    """A page for a terminal: a link names the page to ask for, tables break rather than cut."""
    return _Page(_LINK.sub(_named, text), code_theme="ansi_dark", hyperlinks=False)


def _named(link: re.Match[str]) -> str:
    """A link as the command that leads there; one within its page as its text alone."""
    page, text = link["page"], link["text"]
    return f"{text} (`help {page}`)" if page else text


class _Table(TableElement):
    """A table in which a long word is broken, where Rich would cut it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for found in super().__rich_console__(console, options):
            if isinstance(found, Table):
                for column in found.columns:
                    column.overflow = "fold"
            yield found


class _Page(Markdown):
    elements: ClassVar = {**Markdown.elements, "table_open": _Table}
