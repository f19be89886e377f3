"""Phonemes for models that were trained with eSpeak, from the library that its wheel brings. In the worker.

Coqui calls the program espeak-ng for every clause, which has to be installed by hand and gets the text in a
file. The library gives the same phonemes without either.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from TTS.tts.utils.text import phonemizers
from TTS.tts.utils.text.phonemizers.base import BasePhonemizer
from TTS.tts.utils.text.punctuation import Punctuation

from alltalk_plugin.domain.errors import LanguageUnsupported, ModelIncompatible
from alltalk_plugin.engines.espeak_data import EspeakData, EspeakVoice, data_folder, read_data
from alltalk_plugin.engines.espeak_languages import language_reason, without_strays
from alltalk_plugin.engines.espeak_library import EspeakLibrary
from alltalk_plugin.engines.espeak_text import speakable

NAME = "espeak"
"""As configs name it."""
_SWITCHES = re.compile(r"\(.+?\)")
"""eSpeak marks words that it says as another language: `(en)fˈʊtbɔːl(fr)`."""
_SAME = {"en": "en-us", "zh-cn": "cmn"}
"""What Coqui's own wrapper makes of these codes."""


class Espeak(BasePhonemizer):  # type: ignore[misc]  # the library is not there when types are checked
    """Stands where Coqui's wrapper of the program stands, under the same name."""

    def __init__(
        self, language: str, punctuations: str = Punctuation.default_puncs(), *, keep_puncs: bool = True
    ) -> None:
        super().__init__(_SAME.get(language, language), punctuations=punctuations, keep_puncs=keep_puncs)

    @staticmethod
    def name() -> str:
        return NAME

    @classmethod
    def is_available(cls) -> bool:
        return True

    def version(self) -> str:
        return "1.52"

    @staticmethod
    def supported_languages() -> dict[str, str]:
        return {tag: voice.name for voice in _data().voices for tag, _ in voice.languages}

    def _phonemize(self, text: str, _separator: str) -> str:
        voice = voice_of(self.language)
        spoken = speakable(text)  # some mixtures of symbols end the process
        if not spoken:
            return ""
        library = _library()
        library.set_voice(voice.identifier, None)
        return _SWITCHES.sub("", library.phonemes(spoken))


def install() -> None:
    """Let Coqui use this instead of the program, where the library is installed."""
    if bundled():
        phonemizers.ESpeak = Espeak  # before the first model registers what there is


def bundled() -> bool:
    """Whether eSpeak's library is installed here."""
    return importlib.util.find_spec("espeakng_loader") is not None


def available() -> bool:
    """Whether phonemes can be made: by the library, else by the program on the PATH."""
    return bool(phonemizers.ESpeak.is_available())


def check_letters(text: str, code: str) -> None:
    """See that the voice of a language reads most of a text. Raises: LanguageUnsupported."""
    without_strays(text, voice_of(code))


def voice_of(code: str) -> EspeakVoice:
    """eSpeak's voice for a model's word for a language. Raises: LanguageUnsupported."""
    voice = _data().voice_named(_SAME.get(code, code))
    if voice is None:
        reason = language_reason(code)  # type: ignore[arg-type]  # it is shown, not compared
        raise LanguageUnsupported(reason, context={"language": code, "reason": reason})
    return voice


@cache
def _data() -> EspeakData:
    return read_data(data_folder(None))


@cache
def _library() -> EspeakLibrary:
    import espeakng_loader

    try:
        return EspeakLibrary(Path(espeakng_loader.get_library_path()), data_folder(None))
    except OSError as error:
        raise ModelIncompatible(
            "eSpeak's library cannot be loaded, and the model speaks phonemes",
            hint="Install the engine again ('alltalk-plugin engine install coqui --force').",
        ) from error
