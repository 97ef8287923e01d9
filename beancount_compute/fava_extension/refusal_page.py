"""What an address shows that is refused: why, and the controls of the view to choose otherwise.

displaced=30%  ->  the field with "30%" in it, and beside it: "30%" is no share: write a number ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from beancount_compute.fava_extension.blocks import Block, words


def refusal_page(
    refused: Mapping[str, str], args: Mapping[str, str], blocks: Iterable[Block]
) -> list[Block]:
    """What is wrong with each parameter, at its field where it has one."""
    found: list[Block] = []
    told: set[str] = set()
    for block in blocks:
        if block["kind"] == "controls":
            items = [_marked(item, refused, args) for item in block["items"]]
            told |= {item["name"] for item in items if "error" in item}
            found.append({**block, "items": items})
    if "subscriber" in refused:
        found.insert(0, {"kind": "link", "text": "All subscribers", "go": {"view": "subscribers"}})
    said = [words(text, tone="bad") for name, text in refused.items() if name not in told]
    return [*[{**each, "alert": True} for each in said], *found]


def _marked(item: Block, refused: Mapping[str, str], args: Mapping[str, str]) -> Block:
    """A field as it was filled in, with what is wrong about it."""
    name = item["name"]
    if item["kind"] != "field" or name not in refused:
        return item
    return {**item, "value": args[name], "error": refused[name]}
