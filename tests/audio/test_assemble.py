from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alltalk_plugin.audio.assemble import Assembler
from alltalk_plugin.audio.lane import CALIBRATE_S, FADE_S
from alltalk_plugin.audio.limiter import LOOK_AHEAD_S
from alltalk_plugin.audio.loudness import Leveler, SpeechLevel
from alltalk_plugin.domain.audio import AudioChunk, Samples
from alltalk_plugin.domain.errors import SynthesisFailed
from alltalk_plugin.settings.schema import AudioSettings
from tests.audio.sounds import active_dbfs, chunks, silence, speech, tone

OUT = 24_000


class Desk:
    """An assembler with what came out of it. `known` voices have their gain already: 0 dB."""

    def __init__(self, *, out_rate_hz: int = OUT, known: Iterable[str] = ("v",)) -> None:
        self.leveler = Leveler(-20.0, 0.97)
        for voice in known:
            self.leveler.learn(voice, SpeechLevel(0.01, 30.0))
        self.released: list[AudioChunk] = []
        self.assembler = Assembler(
            out_rate_hz=out_rate_hz,
            settings=AudioSettings(),
            leveler=self.leveler,
            sink=self.released.append,
        )

    @property
    def stream(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in self.released)])

    def add(self, index: int, samples: Samples, rate_hz: int = OUT, *, voice: str = "v") -> None:
        self.assembler.add(index, AudioChunk(samples, rate_hz), voice=voice, gain_db=0.0)

    def say(
        self, index: int, samples: Samples, rate_hz: int = OUT, *, pause_s: float = 0.0, voice: str = "v"
    ) -> None:
        for chunk in chunks(samples, rate_hz, rate_hz // 17):
            self.assembler.add(index, chunk, voice=voice, gain_db=0.0)
        self.assembler.end(index, pause_s=pause_s)


def words(seconds: float, rate_hz: int = OUT, *, pitch_hz: float = 300.0) -> Samples:
    """A tone with hard edges, at the target level already, so that lengths are exact."""
    return tone(seconds, rate_hz, level=0.1, pitch_hz=pitch_hz) + np.float32(0.01)


# --- order -----------------------------------------------------------------------------------------------


def test_stream_has_segments_in_reading_order_with_their_pauses() -> None:
    desk = Desk()
    desk.say(1, words(0.2, pitch_hz=500), pause_s=9.0)
    assert not desk.released
    desk.say(0, words(0.3), pause_s=0.25)
    desk.assembler.finish()
    assert desk.assembler.placement(0) == pytest.approx((0.0, 0.3))
    assert desk.assembler.placement(1) == pytest.approx((0.55, 0.2))
    assert desk.assembler.length_s == pytest.approx(0.75) == len(desk.stream) / OUT
    assert not desk.stream[round(0.3 * OUT) : round(0.55 * OUT)].any()
    assert np.abs(desk.stream[round(0.56 * OUT) :]).max() > 0.05


def test_segment_that_is_next_is_released_while_it_comes_in() -> None:
    desk = Desk()
    desk.add(0, words(0.1))
    assert desk.assembler.length_s >= 0.1 - LOOK_AHEAD_S
    assert desk.assembler.placement(0) == (0.0, desk.assembler.length_s)
    desk.add(1, words(0.1))
    assert desk.assembler.placement(1) is None
    assert desk.assembler.placement(7) is None


def test_first_segments_that_were_skipped_leave_no_silence_before_the_first_word() -> None:
    desk = Desk()
    desk.assembler.skip(0, pause_s=0.25)
    desk.assembler.skip(1, pause_s=0.25)
    desk.say(2, words(0.2))
    assert desk.assembler.placement(2) == pytest.approx((0.0, 0.2))


def test_skipped_segment_in_the_middle_is_its_pause() -> None:
    desk = Desk()
    desk.say(0, words(0.2), pause_s=0.1)
    desk.assembler.skip(1, pause_s=0.3)
    desk.say(2, words(0.2))
    assert desk.assembler.placement(2) == pytest.approx((0.6, 0.2))


def test_silent_segment_has_a_place_and_no_duration() -> None:
    desk = Desk()
    desk.say(0, words(0.2))
    desk.say(1, silence(1.0, OUT))
    assert desk.assembler.placement(1) == pytest.approx((0.2, 0.0))


def test_finish_releases_what_came_and_jumps_over_what_never_did() -> None:
    desk = Desk()
    desk.add(0, words(0.2))
    desk.say(2, words(0.3))
    desk.add(3, words(0.1))
    desk.assembler.finish()
    assert desk.assembler.length_s == pytest.approx(0.6)
    assert desk.assembler.placement(1) is None
    assert desk.assembler.placement(3) == pytest.approx((0.5, 0.1))


@pytest.mark.parametrize("again", ["add", "end", "skip", "restart"])
def test_segment_that_ended_takes_nothing_more(again: str) -> None:
    desk = Desk()
    desk.say(0, words(0.1))
    with pytest.raises(ValueError, match="has ended"):
        match again:
            case "add":
                desk.add(0, words(0.1))
            case "end":
                desk.assembler.end(0, pause_s=0.0)
            case "skip":
                desk.assembler.skip(0, pause_s=0.0)
            case _:
                desk.assembler.restart(0)


RATES = (16_000, 22_050, 24_000, 48_000)


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[tuple[int, float, int]], list[int], int]:
    """Segments (rate, seconds, chunks) and an order in which their chunks and ends arrive."""
    segments = draw(
        st.lists(
            st.tuples(st.sampled_from(RATES), st.sampled_from([0.0, 0.05, 0.31, 0.9]), st.integers(1, 4)),
            min_size=1,
            max_size=5,
        )
    )
    arrivals = [index for index, (_, _, count) in enumerate(segments) for _ in range(count + 1)]
    return segments, draw(st.permutations(arrivals)), draw(st.sampled_from(RATES))


def spoken(segments: Sequence[tuple[int, float, int]], arrivals: Sequence[int], out_rate_hz: int) -> Desk:
    desk = Desk(out_rate_hz=out_rate_hz, known=())
    waiting = {}
    for index, (rate_hz, seconds, count) in enumerate(segments):
        samples = speech(seconds, rate_hz, level=0.02 * (index + 1), pitch_hz=100 + 50 * index)
        waiting[index] = [AudioChunk(piece, rate_hz) for piece in np.array_split(samples, count)]
    for index in arrivals:
        if waiting[index]:
            # A voice of its own for each: a shared one would rightly be calibrated by whoever came first.
            desk.assembler.add(index, waiting[index].pop(0), voice=str(index), gain_db=0.0)
        else:
            desk.assembler.end(index, pause_s=0.05 * index)
    desk.assembler.finish()
    return desk


@settings(max_examples=40, deadline=None)
@given(interleavings())
def test_stream_is_the_same_for_every_interleaving(
    case: tuple[list[tuple[int, float, int]], list[int], int],
) -> None:
    segments, arrivals, out_rate_hz = case
    mixed = spoken(segments, arrivals, out_rate_hz)
    straight = spoken(segments, sorted(arrivals), out_rate_hz)
    np.testing.assert_array_equal(mixed.stream, straight.stream)
    for index in range(len(segments)):
        assert mixed.assembler.placement(index) == straight.assembler.placement(index)


# --- rate, level, peaks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("out_rate_hz", [16_000, 24_000, 48_000])
def test_segment_keeps_its_length_and_pitch_at_any_rate(in_rate_hz: int, out_rate_hz: int) -> None:
    desk = Desk(out_rate_hz=out_rate_hz)
    desk.say(0, words(1.0, in_rate_hz, pitch_hz=440.0), in_rate_hz)
    assert desk.assembler.length_s == pytest.approx(1.0, abs=0.001)
    assert {chunk.sample_rate_hz for chunk in desk.released} == {out_rate_hz}
    spectrum = np.abs(np.fft.rfft(desk.stream * np.hanning(len(desk.stream))))
    spectrum[:50] = 0
    assert np.argmax(spectrum) * out_rate_hz / len(desk.stream) == pytest.approx(440.0, abs=2.0)


def test_voices_20_db_apart_come_out_equally_loud_from_their_first_segment_on() -> None:
    desk = Desk(known=())
    desk.say(0, speech(3.0, 22_050, level=0.2), 22_050, voice="loud")
    desk.say(1, speech(3.0, 22_050, level=0.02, pitch_hz=210), 22_050, voice="quiet")
    desk.say(2, speech(3.0, 22_050, level=0.2), 22_050, voice="loud")
    desk.say(3, speech(3.0, 22_050, level=0.02, pitch_hz=210), 22_050, voice="quiet")
    levels = []
    for index in range(4):
        start_s, duration_s = desk.assembler.placement(index) or (0.0, 0.0)
        piece = desk.stream[round(start_s * OUT) : round((start_s + duration_s) * OUT)]
        levels.append(active_dbfs(piece, OUT))
    assert max(levels) - min(levels) < 1.5
    assert np.mean(levels) == pytest.approx(-20.0, abs=1.5)


def test_gain_of_the_voice_is_added_after_levelling() -> None:
    plain, raised = Desk(), Desk()
    plain.say(0, words(0.5))
    raised.assembler.add(0, AudioChunk(words(0.5), OUT), voice="v", gain_db=6.0)
    raised.assembler.end(0, pause_s=0.0)
    np.testing.assert_allclose(raised.stream, plain.stream * 10 ** (6 / 20), rtol=1e-4)


def test_peaks_stay_below_the_limit_however_loud_the_engine_is() -> None:
    desk = Desk(known=())
    loud = speech(2.0, 22_050, level=0.02)
    loud[22_050] = 8.0
    desk.say(0, loud, 22_050)
    desk.assembler.add(1, AudioChunk(words(0.5) * 8, OUT), voice="v", gain_db=12.0)
    desk.assembler.finish()
    assert np.abs(desk.stream).max() <= 0.97


def test_level_does_not_move_within_a_segment() -> None:
    desk = Desk(known=())
    quiet_then_loud = np.concatenate((words(1.0) * 0.5, words(1.0)))
    desk.say(0, quiet_then_loud)
    ratio = np.abs(desk.stream[OUT + 500 : -500]).max() / np.abs(desk.stream[500 : OUT - 500]).max()
    assert ratio == pytest.approx(2.0, rel=0.01)


def test_unknown_voice_waits_for_calibration_once_and_a_known_one_never() -> None:
    desk = Desk(known=())
    desk.add(0, words(CALIBRATE_S - 0.1))
    assert not desk.released
    desk.add(0, words(0.2))
    assert desk.assembler.length_s == pytest.approx(CALIBRATE_S + 0.1, abs=LOOK_AHEAD_S)
    desk.assembler.end(0, pause_s=0.0)
    before_s = desk.assembler.length_s
    desk.add(1, words(0.1))
    assert desk.assembler.length_s == pytest.approx(before_s + 0.1, abs=LOOK_AHEAD_S)


# --- engines that misbehave --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "rate_hz"),
    [
        (np.array([0.1, np.nan], np.float32), OUT),
        (np.array([0.1, np.inf], np.float32), OUT),
        (np.array([0.1, -np.inf], np.float32), OUT),
        (np.array([0.1, 20_000.0], np.float32), OUT),
        (np.zeros((2, 2), np.float32), OUT),
        (words(0.1), OUT + 1),
    ],
)
def test_chunk_that_is_no_audio_is_refused_and_never_released(samples: Samples, rate_hz: int) -> None:
    desk = Desk()
    desk.add(0, words(0.1))
    with pytest.raises(SynthesisFailed):
        desk.add(0, samples, rate_hz)
    desk.assembler.skip(0, pause_s=0.0)
    assert desk.assembler.length_s == pytest.approx(0.1)
    assert np.isfinite(desk.stream).all()


def test_restart_before_anything_was_released_leaves_no_trace() -> None:
    desk, clean = Desk(), Desk()
    desk.add(1, words(0.3, pitch_hz=900))
    desk.assembler.restart(1)
    for each in (desk, clean):
        each.say(0, words(0.2), pause_s=0.1)
        each.say(1, words(0.2))
    np.testing.assert_array_equal(desk.stream, clean.stream)


def test_restart_after_a_part_was_released_speaks_the_segment_again_after_a_pause() -> None:
    desk = Desk()
    desk.add(0, words(0.2))
    heard = desk.stream
    desk.assembler.restart(0)
    desk.say(0, words(0.5, 22_050), 22_050)
    pause_s = AudioSettings().pause_sentence_s
    assert desk.assembler.length_s == pytest.approx(0.7 + pause_s, abs=0.001)
    assert desk.assembler.placement(0) == (0.0, desk.assembler.length_s)
    np.testing.assert_array_equal(desk.stream[: len(heard)], heard)


@pytest.mark.parametrize("how", ["skip", "restart", "finish"])
def test_segment_that_is_cut_off_fades_instead_of_clicking(how: str) -> None:
    desk = Desk()
    desk.add(0, np.full(OUT // 5, 0.1, np.float32))
    match how:
        case "skip":
            desk.assembler.skip(0, pause_s=0.0)
        case "restart":
            desk.assembler.restart(0)
        case _:
            desk.assembler.finish()
    assert desk.assembler.length_s == pytest.approx(0.2)
    fade = desk.stream[-round(FADE_S * OUT) :]
    assert desk.stream[-len(fade) - 1] == pytest.approx(0.1, rel=1e-3)
    assert fade[-1] == 0.0
    assert np.abs(np.diff(fade)).max() < 0.002


def test_engine_silence_around_speech_is_trimmed() -> None:
    desk = Desk()
    desk.say(0, np.concatenate((silence(0.3, OUT), words(0.5), silence(0.45, OUT))))
    assert desk.assembler.length_s == pytest.approx(0.5 + 2 * 0.06)
