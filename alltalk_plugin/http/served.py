"""What the rim asks of a runtime; `runtime.Runtime` has it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from alltalk_plugin.domain.audio import AudioFormat, AudioId
from alltalk_plugin.domain.errors import AlltalkError, SettingsError
from alltalk_plugin.domain.hosts import HostAdapter, ReplySpeaker, SettingValue
from alltalk_plugin.domain.ports import AudioStore, Journal, ModelPool
from alltalk_plugin.domain.speech import Clip, Reply, SkippedSegment, SpokenReply
from alltalk_plugin.domain.voices import VoiceProfile
from alltalk_plugin.ownership import Ownership
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.speech.explain import ExplainedSegment


class ServedJob(Protocol):
    """A reply being spoken. Thread-safe."""

    @property
    def audio_id(self) -> AudioId: ...

    @property
    def audio_format(self) -> AudioFormat: ...

    @property
    def done(self) -> bool: ...

    @property
    def result(self) -> SpokenReply | None: ...

    @property
    def error(self) -> AlltalkError | None: ...

    @property
    def clips(self) -> tuple[Clip, ...]: ...

    @property
    def skipped(self) -> tuple[SkippedSegment, ...]: ...

    def wait_first_audio(self, timeout_s: float) -> Clip | None:
        """What speaks the first audio; None when the job ended well without any.

        Raises: the job's error when it ended before any audio; DeadlineExceeded after `timeout_s`.
        """
        ...

    def cancel(self) -> None: ...


class ServedSpeech(ReplySpeaker, Protocol):
    def job(self, audio_id: str) -> ServedJob | None: ...

    def jobs(self) -> Sequence[ServedJob]:
        """Replies that are remembered, oldest first."""
        ...

    def explain(self, reply: Reply) -> tuple[ExplainedSegment, ...]: ...


class ServedSettings(Protocol):
    @property
    def current(self) -> Settings: ...

    @property
    def last_error(self) -> SettingsError | None: ...

    def update(self, changes: Mapping[str | tuple[str, ...], SettingValue]) -> Settings:
        """Write changes back by key. Raises: SettingsError."""
        ...


class ServedPlugins(Protocol):
    @property
    def hosts(self) -> Mapping[str, HostAdapter]: ...


class ServedVoices(Protocol):
    def all(self) -> tuple[VoiceProfile, ...]: ...


class ServedRuntime(Protocol):
    """Read-only attributes; each of them is thread-safe."""

    @property
    def home(self) -> Path: ...

    @property
    def settings(self) -> ServedSettings: ...

    @property
    def plugins(self) -> ServedPlugins: ...

    @property
    def models(self) -> ModelPool: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def voices(self) -> ServedVoices: ...

    @property
    def audio(self) -> AudioStore: ...

    @property
    def speech(self) -> ServedSpeech: ...


class OwnedRuntime(ServedRuntime, Protocol):
    """A runtime that owns its data folder, so that a server may publish its address there."""

    @property
    def ownership(self) -> Ownership: ...
