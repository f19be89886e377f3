"""Which scripts an eSpeak voice really speaks.

Faced with a script it does not know, eSpeak says "Arabic letter", "Chinese letter" or a letter's number
for each character: seconds of filler. Measured with espeak_TextToPhonemes of 1.52.0 over every voice and a
word in each of 28 scripts (2026-11-22).
"""

from __future__ import annotations

import unicodedata

from alltalk_plugin.domain.errors import LanguageUnsupported
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.espeak_data import EspeakVoice
from alltalk_plugin.engines.scripts import Script, letters_by_script, script_of

ANY_VOICE = frozenset(
    {
        Script.LATIN,
        Script.ARMENIAN,
        Script.BENGALI,
        Script.DEVANAGARI,
        Script.GEORGIAN,
        Script.GREEK,
        Script.GUJARATI,
        Script.GURMUKHI,
        Script.HANGUL,
        Script.KANNADA,
        Script.MALAYALAM,
        Script.SINHALA,
        Script.TAMIL,
    }
)
"""Every voice reads these, switching to the sounds of the script's own language for the word. English
voices name Greek letters instead, which is what a formula wants."""

_OWN: dict[Script, frozenset[str]] = {
    Script.CYRILLIC: frozenset(
        [
            "ba",
            "be",
            "bg",
            "bs",
            "cv",
            "hr",
            "kk",
            "ky",
            "lfn",
            "mk",
            "nog",
            "ru",
            "sl",
            "sr",
            "tt",
            "uk",
            "uz",
        ]
    ),
    Script.ARABIC: frozenset(["ar", "fa", "sd", "ug", "ur"]),
    Script.HEBREW: frozenset({"he"}),
    Script.ETHIOPIC: frozenset({"am", "ti"}),
    Script.MYANMAR: frozenset({"my", "shn"}),
    Script.THAI: frozenset({"th"}),
    Script.TELUGU: frozenset({"te"}),
    Script.ORIYA: frozenset({"or"}),
    Script.KANA: frozenset({"ja"}),
    Script.HAN: frozenset({"cmn", "yue"}),
}

KANJI_REASON = "eSpeak's Japanese voice reads kana only; it calls every kanji 'Chinese letter'"

_STRAY_SHARE = 1 / 3
"""Up to this share of letters in a script the voice cannot read are left out (a foreign name in a
sentence); with more, leaving them out would leave no sentence."""


def scripts_of(voice: EspeakVoice) -> frozenset[Script]:
    """What a voice reads as words."""
    return ANY_VOICE | {script for script, bases in _OWN.items() if bases & voice.bases}


def without_strays(text: str, voice: EspeakVoice) -> str:
    """`text` without the few letters that `voice` would spell out as filler.

    Raises: LanguageUnsupported when they are many, and for any kanji on the Japanese voice.
    """
    spoken = scripts_of(voice)
    letters = letters_by_script(text)
    foreign = {script: count for script, count in letters.items() if script not in spoken}
    if not foreign:
        return text
    if Script.HAN in foreign and "ja" in voice.bases:
        raise _unsupported(voice, KANJI_REASON)
    if sum(foreign.values()) > _STRAY_SHARE * letters.total():
        worst = max(foreign, key=lambda script: foreign[script])
        raise _unsupported(
            voice, f"eSpeak's {voice.name} voice cannot read {worst} script; it would spell it"
        )
    return "".join(_space_if_stray(char, spoken) for char in text)


def _space_if_stray(char: str, spoken: frozenset[Script]) -> str:
    is_stray = unicodedata.category(char)[0] in "LM" and script_of(char) not in spoken
    return " " if is_stray else char


def _unsupported(voice: EspeakVoice, reason: str) -> LanguageUnsupported:
    language = voice.languages[0][0] if voice.languages else None
    return LanguageUnsupported(reason, context={"language": language, "reason": reason})


def language_reason(language: LanguageTag) -> str:
    """Why there is no voice for a language."""
    return f"eSpeak has no voice for {language}"
