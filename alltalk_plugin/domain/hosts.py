"""What a host hands over and gets back, and what an adapter is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.speech import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReply:
    """A generated reply as the host knows it.

    `text` is exactly the host's string; `escaped` says it is HTML-escaped. `mode` is the host's own word
    for the kind of chat; `final` is False while the host still writes. `greeting` is the character's opening
    line, which shows how it marks narration; `is_greeting` says that `text` is that line. `media_url` is
    where the host will serve its own copy of the audio from.
    """

    text: str
    escaped: bool = False
    character: str | None = None
    user_name: str | None = None
    roster: tuple[str, ...] = ()
    chat_id: str = ""
    message_id: str = ""
    mode: str = ""
    final: bool = True
    greeting: str | None = None
    is_greeting: bool = False
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What the host shows: its text (unchanged, or with a player added by the adapter), where the audio
    is, and notes for the user (fallbacks, skipped pieces known already)."""

    text: str
    audio_id: AudioId | None = None
    audio_url: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechTicket:
    """Speech that has begun; the audio grows behind `audio_id`."""

    audio_id: AudioId
    audio_format: AudioFormat
    notes: tuple[str, ...] = ()


class ReplySpeaker(Protocol):
    """What an adapter may ask for. Thread-safe; returns at once."""

    def begin(self, reply: Reply, *, audio_format: AudioFormat | None = None) -> SpeechTicket:
        """Start speaking.

        Raises: NothingToSay, TextTooLong, TooManyReplies, VoiceNotFound, StoreFailed.
        """
        ...


SettingValue = str | int | float | bool | None | Mapping[str, str | None]
"""A mapping is a list of words as written -> as said; in a change it holds what changes only, None takes a
word out."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One toggle a host shows: its key in the settings (`speech.activate`), label, kind, and choices.

    `{character}` in the key stands for the character the host's user is talking to; without one the field
    is not shown. `{voice}` in the key and `*` at its end make a field for each voice and each language.
    `choices_from` "voices" offers the names of all voices. Kind `dict` is a list of words.
    """

    key: str
    label: str
    kind: type[str | int | float | bool | dict[str, str]]
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class SettingsHooks:
    """The settings an adapter shows in its host, and how they are read and written.

    Without `read` and `write` the keys are those of the service's own settings file.
    """

    fields: tuple[SettingField, ...]
    read: Callable[[], Mapping[str, SettingValue]] | None = None
    write: Callable[[Mapping[str, SettingValue]], None] | None = None


@dataclass(frozen=True, slots=True)
class HostCheck:
    """What `host check` found: fine or not, and a sentence for each thing looked at."""

    ok: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAdapter:
    """The service side of a host.

    `files` are copied into the host, from the adapter's folder under `hosts/` (empty for a host that only
    speaks HTTP); `place` says where in the folder a user names they belong, None when that is not such a
    host; `switch_on` tells the user what to do there then. `settings` is None for a host without a panel.
    """

    name: str
    output_modifier: Callable[[HostReply, ReplySpeaker], Rendering]
    files: tuple[str, ...] = ()
    place: Callable[[Path], Path | None] | None = None
    switch_on: str = ""
    settings: SettingsHooks | None = None
