"""Closed months: frozen text, events and state, and the seals that prove them, read on load.

    closed/index.beancount       the chain of seals, included by the ledger
    closed/2026-05.beancount     the month's story: terms, transactions and prices
    closed/2026-05.events.csv    the events that were booked in it
    closed/2026-05.state.csv     the state at its end, from which the next month goes on

The way of a closed month into the books, module by module:

    chain -> frozen_months          seals and bytes: which months say what was sealed
    frozen_text, frozen_reader      the story
    frozen_rows, frozen_state, reading_state  the events and the state
    own_events, copies, used_terms, statements  what the ledger says beside it, compared
    bulk_files                      the files of a month in bulk, as they were sealed
    used_beyond                     what running periods used, where open days charge it anew
    touched                         what a month that does not hold says otherwise
    rebooking, reversing            a month booked again; what open events undo of it, or are about
    lots_since                      what became of lots, for events that come late
    content                         what of all this counts
"""

from beancount_compute.closed.bulk_files import (
    SealedFile,
    bulk_files,
    changed_since,
    folder_of_files,
    sealed_file,
)
from beancount_compute.closed.chain import (
    NO_SEAL,
    SEAL_TYPES,
    Chain,
    Reopening,
    Seal,
    can_close,
    link_text,
    read_chain,
    with_digest,
)
from beancount_compute.closed.content import (
    BY_HAND,
    FROZEN,
    ON_LOAD,
    content_digest,
    item_of,
    item_of_event,
    same_entries,
    same_event,
)
from beancount_compute.closed.copies import (
    assertion_text,
    check_assertions,
    check_copies,
    check_frozen_terms,
    check_paddings,
    frozen_assertions,
    is_copied,
    names_that_stay,
    units_by_month,
    written_in_closed,
)
from beancount_compute.closed.frozen_months import (
    INDEX,
    PARTS,
    Closed,
    FrozenMonth,
    check_included,
    check_index,
    file_of_month,
    files_digest,
    month_paths,
    read_closed,
)
from beancount_compute.closed.frozen_reader import FrozenReader
from beancount_compute.closed.frozen_rows import FrozenEvent, read_rows, rows_text
from beancount_compute.closed.frozen_state import (
    SEPARATOR,
    State,
    as_stated,
    holders_named,
    items_of_rows,
    named_by_account,
    read_rows_of_state,
    rows_of,
    state_text,
)
from beancount_compute.closed.frozen_text import copy_of, month_text, terms_in
from beancount_compute.closed.included_copies import without_frozen
from beancount_compute.closed.lots_since import lots_since
from beancount_compute.closed.own_events import split_events
from beancount_compute.closed.reading_state import read_state
from beancount_compute.closed.rebooking import Rebooked, frozen_events, rebook
from beancount_compute.closed.reversing import (
    beside_others,
    money_back,
    past_costs,
    told_since,
    undo_of,
)
from beancount_compute.closed.statements import STATED, check_statements, statements_of
from beancount_compute.closed.touched import Expected, differing, late_in_touched, tell_touched
from beancount_compute.closed.used_beyond import with_units_beyond, with_used_beyond
from beancount_compute.closed.used_terms import (
    OVERAGE,
    Uses,
    capacity_written,
    frozen_accounts,
    lost_plans,
)
