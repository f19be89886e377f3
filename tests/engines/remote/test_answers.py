from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    LanguageUnsupported,
    ModelIncompatible,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnavailable,
    VoiceNotFound,
)
from alltalk_plugin.engines.remote.answers import (
    Asked,
    Said,
    broken_off,
    not_audio,
    refusal,
    retry_after_s,
    said,
    unreached,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEXT = "The secret door is behind the altar."
KEY = "sk-very-secret"
ASKED = Asked("http://host/v1", voice="ballad", key=KEY, text=TEXT)
OPENAI_VOICE = {"error": {"message": "Input should be 'nova' or 'alloy'", "param": "voice", "code": None}}
KOKORO_VOICE = {
    "detail": {"error": "validation_error", "message": "Voice 'ballad' not found. Available voices: a"}
}
OPENEDAI_VOICE = {"error": {"message": "Error loading voice: ballad, KeyError: 'ballad'", "param": "voice"}}
FASTAPI_VOICE = {"detail": [{"loc": ["body", "voice"], "msg": "Field required", "type": "missing"}]}
KOKORO_MODEL = {"detail": {"error": "invalid_model", "message": "Unsupported model: tts-9"}}
SPEACHES_LANGUAGE = {
    "detail": "Language 'zh' is not supported by the phonemizer backend for voice 'zf_xiaobei'."
}
VLLM_SPEED = {
    "error": {"message": "speed must be 1.0 when streaming", "type": "BadRequestError", "code": 400}
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (OPENAI_VOICE, Said("Input should be 'nova' or 'alloy'", "voice")),
        (KOKORO_VOICE, Said("Voice 'ballad' not found. Available voices: a", "", "validation_error")),
        (FASTAPI_VOICE, Said("Field required", "voice")),
        ({"detail": "Not Found"}, Said("Not Found", code="Not Found")),
        ({"error": "busy", "message": "come back"}, Said("come back", code="busy")),
        ({"message": "no"}, Said("no")),
        ({"error": {"code": "insufficient_quota"}}, Said("", "", "insufficient_quota")),
        ({"error": 7}, Said()),
        ({"detail": []}, Said()),
        (["no"], Said()),
        ("no", Said()),
    ],
)
def test_words_when_a_server_has_its_own_shape_then_found(document: object, expected: Said) -> None:
    assert said(json.dumps(document).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", b"[" * 100])
def test_words_when_the_body_is_no_document_then_none(body: bytes) -> None:
    assert said(body) == Said()


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, OPENAI_VOICE, VoiceNotFound),
        (400, KOKORO_VOICE, VoiceNotFound),
        (400, OPENEDAI_VOICE, VoiceNotFound),
        (422, FASTAPI_VOICE, VoiceNotFound),
        (404, {"detail": "unknown voice 'ballad'; see GET /v1/audio/voices"}, VoiceNotFound),
        (400, KOKORO_MODEL, ModelIncompatible),
        (400, VLLM_SPEED, ModelIncompatible),
        (422, SPEACHES_LANGUAGE, LanguageUnsupported),
        (400, {}, ModelIncompatible),
        (404, {"detail": "Not Found"}, ModelIncompatible),
        (405, {"detail": "Method Not Allowed"}, ModelIncompatible),
        (401, {}, RemoteRefused),
        (402, {}, RemoteRefused),
        (403, {}, RemoteRefused),
        (429, {}, RemoteBusy),
        (429, {"error": {"code": "insufficient_quota"}}, RemoteRefused),
        (500, {"detail": "voice not found"}, RemoteError),
        (502, {}, RemoteError),
        (503, {}, RemoteError),
        (302, {}, RemoteError),
        (204, {}, RemoteError),
    ],
)
def test_refusal_when_a_server_answers_so_then_typed(
    status: int, document: object, kind: type[AlltalkError]
) -> None:
    failure = refusal(status, {}, json.dumps(document).encode(), ASKED, NOW)
    assert type(failure.error) is kind
    assert failure.error.context["url"] == "http://host/v1"
    assert failure.error.context["status"] == status
    assert failure.error.hint.endswith(".")


@pytest.mark.parametrize(
    ("status", "again"),
    [(408, True), (429, True), (500, True), (503, True), (400, False), (401, False), (307, False)],
)
def test_refusal_when_it_may_pass_then_asked_again(status: int, again: bool) -> None:
    assert refusal(status, {}, b"", ASKED, NOW).again is again


@pytest.mark.parametrize("status", [429, 503])
def test_refusal_when_it_names_a_pause_then_busy_and_told(status: int) -> None:
    failure = refusal(status, {"retry-after": "7"}, b"", ASKED, NOW)
    assert type(failure.error) is RemoteBusy
    assert failure.after_s == failure.error.context["retry_after_s"] == 7.0


def test_refusal_when_the_path_is_unknown_then_the_address_is_to_blame() -> None:
    failure = refusal(404, {}, b"<html>", ASKED, NOW)
    assert failure.error.message == "http://host/v1/audio/speech does not exist"
    assert "base_url" in failure.error.hint


def test_refusal_when_the_server_repeats_text_and_key_then_neither_is_in_the_error() -> None:
    echo = {"error": {"message": f"Incorrect API key {KEY} for input {TEXT}\n\x1b[31m{'x' * 999}"}}
    for status in (400, 401, 429, 500):
        error = refusal(status, {}, json.dumps(echo).encode(), ASKED, NOW).error
        told = f"{error.message} {error.hint} {error.context}"
        assert KEY not in told
        assert "altar" not in told
        assert "\x1b" not in told
        assert len(error.message) < 400


def test_refusal_when_it_redirects_then_the_target_is_named_without_its_query() -> None:
    error = refusal(307, {"location": "https://elsewhere/v1?token=abc"}, b"", ASKED, NOW).error
    assert "https://elsewhere/v1" in error.message
    assert "abc" not in error.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("12", 12.0),
        (" 3 ", 3.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_retry_after_when_read_then_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}, NOW) == seconds


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "word", "again"),
    [
        (ConnectionRefusedError(111, "Connection refused"), RemoteUnavailable, "nobody listens", True),
        (TimeoutError(), RemoteUnavailable, "within 5 s", True),
        (socket.gaierror(-2, "Name or service not known"), RemoteUnavailable, "name is not known", False),
        (OSError(113, "No route to host"), RemoteUnavailable, "No route to host", True),
        (RemoteDisconnected(""), RemoteUnavailable, "closed without an answer", True),
        (certificate_error(), RemoteUnavailable, "self-signed", False),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), RemoteUnavailable, "does not speak TLS", False),
        (BadStatusLine("SSH-2.0"), RemoteError, "not answer in HTTP", False),
    ],
)
def test_connection_when_it_fails_then_typed(
    error: Exception, kind: type[AlltalkError], word: str, again: bool
) -> None:
    failure = unreached(error, ASKED, 5.0)
    assert type(failure.error) is kind
    assert word in failure.error.message
    assert failure.again is again


def test_answer_when_it_breaks_off_then_it_says_how_much_came() -> None:
    error = broken_off(IncompleteRead(b""), ASKED, 1_234)
    assert error.context["got_bytes"] == 1_234
    assert "1234 bytes" in error.message


def test_answer_when_it_is_a_document_then_its_words_are_told() -> None:
    error = not_audio("application/json", b'{"error": "model is loading"}', ASKED)
    assert "model is loading" in error.message
