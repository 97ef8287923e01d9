"""A store of objects on loopback that speaks as much of S3 as is asked of one: lists, and reads.

store["books/events/2026-05.parquet"] = data     # bucket and key
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET = "AKIAOFTHETESTS", "secret-of-the-tests"
_LISTED = "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size></Contents>"
_FOLDER = "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>"
_DAY = "2026-06-01T00:00:00.000Z"


class StoreHere(ThreadingHTTPServer):
    """Objects by bucket and key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.objects: dict[str, bytes] = {}
        self.buckets = {"books"}
        self.cut_off: set[str] = set()  # objects of which only a half ever arrives
        self.silent = False  # or nothing is answered any more
        self.ended = Event()
        self.asked: Counter[str] = Counter()  # how often some of an object was read

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Asked(BaseHTTPRequestHandler):
    server: StoreHere
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.server.silent:
            self.server.ended.wait()
            self.close_connection = True
            return
        path = unquote(urlsplit(self.path).path).strip("/")
        bucket = path.partition("/")[0]
        if f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>")
        elif bucket not in self.server.buckets:
            self._send(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif path == bucket:
            self._send(200, self._listing(bucket).encode())
        elif (data := self.server.objects.get(path)) is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._object(path, data)

    def _object(self, path: str, data: bytes) -> None:
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if span is None:
            self._send(200, data)
            return
        first, last = int(span[1]), min(int(span[2]), len(data) - 1)
        self.server.asked[path] += 1
        where = f"bytes {first}-{last}/{len(data)}"
        self._send(206, data[first : last + 1], where, half=path in self.server.cut_off)

    def _listing(self, bucket: str) -> str:
        asked = {name: text for name, (text, *_) in parse_qs(urlsplit(self.path).query).items()}
        prefix, mark = asked.get("prefix", ""), asked.get("delimiter", "")
        listed, folders = "", set()
        for path, data in sorted(self.server.objects.items()):
            of, _, key = path.partition("/")
            if of == bucket and key.startswith(prefix):
                inside, deeper, _ = key[len(prefix) :].partition(mark) if mark else (key, "", "")
                if deeper:
                    folders.add(prefix + inside + mark)
                else:
                    listed += _LISTED.format(escape(key), _DAY, len(data))
        common = "".join(map(_FOLDER.format, map(escape, sorted(folders))))
        return f"<ListBucketResult>{listed}{common}</ListBucketResult>"

    def _send(self, status: int, data: bytes, span: str = "", *, half: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", "Mon, 01 Jun 2026 00:00:00 GMT")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = half

    def log_message(self, *_: object) -> None:
        """Nothing is said of what is asked."""


@contextmanager
def store_here() -> Iterator[StoreHere]:
    """A store, as long as it is needed."""
    with StoreHere() as store:
        Thread(target=store.serve_forever, args=(0.02,), daemon=True).start()
        yield store
        store.ended.set()
        store.shutdown()
