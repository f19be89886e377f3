"""Pronunciation: words of the settings, written as the engine should say them.

An entry is plain text; `*` stands for the rest of a word. There are no regular expressions: one that is
slow would stop speech, and a word with its endings is what people need. An entry in small letters matches
any case, one with a capital only itself. Longer entries win, and what was replaced is not looked at again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from alltalk_plugin.domain.language import LanguageTag, base_language
from alltalk_plugin.settings.schema import LexiconSettings

_REST_OF_WORD = 40
"""No `*` stands for more (characters), so that work stays linear in the text."""

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, Han, kana: nothing marks where a word ends, so entries match anywhere."""

_LAST_MARK = 0x1F000
"""Marks of scripts lie below; above are pictures, Han, and tags that no word holds."""

Entries = tuple[tuple[str, str], ...]


def pronounced(text: str, lexicon: LexiconSettings, *, language: LanguageTag | None, voice: str) -> str:
    """`text` as `voice` should say it in `language`. The voice's entries win over the language's."""
    if not lexicon.languages and not lexicon.voices:
        return text
    entries = {**_for_language(lexicon.languages, language), **lexicon.voices.get(voice, {})}
    if not entries:
        return text
    return _Words.of(tuple(sorted(entries.items()))).respelt(text)


def _for_language(
    languages: Mapping[LanguageTag, dict[str, str]], language: LanguageTag | None
) -> Mapping[str, str]:
    """The entries of the language, and over them those of exactly this region."""
    if language is None:
        return {}
    return {**languages.get(base_language(language), {}), **languages.get(language, {})}


class _Words:
    """Entries ready for use. Immutable, thread-safe."""

    def __init__(self, entries: Entries) -> None:
        longest_first = sorted(entries, key=lambda entry: len(entry[0]), reverse=True)
        self._spoken = [spoken for _, spoken in longest_first]
        self._pattern = re.compile("|".join(f"({_pattern(word)})" for word, _ in longest_first))

    @staticmethod
    @lru_cache(maxsize=64)
    def of(entries: Entries) -> _Words:
        return _Words(entries)

    def respelt(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._spoken[(match.lastindex or 1) - 1], text)


def _pattern(word: str) -> str:
    """Matches the entry, whole words only, in composed and decomposed spelling."""
    spellings = {unicodedata.normalize(form, word) for form in ("NFC", "NFD")}
    either = "|".join(sorted(map(_literal, spellings), reverse=True))
    inside = f"(?![{_SPACELESS}])[{_word_chars()}]"
    behind = f"(?<=[{_word_chars()}])(?<![{_SPACELESS}])"
    before = "" if _stands_anywhere(word[0]) else f"(?!{behind})"
    after = "" if _stands_anywhere(word[-1]) else f"(?!{inside})"
    case = "i" if word == word.lower() else "-i"
    return f"{before}(?{case}:{either}){after}"


def _literal(word: str) -> str:
    rest = f"[{_word_chars()}’']{{0,{_REST_OF_WORD}}}"
    return rest.join(re.escape(part) for part in word.split("*"))


def _stands_anywhere(char: str) -> bool:
    return char == "*" or not (char.isalnum() or char == "_") or re.match(f"[{_SPACELESS}]", char) is not None


@lru_cache(maxsize=1)
def _word_chars() -> str:
    """A character class's inside: letters, digits, and the marks that belong to them, but not where words
    are written without spaces. `\\w` alone would end a Hindi or Hebrew word at a vowel sign."""
    ranges: list[list[int]] = []
    for code in range(0x300, _LAST_MARK):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return r"\w" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
