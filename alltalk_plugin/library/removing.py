"""Models and voices are taken away: out of the settings, and off the disk where their files are ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from alltalk_plugin.domain.errors import InstallError, RequestError, VoiceNotFound
from alltalk_plugin.library.folders import MODELS, VOICES
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.library.users import model_users, voice_users, without_model, without_voice
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import BUILTIN_MODELS, BUILTIN_VOICES


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing would do, or has done. `deleted` are files and folders of the data folder; `rerouted`
    who used it, in words."""

    name: str
    deleted: tuple[Path, ...]
    rerouted: tuple[str, ...]


def model_removal(shelf: Shelf, name: str) -> Removal:
    """What removing a model would do. Raises: ModelNotFound, RequestError for the built-in one."""
    path = shelf.profile(name).path
    if shelf.settings.models[name] == BUILTIN_MODELS.get(name):
        raise RequestError(f"the model {name!r} is built in", hint="Nothing to do.")
    others = [model.path for other, model in shelf.settings.models.items() if other != name and model.path]
    kept = {_item(shelf.home / MODELS, other, 2) for other in others}
    own = _item(shelf.home / MODELS, path, 2) if path is not None else None
    # Without its definition a built-in name means the built-in model again: nobody is left alone.
    users = () if name in BUILTIN_MODELS else model_users(shelf.settings, shelf.folders.found, name)
    return Removal(name, () if own is None or own in kept else (own,), users)


def remove_model(shelf: Shelf, name: str, *, force: bool = False) -> Removal:
    """Take a model out of the settings with its card, and its files if they lie in the data folder.

    With `force` its voices go on speaking on the built-in model.

    Raises: ModelNotFound, RequestError for one that is built in or used, SettingsError, InstallError.
    """
    removal = model_removal(shelf, name)
    if removal.rerouted and not force:
        raise RequestError(
            f"the model {name!r} is used by {_said('voice', removal.rerouted)}",
            hint="Give these voices another model, or use --force: they speak on the built-in one then.",
            context={"model": name, "voices": ", ".join(removal.rerouted)},
        )
    changes = without_model(shelf.settings, shelf.folders.found, name) if removal.rerouted else {}
    shelf.store.update({**changes, ("models", name): None})
    shelf.cards.remove(name)
    _delete(removal.deleted)
    logger.info("model removed", model=name, deleted=[str(path) for path in removal.deleted])
    return removal


def voice_removal(shelf: Shelf, name: str) -> Removal:
    """What removing a voice would do. Raises: VoiceNotFound, RequestError for a built-in one."""
    voices = shelf.settings.voices
    if (voice := voices.get(name)) is None:
        raise VoiceNotFound(
            f"there is no voice {name!r}{did_you_mean(name, voices)}", context={"voice": name}
        )
    if voice == BUILTIN_VOICES.get(name):
        raise RequestError(f"the voice {name!r} is built in", hint="Nothing to do.")
    base = shelf.home / VOICES
    kept = {_item(base, path, 1) for other, one in voices.items() for path in one.reference if other != name}
    own = dict.fromkeys(_item(base, path, 1) for path in voice.reference)
    users = () if name in BUILTIN_VOICES else voice_users(shelf.settings, name)
    return Removal(name, tuple(item for item in own if item is not None and item not in kept), users)


def remove_voice(shelf: Shelf, name: str, *, force: bool = False) -> Removal:
    """Take a voice out of the settings, and its reference audio if it lies in the data folder.

    With `force` characters that had it get the default voice.

    Raises: VoiceNotFound, RequestError for one that is built in or used, SettingsError, InstallError.
    """
    removal = voice_removal(shelf, name)
    if removal.rerouted and not force:
        raise RequestError(
            f"the voice {name!r} is used by {', '.join(removal.rerouted)}",
            hint="Give them another voice, or use --force: they get the default voice then.",
            context={"voice": name},
        )
    changes = without_voice(shelf.settings, name) if removal.rerouted else {}
    shelf.store.update({**changes, ("voices", name): None})
    _delete(removal.deleted)
    logger.info("voice removed", voice=name, deleted=[str(path) for path in removal.deleted])
    return removal


def _item(base: Path, path: Path, depth: int) -> Path | None:
    """What of ours `path` belongs to: the entry so many levels below `base`; None when it is not ours."""
    # Without '..' a path cannot lead out of the folder that it begins with.
    parts = Path(os.path.normpath(path)).parts
    above = base.parts
    if parts[: len(above)] != above or len(parts) < len(above) + depth:
        return None
    return base.joinpath(*parts[len(above) : len(above) + depth])


def _delete(paths: Collection[Path]) -> None:
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise InstallError(
                f"{path} cannot be deleted: {error.strerror}",
                hint="Close what uses it ('alltalk-plugin models unload') and delete it by hand.",
            ) from error


def _said(what: str, names: Collection[str]) -> str:
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"
