"""AllTalk's settings in our words, where there are any. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from alltalk_plugin.library.alltalk.folder import AlltalkFolder, section
from alltalk_plugin.settings.edit import SettingValue

_HOST = "text-generation-webui"
_DEFAULT_PORT = 7851
_LANGUAGES = {
    "arabic": "ar",
    "chinese": "zh",
    "czech": "cs",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hungarian": "hu",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "turkish": "tr",
}
_NARRATOR = {"true": "on", "false": "off", "silent": "silent"}
_UNMARKED = ("character", "narrator", "silent")
_FORMATS = ("mp3", "opus", "flac", "wav")
_DAYS = re.compile(r"(\d{1,4}) days?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Counterpart:
    """One of AllTalk's settings. `key` None: it has no counterpart, and `why` says the reason."""

    theirs: str
    key: tuple[str, ...] | None
    value: SettingValue = None
    why: str = ""


def counterparts(folder: AlltalkFolder, voices: AbstractSet[str]) -> Iterator[Counterpart]:
    """What its settings come to here; `voices` are the ones that there are."""
    if folder.version == 1:
        yield from _version_1(folder.config, voices)
    else:
        yield from _version_2(folder, voices)


def xtts_options(folder: AlltalkFolder) -> dict[str, str]:
    """Load options of XTTS models that a user set to something else than AllTalk has by itself."""
    if folder.version == 1:
        given, names, usual = folder.config, ("local_temperature", "local_repetition_penalty"), (0.7, 10.0)
    else:
        given = folder.engines.get("xtts", {})
        names, usual = ("temperature_set", "repetitionpenalty_set"), (0.75, 10.0)
    options = {}
    for ours, theirs, default in zip(("temperature", "repetition_penalty"), names, usual, strict=True):
        try:
            value = float(str(given[theirs]))
        except (KeyError, ValueError):
            continue
        if value != default:
            options[ours] = f"{value:g}"
    return options


def _version_1(config: Mapping[str, object], voices: AbstractSet[str]) -> Iterator[Counterpart]:
    yield from _switches(config, activate="activate", autoplay="autoplay")
    yield from _narration(config, "narrator_enabled", "text_not_inside")
    yield from _language(config, "language")
    yield from _voice(config, "voice", ("default_voice",), voices)
    yield from _voice(config, "narrator_voice", ("narrator_voice",), voices)
    yield from _port(config, "port_number")
    yield from _keeping(config)
    yield from _unwanted(config, low_vram="low_vram", deepspeed="deepspeed_activate")


def _version_2(folder: AlltalkFolder, voices: AbstractSet[str]) -> Iterator[Counterpart]:
    config, host = folder.config, section(folder.config, "tgwui")
    engine = folder.engines.get(folder.loaded_engine, {})
    yield from _switches(host, activate="tgwui_activate_tts", autoplay="tgwui_autoplay_tts")
    yield from _narration(host, "tgwui_narrator_enabled", "tgwui_non_quoted_text_is")
    yield from _language(host, "tgwui_language")
    for theirs, default, ours in (
        ("tgwui_character_voice", "def_character_voice", "default_voice"),
        ("tgwui_narrator_voice", "def_narrator_voice", "narrator_voice"),
    ):
        # The host's choice may belong to another engine than the loaded one; the engine's own is next.
        chosen = [*_voice(host, theirs, (ours,), voices), *_voice(engine, default, (ours,), voices)]
        yield from [one for one in chosen if one.key][:1] or chosen[:1]
    yield from _port(section(config, "api_def"), "api_port_number")
    yield from _format(config)
    yield from _keeping(config)
    yield from _unwanted(engine, low_vram="lowvram_enabled", deepspeed="deepspeed_enabled")
    if section(config, "rvc_settings").get("rvc_enabled") is True:
        yield Counterpart("rvc_settings", None, why="voices are not converted after speaking")


def _switches(config: Mapping[str, object], *, activate: str, autoplay: str) -> Iterator[Counterpart]:
    for theirs, ours in ((activate, "activate"), (autoplay, "autoplay")):
        if isinstance(value := config.get(theirs), bool):
            yield Counterpart(theirs, ("hosts", _HOST, ours), value)


def _narration(config: Mapping[str, object], narrator: str, unmarked: str) -> Iterator[Counterpart]:
    if (mode := _NARRATOR.get(str(config.get(narrator)).lower())) is not None:
        yield Counterpart(narrator, ("speech", "narrator"), mode)
    if (whose := str(config.get(unmarked)).lower()) in _UNMARKED:
        yield Counterpart(unmarked, ("speech", "unmarked"), whose)


def _language(config: Mapping[str, object], theirs: str) -> Iterator[Counterpart]:
    if (name := config.get(theirs)) is None:
        return
    if (tag := _LANGUAGES.get(str(name).lower())) is not None:
        yield Counterpart(theirs, ("languages", "default"), tag, "used where a reply's own is undecided")
    else:
        yield Counterpart(theirs, None, why=f"{name!r} is no language that is known here")


def _voice(
    config: Mapping[str, object], theirs: str, key: tuple[str, ...], voices: AbstractSet[str]
) -> Iterator[Counterpart]:
    if not (given := config.get(theirs)):
        return
    name = str(given).removeprefix("voiceset:")
    for suffix in (".wav", ".onnx"):
        name = name.removesuffix(suffix)
    name = name.replace("\\", "/").rpartition("/")[2]
    if name in voices:
        yield Counterpart(theirs, key, name)
    else:
        yield Counterpart(theirs, None, why=f"the voice {name!r} is not here")


def _port(config: Mapping[str, object], theirs: str) -> Iterator[Counterpart]:
    text = str(config.get(theirs, ""))
    if text.isdecimal() and 0 < int(text) < 65_536 and int(text) != _DEFAULT_PORT:
        yield Counterpart(theirs, ("server", "port"), int(text), "end AllTalk first: both want it")


def _format(config: Mapping[str, object]) -> Iterator[Counterpart]:
    theirs = "transcode_audio_format"
    wanted = str(config.get(theirs, "disabled")).lower()
    if wanted in _FORMATS:
        yield Counterpart(theirs, ("audio", "format"), wanted)
    elif wanted != "disabled":
        yield Counterpart(theirs, None, why=f"{wanted} is not written here; audio.format stays")


def _keeping(config: Mapping[str, object]) -> Iterator[Counterpart]:
    if match := _DAYS.match(str(config.get("delete_output_wavs", ""))):
        yield Counterpart("delete_output_wavs", ("audio", "keep_days"), int(match[1]))


def _unwanted(config: Mapping[str, object], *, low_vram: str, deepspeed: str) -> Iterator[Counterpart]:
    if config.get(low_vram) is True:
        yield Counterpart(low_vram, None, why="models are unloaded when others need the memory")
    if config.get(deepspeed) is True:
        yield Counterpart(deepspeed, None, why="DeepSpeed is not used")
