"""What lies in the data folder appears by itself, and nothing broken hides the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alltalk_plugin.domain.engines import ModelDescription
from alltalk_plugin.domain.errors import SettingsError
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.library.folders import DataFolders
from alltalk_plugin.settings.store import SettingsStore
from tests.fakes.light_engines import HEADER, LIGHT_ENGINES, make_model
from tests.library.shelves import make_recording, make_shelf


def reasons(folders: DataFolders) -> dict[str, str]:
    return {fault.path.name: fault.reason for fault in folders.faults}


def test_model_when_put_into_its_engines_folder_then_a_model_of_that_name(tmp_path: Path) -> None:
    make_model(tmp_path / "models/piper/amy")
    shelf = make_shelf(tmp_path)
    assert shelf.settings.models["amy"].engine == "piper"
    assert shelf.settings.models["amy"].path == tmp_path / "models/piper/amy"
    assert list(shelf.settings.models) == ["espeak", "amy"]


def test_recording_when_dropped_then_a_voice_on_the_first_model_that_clones(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/plain")
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    wav = make_recording(tmp_path / "voices/anna.wav")
    several = [make_recording(tmp_path / f"voices/bert/{name}.wav") for name in "ab"]
    make_recording(tmp_path / "voices/notes.txt")
    voices = make_shelf(tmp_path).settings.voices
    assert (voices["anna"].model, voices["anna"].reference) == ("xtts", (wav,))
    assert voices["bert"].reference == tuple(several)
    assert sorted(voices) == ["anna", "bert", "default", "narrator"]


def test_recording_when_the_file_defines_a_model_that_clones_then_that_one_is_first(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/a-found", clones=True)
    make_model(tmp_path / "elsewhere", clones=True)
    make_recording(tmp_path / "voices/anna.wav")
    shelf = make_shelf(tmp_path, "models: {own: {engine: coqui, path: elsewhere}}\n")
    assert shelf.settings.voices["anna"].model == "own"


def test_recording_when_no_model_clones_then_it_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/plain")
    make_recording(tmp_path / "voices/anna.wav")
    shelf = make_shelf(tmp_path)
    assert "anna" not in shelf.settings.voices and "plain" in shelf.settings.models
    assert "no model here speaks in the voice" in reasons(shelf.folders)["anna.wav"]


def test_folders_when_some_are_broken_then_the_others_are_there_and_each_has_its_reason(
    tmp_path: Path,
) -> None:
    make_model(tmp_path / "models/coqui/good", clones=True)
    (make_model(tmp_path / "models/coqui/damaged") / HEADER).write_text("{")
    make_model(tmp_path / "models/coqui/strange", crash=True)
    (tmp_path / "models/coqui/empty").mkdir()
    make_model(tmp_path / "models/cokui/lost")
    make_model(tmp_path / "models/coqui/-rf")
    (tmp_path / "models/coqui/stray.pth").write_bytes(b"")
    (tmp_path / "models/README").write_text("")
    make_recording(tmp_path / "voices/CON.wav")
    make_recording(tmp_path / "voices/anna.wav")
    make_recording(tmp_path / "voices/anna/1.wav")
    make_recording(tmp_path / "voices/.partial-x/1.wav")
    shelf = make_shelf(tmp_path)
    assert sorted(shelf.settings.models) == ["damaged", "empty", "espeak", "good", "strange"]
    assert shelf.settings.voices["anna"].model == "good"
    told = reasons(shelf.folders)
    assert "damaged" in told["damaged"]
    assert "a stranger's mistake" in told["strange"]
    assert "there is no model" in told["empty"]
    assert "no engine is called so" in told["cokui"]
    assert "its name cannot be used" in told["-rf"]
    assert "a folder for each" in told["stray.pth"]
    assert "models/ENGINE/ID/" in told["README"]
    assert "its name cannot be used" in told["CON.wav"]
    assert "has that name already" in told["anna.wav"]


def test_models_when_two_engines_have_one_of_that_name_then_the_second_is_told(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/amy")
    make_model(tmp_path / "models/piper/Amy")
    shelf = make_shelf(tmp_path)
    assert shelf.settings.models["amy"].engine == "coqui" and "Amy" not in shelf.settings.models
    assert "has that name already" in reasons(shelf.folders)["Amy"]


def test_found_when_the_file_defines_the_same_name_then_the_file_wins(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    make_recording(tmp_path / "voices/anna.wav")
    shelf = make_shelf(tmp_path, "models: {xtts: {engine: piper}}\nvoices: {anna: {rate: 2.0}}\n")
    assert shelf.settings.models["xtts"].engine == "piper"
    assert shelf.settings.voices["anna"].rate == 2.0
    assert shelf.settings.voices["anna"].model == "espeak"


def test_found_when_named_like_a_built_in_one_then_the_voice_wins_and_the_model_does_not(
    tmp_path: Path,
) -> None:
    make_model(tmp_path / "models/coqui/espeak", clones=True)
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    make_recording(tmp_path / "voices/narrator.wav")
    settings = make_shelf(tmp_path).settings
    assert settings.models["espeak"].engine == "espeak"
    assert settings.voices["narrator"].reference and settings.voices["narrator"].model == "xtts"


def test_recording_when_the_file_gives_a_found_models_name_to_another_then_it_is_not_that_one(
    tmp_path: Path,
) -> None:
    make_model(tmp_path / "models/coqui/first", clones=True)
    make_model(tmp_path / "models/coqui/second", clones=True)
    make_model(tmp_path / "plain")
    make_recording(tmp_path / "voices/anna.wav")
    shelf = make_shelf(tmp_path, "models: {first: {engine: piper, path: plain}}\n")
    assert shelf.settings.voices["anna"].model == "second"


def test_settings_when_they_name_what_was_found_then_valid_and_a_missing_one_has_the_nearest_name(
    tmp_path: Path,
) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    make_recording(tmp_path / "voices/anna.wav")
    good = "characters: {Aria: {voice: anna}}\nvoices: {bert: {model: xtts}}\n"
    assert make_shelf(tmp_path, good).settings.characters["Aria"].voice == "anna"
    with pytest.raises(SettingsError, match="did you mean 'anna'"):
        make_shelf(tmp_path, "characters: {Aria: {voice: annna}}\n")


def test_store_when_the_folders_change_then_it_reloads_without_a_change_of_the_file(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    store = shelf.store
    assert not store.reload_if_changed()
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    assert store.reload_if_changed() and "xtts" in store.current.models
    assert not store.reload_if_changed()
    wav = make_recording(tmp_path / "voices/anna.wav")
    assert store.reload_if_changed() and "anna" in store.current.voices
    wav.unlink()
    assert store.reload_if_changed() and "anna" not in store.current.voices
    (tmp_path / "models/coqui/xtts" / HEADER).write_text("{")
    assert store.reload_if_changed()
    assert reasons(shelf.folders)["xtts"]


def test_store_when_a_named_voice_goes_then_the_last_good_settings_stay_until_it_is_back(
    tmp_path: Path,
) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    wav = make_recording(tmp_path / "voices/anna.wav")
    store = make_shelf(tmp_path, "characters: {Aria: {voice: anna}}\n").store
    wav.unlink()
    assert not store.reload_if_changed()
    assert store.last_error is not None and "anna" in store.last_error.message
    assert "anna" in store.current.voices
    make_recording(wav)
    assert store.reload_if_changed() and store.last_error is None


def test_store_when_the_file_is_gone_and_a_folder_changes_then_the_missing_file_is_still_told(
    tmp_path: Path,
) -> None:
    store = make_shelf(tmp_path, "voices: {anna: {rate: 2.0}}\n").store
    store.path.unlink()
    assert not store.reload_if_changed()
    make_model(tmp_path / "models/coqui/xtts")
    assert not store.reload_if_changed()
    assert store.last_error is not None and "xtts" not in store.current.models


def test_store_when_updated_then_what_was_found_is_still_there(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    make_recording(tmp_path / "voices/anna.wav")
    store = make_shelf(tmp_path).store
    settings = store.update({("characters", "Aria", "voice"): "anna"})
    assert settings.characters["Aria"].voice == "anna" and "xtts" in settings.models


def test_look_when_nothing_changed_then_no_model_is_described_again(tmp_path: Path) -> None:
    asked: list[str] = []
    spec = LIGHT_ENGINES["coqui"]

    def counting(profile: ModelProfile) -> ModelDescription:
        asked.append(profile.ref)
        return spec.describe(profile)

    engines = {**LIGHT_ENGINES, "coqui": replace(spec, describe=counting)}
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    folders = DataFolders(tmp_path, engines)
    store = SettingsStore(tmp_path / "settings.yaml", found=folders)
    assert len(asked) == 1
    make_model(tmp_path / "models/coqui/second")
    assert store.reload_if_changed()
    assert len(asked) == 2
