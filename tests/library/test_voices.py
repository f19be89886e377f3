from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.domain.errors import AlltalkError, InstallError, NameTaken, error_from_code
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.library.voices import NewVoice, add_voice
from tests.fakes.light_engines import make_model
from tests.library.shelves import check_recording, make_recording, make_shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    home = tmp_path / "home"
    make_model(home / "models/coqui/xtts", clones=True, speakers=["ana_flor"], languages=["en", "de"])
    make_model(home / "models/coqui/vits", speakers=["p225", "p226"], languages=["en"])
    make_model(home / "models/coqui/cloner", clones=True)
    make_model(home / "models/piper/variants", languages=["en"], variants=["f3", "m3"], speakers=["en"])
    return make_shelf(home, "voices: {bert: {}}\n")


def add(shelf: Shelf, name: str, **given: Any) -> tuple[str, ...]:
    return add_voice(shelf, NewVoice(name=name, **given), check_recording).warnings


def test_voice_when_it_has_recordings_then_they_are_copied_in_order_and_written_relative(
    shelf: Shelf, tmp_path: Path
) -> None:
    files = tuple(make_recording(tmp_path / name, name.encode()) for name in ("z.wav", "a hiss.WAV"))
    assert add(shelf, "anna", model="xtts", reference=files) == ("a hiss.WAV: it hisses",)
    folder = shelf.home / "voices/anna"
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [b"z.wav", b"a hiss.WAV"]
    assert str(folder) not in shelf.store.path.read_text()
    voice = make_shelf(shelf.home).settings.voices["anna"]
    assert voice.model == "xtts" and voice.reference == (folder / "01.wav", folder / "02.wav")


def test_voice_when_it_names_a_speaker_then_by_id_readable_name_or_variant(shelf: Shelf) -> None:
    add(shelf, "one", model="vits", speaker="p225", language=LanguageTag("en"))
    add(shelf, "two", model="vits", speaker="P226")
    add(shelf, "three", model="variants", speaker="f3")
    add(shelf, "four", model="xtts", speaker="ana_flor")
    voices = make_shelf(shelf.home).settings.voices
    assert [voices[name].speaker for name in ("one", "two", "three", "four")] == [
        "p225",
        "p226",
        "f3",
        "ana_flor",
    ]
    assert voices["one"].language == "en"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"name": "Bert", "model": "vits"}, "name_taken", "'bert'"),
        ({"name": "a/b", "model": "vits"}, "bad_request", "cannot be the name"),
        ({"model": "vitz"}, "not_found", "did you mean 'vits'"),
        ({"model": "vits", "speaker": "p22"}, "voice_not_found", "did you mean 'p22"),
        ({"model": "variants", "speaker": "f9"}, "voice_not_found", "no speaker 'f9'"),
        ({"model": "vits", "reference": "good"}, "bad_request", "does not imitate recordings"),
        ({"model": "cloner"}, "bad_request", "needs a recording"),
        ({"model": "xtts", "reference": "bad"}, "reference_unusable", "cannot be cloned from"),
        ({"model": "xtts", "reference": "missing"}, "reference_unusable", "there is no file"),
        ({"model": "vits", "language": "fr"}, "language_unsupported", "cannot speak fr"),
    ],
)
def test_voice_when_the_model_cannot_speak_so_then_a_typed_error_and_nothing_is_left(
    shelf: Shelf, tmp_path: Path, given: dict[str, Any], code: str, said: str
) -> None:
    if kind := given.pop("reference", None):
        path = tmp_path / f"{kind}.wav"
        given["reference"] = (path if kind == "missing" else make_recording(path, kind.encode()),)
    with pytest.raises(type(error_from_code(code, "")), match=said):
        add(shelf, given.pop("name", "anna"), **given)
    assert shelf.store.path.read_text() == "voices: {bert: {}}\n"
    assert not (shelf.home / "voices").exists()


def test_voice_when_the_settings_cannot_be_written_then_no_recording_is_left(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.store.path.write_text("voices: [")
    with pytest.raises(AlltalkError):
        add(shelf, "anna", model="xtts", reference=(make_recording(tmp_path / "a.wav"),))
    assert list((shelf.home / "voices").iterdir()) == []


def test_voice_when_its_folder_cannot_be_made_then_a_typed_error_and_no_entry(
    shelf: Shelf, tmp_path: Path
) -> None:
    recording = make_recording(tmp_path / "a.wav")
    (shelf.home / "voices/anna").mkdir(parents=True)
    with pytest.raises(NameTaken, match="exists already"):
        add(shelf, "anna", model="xtts", reference=(recording,))
    (shelf.home / "voices/anna").rmdir()
    (shelf.home / "voices").rmdir()
    (shelf.home / "voices").write_text("a file where a folder belongs")
    with pytest.raises(InstallError, match="cannot be copied"):
        add(shelf, "anna", model="xtts", reference=(recording,))
    assert "anna" not in make_shelf(shelf.home).settings.voices


def test_voice_when_it_was_found_then_it_is_defined_with_its_recording_in_place(shelf: Shelf) -> None:
    wav = make_recording(shelf.home / "voices/anna.wav")
    shelf.store.reload_if_changed()
    add(shelf, "anna", model="cloner", language=LanguageTag("de"))
    voice = make_shelf(shelf.home).settings.voices["anna"]
    assert (voice.model, voice.language, voice.reference) == ("cloner", "de", (wav,))
    assert list(wav.parent.iterdir()) == [wav]


def test_voice_when_named_like_a_built_in_one_then_it_takes_its_place(shelf: Shelf) -> None:
    add(shelf, "narrator", model="vits", speaker="p226")
    assert make_shelf(shelf.home).settings.voices["narrator"].speaker == "p226"
