"""What values compute from themselves."""

from __future__ import annotations

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk, AudioFormat, AudioId
from alltalk_plugin.domain.models import CPU, MemoryEstimate, ModelKey, ModelRef
from alltalk_plugin.domain.speech import Clip, Segment, SpeakerRole, SpokenReply, TextSpan
from alltalk_plugin.domain.voices import VoiceChoice, VoiceName, VoiceProfile


def spoken(*fallbacks: str | None) -> SpokenReply:
    """A reply of half-second clips that took 0.1 s each, one for every fallback reason."""
    segment = Segment(text="x", role=SpeakerRole.CHARACTER, speaker=None, span=TextSpan(0, 1))
    voice = VoiceProfile(name=VoiceName("v"), model=ModelRef("m"))
    clips = tuple(
        Clip(
            segment=segment,
            choice=VoiceChoice(voice, "because", fallback_reason=reason),
            model=ModelKey("e", ModelRef("m"), ""),
            start_s=0.5 * place,
            duration_s=0.5,
            synthesis_s=0.1,
        )
        for place, reason in enumerate(fallbacks)
    )
    return SpokenReply(
        audio_id=AudioId("0" * 32),
        audio_format=AudioFormat.WAV,
        clips=clips,
        skipped=(),
        duration_s=0.5 * len(clips),
        elapsed_s=1.0,
        first_audio_s=None,
    )


def test_estimate_when_summed_then_the_context_counts_once() -> None:
    estimate = MemoryEstimate(CPU, peak_bytes=30, steady_bytes=20, context_bytes=5)
    assert (estimate.load_bytes, estimate.held_bytes) == (35, 25)


def test_chunk_when_measured_then_in_seconds() -> None:
    assert AudioChunk(np.zeros(12_000, dtype=np.float32), 24_000).duration_s == 0.5


def test_reply_when_spoken_then_knows_its_speed() -> None:
    assert spoken(None, None).real_time_factor == 0.2
    assert spoken().real_time_factor is None


def test_reply_when_voices_fell_back_then_each_reason_once_in_order() -> None:
    assert spoken("b", None, "a", "b").fallbacks == ("b", "a")
