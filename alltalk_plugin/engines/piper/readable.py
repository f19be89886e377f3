"""Which text a Piper voice can read, beyond what eSpeak must be spared. Pure."""

from __future__ import annotations

import unicodedata

from alltalk_plugin.domain.errors import LanguageUnsupported
from alltalk_plugin.engines.espeak_data import EspeakVoice
from alltalk_plugin.engines.espeak_languages import without_strays
from alltalk_plugin.engines.espeak_text import speakable
from alltalk_plugin.engines.piper.voice_files import TEXT, VoiceConfig

_STRAY_SHARE = 1 / 3
"""As for eSpeak's scripts: with more letters than this left out no sentence would be left."""


def readable(text: str, config: VoiceConfig) -> str:
    """What of `text` the voice reads as words; empty when nothing of it can be heard.

    Raises: LanguageUnsupported when most of it is in a script the voice was not made for.
    """
    spoken = speakable(text)
    if config.phoneme_type == TEXT:
        return _known_letters(spoken, config)
    # The phonemes are eSpeak's, so what it would spell out letter by letter the voice would, too.
    return without_strays(spoken, _espeak_voice(config)).strip()


def _espeak_voice(config: VoiceConfig) -> EspeakVoice:
    tag = config.espeak_voice.rpartition("/")[2].lower()
    return EspeakVoice(config.espeak_voice, str(config.language or tag), ((tag, 1),), tag.split("-")[0])


def _known_letters(text: str, config: VoiceConfig) -> str:
    """The letters that the model has a number for, small where it knows no capitals."""
    kept: list[str] = []
    letters = lost = 0
    for char in unicodedata.normalize("NFD", text):
        known = next((one for one in (char, char.casefold()) if one in config.letters), "")
        kind = unicodedata.category(char)[0]
        letters += kind == "L"
        lost += kind == "L" and not known
        kept.append(known or ("" if kind == "M" else " "))
    if lost > _STRAY_SHARE * letters:
        reason = f"{lost} of {letters} letters are none that this voice knows"
        raise LanguageUnsupported(reason, context={"language": config.language, "reason": reason})
    known_text = " ".join("".join(kept).split())
    return known_text if any(char.isalnum() for char in known_text) else ""
