"""A reply that is still being written, shown again and again as far as it has come.

What was handed out stands. What was not may still change: hosts cut stop strings off the end, take the
speaker's name away, or write a sentence anew. Then the reply is scanned again, and only what lies beyond
the words already handed out follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from alltalk_plugin.domain.speech import Segment, TextSpan
from alltalk_plugin.text.scanner import Scanner
from alltalk_plugin.text.sentences import ScannedSegment

_RECOGNISED_BY = (40, 20, 10)
_MOVES_BY = 200
"""Words handed out are recognised by their last characters, the more the better, at most 200 further left
than they were."""


def _common_length(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


class GrowingReply:
    """Segments of a reply as they become certain. One thread.

    `scanner` makes a scanner at its beginning, `hear` is told each segment before `finished` turns it into
    what is spoken.
    """

    def __init__(
        self,
        scanner: Callable[[], Scanner],
        hear: Callable[[Sequence[ScannedSegment]], None],
        finished: Callable[[ScannedSegment], Iterable[Segment]],
    ) -> None:
        self._new_scanner = scanner
        self._hear = hear
        self._finished = finished
        self._scanner = scanner()
        self._text = ""
        self._out_to = 0

    @property
    def text(self) -> str:
        """The reply as far as it has come."""
        return self._text

    def add(self, delta: str) -> tuple[Segment, ...]:
        """More text: the segments it made certain."""
        self._text += delta
        return self._handed_out(self._scanner.feed(delta))

    def show(self, text: str) -> tuple[Segment, ...]:
        """The whole text so far, which may differ from what was shown before: new certain segments."""
        if text.startswith(self._text):
            return self.add(text[len(self._text) :])
        self._scanner = self._new_scanner()
        self._move_end(text)
        self._text = text
        return self._handed_out(self._scanner.feed(text))

    def finish(self, text: str | None = None) -> tuple[Segment, ...]:
        """The rest, now that the reply is complete; `text` is its final form. Call once, last."""
        shown = self.show(text) if text is not None else ()
        return shown + self._handed_out(self._scanner.finish())

    def _move_end(self, text: str) -> None:
        """Where the words handed out end in the new text. Equal before them (a name was taken away, an
        entity written out): they are looked for, since the place has moved."""
        same = _common_length(self._text, text)
        if same >= self._out_to:
            return
        for length in _RECOGNISED_BY:
            last_words = self._text[max(0, self._out_to - length) : self._out_to]
            found = text.find(last_words, max(0, self._out_to - len(last_words) - _MOVES_BY))
            if found >= 0:
                self._out_to = found + len(last_words)
                return

    def _handed_out(self, scanned: Sequence[ScannedSegment]) -> tuple[Segment, ...]:
        new = [rest for each in scanned if (rest := self._beyond(each)) is not None]
        if not new:
            return ()
        self._hear(new)
        self._out_to = max(self._out_to, new[-1].span.end)
        return tuple(segment for each in new for segment in self._finished(each))

    def _beyond(self, segment: ScannedSegment) -> ScannedSegment | None:
        """What of the segment was not handed out before; None: nothing."""
        if segment.span.start >= self._out_to:
            return segment
        if segment.span.end <= self._out_to:
            return None
        sources = segment.sources
        cut = next((at for at, source in enumerate(sources) if source >= self._out_to), len(sources))
        while cut < len(segment.text) and not segment.text[cut].isalnum():
            cut += 1
        if cut == len(segment.text):
            return None
        span = TextSpan(sources[cut], segment.span.end)
        return segment._replace(text=segment.text[cut:], span=span, sources=sources[cut:], inserts=())
