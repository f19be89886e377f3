"""A shelf in a temporary folder, with light engines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alltalk_plugin.domain.errors import ReferenceUnusable
from alltalk_plugin.library.folders import DataFolders
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.settings.store import SettingsStore
from tests.fakes.clock import FakeClock
from tests.fakes.light_engines import LIGHT_ENGINES


def make_shelf(home: Path, settings: str | None = None) -> Shelf:
    """Its settings file is written when `settings` is given, and read as it is otherwise."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "settings.yaml"
    if settings is not None:
        file.write_text(settings, encoding="utf-8")
    folders = DataFolders(home, LIGHT_ENGINES)
    return Shelf(home, LIGHT_ENGINES, folders, SettingsStore(file, found=folders), FakeClock())


def make_recording(path: Path, content: bytes = b"RIFF good") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def check_recording(path: Path) -> Sequence[str]:
    """A recording is unusable when it says so, and one with a hiss is remarked on."""
    content = path.read_bytes()
    if b"bad" in content:
        raise ReferenceUnusable(f"{path.name} cannot be cloned from: it is bad")
    return ("it hisses",) if b"hiss" in content else ()
