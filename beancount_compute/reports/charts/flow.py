"""The picture of units: where they came from, and where they went, through the two pockets.

pocket       allocated  minted  used  closing
allocations       2000    -800 -1200        0     ->  allocated 2000 to allocations,
tokens               0     800     0      800         800 of them on to tokens, 1200 to used
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from beancount_compute.economy import COMING, RELEASING, Flow, Pocket
from beancount_compute.reports.charts.traces import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    Chart,
    Drawing,
    figure_of,
    numbers,
    parts,
    plain_layout,
)
from beancount_compute.reports.tables import Table, shown

# The flow of units: what links two nodes, by pocket and column of the roll-forward.
_COLOURS = {
    Flow.OPENING: GREY,
    Flow.GRANTED: TEAL,
    Flow.USED: GREEN,
    Flow.SPENT: GREEN,
    Flow.EXPIRED: ORANGE,
}
_NODES = {
    **{flow.value: _COLOURS.get(flow, BLUE) for flow in COMING},
    **{pocket.value: PURPLE for pocket in Pocket},
    **{flow.value: _COLOURS.get(flow, RED) for flow in RELEASING},
    "held": GREY,
}
_KEYS = {"pocket", "commodity", "opening", "closing", *[flow.key for flow in Flow]}


def unit_flow(table: Table) -> list[Chart]:
    """Where units came from and went to, through the two pockets, as a Sankey diagram."""
    found: list[Chart] = []
    for (commodity,), part in parts(table, "commodity"):
        by_pocket = {str(row[0]): numbers(part, row) for row in part.rows}
        entered = _entered(part)
        links = list(_links(by_pocket, entered))
        if not links:
            continue
        traded = by_pocket.get("tokens", {}).get("traded_in", Decimal())
        joined = {name for source, target, _ in links for name in (source, target)}
        nodes = {**dict.fromkeys(entered.values(), GREY), **_NODES}
        names = [name for name in nodes if name in joined]
        labels = [_label(name, links) for name in names]
        trace: Drawing = {
            "type": "sankey",
            "valueformat": ",",
            "valuesuffix": f" {commodity}",
            "node": {
                "label": labels,
                "color": [nodes[name] for name in names],
                "pad": 32,
                "thickness": 14,
                "line": {"width": 0},
            },
            "link": {
                "source": [names.index(source) for source, _, _ in links],
                "target": [names.index(target) for _, target, _ in links],
                "value": [float(units) for _, _, units in links],
                "color": "rgba(139,149,161,0.35)",
            },
        }
        title = f"Flow of units ({commodity})"
        held = sum([units for _, target, units in links if target == "held"], Decimal())
        caption = f"At the end {shown(held)} {commodity} are held."
        if traded > 0:
            caption += f" {shown(traded)} {commodity} were traded among subscribers."
        figure = figure_of([trace], plain_layout())
        found.append(Chart(f"flow-{commodity}", title, part, figure, caption))
    return found


def _entered(table: Table) -> dict[str, str]:
    """The figures of opening lots that came after the books began, with the names of their nodes.

    A node is no other's: where the name is taken, the key stands.
    """
    found: dict[str, str] = {}
    for column in table.columns:
        if column.key not in _KEYS:
            name = " ".join(column.title.split())
            found[column.key] = column.key if name in _NODES or name in found.values() else name
    return found


def _links(
    by_pocket: dict[str, dict[str, Decimal]], entered: dict[str, str]
) -> Iterable[tuple[str, str, Decimal]]:
    """Units from one node to another; what a month takes back more of than it gives is no flow."""
    for pocket in ("allocations", "tokens"):
        numbers = by_pocket.get(pocket, {})
        flows = [(flow.value, pocket, numbers.get(flow.key)) for flow in COMING]
        flows += [(name, pocket, numbers.get(key)) for key, name in entered.items()]
        flows += [(pocket, flow.value, -numbers.get(flow.key, Decimal())) for flow in RELEASING]
        flows.append((pocket, "held", numbers.get("closing")))
        if pocket == "tokens":
            flows.append(("allocations", "tokens", numbers.get("minted")))
        for source, target, units in flows:
            if units is not None and units > 0:
                yield source, target, units


def _label(name: str, links: Sequence[tuple[str, str, Decimal]]) -> str:
    inward = sum([units for _, target, units in links if target == name], Decimal())
    outward = sum([units for source, _, units in links if source == name], Decimal())
    return f"{name}<br>{shown(max(inward, outward))}"
