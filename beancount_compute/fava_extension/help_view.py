"""The manual in Fava: pages of Markdown as plain data, which the page builds elements from.

    "See the [terms](terms.md#options)."
    ["p", {}, ["See the ", ["a", {"go": {"topic": "terms", "section": "options"}}, ["terms"]], "."]]

A text is a text; an element is its tag, its attributes and what is in it. HTML in a page would be
text too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from beancount_compute import manual
from beancount_compute.fava_extension.asked import Asked
from beancount_compute.fava_extension.blocks import Block

Node = str | list[Any]
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_DEEPER = {"h1": "h3", "h2": "h4", "h3": "h5"}  # the page around it has the first two
_TITLE = "h1"


def help_view(asked: Asked) -> list[Block]:
    """The list of pages, and the one that is asked for."""
    page = manual.pages()[asked.topic]
    found = [(each.name, each.title) for each in manual.pages().values()]
    contents = {"kind": "contents", "label": "Pages of the manual", "topic": page.name}
    return [{**contents, "pages": found}, {"kind": "manual", "content": elements(page.text)}]


def elements(text: str) -> list[Node]:
    """A page of Markdown as elements."""
    root: list[Node] = []
    inside = [root]
    for token in _flat(_PARSER.parse(text)):
        if token.nesting == 1:
            content: list[Node] = []
            inside[-1].append([_DEEPER.get(token.tag, token.tag), _attributes(token), content])
            inside.append(content)
        elif token.nesting == -1:
            closed = inside.pop()
            if token.type == "heading_close" and token.tag != _TITLE:
                heading = inside[-1][-1]
                assert isinstance(heading, list)
                heading[1] = {"id": f"manual-{manual.anchor(_text_of(closed))}", "tabindex": "-1"}
        else:
            inside[-1].append(_leaf(token))
    return root


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    """Blocks and what stands in their lines, in order; without the paragraphs of tight lists."""
    for token in tokens:
        if token.type == "inline":
            yield from token.children or []
        elif not token.hidden:
            yield token


def _leaf(token: Token) -> Node:
    match token.type:
        case "code_inline":
            return ["code", {}, [token.content]]
        case "fence" | "code_block":
            return ["pre", {"tabindex": "0"}, [token.content.rstrip("\n")]]
        case "softbreak" | "hardbreak":
            return "\n"
        case _:
            return token.content


def _attributes(token: Token) -> dict[str, Any]:
    if token.type == "link_open":
        return _link(str(token.attrs["href"]))
    if token.tag == "th":
        return {"scope": "col"}
    return {}


def _link(href: str) -> dict[str, Any]:
    """Another place of the manual, or an address of the web."""
    parts = urlsplit(href)
    if parts.scheme:
        return {"href": href}
    go = {"section": parts.fragment}
    return {"go": {"topic": parts.path.removesuffix(".md"), **go} if parts.path else go}


def _text_of(nodes: Iterable[Node]) -> str:
    return "".join(node if isinstance(node, str) else _text_of(node[2]) for node in nodes)
