"""Plotly's JavaScript in its installed Python package, the extra `[charts]`: no network."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

HOW_TO_GET_IT = 'pip install "beancount_compute[charts]"'
# Asks V8 to compile all functions at once, beside the page, while the script comes in. Left to
# itself it reads the script's outermost functions, which hold all 4.8 MB, again and again in the
# page's own thread, as each is first called. To others it is a comment.
_COMPILE_AT_ONCE = b"//# allFunctionsCalledOnLoad\n"


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


def script() -> bytes | None:
    """The JavaScript as browsers get it: the installed file behind a hint; None without Plotly."""
    found = path()
    return _COMPILE_AT_ONCE + found.read_bytes() if found else None
