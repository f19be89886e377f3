"""What an AllTalk folder holds: models, voices and settings, in the layouts of its versions 1 and 2.

| | version 1 | version 2 |
| --- | --- | --- |
| settings | `confignew.json`, flat | `confignew.json` in sections |
| engines | XTTS only | `system/tts_engines/tts_engines.json`, `…/ENGINE/model_settings.json` |
| models | `models/NAME/` | `models/xtts/NAME/`, `models/vits/NAME/`, `models/piper/**/*.onnx` |
| voices | `voices/*.wav` | the same, and `voices/xtts_multi_voice_sets/NAME/*.wav` |
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alltalk_plugin.domain.errors import RequestError

CONFIG = "confignew.json"
_ENGINES = Path("system", "tts_engines")
_LARGEST_JSON = 4_000_000
"""The real ones have a few kilobytes."""
_VOICE_SETS, _LATENTS = "xtts_multi_voice_sets", "xtts_latents"
_COQUI = ("xtts", "vits")
_OTHERS = {
    "f5tts": "no engine here reads F5-TTS",
    "parler": "no engine here reads Parler-TTS",
    "rvc_voices": "voices are not converted after speaking",
    "rvc_base": "voices are not converted after speaking",
}
"""Folders below `models/` whose content cannot be taken over."""


@dataclass(frozen=True, slots=True)
class AlltalkModel:
    """`name` as AllTalk's clients know it: `engine - name`. `engine` is ours."""

    name: str
    engine: str
    path: Path


@dataclass(frozen=True, slots=True)
class AlltalkVoice:
    """Recordings of one speaker; `name` is that of the file or folder."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlltalkFolder:
    """`engines` are the settings of AllTalk's engines by name; `selected` the model that each would load.
    `left` is what was seen and cannot be taken over, with the reason."""

    path: Path
    version: int
    config: Mapping[str, object]
    loaded_engine: str
    selected: Mapping[str, str]
    engines: Mapping[str, Mapping[str, object]]
    models: tuple[AlltalkModel, ...]
    voices: tuple[AlltalkVoice, ...]
    left: tuple[tuple[str, str], ...]


def read_folder(path: Path) -> AlltalkFolder:
    """Reads names and JSON files. Raises: RequestError when that is no AllTalk folder."""
    path = path.absolute()
    if not (path / CONFIG).is_file() or not ((path / "voices").is_dir() or (path / "models").is_dir()):
        raise RequestError(
            f"{path} is no AllTalk folder: it has no {CONFIG} beside models or voices",
            hint="Name the folder that AllTalk was installed into (alltalk_tts).",
        )
    left: list[tuple[str, str]] = []
    config = _json(path / CONFIG, left)
    listed = _json(path / _ENGINES / "tts_engines.json", left)
    version = 2 if listed or (path / _ENGINES).is_dir() else 1
    selected = {
        str(one.get("name")): str(one.get("selected_model"))
        for one in _objects(listed.get("engines_available"))
    }
    models = tuple(_models_2(path / "models", left) if version == 2 else _models_1(path / "models"))
    return AlltalkFolder(
        path=path,
        version=version,
        config=config,
        loaded_engine=str(listed.get("engine_loaded", "xtts")),
        selected=selected,
        engines={
            name: section(_json(path / _ENGINES / name / "model_settings.json", left), "settings")
            for name in selected
            if (path / _ENGINES / name).is_dir()
        },
        models=models,
        voices=tuple(_voices(path / "voices", left)),
        left=tuple(left),
    )


def section(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A part of a JSON object that is an object itself; empty when it is not."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _models_2(folder: Path, left: list[tuple[str, str]]) -> Iterator[AlltalkModel]:
    for kind in _COQUI:
        for model in _folders(folder / kind):
            yield AlltalkModel(f"{kind} - {model.name}", "coqui", model)
    for model in sorted((folder / "piper").rglob("*.onnx")):
        if model.with_name(f"{model.name}.json").is_file():
            yield AlltalkModel(f"piper - {model.stem}", "piper", model)
        else:
            left.append((str(model), "its configuration (.onnx.json) is missing"))
    left.extend(
        (str(other), _OTHERS.get(other.name, "no engine here has models of that name"))
        for other in _folders(folder)
        if other.name not in {*_COQUI, "piper"} and any(other.iterdir())
    )


def _models_1(folder: Path) -> Iterator[AlltalkModel]:
    for model in _folders(folder):
        if (model / "config.json").is_file():
            yield AlltalkModel(f"xtts - {model.name}", "coqui", model)


def _voices(folder: Path, left: list[tuple[str, str]]) -> Iterator[AlltalkVoice]:
    for file in sorted(folder.glob("*.wav")):
        yield AlltalkVoice(file.stem, (file,))
    for voice_set in _folders(folder / _VOICE_SETS):
        if files := tuple(sorted(voice_set.glob("*.wav"))):
            yield AlltalkVoice(voice_set.name, files)
    left.extend(
        (str(latent), "what was computed from a recording is not read: give the recording")
        for latent in sorted((folder / _LATENTS).glob("*.json"))
    )


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _json(path: Path, left: list[tuple[str, str]]) -> Mapping[str, object]:
    """Empty for a file that is missing, broken or too long; only the last two are worth a word."""
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _LARGEST_JSON:
            left.append((str(path), "it is too long for a settings file"))
            return {}
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        left.append((str(path), f"it cannot be read: {error}"))
        return {}
    return found if isinstance(found, dict) else {}
