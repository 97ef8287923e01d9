"""Plotly's JavaScript, which its Python package ships: the extra `[charts]`.

About 4.8 MB, put into the page as it is, so that the page needs no network for ever.
"""

from __future__ import annotations

from importlib.resources import files

HOW_TO_GET_IT = 'pip install "beancount_compute[charts]"'


def plotly_bundle() -> str | None:
    """The text of plotly.min.js; None where Plotly is not installed."""
    try:
        package = files("plotly")
    except ModuleNotFoundError:
        return None
    bundle = package / "package_data" / "plotly.min.js"
    return bundle.read_text(encoding="utf-8") if bundle.is_file() else None
