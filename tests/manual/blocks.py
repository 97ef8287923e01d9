"""The README and the pages of the manual, and the blocks of ledgers, files and commands in them.

```beancount              all of a page are one ledger; what it lacks, `PREAMBLE` gives
```beancount booked       what the quickstart books
```beancount wrong        a ledger with errors, for the commands below it
```csv events/2026.csv    a file beside the page's ledger
```scenario NAME          a file of other terms, for the commands below it
```console                commands behind `$`, and what they print; `...` stands for anything
```sh                     commands only
```text                   not run
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from beancount_compute import manual

ROOT = Path(__file__).parents[2]
MANUAL = Path(manual.__file__).parent
README = ROOT / "README.md"
PAGES = [README, *(MANUAL / f"{name}.md" for name in manual.NAMES)]
HEAD = 'option "operating_currency" "USD"\nplugin "beancount_compute"\n'
PLAN = (
    '2025-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n  unused: "mint"\n'
    "  overage: 0.30 USD\n"
)


class MarkedBlock(NamedTuple):
    """A block of a page: its kind, what is said of it behind the kind, its text, its line."""

    kind: str
    more: str
    text: str
    line: int


def tokens(page: Path) -> list[Token]:
    """The Markdown of a page, read."""
    return MarkdownIt().enable("table").parse(page.read_text("utf-8"))


def blocks(page: Path, kind: str = "") -> list[MarkedBlock]:
    """The blocks of a page, of one kind or all."""
    found = []
    for token in tokens(page):
        if token.type == "fence":
            name, _, more = token.info.partition(" ")
            assert token.map is not None
            found.append(MarkedBlock(name, more, token.content, token.map[0] + 1))
    return [block for block in found if kind in ("", block.kind)]


def ledger_of(page: Path) -> str:
    """The ledger of a page: its blocks one below the other, behind what they leave out."""
    text = "".join(f"{each.text}\n" for each in blocks(page, "beancount") if not each.more)
    head = "" if 'plugin "beancount_compute"' in text else HEAD
    plan = "" if 'custom "compute-plan" "pro"' in text else PLAN
    return head + plan + text
