"""A model is added: its files are looked at, recorded and named in the settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from loguru import logger

from alltalk_plugin.domain.engines import EngineSpec, ModelDescription
from alltalk_plugin.domain.errors import InstallError, NameTaken, RequestError
from alltalk_plugin.domain.models import CPU, Device, MemoryEstimate, ModelProfile, ModelRef, OptionValue
from alltalk_plugin.library.cards import ModelCard, Progress, no_progress, record
from alltalk_plugin.library.looking import describe, estimate, guessed_engine
from alltalk_plugin.library.names import check_free, checked_name
from alltalk_plugin.library.shelf import PARTIAL, Shelf
from alltalk_plugin.settings.edit import SettingValue
from alltalk_plugin.settings.nearest import did_you_mean

SelfTest = Callable[[ModelProfile], None]
"""Loads a model, lets it speak, lets it go. Raises: every ModelError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """What is to be added. `path` None: the engine needs no files here. `engine` None: whichever knows the
    files. `copied`: a copy in the data folder is used, the original may go."""

    name: str
    path: Path | None
    engine: str | None = None
    device: Device = CPU
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    copied: bool = False
    source: str = ""
    licence: str | None = None
    terms_accepted: bool = False


@dataclass(frozen=True, slots=True)
class AddedModel:
    """What is in the settings now."""

    profile: ModelProfile
    description: ModelDescription
    estimate: MemoryEstimate
    card: ModelCard


def add_model(
    shelf: Shelf, new: NewModel, *, self_test: SelfTest | None = None, progress: Progress = no_progress
) -> AddedModel:
    """Look at the files, copy them if wanted, record them, and write the model into the settings.

    Nothing is left behind when something fails.

    Raises: RequestError, NameTaken, InstallError, SettingsError, what `describe` raises, and what the
    self-test does.
    """
    name, path = checked_name(new.name, "model"), new.path.absolute() if new.path is not None else None
    _check_free(shelf, name, path, copied=new.copied)
    engine = guessed_engine(path, shelf.engines) if path is not None and new.engine is None else new.engine
    spec = shelf.spec(engine or "", name)
    options = _options(spec, new.options)
    profile = ModelProfile(ModelRef(name), spec.name, path, new.device, options)
    description, need = describe(spec, profile), estimate(spec, profile)
    if self_test is not None:
        self_test(profile)
    if new.copied and path is not None:
        target = shelf.model_folder(spec.name, name)
        _copy(shelf, path, description, target)
        path = target if path.is_dir() else target / path.name
        profile = replace(profile, path=path)
    try:
        description = describe(spec, profile)
        card = _card(shelf, new, path, spec.name, description, progress=progress)
        _write_down(shelf, profile, card)
    except BaseException:
        if new.copied:
            shutil.rmtree(shelf.model_folder(spec.name, name), ignore_errors=True)
        raise
    logger.info("model added", model=name, engine=spec.name, path=str(path), files=len(card.files))
    return AddedModel(profile, description, need, card)


def _card(
    shelf: Shelf,
    new: NewModel,
    path: Path | None,
    engine: str,
    description: ModelDescription,
    *,
    progress: Progress,
) -> ModelCard:
    now = shelf.now()
    return ModelCard(
        model=checked_name(new.name, "model"),
        engine=engine,
        kind=description.kind,
        path=str(path) if path is not None else "",
        files=()
        if path is None
        else tuple(record(file, path, progress) for file in description.files or files_at(path)),
        source=new.source or (str(new.path.absolute()) if new.path is not None else ""),
        licence=new.licence,
        terms_accepted=now if new.terms_accepted else None,
        added=now,
    )


def _write_down(shelf: Shelf, profile: ModelProfile, card: ModelCard) -> None:
    before = shelf.cards.read(card.model)
    shelf.cards.write(card)
    try:
        shelf.store.update({("models", card.model): _entry(shelf, profile)})
    except BaseException:
        if before is None:
            shelf.cards.remove(card.model)
        else:
            shelf.cards.write(before)
        raise


def files_at(path: Path) -> tuple[Path, ...]:
    """Every file of a folder, or the one file that `path` is."""
    return tuple(sorted(one for one in path.rglob("*") if one.is_file())) if path.is_dir() else (path,)


def _entry(shelf: Shelf, profile: ModelProfile) -> SettingValue:
    entry: dict[str, SettingValue] = {"engine": profile.engine}
    if profile.path is not None:
        entry["path"] = shelf.as_written(profile.path)
    if profile.device != CPU:
        entry["device"] = profile.device
    if profile.options:
        entry["options"] = dict(profile.options)
    return entry


def _check_free(shelf: Shelf, name: str, path: Path | None, *, copied: bool) -> None:
    """The same files under the same name are registered anew: their card is written again."""
    known = shelf.settings.models.get(name)
    if known is None or copied or path is None or known.path != path:
        check_free(name, shelf.settings.models, "model")


def _options(spec: EngineSpec, given: Mapping[str, str]) -> Mapping[str, OptionValue]:
    options: dict[str, OptionValue] = {}
    for name, text in given.items():
        if (option := spec.options.get(name)) is None:
            raise RequestError(
                f"engine {spec.name!r} has no option {name!r}{did_you_mean(name, spec.options)}"
            )
        try:
            if option.kind is bool:
                options[name] = {"true": True, "false": False}[text.lower()]
            else:
                options[name] = option.kind(text)
        except (KeyError, ValueError) as error:
            raise RequestError(
                f"option {name!r} of engine {spec.name!r} takes a {option.kind.__name__}, not {text!r}"
            ) from error
    return MappingProxyType(options)


def _copy(shelf: Shelf, path: Path, description: ModelDescription, target: Path) -> None:
    """A folder with all that is in it, a file with those that belong to it; whole or not at all."""
    files = files_at(path) if path.is_dir() else description.files or (path,)
    shelf.check_room(sum(file.stat().st_size for file in files))
    if target.exists():
        raise NameTaken(f"{target} exists already", context={"name": target.name})
    folder = path if path.is_dir() else path.parent
    partial = target.parent / f"{PARTIAL}{target.name}"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for file in files:
            copy = partial / (file.relative_to(folder) if file.is_relative_to(folder) else file.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        partial.replace(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InstallError(
            f"{path} cannot be copied to {target}: {error.strerror}",
            hint="Check that both are readable, the data folder is writable and the disk is not full.",
        ) from error
