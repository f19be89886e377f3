"""What an engine is on either side of the pipe.

The service holds light `EngineSpec`s only. The engine itself is made in a worker process by the
function that `EngineSpec.entry` names; this module is importable there (standard library and numpy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import Device, MemoryEstimate, ModelProfile, OptionValue
from alltalk_plugin.domain.voices import VoiceProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRequest:
    """One utterance for one model: clean text of at most the engine's `max_chars`, and how to say it.

    `language` None lets the engine use its speaker's own. `rate` is a factor, `pitch_semitones` a shift.
    """

    text: str
    language: LanguageTag | None = None
    speaker: str | None = None
    reference_audio: tuple[Path, ...] = ()
    rate: float = 1.0
    pitch_semitones: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What a worker needs to load a model.

    whole: its files, as they are, were found whole before; whoever reads all of them for that need not again.
    """

    model: str
    path: Path | None
    device: Device
    options: Mapping[str, OptionValue] = field(default_factory=lambda: MappingProxyType({}))
    whole: bool = False


class Cancellable(Protocol):
    """The part of a cancel token that an engine looks at between chunks."""

    @property
    def cancelled(self) -> bool: ...


class Engine(Protocol):
    """A loaded model inside its worker. One thread: the worker's."""

    def synthesize(self, request: SynthesisRequest, cancel: Cancellable) -> Iterator[AudioChunk]:
        """Speak, chunk by chunk as the audio comes; stops early without an error when cancelled.

        Raises: LanguageUnsupported, SynthesisFailed, VoiceNotFound (unknown speaker).
        """
        ...

    def close(self) -> None:
        """Let go of the model. Called once, last."""
        ...


@runtime_checkable
class Movable(Engine, Protocol):
    """One whose loaded model can leave its device and come back. One thread: the worker's."""

    def to_device(self, device: Device) -> None:
        """Move all of the model, and give back what it held; one that cannot be moved speaks on where it is.

        Raises: ModelIncompatible (no such device, or not for this model), OutOfMemory.
        """
        ...


EngineFactory = Callable[[LoadRequest], Engine]
"""What `EngineSpec.entry` points to. Raises: ModelNotFound, ModelCorrupt, ModelIncompatible,
UnsafeCheckpoint, OutOfMemory."""


@dataclass(frozen=True, slots=True)
class OptionField:
    """One load option of an engine: its type, default, and what it does. `unit` is empty for names."""

    kind: type[str | int | float | bool]
    default: OptionValue | None
    description: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class EngineVoice:
    """A speaker an engine offers: its own id for it, a readable name, the languages it can speak."""

    speaker: str
    name: str
    languages: tuple[LanguageTag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """What a model's files say about it, read without loading it.

    kind: the architecture, in the engine's own word; empty when the engine has one only.
    files: everything that belongs to the model and decides how it sounds.
    languages: what it was made for; empty when the files do not say.
    clones: it speaks in the voice of reference audio.
    """

    kind: str = ""
    files: tuple[Path, ...] = ()
    voices: tuple[EngineVoice, ...] = ()
    languages: tuple[LanguageTag, ...] = ()
    sample_rate_hz: int | None = None
    clones: bool = False


class NumberReading(StrEnum):
    """What an engine makes of digits.

    ALL: numbers, amounts and units are said as a person would. PLAIN: numbers are, amounts of money,
    fractions, ordinals and units are garbled. NONE: digits are dropped or spelled wrongly.
    """

    ALL = "all"
    PLAIN = "plain"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class InstallStep:
    """One run of the installer. `bare` takes the named distributions without what they ask for."""

    requirements: tuple[str, ...]
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEnvironment:
    """The virtual environment that `engine install` makes for an engine.

    lock: a constraints file with the exact version of every distribution, without local suffixes.
    steps: what is installed, in order, under that lock.
    indexes: kind of device (cpu, cuda) -> package index that has the builds for it; a kind that is left out
    takes the ordinary index.
    size_mb: disk space it takes, measured.
    tried: platforms (as `sysconfig.get_platform()`) on which it was installed and spoke.
    """

    lock: Path
    steps: tuple[InstallStep, ...]
    size_mb: int
    tried: tuple[str, ...]
    indexes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def _nothing_known(_profile: ModelProfile) -> ModelDescription:
    return ModelDescription()


def _no_cautions(_profile: ModelProfile) -> tuple[str, ...]:
    return ()


def _reads_all(_profile: ModelProfile) -> NumberReading:
    return NumberReading.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """An engine as the registry knows it; light enough to be registered at start-up.

    entry: `package.module:factory`, imported in the worker only. If the module has a `prepare()`, a worker
    that has no model to load yet calls it: for what no model decides, in less than a second.
    distributions: what must be installed in the worker's environment (PEP 508 requirements).
    environment: how to make one of the engine's own; None: it runs in the service's.
    models_per_worker: how many models may share one process (1 unless the engine is safe with more).
    max_chars: longest text of one request; `speech` splits before it calls.
    estimate: upper bound of a model's memory from file headers, without loading; called in the service.
    revision: a string that changes whenever the model's files do; "" when it has none.
    describe: what a model's files say; called in the service. Raises: ModelNotFound, ModelCorrupt,
    ModelIncompatible, UnsafeCheckpoint.
    speaks: whether a voice can speak a language here, without a worker; a reason when it cannot.
    numbers: what the model makes of digits, so that the rest is written out before it gets the text.
    cautions: what a user should know of a model's options before trusting them; called in the service.
    warm_spare: importing the engine takes seconds, so that a worker which has done it is worth its memory.
    spare_bytes: main memory of such a worker; counted from its start, and more when it is seen to hold more.
    """

    name: str
    entry: str
    distributions: tuple[str, ...]
    max_chars: int
    estimate: Callable[[ModelProfile], MemoryEstimate]
    revision: Callable[[ModelProfile], str]
    speaks: Callable[[ModelProfile, VoiceProfile, LanguageTag], str | None]
    models_per_worker: int = 1
    warm_spare: bool = False
    spare_bytes: int = 0
    options: Mapping[str, OptionField] = field(default_factory=lambda: MappingProxyType({}))
    environment: EngineEnvironment | None = None
    describe: Callable[[ModelProfile], ModelDescription] = _nothing_known
    numbers: Callable[[ModelProfile], NumberReading] = _reads_all
    cautions: Callable[[ModelProfile], tuple[str, ...]] = _no_cautions
