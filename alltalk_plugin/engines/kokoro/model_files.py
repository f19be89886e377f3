"""A Kokoro model on disk: an ONNX file and the file with its voices. Standard library; runs on both ends."""

from __future__ import annotations

import ast
import difflib
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alltalk_plugin.domain.errors import (
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    UnsafeCheckpoint,
    VoiceNotFound,
)
from alltalk_plugin.domain.language import LanguageTag, same_language

_VOICE_ENDINGS = (".bin", ".npz")
_STYLE = 256
"""Numbers that describe a voice, for each length of text."""
_NPY_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
_OF_A_LANGUAGE = re.compile(r"([abefhijpz])[fm](?:_|\Z)")


@dataclass(frozen=True, slots=True)
class Accent:
    """A language of Kokoro's. `espeak` is its name there; None: kokoro-onnx has no phonemes for it."""

    language: LanguageTag
    espeak: str | None


# First letter of a voice's name (hexgrad/kokoro, pipeline.py, LANG_CODES).
_ACCENTS = {
    "a": Accent(LanguageTag("en-US"), "en-us"),
    "b": Accent(LanguageTag("en-GB"), "en-gb"),
    "e": Accent(LanguageTag("es"), "es"),
    "f": Accent(LanguageTag("fr-FR"), "fr-fr"),
    "h": Accent(LanguageTag("hi"), "hi"),
    "i": Accent(LanguageTag("it"), "it"),
    "p": Accent(LanguageTag("pt-BR"), "pt-br"),
    "j": Accent(LanguageTag("ja"), None),
    "z": Accent(LanguageTag("zh"), None),
}


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    onnx: Path
    voices: Path


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices of a file by name, each with its accent, in the file's order."""

    accents: Mapping[str, Accent]

    def choose(self, speaker: str | None, language: LanguageTag | None, default: str) -> tuple[str, Accent]:
        """The voice that is meant, and its accent: the named one, else `default` if it speaks the language,
        else the first that does.

        Raises: VoiceNotFound.
        """
        if speaker:
            return self._named(speaker), self.accents[speaker]
        order = dict.fromkeys([*([default] if default in self.accents else []), *self.accents])
        for name in order:
            if language is None or same_language(self.accents[name].language, language):
                return name, self.accents[name]
        first = next(iter(order))
        return first, self.accents[first]

    def _named(self, speaker: str) -> str:
        if speaker in self.accents:
            return speaker
        nearest = difflib.get_close_matches(speaker, self.accents, n=1)
        raise VoiceNotFound(
            f"this Kokoro model has no voice {speaker!r}",
            hint=f"Did you mean {nearest[0]!r}?" if nearest else None,
            context={"voice": speaker, "nearest": nearest[0] if nearest else None},
        )


def accent_of(name: str) -> Accent:
    """By the name's first letters (af_heart, bm_george); American for names of one's own."""
    match = _OF_A_LANGUAGE.match(name)
    return _ACCENTS[match[1] if match else "a"]


def language_reason(name: str, accent: Accent, language: LanguageTag) -> str | None:
    """Why a voice does not speak a language; None when it does."""
    if not same_language(accent.language, language):
        return f"Kokoro's voice {name} speaks {accent.language}, not {language}"
    if accent.espeak is None:
        return f"kokoro-onnx brings no phonemes for {accent.language}"
    return None


def kokoro_files(path: Path | None) -> KokoroFiles:
    """The files of the model at `path`: a folder with one .onnx and one .bin or .npz, or that .onnx.

    Raises: ModelNotFound.
    """
    if path is None:
        raise ModelNotFound("a Kokoro model needs a path", hint="Set the model's path to its folder.")
    folder = path if path.is_dir() else path.parent
    models = [path] if path.is_file() else sorted(folder.glob("*.onnx")) if path.is_dir() else []
    onnx = _only(models, folder, "an .onnx file")
    voices = sorted(each for ending in _VOICE_ENDINGS for each in folder.glob(f"*{ending}"))
    return KokoroFiles(onnx, _only(voices, folder, "a file with voices (voices-v1.0.bin)"))


def _only(found: list[Path], folder: Path, what: str) -> Path:
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in found[:5])
    raise ModelNotFound(
        f"{folder} has not {what} but {len(found)}",
        hint=f"Keep one of {names} in the folder." if found else f"Put {what} there.",
        context={"path": str(folder)},
    )


def read_voices(path: Path) -> Voices:
    """The voices of a file, remembered until it changes.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible; UnsafeCheckpoint when it holds Python objects.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ModelNotFound(f"there is no file {path}", context={"path": str(path)}) from error
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _read(path: Path, _size: int, _mtime_ns: int) -> Voices:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            for name in names:
                with archive.open(f"{name}.npy") as file:
                    _check_array(path, name, file.read(_LONGEST_HEADER))
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelCorrupt(f"{path.name} is no whole file of voices", context={"path": str(path)}) from error
    if not names:
        raise ModelIncompatible(f"{path.name} holds no voices", context={"path": str(path)})
    return Voices({name: accent_of(name) for name in names})


def _check_array(path: Path, name: str, raw: bytes) -> None:
    """Look at the head of one array (NEP 1): numbers of the shape (lengths, 1, 256)."""
    context = {"path": str(path), "voice": name}
    try:
        if raw[:6] != _NPY_MAGIC:
            raise ValueError("no array")  # noqa: TRY301  # one way out for whatever is wrong with it
        width = "<H" if raw[6] == 1 else "<I"
        start = 8 + struct.calcsize(width)
        (length,) = struct.unpack(width, raw[8:start])
        head = ast.literal_eval(raw[start : start + length].decode("latin-1").strip())
        kind, shape = str(head["descr"]), tuple(head["shape"])
    except (ValueError, SyntaxError, KeyError, TypeError, IndexError, struct.error, RecursionError) as error:
        raise ModelCorrupt(f"the voice {name} of {path.name} is damaged", context={**context}) from error
    if "O" in kind:
        raise UnsafeCheckpoint(f"the voice {name} of {path.name} is a Python object", context={**context})
    if kind[1:2] != "f" or len(shape) != 3 or shape[0] < 1 or shape[1:] != (1, _STYLE):
        raise ModelIncompatible(
            f"the voice {name} of {path.name} is {kind} of the shape {shape}",
            hint=f"A voice is an array of numbers of the shape (510, 1, {_STYLE}).",
            context={**context},
        )
