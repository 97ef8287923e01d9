"""Random ledgers in which plans are changed, too: the auditor agrees with their books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples import examples
from tests.laws import random_ledgers, random_returns
from tests.laws.auditor.comparing import compare

SEEDS = range(examples(14, 400))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_auditor_agrees(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of plan by themselves, or with refunds, chargebacks and write-offs."""
    monkeypatch.setattr(random_returns, "FEATURES", ("change", *random_returns.FEATURES))
    random_ledgers._make_ledger(seed, tmp_path)
    assert compare(tmp_path / "main.beancount") == []
