"""Texts as words of eight bytes: hashed, compared and looked up many at once.

    "user-00000017"   ->   "user-000", "00017"   ->   a hash, or the code of a name

A hash may be that of another text too: whoever needs to be sure compares the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.plain.lot_keys import Flags, Ints

Unsigned = npt.NDArray[np.uint64]
RowPlaces = npt.NDArray[np.intp]
UNKNOWN = -1  # the code of a name that is not known
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_BYTES = 8


class WordsAt(NamedTuple):
    """A word of each of some texts."""

    rows: RowPlaces | None  # which texts have it; None for all of them
    words: Unsigned

    def taken(self, at: RowPlaces) -> WordsAt:
        """Those of some texts."""
        if self.rows is None:
            return WordsAt(None, self.words[at])
        place = np.searchsorted(self.rows, at)
        place[place == len(self.rows)] = 0
        there = self.rows[place] == at
        return WordsAt(np.flatnonzero(there), self.words[place[there]])


class TextWords(NamedTuple):
    """The words of many texts; one that is missing is as an empty one."""

    lengths: npt.NDArray[np.int32]
    one_length: int  # of all texts; below zero where they differ
    words: list[WordsAt]  # the first one of each text, then the second; the last may be shorter

    def taken(self, at: RowPlaces) -> TextWords:
        """Those of some texts."""
        words = [each.taken(at) for each in self.words]
        return TextWords(
            self.lengths[at], self.one_length, [each for each in words if len(each.words)]
        )

    def hashes(self) -> Unsigned:
        """A hash of each text."""
        found = self.lengths.astype(np.uint64)
        for rows, words in self.words:
            if rows is None:
                _mix(found, words)
            else:
                some = found[rows]
                _mix(some, words)
                found[rows] = some
        found *= _FACTOR
        found ^= found >> _HALF
        return found


def words_of(texts: pa.Array) -> TextWords:
    """The words of an array of texts."""
    texts = as_text(texts)
    bounds = _bounds(texts)
    lengths = np.diff(bounds)
    length = int(lengths[0]) if len(lengths) else 0
    if (lengths != length).any():
        length = -1
    data = texts.buffers()[2]
    if data is None or bounds[0] == bounds[-1]:
        words: list[WordsAt] = []
    elif length >= _BYTES:
        words = [*_of_one_length(data, int(bounds[0]), length, len(texts))]
    else:
        words = [*_of_any_length(bytes_of(texts), bounds[:-1] - bounds[0], lengths)]
    return TextWords(lengths, length, words)


def _of_one_length(data: pa.Buffer, begin: int, length: int, count: int) -> Iterator[WordsAt]:
    for at in range(0, length, _BYTES):
        over = max(0, at + _BYTES - length)  # so many bytes stand in the word before, too
        view = np.ndarray((count,), ">u8", data, begin + at - over, (length,))
        words = view.astype(np.uint64)
        if over:
            words &= (_ONE << np.uint64(8 * (_BYTES - over))) - _ONE
        yield WordsAt(None, words)


def _of_any_length(
    data: npt.NDArray[np.uint8], begin: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
) -> Iterator[WordsAt]:
    padded = np.concatenate([np.zeros(_BYTES, np.uint8), data])
    ending_at = np.ndarray((len(padded) - _BYTES + 1,), ">u8", padded, 0, (1,))
    rows, at = np.flatnonzero(lengths), 0
    while len(rows):
        size = np.minimum(lengths[rows] - at, _BYTES)
        words = ending_at[begin[rows] + at + size].astype(np.uint64)
        short = np.flatnonzero(size < _BYTES)
        words[short] &= (_ONE << (8 * size[short]).astype(np.uint64)) - _ONE
        yield WordsAt(None if len(rows) == len(lengths) else rows, words)
        at += _BYTES
        rows = rows[lengths[rows] > at]


def _mix(hashes: Unsigned, words: Unsigned) -> None:
    hashes ^= words
    hashes *= _FACTOR
    hashes ^= hashes >> _HALF


def as_text(texts: pa.Array) -> pa.Array:
    """Any values as strings."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    return texts if pa.types.is_string(texts.type) else texts.cast(pa.string())


def _bounds(texts: pa.Array) -> npt.NDArray[np.int32]:
    if not len(texts):
        return np.zeros(1, np.int32)
    return np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4)


def bytes_of(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of texts behind each other."""
    data, bounds = texts.buffers()[2], _bounds(texts)
    every = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return every[bounds[0] : bounds[-1]]


class NameCodes:
    """Which of many names a text is, to the letter: by the place of its hash, then by its words."""

    def __init__(self, names: pa.Array) -> None:
        self.names = as_text(names)
        given = words_of(self.names)
        self._one_length, self._lengths = given.one_length, given.lengths
        counts = -(-given.lengths.astype(np.int64) // _BYTES)
        self._begin = np.cumsum(counts) - counts
        self._words = np.zeros(int(counts.sum()) + 1, np.uint64)
        for at, (rows, words) in enumerate(given.words):
            self._words[(self._begin if rows is None else self._begin[rows]) + at] = words
        bits = len(self.names).bit_length() + 2  # at most a quarter of the places is taken
        self._mask, self._shift = (1 << bits) - 1, np.uint64(64 - bits)
        self._table = np.full(1 << bits, UNKNOWN, np.int32)
        self._fill(given.hashes())

    def __len__(self) -> int:
        return len(self.names)

    def _fill(self, hashes: Unsigned) -> None:
        """Give each name the first free place from that of its hash on."""
        codes = np.arange(len(hashes), dtype=np.int32)
        places = (hashes >> self._shift).astype(np.int64)
        while len(codes):
            free = self._table[places] == UNKNOWN
            self._table[places[free]] = codes[free]
            waiting = self._table[places] != codes
            codes, places = codes[waiting], (places[waiting] + 1) & self._mask

    def codes_of(self, texts: pa.Array) -> Ints:
        """The code of each text, or `UNKNOWN`."""
        asked = words_of(texts)
        places = (asked.hashes() >> self._shift).astype(np.int64)
        codes = self._table[places].astype(np.int64)
        same = self._same(codes, asked)
        rows = others = np.flatnonzero(~same & (codes != UNKNOWN))
        found = codes
        found[rows] = UNKNOWN
        places = places[rows]
        while len(rows):
            places = (places + 1) & self._mask
            codes = self._table[places].astype(np.int64)
            asked = asked.taken(others)
            same = self._same(codes, asked)
            found[rows[same]] = codes[same]
            others = np.flatnonzero(~same & (codes != UNKNOWN))
            rows, places = rows[others], places[others]
        return found

    def _same(self, codes: Ints, asked: TextWords) -> Flags:
        """Whether the names of codes are the texts."""
        same: Flags = codes != UNKNOWN
        if not len(self.names):
            return same
        one_length = asked.one_length == self._one_length >= 0
        if one_length:
            begin = codes * np.int64(len(asked.words))
        else:
            same &= self._lengths[codes] == asked.lengths
            begin = self._begin[codes]
        for at, (rows, words) in enumerate(asked.words):  # a wrong name may have fewer words
            if rows is None:
                same &= self._words.take(begin + at, mode="clip") == words
            else:
                same[rows] &= self._words.take(begin[rows] + at, mode="clip") == words
        return same
