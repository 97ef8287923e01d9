"""Ledgers with a month in bulk, booked once for all tests, and copied for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.close.bulk_months import booked
from tests.close.sealing import close


@pytest.fixture(scope="session")
def may_in_bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger whose May is booked and open."""
    return booked(tmp_path_factory.mktemp("may")).parent


@pytest.fixture(scope="session")
def closed_may_in_bulk(may_in_bulk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger whose May is closed."""
    folder = tmp_path_factory.mktemp("closed") / "may"
    shutil.copytree(may_in_bulk, folder)
    close(folder / "main.beancount", "2026-05")
    return folder


@pytest.fixture
def in_bulk(may_in_bulk: Path, tmp_path: Path) -> Path:
    """A ledger whose May is booked and open, with its folders to change at will."""
    shutil.copytree(may_in_bulk, tmp_path, dirs_exist_ok=True)
    return tmp_path / "main.beancount"


@pytest.fixture
def sealed(closed_may_in_bulk: Path, tmp_path: Path) -> Path:
    """A ledger whose May is closed, with its folders to change at will."""
    shutil.copytree(closed_may_in_bulk, tmp_path, dirs_exist_ok=True)
    return tmp_path / "main.beancount"
