"""An AllTalk folder is taken over: models where they are, voices as copies, settings by key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from alltalk_plugin.domain.errors import AlltalkError, SettingsError
from alltalk_plugin.library.adding import NewModel, add_model
from alltalk_plugin.library.alltalk.counterparts import counterparts, xtts_options
from alltalk_plugin.library.alltalk.folder import AlltalkFolder, AlltalkModel, AlltalkVoice
from alltalk_plugin.library.cards import Progress, no_progress
from alltalk_plugin.library.looking import describe, model_profile
from alltalk_plugin.library.names import check_free, checked_name
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.library.users import Changes
from alltalk_plugin.library.voices import NewVoice, ReferenceCheck, add_voice
from alltalk_plugin.settings.edit import SettingValue
from alltalk_plugin.settings.schema import BUILTIN_VOICES, ModelSettings


class Fate(StrEnum):
    TAKEN = "taken"
    HERE = "here already"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one thing. `what` is model, voice, setting or file."""

    what: str
    name: str
    fate: Fate
    detail: str


def take_over(
    shelf: Shelf,
    folder: AlltalkFolder,
    check_reference: ReferenceCheck,
    *,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> Iterator[Taken]:
    """Each thing as it is done; what fails is left and hinders nothing else. A dry run changes nothing.

    Raises: SettingsError for a settings file that cannot be changed.
    """
    work = _Work(shelf, folder, check_reference, dry_run=dry_run, progress=progress)
    yield from work.models()
    yield from work.voices()
    yield from work.settings()
    for name, reason in folder.left:
        yield Taken("file", name, Fate.LEFT, reason)


class _Work:
    def __init__(
        self,
        shelf: Shelf,
        folder: AlltalkFolder,
        check_reference: ReferenceCheck,
        *,
        dry_run: bool,
        progress: Progress,
    ) -> None:
        self._shelf = shelf
        self._folder = folder
        self._check_reference = check_reference
        self._dry_run = dry_run
        self._progress = progress
        self._cloning: list[str] = []
        self._voices: set[str] = set(shelf.settings.voices)
        self._speakers: list[NewVoice] = []
        """Voices that a model brings with it, and that AllTalk lists as voices."""

    def models(self) -> Iterator[Taken]:
        for found in self._folder.models:
            yield self._model(found)

    def voices(self) -> Iterator[Taken]:
        for found in self._folder.voices:
            yield self._recorded(found)
        for voice in self._speakers:
            yield self._voice(voice)

    def settings(self) -> Iterator[Taken]:
        found = tuple(counterparts(self._folder, self._voices))
        changes: Changes = {one.key: one.value for one in found if one.key is not None}
        if changes and not self._dry_run:
            self._shelf.store.update(changes)
        for one in found:
            if one.key is None:
                yield Taken("setting", one.theirs, Fate.LEFT, one.why)
            else:
                why = f" ({one.why})" if one.why else ""
                yield Taken(
                    "setting", one.theirs, Fate.TAKEN, f"{'.'.join(one.key)}: {_said(one.value)}{why}"
                )

    def _model(self, found: AlltalkModel) -> Taken:
        options = xtts_options(self._folder) if found.name.startswith("xtts") else {}
        here = self._shelf.settings.models.get(found.name)
        try:
            name = checked_name(found.name, "model")
            spec = self._shelf.spec(found.engine, name)
            profile = model_profile(name, ModelSettings(engine=found.engine, path=found.path))
            said = describe(spec, profile)
            options = {key: value for key, value in options.items() if key in spec.options}
            if here is None:
                check_free(name, self._shelf.settings.models, "model")
                if not self._dry_run:
                    new = NewModel(name=name, path=found.path, engine=found.engine, options=options)
                    add_model(self._shelf, new, progress=self._progress)
        except SettingsError:
            raise  # nothing could be written down
        except AlltalkError as error:
            return Taken("model", found.name, Fate.LEFT, error.message)
        if said.clones:
            self._cloning.append(name)
        self._note_speakers(found, {voice.speaker for voice in said.voices})
        if here is not None:
            same = here.path == found.path
            return Taken("model", name, Fate.HERE if same else Fate.LEFT, "" if same else "the name is taken")
        shown = "".join(f", {key} {value}" for key, value in options.items())
        return Taken("model", name, Fate.TAKEN, f"{said.kind or spec.name}{shown}; stays in {found.path}")

    def _note_speakers(self, model: AlltalkModel, speakers: AbstractSet[str]) -> None:
        """A Piper model is one voice there; of a VITS model the two that its settings name."""
        kind = model.name.partition(" - ")[0]
        if kind == "piper":
            self._speakers.append(NewVoice(name=model.path.stem, model=model.name))
        elif kind == "vits" and self._folder.selected.get("vits", model.name) == model.name:
            named = self._folder.engines.get("vits", {})
            chosen = (named.get("def_character_voice"), named.get("def_narrator_voice"))
            self._speakers += [
                NewVoice(name=speaker, model=model.name, speaker=speaker)
                for speaker in dict.fromkeys(map(str, chosen))
                if speaker in speakers
            ]

    def _recorded(self, found: AlltalkVoice) -> Taken:
        if not self._cloning:
            return Taken("voice", found.name, Fate.LEFT, "no model that imitates recordings came with it")
        wanted = self._folder.selected.get("xtts", "")
        model = wanted if wanted in self._cloning else self._cloning[0]
        return self._voice(NewVoice(name=found.name, model=model, reference=found.files))

    def _voice(self, new: NewVoice) -> Taken:
        here = self._shelf.settings.voices.get(new.name)
        if here is not None and here != BUILTIN_VOICES.get(new.name):
            return Taken("voice", new.name, Fate.HERE, f"on {here.model}")
        warnings: tuple[str, ...] = ()
        try:
            name = checked_name(new.name, "voice")
            if self._dry_run:
                warnings = tuple(said for path in new.reference for said in self._check_reference(path))
            else:
                warnings = add_voice(self._shelf, new, self._check_reference).warnings
        except SettingsError:
            raise  # nothing could be written down
        except AlltalkError as error:
            return Taken("voice", new.name, Fate.LEFT, error.message)
        self._voices.add(name)
        copies = f", {len(new.reference)} recordings copied" if len(new.reference) > 1 else ""
        copies = ", recording copied" if len(new.reference) == 1 else copies
        return Taken("voice", name, Fate.TAKEN, "; ".join((f"on {new.model}{copies}", *warnings)))


def _said(value: SettingValue) -> str:
    """A value as it is written in the settings file."""
    return value if isinstance(value, str) else json.dumps(value)
