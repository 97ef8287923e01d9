"""Beancount's cache beside a ledger is never read: to unpickle a file is to run what is in it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from beancount import loader

from tests.cli.test_no_plain_files import COMMANDS, ROWS
from tests.close.sealing import close, run, write


class Planted:
    """What makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """May is closed, and beside the ledger lies a cache, as Beancount looks for it."""
    path = write(tmp_path / "l", "", *ROWS)
    close(path, "2026-05")
    cache = path.with_name(f".{path.name}.picklecache")
    cache.write_bytes(pickle.dumps(Planted(tmp_path / "ran")))
    monkeypatch.setattr(loader, "_load_file", loader._load_file)  # to be put back
    loader.initialize(use_cache=True, cache_filename=".{filename}.picklecache")
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_reads_a_cache(command: str, ledger: Path, tmp_path: Path) -> None:
    """Nothing of it runs."""
    run(*[str(ledger) if word == "LEDGER" else word for word in COMMANDS[command]])
    assert not (tmp_path / "ran").exists()


def test_beancount_itself_would(ledger: Path, tmp_path: Path) -> None:
    """Else the test above shows nothing."""
    with suppress(TypeError):  # what comes out is no ledger
        loader.load_file(str(ledger))
    assert (tmp_path / "ran").exists()
