"""How two widespread programs split a reply, for comparison: written from descriptions of what they do.

Both are simple on purpose: one regular expression over the text, roles by the kind of mark.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from tests.corpus.judge import Said

_ALLTALK = re.compile(r'\*[^*"]+\*|"[^"*]+"')
_SHORTEST = 3
"""AllTalk drops segments of so many characters and fewer."""

_CODE = re.compile(r"```.*?```|^ {4}.*$", re.DOTALL | re.MULTILINE)
_TAGGED = re.compile(r"<([^>\s]+)[^>\n]*>.*?</\1>")
_QUOTES = str.maketrans("“”«»", '""""')
_KINDS = re.compile(r'\*[^*]+\*|"[^"]+"')


def alltalk(text: str, unmarked: str) -> tuple[Said, ...]:
    """Asterisks narrate, straight quotes speak, `unmarked` says what the rest is."""
    return tuple(_alltalk(re.sub(r"\.{3,}", ".", html.unescape(text)), unmarked))


def _alltalk(text: str, unmarked: str) -> Iterator[Said]:
    for part, role in _parts(_ALLTALK, text, unmarked):
        if len(part.strip()) > _SHORTEST:
            yield Said(role, None, part, None)


def sillytavern(text: str, unmarked: str) -> tuple[Said, ...]:
    """Code and paired tags left out, white space collapsed; a voice each for quotes, asterisks, the rest."""
    text = _TAGGED.sub("", _CODE.sub("", text))
    text = " ".join(text.translate(_QUOTES).split())
    return tuple(Said(role, None, part, None) for part, role in _parts(_KINDS, text, unmarked))


def _parts(pattern: re.Pattern[str], text: str, unmarked: str) -> Iterator[tuple[str, str]]:
    at = 0
    for match in pattern.finditer(text):
        yield text[at : match.start()], unmarked
        yield match[0].strip('*"'), "narrator" if match[0][0] == "*" else "character"
        at = match.end()
    yield text[at:], unmarked
