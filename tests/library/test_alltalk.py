from __future__ import annotations

import json
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import RequestError, SettingsError
from alltalk_plugin.library.alltalk.counterparts import counterparts
from alltalk_plugin.library.alltalk.folder import read_folder
from alltalk_plugin.library.alltalk.taking import Fate, Taken, take_over
from alltalk_plugin.library.shelf import Shelf
from tests.library.alltalk_folders import CONFIG_2, make_version_1, make_version_2
from tests.library.shelves import check_recording, make_shelf


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def take(shelf: Shelf, folder: Path, *, dry_run: bool = False) -> dict[tuple[str, str], Taken]:
    found = read_folder(folder)
    return {(one.what, one.name): one for one in take_over(shelf, found, check_recording, dry_run=dry_run)}


def test_version_2_when_taken_over_then_models_keep_their_names_and_places(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    before = state_of(folder)
    shelf = make_shelf(tmp_path / "home", "# mine\n")
    report = take(shelf, folder)
    settings = make_shelf(tmp_path / "home").settings
    assert sorted(settings.models) == [
        "espeak",
        "piper - en_US-amy",
        "vits - tts_models--en--vctk--vits",
        "xtts - a_finetuned",
        "xtts - xttsv2_2.0.3",
    ]
    xtts = settings.models["xtts - xttsv2_2.0.3"]
    assert (xtts.engine, xtts.path) == ("coqui", folder / "models/xtts/xttsv2_2.0.3")
    assert xtts.options == {"temperature": 0.65}
    assert shelf.cards.read("xtts - xttsv2_2.0.3") is not None
    assert shelf.store.path.read_text().startswith("# mine\n")
    assert report["model", "xtts - half"].fate is Fate.LEFT
    assert report["file", str(folder / "models/f5tts")].detail == "no engine here reads F5-TTS"
    assert state_of(folder) == before


def test_version_2_when_taken_over_then_its_voices_are_there_as_copies(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    report = take(make_shelf(tmp_path / "home"), folder)
    voices = make_shelf(tmp_path / "home").settings.voices
    assert voices["female_01"].model == "xtts - xttsv2_2.0.3"
    assert voices["female_01"].reference == (tmp_path / "home/voices/female_01/01.wav",)
    assert len(voices["many"].reference) == 2
    assert "it hisses" in report["voice", "many"].detail
    assert voices["Clint CC3 (enhanced)"].reference
    assert (voices["p225"].model, voices["p225"].speaker) == ("vits - tts_models--en--vctk--vits", "p225")
    assert voices["en_US-amy"].model == "piper - en_US-amy"
    assert (report["voice", "noise"].fate, "noise" in voices, "p999" in voices) == (Fate.LEFT, False, False)
    latents = report["file", str(folder / "voices/xtts_latents/old.json")]
    assert latents.fate is Fate.LEFT and "give the recording" in latents.detail


def test_version_2_when_taken_over_then_settings_that_have_a_counterpart(tmp_path: Path) -> None:
    report = take(make_shelf(tmp_path / "home"), make_version_2(tmp_path / "alltalk_tts"))
    settings = make_shelf(tmp_path / "home").settings
    assert (settings.default_voice, settings.narrator_voice) == ("female_01", "male_01")
    assert (settings.speech.narrator, settings.speech.unmarked) == ("silent", "narrator")
    assert settings.languages.default == "de"
    assert (settings.audio.format, settings.audio.keep_days) == ("opus", 7)
    assert settings.server.port == 7861
    host = settings.hosts["text-generation-webui"]
    assert (host.activate, host.autoplay) == (True, False)
    left = {name for (what, name), one in report.items() if what == "setting" and one.fate is Fate.LEFT}
    assert left == {"lowvram_enabled", "deepspeed_enabled", "rvc_settings"}


def test_version_1_when_taken_over_then_names_voices_and_flat_settings(tmp_path: Path) -> None:
    report = take(make_shelf(tmp_path / "home"), make_version_1(tmp_path / "alltalk"))
    settings = make_shelf(tmp_path / "home").settings
    assert {"xtts - trainedmodel", "xtts - xttsv2_2.0.2"} <= settings.models.keys()
    assert settings.models["xtts - trainedmodel"].options == {"temperature": 0.9}
    assert (settings.default_voice, settings.narrator_voice) == ("female_01", "many")
    assert settings.speech.narrator == "off" and settings.server.port == 7851
    assert settings.audio.keep_days == 14 and settings.languages.default is None
    assert "'Klingon'" in report["setting", "language"].detail
    assert report["setting", "low_vram"].fate is Fate.LEFT


def test_dry_run_when_asked_for_then_the_same_report_and_nothing_is_written(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    shelf = make_shelf(tmp_path / "home")
    planned = take(shelf, folder, dry_run=True)
    assert list((tmp_path / "home").rglob("*")) == []
    done = take(make_shelf(tmp_path / "home"), folder)
    assert {key: one.fate for key, one in planned.items()} == {key: one.fate for key, one in done.items()}


def test_folder_when_taken_over_twice_then_the_second_time_all_is_here(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    take(make_shelf(tmp_path / "home"), folder)
    text = (tmp_path / "home/settings.yaml").read_text()
    again = take(make_shelf(tmp_path / "home"), folder)
    fates = {one.fate for (what, _), one in again.items() if what in {"model", "voice"}}
    assert fates == {Fate.HERE, Fate.LEFT}
    assert (tmp_path / "home/settings.yaml").read_text() == text


def test_names_when_taken_by_something_else_then_left_and_the_rest_is_taken(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    shelf = make_shelf(
        tmp_path / "home", "models: {xtts - xttsv2_2.0.3: {engine: coqui}}\nvoices: {male_01: {rate: 2.0}}\n"
    )
    report = take(shelf, folder)
    assert report["model", "xtts - xttsv2_2.0.3"].detail == "the name is taken"
    assert report["voice", "male_01"].fate is Fate.HERE
    settings = make_shelf(tmp_path / "home").settings
    assert settings.voices["male_01"].rate == 2.0 and "xtts - a_finetuned" in settings.models


def test_voices_when_no_model_clones_then_left_with_the_reason(tmp_path: Path) -> None:
    folder = make_version_1(tmp_path / "alltalk")
    for model in (folder / "models").iterdir():
        (model / "model.json").write_text("{")
    report = take(make_shelf(tmp_path / "home"), folder)
    assert "no model that imitates" in report["voice", "female_01"].detail
    assert report["setting", "voice"].fate is Fate.LEFT


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"tgwui": [], "api_def": 5, "rvc_settings": null}', ""])
def test_config_when_broken_or_strange_then_models_and_voices_are_taken_all_the_same(
    tmp_path: Path, text: str
) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    (folder / "confignew.json").write_text(text)
    (folder / "system/tts_engines/vits/model_settings.json").write_text(text)
    report = take(make_shelf(tmp_path / "home"), folder)
    assert report["model", "xtts - xttsv2_2.0.3"].fate is Fate.TAKEN
    assert report["voice", "female_01"].fate is Fate.TAKEN


@pytest.mark.parametrize("name", ["confignew.json", "system/tts_engines/tts_engines.json"])
def test_config_when_far_too_long_then_left(tmp_path: Path, name: str) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    (folder / name).write_text(json.dumps({"x": "y" * 5_000_000}))
    assert "too long" in take(make_shelf(tmp_path / "home"), folder)["file", str(folder / name)].detail


def test_folder_when_it_is_none_of_alltalks_then_said_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is no AllTalk folder"):
        read_folder(tmp_path)
    (tmp_path / "confignew.json").write_text("{}")
    with pytest.raises(RequestError, match="is no AllTalk folder"):
        read_folder(tmp_path)


def test_settings_when_the_file_is_broken_then_an_error_and_nothing_is_taken(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    shelf = make_shelf(tmp_path / "home", "# good\n")
    shelf.store.path.write_text("voices: [")
    with pytest.raises(SettingsError):
        take(shelf, folder)


def test_voice_names_when_they_have_paths_or_suffixes_then_the_name_alone_counts(tmp_path: Path) -> None:
    folder = make_version_2(tmp_path / "alltalk_tts")
    for theirs in ("sub\\amy.onnx", "sub/amy.onnx", "amy.wav", "voiceset:amy", "amy"):
        config = {**CONFIG_2, "tgwui": {"tgwui_character_voice": theirs}}
        (folder / "confignew.json").write_text(json.dumps(config))
        found = [one for one in counterparts(read_folder(folder), {"amy"}) if one.key == ("default_voice",)]
        assert [one.value for one in found] == ["amy"]
