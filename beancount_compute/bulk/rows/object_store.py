"""Event files in a store that speaks S3: found by patterns as files are, opened as files are.

    s3://books/events/2026-05/*.parquet   ->   s3://books/events/2026-05/a.parquet, .../b.parquet

Who may read there is told as Amazon's own programs are told it: by environment, profile or role.
Nothing of that is ever written or said, nor what a store answers, but for its codes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pyarrow as pa
from pyarrow import fs, parquet

from beancount_compute.bulk.bulk_terms import BulkError

SECONDS = 10  # that a store may be silent
ATTEMPTS = 3
_SCHEME = "s3://"
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]*)/?(.*)", re.IGNORECASE | re.DOTALL)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]+", re.IGNORECASE)
_MAGIC = re.compile(r"[*?[]")
_CODE = re.compile(r"AWS Error ([A-Z_]+(?: \(HTTP status [0-9]+\))?|\[code [0-9]+\])")
_NAMED_CODE = re.compile(r"ExceptionName: (\w{1,60})")  # of a code that Amazon's library knows not
_NO_ACCESS = re.compile("ACCESS_?DENIED|ACCESS_KEY|SIGNATURE|TOKEN|status 40[13]", re.IGNORECASE)
_GONE = re.compile("Path does not exist '")
_NETWORK = re.compile(r"curlCode: [0-9]+, ([^;]+)")
_OTHER_REGION = re.compile(r"configured region is '[\w-]*' while the bucket is located in '[\w-]+'")


class StoreRefusal(BulkError):
    """What a store does not give, and why."""


def has_scheme(name: str) -> bool:
    """Whether a name is an address, such as s3://books/events, rather than a path."""
    return _ADDRESS.fullmatch(name) is not None


def is_object(path: str) -> bool:
    """Whether a file that was found is an object of a store."""
    return path.startswith(_SCHEME)


def find_objects(pattern: str) -> list[str]:
    """The objects of an address, in which parts may be `*`, `?`, `[...]` or `**`, as in paths."""
    bucket, key = _bucket_and_key(pattern)
    parts = key.split("/")
    fixed = next((at for at, part in enumerate(parts) if _MAGIC.search(part)), len(parts))
    folder = "/".join(filter(None, [bucket, *parts[:fixed]]))
    asked: Any = [folder]
    if fixed < len(parts):
        deep = len(parts) - fixed > 1 or parts[-1] == "**"
        asked = fs.FileSelector(folder, allow_not_found=True, recursive=deep)
    with refusing_store(pattern):
        found = _store().get_file_info(asked)
        there = [each for each in found if each.type != fs.FileType.NotFound]
        if not there and _store().get_file_info([bucket])[0].type == fs.FileType.NotFound:
            raise BulkError(f"{pattern}: no such bucket: mend the address, or AWS_ENDPOINT_URL")
    if fixed == len(parts) and there and there[0].type == fs.FileType.Directory:
        raise BulkError(f"{pattern} is a folder: name its files, such as '{pattern}/*.parquet'")
    return [
        _SCHEME + each.path
        for each in there
        if each.type == fs.FileType.File and _matches(each.path.split("/")[1:], parts)
    ]


def _bucket_and_key(address: str) -> tuple[str, str]:
    """What an address names; one that is refused is not said again, for it may hold a secret."""
    parsed = _ADDRESS.fullmatch(address)
    scheme, bucket, key = parsed.groups() if parsed else ("", "", "")
    if scheme.lower() not in ("s3", "s3a"):
        raise BulkError(
            f"{scheme}:// is none of the stores that are read: copy the files to one that speaks "
            "S3 (s3://bucket/path/*.parquet) or to this machine, or mount the storage as a folder"
        )
    if not _BUCKET.fullmatch(bucket):
        raise BulkError(
            f"an address {scheme}:// names no bucket: write s3://bucket/path/*.parquet; keys to a "
            "store belong in the environment or a profile of AWS"
        )
    if "" in key.split("/")[:-1] or key.endswith("/"):
        raise BulkError(f"{address} has an empty part: write s3://bucket/path/*.parquet")
    return bucket, key


def _matches(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a key is of a pattern, part by part; what begins with a dot is hidden."""
    if not parts:
        return not names
    if parts[0] == "**" and _matches(names, parts[1:]):
        return True
    if not names or (names[0].startswith(".") and not parts[0].startswith(".")):
        return False
    if parts[0] == "**":
        return _matches(names[1:], parts)
    return fnmatchcase(names[0], parts[0]) and _matches(names[1:], parts[1:])


def is_there(path: str) -> bool:
    """Whether a file, or an object, is there still."""
    if not is_object(path):
        return os.path.exists(path)
    with refusing_store(path):
        (found,) = _store().get_file_info([path.removeprefix(_SCHEME)])
        return bool(found.type == fs.FileType.File)


def open_file(path: str) -> Any:
    """A file, or an object, to be read."""
    if is_object(path):
        return _store().open_input_file(path.removeprefix(_SCHEME))
    return open(path, "rb")


def parquet_file(path: str, **how: Any) -> parquet.ParquetFile:
    """A file, or an object, as Parquet; of an object only what is asked for is fetched."""
    if is_object(path):
        how.update(filesystem=_store(), pre_buffer=True)
    return parquet.ParquetFile(path.removeprefix(_SCHEME), **how)


@contextmanager
def refusing_store(path: str) -> Iterator[None]:
    """What a store refuses meanwhile is a `StoreRefusal`; any other error goes on as it is."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise _refused(str(error), path) or error from None


def _refused(said: str, path: str) -> StoreRefusal | None:
    if is_object(path) and _GONE.search(said):
        return StoreRefusal(f"{path} is gone")
    found = _CODE.search(said)
    if found is None:
        return None
    if network := _NETWORK.search(said):
        return StoreRefusal(
            f"{path}: the store can't be read ({network[1]}): look at the network, and at "
            "AWS_ENDPOINT_URL where the store is not Amazon's; then run again"
        )
    by_name = _NAMED_CODE.search(said)
    code = by_name[1] if by_name else found[1]
    if _NO_ACCESS.search(code):
        return StoreRefusal(
            f"{path}: no access ({code}): give keys that may list and read there as to Amazon's "
            "own programs (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        )
    other = _OTHER_REGION.search(said)
    more = f"; {other[0]}" if other else ""
    return StoreRefusal(
        f"{path}: the store refuses it ({code}{more}): look at AWS_REGION and AWS_ENDPOINT_URL, or "
        "run again later"
    )


def _store() -> Any:
    """The store that the environment names."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return _client(endpoint, region, SECONDS, ATTEMPTS)


@cache  # each looks its credentials up anew
def _client(endpoint: str | None, region: str | None, seconds: float, attempts: int) -> Any:
    try:
        return fs.S3FileSystem(
            endpoint_override=endpoint,
            region=region,
            connect_timeout=seconds,
            request_timeout=seconds,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=attempts),
        )
    except ImportError:
        raise BulkError("this pyarrow reads no S3: install the one of PyPI") from None
