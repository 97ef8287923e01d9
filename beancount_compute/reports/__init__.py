"""Loaded transactions become facts, facts become tables: one report a file.

What other parts need of it is named from here; the reports themselves are in `registry.py`.
"""

from beancount_compute.reports.books import (
    LATE,
    Books,
    NotInBulk,
    Selection,
    read_books,
    since,
    until,
)
from beancount_compute.reports.capacity_notes import depreciation_booked, depreciation_in_bulk
from beancount_compute.reports.entered import not_in_opening
from beancount_compute.reports.exchange import csv_of, defused, json_of, table_as_json
from beancount_compute.reports.explaining import NoSuchCell, explain, find_cell
from beancount_compute.reports.facts import (
    SUMMED,
    DatedPrice,
    Income,
    LotKey,
    Movement,
    Owed,
    Trade,
)
from beancount_compute.reports.figures import NotSummed, Report, ReportLike, Request, tabulate
from beancount_compute.reports.fold import fold, grouped
from beancount_compute.reports.intervals import (
    Interval,
    TooMany,
    check_number,
    days_before,
    first_named,
    first_of,
    last_of,
    name_of,
    names_between,
)
from beancount_compute.reports.reading_money import MoneyFacts
from beancount_compute.reports.tables import (
    CURRENCY,
    DATE,
    MONTH,
    NOT_NAMED,
    PLAN,
    SUBSCRIBER,
    TOTAL,
    UNIT,
    Cell,
    Column,
    Measure,
    Table,
    counted,
    money,
    rounded,
    shown,
    written,
)
from beancount_compute.reports.text_columns import wrapped
from beancount_compute.reports.text_face import render
