"""What a page shows while Fava hides numbers: texts without amounts, tables in place of pictures.

    fava --incognito main.beancount

    "The last price is 0.25 USD on 2026-06-10." ->  "The last price is X.XX USD on 2026-06-10."

As on Fava's own pages an X stands for each digit. Dates, names and the lines to copy stay: they
hold no amounts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from beancount_compute.fava_extension.blocks import Block

Hide = Callable[[str], str]  # Fava's own: what is put for digits

NOTE = "Fava hides numbers (--incognito): amounts are obscured, pictures are left out."
# A day or a month, which stays; or a number that is no part of a name such as lab-7 or of a.csv:3.
_DATE_OR_NUMBER = re.compile(
    r"(?P<date>[0-9]{4}-(?:[0-9]{2}(?:-[0-9]{2})?|W[0-9]{2}|Q[0-9]))"
    r"|(?<![\w.,:/])(?<!\w-)[0-9]+(?:[.,'\u2019\u00a0\u202f][0-9]+)*"
)
# Columns of text that name something: a digit in a name is no amount.
_NAMES = frozenset(
    [
        "subscriber",
        "scenario",
        "account",
        "provider",
        "meter",
        "quoted_by",
        "seller",
        "buyer",
        "plan",
        "pocket",
        "commodity",
        "currency",
        "event",
        "lot",
        "line",
        "place",
        "seal",
        "holds",
    ]
)


def without_numbers(blocks: Iterable[Block], hide: Hide) -> list[Block]:
    """The blocks of a page, with no amount in them."""
    return [_BY_KIND.get(block["kind"], _same)(block, hide) for block in blocks]


def _same(block: Block, hide: Hide) -> Block:
    return block


def _sentence(text: str, hide: Hide) -> str:
    return _DATE_OR_NUMBER.sub(lambda found: found["date"] or hide(found[0]), text)


def _words(block: Block, hide: Hide) -> Block:
    return {**block, "text": _sentence(block["text"], hide)}


def _figures(block: Block, hide: Hide) -> Block:
    items = [
        {
            **item,
            "value": _cell(item["value"], hide),
            "note": _sentence(item["note"], hide),
            "delta": "",  # even its sign tells something
        }
        for item in block["items"]
    ]
    return {**block, "items": items}


def _chart(block: Block, hide: Hide) -> Block:
    caption, table = _sentence(block["caption"], hide), _table(block["table"], hide)
    return {**block, "figure": None, "caption": caption, "table": table}


def _table(block: Block, hide: Hide) -> Block:
    """The table; neither a colour nor an order made in the browser tells which is the larger."""
    columns = block["columns"]
    rows, footer = (
        [
            [_in_column(column, cell, hide) for column, cell in zip(columns, row, strict=True)]
            for row in block.get(part, ())
        ]
        for part in ("rows", "footer")
    )
    fixed = [{**each, "fixed": True} if each.get("figure") else each for each in columns]
    return {**block, "columns": fixed, "rows": rows, "footer": footer, "heat": None}


def _in_column(column: Mapping[str, Any], cell: Any, hide: Hide) -> Any:
    if column.get("figure"):
        return _cell(cell, hide)
    if column.get("date") or column["key"] in _NAMES:
        return cell
    return _cell(cell, lambda text: _sentence(text, hide))


def _cell(cell: Any, hide: Hide) -> Any:
    if isinstance(cell, list):
        return [hide(each) for each in cell]
    if isinstance(cell, dict):
        return {**cell, "text": _cell(cell["text"], hide)}
    return hide(cell)


_BY_KIND: dict[str, Callable[[Block, Hide], Block]] = {
    "words": _words,
    "figures": _figures,
    "chart": _chart,
    "table": _table,
}
