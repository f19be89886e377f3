"""Every model of the settings with what its files say; a broken one with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.library.looking import describe
from alltalk_plugin.library.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """`fault` None: its files are readable. `path` None: the engine brings its own files."""

    name: str
    engine: str
    kind: str = ""
    languages: tuple[LanguageTag, ...] = ()
    speakers: int = 0
    clones: bool = False
    size_bytes: int = 0
    path: Path | None
    fault: str | None = None


def listed_models(shelf: Shelf) -> tuple[ListedModel, ...]:
    """In the order of the settings, found ones last."""
    return tuple(_listed(shelf, name) for name in shelf.settings.models)


def _listed(shelf: Shelf, name: str) -> ListedModel:
    profile = shelf.profile(name)
    try:
        said = describe(shelf.spec(profile.engine, name), profile)
        size_bytes = sum(path.stat().st_size for path in said.files)
    except (AlltalkError, OSError) as error:
        return ListedModel(name=name, engine=profile.engine, path=profile.path, fault=str(error))
    return ListedModel(
        name=name,
        engine=profile.engine,
        kind=said.kind,
        languages=said.languages,
        speakers=len(said.voices),
        clones=said.clones,
        size_bytes=size_bytes,
        path=profile.path,
    )
