"""A voice is added: on a model that can speak so, with copies of its reference audio."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.engines import EngineSpec, EngineVoice, ModelDescription
from alltalk_plugin.domain.errors import (
    InstallError,
    LanguageUnsupported,
    NameTaken,
    ReferenceUnusable,
    RequestError,
    VoiceNotFound,
)
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import ModelProfile, ModelRef
from alltalk_plugin.domain.voices import VoiceName, VoiceProfile
from alltalk_plugin.library.looking import describe
from alltalk_plugin.library.names import check_free, checked_name, usable_name
from alltalk_plugin.library.shelf import PARTIAL, Shelf
from alltalk_plugin.settings.edit import SettingValue
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import BUILTIN_VOICES
from alltalk_plugin.settings.store import Key

ReferenceCheck = Callable[[Path], Sequence[str]]
"""What is to be said of a recording that can be cloned. Raises: ReferenceUnusable for one that cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVoice:
    """What is to be added. `reference` files are copied; without any, those of a voice that was found
    under this name are used where they lie."""

    name: str
    model: str
    speaker: str | None = None
    language: LanguageTag | None = None
    reference: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class AddedVoice:
    """What is in the settings now, and what its user should know of the recordings."""

    voice: VoiceProfile
    warnings: tuple[str, ...]


def add_voice(
    shelf: Shelf,
    new: NewVoice,
    check_reference: ReferenceCheck,
    *,
    listed: tuple[EngineVoice, ...] | None = None,
) -> AddedVoice:
    """Check that the model can speak so, copy the recordings, and write the voice into the settings.

    `listed` is what the server of a model says of its voices; empty: it does not say, and any may be there.

    Raises: RequestError, NameTaken, ModelNotFound, VoiceNotFound (unknown speaker), LanguageUnsupported,
    ReferenceUnusable, InstallError, SettingsError, and what `describe` raises.
    """
    name = checked_name(new.name, "voice")
    found = shelf.folders.found.voices.get(name)
    is_found = found is not None and shelf.settings.voices[name] is found
    if not is_found:
        _check_free(shelf, name)
    model = shelf.profile(new.model)
    spec = shelf.spec(model.engine, model.ref)
    said = describe(spec, model)
    if listed is not None:
        said = replace(said, voices=listed)
    lying = found.reference if found is not None and is_found and not new.reference else ()
    voice = VoiceProfile(
        name=VoiceName(name), model=model.ref, speaker=new.speaker, reference_audio=new.reference or lying
    )
    _check_source(voice, said)
    if listed != ():
        voice = _with_speaker(voice, spec, model, said)
    if new.language is not None and (reason := spec.speaks(model, voice, new.language)) is not None:
        raise LanguageUnsupported(
            f"the model {model.ref} cannot speak {new.language} so: {reason}",
            hint="Choose another model for this voice, or leave --language out.",
            context={"language": new.language, "reason": reason},
        )
    for path in voice.reference_audio:
        _check_readable(path)
    warnings = [f"{path.name}: {said}" for path in voice.reference_audio for said in check_reference(path)]
    copied = _copied(shelf, name, new.reference)
    try:
        shelf.store.update({("voices", name): _entry(shelf, voice, new.language, copied or lying)})
    except BaseException:
        if copied:
            shutil.rmtree(shelf.voice_folder(name), ignore_errors=True)
        raise
    logger.info("voice added", voice=name, model=voice.model, recordings=len(voice.reference_audio))
    return AddedVoice(voice, tuple(warnings))


def add_offered_voices(
    shelf: Shelf, model: ModelRef, offered: Sequence[EngineVoice]
) -> tuple[VoiceName, ...]:
    """A voice `MODEL - SPEAKER` for each that a model's server has; names that are taken are left alone.

    Raises: SettingsError.
    """
    changes: dict[Key, SettingValue] = {}
    names: list[VoiceName] = []
    taken = {name.casefold() for name in shelf.settings.voices}
    for one in offered:
        name = usable_name(f"{model} - {one.speaker}")
        if name is None or name.casefold() in taken:
            continue
        taken.add(name.casefold())
        names.append(VoiceName(name))
        voice = VoiceProfile(name=VoiceName(name), model=model, speaker=one.speaker)
        changes["voices", name] = _entry(
            shelf, voice, one.languages[0] if len(one.languages) == 1 else None, ()
        )
    if changes:
        shelf.store.update(changes)
        logger.info("voices added", model=model, voices=len(names))
    return tuple(names)


def _check_free(shelf: Shelf, name: str) -> None:
    voices = shelf.settings.voices
    check_free(name, (other for other in voices if voices[other] != BUILTIN_VOICES.get(other)), "voice")


def _check_source(voice: VoiceProfile, said: ModelDescription) -> None:
    """Raises: RequestError when the model cannot be told to speak so."""
    if voice.reference_audio and not said.clones:
        raise RequestError(
            f"the model {voice.model} has voices of its own and does not imitate recordings",
            hint="Leave --reference out, or choose a model that clones ('alltalk-plugin model list').",
            context={"model": voice.model},
        )
    if said.clones and not voice.reference_audio and voice.speaker is None:
        raise RequestError(
            f"the model {voice.model} needs a recording to imitate",
            hint="Give one with --reference" + (", or choose a --speaker." if said.voices else "."),
            context={"model": voice.model},
        )


def _with_speaker(
    voice: VoiceProfile, spec: EngineSpec, model: ModelProfile, said: ModelDescription
) -> VoiceProfile:
    """The voice with the engine's own word for its speaker. Raises: VoiceNotFound with the nearest one."""
    if voice.speaker is None:
        return voice
    by_name = {known.name: known.speaker for known in said.voices}
    speakers = {known.speaker for known in said.voices}
    if voice.speaker in speakers or _engine_accepts(voice, spec, model, said):
        return voice
    if (speaker := by_name.get(voice.speaker)) is not None:
        return _speaking_as(voice, speaker)
    names = sorted(speakers | set(by_name))
    raise VoiceNotFound(
        f"the model {model.ref} has no speaker {voice.speaker!r}{did_you_mean(voice.speaker, names)}",
        hint=f"'alltalk-plugin model speakers {model.ref}' names them all.",
        context={"voice": voice.name, "speaker": voice.speaker},
    )


def _engine_accepts(
    voice: VoiceProfile, spec: EngineSpec, model: ModelProfile, said: ModelDescription
) -> bool:
    """Whether the engine knows more speakers than it lists (eSpeak NG's variants: `f3`, `en-us+f3`).

    Believed only of an engine that objects to one that cannot exist.
    """
    nobody = _speaking_as(voice, "\0")
    return any(
        spec.speaks(model, voice, language) is None and spec.speaks(model, nobody, language) is not None
        for language in said.languages
    )


def _speaking_as(voice: VoiceProfile, speaker: str) -> VoiceProfile:
    return VoiceProfile(
        name=voice.name, model=voice.model, speaker=speaker, reference_audio=voice.reference_audio
    )


def _check_readable(path: Path) -> None:
    if not path.is_file():
        raise ReferenceUnusable(
            f"there is no file {path}",
            hint="Check the name.",
            context={"path": str(path), "reason": "missing"},
        )


def _entry(
    shelf: Shelf, voice: VoiceProfile, language: LanguageTag | None, reference: tuple[Path, ...]
) -> SettingValue:
    entry: dict[str, SettingValue] = {"model": voice.model}
    if voice.speaker is not None:
        entry["speaker"] = voice.speaker
    if language is not None:
        entry["language"] = language
    if reference:
        entry["reference"] = [shelf.as_written(path) for path in reference]
    return entry


def _copied(shelf: Shelf, name: str, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Copies in a folder of the voice's own, numbered in their order; whole or not at all."""
    if not paths:
        return ()
    target = shelf.voice_folder(name)
    partial = target.parent / f"{PARTIAL}{name}"
    names = [f"{number:02}{path.suffix.lower()}" for number, path in enumerate(paths, 1)]
    try:
        if target.exists():
            raise NameTaken(f"{target} exists already", context={"name": name})
        shelf.check_room(sum(path.stat().st_size for path in paths))
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for path, copy in zip(paths, names, strict=True):
            shutil.copyfile(path, partial / copy)
        partial.replace(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InstallError(
            f"the recordings cannot be copied to {target}: {error.strerror}",
            hint="Check that they are readable, the data folder is writable and the disk is not full.",
        ) from error
    return tuple(target / copy for copy in names)
