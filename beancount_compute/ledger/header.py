"""The first row of an event file: where its columns stand, and what they are called there.

timestamp,Customer,qty,unit,event        ; columns: "timestamp=date, Customer=subscriber, ..."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount_compute.economy import like, quoted
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.event_columns import NotPlain
from beancount_compute.ledger.fields import check_text
from beancount_compute.ledger.rows import COLUMNS

_EXTRA = re.compile(r"x_[A-Za-z0-9_-]*", re.ASCII)


class ColumnMap(NamedTuple):
    """How a file names its columns otherwise than `rows.COLUMNS` does."""

    renamed: Mapping[str, str] = MappingProxyType({})  # the file's names, with ours
    ignored: frozenset[str] = frozenset()  # the file's names; "*" for all that are unknown


AS_NAMED = ColumnMap()


class Columns:
    """Where a file's header puts the canonical columns, and which `x_` columns it adds."""

    def __init__(self, header: list[str], column_map: ColumnMap = AS_NAMED) -> None:
        self.width = len(header)
        while header and not header[-1]:  # what a spreadsheet leaves behind the last column
            header.pop()
        self._named = len(header)
        names = [column_map.renamed.get(name, name) for name in header]
        kept = [
            (at, name)
            for at, name in enumerate(names)
            if not _ignores(column_map, header[at], name)
        ]
        self.at: dict[str, int] = {}
        for at, name in kept:
            if not name:
                raise FieldError(
                    f"the cell {at + 1} of the first row is blank: name the column, or remove it"
                )
            if name in self.at:
                raise FieldError(f"column {quoted(name)} stands twice: remove one of the two")
            self.at[name] = at
        for name in self.at:
            if name not in COLUMNS and not _EXTRA.fullmatch(name):
                raise FieldError(_unknown_column(name, column_map))
        for name in ("date", "event"):
            if name not in self.at:
                raise FieldError(
                    f"no column {quoted(name)}: the first row must name the columns, "
                    f"such as {','.join(COLUMNS[:8])}{_not_there(name, header, column_map)}"
                )
        # a column that the file lacks is read from an empty cell behind the row
        places = [self.at.get(name, self.width) for name in COLUMNS]
        self.in_order: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(*places)
        self.extra = [(at, name) for name, at in self.at.items() if name.startswith("x_")]

    def written(self, row: Sequence[Any]) -> dict[str, str]:
        """The texts of the columns that a row reaches, by name, be they right or wrong."""
        reached = {name: row[at] for name, at in self.at.items() if at < len(row)}
        return {name: cell.strip() for name, cell in reached.items() if isinstance(cell, str)}

    def check_unnamed(self, row: Sequence[str]) -> None:
        """Refuse a row that fills a cell in a column without a name."""
        if any(map(str.strip, row[self._named : self.width])):
            raise FieldError("a cell stands in a column without a name: name it, or empty the cell")

    def extra_of(self, row: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The `x_` cells of a row that are filled."""
        return tuple([(name, check_text(row[at])) for at, name in self.extra if row[at]])

    def filled(self, columns: Sequence[Sequence[str]]) -> dict[str, Sequence[str]]:
        """The columns in which any cell is filled, by name."""
        if any(any(column) for column in columns[self._named : self.width]):
            raise NotPlain
        return {
            name: columns[self.at[name]]
            for name in COLUMNS
            if name in self.at and any(columns[self.at[name]])
        }


def _ignores(column_map: ColumnMap, written: str, name: str) -> bool:
    """Whether a column is left alone."""
    if written in column_map.ignored:
        return True
    return "*" in column_map.ignored and name not in COLUMNS and not _EXTRA.fullmatch(name)


def _not_there(name: str, header: Sequence[str], column_map: ColumnMap) -> str:
    """What to say where a directive renames a column to this one that the file doesn't have."""
    for theirs, ours in column_map.renamed.items():
        if ours == name and theirs not in header:
            return f"; it has no {quoted(theirs)}, which `columns` names{like(theirs, header)}"
    return ""


def _unknown_column(name: str, column_map: ColumnMap) -> str:
    hint = "; separate columns with commas" if ";" in name or "\t" in name else ""
    meant = like(name, COLUMNS)
    if slip := next((each for each in column_map.renamed if like(each, [name])), ""):
        meant = f"; `columns` names {quoted(slip)}: did you mean this column?"
    return (
        f"unknown column {quoted(name)}: the first row names the columns, in small letters; those "
        f"of your own begin with x_ and hold letters, digits, - and _{hint}{meant}"
    )
