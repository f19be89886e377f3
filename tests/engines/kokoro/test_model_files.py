from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelError,
    ModelIncompatible,
    ModelNotFound,
    UnsafeCheckpoint,
    VoiceNotFound,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.kokoro.model_files import (
    Voices,
    accent_of,
    kokoro_files,
    language_reason,
    read_voices,
)

STYLE = np.zeros((510, 1, 256), np.float32)


def voices_file(folder: Path, **voices: npt.NDArray[np.generic]) -> Path:
    path = folder / "voices.bin"
    with path.open("wb") as file:
        np.savez(file, **voices)  # type: ignore[arg-type]  # numpy's stubs take these names for its own
    return path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize("given", [".", "kokoro.onnx"])
@pytest.mark.parametrize("voices", ["voices-v1.0.bin", "voices.npz"])
def test_model_is_found_by_its_folder_or_its_file(tmp_path: Path, given: str, voices: str) -> None:
    touch(tmp_path, "kokoro.onnx", voices, "config.json")
    files = kokoro_files(tmp_path / given)
    assert (files.onnx.name, files.voices.name) == ("kokoro.onnx", voices)


def test_file_says_which_of_several_models(tmp_path: Path) -> None:
    touch(tmp_path, "kokoro.onnx", "kokoro.int8.onnx", "voices.bin")
    assert kokoro_files(tmp_path / "kokoro.int8.onnx").onnx.name == "kokoro.int8.onnx"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("voices.bin",), "not an .onnx file but 0"),
        (("a.onnx", "b.onnx", "voices.bin"), "not an .onnx file but 2"),
        (("a.onnx",), "voices (voices-v1.0.bin) but 0"),
        (("a.onnx", "a.bin", "b.npz"), "voices (voices-v1.0.bin) but 2"),
    ],
)
def test_folder_that_is_no_model_then_not_found(tmp_path: Path, names: tuple[str, ...], told: str) -> None:
    touch(tmp_path, *names)
    with pytest.raises(ModelNotFound) as caught:
        kokoro_files(tmp_path)
    assert told in caught.value.message


@pytest.mark.parametrize("path", [None, Path("nowhere"), Path("nowhere/model.onnx")])
def test_path_to_nothing_then_not_found(path: Path | None, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        kokoro_files(None if path is None else tmp_path / path)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("af_heart", "en-US"),
        ("bm_george", "en-GB"),
        ("ef_dora", "es"),
        ("ff_siwis", "fr-FR"),
        ("hf_alpha", "hi"),
        ("im_nicola", "it"),
        ("pf_dora", "pt-BR"),
        ("jf_alpha", "ja"),
        ("zf_001", "zh"),
        ("af", "en-US"),
        ("mine", "en-US"),
        ("frida", "en-US"),
    ],
)
def test_accent_is_in_the_first_letters_of_a_name(name: str, language: str) -> None:
    assert accent_of(name).language == language


def test_language_without_phonemes_is_refused_with_the_reason() -> None:
    assert language_reason("zf_001", accent_of("zf_001"), LanguageTag("zh-Hans")) == (
        "kokoro-onnx brings no phonemes for zh"
    )
    assert language_reason("bm_george", accent_of("bm_george"), LanguageTag("en-US")) is None
    assert "not de" in str(language_reason("bm_george", accent_of("bm_george"), LanguageTag("de")))


@pytest.mark.parametrize(
    ("speaker", "language", "chosen"),
    [
        (None, None, "af_heart"),
        (None, "en", "af_heart"),
        (None, "fr", "ff_siwis"),
        (None, "de", "af_heart"),
        ("am_adam", None, "am_adam"),
        ("am_adam", "fr", "am_adam"),
    ],
)
def test_voice_is_the_named_one_else_the_default_else_one_of_the_language(
    speaker: str | None, language: str | None, chosen: str
) -> None:
    names = ("am_adam", "af_heart", "ff_siwis")
    voices = Voices({name: accent_of(name) for name in names})
    tag = None if language is None else LanguageTag(language)
    assert voices.choose(speaker, tag, "af_heart")[0] == chosen


def test_without_the_default_voice_the_first_one_speaks() -> None:
    assert Voices({"bm_george": accent_of("bm_george")}).choose(None, None, "af_heart")[0] == "bm_george"


def test_unknown_voice_then_the_nearest_is_named() -> None:
    with pytest.raises(VoiceNotFound) as caught:
        Voices({"bm_george": accent_of("bm_george")}).choose("bm_jorge", None, "af_heart")
    assert caught.value.context["nearest"] == "bm_george"


def test_voices_are_read_from_the_heads_of_their_arrays(tmp_path: Path) -> None:
    path = voices_file(tmp_path, am_adam=STYLE, ff_siwis=STYLE.astype(np.float16))
    assert {name: accent.language for name, accent in read_voices(path).accents.items()} == {
        "am_adam": "en-US",
        "ff_siwis": "fr-FR",
    }


class Hostile:
    """Pickled, it would run a command when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("this must never be printed",)


def objects(folder: Path) -> None:
    array = np.empty((1, 1, 256), object)
    array[0, 0, 0] = Hostile()
    voices_file(folder, am_adam=array)


def one_vector(folder: Path) -> None:
    voices_file(folder, am_adam=STYLE[0, 0])


def whole_numbers(folder: Path) -> None:
    voices_file(folder, am_adam=STYLE.astype(np.int32))


def nothing(folder: Path) -> None:
    voices_file(folder)


def no_archive(folder: Path) -> None:
    (folder / "voices.bin").write_bytes(STYLE.tobytes())


def pickled(folder: Path) -> None:
    (folder / "voices.bin").write_bytes(pickle.dumps(Hostile()))


def cut(folder: Path) -> None:
    path = voices_file(folder, am_adam=STYLE)
    path.write_bytes(path.read_bytes()[:-50])


def no_array(folder: Path) -> None:
    with zipfile.ZipFile(folder / "voices.bin", "w") as archive:
        archive.writestr("am_adam.npy", "no array")


def code_for_a_head(folder: Path) -> None:
    with zipfile.ZipFile(folder / "voices.bin", "w") as archive:
        head = b"__import__('os').abort()"
        archive.writestr("am_adam.npy", b"\x93NUMPY\x01\0" + len(head).to_bytes(2, "little") + head)


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (objects, UnsafeCheckpoint),
        (one_vector, ModelIncompatible),
        (whole_numbers, ModelIncompatible),
        (nothing, ModelIncompatible),
        (no_archive, ModelCorrupt),
        (pickled, ModelCorrupt),
        (cut, ModelCorrupt),
        (no_array, ModelCorrupt),
        (code_for_a_head, ModelCorrupt),
    ],
    ids=lambda case: case.__name__,
)
def test_file_that_is_not_one_of_voices_then_it_is_said_why(
    tmp_path: Path, write: Callable[[Path], None], kind: type[ModelError], capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    with pytest.raises(kind):
        read_voices(tmp_path / "voices.bin")
    assert capsys.readouterr().out == ""


def test_missing_file_then_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_voices(tmp_path / "voices.bin")
