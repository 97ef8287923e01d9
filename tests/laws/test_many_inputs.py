"""Whatever any reader is given, no exception leaves it: a million inputs, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from beancount.core.data import Directive, Transaction

from tests.examples import examples
from tests.laws.many_inputs import KINDS, sealed_month, tried

SHARES = 4  # of all inputs: each is a test


@pytest.mark.parametrize("share", range(SHARES))
def test_no_input_raises(
    share: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    imbalance: Callable[[Transaction], object],
) -> None:
    """Of each kind some; what is booked of any sums to exactly zero."""
    monkeypatch.chdir(tmp_path)

    def check(entry: Directive) -> None:
        if isinstance(entry, Transaction) and "__order" in entry.meta:
            assert imbalance(entry) == {}

    number = examples(4_000, 1_000_000) // SHARES
    counts = Counter(tried(number, sealed_month(tmp_path, check), seed=share))
    assert counts.total() == number
    assert len(counts) == len(KINDS)
