from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, VoiceNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.espeak_data import (
    CORE_FILES,
    EspeakData,
    check_data,
    data_folder,
    read_data,
)


@pytest.fixture(scope="module")
def data() -> EspeakData:
    return read_data(data_folder(None))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The core files and two voices in a folder of their own."""
    source, target = data_folder(None), tmp_path / "espeak-ng-data"
    target.mkdir()
    for name in (*CORE_FILES, "phondata-manifest", "en_dict", "fo_dict"):
        if (source / name).is_file():
            shutil.copy(source / name, target / name)
    for voice in ("gmw/en-US", "gmq/fo"):
        (target / "lang" / voice).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "lang" / voice, target / "lang" / voice)
    return target


LIST_VOICES = """
import ctypes, json, espeakng_loader
class Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p)]
library = ctypes.CDLL(espeakng_loader.get_library_path())
library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0x8000)
library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
def listed(wanted):
    array = library.espeak_ListVoices(wanted)
    found, index = [], 0
    while array[index]:
        voice, languages = array[index].contents, []
        place = voice.languages
        while ctypes.string_at(place, 1) != b"\\0":
            tag = ctypes.string_at(place + 1)
            languages.append([tag.decode().lower(), ctypes.string_at(place, 1)[0]])
            place += 2 + len(tag)
        found.append([voice.identifier.decode(), voice.name.decode().strip(), languages])
        index += 1
    return found
tag = ctypes.create_string_buffer(b"variant")
variants = Voice(None, ctypes.cast(tag, ctypes.c_void_p), None)
print(json.dumps([listed(None), listed(ctypes.byref(variants))]))
"""


def test_voices_read_from_the_files_are_those_the_library_lists(data: EspeakData) -> None:
    # In a process of its own: the library's state is global, and it has crashed before.
    ran = subprocess.run([sys.executable, "-c", LIST_VOICES], capture_output=True, check=True)
    voices, variants = json.loads(ran.stdout)
    silent = {"gmq/fo", "trk/kaa", "art/xex"}
    listed = {identifier: (name, languages) for identifier, name, languages in voices}
    read = {v.identifier: (v.name, [list(language) for language in v.languages]) for v in data.voices}
    assert silent <= set(listed)
    assert read == {name: rest for name, rest in listed.items() if name not in silent}
    assert sorted(identifier.removeprefix("!v/") for identifier, _, _ in variants) == sorted(data.variants)


@pytest.mark.parametrize(
    ("language", "identifier"),
    [
        ("en", "gmw/en"),
        ("en-GB", "gmw/en"),
        ("en-US", "gmw/en-US"),
        ("en-AU", "gmw/en"),
        ("fr", "roa/fr"),
        ("fr-FR", "roa/fr"),
        ("fr-CH", "roa/fr-CH"),
        ("pt", "roa/pt"),
        ("pt-BR", "roa/pt-BR"),
        ("es-MX", "roa/es-419"),
        ("zh", "sit/cmn"),
        ("zh-CN", "sit/cmn"),
        ("zh-Hans-CN", "sit/cmn"),
        ("zh-HK", "sit/yue"),
        ("no", "gmq/nb"),
        ("nn", "gmq/nb"),
        ("ja", "jpx/ja"),
        ("sr-Latn", "zls/sr"),
        ("fo", None),
        ("km", None),
        ("xx", None),
    ],
)
def test_voice_for_a_language(data: EspeakData, language: str, identifier: str | None) -> None:
    voice = data.voice_for(LanguageTag(language))
    assert (voice.identifier if voice else None) == identifier


@pytest.mark.parametrize(
    ("language", "identifier"),
    [("en", "gmw/en-US"), ("en-GB", "gmw/en"), ("en-AU", "gmw/en-US"), ("de", "gmw/de")],
)
def test_voice_for_a_language_when_one_is_preferred(data: EspeakData, language: str, identifier: str) -> None:
    preferred = data.voice_named("en-us")
    voice = data.voice_for(LanguageTag(language), preferred)
    assert voice is not None
    assert voice.identifier == identifier


@pytest.mark.parametrize(
    ("speaker", "identifier", "variant"),
    [
        (None, None, None),
        ("", None, None),
        ("en-us", "gmw/en-US", None),
        ("en_US+F3", "gmw/en-US", "f3"),
        ("gmw/de", "gmw/de", None),
        ("English (America)", "gmw/en-US", None),
        ("en-gb-x-rp", "gmw/en-GB-x-rp", None),
        ("f3", None, "f3"),
        ("+f3", None, "f3"),
        ("annie", None, "Annie"),
        ("cmn+!v/m2", "sit/cmn", "m2"),
    ],
)
def test_speaker_names_a_voice_a_variant_or_both(
    data: EspeakData, speaker: str | None, identifier: str | None, variant: str | None
) -> None:
    voice, found_variant = data.speaker(speaker)
    assert (voice.identifier if voice else None, found_variant) == (identifier, variant)


@pytest.mark.parametrize("speaker", ["nobody", "en-us+nobody", "nobody+f3", "fo", "+", "../../etc/passwd"])
def test_speaker_when_unknown_then_not_found(data: EspeakData, speaker: str) -> None:
    with pytest.raises(VoiceNotFound):
        data.speaker(speaker)


def test_speaker_when_misspelt_then_the_nearest_is_named(data: EspeakData) -> None:
    with pytest.raises(VoiceNotFound) as caught:
        data.speaker("en-uss")
    assert caught.value.context["nearest"] == "en-us"
    assert "en-us" in caught.value.hint


def test_voice_without_a_dictionary_is_left_out(copied: Path) -> None:
    assert [voice.identifier for voice in read_data(copied).voices] == ["gmw/en-US"]


def test_data_folder_may_be_given_from_inside_or_above(copied: Path) -> None:
    assert data_folder(copied) == data_folder(copied.parent) == copied


def test_data_folder_when_missing_or_another_then_not_found(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelNotFound):
            data_folder(path)


def test_check_data_of_whole_data_then_nothing(copied: Path) -> None:
    check_data(copied)


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        ("phontab", 0.0),
        ("phontab", 0.5),
        ("phontab", 0.999),
        ("phondata", 0.0),
        ("phondata", 0.5),
        ("phondata", 0.99),
        ("phonindex", 0.0),
        ("intonations", 0.0),
    ],
)
def test_check_data_when_a_file_is_cut_then_corrupt(copied: Path, name: str, keep: float) -> None:
    raw = (copied / name).read_bytes()
    (copied / name).write_bytes(raw[: int(len(raw) * keep)])
    with pytest.raises(ModelCorrupt) as caught:
        check_data(copied)
    assert str(caught.value.context["path"]).endswith(name)


@pytest.mark.parametrize("name", ["phontab", "phondata", "phonindex"])
def test_check_data_when_a_file_holds_something_else_then_corrupt(copied: Path, name: str) -> None:
    (copied / name).write_bytes(b"<html>404 not found</html>" * 100)
    with pytest.raises(ModelCorrupt):
        check_data(copied)


def test_check_data_when_a_file_is_missing_then_corrupt(copied: Path) -> None:
    (copied / "phonindex").unlink()
    with pytest.raises(ModelCorrupt):
        check_data(copied)
