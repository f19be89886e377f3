"""What a user has put into the data folder: `models/ENGINE/ID/` and `voices/NAME.wav`.

Both appear without a line in the settings file, and a folder that is broken hides none of the others.
"""

from __future__ import annotations

import os
import stat
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from loguru import logger

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.library.looking import describe, engine_named, model_profile
from alltalk_plugin.library.names import name_fault
from alltalk_plugin.settings.found import Found
from alltalk_plugin.settings.schema import BUILTIN_MODELS, ModelSettings, VoiceSettings

MODELS, VOICES = "models", "voices"
AUDIO_SUFFIXES = frozenset((".wav", ".flac"))
"""What reference audio may be stored as."""

Stamp = tuple[tuple[str, int, int], ...]
"""Names with times and sizes: what tells one state of a folder from another without reading files."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the data folder that is no model or voice, and why."""

    path: Path
    reason: str


class DataFolders:
    """Satisfies `FoundSource` for one data folder. Thread-safe; looking may read the headers of models."""

    def __init__(self, home: Path, engines: Mapping[str, EngineSpec]) -> None:
        self._models = home / MODELS
        self._voices = home / VOICES
        self._engines = engines
        self._lock = threading.Lock()
        self._seen: Stamp | None = None
        self._looked_at: dict[Path, tuple[Stamp, ModelSettings, bool | str]] = {}
        self._found = Found()
        self._faults: tuple[Fault, ...] = ()

    @property
    def found(self) -> Found:
        """What the last look gave."""
        return self._found

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What the last look had to leave out or found broken."""
        return self._faults

    def changed(self) -> bool:
        return self._stamp() != self._seen

    def look(self, models: Mapping[str, ModelSettings]) -> Found:
        with self._lock:
            # Stamped before looking: what changes in between shows up next time.
            self._seen = self._stamp()
            faults: list[Fault] = []
            found = dict(self._found_models(faults))
            references = dict(self._found_references(faults))
            voices: dict[str, VoiceSettings] = {}
            if references:
                others = {name: model for name, model in found.items() if name not in models}
                cloning = self._first_that_clones({**models, **others})
                if cloning is None:
                    faults += [
                        Fault(paths[0], "no model here speaks in the voice of a recording")
                        for paths in references.values()
                    ]
                else:
                    voices = {
                        name: VoiceSettings(model=cloning, reference=paths)
                        for name, paths in references.items()
                    }
            for fault in faults:
                if fault not in self._faults:
                    logger.warning("cannot be used", path=str(fault.path), reason=fault.reason)
            self._faults = tuple(faults)
            self._found = Found(MappingProxyType(found), MappingProxyType(voices))
            return self._found

    def _found_models(self, faults: list[Fault]) -> Iterator[tuple[str, ModelSettings]]:
        """A broken model is one all the same: a voice may name it, and its fallback speaks meanwhile."""
        owners: dict[str, Path] = {}
        for engine_folder in _entries(self._models):
            if not engine_folder.is_dir():
                faults.append(Fault(engine_folder, f"models lie in {MODELS}/ENGINE/ID/"))
                continue
            if engine_folder.name not in self._engines:
                known = ", ".join(sorted(self._engines))
                faults.append(Fault(engine_folder, f"no engine is called so; there are: {known}"))
                continue
            for folder in _entries(engine_folder):
                name = unicodedata.normalize("NFC", folder.name)
                if not folder.is_dir():
                    faults.append(Fault(folder, f"models lie in {MODELS}/ENGINE/ID/, a folder for each"))
                elif (fault := name_fault(name)) is not None:
                    faults.append(Fault(folder, f"its name cannot be used: {fault}"))
                elif (owner := owners.setdefault(name.casefold(), folder)) != folder:
                    faults.append(Fault(folder, f"{owner} has that name already"))
                elif name.casefold() in BUILTIN_MODELS:
                    faults.append(Fault(folder, "the built-in model has that name"))
                else:
                    model = ModelSettings(engine=engine_folder.name, path=folder)
                    if isinstance(clones := self._clones(name, model), str):
                        faults.append(Fault(folder, clones))
                    yield name, model

    def _found_references(self, faults: list[Fault]) -> Iterator[tuple[str, tuple[Path, ...]]]:
        """A recording, or a folder of several of one speaker."""
        owners: dict[str, Path] = {}
        for path in _entries(self._voices):
            files = tuple(_entries(path)) if path.is_dir() else (path,)
            files = tuple(file for file in files if file.suffix.lower() in AUDIO_SUFFIXES)
            if not files:
                continue
            name = unicodedata.normalize("NFC", path.name if path.is_dir() else path.stem)
            if (fault := name_fault(name)) is not None:
                faults.append(Fault(path, f"its name cannot be used: {fault}"))
            elif (owner := owners.setdefault(name.casefold(), path)) != path:
                faults.append(Fault(path, f"{owner} has that name already"))
            else:
                yield name, files

    def _first_that_clones(self, models: Mapping[str, ModelSettings]) -> str | None:
        return next((name for name, model in models.items() if self._clones(name, model) is True), None)

    def _clones(self, name: str, model: ModelSettings) -> bool | str:
        """Whether it speaks in the voice of a recording; the reason when it is broken."""
        if model.path is None:
            return self._ask(name, model)
        stamp = tuple(_stamps(model.path, 2))
        known = self._looked_at.get(model.path)
        if known is None or known[:2] != (stamp, model):
            known = (stamp, model, self._ask(name, model))
            self._looked_at[model.path] = known
        return known[2]

    def _ask(self, name: str, model: ModelSettings) -> bool | str:
        try:
            return describe(
                engine_named(model.engine, self._engines, name), model_profile(name, model)
            ).clones
        except AlltalkError as error:
            return error.message

    def _stamp(self) -> Stamp:
        return (*_stamps(self._models, 3), *_stamps(self._voices, 2))


def _stamps(path: str | os.PathLike[str], depth: int) -> Iterator[tuple[str, int, int]]:
    """`path` and what lies in it, so many levels down."""
    try:
        status = os.stat(path)  # noqa: PTH116 - half the time of Path, and asked every two seconds
    except OSError:
        return
    yield os.fspath(path), status.st_mtime_ns, status.st_size
    if depth and stat.S_ISDIR(status.st_mode):
        try:
            with os.scandir(path) as entries:
                names = sorted(entry.path for entry in entries if not entry.name.startswith("."))
        except OSError:
            return
        for name in names:
            yield from _stamps(name, depth - 1)


def _entries(folder: Path) -> list[Path]:
    """Sorted, without hidden ones; none when it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []
