from __future__ import annotations

import pytest

from alltalk_plugin.domain.engines import EngineVoice
from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelIncompatible,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.remote.discovery import RemoteModel, discover, models_in, voices_in
from tests.engines.remote.running import SpeechServer
from tests.engines.remote.speech_server import BEHAVIOURS, KEY, VOICES

AMY = EngineVoice("amy", "amy", (LanguageTag("en-US"),))


@pytest.mark.parametrize(
    ("document", "speakers"),
    [
        ({"voices": ["a", "b"]}, ["a", "b"]),
        ({"voices": [{"id": "a", "name": "Anna"}]}, ["a"]),
        ({"voices": [{"name": "a", "style_id": 3}]}, ["a"]),
        ({"data": [{"voice_id": "a"}]}, ["a"]),
        ([{"id": "a"}, "b"], ["a", "b"]),
        ({"voices": [], "uploaded_voices": []}, []),
        ({"voices": [None, 3, {"id": 4}, {}]}, []),
        ({"voices": "a"}, []),
        (None, []),
        ("a", []),
    ],
)
def test_voices_when_listed_in_any_shape_then_found(document: object, speakers: list[str]) -> None:
    assert [voice.speaker for voice in voices_in(document)] == speakers


@pytest.mark.parametrize(
    ("entry", "languages"),
    [
        ({"id": "a", "language": "en-us"}, ("en-US",)),
        ({"id": "a", "languages": ["de", "fr"]}, ("de", "fr")),
        ({"id": "a", "language": "English"}, ()),
        ({"id": "a", "language": None}, ()),
    ],
)
def test_voice_when_it_names_languages_then_those(entry: object, languages: tuple[str, ...]) -> None:
    assert voices_in([entry])[0].languages == languages


def test_models_when_some_are_for_speech_then_first() -> None:
    listed = {
        "data": [
            {"id": "w", "task": "asr"},
            {"id": "x"},
            {"id": "t", "task": "text-to-speech"},
            {"no": "id"},
            7,
        ]
    }
    assert models_in(listed) == (RemoteModel("t", True), RemoteModel("x"), RemoteModel("w", False))


def test_server_when_asked_then_its_models_and_voices(server: SpeechServer) -> None:
    offer = discover(server.url)
    assert offer.base_url == f"{server.url}/v1"
    assert [model.name for model in offer.models] == list(BEHAVIOURS)
    assert offer.voices[0] == EngineVoice("alloy", "Alloy", ())
    assert [voice.speaker for voice in offer.voices] == list(VOICES)


def test_server_when_voices_stand_with_the_models_then_those_of_the_wanted_model(
    server: SpeechServer,
) -> None:
    offer = discover(f"{server.url}/listing", model="piper")
    assert [model.name for model in offer.models] == ["piper", "whisper"]
    assert offer.models[0].voices == offer.voices == (AMY,)


def test_server_when_its_lists_are_elsewhere_or_odd_then_what_there_is(server: SpeechServer) -> None:
    offer = discover(f"{server.url}/plain", model="a/b")
    assert offer.models == ()
    assert [voice.speaker for voice in offer.voices] == ["one", "two"]


def test_server_when_it_lists_nothing_then_an_empty_offer(server: SpeechServer) -> None:
    for path in ("/page", "/nothing"):
        offer = discover(f"{server.url}{path}")
        assert (offer.models, offer.voices) == ((), ())


def test_key_when_named_then_sent(server: SpeechServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_KEY", KEY)
    discover(server.url, "SPEECH_KEY")
    assert server.requests[0]["headers"]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("401", RemoteRefused), ("500", RemoteError), ("stall", RemoteUnavailable), ("drop", RemoteUnavailable)],
)
def test_server_when_it_fails_then_typed(server: SpeechServer, fault: str, kind: type[AlltalkError]) -> None:
    server.behave(fault)
    with pytest.raises(AlltalkError) as caught:
        discover(server.url, timeout_s=0.3)
    assert type(caught.value) is kind


def test_address_when_it_is_none_then_incompatible() -> None:
    with pytest.raises(ModelIncompatible):
        discover("my server")


def test_address_taken_to_the_letter_when_asked_then_the_option_means_the_same(server: SpeechServer) -> None:
    given = f"{server.url}/odd/audio/speech"
    assert discover(given).base_url == given
