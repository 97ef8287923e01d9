"""Runs that are killed anywhere: never half a month, and the next run makes it to the last byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.examples import examples

KILLS = examples(3, 60)


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    """From a month booked before; between its two last moves it is nowhere, and comes back."""
    words = [sys.executable, "-m", "tests.bulk.killed_runs", str(tmp_path), str(KILLS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) > min(KILLS, 20) - 1
    for each in found:
        assert each["killed"] and each["again"] == 0 and each["same"], each
        assert each["found"] in ("before", "after", "{}"), each
        assert each["left"] == ["2026-05"], each
