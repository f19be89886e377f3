"""What every work on models and voices needs: where they are, who knows them, where they are written down."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import InstallError, ModelNotFound
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.domain.ports import Clock
from alltalk_plugin.library.cards import Cards
from alltalk_plugin.library.folders import MODELS, VOICES, DataFolders
from alltalk_plugin.library.looking import engine_named, model_profile
from alltalk_plugin.settings.nearest import did_you_mean
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.settings.store import SettingsStore

PARTIAL = ".partial-"
"""Before the name of a folder that is not whole yet; hidden ones are no models or voices."""
_SPARE_BYTES = 200_000_000
"""Left free on the disk: a full one stops more than us."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models and voices of one data folder. `store` reads its settings with what `folders` find."""

    home: Path
    engines: Mapping[str, EngineSpec]
    folders: DataFolders
    store: SettingsStore
    clock: Clock

    @property
    def cards(self) -> Cards:
        return Cards(self.home)

    @property
    def settings(self) -> Settings:
        return self.store.current

    def spec(self, engine: str, model: str) -> EngineSpec:
        """Raises: ModelNotFound with the nearest name."""
        return engine_named(engine, self.engines, model)

    def profile(self, model: str) -> ModelProfile:
        """Raises: ModelNotFound with the nearest name."""
        models = self.settings.models
        if (found := models.get(model)) is None:
            raise ModelNotFound(
                f"there is no model {model!r}{did_you_mean(model, models)}", context={"model": model}
            )
        return model_profile(model, found)

    def model_folder(self, engine: str, model: str) -> Path:
        """Where a model of ours lies."""
        return self.home / MODELS / engine / model

    def voice_folder(self, voice: str) -> Path:
        """Where copies of a voice's reference audio lie."""
        return self.home / VOICES / voice

    def as_written(self, path: Path) -> str:
        """How the settings file names a path: relative to itself where it can."""
        folder = self.store.path.parent
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

    def now(self) -> str:
        """ISO 8601, UTC, whole seconds."""
        return datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="seconds")

    def check_room(self, size_bytes: int) -> None:
        """Raises: InstallError when the disk of the data folder has no room for so much more."""
        self.home.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(self.home).free
        if size_bytes + _SPARE_BYTES > free_bytes:
            raise InstallError(
                f"{size_bytes / 1e6:.0f} MB are needed, {free_bytes / 1e6:.0f} MB are free in {self.home}",
                hint="Make room on that disk, or choose another data folder with --home.",
                context={"need_bytes": size_bytes, "free_bytes": free_bytes},
            )
