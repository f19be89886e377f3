"""A model is looked at from every side: its files, what they say, the memory it needs, and its voice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from alltalk_plugin.domain.errors import AlltalkError, EngineMissing, ModelTooBig
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.domain.ports import MemoryProbe
from alltalk_plugin.library.adding import SelfTest
from alltalk_plugin.library.cards import Progress, differences, no_progress
from alltalk_plugin.library.looking import describe, estimate
from alltalk_plugin.library.shelf import Shelf


class Verdict(StrEnum):
    FINE = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at a model gave. NOTE: nothing is wrong, but not all could be looked at."""

    model: str
    subject: str
    verdict: Verdict
    detail: str
    code: str | None = None


def check_model(
    shelf: Shelf,
    name: str,
    *,
    memory: MemoryProbe,
    self_test: SelfTest | None,
    progress: Progress = no_progress,
) -> Iterator[Finding]:
    """One finding after the other, the cheap ones first; without `self_test` it is not made to speak.

    Raises: ModelNotFound when the settings know no such model.
    """
    profile = shelf.profile(name)
    if profile.path is not None:  # else the engine brings its own
        yield from _guarded(name, "files", lambda: _files(shelf, name, progress))
    headers = tuple(_guarded(name, "headers", lambda: _headers(shelf, profile)))
    yield from headers
    if any(finding.verdict is Verdict.BAD for finding in headers):
        return  # what cannot be read can be neither measured nor loaded
    yield from _guarded(name, "memory", lambda: _memory(shelf, profile, memory))
    if self_test is not None:
        yield from _guarded(name, "speech", lambda: _speech(profile, self_test))


def _guarded(name: str, subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except AlltalkError as error:
        yield _bad(name, subject, error)


def _bad(name: str, subject: str, error: AlltalkError) -> Finding:
    return Finding(name, subject, Verdict.BAD, f"{error.message}. {error.hint}", error.code)


def _files(shelf: Shelf, name: str, progress: Progress) -> Iterator[Finding]:
    card = shelf.cards.read(name)
    if card is None:
        detail = "no card to compare with; 'alltalk-plugin model add' writes one"
        yield Finding(name, "files", Verdict.NOTE, detail)
        return
    faults = tuple(differences(card, progress))
    for fault in faults:
        yield _bad(name, "files", fault)
    if not faults:
        size_bytes = sum(file.size_bytes for file in card.files)
        detail = f"{len(card.files)} files, {size_bytes / 1e6:.1f} MB, as on {card.added[:10]}"
        yield Finding(name, "files", Verdict.FINE, detail)


def _headers(shelf: Shelf, profile: ModelProfile) -> Iterator[Finding]:
    said = describe(shelf.spec(profile.engine, profile.ref), profile)
    parts = [said.kind or profile.engine]
    if said.languages:
        parts.append(
            f"{len(said.languages)} languages" if len(said.languages) > 6 else " ".join(said.languages)
        )
    if said.voices:
        parts.append(f"{len(said.voices)} speaker{'s' if len(said.voices) > 1 else ''}")
    if said.clones:
        parts.append("clones")
    yield Finding(profile.ref, "headers", Verdict.FINE, ", ".join(parts))


def _memory(shelf: Shelf, profile: ModelProfile, memory: MemoryProbe) -> Iterator[Finding]:
    need = estimate(shelf.spec(profile.engine, profile.ref), profile)
    total_bytes, free_bytes = memory.total_bytes(need.device), memory.free_bytes(need.device)
    if need.load_bytes > total_bytes:
        raise ModelTooBig(
            f"it needs {need.load_bytes / 1e6:.0f} MB, {need.device} has {total_bytes / 1e6:.0f} MB",
            hint="Choose a smaller model or another device.",
            context={"need_bytes": need.load_bytes},
        )
    detail = (
        f"needs {need.load_bytes / 1e6:.0f} MB to load and {need.held_bytes / 1e6:.0f} MB to keep,"
        f" {free_bytes / 1e6:.0f} MB free on {need.device}"
    )
    enough = need.load_bytes <= free_bytes
    yield Finding(profile.ref, "memory", Verdict.FINE if enough else Verdict.NOTE, detail)


def _speech(profile: ModelProfile, self_test: SelfTest) -> Iterator[Finding]:
    try:
        self_test(profile)
    except EngineMissing as error:
        yield Finding(
            profile.ref, "speech", Verdict.NOTE, f"not tried: {error.message}. {error.hint}", error.code
        )
    else:
        yield Finding(profile.ref, "speech", Verdict.FINE, "loaded and spoke")
