"""Parquet event files: the columns of a CSV file, as decimal, integer, string or date.

pyarrow is the extra `[parquet]`, imported only when a Parquet file is met.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from beancount_compute.economy import Event, Place, quoted, trim
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.event_files import Columns
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.rows import event_of_row


def read_parquet(path: str, named_at: Place, fields: Fields, errors: Errors) -> list[Event]:
    """The events of a Parquet file; errors name the file and row on the ledger's line."""
    file = quoted(path.replace("\\", "/").rsplit("/", 1)[-1])
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        message = f'{file} needs pyarrow: pip install "beancount_compute[parquet]"'
        errors.add(named_at, message)
        return []
    try:
        table = parquet.read_table(path, use_threads=False)
    except (pyarrow.ArrowException, ValueError) as error:
        errors.add(named_at, f"{file} is not Parquet: {str(error).splitlines()[0]}")
        return []
    try:
        columns = Columns([str(name).strip() for name in table.column_names])
        _check_types(table.schema)
    except UnicodeDecodeError:
        errors.add(named_at, f"{file}: a column's name is not UTF-8")
        return []
    except FieldError as error:
        errors.add(named_at, f"{file}: {error}")
        return []
    return _events(table, columns, file, named_at, fields, errors)


def _events(
    table: Any, columns: Columns, file: str, named_at: Place, fields: Fields, errors: Errors
) -> list[Event]:
    events: list[Event] = []
    texts = [_texts(column) for column in table.columns]
    texts.append([""] * table.num_rows)
    for number, row in enumerate(zip(*texts, strict=True), start=1):
        place = named_at._replace(row=f"{file} row {number}")
        try:
            for cell in row:
                if isinstance(cell, FieldError):
                    raise cell
            extra = columns.extra_of(row)
            events.append(event_of_row(columns.in_order(row), extra, place, fields))
        except FieldError as error:
            errors.add(place, str(error))
    return events


def _texts(column: Any) -> list[Any]:
    """The texts of a column's cells; a `FieldError` in place of one that Python can't hold."""
    try:
        return [_text(value) for value in column.to_pylist()]
    except (OverflowError, ValueError):  # a day behind the year 9999, or bytes that are no text
        return [_cell(value) for value in column]


def _cell(value: Any) -> object:
    try:
        return _text(value.as_py())
    except (OverflowError, ValueError):
        return FieldError("a cell is no text in UTF-8, or no day of the calendar: mend it")


def _check_types(schema: Any) -> None:
    from pyarrow import types

    for field in schema:
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
            or types.is_null(kind)
        ):
            raise FieldError(
                f"column {quoted(field.name)} holds {kind}: "
                "cast it to decimal, integer, string or date"
            )


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{trim(value, 0):f}"
        case date():
            return value.isoformat()
        case _:
            return str(value).strip()
