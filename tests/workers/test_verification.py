from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.workers.verification import (
    LONGEST_S,
    NEUTRAL_UTTERANCE,
    UTTERANCES,
    fault_of,
    known_utterance,
)
from tests.workers.rude_spec import RUDE

RATE_HZ = 1_000
PROFILE = ModelProfile(ModelRef("m"), "rude")


def tone(seconds: float, level: float = 0.3) -> Samples:
    times = np.arange(round(seconds * RATE_HZ), dtype=np.float32) / RATE_HZ
    return (level * np.sin(2 * np.pi * 100 * times)).astype(np.float32)


def chunks(*pieces: Samples) -> Iterator[AudioChunk]:
    return (AudioChunk(piece, RATE_HZ) for piece in pieces)


@pytest.mark.parametrize(
    ("pieces", "fault"),
    [
        ((tone(1.0), tone(1.0)), None),
        ((tone(0.4),), None),
        ((tone(2.0, level=0.005),), None),
        ((), "0.00 s"),
        ((tone(0.2),), "0.20 s"),
        ((tone(2.0, level=0.0005),), "silent"),
        ((np.full(2_000, 0.7, np.float32),), "silent"),
        ((tone(1.0), np.array([np.nan], np.float32)), "not finite"),
        ((tone(1.0), np.array([np.inf], np.float32)), "not finite"),
    ],
)
def test_fault_of_names_what_is_wrong(pieces: tuple[Samples, ...], fault: str | None) -> None:
    found = fault_of(chunks(*pieces))
    assert (found is None) is (fault is None)
    assert fault is None or (found is not None and fault in found)


def test_fault_of_a_stream_without_end_then_stops_listening() -> None:
    taken = 0

    def endless() -> Iterator[AudioChunk]:
        nonlocal taken
        while True:
            taken += 1
            yield AudioChunk(tone(1.0), RATE_HZ)

    found = fault_of(endless())
    assert found is not None
    assert "end" in found
    assert taken == LONGEST_S + 1


@pytest.mark.parametrize(("language", "text"), UTTERANCES.items())
def test_known_utterance_is_in_a_language_of_the_model(language: LanguageTag, text: str) -> None:
    def speaks(_profile: ModelProfile, _voice: VoiceProfile, asked: LanguageTag) -> str | None:
        return None if asked == language else "it speaks another"

    utterance = known_utterance(replace(RUDE, speaks=speaks), PROFILE)
    assert (utterance.language, utterance.text) == (language, text)


def test_known_utterance_for_a_model_of_none_of_these_languages_then_digits() -> None:
    silent = replace(RUDE, speaks=lambda _profile, _voice, _language: "none of these")
    assert known_utterance(silent, PROFILE).text == NEUTRAL_UTTERANCE
