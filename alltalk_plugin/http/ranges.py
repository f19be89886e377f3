"""HTTP ranges and validators, pure (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`bytes=first-last`. `last` None: open end. `first` None: the last `last` bytes."""

    first: int | None
    last: int | None


def parse_range(header: str | None) -> ByteRange | None:
    """A single byte range; None for none, several, another unit or nonsense: the whole is sent then."""
    match = _ONE_RANGE.match(header) if header else None
    if match is None:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None and last is None:
        return None
    if first is not None and last is not None and last < first:
        return None
    return ByteRange(first, last)


def slice_of(wanted: ByteRange, size: int) -> tuple[int, int] | None:
    """The half-open slice of `size` bytes that `wanted` means; None when it lies outside (status 416)."""
    if wanted.first is None:
        count = min(wanted.last or 0, size)
        return (size - count, size) if count else None
    if wanted.first >= size:
        return None
    return wanted.first, size if wanted.last is None else min(wanted.last + 1, size)


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names `etag` (weak comparison)."""
    if header is None:
        return False
    names = (name.strip().removeprefix("W/") for name in header.split(","))
    return any(name in ("*", etag) for name in names)
