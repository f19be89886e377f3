from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alltalk_plugin.http.ranges import ByteRange, matches, parse_range, slice_of


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", ByteRange(0, None)),
        ("bytes=5-9", ByteRange(5, 9)),
        ("Bytes = 5 - 9 ", ByteRange(5, 9)),
        ("bytes=-7", ByteRange(None, 7)),
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("items=0-1", None),
        ("", None),
        (None, None),
    ],
)
def test_range_header_when_it_is_one_byte_range_is_understood(
    header: str | None, expected: ByteRange | None
) -> None:
    assert parse_range(header) == expected


@given(first=st.integers(0, 50), last=st.integers(0, 60), size=st.integers(0, 40))
def test_slice_holds_exactly_the_bytes_that_exist(first: int, last: int, size: int) -> None:
    wanted = [n for n in range(size) if first <= n <= last]
    if first > last:
        return
    found = slice_of(ByteRange(first, last), size)
    assert (list(range(*found)) if found else []) == wanted


@given(count=st.integers(0, 60), size=st.integers(0, 40))
def test_slice_of_a_suffix_is_the_end(count: int, size: int) -> None:
    found = slice_of(ByteRange(None, count), size)
    assert (list(range(*found)) if found else []) == list(range(size))[max(0, size - count) :]


@pytest.mark.parametrize(
    ("header", "same"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("", False),
    ],
)
def test_if_none_match_when_it_names_the_etag_matches(header: str | None, same: bool) -> None:
    assert matches(header, '"a"') is same
