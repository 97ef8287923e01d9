"""Beancount in, Beancount out: lines and rows become events and terms, entries become transactions.

What other parts need of it is named from here.
"""

from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.assertion_directives import (
    ACCEPT,
    CONTROL,
    Answer,
    answer_of,
    assertion_of,
    check_ids,
    control_of,
)
from beancount_compute.ledger.booked_periods import (
    StandingPeriod,
    standing_periods,
)
from beancount_compute.ledger.bulk_folders import (
    BULK_ABOUT,
    BULK_GOES_ON_FROM,
    BULK_JOURNAL,
    BULK_STATE,
    BULK_TAG,
    bulk_folders,
    check_bulk_folders,
    first_bulk_day,
    is_bulk_folder,
)
from beancount_compute.ledger.capacity_directives import CAPACITY
from beancount_compute.ledger.component_holders import (
    free_components,
    holders_of,
    mentions,
    names_in,
)
from beancount_compute.ledger.csv_writing import csv_text
from beancount_compute.ledger.directives import PREFIX, metadata_of, place_of, text_in, values_of
from beancount_compute.ledger.errors import ComputeError, Errors, FieldError
from beancount_compute.ledger.event_columns import BLOCK
from beancount_compute.ledger.event_directives import (
    EVENT_TYPES,
    event_of,
    events_at_once,
    unread_directive,
)
from beancount_compute.ledger.event_files import read_csv, read_file
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.finding_files import CLOSED, FileRequest, find_files, matches
from beancount_compute.ledger.globs import MOST_LOOKED_AT, TooMuchToLookAt, paths_found
from beancount_compute.ledger.hand_written import (
    OPENING_TAG,
    check_openings,
    check_whys,
    pocket_postings,
    read_hand_written,
    why_of,
)
from beancount_compute.ledger.header import ColumnMap
from beancount_compute.ledger.ids_of_periods import refuse_ids_of_periods
from beancount_compute.ledger.meaning import (
    BY_HAND,
    IN_BULK,
    OPENING,
    Meaning,
    is_of_provider,
    kind_of_tags,
)
from beancount_compute.ledger.metadata import (
    EARNED,
    FROM_PLAN,
    LAPSED,
    PeriodBooked,
    beyond_of,
    date_of,
    exchange_of,
    lapsed_of,
    money_of,
    named_amounts,
    period_of,
    plan_of,
    price_of,
)
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.opening_accruals import read_opening_accruals
from beancount_compute.ledger.rows import COLUMNS, FIELDS, LATER_COLUMNS
from beancount_compute.ledger.scenario_directives import (
    SCALE,
    SCENARIO,
    ScenarioLine,
    named_once,
    not_in_a_ledger,
    scale_of,
    scenario_of,
)
from beancount_compute.ledger.term_directives import TERM_TYPES, Line, notes_of_idle_keys
from beancount_compute.ledger.terms_in_force import (
    LedgerTerms,
    bookable,
    read_terms_and_accounts,
    roots_of,
    terms_of,
)
from beancount_compute.ledger.text import (
    booked_text,
    directive_text,
    option_lines,
    place_in_books,
    string,
)
from beancount_compute.ledger.twins import Source, drop_twins
from beancount_compute.ledger.writing import (
    MOST_SHARED,
    ORDER,
    Writer,
    lot_link,
    open_directives,
    orders,
)
