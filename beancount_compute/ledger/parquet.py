"""Parquet event files: the columns of a CSV file, as decimal, integer, string or date.

pyarrow is the extra `[parquet]`, imported only when a Parquet file is met.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from beancount_compute.economy import Event, Place, quoted, trim
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import MARKS, Fields
from beancount_compute.ledger.header import AS_NAMED, ColumnMap, Columns
from beancount_compute.ledger.rows import event_of_row, says_nothing, unread_row

# A few bytes can stand for any number of rows, and for texts of any length.
MOST_ROWS = 5_000_000  # of one file
FEW_ROWS = 100_000  # more than these have a byte of the file each
MOST_BYTES = 2**31  # of one file, unpacked


def read_parquet(
    path: str, named_at: Place, fields: Fields, errors: Errors, column_map: ColumnMap = AS_NAMED
) -> list[Event]:
    """The events of a Parquet file; errors name the file and row on the ledger's line."""
    file = _name_of(path)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        message = f'{file} needs pyarrow: pip install "beancount_compute[parquet]"'
        errors.add_unread_file(named_at, message)
        return []
    try:
        opened = parquet.ParquetFile(path)
        if too_much := _too_much(opened.metadata, os.path.getsize(path)):
            errors.add_unread_file(named_at, f"{file} {too_much}")
            return []
        texts = [name for name, kind in _fields(opened.schema_arrow) if _is_text(kind)]
        table = parquet.read_table(path, use_threads=False, read_dictionary=texts)
        table.validate(full=True)
    except (pyarrow.ArrowException, ValueError) as error:
        errors.add_unread_file(named_at, f"{file} is not Parquet: {str(error).splitlines()[0]}")
        return []
    try:
        columns = Columns([str(name).strip() for name in table.column_names], column_map)
        check_types(table.schema, columns)
    except UnicodeDecodeError:
        errors.add_unread_file(named_at, f"{file}: a column's name is not UTF-8")
        return []
    except FieldError as error:
        errors.add_unread_file(named_at, f"{file}: {error}")
        return []
    return _events(table, columns, path, named_at, fields, errors)


def _events(
    table: Any, columns: Columns, path: str, named_at: Place, fields: Fields, errors: Errors
) -> list[Event]:
    events: list[Event] = []
    file = _name_of(path)
    texts = [cell_texts(column) for column in table.columns]
    texts.append([""] * table.num_rows)
    for number, row in enumerate(zip(*texts, strict=True), start=1):
        place = named_at._replace(row=f"{file} row {number}")
        try:
            for cell in row:
                if isinstance(cell, FieldError):
                    raise cell
            if not any(row):
                errors.skipped[path, "blank rows"] += 1
                continue
            event = event_of_row(columns.in_order(row), columns.extra_of(row), place, fields)
            if says_nothing(event):
                errors.skipped[path, "rows of 0 units"] += 1
            else:
                events.append(event)
        except FieldError as error:
            errors.add(place, str(error))
            errors.unread.append(unread_row(columns.written(row), place))
    return events


def _too_much(metadata: Any, size: int) -> str:
    """Why a file is not read that would unpack to more than anybody's events; "" where it is."""
    rows = metadata.num_rows
    if rows > MOST_ROWS:
        return f"holds {rows:,} rows; at most {MOST_ROWS:,} are read: split it"
    if rows > max(FEW_ROWS, size):
        return f"holds {rows:,} rows in {size:,} bytes, which no events do: export it anew"
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > MOST_BYTES:
        return f"holds {unpacked:,} bytes; at most {MOST_BYTES:,} are read: split it"
    return ""


def _fields(schema: Any) -> list[tuple[str, Any]]:
    return [(field.name, field.type) for field in schema]


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def cell_texts(column: Any) -> list[Any]:
    """The texts of a column's cells; a `FieldError` in place of one that Python can't hold."""
    from pyarrow import ArrowException, types

    if types.is_dictionary(column.type):  # each text once, however often it stands there
        return [text for chunk in column.chunks for text in _texts_of_codes(chunk)]
    try:
        return [_text(value) for value in column.to_pylist()]
    except (ArrowException, OverflowError, ValueError):  # a day behind 9999, or bytes, say
        return [_cell(value) for value in column]


def _texts_of_codes(chunk: Any) -> Iterator[Any]:
    texts = [_cell(value) for value in chunk.dictionary]
    return ("" if code is None else texts[code] for code in chunk.indices.to_pylist())


def _cell(value: Any) -> object:
    from pyarrow import ArrowException

    try:
        return _text(value.as_py())
    except (ArrowException, OverflowError, ValueError):
        return FieldError("a cell is no text in UTF-8, or no day of the calendar: mend it")


def _name_of(path: str) -> str:
    return quoted(path.replace("\\", "/").rsplit("/", 1)[-1])


def check_types(schema: Any, columns: Columns) -> None:
    """Refuse the types that can't be exact, or are no text; `x_` columns may hold anything."""
    from pyarrow import types

    read = {at: name for name, at in columns.at.items() if not name.startswith("x_")}
    for at, name in sorted(read.items()):
        field = schema.field(at)
        kind = field.type
        if types.is_dictionary(kind):
            kind = kind.value_type
        if types.is_floating(kind):
            raise FieldError(
                f"column {quoted(field.name)} holds {kind}, which can't be exact: "
                "cast it to decimal128(38, 6) or to string"
            )
        if not (
            types.is_decimal(kind)
            or types.is_integer(kind)
            or types.is_string(kind)
            or types.is_large_string(kind)
            or types.is_string_view(kind)
            or types.is_date(kind)
            or types.is_timestamp(kind)
            or types.is_null(kind)
            or (types.is_boolean(kind) and name in MARKS)
        ):
            raise FieldError(
                f"column {quoted(field.name)} holds {kind}: "
                "cast it to decimal, integer, string, date or timestamp"
            )


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{trim(value, 0):f}"
        case date():  # of a moment, too
            return value.isoformat()
        case _:
            return str(value).strip()
