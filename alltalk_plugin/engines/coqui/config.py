"""What config.json means, apart from which model it is of. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from alltalk_plugin.domain.errors import ModelCorrupt, ModelNotFound, UnsafeCheckpoint
from alltalk_plugin.domain.language import LanguageTag, language_tag, same_language

Json = object
"""A value of JSON."""

_FILES = {
    "speaker_file": True,
    "speakers_file": True,
    "d_vector_file": True,
    "language_ids_file": True,
    "speaker_encoder_model_path": False,
    "speaker_encoder_config_path": False,
    "stats_path": True,
}
"""Keys that name a file, and whether the model is useless without it. What they say is the path on the
machine that trained it, or an address: only the last part counts."""
_SWITCHES = {
    "speaker_file": "use_speaker_embedding",
    "speakers_file": "use_speaker_embedding",
    "d_vector_file": "use_d_vector_file",
    "language_ids_file": "use_language_embedding",
}
_COMMENTS = re.compile(r'("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\n]*', re.DOTALL)


def read_config(path: Path) -> dict[str, Json]:
    """A config.json; old ones carry comments. Raises: ModelNotFound, ModelCorrupt."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelNotFound(
            f"{path} cannot be read: {error.strerror}", context={"path": str(path)}
        ) from error
    except ValueError as error:
        raise ModelCorrupt(f"{path} is no UTF-8 text", context={"path": str(path)}) from error
    try:
        read = json.loads(text)
    except ValueError:
        try:
            read = json.loads(_COMMENTS.sub(lambda match: match[1] or "", text))
        except ValueError as error:
            raise ModelCorrupt(f"{path} is no JSON: {error}", context={"path": str(path)}) from error
    if not isinstance(read, dict):
        raise ModelCorrupt(f"{path} is no JSON object", context={"path": str(path)})
    return read


def section(config: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """A part of a config; empty when there is none."""
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def setting(config: Mapping[str, Json], key: str) -> Json:
    """A value that may stand in `model_args` or at the top, as the library looks for it."""
    arguments = section(config, "model_args")
    return arguments[key] if key in arguments else config.get(key)


def located(config: Mapping[str, Json], folder: Path) -> tuple[dict[str, Json], tuple[Path, ...]]:
    """A config whose files are those of this folder, and these files.

    A name that leads nowhere becomes null, so that the library looks for it neither elsewhere nor on a net.

    Raises: ModelNotFound for one that the model needs.
    """
    found: list[Path] = []

    def walk(part: Mapping[str, Json]) -> dict[str, Json]:
        done: dict[str, Json] = {}
        for key, value in part.items():
            if key in _FILES and value:
                done[key] = file_of(key, value)
            elif isinstance(value, dict):
                done[key] = walk(value)
            else:
                done[key] = value
        return done

    def file_of(key: str, value: Json) -> Json:
        if isinstance(value, list):
            paths = [file_of(key, one) for one in value if one]
            return paths or None
        name = PureWindowsPath(PurePosixPath(str(value)).name).name
        here = folder / name
        if here.is_file():
            found.append(here)
            return str(here)
        if _FILES[key] and _wanted(config, key):
            raise ModelNotFound(
                f"{folder.name} lacks {name}, which its config.json names as {key}",
                hint=f"Put {name} of the same model into {folder}.",
                context={"path": str(here), "key": key},
            )
        return None

    done = walk(config)
    return done, tuple(dict.fromkeys(found))


def _wanted(config: Mapping[str, Json], key: str) -> bool:
    """Whether a model with this config would look into the file."""
    if key in {"speaker_file", "speakers_file"} and config.get("speakers"):
        return False
    return key not in _SWITCHES or bool(setting(config, _SWITCHES[key]))


def named_file(config: Mapping[str, Json], key: str) -> Path | None:
    """The file that a located config names."""
    value = setting(config, key)
    first = value[0] if isinstance(value, list) and value else value
    return Path(first) if isinstance(first, str) and first else None


def beside(folder: Path, *names: str) -> tuple[Path, ...]:
    """Those of some files that are there."""
    return tuple(path for name in names if (path := folder / name).is_file())


def check_classes(config: Mapping[str, Json], where: Path) -> None:
    """A config names a class, and the library imports it whatever it is.

    Raises: UnsafeCheckpoint for one that is not the library's.
    """
    named = section(config, "characters").get("characters_class")
    if named and not str(named).startswith("TTS."):
        raise UnsafeCheckpoint(
            f"{where} names a class from outside the library: {named}",
            context={"path": str(where), "global": str(named)},
        )


def language_codes(config: Mapping[str, Json]) -> tuple[str, ...]:
    """The model's words for its languages, in its order; empty when its config does not say.

    `phoneme_language` counts for models of phonemes only: others keep the default of their recipe there.
    """
    ids = named_file(config, "language_ids_file")
    if ids is not None and setting(config, "use_language_embedding"):
        return tuple(str(name) for name in read_config(ids))
    listed = config.get("languages")
    if isinstance(listed, list) and listed:
        return tuple(str(code) for code in listed)
    sets = config.get("datasets")
    spoken = (
        [part.get("language") for part in sets if isinstance(part, dict)] if isinstance(sets, list) else []
    )
    codes = sorted({str(code) for code in spoken if code})
    if codes:
        return tuple(codes)
    phonemes = config.get("phoneme_language")
    return (str(phonemes),) if phonemes and config.get("use_phonemes") else ()


def language_of(code: str) -> LanguageTag | None:
    """A model's word for a language as a tag; None when it is none (`x-de`, `multi`)."""
    try:
        return language_tag(code.partition("-x-")[0])
    except ValueError:
        return None


def code_for(codes: tuple[str, ...], language: LanguageTag) -> str | None:
    """Which of a model's words names a language: the very tag, else one of the same language."""
    tags = {code: tag for code in codes if (tag := language_of(code)) is not None}
    exact = [code for code, tag in tags.items() if tag == language]
    related = [code for code, tag in tags.items() if same_language(tag, language)]
    return next(iter((*exact, *related)), None)


def sample_rate_of(config: Mapping[str, Json]) -> int | None:
    """The rate of what comes out, in Hertz."""
    audio = section(config, "audio")
    rate = audio.get("output_sample_rate") or audio.get("sample_rate")
    return rate if isinstance(rate, int) and rate > 0 else None
