"""Sealed months change nothing: closing month by month gives the books of never closing."""

from __future__ import annotations

import random
import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest
from beancount.core.data import Directive, Transaction

from beancount_compute.close.carrying_over import carry
from beancount_compute.close.closing import next_to_close
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.proving import balances
from beancount_compute.close.verifying import verify
from beancount_compute.closed.frozen_rows import FrozenEvent, rows_text
from beancount_compute.economy.months import Month
from tests.close.sealing import (
    add,
    as_text,
    begin,
    booked,
    close,
    contents,
    errors_of,
    printed,
    without_idle_zeros,
)
from tests.examples import examples
from tests.laws.random_ledgers import PROFILES, VALID, quoted, write_ledger

AS_OF = re.compile(r'^\S+ custom "compute-option" "as-of" (\S+)\n', re.MULTILINE)
SEEDS = [seed for seed in range(examples(12, 400)) if PROFILES[seed % len(PROFILES)] in VALID]


def random_ledger(seed: int, folder: Path) -> Path:
    """The random ledger of a seed, without what a month can't be closed with."""
    return without_refused_postings(without_reversals(write_ledger(seed, folder)))


def with_index(ledger: Path) -> Path:
    """A ledger that includes an empty index, with derived entries up to a month's end."""
    text = ledger.read_text(encoding="utf-8")
    loaded = load(ledger)
    assert loaded.booking is not None
    days = [entry.date for entry in loaded.entries if isinstance(entry, Transaction)]
    days += [event.date for event in loaded.booking.events]
    days += [assertion.date for assertion in loaded.booking.assertions]
    days += [date.fromisoformat(day) for day in AS_OF.findall(text)]
    last = max(days)
    end = last.replace(day=monthrange(last.year, last.month)[1])
    text = AS_OF.sub("", text)
    text += f'{end} custom "compute-option" "as-of" {end}\ninclude "closed/index.beancount"\n'
    ledger.write_text(text, encoding="utf-8")
    begin(ledger)
    return ledger


def without_refused_postings(ledger: Path) -> Path:
    """A ledger without the entries and rows that are refused: with such a one it can't close."""
    while errors := load(ledger).errors:
        source = errors[0].source
        path = Path(source["filename"])
        lines = path.read_text(encoding="utf-8").split("\n")
        first = source["lineno"] - 1
        while path.suffix == ".beancount" and not lines[first][:1].isdigit():
            first -= 1
        behind = first + 1
        while path.suffix == ".beancount" and lines[behind].startswith(" "):
            behind += 1
        path.write_text("\n".join(lines[:first] + lines[behind:]), encoding="utf-8")
    return ledger


def without_reversals(ledger: Path) -> Path:
    """A ledger in which uses merge, without reversals: of a closed month none of a merged use can
    be, which has a test of its own."""
    if '"posting-grain"' not in ledger.read_text(encoding="utf-8"):
        return ledger
    for path in ledger.parent.glob("*.beancount"):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'^\S+ custom "compute-reversal" .*\n(  .*\n)*', "", text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    for path in ledger.parent.glob("*.csv"):
        rows = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(row for row in rows if b",reversal," not in row))
    return ledger


def months_of(loaded: Loaded) -> list[str]:
    """The months of a ledger from its first bookings on."""
    assert loaded.booking is not None
    first = next_to_close(loaded.booking)
    if first is None:
        return []
    last = max(entry.date for entry in loaded.entries if isinstance(entry, Transaction))
    months = [first]
    while months[-1] < last.isoformat()[:7]:
        months.append(Month.parse(months[-1]).next.name)
    return months


@pytest.mark.parametrize("seed", SEEDS)
def test_month_by_month_is_all_at_once(seed: int, tmp_path: Path) -> None:
    """Each load on the way and at the end prints the books of never closing: the same
    transactions, lots, prices and metadata in the same order; and `verify` agrees."""
    ledger = without_refused_postings(with_index(random_ledger(seed, tmp_path / "l")))
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    whole = printed(loaded)
    for month in months_of(loaded):
        close(ledger, month, loaded=loaded, ties=False)
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == whole
    assert verify(loaded) == []


def sealed_ledger(seed: int, folder: Path, share: float) -> tuple[Path, list[str]]:
    """A random ledger of which the first months are closed; and those that are not."""
    ledger = without_refused_postings(with_index(random_ledger(seed, folder)))
    months = months_of(load(ledger))
    closed = months[: max(1, int(len(months) * share))]
    close(ledger, *closed, ties=False)
    return ledger, months[len(closed) :]


def up_to(loaded: Loaded, day: date) -> str:
    """The printed books up to a day."""
    entries = [entry for entry in loaded.entries if entry.date <= day]
    return printed(loaded._replace(entries=entries))


BACK = ("chargeback", "write-off")


def ids_of(entries: Iterable[Directive], *kinds: str) -> list[tuple[str, str]]:
    """The id and the subscriber of each booking of some kinds."""
    tags = {f"compute-{kind}" for kind in kinds}
    made = [each for each in entries if isinstance(each, Transaction) and each.tags & tags]
    return [(each.meta["event"], each.payee or "") for each in made]


def late_event(chance: random.Random, loaded: Loaded) -> str:
    """An event of a closed month with an id, as a directive; it may well be refused."""
    booking = loaded.booking
    assert booking is not None and booking.state is not None
    names = sorted(booking.state.carried.known) or ["nobody"]
    first = min(entry.date for entry in booking.closed.booked)
    day = first + timedelta(chance.randint(0, (booking.chain.last_day - first).days))
    commodity = chance.choice([lot.commodity for lot, _ in booking.state.carried.lots] or ["CU"])
    currency = loaded.options["operating_currency"][0]
    name, other = (quoted(chance.choice(names)) for _ in range(2))
    units = f"{chance.choice(['0.5', '1', '10'])} {commodity}"
    plans = sorted(booking.terms.terms.plans)
    months = booking.closed.months
    ids = [event.id for month in months for event, _ in month.events if event.id]
    target = chance.choice(ids or ["nothing"])
    gave = chance.choice([("nothing", names[0]), *ids_of(booking.closed.booked, "allocation")])
    of, payer = map(quoted, gave)
    taken = [id for id, _ in ids_of(booking.closed.booked, *BACK)]
    part = chance.choice(["", "", f" 0.05 {currency}", f" 3.00 {currency}"])
    back = chance.choice(BACK)
    void = "\n  void: TRUE" if chance.random() < 0.3 else ""
    what = chance.choice(
        [
            f'consumption" {name} {units}',
            f'consumption" {name} {units}',
            f'allocation" {name} {units} 10 {currency}',
            f'allocation" {name} {quoted(chance.choice(plans))}',
            f'grant" {name} {units}',
            f'trade" {name} {other} {units} 1 {currency}',
            f'transfer" {name} {other} {units}',
            f'spend" {name} "shop" {units} 1 {currency}',
            f'refund" {name} {units}',
            f'reversal" {quoted(target)}',
            f'reversal" {quoted(chance.choice(taken or ids or ["nothing"]))}',
            f'{back}" {of}{part}{void}',
            f'{back}" {of}{part}{void}',
            f'refund" {payer} 0.05 {currency}\n  of: {of}',
            f'recovery" {quoted(chance.choice(taken or ["nothing"]))}{part}',
        ]
    )
    return f'{day} custom "compute-{what}\n  id: "late-{chance.randint(1, 10**9)}"\n'


@pytest.mark.parametrize("seed", SEEDS)
def test_late_events_never_change_a_closed_month(seed: int, tmp_path: Path) -> None:
    """Whatever comes late and in whatever order the rows stand: closed months are what they were,
    the late event is booked on the first open day or refused, and the rest closes and verifies."""
    chance = random.Random(seed)
    ledger, rest = sealed_ledger(seed, tmp_path / "l", chance.random())
    for path in ledger.parent.glob("*.csv"):
        header, *rows = path.read_bytes().splitlines(keepends=True)
        chance.shuffle(rows)
        path.write_bytes(b"".join([header, *rows]))
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    booking = loaded.booking
    assert booking is not None
    last_day = booking.chain.last_day
    frozen, closed = up_to(loaded, last_day), contents(ledger.parent / "closed")
    for _ in range(4):
        text = ledger.read_text(encoding="utf-8")
        add(ledger, late_event(chance, loaded))
        again = load(ledger)
        assert up_to(again, last_day) == frozen
        assert contents(ledger.parent / "closed") == closed
        if again.errors:  # refused, or what came after it is
            ledger.write_text(text, encoding="utf-8")
            continue
        late = [each for each in booked(again.entries) if "compute-late" in each.tags]
        assert {each.date for each in late} == {last_day + timedelta(1)}
        assert all(each.meta["occurred"] <= last_day for each in late)
    before = load(ledger)
    close(ledger, *rest[:3], ties=False)
    after = load(ledger)
    assert errors_of(after, ledger) == []
    assert printed(after) == printed(before)
    assert verify(after) == []


def future(loaded: Loaded, day: date) -> list[str]:
    """What is booked behind a day, with the lots that it is booked on."""
    entries = [each for each in booked(loaded.entries) if each.date > day]
    lines = [f"{as_text(each)} {each.payee} {sorted(each.links)}" for each in entries]
    return [without_idle_zeros(line) for line in lines]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_carried_ledger_goes_on_like_the_old_one(seed: int, tmp_path: Path) -> None:
    """Same lots, and with the same later events the same books from the first day on."""
    ledger = without_refused_postings(with_index(random_ledger(seed, tmp_path / "l")))
    months = months_of(load(ledger))
    year = int(months[0][:4]) + 1
    while months[-1] < f"{year - 1}-12":
        months.append(Month.parse(months[-1]).next.name)
    closed = [month for month in months if month < f"{year}-01"]
    close(ledger, *closed, ties=False)
    text = ledger.read_text(encoding="utf-8")
    (day,) = AS_OF.findall(text)
    as_of = '"as-of" ' + max(day, f"{year}-01-31")
    ledger.write_text(text.replace(f'"as-of" {day}', as_of), encoding="utf-8")
    old = load(ledger)
    booking = old.booking
    assert booking is not None
    last_day = booking.chain.last_day
    known = {each.meta["event"] for each in booking.closed.booked if isinstance(each, Transaction)}
    by_hand = [
        each for each in old.entries if isinstance(each, Transaction) and "event" not in each.meta
    ]
    if any(event.reverses in known for event in booking.events) or any(
        each.date > last_day for each in by_hand
    ):
        return  # a new ledger knows neither
    new = carry(old, year, tmp_path / "new")
    rows = rows_text(FrozenEvent(event) for event in booking.events)
    (new.parent / "later.csv").write_text(rows, encoding="utf-8")
    if booking.events:
        add(new, f'{year}-01-01 custom "compute-events" "later.csv"\n')
    gone_on = load(new)
    assert errors_of(gone_on, new) == []
    assert future(gone_on, last_day) == future(old, last_day)
    assert balances_of(gone_on) == balances_of(old)


def balances_of(loaded: Loaded) -> dict[str, object]:
    """What is held at the end, apart from income and what was opened against equity."""
    kept = (loaded.options["name_assets"], loaded.options["name_liabilities"])
    return {
        account: held
        for account, held in balances(loaded.entries).items()
        if held and account.split(":")[0] in kept
    }
