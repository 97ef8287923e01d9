"""A month whose events lie in a store is the month of the same files; what a store refuses is one
clear error, which says nothing of keys."""

from __future__ import annotations

import glob
import json
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beancount_compute.bulk import shard_run
from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.month_run import BulkOutcome, MonthAsked, run_month
from beancount_compute.bulk.rows import object_copies, object_store
from beancount_compute.bulk.rows.object_store import StoreRefusal, find_objects, refusing_store
from beancount_compute.bulk.rows.parts import shards_of
from beancount_compute.cli import main
from beancount_compute.economy import Month
from beancount_compute.ledger import BULK_GOES_ON_FROM, BULK_STATE
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    files_of,
    reversal,
    subscription,
    table,
    trade,
    use,
)
from tests.bulk.store_here import KEY, SECRET, StoreHere, store_here
from tests.close.sealing import INCLUDE, close, run
from tests.close.sealing import begin as begin_to_close

REGIONS = "configured region is 'us-east-1' while the bucket is located in 'eu-west-1'"
MAY, JUNE = "s3a://books/events/2026-05/*.parquet", "s3://books/events/2026-06/*"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreHere]:
    """A store that the environment names, with keys to it."""
    with store_here() as here:
        monkeypatch.setenv("AWS_ENDPOINT_URL", here.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
        monkeypatch.setenv("AWS_CONFIG_FILE", "none")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(object_store, "SECONDS", 1)
        monkeypatch.setattr(object_store, "ATTEMPTS", 1)
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield here


def put(store: StoreHere, month: str, *paths: Path) -> None:
    """Put files into the store, and take them away here."""
    for path in paths:
        store.objects[f"books/events/{month}/{path.name}"] = path.read_bytes()
        path.unlink()


def two_months(folder: Path) -> dict[str, list[Path]]:
    """Trades, a stranger, an id that comes again in the other file; and June reverses a use."""
    begin(folder)
    one = [subscription("01", name) for name in ("alice", "bob", "carol", "Zoë")]
    one += [use("02", "alice", 1200), use("03", "carol", 7, id="again"), use("04", "ghost", 1)]
    other = [use("03", "carol", 7, id="again"), use("05", "bob", 3, id="u-bob")]
    other += [trade("10", "alice", "bob", 5, "0.25"), use("11", "nobody", 2), use("12", "Zoë", 9)]
    return {
        "2026-05": [
            events(folder, "2026-05", *one, name="a"),
            events(folder, "2026-05", *other, name="b"),
        ],
        "2026-06": [events(folder, "2026-06", use("02", "alice", 1), reversal("03", "u-bob"))],
    }


def contents(outcome: BulkOutcome) -> dict[str, Any]:
    """All that a month's folder holds, but for where its files lie and by whom it was booked."""
    found: dict[str, Any] = {**files_of(outcome.folder)}
    for name in found:
        if name.endswith(".parquet"):
            rows = table(outcome, name.removesuffix(".parquet"))
            for row in rows:
                if "file" in row:
                    row["file"] = row["file"].rpartition("/")[2]
            found[name] = sorted(rows, key=repr)
    about = json.loads(found["month.json"])
    about["files"] = [each.rpartition("/")[2] for each in about["files"]]
    for digest in ("source", BULK_STATE, BULK_GOES_ON_FROM):  # of bytes, which say where files lie
        about.pop(digest, None)
    control = [line for line in found["control.csv"].splitlines() if b"rows,by the" not in line]
    return found | {"month.json": about, "control.csv": control}


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Both months of files."""
    folder = tmp_path_factory.mktemp("here")
    months = two_months(folder).items()
    return [contents(book(folder, name, *paths)) for name, paths in months]


@pytest.mark.parametrize("way", ["kernel", "engine", "sail"])
def test_a_month_in_a_store_is_that_of_its_files(
    way: str,
    of_files: list[dict[str, Any]],
    store: StoreHere,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """All tables, the journal and the control, but for where files lie; no copy is left here."""
    how: dict[str, Any] = {"plain": way != "engine"}
    if way == "sail":
        how |= {"engine": request.getfixturevalue("sail"), "groups": 3}
    for name, paths in two_months(tmp_path).items():
        put(store, name, *paths)
    may, june = book(tmp_path, "2026-05", MAY, **how), book(tmp_path, "2026-06", JUNE, **how)
    assert [contents(may), contents(june)] == of_files
    places = [(row["file"], row["row"]) for row in table(may, "refused")]
    assert places == [
        ("s3://books/events/2026-05/a.parquet", 7),
        ("s3://books/events/2026-05/b.parquet", 3),
        ("s3://books/events/2026-05/b.parquet", 4),
    ]
    assert sorted(path.name for path in (tmp_path / "bulk").iterdir()) == ["2026-05", "2026-06"]


@pytest.mark.parametrize(
    "pattern",
    [
        "*.parquet",
        "events/*/*.parquet",
        "events/2026-0[56]/?.parquet",
        "events/2026-0[!5]/*",
        "events/**/*.parquet",
        "events/**",
        "**/a.parquet",
        "events/.*/*",
        "events/2026-05/a.parquet",
        "events/2026-05/x y%2B+=[[]1].parquet",
    ],
)
def test_objects_are_found_as_files_are(pattern: str, store: StoreHere, tmp_path: Path) -> None:
    for name in (
        "top.parquet",
        "events/2026-05/a.parquet",
        "events/2026-05/.hidden.parquet",
        "events/2026-05/x y%2B+=[1].parquet",
        "events/2026-06/b.parquet",
        "events/2026-06/deeper/a.parquet",
        "events/.tmp/a.parquet",
        "events/2026-06/_SUCCESS",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        store.objects[f"books/{name}"] = b"x"
    files = glob.glob(f"{tmp_path}/{pattern}", recursive=True)
    expected = {path.replace(str(tmp_path), "s3://books") for path in files if os.path.isfile(path)}
    assert expected
    found = find_objects(f"s3://books/{pattern}")
    assert sorted(found) == sorted(expected)


def stopped(folder: Path, *events: Path | str) -> str:
    """Why a month is not booked, of which nothing is written."""
    with pytest.raises(BulkError) as error:
        book(folder, "2026-05", *events)
    assert not (folder / "bulk" / "2026-05").exists()
    said = str(error.value)
    assert KEY not in said and SECRET not in said and "\n" not in said
    return said


@pytest.fixture
def may(store: StoreHere, tmp_path: Path) -> Path:
    """A ledger, and an object of May."""
    begin(tmp_path)
    rows = [subscription("01", name) for name in ("alice", "bob")]
    put(store, "2026-05", events(tmp_path, "2026-05", *rows, use("20", "alice", 200)))
    return tmp_path


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "s3://nowhere/*.parquet",
            "s3://nowhere/*.parquet: no such bucket: mend the address, or AWS",
        ),
        ("s3://nowhere/a.parquet", "s3://nowhere/a.parquet: no such bucket"),
        ("s3://books/none-*.parquet", "s3://books/none-*.parquet: no such file: name the month's"),
        ("s3://books/none.parquet", "s3://books/none.parquet: no such file: name the month's"),
        ("s3://books", "s3://books is a folder: name its files, such as 's3://books/*.parquet'"),
        ("s3://books/events/", "s3://books/events/ has an empty part: write s3://bucket/path"),
        ("s3://books//a.parquet", "s3://books//a.parquet has an empty part"),
        (f"s3://{KEY}:{SECRET}@books/*", "an address s3:// names no bucket: write s3://bucket/"),
        (f"https://x.test/a?X-Amz-Signature={SECRET}", "https:// is none of the stores that are"),
        ("gs://books/*.parquet", "gs:// is none of the stores that are read: copy the files to"),
    ],
)
def test_an_address_leads_nowhere(address: str, said: str, may: Path) -> None:
    assert stopped(may, address).startswith(said)


def put_nonsense(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    store.objects["books/events/2026-05/2026-05.parquet"] = b"PAR1 no more"


def cut_off(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    store.cut_off |= {*store.objects}


def be_silent(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    store.silent = True


def be_gone(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")


def take_keys(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def give_others_keys(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFSOMEBODYELSE")


def fill_the_disk(store: StoreHere, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(object_copies.shutil, "disk_usage", lambda _: usage(0))


@pytest.mark.parametrize(
    ("mishap", "said"),
    [
        (put_nonsense, "2026-05.parquet: not Parquet, or cut off"),
        (cut_off, "2026-05.parquet: the store can't be read (Transferred a partial file): look at"),
        (be_silent, "the store can't be read (Timeout was reached): look at the network, and at"),
        (be_gone, "the store can't be read (Could"),
        (take_keys, "no access (ACCESS_DENIED): give keys that may list and read there"),
        (give_others_keys, "no access (ACCESS_DENIED): give keys that may list and read there"),
        (fill_the_disk, "copies of the events want 0.0 MB in "),
    ],
)
def test_a_store_gives_no_month(
    mishap: Callable[..., None],
    said: str,
    may: Path,
    store: StoreHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mishap(store, monkeypatch)
    assert said in stopped(may, MAY)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            "UNKNOWN (HTTP status 400): ExceptionName: ExpiredToken Message: {}",
            "(ExpiredToken): give",
        ),
        (
            "SIGNATURE_DOES_NOT_MATCH during ListObjectsV2 operation: {}",
            "(SIGNATURE_DOES_NOT_MATCH): g",
        ),
        (
            f"UNKNOWN (HTTP status 301): {{}}. The {REGIONS}.",
            f"(HTTP status 301); {REGIONS}): look at",
        ),
        ("SLOW_DOWN during GetObject operation: {}", "refuses it (SLOW_DOWN): look at AWS_REGION"),
        ("[code 103] during ListObjectsV2 operation: {}", "refuses it ([code 103]): look at"),
    ],
)
def test_of_an_answer_nothing_is_said_but_its_code(answer: str, said: str) -> None:
    """Those of stores that no test has, as pyarrow hands them on."""
    with pytest.raises(StoreRefusal) as error, refusing_store("s3://books/a.parquet"):
        raise OSError(f"When asking: AWS Error {answer.format(SECRET)}")
    assert said in str(error.value) and SECRET not in str(error.value)


def test_some_events_lie_elsewhere(may: Path) -> None:
    here = events(may, "2026-05", use("21", "alice", 1), name="more")
    assert "some events lie in a store, others here" in stopped(may, MAY, here)


def test_an_object_is_changed_while_it_is_copied(may: Path, store: StoreHere) -> None:
    """What is copied must be what was looked at."""
    other = events(may, "2026-05", subscription("01", "alice"), use("20", "alice", 300))
    asked = MonthAsked(may / "main.beancount", Month(2026, 5), [MAY], processes=1)
    with pytest.raises(BulkError, match="was changed while it was read: run again"):
        run_month(asked, noted=lambda _: put(store, "2026-05", other))


def test_a_killed_run_goes_on_with_its_copies(
    may: Path, store: StoreHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are whole are not fetched again; one that was cut short is."""

    booked: list[Any] = []
    right = shard_run.book_shard

    def killed(shard: Any, bulk: Any) -> Any:
        if booked:
            raise KeyboardInterrupt
        booked.append(shard)
        return right(shard, bulk)

    monkeypatch.setattr(shard_run, "shards_of", partial(shards_of, size=1))
    with monkeypatch.context() as patch:
        patch.setattr(shard_run, "book_shard", killed)
        with pytest.raises(KeyboardInterrupt):
            book(may, "2026-05", MAY, plain=False)
    (asked,) = store.asked.values()
    (copy,) = (may / "bulk").glob(".2026-05.next/copies/2026-05/*")
    kept = may / "kept"
    shutil.copytree(may / "bulk", kept)
    expected = book(may, "2026-05", MAY, plain=False)
    assert store.asked.total() == 2 * asked - 1
    copy = kept / copy.relative_to(may / "bulk")
    copy.write_bytes(copy.read_bytes()[:-9])
    again = book(may, "2026-05", MAY, plain=False, into=kept)
    assert store.asked.total() == 3 * asked - 1
    assert files_of(again.folder) == files_of(expected.folder)


def test_a_month_is_verified_from_the_store(
    may: Path, store: StoreHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be compared is no difference, and is said."""
    ledger = may / "main.beancount"
    begin_to_close(ledger)
    done = CliRunner().invoke(main, ["bulk", "2026-05", str(ledger), "--events", MAY])
    copies = may / "bulk" / ".2026-05.next" / "copies" / "2026-05"
    assert f"Copying 1 file (0.0 MB) to {copies}, until the month is written" in done.stdout
    ledger.write_text(LEDGER + INCLUDE)
    close(ledger, "2026-05")
    done = run("verify", ledger)
    assert done.exit_code == 0 and "not booked again" not in done.stdout
    assert done.stderr.startswith("Copying 1 file (0.0 MB) to ")
    data = store.objects.copy()
    store.objects.clear()
    done = run("verify", ledger)
    gone = "2026-05 was not booked again: s3://books/events/2026-05/2026-05.parquet is gone"
    assert done.exit_code == 0 and gone in done.stdout
    store.objects.update(data)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    done = run("verify", ledger)
    assert done.exit_code == 0 and "the store can't be read (Could" in done.stdout
    assert SECRET not in done.stdout
