from __future__ import annotations

import pytest

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.domain.models import OptionValue
from alltalk_plugin.engines.remote.options import (
    LONGEST_WAIT_S,
    OPTIONS,
    Endpoint,
    RemoteOptions,
    WireFormat,
    endpoint_of,
    read_options,
)
from alltalk_plugin.workers.supervisor import CHUNK_TIMEOUT_S

URL = "http://127.0.0.1:8880/v1"


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:8880", "http://127.0.0.1:8880/v1"),
        ("http://127.0.0.1:8880/", "http://127.0.0.1:8880/v1"),
        ("http://127.0.0.1:8880/v1", "http://127.0.0.1:8880/v1"),
        (" http://127.0.0.1:8880/v1/ ", "http://127.0.0.1:8880/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com:443", "https://api.openai.com/v1"),
        ("https://host/openai/v1beta", "https://host/openai/v1beta"),
        ("https://host/speech", "https://host/speech/v1"),
        ("https://host/api/audio/speech", "https://host/api"),
        ("http://host/v1/audio/speech/", "http://host/v1"),
        ("http://[::1]:9000", "http://[::1]:9000/v1"),
    ],
)
def test_base_url_when_written_in_any_usual_way_then_one_endpoint(base_url: str, url: str) -> None:
    assert endpoint_of(base_url).url == url


def test_base_url_when_parsed_then_port_and_prefix_are_apart() -> None:
    assert endpoint_of("https://host/x/v2") == Endpoint("https", "host", 443, "/x/v2")


@pytest.mark.parametrize(
    "base_url",
    ["", "127.0.0.1:8880", "ftp://host", "http://", "http://host:99999", "http://host/a b", "http://höst/v1"],
)
def test_base_url_when_it_is_none_then_incompatible(base_url: str) -> None:
    with pytest.raises(ModelIncompatible, match="base_url"):
        endpoint_of(base_url)


@pytest.mark.parametrize(
    "base_url",
    ["http://me:hunter2@host/v1", "http://hunter2@host", "http://host/v1?key=hunter2", "http://h#hunter2"],
)
def test_base_url_when_it_holds_a_secret_then_refused_without_repeating_it(base_url: str) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        endpoint_of(base_url)
    assert "hunter2" not in f"{caught.value.message} {caught.value.context}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("tts.localhost", True),
        ("192.168.1.7", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("0.0.0.0", False),
    ],
)
def test_endpoint_when_its_host_is_known_then_loopback_or_not(host: str, loopback: bool) -> None:
    assert endpoint_of(f"http://{host}:1").loopback is loopback


@pytest.mark.parametrize(
    ("base_url", "key_env", "in_clear"),
    [
        ("http://192.168.1.7:8880", "SPEECH_KEY", True),
        ("http://192.168.1.7:8880", "", False),
        ("https://192.168.1.7:8880", "SPEECH_KEY", False),
        ("http://127.0.0.1:8880", "SPEECH_KEY", False),
    ],
)
def test_key_when_sent_by_http_to_another_machine_then_in_clear(
    base_url: str, key_env: str, in_clear: bool
) -> None:
    assert read_options({"base_url": base_url, "key_env": key_env}).key_in_clear is in_clear


def test_options_when_only_the_address_is_given_then_the_defaults() -> None:
    assert read_options({"base_url": URL}) == RemoteOptions(endpoint=endpoint_of(URL))


def test_options_when_all_are_given_then_read() -> None:
    given: dict[str, OptionValue] = {
        "base_url": URL,
        "model": "kokoro",
        "voice": "af_heart",
        "key_env": "SPEECH_KEY",
        "format": "PCM",
        "sample_rate_hz": 22_050,
        "languages": "en, pt-br de",
        "language_field": "language",
        "extra": '{"stream_format": "audio"}',
        "connect_s": 1,
        "first_byte_s": 2.5,
        "between_chunks_s": 3.0,
        "retries": 0,
        "open_after": 1,
        "open_s": 4.0,
    }
    assert given.keys() == OPTIONS.keys()
    read = read_options(given)
    assert read.wire_format is WireFormat.PCM
    assert read.languages == ("en", "pt-BR", "de")
    assert read.extra == {"stream_format": "audio"}
    assert (read.connect_s, read.first_byte_s, read.retries) == (1.0, 2.5, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "aac"),
        ("sample_rate_hz", 0),
        ("sample_rate_hz", True),
        ("languages", "english"),
        ("extra", "{"),
        ("extra", "[1]"),
        ("extra", '{"input": "always this"}'),
        ("connect_s", 0.0),
        ("first_byte_s", 60.0),
        ("between_chunks_s", "soon"),
        ("retries", -1),
        ("open_after", 0),
        ("open_s", 1e9),
    ],
)
def test_option_when_out_of_range_then_incompatible_and_named(name: str, value: OptionValue) -> None:
    with pytest.raises(ModelIncompatible) as caught:
        read_options({"base_url": URL, name: value})
    assert caught.value.context["option"] == name


def test_key_env_when_it_is_the_key_itself_then_refused_without_repeating_it() -> None:
    with pytest.raises(ModelIncompatible, match="not a key") as caught:
        read_options({"base_url": URL, "key_env": "sk-proj-123"})
    assert "sk-proj" not in f"{caught.value.message} {caught.value.hint} {caught.value.context}"


def test_waits_when_as_long_as_may_be_then_the_engine_gives_up_before_its_worker_is_ended() -> None:
    assert LONGEST_WAIT_S + 1.0 < CHUNK_TIMEOUT_S
