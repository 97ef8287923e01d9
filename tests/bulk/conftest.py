"""Servers of Spark Connect for the tests: Sail in this process, and others that are named.

BEANCOUNT_COMPUTE_SPARK=sc://127.0.0.1:15002 python -m pytest tests/bulk/test_servers.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from pysail.spark import SparkConnectServer

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
