"""Globs find what Python's own find, and give up on what would never end."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from beancount_compute.ledger import globs
from beancount_compute.ledger.globs import TooMuchToLookAt, paths_found

FILES = (
    *("a.csv", "b.csv", ".hidden.csv", "x/a.csv", "x/y/a.csv", "x/y/b.txt", "x/.h/a.csv"),
    *("[1]/a.csv", "Z/a.CSV", "x/y/z/w/a.csv", "2026-05.csv"),
)
PATTERNS = (
    *("*.csv", "**/*.csv", "x/**", "x/**/a.csv", "**", "**/y/*", "?.csv", "[ab].csv", "[!a].csv"),
    *(
        ".*",
        "**/.h/*.csv",
        "x/.h/*",
        "[[]1]/*",
        "*/*/*",
        "nothing/*.csv",
        "**/nothing",
        "x/../*.csv",
    ),
    *("./*.csv", "**/**/a.csv", "x/*/", "*.CSV", "**.csv", "a.csv/*", "x*/**/*.csv", "", "*/a.csv"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files in folders, hidden ones too, and a link that leads nowhere."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "gone.csv").symlink_to("nowhere")
    (tmp_path / "l").symlink_to("x")
    return tmp_path


def files(paths: list[str]) -> list[str]:
    return sorted({os.path.realpath(path) for path in paths if os.path.isfile(path)})


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_glob_finds_the_files_that_python_finds(
    folder: Path, pattern: str, absolute: bool
) -> None:
    """Relative to a folder, or from the root."""
    if absolute:
        pattern = f"{glob.escape(str(folder))}/{pattern}"
    found = glob.glob(pattern, root_dir=folder, recursive=True)
    expected = files([os.path.join(folder, path) for path in found])
    assert files(paths_found(pattern, str(folder))) == expected


def test_what_it_finds_is_in_order_and_seen_from_the_folder(folder: Path) -> None:
    """Whatever order the disk has."""
    found = paths_found("?.csv", str(folder))
    assert found == [str(folder / "a.csv"), str(folder / "b.csv")]


def test_links_that_lead_back_are_followed_once(folder: Path) -> None:
    """Two of them would make more paths than there are atoms."""
    for name in ("x/back", "x/y/back", "x/y/up", "x/self"):
        (folder / name).symlink_to("self" if name == "x/self" else folder)
    found = paths_found("**/a.csv", str(folder))
    assert len(found) < 100
    assert len(files(found)) == 5


def test_a_glob_over_too_much_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at so many files and folders, and no further."""
    monkeypatch.setattr(globs, "MOST_LOOKED_AT", 30)
    assert files(paths_found("x/*.csv", str(folder)))
    with pytest.raises(TooMuchToLookAt):
        paths_found("**/*.csv", str(folder))


def test_a_glob_over_the_disk_is_one_error(load, monkeypatch):
    """It says what to write; the rest of the books stands."""
    monkeypatch.setattr(globs, "MOST_LOOKED_AT", 1000)
    loaded = load(
        '2026-05-01 custom "compute-allocation" "alice" 800 CU 160.00 USD\n'
        '2026-01-01 custom "compute-events" "/**/*.csv"\n'
        '2026-05-02 custom "compute-consumption" "bob" 1 CU\n'
    )
    (message,) = loaded.errors
    assert message.startswith(
        'main.beancount:4: "/**/*.csv" would look at more than 100,000 files and folders: write a '
        "glob that begins with the folder of your event files (1 more error follows from this, at "
    )
    assert len(loaded.booked) == 1
