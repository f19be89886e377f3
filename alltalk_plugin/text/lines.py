"""What stands at the beginning of a line: names, headings, list markers, quotes, rules, fences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from alltalk_plugin.text.clean import LOOK_AHEAD, WAIT, Wait


class Opener(Enum):
    """What a line begins with."""

    FENCE = "fence"
    RULE = "rule"
    MARKER = "marker"
    PREFIX = "prefix"
    ROW = "row"
    SPEAKER = "speaker"
    NARRATION = "narration"


@dataclass(frozen=True, slots=True)
class LineStart:
    """`opener` ends at `end`. MARKER and ROW make the line a unit of its own; PREFIX does not.

    `name` is the roster's name of a SPEAKER, `number` that of an ordered list item, `closer` what ends
    a FENCE.
    """

    opener: Opener
    end: int
    name: str = ""
    number: int | None = None
    quoted: bool = False
    closer: re.Pattern[str] | None = None


_FENCE = re.compile(r"(`{3,})|(~{3,})(?=[ \t]*[A-Za-z{])")
_RULE = re.compile(r"[-*_=~#|:+ \t\r·•—–◆◇⁂✦]+")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_BULLET = re.compile(r"(?:[-*+•‣◦▪●○][ \t]+|[•‣◦▪●○])(?:\[[ xX]\][ \t]+)?")
_ORDERED = re.compile(r"\(?(\d{1,3})[.)][ \t]+(?=\S)")
_ORDERED_BEGUN = re.compile(r"\(?\d{0,3}\Z|\(?\d{1,3}[.)][ \t]*\Z")
_CLOSES = re.compile(r"(?<=[^\s*\\])\*(?![\w*])")
_OPENS = re.compile(r"(?<![^\s\"“])\*(?=[^\s*])")
_QUOTE_MARK = re.compile(r'["“„«»「『”]|&quot;')


class LineReader:
    """Knows the roster, and the last number of a list."""

    def __init__(self, roster: Sequence[str]) -> None:
        names = sorted({name.strip() for name in roster if name.strip()}, key=len, reverse=True)
        self._names = {name.casefold(): name for name in names}
        self._initials = {name[0] for name in self._names}
        self._longest = max(map(len, names), default=0) + 8
        either = "|".join(re.escape(name) for name in names)
        self._speaker = re.compile(
            rf"(?P<mark>\*\*|__|\*|_)?(?P<name>{either})"
            r"(?(mark)(?:(?P=mark)[ \t]?[:：]|[:：](?P=mark))|[ \t]?[:：])[ \t]*",
            re.IGNORECASE,
        )
        self._number = 0

    def read(self, text: str, at: int, *, final: bool, quotes_matter: bool) -> LineStart | Wait | None:
        """What the line whose first visible character is at `at` begins with; None: just words.

        `quotes_matter`: for a speaker's line look ahead whether it has quotes.
        """
        char = text[at]
        if self._names and (char.casefold()[:1] in self._initials or char in "*_"):
            found = self._speaker_line(text, at, final=final, quotes_matter=quotes_matter)
            if found is not None:
                return found
        if char.isalpha():
            return None
        if char in "`~" and (found := _fence(text, at, final=final)) is not None:
            return found
        if char in "-*_=~#|:+·•—–◆◇⁂✦" and (found := _rule(text, at, final=final)) is not None:
            return found
        if char.isdecimal() or char == "(":
            return self._ordered(text, at, final=final)
        if char == "#":
            return _matched(_HEADING, Opener.MARKER, text=text, at=at, final=final, longest=7)
        if char == ">":
            return LineStart(Opener.PREFIX, at + 1)
        if char == "|":
            return LineStart(Opener.ROW, at + 1)
        if char == "*":
            return _asterisk(text, at, final=final)
        if char in "-+•‣◦▪●○":
            return _matched(_BULLET, Opener.MARKER, text=text, at=at, final=final, longest=6)
        return None

    def _speaker_line(
        self, text: str, at: int, *, final: bool, quotes_matter: bool
    ) -> LineStart | Wait | None:
        head = text[at : at + self._longest]
        if not final and len(head) < self._longest and "\n" not in head:
            begun = head.lstrip("*_").casefold()
            if any(name.startswith(begun) or begun.startswith(name) for name in self._names):
                return WAIT
        match = self._speaker.match(text, at)
        if match is None:
            return None
        quoted = False
        if quotes_matter:
            line = text[match.end() : match.end() + LOOK_AHEAD]
            if not final and len(line) < LOOK_AHEAD and "\n" not in line:
                return WAIT
            quoted = _QUOTE_MARK.search(line.split("\n", 1)[0]) is not None
        name = self._names[match["name"].casefold()]
        return LineStart(Opener.SPEAKER, match.end(), name=name, quoted=quoted)

    def _ordered(self, text: str, at: int, *, final: bool) -> LineStart | Wait | None:
        match = _ORDERED.match(text, at)
        if match is None:
            return WAIT if not final and _ORDERED_BEGUN.match(text, at) else None
        number = int(match[1])
        # A list counts up from one; any other number at the beginning of a line is part of a sentence.
        if number > 1 and number != self._number + 1:
            return None
        self._number = number
        return LineStart(Opener.MARKER, match.end(), number=number)


def _matched(
    pattern: re.Pattern[str], opener: Opener, *, text: str, at: int, final: bool, longest: int
) -> LineStart | Wait | None:
    if not final and len(text) - at <= longest and "\n" not in text[at:]:
        return WAIT
    match = pattern.match(text, at)
    if match is None or (match.end() < len(text) and text[match.end()] == "\n"):
        return None
    return LineStart(opener, match.end())


def _fence(text: str, at: int, *, final: bool) -> LineStart | Wait | None:
    head = text[at : at + LOOK_AHEAD]
    run = len(head) - len(head.lstrip(text[at]))
    if run < 3:
        return WAIT if run == len(head) and not final else None
    if not final and "\n" not in head and len(head) < LOOK_AHEAD:
        return WAIT
    match = _FENCE.match(text, at)
    line, newline, _ = head.partition("\n")
    if match is None or (text[at] == "`" and "`" in line[run:]):
        return None
    closer = re.compile(rf"\n[ \t>]*{re.escape(text[at])}{{{run},}}[ \t]*\r?(?=\n|\Z)")
    return LineStart(Opener.FENCE, at + len(line) if newline else match.end(), closer=closer)


def _rule(text: str, at: int, *, final: bool) -> LineStart | Wait | None:
    match = _RULE.match(text, at, at + LOOK_AHEAD)
    if match is None:
        return None
    end = match.end()
    if end == len(text) and not final and end - at < LOOK_AHEAD:
        return WAIT
    at_line_end = end >= len(text) or text[end] == "\n" or end - at == LOOK_AHEAD
    if not at_line_end or len("".join(match[0].split())) < 3:
        return None
    return LineStart(Opener.RULE, end)


def _asterisk(text: str, at: int, *, final: bool) -> LineStart | Wait | None:
    """`* ` begins a list item, unless the line closes it: then somebody typed a space too many."""
    if at + 1 >= len(text):
        return None if final else WAIT
    if text[at + 1] not in " \t":
        return None
    line, newline, _ = text[at : at + LOOK_AHEAD].partition("\n")
    if not newline and not final and len(line) < LOOK_AHEAD:
        return WAIT
    match = _BULLET.match(text, at)
    if match is None or not line.strip("* \t\r"):
        return None
    rest = line[1:]
    if len(_CLOSES.findall(rest)) > len(_OPENS.findall(rest)):
        return LineStart(Opener.NARRATION, match.end())
    return LineStart(Opener.MARKER, match.end())
