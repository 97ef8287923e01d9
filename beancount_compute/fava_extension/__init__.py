"""The books in Fava: one entry in the sidebar, six views.

    2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"

A request goes through four steps, each a module: `asked.py` reads the address, `page.py` lets the
filters through, one module a view asks `reports/` for tables, and `blocks.py` writes them as plain
data, which `ComputeBooks.js` puts into the page as text. What is worked out once per load is in
`loaded.py`; all that is Fava's own and not public in `fava_parts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from fava.core import FavaLedger
from fava.ext import FavaExtensionBase
from flask import Response, request, send_file

from beancount_compute.fava_extension import fava_parts, plotly_file
from beancount_compute.fava_extension.asked import VIEWS, BadRequest, read_address
from beancount_compute.fava_extension.blocks import Block, Numbers, words
from beancount_compute.fava_extension.economics import economics
from beancount_compute.fava_extension.fava_parts import FilterRefused
from beancount_compute.fava_extension.help_page import help_page
from beancount_compute.fava_extension.loaded import Loaded, LoadError
from beancount_compute.fava_extension.market import market
from beancount_compute.fava_extension.month_end import month_end, ties
from beancount_compute.fava_extension.overview import overview
from beancount_compute.fava_extension.page import Page
from beancount_compute.fava_extension.scope import beyond_the_books
from beancount_compute.fava_extension.subscribers import subscribers
from beancount_compute.fava_extension.vintages import vintages

View = Callable[[Page], list[Block]]
_SHOWN: dict[str, View] = {
    "overview": overview,
    "subscribers": subscribers,
    "market": market,
    "vintages": vintages,
    "economics": economics,
    "close": month_end,
}


class ComputeBooks(FavaExtensionBase):
    """The extension: what Fava asks of it."""

    report_title = "Compute books"
    has_js_module = True
    views = VIEWS

    def __init__(self, ledger: FavaLedger, config: str | None = None) -> None:
        super().__init__(ledger, config)
        self._loaded: Loaded | None = None

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
        """What tells one version of the drawing library from another; "" where there is none."""
        return plotly_file.version()

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
        return self._answer(lambda page: _SHOWN[page.asked.view](page))

    @fava_parts.endpoint("ties")
    def ties(self) -> Response:
        """The tie-outs of the next month to close, which may take longer than a view."""
        return self._answer(ties)

    @fava_parts.endpoint("plotly.js")
    def plotly_js(self) -> Response:
        """Plotly's JavaScript, from the Python package that is installed."""
        path = plotly_file.path()
        if path is None:
            return _json({"error": f"no pictures: {plotly_file.HOW_TO_GET_IT}"}, 404)
        return send_file(path, mimetype="text/javascript", max_age=30 * 24 * 3600)

    def _answer(self, view: View) -> Response:
        loaded = self._loaded or _loaded(self.ledger)
        try:
            args = request.args
            days = fava_parts.days_of(self.ledger, args.get("time", ""))
            asked = read_address(args, days, fava_parts.INTERVALS)
            helpful = help_page(loaded, fava_parts.Links())
            if helpful is not None:
                return _json({"view": asked.view, "notes": [], "blocks": helpful})
            entries = fava_parts.entries_kept(self.ledger, asked.entries)
            accounts = fava_parts.accounts_kept(loaded.accounts, asked.account)
            page = Page(loaded, asked, accounts, entries, self._numbers(), fava_parts.Links())
            page.check_names()
            page.notes += beyond_the_books(page)
            blocks = view(page)
        except (BadRequest, FilterRefused) as error:
            return _json({"error": str(error)}, 400)
        errors = loaded.errors_of_ledger
        warning = [_warning(errors)] if errors and asked.view != "close" else []
        return _json({"view": asked.view, "notes": page.notes, "blocks": [*warning, *blocks]})

    def _numbers(self) -> Numbers:
        ledger = self.ledger
        return Numbers(
            lambda number, unit: fava_parts.amount_text(ledger, number, unit),
            lambda number: fava_parts.grouped_text(ledger, number),
        )


def _loaded(ledger: FavaLedger) -> Loaded:
    errors = [LoadError(*each) for each in fava_parts.errors_of(ledger)]
    return Loaded(fava_parts.entries_of(ledger), fava_parts.options_of(ledger), errors)


def _warning(errors: Sequence[LoadError]) -> Block:
    many = len(errors) > 1
    count = f"{len(errors):,} error{'s' if many else ''}"
    text = f"The ledger has {count}; what is refused is not in these figures."
    link = f"Show {'them' if many else 'it'}"
    return {**words(text, tone="bad"), "go": {"view": "close"}, "link": link}


def _json(data: dict[str, Any], status: int = 200) -> Response:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status, mimetype="application/json")
