"""Which rows are plain uses, told from their columns at once.

    2026-05-20  consumption  alice  200 CU      ->   day 19, unit 0, 200 steps of units

A row is plain where nothing about it could be read otherwise, or refused for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.plain.lot_keys import Flags, Ints
from beancount_compute.bulk.rows.file_scan import FileRows
from beancount_compute.bulk.rows.month_files import EventFiles
from beancount_compute.bulk.rows.text_words import as_text, bytes_of
from beancount_compute.economy import MOST_DIGITS, Kind, Month

MOST_DECIMALS = 6  # of units that are plain
CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
WRITTEN_UNITS = f"[1-9][0-9]{{0,7}}(\\.[0-9]{{1,{MOST_DECIMALS}}})?"
LONGEST = 4096  # of a text, in bytes; longer ones are refused
_OF_USES = ("id", "date", "time", "event", "subscriber", "units", "commodity", "memo")
_ODD_ID = "[^!-~]|/....-..-..$"  # those that trimming would change, or that name a period
_CONTROL = "[\\x00-\\x1f\\x7f]"
_TIME = re.compile(f"({CLOCK})?")
_BLANK, _DELETE, _SLASH = 0x20, 0x7F, 0x2F
_EPOCH_DAY = 719163  # 1970-01-01


class UsesOfRows(NamedTuple):
    """Some rows as uses; what is said of a row that is no plain one counts for nothing."""

    plain: Flags
    day: Ints  # of the month, from 0
    unit: Ints | int  # the place of its commodity
    steps: Ints


class PlainUses:
    """Tells the plain uses of a month's files from other rows."""

    def __init__(self, files: EventFiles, month: Month, commodities: Sequence[str]) -> None:
        self._commodities = {name: at for at, name in enumerate(commodities)}
        self._first = month.first.toordinal() - _EPOCH_DAY
        self._days = month.last.day
        self._day_of = {f"{month.first + timedelta(at)}": at for at in range(self._days)}
        self._absent = [name for name in files.present if name not in _OF_USES]
        self._decimals = decimals_of_units(files)
        kind = files.column("date").type
        self.possible = (
            self._decimals is not None
            and (pa.types.is_date(kind) or _is_text(kind))
            and bool(commodities)
            and "commodity" in files.present
        )

    @property
    def decimals(self) -> int:
        """Of how many decimals the steps of units are."""
        assert self._decimals is not None
        return self._decimals

    def of(self, rows: FileRows) -> UsesOfRows:
        """The rows as uses."""
        needed = [rows.column(name) for name in ("event", "date", "units", "commodity")]
        if any(each is None for each in needed):
            none = np.zeros(rows.size, np.int64)
            return UsesOfRows(np.zeros(rows.size, bool), none, 0, none)
        event, date, units, commodity = needed
        plain = _told_by_text(event, lambda text: text == Kind.CONSUMPTION.value, absent=False)
        unit = _by_text(commodity, lambda text: self._commodities.get(text, -1))
        steps, fit = self._steps(units)
        day = self._days_of(date)
        plain &= (unit >= 0) & fit & (day >= 0) & (day < self._days)
        for name in self._absent:
            _keep_absent(plain, rows.column(name))
        self._keep_plain_text(plain, rows)
        return UsesOfRows(plain, day, unit if len(self._commodities) > 1 else 0, steps)

    def on_days(self, rows: FileRows, days: Collection[date]) -> Flags:
        """Which rows are of some days."""
        column = rows.column("date")
        found = np.zeros(rows.size, bool)
        if column is not None:
            wanted = [day.toordinal() - self._first - _EPOCH_DAY for day in days]
            found |= np.isin(self._days_of(column), wanted)
        return found

    def _days_of(self, column: pa.Array) -> Ints:
        if not pa.types.is_date(column.type):
            return _by_text(column, lambda text: self._day_of.get(text, -1))
        days = column.cast(pa.date32()).cast(pa.int32()).fill_null(self._first - 1)
        found: Ints = days.to_numpy().astype(np.int64) - self._first
        return found

    def _steps(self, column: pa.Array) -> tuple[Ints, Flags]:
        """Units in steps of the smallest, and which of them are plain."""
        fit = np.ones(len(column), bool)
        if column.null_count:
            fit = column.is_valid().to_numpy(zero_copy_only=False)
        if pa.types.is_dictionary(column.type) or _is_text(column.type):
            column, written = _written_units(column)
            fit &= written
        if pa.types.is_integer(column.type):
            steps = column.cast(pa.int64(), safe=False).fill_null(0).to_numpy()
        else:
            column = column.cast(pa.decimal128(38, self.decimals))
            both = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
            both = both[column.offset : column.offset + len(column)]
            steps = both[:, 0]
            fit &= both[:, 1] == 0
        # as many digits as the books allow, whatever stands behind the point
        fit &= (steps > 0) & (steps < 10**MOST_DIGITS)
        return steps, fit

    def _keep_plain_text(self, plain: Flags, rows: FileRows) -> None:
        ids, time, memo = (rows.column(name) for name in ("id", "time", "memo"))
        if ids is not None:
            odd = odd_ids(as_text(ids))
            if odd is not None:
                plain &= ~odd
        if time is not None and _is_text(time.type):
            plain &= _told_by_text(time, lambda text: bool(_TIME.fullmatch(text)), absent=True)
        elif time is not None:
            _keep_absent(plain, time)
        if memo is not None and _is_text(memo.type):
            plain &= _plain_memos(as_text(memo))
        elif memo is not None:
            _keep_absent(plain, memo)


def decimals_of_units(files: EventFiles) -> int | None:
    """Of how many decimals the units of the files are; None where they are too fine to be plain."""
    if "units" not in files.present:
        return None
    kind = files.column("units").type
    if pa.types.is_integer(kind):
        return 0
    if pa.types.is_decimal(kind):
        return kind.scale if 0 <= kind.scale <= MOST_DECIMALS else None
    return MOST_DECIMALS if _is_text(kind) else None


def odd_ids(ids: pa.Array) -> Flags | None:
    """Which ids are odd; None where none is."""
    data = bytes_of(ids)
    lengths = pc.binary_length(ids)
    if not len(data) or (
        data.min() > _BLANK
        and data.max() < _DELETE
        and not (data == _SLASH).any()
        and pc.max(lengths).as_py() <= LONGEST
    ):
        return None
    odd = pc.or_(pc.match_substring_regex(ids, _ODD_ID), pc.greater(lengths, LONGEST))
    odd = odd.fill_null(False)
    found: Flags = odd.to_numpy(zero_copy_only=False)
    return found


def _plain_memos(memos: pa.Array) -> Flags:
    data = bytes_of(memos)
    plain = pc.less(pc.binary_length(memos), LONGEST).fill_null(True)
    if len(data) and (data.min() < _BLANK or (data == _DELETE).any()):
        plain = pc.and_(plain, pc.invert(pc.match_substring_regex(memos, _CONTROL)).fill_null(True))
    found: Flags = plain.to_numpy(zero_copy_only=False)
    return found


def _written_units(column: pa.Array) -> tuple[pa.Array, Flags]:
    """Units that are written as text, as decimals; and which of them are."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = coded.dictionary
    fit = pc.match_substring_regex(texts, f"^{WRITTEN_UNITS}$").fill_null(False)
    numbers = pc.if_else(fit, texts, "0").cast(pa.decimal128(38, MOST_DECIMALS))
    at = coded.indices.fill_null(0)
    written: Flags = fit.take(at).to_numpy(zero_copy_only=False)
    return numbers.take(at), written


def _keep_absent(plain: Flags, column: pa.Array | None) -> None:
    """Keep those that have nothing in a column."""
    if column is None:
        return
    if _is_text(column.type):
        plain &= _told_by_text(column, lambda text: not text, absent=True)
    else:
        plain &= column.is_null().to_numpy(zero_copy_only=False)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _by_text(column: pa.Array, say: Callable[[str], int]) -> Ints:
    """What is said of each text, asked once for each of them; -1 where there is none."""
    texts, codes = _coded(column)
    found: Ints = np.array([*map(say, texts), -1], np.int64)[codes]
    return found


def _told_by_text(column: pa.Array, tell: Callable[[str], bool], *, absent: bool) -> Flags:
    """Whether something holds for each text, asked once for each of them."""
    texts, codes = _coded(column)
    found: Flags = np.array([*map(tell, texts), absent], bool)[codes]
    return found


def _coded(column: pa.Array) -> tuple[list[str], Ints]:
    """The texts of a column, and which of them each cell has; none is the one behind them."""
    if not pa.types.is_dictionary(column.type):
        column = as_text(column).dictionary_encode()
    texts: list[str] = column.dictionary.to_pylist()
    codes = column.indices
    if codes.null_count:
        codes = codes.fill_null(len(texts))
    return texts, codes.to_numpy()
