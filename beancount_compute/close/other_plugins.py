"""A close, tried with all plugins of the ledger, before anything of it is written.

    plugin "beancount_compute"
    plugin "beancount.plugins.currency_accounts"      ; changes transactions that are frozen

What a plugin does is not frozen with a month: it runs again on every load. So the ledger is loaded
as it would be with the month closed; it must load without errors, to the same balances, and pass
`verify`. Where it does not, the plugins are taken out one after the other, to say which stands in
the way.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from beancount_compute.close.closing import Closing
from beancount_compute.close.loading import Instead, Loaded, load
from beancount_compute.close.proving import other_balances
from beancount_compute.close.storage import CloseError
from beancount_compute.close.verifying import verify
from beancount_compute.closed import INDEX, PARTS
from beancount_compute.economy import Month
from beancount_compute.ledger import place_of
from beancount_compute.plugin import PLUGIN

PluginLine = tuple[str, str | None]  # a plugin and its configuration
REOPENED = "reopened"
MOST_SHOWN = 5
MOST_TOGETHER = 2  # plugins that stand in the way only together


class Trial(NamedTuple):
    """A month of a ledger that is to be closed."""

    ledger: Path
    folder: Path  # of closed months
    close: Callable[[Loaded], Closing]  # worked out and proved, or `CloseError`

    def agrees(self, lines: Sequence[PluginLine]) -> bool:
        """Whether the month would close and load with these plugins in the place of its own."""
        loaded = load(self.ledger, Instead(lines))
        if loaded.errors:
            return False
        try:
            return not _found(loaded, self, self.close(loaded), lines)
        except CloseError:
            return False


def check_with_plugins(loaded: Loaded, trial: Trial, closing: Closing) -> None:
    """Raise `CloseError` where a closed month would not load and verify with all plugins."""
    lines = plugins_of(loaded)
    if all(name == PLUGIN for name, _ in lines):
        return  # then a load gives what the close has proved
    found = _found(loaded, trial, closing, lines)
    if found:
        what = "\n".join(found[:MOST_SHOWN])
        why = in_the_way(lines, trial) or f"the ledger has {_names(lines)}"
        raise CloseError(
            f"{why}\nwith the month closed the ledger would not load to the same books: nothing "
            f"was written\n{what}"
        )


def plugins_of(loaded: Loaded) -> list[PluginLine]:
    """The plugin lines of a ledger, in their order."""
    return [*loaded.options["plugin"]]


def in_the_way(lines: Sequence[PluginLine], trial: Trial) -> str:
    """Which plugin stands in the way of a close, and what to do; "" where none does by itself."""
    others = [at for at, (name, _) in enumerate(lines) if name != PLUGIN]
    for many in range(1, min(MOST_TOGETHER, len(others)) + 1):
        for places in combinations(others, many):
            left = [line for at, line in enumerate(lines) if at not in places]
            if trial.agrees(left):
                taken = [lines[at] for at in places]
                verb = "stands" if many == 1 else "stand"
                return f"{_names(taken)} {verb} in the way: {_advice(left, taken, places, trial)}"
    return ""


def _advice(
    left: list[PluginLine], taken: list[PluginLine], places: Sequence[int], trial: Trial
) -> str:
    """Where the plugins may stand, if anywhere."""
    ours = [name for name, _ in left].index(PLUGIN)
    if min(places) > ours and trial.agrees([*left[:ours], *taken, *left[ours:]]):
        return f'write it before  plugin "{PLUGIN}"'
    if max(places) <= ours and trial.agrees([*left[: ours + 1], *taken, *left[ours + 1 :]]):
        return f'write it behind  plugin "{PLUGIN}"'
    return "remove it, or what it does to closed months"


def _names(lines: Iterable[PluginLine]) -> str:
    return " and ".join(f'plugin "{name}"' for name, _ in lines if name != PLUGIN)


def _found(
    loaded: Loaded, trial: Trial, closing: Closing, lines: Sequence[PluginLine]
) -> list[str]:
    """What is wrong with the ledger once the month is closed; nothing where all agrees."""
    folder = trial.folder
    last_day = Month.parse(closing.month).last
    with _as_closed(loaded, folder, closing.files) as aside:
        after = load(trial.ledger, Instead(lines, (folder / INDEX, aside / INDEX)))
        found = [f"{place_of(error.source or {})}: {error.message}" for error in after.errors]
        if not found and len(after.closed) == len(loaded.closed):
            found = ["its seal would not be read"]
        if not found:
            found = [f"{each.place} {each.text}".strip() for each in verify(after, books=False)]
        if not found:
            closed = (entry for entry in after.entries if entry.date <= last_day)
            differing = other_balances(closing.entries, closed)
            differing |= other_balances(loaded.entries, after.entries)
            found = [f"another balance of {account}" for account in sorted(differing)]
        return [text.replace(str(aside), str(folder)) for text in found]


@contextmanager
def _as_closed(loaded: Loaded, folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder that holds what that of the closed months would."""
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        for seal in loaded.closed:
            for part in PARTS:
                shutil.copyfile(folder / f"{seal.month}.{part}", aside / f"{seal.month}.{part}")
        if (folder / REOPENED).is_dir():
            shutil.copytree(folder / REOPENED, aside / REOPENED)
        for file, data in files.items():
            (aside / file).write_bytes(data)
        yield aside
