"""What all tests share: seeded Hypothesis profiles, and a ledger with its files in a folder."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Generator
from decimal import Context, Decimal, Inexact
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from beancount import loader
from beancount.core.data import Directive, Transaction
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.examples import examples
from tests.letting_go import let_go

# A worker of tests has no main module to speak of: PySpark would take it for its own doctests, and
# end it where it finds no Spark.
sys.modules["__main__"].__spec__ = sys.modules["__main__"].__spec__ or ModuleSpec("__main__", None)

settings.register_profile(
    "ci",
    max_examples=examples(200, 10_000),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")

ECONOMY = Path(__file__).parent / "economy"
EXACT = Context(prec=5000, traps=[Inexact])  # sums lose nothing, or say so
HEAD = 'plugin "beancount_compute"\noption "operating_currency" "USD"\n'  # lines 1 and 2


class Loaded(NamedTuple):
    """What Beancount makes of a ledger; errors read `main.beancount:3: message`, in order."""

    entries: list[Directive]
    errors: list[str]
    options: dict[str, Any]

    @property
    def booked(self) -> list[Transaction]:
        """The transactions that the plugin made, in the engine's order."""
        made = [
            entry
            for entry in self.entries
            if isinstance(entry, Transaction) and "__order" in entry.meta
        ]
        return sorted(made, key=lambda entry: entry.meta["__order"])


Load = Callable[..., Loaded]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where coverage is measured, only what is imported and the economy's own tests count.

    They must reach every branch by themselves; and all other tests run at their full speed. In a
    worker pytest-cov has started two measurements, and below the newer one the older goes on.
    """
    stopped: list[Coverage] = []
    while not item.path.is_relative_to(ECONOMY) and (measured := Coverage.current()):
        measured.stop()
        stopped.append(measured)
    try:
        return (yield)
    finally:
        for measured in reversed(stopped):
            measured.start()
        let_go()


@pytest.fixture(scope="session")
def imbalance() -> Callable[[Transaction], dict[str, Decimal]]:
    """What a transaction sums to at cost, by currency, where that is not exactly zero."""

    def imbalance(transaction: Transaction) -> dict[str, Decimal]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for posting in transaction.postings:
            number, currency = posting.units
            if posting.cost is not None:
                number = EXACT.multiply(number, posting.cost.number)
                currency = posting.cost.currency
            sums[currency] = EXACT.add(sums[currency], number)
        return {currency: number for currency, number in sums.items() if number}

    return imbalance


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a ledger, from its third line on, beside files given as text or bytes."""

    def load(ledger: str, files: dict[str, str | bytes] | None = None) -> Loaded:
        for name, content in {"main.beancount": HEAD + ledger, **(files or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        entries, errors, options = loader.load_file(str(tmp_path / "main.beancount"))
        places = sorted(
            (
                os.path.relpath(each.source["filename"], tmp_path),
                each.source["lineno"],
                each.message,
            )
            for each in errors
        )
        return Loaded(entries, [f"{file}:{line}: {said}" for file, line, said in places], options)

    return load
