"""A month's folder, written whole or not at all, and gone on with after a kill.

    bulk/.2026-05.next/shard-00007/    a shard that is done
    bulk/.2026-05.next/whole/          all files of the month, before they are moved at once
    bulk/2026-05/                      the month

What a killed run left is used again where it came of the same ledger, files and state.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather, parquet

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder.month_tables import DETAIL, SCHEMAS, Tables, together
from beancount_compute.bulk.rows.object_copies import Noted, unnoted
from beancount_compute.economy import Month, quoted
from beancount_compute.ledger import BULK_ABOUT, BULK_STATE

ABOUT = BULK_ABOUT
FORMAT = 1
PARTS_OF_STATE = ("lots", "subscriptions", "subscribers", "operator")
_ROW_GROUP = 128_000


class MonthFolder:
    """Where a month is being written."""

    def __init__(
        self,
        folder: Path,
        month: Month,
        about: dict[str, Any],
        shards: str = "",
        noted: Noted = unnoted,
    ) -> None:
        """`shards` says how the month is divided, where another run may do it otherwise.

        `noted` is told of what takes much room here.
        """
        self.noted = noted
        self.target = folder / month.name
        self.stage = folder / f".{month.name}.next"
        self._old = folder / f".{month.name}.old"
        self._about = {"format": FORMAT, "month": month.name, **about}
        self._job = {**self._about, "shards": shards, "tables": sorted(SCHEMAS)}
        self._recover()
        self._check_ours()
        months = [each for each in sorted(folder.glob("[0-9]*-[0-9]*")) if each.is_dir()]
        later = [each for each in months if each.name > month.name]
        if later:
            raise BulkError(
                f"{later[0]} is of a later month, which goes on from {self.target}: move it away "
                "first"
            )
        self._begin()

    def _recover(self) -> None:
        """Bring back what a run was killed while replacing."""
        if self._old.exists():
            if self.target.exists():
                shutil.rmtree(self._old)
            else:
                os.replace(self._old, self.target)

    def _check_ours(self) -> None:
        """Raise `BulkError` rather than replace what is no such month, or another ledger's."""
        if not self.target.exists() or (self.target.is_dir() and not any(self.target.iterdir())):
            return
        about = about_month(self.target)
        for key, what in (("month", "of"), ("ledger", "of the ledger")):
            if about[key] != self._about[key]:
                raise BulkError(
                    f"{self.target} is {what} {quoted(about[key])}, not of "
                    f"{quoted(self._about[key])}: move it away, or name another folder with --into"
                )

    def _begin(self) -> None:
        job = self.stage / "job.json"
        text = json.dumps(self._job, indent=1, sort_keys=True)
        if self.stage.exists() and (not job.exists() or job.read_text(encoding="utf-8") != text):
            shutil.rmtree(self.stage)
        shutil.rmtree(self.stage / "whole", ignore_errors=True)
        (self.stage / "spill").mkdir(parents=True, exist_ok=True)
        job.write_text(text, encoding="utf-8")

    def leave(self) -> None:
        """Leave nothing of a run that has booked nothing: none could go on from it."""
        if not any(self.stage.glob("shard-?????")):
            shutil.rmtree(self.stage, ignore_errors=True)

    @property
    def source(self) -> str:
        """What tells the source of this month from every other."""
        return str(self._about["source"])

    @property
    def spill(self) -> Path:
        """Where the database may put what memory has no room for."""
        return self.stage / "spill"

    @property
    def copies(self) -> Path:
        """Where objects of a store may have copies."""
        return self.stage / "copies"

    def done(self, name: str) -> tuple[Tables, dict[str, int]] | None:
        """What an earlier run made of a shard; None where it did not get so far."""
        folder = self.stage / name
        if not folder.exists():
            return None
        try:
            counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
            paths = [each for each in sorted(folder.glob("*.arrow")) if each.stem != DETAIL]
            found = {each.stem: feather.read_table(each) for each in paths}
        except (pa.ArrowException, OSError, ValueError):  # the power went, not only the process
            shutil.rmtree(folder)
            return None
        return found, counts

    def keep(self, name: str, tables: Tables, counts: dict[str, int]) -> None:
        """Keep what was made of a shard."""
        almost = self.stage / f"{name}.tmp"
        shutil.rmtree(almost, ignore_errors=True)
        almost.mkdir()
        for each, table in tables.items():
            feather.write_feather(table, almost / f"{each}.arrow", compression="uncompressed")
        (almost / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
        os.replace(almost, self.stage / name)

    def gather(self, name: str) -> Path:
        """Write what was kept of all shards as one file, and never hold more than one's."""
        paths = sorted(self.stage.glob(f"shard-?????/{name}.arrow"))
        empty = [feather.read_table(path).slice(0, 0) for path in paths]
        return self.write(name, together(name, empty).schema, map(feather.read_table, paths))

    def write(self, name: str, schema: pa.Schema, bits: Iterable[pa.Table]) -> Path:
        """Write a file of the month bit by bit; all of it stands there when it is published."""
        whole = self.stage / "whole"
        whole.mkdir(exist_ok=True)
        path = whole / f"{name}.parquet"
        with open(path, "wb") as file:
            with parquet.ParquetWriter(file, schema, **_how(schema)) as writer:
                for rows in _row_groups(bit.cast(schema) for bit in bits):
                    writer.write_table(rows, row_group_size=_ROW_GROUP)
            file.flush()
            os.fsync(file.fileno())
        return path

    def publish(self, tables: Tables, texts: dict[str, str], more: dict[str, Any]) -> None:
        """Write all files of the month, and let them stand where they belong at once."""
        whole = self.stage / "whole"
        whole.mkdir(exist_ok=True)
        for name, table in tables.items():
            write_parquet(table, whole / f"{name}.parquet")
        written = sorted([*(path.name for path in whole.iterdir()), *texts])
        said = {**self._about, **more, BULK_STATE: _state(whole), "written": written}
        about = json.dumps(said, indent=1, sort_keys=True) + "\n"
        for name, text in {**texts, ABOUT: about}.items():
            with open(whole / name, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        if self.target.exists():
            os.replace(self.target, self._old)
        os.replace(whole, self.target)
        shutil.rmtree(self._old, ignore_errors=True)
        (self.stage / "job.json").unlink()  # first: no run takes a shard half removed for whole
        shutil.rmtree(self.stage, ignore_errors=True)


def _state(folder: Path) -> str:
    """What tells the state at a month's end from all others: the SHA-256 of its files."""
    digest = hashlib.sha256()
    for name in PARTS_OF_STATE:
        with open(folder / f"{name}.parquet", "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _row_groups(bits: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, so many at a time however they come; the same bytes for the same rows."""
    waiting: list[pa.Table] = []
    count = 0
    for bit in bits:
        waiting.append(bit)
        count += len(bit)
        if count >= _ROW_GROUP:
            rows = pa.concat_tables(waiting)
            whole = count - count % _ROW_GROUP
            for at in range(0, whole, _ROW_GROUP):
                yield _in_words_of_its_own(rows.slice(at, _ROW_GROUP))
            waiting, count = [rows.slice(whole)], count - whole
    if count:
        yield _in_words_of_its_own(pa.concat_tables(waiting))


def _in_words_of_its_own(rows: pa.Table) -> pa.Table:
    """The same with no other texts in its dictionaries than its own, in their order."""
    for at, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            column = rows.column(at).unify_dictionaries().combine_chunks()
            none = len(column.dictionary)
            codes = column.indices.fill_null(none).to_numpy()
            used = np.flatnonzero(np.bincount(codes, minlength=none)[:none])
            texts = column.dictionary.take(pa.array(used))
            in_order = pc.array_sort_indices(texts).to_numpy()
            place = np.zeros(none + 1, np.int32)
            place[used[in_order]] = np.arange(len(in_order), dtype=np.int32)
            lacking = codes == none if column.null_count else None
            indices, texts = pa.array(place[codes], mask=lacking), texts.take(pa.array(in_order))
            rows = rows.set_column(at, field, pa.DictionaryArray.from_arrays(indices, texts))
    return rows


def _how(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet is written: texts and days repeat, names and numbers hardly ever do."""
    seldom_twice = [
        field.name
        for field in schema
        if field.name == "subscriber" or pa.types.is_decimal(field.type)
    ]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in schema.names if name not in seldom_twice],
        "store_schema": False,
    }


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, the same bytes for the same rows."""
    with open(path, "wb") as file:
        parquet.write_table(table, file, row_group_size=_ROW_GROUP, **_how(table.schema))
        file.flush()
        os.fsync(file.fileno())


def about_month(folder: Path) -> dict[str, Any]:
    """What a month's folder says of itself; raises `BulkError` where it is none of ours."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        texts = [*about["opened"], *about["files"], about["month"], about["ledger"]]
        if about["format"] == FORMAT and all(isinstance(each, str) for each in texts):
            return dict(about)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise BulkError(f"{folder} is no month of bean-compute bulk: it has no {ABOUT} as we write it")
