"""A year that tests share, and servers of Spark Connect: Sail in this process, others by name.

BEANCOUNT_COMPUTE_SPARK=sc://127.0.0.1:15002 python -m pytest tests/bulk/test_servers.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from pysail.spark import SparkConnectServer

from tests.bulk.test_same_books import MARKET_YEAR, BothWays, both_ways
from tests.laws.captured import capture

# PySpark takes a program without a file for its own doctests; a worker of xdist is such a one
vars(sys.modules["__main__"]).setdefault("__file__", __file__)

SERVERS = ["sail", *os.environ.get("BEANCOUNT_COMPUTE_SPARK", "").split()]


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """The address of Sail, which lives as long as its object does."""
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    yield f"sc://{host}:{port}"
    server.stop()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """The address of each server in turn."""
    address: str = request.param
    return request.getfixturevalue("sail") if address == "sail" else address


@pytest.fixture(scope="session")
def market_year(tmp_path_factory: pytest.TempPathFactory) -> BothWays:
    """A market's year in bulk, which goes the plain way as far as it can: to be looked at only."""
    return both_ways(capture(MARKET_YEAR), tmp_path_factory.mktemp("year"))
