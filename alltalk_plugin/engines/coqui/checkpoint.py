"""A model's folder, understood before it is loaded. Standard library only: service and worker read it.

| file | what it is |
| --- | --- |
| config.json | the library's own description; its "model" says which architecture |
| *.safetensors, *.pth | the weights; safetensors is taken where both are there |
| vocoder.pth and vocoder_config.json, or a folder vocoder/ | makes sound of the spectrograms of some models |
| speakers, languages, statistics | as config.json names them, by their last name, in the same folder |
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from alltalk_plugin.domain.errors import ModelIncompatible, ModelNotFound
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.engines.coqui import files, folders
from alltalk_plugin.engines.coqui.config import (
    Json,
    beside,
    check_classes,
    language_codes,
    language_of,
    located,
    named_file,
    read_config,
    sample_rate_of,
    setting,
)
from alltalk_plugin.engines.coqui.pickles import Global

XTTS = "xtts"
WHOLE_KINDS = frozenset({"vits", "delightful_tts", XTTS})
"""Text to sound in one model."""
TWO_PART_KINDS = frozenset(
    {
        *("glow_tts", "tacotron", "tacotron2", "fast_pitch", "fast_speech", "fastspeech2", "speedy_speech"),
        *("align_tts", "overflow", "neuralhmm_tts"),
    }
)
"""Text to a spectrogram; a vocoder makes the sound, or the Griffin-Lim algorithm when there is none."""
KINDS = WHOLE_KINDS | TWO_PART_KINDS

XTTS_GLOBALS: frozenset[Global] = frozenset(
    [("TTS.config.shared_configs", "BaseDatasetConfig")]
    + [
        (module, name)
        for module in ("TTS.tts.models.xtts", "TTS.tts.configs.xtts_config")
        for name in ("XttsArgs", "XttsAudioConfig", "XttsConfig")
    ]
)
"""The published XTTS checkpoint carries its configuration as objects; they hold values only."""


@dataclass(frozen=True, slots=True)
class Vocoder:
    """The second part of a model of two."""

    weights: Path
    config_path: Path
    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the files of one model say.

    config: config.json with every file it names made a path that exists here, or null.
    weights: the model's own first, then those of its speaker encoder.
    extras: further files that decide how it sounds (speakers, languages, statistics).
    language_codes: the model's own words for what it speaks, in its order; empty when nothing says.
    weights_bytes: all tensors of `weights` and the vocoder.
    """

    kind: str
    folder: Path
    config_path: Path
    config: Mapping[str, Json]
    weights: tuple[Path, ...]
    vocoder: Vocoder | None
    extras: tuple[Path, ...]
    speakers: tuple[str, ...]
    language_codes: tuple[str, ...]
    sample_rate_hz: int | None
    weights_bytes: int

    @property
    def languages(self) -> tuple[LanguageTag, ...]:
        """The codes that are languages, as tags."""
        tags = (language_of(code) for code in self.language_codes)
        return tuple(dict.fromkeys(tag for tag in tags if tag is not None))

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that belongs to the model."""
        vocoder = () if self.vocoder is None else (self.vocoder.weights, self.vocoder.config_path)
        return tuple(dict.fromkeys((self.config_path, *self.weights, *self.extras, *vocoder)))


def read_checkpoint(path: Path, vocoder: Path | None = None) -> Checkpoint:
    """The model at a folder, or at a weights file with config.json beside it; kept until a file changes.

    `vocoder`: a folder or a weights file to use instead of what lies beside the model. Thread-safe.

    Raises: ModelNotFound, ModelCorrupt, ModelIncompatible, UnsafeCheckpoint.
    """
    return _read(path, vocoder, folders.stamp(path), None if vocoder is None else folders.stamp(vocoder))


@lru_cache(maxsize=64)
def _read(path: Path, vocoder_path: Path | None, _stamp: object, _vocoder_stamp: object) -> Checkpoint:
    main, config_path = folders.model_files(path)
    folder = config_path.parent
    raw = read_config(config_path)
    kind = _kind_of(raw, config_path)
    config, extras = located(raw, folder)
    check_classes(config, config_path)
    encoder = named_file(config, "speaker_encoder_model_path")
    vocoder = _vocoder(vocoder_path, folder) if kind in TWO_PART_KINDS else None
    weights = (main,) if encoder is None else (main, encoder)
    speakers_xtts = folder / "speakers_xtts.pth"
    if kind == XTTS:
        extras = (*extras, *beside(folder, "vocab.json", "speakers_xtts.pth", "mel_stats.pth"))
    for file in (*weights, *extras, *(() if vocoder is None else (vocoder.weights,))):
        if file.suffix not in {".json", ".txt"}:
            files.check_weights(file, besides=XTTS_GLOBALS if kind == XTTS else ())
    if kind == XTTS:
        speakers = files.names_in(speakers_xtts) if speakers_xtts.is_file() else ()
    else:
        speakers = _speakers(config)
    summed = [*weights, *(() if vocoder is None else (vocoder.weights,))]
    return Checkpoint(
        kind=kind,
        folder=folder,
        config_path=config_path,
        config=MappingProxyType(config),
        weights=weights,
        vocoder=vocoder,
        extras=tuple(file for file in extras if file not in weights),
        speakers=speakers,
        language_codes=language_codes(config),
        sample_rate_hz=sample_rate_of(config if vocoder is None else vocoder.config),
        weights_bytes=sum(files.weights_bytes(file) for file in summed),
    )


def _kind_of(config: Mapping[str, Json], where: Path) -> str:
    named = config.get("model")
    if not isinstance(named, str) or not named:
        raise ModelIncompatible(
            f'{where} does not say which model it is of ("model")',
            hint="Take the config.json that was published with the weights.",
            context={"path": str(where)},
        )
    kind = named.lower()
    if kind not in KINDS:
        nearest = difflib.get_close_matches(kind, KINDS, n=1)
        raise ModelIncompatible(
            f"{where.parent.name} is a {named} model, which this engine does not speak with",
            hint=f"Did the config mean {nearest[0]}?"
            if nearest
            else f"It speaks with: {', '.join(sorted(KINDS))}.",
            context={"path": str(where), "kind": named},
        )
    return kind


def _vocoder(path: Path | None, folder: Path) -> Vocoder | None:
    found = folders.vocoder_files(folder) if path is None else folders.model_files(path)
    if found is None:
        return None
    weights, config_path = found
    config, _ = located(read_config(config_path), config_path.parent)
    if not {"model", "generator_model"} & set(config):
        raise ModelIncompatible(
            f"{config_path} is not the configuration of a vocoder", context={"path": str(config_path)}
        )
    return Vocoder(weights, config_path, MappingProxyType(config))


def _speakers(config: Mapping[str, Json]) -> tuple[str, ...]:
    """The names of a model of several speakers, its first first."""
    if setting(config, "use_speaker_embedding"):
        listed = config.get("speakers")
        if isinstance(listed, list) and listed:
            return tuple(str(name) for name in listed)
        keys = ("speaker_file", "speakers_file")
        if (path := next((path for key in keys if (path := named_file(config, key))), None)) is not None:
            return files.names_in(path)
        raise ModelNotFound(
            "the model has several speakers, and the file with their names is missing",
            hint="Put the speakers file of the model into its folder, named as config.json names it.",
        )
    if setting(config, "use_d_vector_file") and (path := named_file(config, "d_vector_file")):
        return tuple(dict.fromkeys(files.names_in(path, field="name")))
    return ()
