"""A server of Spark Connect: whether it answers, and what it is asked.

sc://host:15002   ->   Spark 4 or later, Sail, or any other that speaks Spark Connect
"""

from __future__ import annotations

import re
import socket
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.rows.month_files import FilePart
from beancount_compute.bulk.spark.blobs import SCHEMA_OF_BLOBS, Blob, batch_of
from beancount_compute.economy import quoted

ADDRESS = re.compile(r"sc://(?P<host>[^:/;]+)(:(?P<port>[0-9]{1,5}))?(/.*)?", re.ASCII)
_PORT = 15002
SECONDS = 10
_DETAILS = re.compile('details = "([^"]*)"')
_NO_PACKAGE = re.compile("No module named '(beancount_compute|duckdb|numpy|pyarrow)")
_SOMETHING_ELSE = " does not answer as Spark Connect does: is it the port of something else?"
_GONE = re.compile("failed to connect|Socket closed|Connection reset|StatusCode.UNAVAILABLE")
_OTHER_RELEASE = re.compile(
    "(cannot import name|Can't get attribute) '.{1,99} .{0,9}beancount_compute"
)


@contextmanager
def linked_to(address: str) -> Iterator[SparkLink]:
    """A session with a server, as long as it is needed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")  # which is said as an error
        link = SparkLink(address)
        try:
            yield link
        finally:
            link.close()


class SparkLink:
    """A session with a server."""

    def __init__(self, address: str) -> None:
        self._address = address
        _probe(address)
        try:
            self._session = SparkSession.builder.remote(address).create()
            # a call is tried again for some seconds: the client would go on for ten minutes
            self._session.client.set_retry_policies(
                [DefaultPolicy(max_retries=6, max_backoff=4000)]
            )
            # a row is a table: more of them at once than fit into memory must not come
            self._session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "16")
        except (PySparkException, grpc.RpcError) as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """End the session; of a server that is gone there is none."""
        with suppress(PySparkException, grpc.RpcError):
            self._session.stop()

    def parts(self, parts: Sequence[FilePart]) -> DataFrame:
        """Parts of files, each for a task of its own."""
        table = pa.table(
            {
                "at": pa.array(range(len(parts)), pa.int32()),
                "path": [each.path for each in parts],
                "first": pa.array([each.first for each in parts], pa.int64()),
                "rows": pa.array([each.rows for each in parts], pa.int64()),
            }
        )
        return self._session.createDataFrame(table).repartition(len(parts), "at")

    def blobs(self, blobs: Iterable[Blob]) -> DataFrame:
        """Blobs from here."""
        return self._session.createDataFrame(pa.Table.from_batches([batch_of(blobs)]))

    def mapped(self, frame: DataFrame, task: Any) -> DataFrame:
        """What a task makes of rows."""
        return frame.mapInArrow(task, SCHEMA_OF_BLOBS)

    def found(self, frame: DataFrame) -> Iterator[Blob]:
        """The blobs that come of a query, as they come."""
        try:
            for row in frame.toLocalIterator():
                yield Blob(row["grp"], row["name"], bytes(row["data"]))
        except (PySparkException, grpc.RpcError) as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> BulkError:
        """What the server says, in one line."""
        said = " ".join(str(error).split())
        if lacking := _NO_PACKAGE.search(said):
            return BulkError(
                f"{self._address}: its Python workers have no {lacking[1]}: install "
                '"beancount_compute[bulk]" in the Python that PYSPARK_PYTHON names there'
            )
        if _OTHER_RELEASE.search(said):
            return BulkError(
                f"{self._address}: its Python workers have another release of beancount_compute: "
                "install there what is here"
            )
        if "http2 header with status" in said:
            return BulkError(self._address + _SOMETHING_ELSE)
        if _GONE.search(said):
            return BulkError(
                f"{self._address} does not answer any more: start it again, and run again: what it "
                "has booked by then is not booked again"
            )
        details = _DETAILS.search(said)
        return BulkError(f"{self._address}: {details[1] if details else said[-600:]}")


def _probe(address: str) -> None:
    """Raise `BulkError` where nobody answers; to wait for that the client takes minutes."""
    parsed = ADDRESS.fullmatch(address)
    if parsed is None:
        raise BulkError(f"{quoted(address)} is no engine: write duckdb, or sc://host:{_PORT}")
    host, port = parsed["host"], int(parsed["port"] or _PORT)
    try:
        socket.create_connection((host, port), SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BulkError(
            f"{address} does not answer ({error}): start Spark Connect there, or mend the address"
        ) from None
    channel = DefaultChannelBuilder(address).toChannel()
    try:
        grpc.channel_ready_future(channel).result(SECONDS)
    except grpc.FutureTimeoutError:
        raise BulkError(address + _SOMETHING_ELSE) from None
    finally:
        channel.close()
