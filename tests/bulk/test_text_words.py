"""Names are found to the letter, whatever their lengths; hashes tell ids apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from beancount_compute.bulk.rows.text_words import UNKNOWN, NameCodes, words_of


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 30])
def test_a_name_is_found_among_others_of_one_length(length: int) -> None:
    """The same names with another last letter, or none, are unknown."""
    names = [f"{number:0{length}}"[-length:] for number in range(min(500, 10**length))]
    codes = NameCodes(pa.array(names))
    assert codes.codes_of(pa.array(names)).tolist() == list(range(len(names)))
    others = [f"{name[:-1]}x" for name in names] + [name[:-1] for name in names[:3] if length > 8]
    assert set(codes.codes_of(pa.array(others)).tolist()) == {UNKNOWN}


def test_names_of_all_lengths_are_told_apart() -> None:
    """Also those that differ by a zero byte, which fills up a word; nobody is none of them."""
    names = ["a", "a\0", "ab", "abcdefgh", "abcdefgh\0", "abcdefghi", "Zoë", "x" * 100, "x" * 101]
    codes = NameCodes(pa.array(names))
    asked = pa.array([*reversed(names), None, "", "b", "x" * 99])
    wanted = [*reversed(range(len(names))), *[UNKNOWN] * 4]
    assert codes.codes_of(asked).tolist() == wanted
    assert codes.codes_of(asked.slice(3)).tolist() == wanted[3:]
    assert codes.codes_of(asked.dictionary_encode()).tolist() == wanted
    assert codes.codes_of(pa.array(["ab"], pa.large_string())).tolist() == [2]


def test_without_names_nobody_is_known() -> None:
    """As in the first month."""
    codes = NameCodes(pa.array([], pa.string()))
    assert codes.codes_of(pa.array(["a", "", None])).tolist() == [UNKNOWN] * 3


@pytest.mark.parametrize("form", ["e-{:010}", "{}", "e-2026-05-{:010}-x"])
def test_ids_that_differ_have_hashes_that_differ(form: str) -> None:
    """Of 100,000 that are much alike, not two come to one."""
    ids = pa.array([form.format(number) for number in range(100_000)])
    assert len(np.unique(words_of(ids).hashes())) == len(ids)
