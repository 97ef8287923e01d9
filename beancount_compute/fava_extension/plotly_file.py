"""Plotly's JavaScript in its installed Python package, the extra `[charts]`: no network."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

HOW_TO_GET_IT = 'pip install "beancount_compute[charts]"'


def path() -> Path | None:
    """Where the JavaScript lies; None where Plotly is not installed. Imports nothing of it."""
    try:
        found = Path(str(distribution("plotly").locate_file("plotly/package_data/plotly.min.js")))
    except PackageNotFoundError:
        return None
    return found if found.is_file() else None


def version() -> str:
    """The installed version; "" where there is none."""
    return distribution("plotly").version if path() else ""
