"""Ledgers in Fava, and what its pages show beside what `bean-compute report` says."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode, urlsplit

from click.testing import CliRunner
from fava.application import create_app
from flask import Flask

from beancount_compute.cli import report as report_of_cli

EXAMPLES = Path(__file__).parents[2] / "example-ledgers"
EXTENSION = '2026-01-01 custom "fava-extension" "beancount_compute.fava_extension"\n'
DIGITS_AS_X = str.maketrans("0123456789", "X" * 10)  # as Fava hides them
VIEWS = (
    "overview",
    "subscribers",
    "people",
    "retention",
    "owed",
    "market",
    "growth",
    "vintages",
    "economics",
    "bills",
    "whatif",
    "close",
)
ESTIMATES = ("people", "forecast")  # endpoints of what a view on people asks for once it stands


def example(name: str, folder: Path) -> Path:
    """A copy of an example ledger."""
    shutil.copytree(EXAMPLES / name, folder / name)
    return folder / name / "main.beancount"


class Site:
    """A ledger in Fava, asked without a browser."""

    def __init__(self, ledger: Path, *, incognito: bool = False) -> None:
        self.ledger = ledger
        # Systems allow few watchers of files at a time, and none of these is ever stopped.
        self.app: Flask = create_app(
            [str(ledger)], load=True, incognito=incognito, poll_watcher=True
        )
        self._client = self.app.test_client()
        slug = self._client.get("/").headers["Location"].split("/")[1]
        self.base = f"/{slug}/"
        self.path = f"/{slug}/extension/ComputeBooks/"

    def get(self, address: str) -> Any:
        """The answer to an address of Fava."""
        return self._client.get(address)

    def page(self, view: str, endpoint: str = "data", **asked: str) -> dict[str, Any]:
        """A view's blocks; fails unless the answer is good."""
        address = f"{self.path}{endpoint}?{urlencode({'view': view, **asked})}"
        answer = self._client.get(address)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found

    def whole(self, view: str, *endpoints: str, **asked: str) -> dict[str, Any]:
        """A view with what it asks these endpoints for later in its place."""
        page = self.page(view, **asked)
        blocks: list[dict[str, Any]] = []
        for block in page["blocks"]:
            later = block["kind"] == "later" and block["endpoint"] in endpoints
            blocks += self.page(view, block["endpoint"], **asked)["blocks"] if later else [block]
        return {**page, "blocks": blocks}

    def refusal(self, view: str, **asked: str) -> dict[str, Any]:
        """What an address shows that is refused."""
        answer = self._client.get(f"{self.path}data?{urlencode({'view': view, **asked})}")
        assert answer.status_code == 400
        found: dict[str, Any] = answer.get_json()
        return found


def exact(cell: Any) -> str:
    """All digits of a cell."""
    if isinstance(cell, list):
        return str(cell[1])
    return exact(cell["text"]) if isinstance(cell, dict) else str(cell)


def tables(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tables of a page by name, those of pictures among them."""
    found: dict[str, dict[str, Any]] = {}
    for block in page["blocks"]:
        if block["kind"] == "chart":
            found[block["name"]] = block["table"]
        elif block["kind"] == "table":
            found[block["name"]] = block
    return found


def rows(table: dict[str, Any], part: str = "rows") -> list[dict[str, str]]:
    """The rows of a table, with all digits; rates as the number that they are, not per cent."""
    keys = [column["key"] for column in table["columns"]]
    return [dict(zip(keys, map(exact, row), strict=True)) for row in table[part]]


def totals(table: dict[str, Any]) -> list[dict[str, str]]:
    """What stands below the rows of a table."""
    return rows(table, "footer")


def journal(site: Site, address: str) -> list[Any]:
    """The transactions that Fava's journal shows at an address."""
    assert urlsplit(address).path == f"{site.base}journal/"
    asked = dict(parse_qsl(urlsplit(address).query))
    ledger = site.app.config["LEDGERS"].ledgers[0]
    kept = ledger.get_filtered(account="", filter=asked["filter"], time=asked.get("time", ""))
    shown = [entry for entry in kept.entries if type(entry).__name__ == "Transaction"]
    return [entry for entry in shown if entry.flag != "S"]  # what came before the days, summed up


_load = cache(report_of_cli.load)  # each ledger only once


def report(name: str, ledger: Path, *options: str) -> dict[str, list[dict[str, str]]]:
    """The tables of `bean-compute report` by name, figures as texts, none as ""."""
    words = [name, str(ledger), "--format", "json", *options]
    with patch.object(report_of_cli, "load", _load):
        result = CliRunner().invoke(report_of_cli.report, words)
    assert result.stdout, result.stderr
    return {
        table["name"]: [
            {key: "" if cell is None else str(cell) for key, cell in row.items()}
            for row in table["rows"]
        ]
        for table in json.loads(result.stdout)["tables"]
    }
