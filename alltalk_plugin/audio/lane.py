"""One segment's way from the engine's chunks to finished samples: trim, level, resample, limit."""

from __future__ import annotations

import numpy as np

from alltalk_plugin.audio.limiter import PeakLimiter
from alltalk_plugin.audio.loudness import Leveler, SpeechMeter
from alltalk_plugin.audio.resample import Resampler
from alltalk_plugin.audio.trim import SilenceTrimmer
from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.errors import SynthesisFailed

CALIBRATE_S = 0.6
"""Audio held back the first time a voice is heard. Half a second holds two or three syllables, enough for
its level within about 2 dB; later segments use what the whole of this one taught."""

FADE_S = 0.004
"""Fade at the end of a segment. Inaudible on speech, and a cut without it clicks."""

ABSURD_PEAK = 10.0
"""No engine overshoots full scale by 20 dB; one that forgot to scale its 16-bit samples does."""


class SegmentLane:
    """Feed the chunks of one segment in order, then `close`. One thread.

    The gain is fixed before the first sample leaves and stays for the segment: a level that moves within
    a sentence is heard as pumping. Nothing is held back but the limiter's look-ahead, the silence that may
    be the last, and `CALIBRATE_S` the first time a voice is heard.
    """

    def __init__(
        self, sample_rate_hz: int, out_rate_hz: int, *, leveler: Leveler, voice: str, gain_db: float
    ) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._out_rate_hz = out_rate_hz
        self._leveler = leveler
        self._voice = voice
        self._extra_db = gain_db
        self._trimmer = SilenceTrimmer(sample_rate_hz)
        self._meter = SpeechMeter(sample_rate_hz)
        self._resampler = Resampler(sample_rate_hz, out_rate_hz)
        self._limiter = PeakLimiter(leveler.peak_limit, out_rate_hz)
        self._waiting: list[Samples] = []
        learned_db = leveler.gain_db(voice)
        self._gain = None if learned_db is None else _factor(learned_db + gain_db)

    def feed(self, chunk: AudioChunk) -> Samples:
        """The finished samples that this chunk made certain.

        Raises: SynthesisFailed when the chunk is no audio; nothing of it is taken.
        """
        self._check(chunk)
        heard = self._trimmer.feed(chunk.samples.astype(np.float32, copy=False))
        self._meter.feed(heard)
        return self._levelled(heard)

    def close(self) -> Samples:
        """The rest, faded out at its end. What the voice said is learned."""
        level = self._meter.level()
        out = self._levelled(self._trimmer.finish())
        if self._gain is None:
            out = self._start()
        resampled = self._limiter.feed(self._resampler.finish())
        out = np.concatenate((out, resampled, self._limiter.finish()))
        fade = min(len(out), round(FADE_S * self._out_rate_hz))
        out[len(out) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        if level is not None:
            self._leveler.learn(self._voice, level)
        return out

    def _levelled(self, heard: Samples) -> Samples:
        if self._gain is not None:
            return self._shaped(heard, self._gain)
        self._waiting.append(heard)
        if sum(map(len, self._waiting)) < CALIBRATE_S * self._sample_rate_hz:
            return np.zeros(0, np.float32)
        return self._start()

    def _start(self) -> Samples:
        """Fix the gain by what was heard so far, and let it go."""
        level = self._meter.level()
        learned_db = 0.0 if level is None else self._leveler.gain_for_db(level)
        self._gain = _factor(learned_db + self._extra_db)
        waiting = np.concatenate(self._waiting)
        self._waiting.clear()
        return self._shaped(waiting, self._gain)

    def _shaped(self, heard: Samples, gain: np.float32) -> Samples:
        return self._limiter.feed(self._resampler.feed((heard * gain).astype(np.float32)))

    def _check(self, chunk: AudioChunk) -> None:
        samples = chunk.samples
        if chunk.sample_rate_hz != self._sample_rate_hz:
            problem = f"its sample rate changed from {self._sample_rate_hz} to {chunk.sample_rate_hz} Hz"
        elif samples.ndim != 1:
            problem = f"it is not mono (shape {samples.shape})"
        elif not len(samples) or float(np.abs(samples).max()) <= ABSURD_PEAK:  # NaN compares false
            return
        else:
            problem = "it has samples that are not finite or far above full scale"
        raise SynthesisFailed(f"the engine's audio cannot be used: {problem}", context={"phase": "assemble"})


def _factor(gain_db: float) -> np.float32:
    return np.float32(10 ** (gain_db / 20))
