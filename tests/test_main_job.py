"""The main job with real parts: a chat reply goes in, speech comes out, whatever happens on the way."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from alltalk_plugin.audio.measure import read_audio, rms_dbfs
from alltalk_plugin.domain.errors import NothingToSay, TextTooLong
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.ports import Journal
from alltalk_plugin.domain.speech import Chat, ChatId, Reply, SpeakerRole, SpokenReply
from alltalk_plugin.engines.espeak_spec import SPEC
from alltalk_plugin.runtime import Runtime, build_runtime

pytestmark = pytest.mark.slow

NEED_MB = SPEC.estimate(ModelProfile(ref=ModelRef("x"), engine="espeak")).load_bytes / 1e6

SETTINGS = f"""
voices:
  aria: {{model: aria-studio, speaker: f3}}
  bram: {{model: bram-studio, speaker: m7}}
  celine: {{model: damaged-studio, speaker: f4, fallback: celine-plain}}
  celine-plain: {{model: espeak, speaker: f2}}
characters:
  Aria: {{voice: aria}}
  Bram: {{voice: bram}}
  Celine: {{voice: celine}}
languages: {{candidates: [en], default: en}}
models:
  espeak: {{engine: espeak, pinned: true}}
  aria-studio: {{engine: espeak}}
  bram-studio: {{engine: espeak}}
  damaged-studio: {{engine: espeak, path: damaged}}
swap: {{budget_mb: {{cpu: {round(NEED_MB * 2.5)}}}, min_interval_s: 0}}
audio: {{format: wav}}
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    (tmp_path / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    found = importlib.util.find_spec("espeakng_loader")
    assert found is not None
    assert found.origin is not None
    shutil.copytree(Path(found.origin).parent / "espeak-ng-data", tmp_path / "damaged")
    table = tmp_path / "damaged" / "phontab"
    table.write_bytes(table.read_bytes()[:30_000])
    with build_runtime(tmp_path) as made:
        yield made
    assert not psutil.Process().children(), "a worker outlived the runtime"


def speak(runtime: Runtime, text: str, character: str = "Aria", **more: object) -> SpokenReply:
    chat = Chat(id=ChatId("chat"), roster=("Aria", "Bram", "Celine"))
    return runtime.speech.speak(Reply(text=text, character=character, chat=chat, **more))  # type: ignore[arg-type]  # tests name real fields


def kinds(journal: Journal, model: str) -> list[str]:
    return [record.kind for record in journal.since(0) if record.model == model]


def test_reply_with_narration_when_spoken_then_a_playable_file_with_two_voices(runtime: Runtime) -> None:
    spoken = speak(runtime, "*She looks up.* “You came back after all.”")
    assert [clip.segment.role for clip in spoken.clips] == [SpeakerRole.NARRATOR, SpeakerRole.CHARACTER]
    assert [clip.choice.voice.name for clip in spoken.clips] == ["narrator", "aria"]
    audio = read_audio(runtime.audio.get(spoken.audio_id).path)
    assert audio.duration_s == pytest.approx(spoken.duration_s, abs=0.05)
    for clip in spoken.clips:
        begin, end = (
            round(at * audio.sample_rate_hz) for at in (clip.start_s, clip.start_s + clip.duration_s)
        )
        assert rms_dbfs(audio.samples[begin:end]) == pytest.approx(-20, abs=4)


def test_chat_that_alternates_two_models_for_one_when_spoken_then_whole_in_order_and_journaled(
    runtime: Runtime,
) -> None:
    texts = [f"This is line number {number} of our talk." for number in range(1, 7)]
    reply = "\n".join(f"{'Bram' if number % 2 else 'Aria'}: {text}" for number, text in enumerate(texts))
    spoken = speak(runtime, reply)
    assert [clip.segment.text for clip in spoken.clips] == texts
    assert [clip.model.model for clip in spoken.clips] == ["aria-studio", "bram-studio"] * 3
    assert spoken.skipped == ()
    assert spoken.fallbacks == ()
    assert "commit" in kinds(runtime.journal, "aria-studio")
    assert "commit" in kinds(runtime.journal, "bram-studio")
    assert "freed" in kinds(runtime.journal, "aria-studio")
    starts = [clip.start_s for clip in spoken.clips]
    assert starts == sorted(starts)


def test_voice_whose_model_fails_to_load_when_spoken_then_rolled_back_and_the_fallback_says_so(
    runtime: Runtime,
) -> None:
    speak(runtime, "“The good model is loaded now.”")
    before = runtime.settings.hash()
    spoken = speak(runtime, "“I speak although my model is damaged.”", "Celine")
    assert [clip.choice.voice.name for clip in spoken.clips] == ["celine-plain"]
    assert "celine" in spoken.fallbacks[0]
    again = speak(runtime, "“And I am back.”")  # waits until the way back has ended
    assert again.clips[0].model.model == "aria-studio"
    assert "load_failed" in kinds(runtime.journal, "damaged-studio")
    assert "rollback" in kinds(runtime.journal, "aria-studio")
    ready = {status.ref for status in runtime.models.snapshot() if status.state == "ready"}
    assert "aria-studio" in ready
    assert runtime.settings.hash() == before


def test_engine_killed_in_mid_sentence_when_spoken_then_the_sentence_is_said_again(runtime: Runtime) -> None:
    ticket = runtime.speech.begin(
        Reply(text="“" + "This sentence goes on and on, and on, " * 400 + "it ends.”")
    )
    job = runtime.speech.job(ticket.audio_id)
    assert job is not None
    job.wait_first_audio(20)
    for child in psutil.Process().children():
        os.kill(child.pid, signal.SIGKILL)
    spoken = job.wait(60)
    assert any(clip.retried for clip in spoken.clips)
    assert spoken.skipped == ()
    assert not np.isnan(read_audio(runtime.audio.get(spoken.audio_id).path).samples).any()


@pytest.mark.parametrize("text", ["", "😀🎉", "*...* “...”", "<think>only thoughts</think>"])
def test_reply_without_words_when_begun_then_nothing_to_say_and_no_audio(runtime: Runtime, text: str) -> None:
    with pytest.raises(NothingToSay):
        runtime.speech.begin(Reply(text=text))


def test_reply_of_a_megabyte_when_begun_then_a_clear_refusal(runtime: Runtime) -> None:
    with pytest.raises(TextTooLong, match="200000 are allowed"):
        runtime.speech.begin(Reply(text="All work and no play. " * 50_000))


def test_reply_with_nul_and_surrogates_when_spoken_then_its_words_are(runtime: Runtime) -> None:
    spoken = speak(runtime, "“Before\x00 and \ud83d after, \udfff the end.”")
    said = " ".join(clip.segment.text for clip in spoken.clips)
    assert [word for word in ("Before", "and", "after", "the end") if word not in said] == []
    assert spoken.duration_s > 0.8


def test_crash_text_when_spoken_then_at_most_its_segment_is_lost(runtime: Runtime) -> None:
    spoken = speak(runtime, '“One good line.” "-J “Another good line.” 🚼瓠䑻 “And the last.”')
    said = " ".join(clip.segment.text for clip in spoken.clips)
    assert all(part in said for part in ("One good line", "Another good line", "And the last"))


def test_unknown_character_when_begun_then_the_default_speaks_and_a_note_says_so(runtime: Runtime) -> None:
    ticket = runtime.speech.begin(Reply(text="“Who am I?”", character="Arya"))
    assert any("'Arya'" in note and "'Aria'" in note for note in ticket.notes)
    job = runtime.speech.job(ticket.audio_id)
    assert job is not None
    assert job.wait(20).clips[0].choice.voice.name == "default"


def test_settings_broken_while_running_when_reloaded_then_the_good_ones_speak_on(runtime: Runtime) -> None:
    (runtime.home / "settings.yaml").write_text("voices: [not, a, mapping", encoding="utf-8")
    assert not runtime.settings.reload_if_changed()
    assert runtime.settings.last_error is not None
    assert speak(runtime, "“Still here.”").clips[0].choice.voice.name == "aria"
