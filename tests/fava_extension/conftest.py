"""The example ledgers in Fava, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fava_extension.serving import Site, example


@pytest.fixture(scope="session")
def market_year(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A year of a market, nothing closed."""
    return Site(example("market-year", tmp_path_factory.mktemp("year")))


@pytest.fixture(scope="session")
def closed_quarter(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three closed months, an open one, and late events."""
    return Site(example("closed-quarter", tmp_path_factory.mktemp("quarter")))


@pytest.fixture(scope="session")
def two_bills(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A year of a reseller, with what its uses cost."""
    return Site(example("two-bills", tmp_path_factory.mktemp("bills")))


@pytest.fixture(params=["market_year", "closed_quarter", "two_bills"])
def site(request: pytest.FixtureRequest) -> Site:
    """Each of them."""
    asked: Site = request.getfixturevalue(request.param)
    return asked


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where a test writes a ledger of its own."""
    return tmp_path / "main.beancount"
