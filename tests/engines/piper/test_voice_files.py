from __future__ import annotations

import json
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    VoiceNotFound,
)
from alltalk_plugin.engines.piper.voice_files import VoiceConfig, read_config, voice_files
from tests.checkpoints.write_piper import voice_config

IDS = {"_": [0], "^": [1], "$": [2], "a": [14]}


def config_file(
    folder: Path, changes: dict[str, object] | None = None, *, speakers: tuple[str, ...] = ()
) -> Path:
    """A voice's JSON with `changes`; None takes a key away."""
    raw = {**voice_config(IDS, speakers=speakers), **(changes or {})}
    path = folder / "voice.onnx.json"
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}), "utf-8")
    return path


def config_of(
    folder: Path, changes: dict[str, object] | None = None, *, speakers: tuple[str, ...] = ()
) -> VoiceConfig:
    return read_config(config_file(folder, changes, speakers=speakers))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize("given", [".", "voice.onnx"])
def test_voice_is_found_by_its_file_or_its_folder(tmp_path: Path, given: str) -> None:
    touch(tmp_path, "voice.onnx", "voice.onnx.json", "MODEL_CARD")
    files = voice_files(tmp_path / given)
    assert (files.onnx, files.config) == (tmp_path / "voice.onnx", tmp_path / "voice.onnx.json")


@pytest.mark.parametrize(
    ("names", "given", "told"),
    [
        ((), ".", "0 Piper voices"),
        (("a.onnx", "b.onnx"), ".", "2 Piper voices"),
        ((), "nowhere.onnx", "no Piper voice"),
        (("a.txt",), "a.txt", "no Piper voice"),
        (("a.onnx",), "a.onnx", "a.onnx.json"),
    ],
)
def test_voice_that_is_not_one_then_not_found(
    tmp_path: Path, names: tuple[str, ...], given: str, told: str
) -> None:
    touch(tmp_path, *names)
    with pytest.raises(ModelNotFound) as caught:
        voice_files(tmp_path / given)
    assert told in caught.value.message


def test_folder_with_several_voices_then_the_hint_names_them(tmp_path: Path) -> None:
    touch(tmp_path, "a.onnx", "b.onnx")
    with pytest.raises(ModelNotFound) as caught:
        voice_files(tmp_path)
    assert "a.onnx, b.onnx" in caught.value.hint


def test_no_path_then_not_found() -> None:
    with pytest.raises(ModelNotFound):
        voice_files(None)


@pytest.mark.parametrize(
    ("changes", "language"),
    [
        ({"espeak": {"voice": "en-us"}}, "en-US"),
        ({"espeak": {"voice": "en-gb-x-rp"}}, "en-GB"),
        ({"espeak": {"voice": "de"}, "language": {"code": "de_DE"}}, "de-DE"),
        ({"espeak": {"voice": "gmw/en"}}, None),
        ({"espeak": {"voice": "gmw/en"}, "language": {"code": "!"}}, None),
        ({"language": "en"}, "en-US"),
    ],
)
def test_language_comes_from_the_code_or_the_espeak_voice(
    tmp_path: Path, changes: dict[str, object], language: str | None
) -> None:
    assert config_of(tmp_path, changes).language == language


def test_speaker_by_name_before_number(tmp_path: Path) -> None:
    config = config_of(tmp_path, speakers=("anna", "0", "zoe"))
    assert [config.speaker(name) for name in (None, "", "anna", "0", "zoe", "2")] == [0, 0, 0, 1, 2, 2]


def test_default_speaker_is_the_voice_s_own(tmp_path: Path) -> None:
    assert config_of(tmp_path, {"default_speaker_id": 1}, speakers=("anna", "zoe")).speaker(None) == 1


def test_unknown_speaker_then_the_nearest_is_named(tmp_path: Path) -> None:
    config = config_of(tmp_path, speakers=("anna", "zoe"))
    with pytest.raises(VoiceNotFound) as caught:
        config.speaker("ana")
    assert caught.value.context["nearest"] == "anna"
    for name in ("2", "-1", "٢", "../anna", "99999999999999999999"):
        with pytest.raises(VoiceNotFound):
            config.speaker(name)


def test_speakers_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    config = config_of(tmp_path, {"num_speakers": 3, "speaker_id_map": {"anna": 1}})
    assert dict(config.speakers) == {"0": 0, "anna": 1, "2": 2}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"espeak": None}, ModelIncompatible),
        ({"espeak": {}}, ModelIncompatible),
        ({"espeak": {"voice": 3}}, ModelIncompatible),
        ({"audio": None}, ModelIncompatible),
        ({"audio": {"sample_rate": "22050"}}, ModelIncompatible),
        ({"audio": {"sample_rate": 1}}, ModelIncompatible),
        ({"num_symbols": None}, ModelIncompatible),
        ({"num_speakers": None}, ModelIncompatible),
        ({"num_speakers": -1}, ModelIncompatible),
        ({"num_speakers": True}, ModelIncompatible),
        ({"speaker_id_map": {"anna": 5}}, ModelIncompatible),
        ({"speaker_id_map": [1]}, ModelIncompatible),
        ({"default_speaker_id": 9}, ModelIncompatible),
        ({"phoneme_id_map": None}, ModelIncompatible),
        ({"phoneme_id_map": {"a": [1]}}, ModelIncompatible),
        ({"phoneme_id_map": {**IDS, "b": "no"}}, ModelIncompatible),
        ({"phoneme_type": "pinyin"}, ModelIncompatible),
        ({"phoneme_type": ["espeak"]}, ModelIncompatible),
        ({"inference": {"length_scale": 0}}, ModelIncompatible),
        ({"inference": {"length_scale": float("nan")}}, ModelIncompatible),
        ({"inference": []}, ModelIncompatible),
    ],
)
def test_config_that_lacks_what_a_voice_needs_then_it_is_named(
    tmp_path: Path, changes: dict[str, object], kind: type[AlltalkError]
) -> None:
    with pytest.raises(kind) as caught:
        config_of(tmp_path, changes)
    assert caught.value.context["path"]
    assert caught.value.hint


@pytest.mark.parametrize("raw", ["", "[]", "3", '"x"', "null", "{", "\xff", "[" * 100_000])
def test_config_that_is_no_json_object_then_corrupt(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "voice.onnx.json"
    path.write_text(raw, "latin-1")
    with pytest.raises(ModelCorrupt):
        read_config(path)


def test_config_of_absurd_length_then_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx.json"
    path.write_text(" " * 8_000_001 + "{}", "utf-8")
    with pytest.raises(ModelCorrupt):
        read_config(path)


def test_config_follows_the_file(tmp_path: Path) -> None:
    assert config_of(tmp_path).espeak_voice == "en-us"
    assert config_of(tmp_path, {"espeak": {"voice": "de-x-other"}}).espeak_voice == "de-x-other"
