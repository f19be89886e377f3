"""The place in the raw text: what has arrived, what is dealt with, and what is being skipped."""

from __future__ import annotations

import re


class Cursor:
    """`text[at:]` has arrived and is not dealt with; `base` is the original's index of `text[0]`.

    One thread. `starts_line` until the first visible character of a line; `newlines` counts the line ends
    since the last one; `until` ends what is being skipped (None: nothing is).
    """

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.base = 0
        self.starts_line = True
        self.newlines = 0
        self.until: re.Pattern[str] | None = None

    def arrive(self, delta: str) -> None:
        """More text."""
        self.base += self.at
        self.text = self.text[self.at :] + delta
        self.at = 0

    def rewind(self, text: str) -> None:
        """Begin again with the whole text."""
        self.text = text
        self.at = self.base = 0
        self.until = None

    @property
    def source(self) -> int:
        """The original's index of the place."""
        return self.base + self.at

    def line_ends(self) -> None:
        self.newlines += 1
        self.starts_line = True

    def skip_until(self, closer: re.Pattern[str]) -> None:
        self.until = closer
