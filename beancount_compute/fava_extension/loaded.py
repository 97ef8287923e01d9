"""What is worked out once per load of a ledger, and asked by every page.

    loaded = LoadedBooks(entries, options, errors)
    loaded.books, loaded.holdings, loaded.economics, loaded.months, loaded.open_month

Each piece is made when it is first asked for, by one thread; `prepare` makes them ahead of that,
beside Fava's own work, so that a load takes no longer than before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from beancount.core.data import Custom, Directive

from beancount_compute.bulk_books import CantReadMonths, read_all_books
from beancount_compute.close.loading import load
from beancount_compute.close.open_month import look_at
from beancount_compute.close.standing import Months, cancelled_of, index_folder, months_of
from beancount_compute.close.tie_outs import TieOut
from beancount_compute.economy import GRANT, TOP_UP, Month
from beancount_compute.fava_extension.prepared.economics_by_day import EconomicsByDay
from beancount_compute.fava_extension.prepared.holdings import Holdings
from beancount_compute.fava_extension.prepared.narrowing import coarse
from beancount_compute.fava_extension.prepared.overview import derived_until, end_of
from beancount_compute.fava_extension.prepared.people_tables import PeopleTables
from beancount_compute.fava_extension.prepared.subscriptions import Subscriptions
from beancount_compute.ledger import ORDER, SCENARIO, bulk_folders, first_bulk_day
from beancount_compute.plugin import PLUGIN
from beancount_compute.reports import Books
from beancount_compute.review import Review, review_month
from beancount_compute.scenarios import ScenariosApart

if TYPE_CHECKING:
    from beancount_compute.bulk.looking_up.lookup import MonthFiles

T = TypeVar("T")
_FOR_PAGES = ("books", "summed", "holdings", "commodities", "accounts", "months", "economics")


class TiedOut(NamedTuple):
    """The next month to close, as `bean-compute close` would show it."""

    month: str
    events: int
    late: int  # of the events
    ties: list[TieOut]
    review: Review


class LoadError(NamedTuple):
    """An error of the ledger."""

    file: str
    line: int
    message: str
    of_fava: bool = False  # Fava's own, which `bean-compute` and Beancount do not see


def _once(make: Callable[[LoadedBooks], T]) -> cached_property[T]:
    """What is made when it is first asked for, by one thread; others wait."""

    @wraps(make)
    def made(self: LoadedBooks) -> T:
        with self.lock:
            if make not in self.made:
                self.made[make] = make(self)
            return cast(T, self.made[make])

    return cached_property(made)


class LoadedBooks:
    """A loaded ledger, and what pages need of it."""

    def __init__(
        self, entries: Sequence[Directive], options: dict[str, Any], errors: Sequence[LoadError]
    ) -> None:
        self.entries = entries
        self.options = options
        self.errors = errors
        self.lock = threading.RLock()
        self.made: dict[object, Any] = {}
        self.scenarios = ScenariosApart(str(options["filename"]))
        self._abandoned = False
        self._thread: threading.Thread | None = None

    @property
    def errors_of_ledger(self) -> list[LoadError]:
        """The errors without Fava's own."""
        return [each for each in self.errors if not each.of_fava]

    @property
    def has_plugin(self) -> bool:
        """Whether the ledger has the plugin's line."""
        return any(name == PLUGIN for name, _ in self.options["plugin"])

    @cached_property
    def has_bookings(self) -> bool:
        """Whether the plugin booked anything."""
        return self.first_bulk_day is not None or any(ORDER in entry.meta for entry in self.entries)

    @cached_property
    def first_bulk_day(self) -> date | None:
        """The first day from which on the ledger is booked in bulk; None where it is not."""
        return first_bulk_day(self.options["include"])

    @_once
    def bulk_files(self) -> list[MonthFiles]:
        """The Parquet files of its months in bulk; raises `ImportError` without the extra."""
        from beancount_compute.bulk.looking_up.lookup import files_of

        return files_of(bulk_folders(self.options["include"]).values())

    @cached_property
    def origins(self) -> frozenset[str]:
        """What units may come from: plans, top-ups, grants; in bulk any that its terms have."""
        if self.first_bulk_day is None:
            return self.books.origins
        return self.books.origins | {*self.books.terms.plans, TOP_UP, GRANT}

    @cached_property
    def names_scenarios(self) -> bool:
        """Whether the ledger names scenarios."""
        return any(isinstance(each, Custom) and each.type == SCENARIO for each in self.entries)

    @_once
    def books(self) -> Books:
        """The books, whole and unfiltered; raises `CantReadMonths` of those in bulk."""
        return read_all_books(self.entries, self.options)

    @property
    def unreadable(self) -> str:
        """Why the months in bulk can't be read; "" where they can, or there are none."""
        try:
            _ = self.books
        except CantReadMonths as error:
            return str(error)
        return ""

    @_once
    def summed(self) -> Books:
        """The books with alike facts of a day added up."""
        return coarse(self.books)

    @_once
    def holdings(self) -> Holdings:
        """What every subscriber holds on every day."""
        return Holdings(self.books, self.books.movements, self.books.owed, fine=False)

    @_once
    def holdings_by_account(self) -> Holdings:
        """The same by account and plan."""
        return Holdings(self.books, self.books.movements, self.books.owed, fine=True)

    @_once
    def subscriptions(self) -> Subscriptions:
        """Who is on which plan on every day."""
        return Subscriptions(self.books, cancelled_of(self.entries, self.options))

    @_once
    def economics(self) -> EconomicsByDay:
        """What became of units that were left unused."""
        return EconomicsByDay(self.books.singly)

    @_once
    def people(self) -> PeopleTables:
        """Reports on people, as they were asked for."""
        return PeopleTables(self.books)

    @_once
    def commodities(self) -> frozenset[str]:
        """The units of compute."""
        return frozenset([each.commodity for each in self.books.movements])

    @_once
    def accounts(self) -> frozenset[str]:
        """All accounts that anything was posted to."""
        return frozenset(
            [posting.account for entry in self.books.transactions for posting in entry.postings]
        )

    @_once
    def months(self) -> Months:
        """The closed months, and the next one to close."""
        return months_of(self.entries, self.books)

    @_once
    def open_month(self) -> TiedOut | None:
        """The next month to close; None where nothing was booked, or it has not begun.

        The ledger is loaded once more, as the command loads it: in Fava it holds no events.
        """
        month = self.months.next_to_close
        if month is None or not self.months.begun:
            return None
        again = load(Path(str(self.options["filename"])))
        if again.booking is None:  # the line of the plugin went meanwhile
            return None
        found = look_at(month, again)
        review = review_month(again.booking, found.books, month)
        return TiedOut(month, len(found.events), found.late, found.ties, review)

    @cached_property
    def _last_bulk_day(self) -> date:
        months = bulk_folders(self.options["include"])
        return Month.parse(max(months)).last if months else date.min

    @property
    def derived_until(self) -> date:
        """The last day of which anything was derived."""
        return max(derived_until(self.books, self.months.chain.last_day), self._last_bulk_day)

    @property
    def end(self) -> date:
        """The day on which the books end."""
        return max(end_of(self.books, self.months.chain.last_day), self._last_bulk_day)

    @property
    def folder(self) -> Path:
        """Where the ledger lies."""
        return Path(str(self.options["filename"])).parent

    def named(self, file: str) -> str:
        """A file as the ledger's folder knows it; by its name alone where it lies elsewhere."""
        path = self.folder / file
        return str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else path.name

    @property
    def index_folder(self) -> str:
        """The folder of closed months; "" where the ledger includes no index."""
        return index_folder(self.options)

    def prepare(self) -> None:
        """Make what pages need in a thread of its own, unless there is nothing to make."""
        if self.has_plugin and self.has_bookings:
            self._thread = threading.Thread(
                target=self._make_all, name="beancount_compute", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Until everything is made."""
        if self._thread is not None:
            self._thread.join()

    def abandon(self) -> None:
        """The ledger was loaded again: make nothing more."""
        self._abandoned = True
        self.scenarios.abandon()

    def _make_all(self) -> None:
        try:
            self._make_pieces()
        except CantReadMonths:
            return  # each page says it

    def _make_pieces(self) -> None:
        for piece in _FOR_PAGES:
            if self._abandoned:
                return
            getattr(self, piece)
        for index in ("movements_of", "incomes_of", "pocket_accounts", "place_of", "corrections"):
            getattr(self.books, index)
        if self.books.terms.known_providers:
            _ = self.books.bill_shares
        for piece in ("holdings_by_account", "subscriptions"):
            if self._abandoned:
                return
            getattr(self, piece)
