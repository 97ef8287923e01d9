"""The books in Fava: one entry in the sidebar, its views, and the manual.

    2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"

A request goes through four steps, each a module: `asked.py` reads the address, `page.py` lets the
filters through, one module a view asks `reports/` for tables, and `blocks.py` writes them as plain
data, which `ComputeBooks.js` puts into the page as text. What is worked out once per load is in
`loaded.py`; all that is Fava's own and not public in `fava_parts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from fava.core import FavaLedger
from fava.ext import FavaExtensionBase
from flask import Response, request

from beancount_compute.economy import decimals_of, round_half_even
from beancount_compute.fava_extension import fava_parts, incognito
from beancount_compute.fava_extension.asked import VIEWS, Asked, BadRequest, read_address
from beancount_compute.fava_extension.bills_view import both_bills
from beancount_compute.fava_extension.blocks import Block, FavaNumbers, words
from beancount_compute.fava_extension.close_view import month_end, ties
from beancount_compute.fava_extension.economics_view import economics, forecast_found
from beancount_compute.fava_extension.empty_view import empty_view
from beancount_compute.fava_extension.help_view import help_view
from beancount_compute.fava_extension.loaded import LoadedBooks, LoadError
from beancount_compute.fava_extension.market_view import market
from beancount_compute.fava_extension.overview_view import overview
from beancount_compute.fava_extension.owed_view import owed
from beancount_compute.fava_extension.page import Page, beyond_the_books, in_a_sentence
from beancount_compute.fava_extension.people_view import people_asked, people_found
from beancount_compute.fava_extension.subscribers_view import subscribers
from beancount_compute.fava_extension.vintages_view import vintages
from beancount_compute.fava_extension.what_if_view import scenarios_asked, scenarios_booked
from beancount_compute.reports import NotInBulk, counted
from beancount_compute.reports.charts import plotly_file

View = Callable[[Page], list[Block]]
_MONTH = 30 * 24 * 3600  # seconds
_SHOWN: dict[str, View] = {
    "overview": overview,
    "subscribers": subscribers,
    "people": people_asked,
    "retention": people_asked,
    "owed": owed,
    "market": market,
    "growth": people_asked,
    "vintages": vintages,
    "economics": economics,
    "bills": both_bills,
    "whatif": scenarios_asked,
    "close": month_end,
}


class ComputeBooks(FavaExtensionBase):
    """The extension: what Fava asks of it."""

    report_title = "Compute books"
    has_js_module = True
    views = VIEWS

    def __init__(self, ledger: FavaLedger, config: str | None = None) -> None:
        super().__init__(ledger, config)
        self._loaded: LoadedBooks | None = None

    def after_load_file(self) -> None:
        """Take the ledger as it is now, and prepare what the pages need."""
        if self._loaded is not None:
            self._loaded.abandon()
        self._loaded = _loaded(self.ledger)
        self._loaded.prepare()

    def wait(self) -> None:
        """Until all that pages need is prepared."""
        if self._loaded is not None:
            self._loaded.wait()

    @property
    def plotly(self) -> str:
        """The address of the drawing library, of its installed version; "" where there is none."""
        version = plotly_file.version()
        return fava_parts.Links().endpoint(self.name, "plotly.js", v=version) if version else ""

    @property
    def opened_directly(self) -> bool:
        """Whether the page is loaded as a whole, from its address."""
        return fava_parts.opened_directly()

    @property
    def how_to_get_pictures(self) -> str:
        """The command that installs the drawing library."""
        return plotly_file.HOW_TO_GET_IT

    @property
    def separators(self) -> str:
        """The decimal mark and what parts thousands, as Fava writes numbers."""
        return fava_parts.separators(self.ledger)

    @fava_parts.endpoint("data")
    def data(self) -> Response:
        """A view, as blocks."""

        def shown(page: Page) -> list[Block]:
            return [*_warning(page), *page.with_digits(_SHOWN[page.asked.view](page))]

        return self._answer(shown)

    @fava_parts.endpoint("ties")
    def ties(self) -> Response:
        """The tie-outs of the next month to close, which may take longer than a view."""
        return self._answer(ties)

    @fava_parts.endpoint("scenarios")
    def scenarios(self) -> Response:
        """The books beside the scenarios of the ledger, which are booked when first asked for."""
        return self._answer(scenarios_booked)

    @fava_parts.endpoint("people")
    def people(self) -> Response:
        """What the reports on people say, which is worked out when first asked for."""
        return self._answer(people_found)

    @fava_parts.endpoint("forecast")
    def forecast(self) -> Response:
        """What becomes of what is deferred, beside breakage and market."""
        return self._answer(forecast_found)

    @fava_parts.endpoint("library")
    def library(self) -> Response:
        """The address of the drawing library, for Fava's other pages, which can't know it."""
        return _json({"plotly": self.plotly})

    @fava_parts.endpoint("plotly.js")
    def plotly_js(self) -> Response:
        """Plotly's JavaScript, from the Python package that is installed."""
        script = plotly_file.script()
        if script is None:
            return _json({"error": f"no pictures: {plotly_file.HOW_TO_GET_IT}"}, 404)
        answer = Response(script, mimetype="text/javascript")
        # Its address names the version; while a browser keeps it, it may keep it compiled too.
        answer.cache_control.max_age = _MONTH
        answer.cache_control.immutable = True
        return answer

    def _answer(self, view: View) -> Response:
        args = request.args.to_dict()
        try:
            return _json(self._shown(view, args))
        except BadRequest as error:
            return _json(self._refusal(view, args, error), 400)

    def _shown(self, view: View, args: Mapping[str, str]) -> dict[str, Any]:
        """A view, as an address asks for it; raises `BadRequest`."""
        loaded = self._loaded or _loaded(self.ledger)
        days = fava_parts.days_of(self.ledger, args.get("time", ""))
        asked = read_address(args, days, fava_parts.INTERVALS)
        notes: list[str] = []
        if asked.view == "help":
            return {"view": "help", "about": "", "notes": [], "blocks": help_view(asked)}
        blocks = empty_view(loaded, fava_parts.Links())
        if blocks is None:
            entries = fava_parts.entries_kept(self.ledger, asked.entries)
            accounts = fava_parts.accounts_kept(loaded.accounts, asked.account)
            numbers, links = self._numbers(loaded, asked), fava_parts.Links()
            page = Page(loaded, asked, accounts, entries, numbers, links)
            page.hides_numbers = fava_parts.hides_numbers()
            blocks, notes = _blocks_of(view, page), page.notes
        if fava_parts.hides_numbers():
            blocks = incognito.without_numbers(blocks, fava_parts.hidden)
            notes = [incognito.NOTE, *notes]
        about = asked.subscriber if asked.view == "subscribers" else ""
        return {"view": asked.view, "about": about, "notes": notes, "blocks": blocks}

    def _refusal(self, view: View, args: Mapping[str, str], first: BadRequest) -> dict[str, Any]:
        """What is wrong with an address, and the controls of its view, to choose otherwise."""
        refused = {first.parameter: str(first)}
        shown: dict[str, Any] = {"view": args.get("view", ""), "blocks": []}
        while True:
            try:
                shown = self._shown(view, {k: v for k, v in args.items() if k not in refused})
            except BadRequest as error:
                if error.parameter not in refused:
                    refused[error.parameter] = str(error)
                    continue  # without that one as well
            break
        asked = "" if "view" in refused else shown["view"]
        blocks = _refused(refused, args, shown["blocks"] if asked else [])
        return {"error": str(first), "view": asked, "refused": refused, "blocks": blocks}

    def _numbers(self, loaded: LoadedBooks, asked: Asked) -> FavaNumbers:
        ledger = self.ledger

        def grouped(number: Decimal) -> str:
            return fava_parts.grouped_text(ledger, number)

        if asked.all_digits:
            return FavaNumbers(lambda number, _: grouped(number), grouped)

        def amount(number: Decimal, unit: str) -> str:
            """Money with the digits of its currency, units with those that Fava shows of them."""
            of_units = unit in loaded.commodities
            places = fava_parts.decimals_shown(ledger, unit) if of_units else decimals_of(unit)
            return grouped(round_half_even(number, Decimal(1).scaleb(-places)))

        return FavaNumbers(amount, grouped)


def _blocks_of(view: View, page: Page) -> list[Block]:
    """The blocks of a view, or why months in bulk have none for it."""
    page.check_names()
    page.notes += beyond_the_books(page)
    try:
        return view(page)
    except NotInBulk as error:
        return [*_warning(page), words(in_a_sentence(error))]


def _loaded(ledger: FavaLedger) -> LoadedBooks:
    errors = [LoadError(*each) for each in fava_parts.errors_of(ledger)]
    return LoadedBooks(fava_parts.entries_of(ledger), fava_parts.options_of(ledger), errors)


def _warning(page: Page) -> list[Block]:
    """That errors leave something out; where they are listed nothing needs to be said."""
    errors = page.loaded.errors_of_ledger
    if not errors or page.asked.view == "close":
        return []
    count = counted(len(errors), "error")
    text = f"The ledger has {count}; what is refused is not in these figures."
    link = f"Show {'them' if len(errors) > 1 else 'it'}"
    return [{**words(text, tone="bad"), "go": {"view": "close"}, "link": link}]


def _json(data: dict[str, Any], status: int = 200) -> Response:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status, mimetype="application/json")


def _refused(
    refused: Mapping[str, str], args: Mapping[str, str], blocks: Iterable[Block]
) -> list[Block]:
    """What is wrong with each parameter, at its field where it has one."""
    found: list[Block] = []
    at_fields: set[str] = set()
    for block in blocks:
        if block["kind"] == "controls":
            items = [_marked(item, refused, args) for item in block["items"]]
            at_fields |= {item["name"] for item in items if "error" in item}
            found.append({**block, "items": items})
    if "subscriber" in refused:
        found.insert(0, {"kind": "link", "text": "All subscribers", "go": {"view": "subscribers"}})
    others = [words(text, tone="bad") for name, text in refused.items() if name not in at_fields]
    return [*[{**each, "alert": True} for each in others], *found]


def _marked(item: Block, refused: Mapping[str, str], args: Mapping[str, str]) -> Block:
    """A field as it was filled in, with what is wrong about it."""
    name = item["name"]
    if item["kind"] != "field" or name not in refused:
        return item
    return {**item, "value": args[name], "error": refused[name]}
