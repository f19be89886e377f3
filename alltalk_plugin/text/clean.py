"""What chat text wraps its words in: tags, entities, code, maths, links. Pure; each asks one question.

A function looks at `text` from `at` and answers, None meaning "not that", WAIT "not enough text yet".
It waits at most for LOOK_AHEAD characters, so that a stream never stalls and work stays linear.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from alltalk_plugin.text.marks import word_set


class Wait(Enum):
    """The answer depends on text that has not arrived."""

    WAIT = "wait"


WAIT: Final = Wait.WAIT
LOOK_AHEAD: Final = 400

_UNSPOKEN_ELEMENTS = word_set("audio video script style svg iframe object tool_call tool_response canvas")
_MEDIA_TAGS = word_set("img image source embed") | _UNSPOKEN_ELEMENTS
_LINE_TAGS = word_set("br li tr dt dd")
_PARAGRAPH_TAGS = word_set(
    "p div hr h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre section article details summary"
)
_CELL_TAGS = frozenset(["td", "th"])

_TAG_NAME = re.compile(r"</?([A-Za-z][\w:-]*)")
_ATTRIBUTES = r"""(?:[^<>"']|"[^"<>]*"|'[^'<>]*'|["'])*"""
_TAG = re.compile(rf"</?[A-Za-z][\w:-]*{_ATTRIBUTES}>|<[!?][^<>]*>")
_TAG_LOOK_AHEAD = 2000
_TOKEN_LOOK_AHEAD = 60
_SPECIAL_TOKEN = re.compile(r"<\|?[A-Za-z_]{1,40}\|>(?:assistant|user|system)?|<\|[A-Za-z_ ]{1,40}\|?>")
_AUTOLINK = re.compile(r"<(?:https?|ftp)://", re.IGNORECASE)
_AUTOLINK_BEGUN = re.compile(r"<(?:h|ht|htt|https?|https?:|https?:/|f|ft|ftp|ftp:|ftp:/)\Z", re.IGNORECASE)
_CUT_OFF = re.compile(r"(?:<\|[A-Za-z_]{0,40}\|?|</[A-Za-z][\w:-]{0,20})\Z")
"""A token or closer that the end of the reply cut in two: a stop string, most often."""
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_BEGUN = re.compile(r"&#?[A-Za-z0-9]{0,32}\Z")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


class TagKind(Enum):
    """What a tag means for speech."""

    INLINE = "inline"
    LINE = "line"
    PARAGRAPH = "paragraph"
    CELL = "cell"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag ends at `end`; `until` is what ends unspoken content or an unfinished media tag."""

    kind: TagKind
    end: int
    until: re.Pattern[str] | None = None


def tag_at(text: str, at: int, *, final: bool) -> Tag | Wait | None:
    """The HTML tag, comment or chat-template token that begins at the `<` at `at`."""
    if at + 1 >= len(text):
        return None if final else WAIT
    following = text[at + 1]
    if not (following.isalpha() or following in "/!?|"):
        return None
    known = len(text) - at
    if known < 4 and not final:
        return WAIT
    if text.startswith("<!--", at):
        return Tag(TagKind.MEDIA, at + 4, re.compile(r"-->"))
    token = _SPECIAL_TOKEN.match(text, at)
    if token is not None:
        # A role may follow the token without a space.
        return Tag(TagKind.INLINE, token.end()) if final or token.end() + 9 < len(text) else WAIT
    if _AUTOLINK.match(text, at):
        return None
    if not final and _AUTOLINK_BEGUN.match(text, at):
        return WAIT
    if final and _CUT_OFF.match(text, at):
        return Tag(TagKind.INLINE, len(text))
    if following == "|":
        return WAIT if not final and known < _TOKEN_LOOK_AHEAD else None
    name = _TAG_NAME.match(text, at)
    named = name[1].lower() if name is not None else ""
    match = _TAG.match(text, at, at + _TAG_LOOK_AHEAD)
    if match is None:
        if not final and known < _TAG_LOOK_AHEAD and "<" not in text[at + 1 :]:
            return WAIT
        if named in _MEDIA_TAGS and following != "/":
            # An address with the file's content in it: too long to wait for.
            end = _content_end(named) if named in _UNSPOKEN_ELEMENTS else re.compile(">")
            return Tag(TagKind.MEDIA, at + 1, end)
        return None
    if following != "/" and named in _UNSPOKEN_ELEMENTS and text[match.end() - 2] != "/":
        return Tag(TagKind.MEDIA, match.end(), _content_end(named))
    return Tag(_kind_of(named), match.end())


def _content_end(name: str) -> re.Pattern[str]:
    # A player is often written without its closing tag; a blank line ends it then.
    closer = rf"</{name}\s*>"
    return re.compile(closer + r"|\n\s*\n" if name in ("audio", "video") else closer, re.IGNORECASE)


def _kind_of(name: str) -> TagKind:
    if name in _LINE_TAGS:
        return TagKind.LINE
    if name in _PARAGRAPH_TAGS:
        return TagKind.PARAGRAPH
    return TagKind.CELL if name in _CELL_TAGS else TagKind.INLINE


def entity_at(text: str, at: int, *, final: bool) -> tuple[str, int] | Wait | None:
    """The character an HTML entity at the `&` stands for, and where the entity ends."""
    match = _ENTITY.match(text, at)
    if match is not None:
        plain = html.unescape(match[0])
        return (plain, match.end()) if plain != match[0] and len(plain) == 1 else None
    return WAIT if not final and _ENTITY_BEGUN.match(text, at) else None


_LINE_END = re.compile(r"\n")
_TICKS = re.compile(r"`+")


def code_span_at(text: str, at: int, *, final: bool) -> tuple[int, int, int] | Wait | None:
    """Start and end of the content of inline code at the backtick, and the end of its closer."""
    ticks = _TICKS.match(text, at, at + LOOK_AHEAD)
    if ticks is None:
        return None
    if ticks.end() == len(text) and not final and ticks.end() - at < LOOK_AHEAD:
        return WAIT
    limit = min(len(text), ticks.end() + LOOK_AHEAD)
    # Three ticks are a fence, even where somebody forgot the line break; code on one line is spoken.
    ends = _LINE_END if len(ticks[0]) > 2 else _BLANK_LINE
    stop = ends.search(text, ticks.end(), limit)
    if stop is not None:
        limit = stop.start()
    for closer in _TICKS.finditer(text, ticks.end(), limit):
        if closer.end() == len(text) and not final:
            return WAIT
        if len(closer[0]) == len(ticks[0]):
            return ticks.end(), closer.start(), closer.end()
    return WAIT if not final and stop is None and limit - ticks.end() < LOOK_AHEAD else None


_DISPLAY = {
    "$$": re.compile(r"\$\$"),
    "\\[": re.compile(r"\\\]"),
    "\\(": re.compile(r"\\\)"),
}
_BEGIN = re.compile(r"\\begin\{([A-Za-z*]{1,20})\}")
_MATHS_LOOK_AHEAD = 2000
_INLINE_MATHS = re.compile(r"\$(?=\S)([^$\n]{0,119}\S)\$(?![0-9])")
_FORMULA = re.compile(r"[\\^_{}=]")


def display_maths_at(text: str, at: int, *, final: bool) -> int | Wait | None:
    """Where a formula that begins at `at` ends (`$$`, `\\[`, `\\(`, `\\begin`)."""
    begin = _BEGIN.match(text, at)
    if begin is not None:
        closer = re.compile(re.escape(rf"\end{{{begin[1]}}}"))
        start = begin.end()
    else:
        found = _DISPLAY.get(text[at : at + 2])
        if found is None:
            if not final and text.startswith("\\b", at) and "\\begin".startswith(text[at : at + 6]):
                return WAIT
            unfinished = re.compile(r"\\begin\{[A-Za-z*]{0,20}\Z").match(text, at)
            return WAIT if unfinished and not final else None
        closer, start = found, at + 2
    limit = min(len(text), start + _MATHS_LOOK_AHEAD)
    match = closer.search(text, start, limit)
    blank = _BLANK_LINE.search(text, start, limit)
    if match is not None and (blank is None or match.start() < blank.start()):
        return match.end()
    return WAIT if not final and blank is None and limit - start < _MATHS_LOOK_AHEAD else None


def inline_maths_at(text: str, at: int, *, final: bool) -> tuple[int, bool] | Wait | None:
    """The end of `$formula$` and whether its content can be said. Amounts of money are not formulas."""
    if at + 1 >= len(text):
        return None if final else WAIT
    if text[at + 1].isdigit() or text[at + 1].isspace():
        return None
    match = _INLINE_MATHS.match(text, at)
    if match is not None:
        if match.end() == len(text) and not final:
            return WAIT
        content = match[1]
        if _FORMULA.search(content):
            return match.end(), False
        return (match.end(), True) if len(content) == 1 and content.isalnum() else None
    rest = text[at + 1 : at + 123]
    return WAIT if not final and len(rest) < 122 and "\n" not in rest and "$" not in rest[:-1] else None


_LINK_TAIL = re.compile(r"""\]\(\s*<?(?:[^()\s]|\([^()\s]*\))*>?(?:\s+["'(][^"'\n]*["')])?\s*\)""")
_REFERENCE = re.compile(r"\]\[[^\[\]\n]{0,60}\]")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\(")
_FOOTNOTE = re.compile(r"\[\^[^\]\n]{1,30}\]:?")


def link_tail_at(text: str, at: int, *, final: bool) -> int | Wait | None:
    """Where the unspoken rest of a link whose text ends at the `]` ends."""
    if at + 1 >= len(text):
        return None if final else WAIT
    if text[at + 1] not in "([":
        return None
    match = (_LINK_TAIL if text[at + 1] == "(" else _REFERENCE).match(text, at, at + _TAG_LOOK_AHEAD)
    if match is not None:
        return match.end()
    rest = text[at + 2 : at + _TAG_LOOK_AHEAD]
    return WAIT if not final and "\n" not in rest and len(rest) + 2 < _TAG_LOOK_AHEAD else None


def image_at(text: str, at: int, *, final: bool) -> int | Wait | None:
    """Where the address of a Markdown image that begins at the `!` begins."""
    match = _IMAGE.match(text, at, at + LOOK_AHEAD)
    if match is not None:
        return match.end()
    rest = text[at : at + LOOK_AHEAD]
    if final or len(rest) == LOOK_AHEAD or "\n" in rest or (len(rest) > 1 and rest[1] != "["):
        return None
    closed = rest.find("]")
    return WAIT if closed < 0 or closed + 1 == len(rest) else None


def footnote_at(text: str, at: int, *, final: bool) -> int | Wait | None:
    """Where a footnote mark at the `[` ends."""
    if at + 1 >= len(text):
        return None if final else WAIT
    if text[at + 1] != "^":
        return None
    rest = text[at : at + 34]
    match = _FOOTNOTE.match(rest)
    if match is not None and (match.end() < len(rest) or final):
        return at + match.end()
    return WAIT if not final and len(rest) < 34 and "\n" not in rest else None


_VOICE = re.compile(r"\[voice:([^\[\]\n]{0,60})\]", re.IGNORECASE)
_VOICE_BEGUN = re.compile(r"\[(?:v|vo|voi|voic|voice|voice:[^\[\]\n]{0,60})?\Z", re.IGNORECASE)


def voice_mark_at(text: str, at: int, *, final: bool) -> tuple[str, int] | Wait | None:
    """The name in `[voice:NAME]` at the `[`, empty for `[voice:]`, and where the mark ends."""
    match = _VOICE.match(text, at)
    if match is not None:
        return match[1].strip(), match.end()
    return WAIT if not final and _VOICE_BEGUN.match(text, at) else None


URL_START = re.compile(r"(?<![A-Za-z0-9])(?:https?://|ftp://|www\.)", re.IGNORECASE)
URL_BEGUN = re.compile(
    r"(?<![A-Za-z0-9])(?:h|ht|htt|https?|https?:|https?:/|f|ft|ftp|ftp:|ftp:/|w{1,3})\Z", re.IGNORECASE
)
URL_CHARS = re.compile(r"""[^\s<>"“”„«»*`|（）\x00\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef]*""")
URL_TRAILING = re.compile(r"[.,!?;:'’)\]}~_…]+\Z")
_HOST = re.compile(r"(?:(?:https?|ftp)://)?(?:[^\s/?#@]*@)?(?:www\.)?([^\s/?#:]*)", re.IGNORECASE)


def url_length(text: str) -> int:
    """How much of `text` is the address it begins with: not the sentence's punctuation, nor its bracket."""
    end = len(URL_TRAILING.sub("", text))
    while end < len(text) and text[end] == ")" and text.count("(", 0, end) > text.count(")", 0, end):
        end += 1
    return end


def url_host(url: str) -> str:
    """What is said of an address: its host, without `www.`."""
    match = _HOST.match(url)
    return match[1].rstrip(".,!?;:)'’") if match is not None else ""
