"""A reply, spoken: order, voices, what goes wrong, what is kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from alltalk_plugin.domain.errors import (
    Cancelled,
    DeadlineExceeded,
    LanguageUnsupported,
    ModelCorrupt,
    NothingToSay,
    SpeechError,
    SpeechOff,
    StoreFailed,
    SynthesisFailed,
    TextTooLong,
    TooManyReplies,
    VoiceNotFound,
)
from alltalk_plugin.domain.models import ModelRef
from alltalk_plugin.domain.speech import Chat, ChatId, Reply, ReplyStyle, SpeakerRole
from tests.fakes.loader import Gate
from tests.speech.studio import Studio


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio(fallbacks={"broken": "plain"})
    yield made
    made.service.close()
    assert made.pool.open_leases == 0, "a lease outlived its reply"


def test_speak_when_all_is_well_then_clips_are_in_reading_order_and_fill_the_stream(studio: Studio) -> None:
    spoken = studio.speak("a: first of all", "b: and then", "a: the end")
    assert [clip.segment.text for clip in spoken.clips] == ["first of all", "and then", "the end"]
    assert [clip.model.model for clip in spoken.clips] == ["a", "b", "a"]
    ends = [clip.start_s + clip.duration_s for clip in spoken.clips]
    assert all(clip.start_s >= end for clip, end in zip(spoken.clips[1:], ends, strict=False))
    stream = studio.stream(spoken.audio_id)
    assert len(stream.samples) / stream.sample_rate_hz == pytest.approx(spoken.duration_s, abs=0.01)
    assert np.abs(stream.samples).max() > 0.05
    assert stream.complete
    assert stream.error is None
    assert spoken.skipped == ()


def test_speak_when_models_do_not_fit_together_then_they_swap_less_and_reading_order_stays() -> None:
    studio = Studio(room=1)
    texts = [f"number {number} " + "and on " * 20 for number in range(6)]
    spoken = studio.speak(*(f"{'ab'[number % 2]}: {text}" for number, text in enumerate(texts)))
    assert [clip.segment.text for clip in spoken.clips] == texts
    assert studio.pool.leased == ["a", "b"]
    studio.service.close()


def test_speak_when_the_listener_would_run_dry_then_nothing_is_overtaken_any_more() -> None:
    studio = Studio(room=1)
    studio.speak("a: short", "b: short too", "a: short again")
    assert studio.pool.leased == ["a", "b", "a"]
    studio.service.close()


def test_lease_request_names_what_the_reply_wants_next(studio: Studio) -> None:
    spoken = studio.speak("a: one", "b: two", "c: three")
    first = studio.pool.requests[0]
    assert first.dialogue_id == spoken.audio_id
    assert first.upcoming == ("b", "c")
    assert first.playback_deadline_s is None  # nobody hears anything yet
    assert studio.pool.requests[1].playback_deadline_s is not None


def test_speak_when_a_model_cannot_be_had_then_its_fallback_speaks_and_says_so(studio: Studio) -> None:
    studio.pool.refuse["broken"] = [ModelCorrupt("the files are damaged")]
    spoken = studio.speak("broken: hello there", "a: fine")
    assert [clip.choice.voice.name for clip in spoken.clips] == ["plain", "a"]
    assert spoken.fallbacks == ("broken: the files are damaged",)


def test_speak_when_a_model_without_fallback_cannot_be_had_then_only_its_segments_are_skipped(
    studio: Studio,
) -> None:
    studio.pool.refuse["lonely"] = [ModelCorrupt("the files are damaged")]
    spoken = studio.speak("a: before", "lonely: never", "a: after")
    assert [clip.segment.text for clip in spoken.clips] == ["before", "after"]
    assert [(one.segment.text, one.code) for one in spoken.skipped] == [("never", "corrupt")]


def test_speak_when_the_engine_refuses_one_text_then_the_rest_speaks(studio: Studio) -> None:
    studio.loader.script("a").fail_texts["bad words"] = SynthesisFailed("cannot say it")
    spoken = studio.speak("a: good words", "a: bad words", "a: more words")
    assert [clip.segment.text for clip in spoken.clips] == ["good words", "more words"]
    assert [one.code for one in spoken.skipped] == ["synthesis_failed"]


def test_speak_when_the_worker_dies_once_then_the_segment_is_said_again_in_plain_form(studio: Studio) -> None:
    script = studio.loader.script("a")
    script.crash_at_chunk = 0

    def heal_at_second_lease(_ref: ModelRef) -> None:
        if studio.pool.leased:
            script.crash_at_chunk = None

    studio.pool.on_lease = heal_at_second_lease
    spoken = studio.speak('a: "strange" -- text; yes!')
    assert [clip.retried for clip in spoken.clips] == [True]
    first, second = studio.spoken_texts("a")
    assert first == '"strange" -- text; yes!'
    assert '"' not in second
    assert "strange" in second
    assert spoken.skipped == ()


def test_speak_when_the_worker_dies_twice_then_that_segment_alone_is_skipped(studio: Studio) -> None:
    studio.loader.script("killer").crash_at_chunk = 1
    spoken = studio.speak("a: before it", "killer: this text kills its engine", "a: after it")
    assert [clip.segment.text for clip in spoken.clips] == ["before it", "after it"]
    assert [one.code for one in spoken.skipped] == ["crash"]
    assert len(studio.spoken_texts("killer")) == 2


def test_speak_when_nothing_could_be_spoken_then_the_reply_fails_with_the_first_reason(
    studio: Studio,
) -> None:
    studio.pool.refuse["lonely"] = [ModelCorrupt("the files are damaged")]
    with pytest.raises(ModelCorrupt, match="nothing of the reply could be spoken: the files are damaged"):
        studio.speak("lonely: never")


def test_speak_when_nobody_speaks_a_language_then_the_segment_is_skipped_with_that_code(
    studio: Studio,
) -> None:
    studio.router.mute.add("x")
    spoken = studio.speak("x: 漢字", "a: fine")
    assert [one.code for one in spoken.skipped] == [LanguageUnsupported.code]
    assert len(spoken.clips) == 1


@pytest.mark.parametrize("text", ["", "   \n", "...", "😀🎉", "\x00\ud800", "a:   "])
def test_begin_when_there_are_no_words_then_nothing_to_say(studio: Studio, text: str) -> None:
    with pytest.raises(NothingToSay):
        studio.service.begin(Reply(text=text))


def test_begin_when_switched_off_then_speech_off(studio: Studio) -> None:
    studio.change(activate=False)
    with pytest.raises(SpeechOff):
        studio.service.begin(Reply(text="a: hello"))
    assert not studio.store.streams


def test_begin_when_the_text_is_too_long_then_it_is_refused_with_the_limit(studio: Studio) -> None:
    with pytest.raises(TextTooLong) as caught:
        studio.service.begin(Reply(text="a: " + "x" * 200_001))
    assert caught.value.context["limit_chars"] == 200_000


def test_begin_when_the_explicit_voice_does_not_exist_then_the_caller_is_told_at_once(studio: Studio) -> None:
    with pytest.raises(VoiceNotFound):
        studio.service.begin(Reply(text="a: hello", voice="nobody"))


def test_begin_when_the_store_refuses_then_its_error_and_no_job(studio: Studio) -> None:
    studio.store.fail_create = StoreFailed("disk full")
    with pytest.raises(StoreFailed):
        studio.service.begin(Reply(text="a: hello"))
    assert studio.service.jobs() == ()


def test_speak_when_the_disk_fills_midway_then_the_job_ends_with_the_store_error(studio: Studio) -> None:
    gate = studio.loader.script("a").load_gate = Gate()
    ticket = studio.service.begin(Reply(text="a: hello there, this goes wrong"))
    studio.store.writers[ticket.audio_id].fail_with = StoreFailed("no space left")
    gate.open()
    job = studio.service.job(ticket.audio_id)
    assert job is not None
    with pytest.raises(StoreFailed):
        job.wait(10)
    assert isinstance(studio.stream(ticket.audio_id).error, StoreFailed)


def test_cancel_when_speaking_then_the_engine_stops_and_the_job_says_cancelled(studio: Studio) -> None:
    gate = studio.loader.script("a").chunk_gate = Gate()
    ticket = studio.service.begin(Reply(text="a: a text long enough for several chunks of sound"))
    gate.wait_reached()
    job = studio.service.job(ticket.audio_id)
    assert job is not None
    job.cancel()
    gate.open()
    with pytest.raises(Cancelled):
        job.wait(10)
    assert studio.loader.model("a").cancelled


def test_wait_first_audio_when_audio_flows_then_it_says_who_speaks(studio: Studio) -> None:
    ticket = studio.service.begin(Reply(text="a: hello\nb: world"))
    job = studio.service.job(ticket.audio_id)
    assert job is not None
    first = job.wait_first_audio(10)
    assert first is not None
    assert first.model.model == "a"


def test_wait_when_it_takes_too_long_then_deadline_exceeded(studio: Studio) -> None:
    gate = studio.loader.script("a").load_gate = Gate()
    ticket = studio.service.begin(Reply(text="a: hello"))
    job = studio.service.job(ticket.audio_id)
    assert job is not None
    with pytest.raises(DeadlineExceeded):
        job.wait_first_audio(0.0)
    with pytest.raises(DeadlineExceeded):
        job.wait(0.0)
    gate.open()
    job.wait(10)


def test_speak_when_the_deadline_passes_then_the_rest_is_skipped_and_the_spoken_part_stays(
    studio: Studio,
) -> None:
    studio.change(deadline_s=5.0)
    studio.pool.on_lease = lambda ref: studio.clock.advance(6.0) if ref == "a" else None
    spoken = studio.speak("a: in time", "b: too late", "c: much too late")
    assert [clip.segment.text for clip in spoken.clips] == ["in time"]
    assert [one.code for one in spoken.skipped] == ["deadline_exceeded", "deadline_exceeded"]


def test_begin_when_too_many_replies_wait_then_refused_and_the_others_end_well(studio: Studio) -> None:
    gate = studio.loader.script("a").load_gate = Gate()
    studio.service._prepare_wait_s = 0.0  # those that wait for a thread cannot be looked at yet
    limit = studio.settings.speech.max_concurrent_replies * 8
    tickets = [studio.service.begin(Reply(text="a: hello")) for _ in range(limit)]
    with pytest.raises(TooManyReplies):
        studio.service.begin(Reply(text="a: one too many"))
    gate.open()
    for ticket in tickets:
        job = studio.service.job(ticket.audio_id)
        assert job is not None
        assert job.wait(30).clips


def test_speak_when_the_same_sentence_comes_again_then_it_is_not_synthesised_again(studio: Studio) -> None:
    studio.speak("a: once upon a time")
    again = studio.speak("a: once upon a time", "a: there was more")
    assert studio.spoken_texts("a") == ["once upon a time", "there was more"]
    assert len(again.clips) == 2
    assert again.clips[0].duration_s > 0.1


def test_style_of_a_chat_when_a_second_reply_comes_then_it_is_its_prior(studio: Studio) -> None:
    chat = Chat(id=ChatId("one"))
    studio.speak("a: first", chat=chat)
    studio.service.close()  # the style is kept after the job has ended; closing waits for that
    assert studio.text.styles_seen == [ReplyStyle()]
    assert studio.service._informed(Reply(text="a: second", chat=chat), studio.settings).style == ReplyStyle(
        unmarked=SpeakerRole.NARRATOR
    )


def test_style_of_a_chat_when_nothing_was_spoken_yet_then_its_greeting_is_the_prior(studio: Studio) -> None:
    studio.speak("a: first", chat=Chat(id=ChatId("one"), greeting="*She waves.* Hello!"))
    assert studio.text.styles_seen == [ReplyStyle(unmarked=SpeakerRole.NARRATOR)]


def test_observers_when_a_reply_was_spoken_then_told_once(studio: Studio) -> None:
    spoken = studio.speak("a: hello")
    studio.service.close()
    assert [result for _reply, result in studio.told] == [spoken]


def test_close_when_replies_run_then_they_end_cancelled_and_new_ones_are_refused(studio: Studio) -> None:
    gate = studio.loader.script("a").chunk_gate = Gate()
    ticket = studio.service.begin(Reply(text="a: a text long enough for several chunks of sound"))
    gate.wait_reached()
    job = studio.service.job(ticket.audio_id)
    assert job is not None
    job.cancel_source.on_cancel(gate.open)
    studio.service.close()
    assert isinstance(job.error, Cancelled)
    with pytest.raises(Cancelled):
        studio.service.begin(Reply(text="a: hello"))


def test_explain_when_a_segment_has_no_voice_then_it_says_why(studio: Studio) -> None:
    studio.router.mute.add("x")
    explained = studio.service.explain(Reply(text="a: hello\nx: 漢字"))
    assert [part.choice.voice.name if part.choice else None for part in explained] == ["a", None]
    assert "nobody speaks this" in explained[1].why


def test_long_segment_when_the_engine_takes_less_then_it_is_cut_and_nothing_is_lost() -> None:
    studio = Studio(max_chars=20)
    studio.speak("a: one two three four five six seven eight nine ten")
    texts = studio.spoken_texts("a")
    assert all(len(text) <= 20 for text in texts)
    assert " ".join(texts) == "one two three four five six seven eight nine ten"
    studio.service.close()


def test_unexpected_defect_when_planning_then_the_job_still_ends(studio: Studio) -> None:
    def fail(_ref: ModelRef) -> None:
        raise RuntimeError("a defect")

    studio.pool.on_lease = fail
    with pytest.raises(SpeechError, match="internal error: RuntimeError"):
        studio.speak("a: hello")


def test_speak_when_a_model_cannot_be_had_then_the_whole_reply_keeps_to_the_fallback(studio: Studio) -> None:
    studio.pool.refuse["broken"] = [ModelCorrupt("the files are damaged")]
    spoken = studio.speak("broken: one", "a: two", "broken: three")
    assert [clip.choice.voice.name for clip in spoken.clips] == ["plain", "a", "plain"]
    assert studio.pool.leased == ["plain", "a", "plain"]
