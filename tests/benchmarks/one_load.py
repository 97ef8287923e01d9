"""One load in a process of its own: `python one_load.py LEDGER` prints its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from beancount import loader


def main() -> None:
    """Load the ledger named on the command line, without Beancount's cache."""
    spent: list[float] = []
    plugin = _timed(spent)
    loader.initialize(use_cache=False)
    before = time.process_time()
    entries, errors, _ = loader.load_file(sys.argv[1])
    whole = time.process_time() - before
    figures: dict[str, Any] = {
        "whole": whole,
        "plugin": sum(spent),
        "peak": _peak(),
        "transactions": sum(type(entry).__name__ == "Transaction" for entry in entries),
        "errors": len(errors),
        "timed": plugin,
    }
    print(json.dumps(figures))


def _peak() -> int:
    """The most memory that this process held, in kilobytes.

    `ru_maxrss` counts that of the process that started this one too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _timed(spent: list[float]) -> bool:
    """Let the plugin's own time be measured; a text ledger never asks for the plugin."""
    import beancount_compute

    (compute,) = beancount_compute.__plugins__

    def measured(*args: Any) -> Any:
        before = time.process_time()
        try:
            return compute(*args)
        finally:
            spent.append(time.process_time() - before)

    beancount_compute.__plugins__ = (measured,)
    return True


if __name__ == "__main__":
    main()
