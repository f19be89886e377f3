"""Looks every character of a text up in a table at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

TABLE_CHARS = 0x40000
"""Tables of characters end with plane 3; beyond are no letters, and what is there is hardly ever met."""
_BEYOND = re.compile(f"[{chr(TABLE_CHARS)}-\U0010ffff]")
_CODES, _CODE = "utf-32-le", np.dtype("<u4")
_MANY_CHARS = 100
"""From here on NumPy is faster than `str.translate`, which makes an object of every character."""


class CharTable:
    """A string for `str.translate` that is indexed by code point, and the same as an array.

    A string takes a tenth of a dictionary's time and memory. `beyond` gives what the table has not.
    """

    def __init__(self, chars: str, beyond: Callable[[str], str]) -> None:
        self._chars = chars
        self._codes = np.frombuffer(chars.encode(_CODES, "surrogatepass"), _CODE)
        self._beyond = beyond

    def translate(self, text: str) -> str:
        """`text`, one character for one."""
        if len(text) >= _MANY_CHARS:
            codes = np.frombuffer(text.encode(_CODES, "surrogatepass"), _CODE)
            if codes.max() < TABLE_CHARS:
                return self._codes.take(codes).tobytes().decode(_CODES, "surrogatepass")
        return _BEYOND.sub(lambda found: self._beyond(found[0]), text.translate(self._chars))
