"""A host's panel over HTTP, and the audio it keeps."""

from __future__ import annotations

import httpx

from alltalk_plugin.domain.errors import ModelCorrupt, SettingsError
from tests.fakes.runtime import FakeRuntime, Speaking
from tests.http.clients import AppClient

TGW = "/api/v1/hosts/text_generation_webui"
MEDIA = "file/user_data/cache/alltalk_plugin"


def spoken(client: AppClient, **more: object) -> dict[str, object]:
    body = {"text": "&quot;Hi&quot;", "escaped": True, "character": "Ann", "media_url": MEDIA, **more}
    answer = client.post(f"{TGW}/output", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_panel_when_asked_for_a_character_then_its_fields_status_and_toggles(
    client: AppClient, runtime: FakeRuntime
) -> None:
    panel = client.get(f"{TGW}/panel?character=Ann").json()
    labels = {field["label"]: field for field in panel["fields"]}
    assert labels["Voice of Ann"]["choices"] == ["", "default", "narrator"]
    assert labels["Narrator"]["value"] == "on"
    assert panel["autoplay"] is True
    assert panel["status"]["model"] == "espeak"
    assert panel["status"]["last_error"] is None


def test_settings_when_changed_then_saved_and_shown(client: AppClient, runtime: FakeRuntime) -> None:
    values = {"characters.{character}.voice": "narrator", "hosts.text_generation_webui.autoplay": False}
    answer = client.request("PUT", f"{TGW}/settings", json={"values": values, "character": "Ann"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["autoplay"] is False
    assert runtime.settings.current.characters["Ann"].voice == "narrator"


def test_settings_when_not_offered_or_not_writable_then_the_reason(
    client: AppClient, runtime: FakeRuntime
) -> None:
    refused = client.request("PUT", f"{TGW}/settings", json={"values": {"server.host": "0.0.0.0"}})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    runtime.settings.fail_update = SettingsError("disk full")
    values = {"speech.narrator": "off"}
    failed = client.request("PUT", f"{TGW}/settings", json={"values": values})
    assert failed.status_code >= 400
    assert failed.json()["detail"] == "disk full"
    plain = client.get("/api/v1/hosts/plain/panel")
    assert plain.status_code == 400


def test_words_when_changed_then_saved_and_shown_and_a_bad_one_changes_nothing(
    client: AppClient, runtime: FakeRuntime
) -> None:
    def put(words: dict[str, str | None]) -> httpx.Response:
        values = {"lexicon.languages.en": words}
        return client.request("PUT", f"{TGW}/settings", json={"values": values})

    answer = put({"nguyen": "win", "U.S.": "U S"})
    assert answer.status_code == 200, answer.text
    shown = {field["key"]: field for field in answer.json()["fields"]}["lexicon.languages.en"]
    assert (shown["kind"], shown["value"]) == ("entries", {"nguyen": "win", "U.S.": "U S"})
    before = runtime.settings.current.lexicon
    refused = put({"nguyen": None, "***": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert "Language en: '***' cannot be an entry" in refused.json()["detail"]
    assert runtime.settings.current.lexicon == before
    put({"nguyen": None})
    assert runtime.settings.current.lexicon.languages == {"en": {"U.S.": "U S"}}


def test_status_when_the_last_reply_failed_then_in_words(client: AppClient, runtime: FakeRuntime) -> None:
    runtime.speech.script = lambda speaking: speaking.fail(ModelCorrupt("the files are damaged"))
    spoken(client)
    assert "the files are damaged" in client.get(f"{TGW}/panel").json()["status"]["last_error"]
    runtime.settings.last_error = SettingsError("line 3 makes no sense")
    assert client.get(f"{TGW}/panel").json()["status"]["last_error"] == "line 3 makes no sense"


def test_test_sentence_when_asked_then_audio_as_the_character(
    client: AppClient, runtime: FakeRuntime
) -> None:
    answer = client.post(f"{TGW}/test", {"text": "Hello", "character": "Ann"}).json()
    assert answer["audio_file"].endswith(".wav")
    assert runtime.speech.begun[0].reply.character == "Ann"


def test_output_when_the_host_keeps_copies_then_player_file_and_owed_until_kept(
    client: AppClient, runtime: FakeRuntime
) -> None:
    runtime.speech.script = Speaking.finish
    answer = spoken(client)
    file = answer["audio_file"]
    assert file == f"{answer['audio_id']}.wav"
    text = str(answer["text"])
    assert text.startswith("&quot;Hi&quot;\n\n<audio ")
    assert f'src="{MEDIA}/{file}"' in text
    assert "autoplay" not in text
    assert runtime.speech.begun[0].reply.text == '"Hi"'
    hello = {"pid": 1, "instance": "one"}
    assert client.post(f"{TGW}/hello", hello).json()["missing"] == [file]
    assert client.post(f"{TGW}/kept", {"audio_file": file}).json() == {"released": True}
    assert client.post(f"{TGW}/kept", {"audio_file": file}).json() == {"released": False}
    assert client.post(f"{TGW}/hello", hello).json()["missing"] == []


def test_output_when_it_is_the_greeting_then_spoken_only_if_wanted(
    client: AppClient, runtime: FakeRuntime
) -> None:
    assert spoken(client, is_greeting=True)["audio_id"] is None
    values = {"hosts.text_generation_webui.greeting": True}
    client.request("PUT", f"{TGW}/settings", json={"values": values})
    assert spoken(client, is_greeting=True)["audio_id"] is not None


def test_output_in_instruct_mode_then_no_character_speaks(client: AppClient, runtime: FakeRuntime) -> None:
    spoken(client, mode="instruct")
    assert runtime.speech.begun[0].reply.character is None
