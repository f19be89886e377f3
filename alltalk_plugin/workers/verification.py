"""The self-test of a loaded model: a known utterance, and what its audio must look like."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import EngineSpec, SynthesisRequest
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile

UTTERANCES: dict[LanguageTag, str] = {
    LanguageTag("en"): "This is a short test of the voice.",
    LanguageTag("de"): "Dies ist ein kurzer Test der Stimme.",
    LanguageTag("fr"): "Ceci est un petit essai de la voix.",
    LanguageTag("es"): "Esta es una breve prueba de la voz.",
    LanguageTag("it"): "Questa è una breve prova della voce.",
    LanguageTag("pt"): "Este é um breve teste da voz.",
    LanguageTag("nl"): "Dit is een korte test van de stem.",
    LanguageTag("pl"): "To jest krótki test głosu.",
    LanguageTag("ru"): "Это короткая проверка голоса.",
    LanguageTag("uk"): "Це коротка перевірка голосу.",
    LanguageTag("tr"): "Bu kısa bir ses denemesidir.",
    LanguageTag("cs"): "Toto je krátká zkouška hlasu.",
    LanguageTag("hu"): "Ez a hang rövid próbája.",
    LanguageTag("zh"): "这是一个简短的声音测试。",
    LanguageTag("ja"): "これはこえのみじかいテストです。",
    LanguageTag("ko"): "짧은 목소리 시험입니다.",
    LanguageTag("ar"): "هذا اختبار قصير للصوت.",
    LanguageTag("he"): "זוהי בדיקה קצרה של הקול.",
    LanguageTag("hi"): "यह आवाज़ की एक छोटी परीक्षा है।",
}
NEUTRAL_UTTERANCE = "1, 2, 3, 4, 5."
"""For a model that speaks none of these languages: digits are read in any."""

SHORTEST_S, LONGEST_S = 0.3, 20.0
"""The fastest voices say an utterance in 0.9 s, the slowest random weights drag it to 8 s; outside lie
models that stop at once or never find the end."""
SILENCE = 0.001
"""-60 dBFS; the quietest real voice measured is forty times louder."""


def known_utterance(spec: EngineSpec, profile: ModelProfile) -> SynthesisRequest:
    """What to say to this model: an utterance of the first language it speaks."""
    anyone = VoiceProfile(name=VoiceName("self-test"), model=profile.ref)
    for language, text in UTTERANCES.items():
        if spec.speaks(profile, anyone, language) is None:
            return SynthesisRequest(text=text, language=language)
    return SynthesisRequest(text=NEUTRAL_UTTERANCE)


def fault_of(chunks: Iterable[AudioChunk]) -> str | None:
    """Why this is not the known utterance, or None when it could be. Stops at `LONGEST_S`."""
    seconds = 0.0
    pieces = []
    for chunk in chunks:
        if not np.isfinite(chunk.samples).all():
            return "it speaks numbers that are no audio (not finite)"
        pieces.append(chunk.samples)
        seconds += chunk.duration_s
        if seconds > LONGEST_S:
            return f"it does not come to an end within {LONGEST_S:.0f} s of audio"
    if seconds < SHORTEST_S:
        return f"it speaks for {seconds:.2f} s only"
    # The deviation, not the level: a constant is as silent as zero.
    if float(np.concatenate(pieces).std()) < SILENCE:
        return "it is silent"
    return None
