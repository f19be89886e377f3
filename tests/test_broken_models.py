"""Models that cannot be used any more, with real parts: whoever is well speaks on, and the rest says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from alltalk_plugin.cli.main import cli
from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import ModelError
from alltalk_plugin.domain.models import LeaseRequest, ModelRef, ModelState, SwapRecord
from alltalk_plugin.domain.speech import Chat, ChatId, Reply, SpokenReply
from alltalk_plugin.runtime import Runtime, build_runtime

pytestmark = pytest.mark.slow

BROKEN = """
voices:
  dora: {model: lost-studio, fallback: plain}
  plain: {model: espeak, speaker: f2}
  emil: {model: misspelt-studio, fallback: plain}
characters:
  Dora: {voice: dora}
  Emil: {voice: emil}
  Finn: {voice: default}
languages: {candidates: [en], default: en}
models:
  espeak: {engine: espeak, pinned: true, options: {colour: red}}
  lost-studio: {engine: espaek}
  misspelt-studio: {engine: espeak, options: {threads: 2}}
audio: {format: wav}
"""
LEAVING = """
voices:
  aria: {{model: {model}, speaker: f3}}
languages: {{candidates: [en], default: en}}
models:
  espeak: {{engine: espeak, pinned: true}}
  {studio}
audio: {{format: wav}}
"""
ARIA = ModelRef("aria-studio")


def speak(runtime: Runtime, text: str, **more: str) -> SpokenReply:
    return runtime.speech.speak(Reply(text=text, chat=Chat(id=ChatId("chat")), **more))  # type: ignore[arg-type]  # tests name real fields


def write(home: Path, text: str) -> None:
    (home / "settings.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("character", "model", "code", "reason"),
    [
        ("Dora", "lost-studio", "not_found", "no engine is called 'espaek'; did you mean 'espeak'?"),
        ("Emil", "misspelt-studio", "incompatible", "has no option 'threads'"),
    ],
)
def test_model_that_the_settings_leave_no_way_to_load_when_spoken_then_the_fallback_says_so(
    tmp_path: Path, character: str, model: str, code: str, reason: str
) -> None:
    write(tmp_path, BROKEN)
    with build_runtime(tmp_path) as runtime:
        spoken = speak(runtime, "“My model is broken, and I speak.”", character=character)
        assert [clip.choice.voice.name for clip in spoken.clips] == ["plain"]
        assert reason in spoken.fallbacks[0]
        well = speak(runtime, "“I am well.”", character="Finn")
        assert [(clip.choice.voice.name, clip.model.model) for clip in well.clips] == [("default", "espeak")]
        with pytest.raises(ModelError, match=re.escape(reason)) as caught:
            runtime.models.swap(ModelRef(model))
        assert caught.value.code == code
        lines = {status.ref: status for status in runtime.models.snapshot()}
        assert lines[ModelRef(model)].state is ModelState.FAILED
        assert reason in (lines[ModelRef(model)].last_error or "")
        assert lines[ModelRef("espeak")].state is ModelState.READY


def test_engine_that_goes_from_the_settings_when_running_then_its_voice_falls_back(tmp_path: Path) -> None:
    write(tmp_path, LEAVING.format(model=ARIA, studio=f"{ARIA}: {{engine: espeak}}"))
    with build_runtime(tmp_path) as runtime:
        assert speak(runtime, "“All is well.”", voice="aria").fallbacks == ()
        write(tmp_path, LEAVING.format(model=ARIA, studio=f"{ARIA}: {{engine: gone}}"))
        waiting_for(runtime, "freed")
        spoken = speak(runtime, "“I am another.”", voice="aria")
        assert "no engine is called 'gone'" in spoken.fallbacks[0]


def test_model_taken_out_of_the_settings_when_leased_then_the_lease_goes_on_and_then_it_leaves(
    tmp_path: Path,
) -> None:
    write(tmp_path, LEAVING.format(model=ARIA, studio=f"{ARIA}: {{engine: espeak}}"))
    with build_runtime(tmp_path) as runtime:
        with runtime.models.lease(LeaseRequest(model=ARIA, dialogue_id="d"), CancelSource()) as lease:
            write(tmp_path, LEAVING.format(model="espeak", studio=""))
            assert waiting_for(runtime, "drain").cause == "removed"
            assert ARIA in {status.ref for status in runtime.models.snapshot()}, "it is there and not listed"
            assert list(lease.synthesize(SynthesisRequest(text="I go on."), CancelSource()))
        waiting_for(runtime, "freed")
        assert ARIA not in {status.ref for status in runtime.models.snapshot()}


def waiting_for(runtime: Runtime, kind: str) -> SwapRecord:
    """The first record of that kind about Aria's model, waited for."""
    with runtime.models.events(since=0) as events:
        for _ in range(40):  # some come back empty before their time: the bell rings behind what was read
            for record in events.get(0.5):
                if (record.model, record.kind) == (ARIA, kind):
                    return record
    raise AssertionError(f"no {kind} of {ARIA}")


def test_doctor_when_models_are_broken_and_things_lie_about_then_a_line_for_each(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    (tmp_path / "models" / "nobody").mkdir(parents=True)
    told = CliRunner().invoke(cli, ["--home", str(tmp_path), "--json", "doctor"])
    found = {(row["verdict"], row["subject"]): row["detail"] for row in json.loads(told.stdout)}
    assert told.exit_code == 1
    assert "did you mean 'espeak'?" in found["BAD", "model lost-studio"]
    assert "'threads'" in found["BAD", "model misspelt-studio"]
    assert "nobody: no engine is called so" in found["note", "data folder"]
    assert ("ok", "self-test") in found
