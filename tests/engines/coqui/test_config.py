"""What config.json means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, UnsafeCheckpoint
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.coqui.config import (
    check_classes,
    code_for,
    language_codes,
    language_of,
    located,
    read_config,
    sample_rate_of,
    setting,
)


def test_read_config_with_comments_of_old_days_then_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{ // a comment\n "url": "https://x/y", /* two\n lines */ "a": 1 }')
    assert read_config(path) == {"url": "https://x/y", "a": 1}


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff\xfe{", b"null"])
def test_read_config_of_no_json_object_then_corrupt(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(raw)
    with pytest.raises(ModelCorrupt):
        read_config(path)


def test_read_config_of_nothing_then_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_config(tmp_path / "config.json")


def test_setting_in_model_args_is_taken_first() -> None:
    assert setting({"a": 1, "model_args": {"a": 2}}, "a") == 2
    assert setting({"a": 1, "model_args": {}}, "a") == 1
    assert setting({"a": 1}, "b") is None


@pytest.mark.parametrize(
    "named",
    [
        "speakers.json",
        "/home/somebody/training/run 7/speakers.json",
        "C:\\training\\speakers.json",
        "https://elsewhere.example/speakers.json",
        "../../speakers.json",
    ],
)
def test_located_takes_the_last_name_in_the_folder(tmp_path: Path, named: str) -> None:
    (tmp_path / "speakers.json").write_text("{}")
    config, files = located({"model_args": {"use_speaker_embedding": True, "speakers_file": named}}, tmp_path)
    assert setting(config, "speakers_file") == str(tmp_path / "speakers.json")
    assert files == (tmp_path / "speakers.json",)


def test_located_without_a_file_that_the_model_needs_then_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        located({"use_d_vector_file": True, "d_vector_file": ["/x/speakers.pth"]}, tmp_path)
    assert "speakers.pth" in caught.value.message
    with pytest.raises(ModelNotFound):
        located({"audio": {"stats_path": "scale_stats.npy"}}, tmp_path)


def test_located_without_a_file_that_nobody_opens_then_null(tmp_path: Path) -> None:
    config, files = located(
        {
            "speakers": ["Ada"],
            "use_speaker_embedding": True,
            "speakers_file": "http://elsewhere.example/s.pth",
            "model_args": {"speaker_encoder_model_path": "/x/se.pth", "d_vector_file": "d.pth"},
        },
        tmp_path,
    )
    assert files == ()
    assert config["speakers_file"] is None
    assert config["model_args"] == {"speaker_encoder_model_path": None, "d_vector_file": None}


def test_check_classes_from_elsewhere_then_unsafe() -> None:
    check_classes({"characters": {"characters_class": "TTS.tts.utils.text.characters.Graphemes"}}, Path("c"))
    check_classes({"characters": None}, Path("c"))
    with pytest.raises(UnsafeCheckpoint):
        check_classes({"characters": {"characters_class": "antigravity.Fly"}}, Path("c"))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ()),
        ({"languages": ["en", "fr-fr", "pt-br"]}, ("en", "fr-fr", "pt-br")),
        ({"languages": [], "datasets": [{"language": "de"}, {"language": ""}, {}]}, ("de",)),
        ({"phoneme_language": "en-us"}, ()),
        ({"phoneme_language": "en-us", "use_phonemes": True}, ("en-us",)),
    ],
)
def test_language_codes_of_a_config(config: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert language_codes(config) == expected


def test_language_codes_from_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text('{"en": 0, "fr-fr": 1}')
    config = {"use_language_embedding": True, "language_ids_file": str(tmp_path / "ids.json")}
    assert language_codes(config) == ("en", "fr-fr")


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("en", "en"),
        ("fr-fr", "fr-FR"),
        ("zh-cn", "zh-CN"),
        ("en_US", "en-US"),
        ("en-gb-x-rp", "en-GB"),
        ("x", None),
        ("", None),
    ],
)
def test_language_of_a_code(code: str, tag: str | None) -> None:
    assert language_of(code) == tag


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("pt", "pt"),
        ("zh-Hans", "zh-cn"),
        ("fr", "fr-fr"),
        ("de", None),
        ("nb", "no"),
    ],
)
def test_code_for_a_language_is_the_very_tag_else_a_sibling(wanted: str, code: str | None) -> None:
    codes = ("multi", "pt", "pt-br", "zh-cn", "fr-fr", "no")
    assert code_for(codes, LanguageTag(wanted)) == code


def test_sample_rate_of_a_config() -> None:
    assert sample_rate_of({"audio": {"sample_rate": 22_050, "output_sample_rate": 24_000}}) == 24_000
    assert sample_rate_of({"audio": {"sample_rate": 22_050}}) == 22_050
    assert sample_rate_of({"audio": {"sample_rate": "fast"}}) is None
    assert sample_rate_of({}) is None
