"""What is always true, on random ledgers: `random_ledgers.write_ledger(seed)`.
Figures are summed up as fractions, by kind, from what was booked: tags and metadata in Beancount's
transactions, roles in the journal. A reversal counts against the kind that it undoes.
"""

from __future__ import annotations

import csv
import random
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.economy.engine import PriceOfDay
from beancount_compute.economy.events import NOWHERE, Event, content_id, events_in_order
from beancount_compute.economy.inputs import Facts, HandPosting, Introduction, OpeningAccrual
from beancount_compute.economy.journal import JournalEntry, Leg, LotLeg, MoneyLeg
from beancount_compute.economy.kinds import GIVING_BACK, OF_PROVIDERS, Kind
from beancount_compute.economy.lots import Lot
from beancount_compute.economy.options import AS_OF, POSTING_GRAIN
from beancount_compute.economy.provider_costs import Billed, ProviderCosts
from beancount_compute.economy.refusals import Refusal
from beancount_compute.economy.roles import ROLE_OF_POCKET, STOCK, Role
from beancount_compute.economy.term_values import Grain
from beancount_compute.economy.terms import Terms, is_access
from beancount_compute.ledger import read_terms_and_accounts
from beancount_compute.ledger.component_holders import names_in
from beancount_compute.ledger.meaning import Meaning
from beancount_compute.ledger.text import booked_text
from tests.economy.building import Books, entry_text, lot_text
from tests.examples import examples
from tests.laws.auditor.comparing import compare
from tests.laws.captured import Captured, booked, capture, generated, kind_of, said
from tests.laws.carried_capacities import capacities_from, depreciations_on, taken_over
from tests.laws.random_ledgers import write_ledger

SEEDS = range(examples(55, 5000))  # five of each profile

Sums = dict[tuple[str, str], Fraction]  # by what it is, and commodity or currency
Held = list[tuple[Lot, Decimal]]


@pytest.fixture(scope="module", params=SEEDS)
def ledger(request: Any, tmp_path_factory: Any) -> Captured:
    """A random ledger; every law is tried on it before the next one is made."""
    return capture(write_ledger(request.param, tmp_path_factory.mktemp("ledger") / "l"))


def refused_places(ledger: Captured) -> set[tuple[str, int]]:
    counted = {refusal.place[:2] for refusal in ledger.books.refusals}  # behind their cause, too
    return counted | {(e.source["filename"], e.source["lineno"]) for e in ledger.errors}


def accepted(ledger: Captured, postings: Iterable[HandPosting]) -> list[HandPosting]:
    """The hand-written postings that took effect."""
    refused = refused_places(ledger)
    return [each for each in postings if each.place[:2] not in refused]


def by_hand(ledger: Captured) -> Sums:
    """Opening lots and what was removed by hand, in units and at cost."""
    sums: Sums = defaultdict(Fraction)
    for what, postings in (
        ("opening", ledger.facts.openings),
        ("removed", ledger.facts.removals),
    ):
        for each in accepted(ledger, postings):
            of = f"{what} credits" if each.lot.pocket is STOCK else what
            sums[of, each.lot.commodity] += Fraction(each.units)
            sums[of, each.lot.currency] += Fraction(each.units) * Fraction(each.lot.cost)
    return sums


def kind_undone(entry: Transaction) -> tuple[str, int]:
    """The kind of a transaction and +1, or the kind that a reversal undoes and -1."""
    kind = kind_of(entry)
    return (entry.meta["undoes"], -1) if kind == "reversal" else (kind, 1)


# Balance


def test_every_transaction_sums_to_exactly_zero(ledger: Captured) -> None:
    """Not within Beancount's tolerance: to the last digit, in every currency."""
    for entry in generated(ledger.entries):
        sums: dict[str, Fraction] = defaultdict(Fraction)
        for posting in entry.postings:
            assert posting.units is not None
            number = Fraction(posting.units.number)
            if posting.cost is None:
                sums[posting.units.currency] += number
            else:
                sums[posting.cost.currency] += number * Fraction(posting.cost.number)
        assert not any(sums.values()), entry


def test_units_are_conserved(ledger: Captured) -> None:
    """Opening + allocated + topped up + granted + given by changes less what they returned = used
    + spent + expired + earned + refunded + voided + removed by hand + held; a mint, a trade and a
    transfer change no total (by commodity)."""
    into: Sums = defaultdict(Fraction)
    for entry in generated(ledger.entries):
        kind, _ = kind_undone(entry)
        for posting in entry.postings:
            if posting.cost is not None and kind not in OF_PROVIDERS:
                assert posting.units is not None
                into[kind, posting.units.currency] -= Fraction(posting.units.number)
    hand = by_hand(ledger)
    held: Sums = defaultdict(Fraction)
    for lot, units in ledger.books.lots:
        held["held", lot.commodity] += Fraction(units)
    for commodity in {name for _, name in [*into, *held]}:
        coming = ("allocation", "grant", "change")
        came = hand["opening", commodity] + sum(into[kind, commodity] for kind in coming)
        leaving = ("consumption", "spend", "expiry", "access", "refund", *GIVING_BACK)
        went = -sum(into[kind, commodity] for kind in leaving)
        assert came == went + hand["removed", commodity] + held["held", commodity]
        assert [into[kind, commodity] for kind in ("mint", "trade", "transfer")] == [0, 0, 0]
        assert min(came, went, into["grant", commodity], held["held", commodity]) >= 0


def test_credits_are_conserved(ledger: Captured) -> None:
    """Opening + purchased = drawn + lapsed + removed by hand + held, by commodity, in units and at
    cost; what is drawn is a cost, and what lapses is lost."""
    into: Sums = defaultdict(Fraction)
    for entry in ledger.books.journal:
        for leg in entry.legs:
            if isinstance(leg, LotLeg) and leg.lot.pocket is STOCK:
                what = entry.undoes or entry.kind
                into[what, leg.lot.commodity] += Fraction(leg.units)
                into[what, leg.lot.currency] += Fraction(leg.units) * Fraction(leg.lot.cost)
    held: Sums = defaultdict(Fraction)
    for lot, units in stock_of(ledger):
        held["held", lot.commodity] += Fraction(units)
        held["held", lot.currency] += Fraction(units) * Fraction(lot.cost)
    debits, hand = by_role(ledger.books.journal), by_hand(ledger)
    for unit in {name for _, name in into}:
        came = hand["opening credits", unit] + into["purchase", unit]
        went = hand["removed credits", unit] - into["cost", unit] - into["lapse", unit]
        assert came == went + held["held", unit]
        assert min(came, held["held", unit]) >= 0
        assert debits["lapse lapsed", unit] == (-into["lapse", unit] if unit in MONEY else 0)
    for unit in MONEY:
        owed = sum(debits[f"cost {role}", unit] for role in ("cost", "accrued", "variance"))
        assert owed == -into["cost", unit]


MONEY = ("USD", "EUR", "JPY", "KWD")


def test_what_is_accrued_is_what_no_bill_has_come_for(ledger: Captured) -> None:
    """By provider, meter and currency: as the books add it up, and as days stand without a bill."""
    waiting: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
    posted: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    opened = sorted(ledger.facts.accruals, key=lambda each: each.date)
    for entry in sorted(ledger.books.journal, key=lambda each: each.date):
        while opened and opened[0].date <= entry.date:
            each = opened.pop(0)
            waiting[each.provider, each.meter, each.currency, each.served] += Fraction(each.number)
            posted[each.provider, each.meter, each.currency] += Fraction(each.number)
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is Role.ACCRUED:
                posted[leg.holder, leg.origin, leg.currency] -= Fraction(leg.number)
                if entry.kind is Kind.COST:
                    key = (leg.holder, leg.origin, leg.currency, entry.served or entry.date)
                    waiting[key] -= Fraction(leg.number)
        if entry.kind is Kind.BILL:
            assert entry.event is not None
            first, last = (date.fromisoformat(day) for day in entry.period.split("/"))
            for key in [*waiting]:
                billed = (key[0], key[2]) == (entry.subscriber, entry.event.currency)
                if billed and first <= key[3] <= last:
                    del waiting[key]
    left: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for (provider, meter, currency, _), number in waiting.items():
        left[provider, meter, currency] += number
    keys = left.keys() | posted.keys()
    assert {key: posted[key] for key in keys} == {key: left[key] for key in keys}


def stock_of(ledger: Captured, books: Books | None = None, until: date = date.max) -> Held:
    """The credits that are held at the end of a day, as they came and went."""
    held: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    books = books or ledger.books
    for entry in books.journal:
        for leg in entry.legs:
            if isinstance(leg, LotLeg) and leg.lot.pocket is STOCK and entry.date <= until:
                held[tuple(leg.lot)] += leg.units
    for sign, postings in ((1, ledger.facts.openings), (-1, ledger.facts.removals)):
        for each in accepted(ledger, postings):
            if each.lot.pocket is STOCK and each.date <= until:
                held[tuple(each.lot)] += sign * each.units
    return [(Lot(*lot), units) for lot, units in held.items() if units]


def by_role(journal: Iterable[JournalEntry]) -> Sums:
    """Debits by kind and role, in each currency; a reversal counts to the kind that it undoes."""
    sums: Sums = defaultdict(Fraction)
    for entry in journal:
        kind = entry.undoes or entry.kind
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg):
                sums[f"{kind} {leg.role}", leg.currency] += Fraction(leg.number)
    return sums


RETURNING = ("refunds", "disputes", "bad-debt", "losses", "recoveries", "payable", "receivable")

CHANGING = ("access-revenue", "revenue", "breakage", "refunds", "unbilled")


def test_money_is_conserved(ledger: Captured) -> None:
    """Opening cost + paid = revenue + breakage + access that was earned + settlements + partner
    income + refunded with its rounding + voided + changed + removed by hand + deferred; overage
    (with what comes back of a shortfall), shortfalls, invoices, trades and recoveries stand in
    balance by themselves."""
    debits, hand = by_role(ledger.books.journal), by_hand(ledger)
    deferred: dict[str, Fraction] = defaultdict(Fraction)
    for lot, units in ledger.books.lots:
        deferred[lot.currency] += Fraction(units) * Fraction(lot.cost)
    for currency in {name for _, name in debits} | set(deferred):
        paid = debits["allocation receivable", currency]
        released = (
            "consumption revenue",
            "expiry breakage",
            "access access-revenue",
            "allocation access-revenue",  # earned, and undone
            "spend partner",
            "spend partner-income",
            "refund payable",
            "refund revenue",
            *(f"{kind} {role}" for kind in GIVING_BACK for role in RETURNING),
            *(f"change {role}" for role in CHANGING),
        )
        went = -sum(debits[name, currency] for name in released) + hand["removed", currency]
        assert hand["opening", currency] + paid == went + deferred[currency]
        for kind, roles in (
            ("consumption", ("receivable", "unbilled", "overage", "breakage")),
            ("shortfall", ("receivable", "unbilled", "breakage")),
            ("invoice", ("receivable", "unbilled")),
            ("trade", ("receivable", "payable", "fees")),
            ("recovery", ("receivable", "bad-debt", "recoveries")),
        ):
            assert sum(debits[f"{kind} {role}", currency] for role in roles) == 0


def test_mints_and_moves_never_change_deferred_revenue(ledger: Captured) -> None:
    """Each for itself: the lots that leave cost what those that come in cost; undone, too."""
    for entry in ledger.books.journal:
        if (entry.undoes or entry.kind) in ("mint", "trade", "transfer"):
            cost: dict[str, Fraction] = defaultdict(Fraction)
            for leg in entry.legs:
                if isinstance(leg, LotLeg):
                    cost[leg.lot.currency] += Fraction(leg.units) * Fraction(leg.lot.cost)
            assert not any(cost.values()), entry_text(entry)


def test_each_event_moves_its_own_units(ledger: Captured) -> None:
    """What an event says is what its transaction moves; use beyond the holdings is overage."""
    by_id = {entry.id: entry for entry in ledger.books.journal if entry.event is not None}
    if ledger.terms.of_ledger(POSTING_GRAIN) is not Grain.EVENT:
        by_id = {}
    for entry in by_id.values():
        event = entry.event
        assert event is not None
        legs = [leg for leg in entry.legs if isinstance(leg, LotLeg)]
        moved = sum((Fraction(abs(leg.units)) for leg in legs), Fraction())
        if event.quantity and not event.units:
            continue  # its meter says them
        if event.kind is Kind.TRADE or event.kind is Kind.TRANSFER:
            moved /= 2
        if event.units is None:
            continue
        if entry.overage:
            assert moved < Fraction(event.units)
        else:
            assert moved == Fraction(event.units)


# Lots


def lots_of(books: Books) -> list[str]:
    return sorted(lot_text(lot, units) for lot, units in books.lots)


def test_deferred_revenue_is_the_cost_of_open_lots(ledger: Captured) -> None:
    """The pockets in Beancount hold just the engine's lots: account, units, cost, date, label."""
    accounts = read_terms_and_accounts(ledger.entries, ledger.options).accounts
    refused = refused_places(ledger)
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for entry in ledger.entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            meta = posting.meta or entry.meta
            if accounts.pocket_account(posting.account) is None:
                continue
            if (meta["filename"], meta["lineno"]) in refused and "__order" not in entry.meta:
                continue
            key = (posting.account, posting.units and posting.units.currency, posting.cost)
            found[key] -= posting.units.number if posting.units else 0
    held: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for lot, units in ledger.books.lots:
        account = accounts.account(ROLE_OF_POCKET[lot.pocket], lot.holder, lot.origin)
        held[account, lot.commodity, (lot.cost, lot.currency, lot.date, lot.label)] += units
    assert {key: units for key, units in found.items() if units} == held


def lot_moves(ledger: Captured) -> Iterator[tuple[date, int, Lot, Decimal]]:
    """All that goes into lots and out of them, in the order of the books: debits positive."""
    for each in accepted(ledger, ledger.facts.openings):
        yield each.date, 0, each.lot, -each.units
    for entry in ledger.books.journal:
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                asset = leg.lot.pocket is STOCK
                yield entry.date, 1, leg.lot, -leg.units if asset else leg.units
    for each in accepted(ledger, ledger.facts.removals):
        yield each.date, 2, each.lot, each.units


def test_no_lot_is_ever_negative(ledger: Captured) -> None:
    """At no point of any day is more taken out of a lot than is in it."""
    held: dict[str, Fraction] = defaultdict(Fraction)
    for _, _, lot, units in sorted(lot_moves(ledger), key=lambda move: move[:2]):
        name = lot_text(lot._replace(cost=lot.cost.normalize()), Decimal(1))
        held[name] -= Fraction(units)
        assert held[name] >= 0, name


# One set of events, one set of books


def same_books(one: Books, other: Books) -> None:
    assert [entry_text(entry) for entry in one.journal] == [
        entry_text(entry) for entry in other.journal
    ]
    assert [entry.id for entry in one.journal] == [entry.id for entry in other.journal]
    assert one.prices == other.prices
    assert sorted(one.refusals) == sorted(other.refusals)
    assert lots_of(one) == lots_of(other)
    assert one.as_of == other.as_of


WRITTEN = ("events", "openings", "removals", "introductions", "assertions", "accruals")


def test_shuffled_facts_give_the_same_books(ledger: Captured) -> None:
    """The engine takes events, openings, assertions and postings in any order."""
    chance = random.Random(7)
    facts = {name: list(getattr(ledger.facts, name)) for name in WRITTEN}
    shuffled = ledger.facts._replace(
        **{name: chance.sample(each, len(each)) for name, each in facts.items()}
    )
    same_books(ledger.again(shuffled), ledger.books)


def blocks(text: str) -> list[str]:
    """The directives of a ledger, each with its metadata and postings."""
    found: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.strip() and (not found or not line[0].isspace()):
            found.append(line)
        elif line.strip():
            found[-1] += line
    return found


def shuffle_files(folder: Path, target: Path, chance: random.Random) -> None:
    """The same ledger with its directives and rows in another order."""
    target.mkdir()
    for path in folder.iterdir():
        if path.suffix == ".beancount":
            directives = blocks(path.read_text())
            chance.shuffle(directives)
            (target / path.name).write_text("\n".join(directives))
        elif path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                header, *rows = csv.reader(file)
            chance.shuffle(rows)
            with (target / path.name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *rows])
        else:
            (target / path.name).write_bytes(path.read_bytes())


def test_shuffled_directives_and_rows_give_the_same_books(ledger: Captured, tmp_path: Path) -> None:
    """Whatever the order in the files; errors say the same, from other lines."""
    shuffle_files(ledger.path.parent, tmp_path / "shuffled", random.Random(11))
    entries, errors, _ = loader.load_file(str(tmp_path / "shuffled" / ledger.path.name))
    assert booked(entries) == booked(ledger.entries)
    assert said(errors) == said(ledger.errors)


def test_a_file_loaded_twice_counts_once(ledger: Captured, tmp_path: Path) -> None:
    """Named again, through a glob and through a link: a real path is read once."""
    folder = ledger.path.parent
    twice = ['2020-01-01 custom "compute-events" "?.csv"']
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        if path.suffix in (".csv", ".parquet"):
            (tmp_path / f"link-{path.name}").symlink_to(tmp_path / path.name)
            twice.append(f'2020-01-01 custom "compute-events" "link-{path.name}"')
    if not list(folder.glob("?.csv")):
        del twice[0]
    main = tmp_path / ledger.path.name
    main.write_text(main.read_text() + "\n".join(twice) + "\n")
    entries, errors, _ = loader.load_file(str(main))
    assert booked(entries) == booked(ledger.entries)
    assert said(errors) == said(ledger.errors)


# One day after the other


def by_event(ledger: Captured, as_of: date) -> Any:
    """The ledger's terms with one transaction an event, up to a day."""
    return ledger.terms.setting(POSTING_GRAIN, Grain.EVENT).setting(AS_OF, as_of)


def up_to(things: Iterable[Any], day: date) -> list[Any]:
    return [each for each in things if each.date <= day]


def behind(things: Iterable[Any], day: date) -> list[Any]:
    return [each for each in things if each.date > day]


def facts_up_to(facts: Facts, day: date) -> Facts:
    return Facts(**{name: up_to(getattr(facts, name), day) for name in WRITTEN})


def cuts(ledger: Captured, count: int) -> list[date]:
    """Some days between the first and the last of the books."""
    days = sorted({entry.date for entry in ledger.books.journal})
    return random.Random(3).sample(days, min(count, len(days)))


def test_later_events_never_change_earlier_books(ledger: Captured) -> None:
    """Month by month = all at once: the books up to a day are those of the events up to it."""
    last = ledger.books.as_of
    terms = by_event(ledger, last)
    reached = facts_up_to(ledger.facts, last)
    whole = ledger.again(reached, terms)
    written = [each for name in WRITTEN for each in getattr(reached, name)]
    dates = taken_over(terms) | {each.place: each.date for each in written}
    for cut in cuts(ledger, 4):
        part = ledger.again(facts_up_to(reached, cut), terms.setting(AS_OF, cut))
        assert [entry_text(each) for each in part.journal] == [
            entry_text(each) for each in up_to(whole.journal, cut)
        ]
        assert [each.id for each in part.journal] == [each.id for each in up_to(whole.journal, cut)]
        assert part.prices == up_to(whole.prices, cut)
        assert without_hints(part.refusals) == without_hints(
            each for each in whole.refusals if dates[each.place] <= cut
        )


def without_hints(refusals: Iterable[Refusal]) -> list[tuple[Any, str]]:
    """What is said of which line; what may have been meant depends on all that is there."""
    return sorted((each.place, each.message.split("; did you mean")[0]) for each in refusals)


def month_ends(ledger: Captured) -> list[date]:
    days = {each.date for each in ledger.books.journal}
    ends = {day.replace(day=monthrange(day.year, day.month)[1]) for day in days}
    return sorted(day for day in ends if day < ledger.books.as_of)


def running(facts: Facts, terms: Terms, books: Books, cut: date) -> list[Event] | None:
    """The subscriptions that run on from a day, as a new ledger writes them; None: it can't.

    A cancelled one whose last period runs on is cancelled again on the second day.
    """
    first = cut + timedelta(1)
    refused = {each.place for each in books.refusals}
    running: dict[tuple[str, str], Event] = {}
    going: list[Event] = []
    ending: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for event in events_in_order(facts.events):
        if event.place in refused or event.id in seen or event.date > first:
            continue
        seen |= {event.id} - {""}
        whose = (event.subscriber, event.plan)
        if event.kind is Kind.SUBSCRIPTION and event.date <= cut:
            running[whose] = event._replace(
                date=first,
                time="",
                id=event.id or content_id(event),
                started=event.started or event.date.isoformat(),
            )
        elif event.kind is Kind.SUBSCRIPTION:
            if whose in running or whose in ending:
                return None  # it is refused, and would come before the one that runs
        elif event.kind is Kind.CHANGE:
            return None  # its line is that of another plan now, which `carry` is tried with
        elif event.kind is Kind.CANCELLATION:
            if event.date == first or event.now:
                return None  # before the subscription of that day; its lots end earlier than named
            ended = running.pop(whose)
            periods = [e.narration for e in books.journal if e.id.startswith(f"{ended.id}/")]
            if not periods or any(each.sells_nothing for each in terms.plans[event.plan]):
                return None  # its last period may be none of those booked
            if date.fromisoformat(periods[-1][-10:]) > cut:
                again = event._replace(date=first + timedelta(1), time="", id="")
                going += [ended, again]
                ending.add(whose)
    return with_unbilled([*going, *running.values()], terms, books)


def with_unbilled(going: list[Event], terms: Terms, books: Books) -> list[Event] | None:
    """The subscriptions with what of each is not invoiced; None where a line can't say it."""
    unbilled: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for entry in books.journal:
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is Role.UNBILLED:
                unbilled[entry.subscription][leg.currency] += leg.number
    left = {id: [(n, code) for code, n in of.items() if n] for id, of in unbilled.items()}
    found = []
    for event in going:
        amounts = left.pop(event.id, []) if event.kind is Kind.SUBSCRIPTION else []
        if len(amounts) > 1 or any(each.minimum for each in terms.plans[event.plan]):
            return None  # it is charged on, which `carry` is tried with
        for number, currency in amounts:
            event = event._replace(unbilled=f"{number:f} {currency}")
        found.append(event)
    return None if any(left.values()) else found


def of_units(books: Books) -> list[PriceOfDay]:
    """The prices of trades; that of access stands on the first day of each ledger."""
    return [each for each in books.prices if not is_access(each.commodity)]


def test_opening_lots_book_the_same_future(ledger: Captured) -> None:
    """The ledger is the state: who goes on from the lots held at a month's end, as opening lots of
    a new ledger, and from capacities as far as they are depreciated, has the books from the next
    day on that the uninterrupted ledger has."""
    terms = by_event(ledger, ledger.books.as_of)
    ends = month_ends(ledger)
    for cut in random.Random(5).sample(ends, min(3, len(ends))):
        facts = going_on(facts_up_to(ledger.facts, ledger.books.as_of), ledger, cut)
        whole = ledger.again(facts, terms)
        gone, until = facts_up_to(facts, cut), terms.setting(AS_OF, cut)
        before = ledger.again(gone, until)
        subscriptions = running(facts, terms, before, cut)
        if subscriptions is None:
            continue
        if any(each.kind is Kind.CATCH_UP for each in behind(whole.journal, cut)):
            continue  # which asks for single uses before
        first = cut + timedelta(1)
        known = {each.subscriber for each in before.journal} | {
            lot.holder for lot, _ in before.lots
        }
        known |= {each.subscriber for each in subscriptions}
        known |= {each.name for each in facts.introductions if each.date <= cut}
        fresh = Facts(
            [*behind(facts.events, cut), *subscriptions],
            [
                *(HandPosting(first, lot, units, NOWHERE) for lot, units in before.lots),
                *(HandPosting(first, *held, NOWHERE) for held in stock_of(ledger, before, cut)),
                *behind(facts.openings, cut),
            ],
            behind(facts.removals, cut),
            [Introduction(first, name, NOWHERE) for name in known]
            + behind(facts.introductions, cut),
            accruals=[
                *accruals_of(before.journal, up_to(facts.accruals, cut), first),
                *behind(facts.accruals, cut),
            ],
        )
        depreciated = depreciations_on(ledger, gone, until, cut)
        after = ledger.again(fresh, capacities_from(terms, depreciated, first))
        assert sorted(entry_text(each) for each in after.journal) == sorted(
            entry_text(each) for each in behind(whole.journal, cut)
        )
        assert lots_of(after) == lots_of(whole)
        assert of_units(after) == [each for each in of_units(whole) if each.date > cut]


def accruals_of(
    journal: Iterable[JournalEntry], before: Iterable[OpeningAccrual], opened: date
) -> list[OpeningAccrual]:
    """What no bill has come for, as a new ledger opens with it."""
    costs, waiting = ProviderCosts(), list(before)
    for entry in sorted([*journal], key=lambda each: each.date):
        while waiting and waiting[0].date <= entry.date:
            each = waiting.pop(0)
            costs.accrue((each.provider, each.meter, each.served, each.currency), each.number)
        if entry.kind is Kind.COST:
            costs.note(entry)
        elif entry.kind is Kind.BILL:
            assert entry.event is not None
            first, last = (date.fromisoformat(day) for day in entry.period.split("/"))
            days = Billed(first, last)
            for key in costs.accrued_for(entry.subscriber, entry.event.currency, days):
                del costs.accrued[key]
    for each in waiting:
        costs.accrue((each.provider, each.meter, each.served, each.currency), each.number)
    return [
        OpeningAccrual(day, opened, provider, meter, number, currency, NOWHERE)
        for (provider, meter, day, currency), number in costs.accrued.items()
    ]


def going_on(facts: Facts, ledger: Captured, cut: date) -> Facts:
    """The facts without what a new ledger can't know: reversals of old events, money that goes back
    for them, ids used twice, and assertions, which count from the beginning."""
    old_ids = {each.id for each in up_to(ledger.books.journal, cut)}
    old_ids |= {each.id for each in facts.events if each.date <= cut and each.id}
    events = [
        each
        for each in facts.events
        if each.date <= cut or not old_ids & {each.reverses, each.of, each.id}
    ]
    return Facts(events, facts.openings, facts.removals, facts.introductions)


# Two other views


def test_an_auditor_agrees(ledger: Captured) -> None:
    """Balances by day and account, lots, prices and the lines of all refusals, worked out from
    manual/language.md."""
    assert compare(ledger.path) == []


def test_what_is_written_is_read_back(ledger: Captured) -> None:
    """Every leg with its role, holder, origin and digits: `ledger/meaning.py` undoes
    `ledger/writing.py`, whatever accounts the ledger chose."""
    accounts = read_terms_and_accounts(ledger.entries, ledger.options).accounts
    written = generated(ledger.entries)
    introduced = {each.name: accounts.component(each.name) for each in ledger.facts.introductions}
    meaning = Meaning(accounts, names_in(written, accounts, introduced))
    for entry, transaction in zip(ledger.books.journal, written, strict=True):
        found = meaning.entry_of(transaction)
        assert found is not None
        assert sorted(map(_leg, found.legs)) == sorted(map(_leg, entry.legs))
        assert (found.kind, found.counterparty, found.uses) == (
            entry.kind,
            entry.counterparty,
            entry.uses,
        )


def _leg(leg: Leg) -> str:
    """A leg by value: a lot is equal to itself alone, and a price is written as 0.30 for 0.3."""
    if not isinstance(leg, LotLeg):
        return str(tuple(leg))
    price = leg.price and leg.price._replace(number=leg.price.number.normalize())
    return str((*leg.lot, leg.units, price))


def test_the_printed_ledger_loads_without_the_plugin(ledger: Captured, tmp_path: Path) -> None:
    """Under Beancount's own strict booking: no errors, the same postings on the same days."""
    if ledger.errors:
        return  # Beancount says them again
    path = tmp_path / "printed.beancount"
    path.write_text("".join(booked_text(ledger.entries, ledger.options)), encoding="utf-8")
    entries, errors, _ = loader.load_file(str(path))
    assert [each.message for each in errors] == []
    assert postings_of(entries) == postings_of(ledger.entries)


def postings_of(entries: Iterable[Any]) -> dict[tuple[Any, ...], Decimal]:
    """Units by day, account, commodity and lot."""
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            sums[entry.date, posting.account, posting.units.currency, posting.cost] += (
                posting.units.number
            )
    return {key: units for key, units in sums.items() if units}
